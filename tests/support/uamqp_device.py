"""A device on uAMQP, the C library inside Azure's C device SDK, in a process of its own: what it has to do comes as JSON on stdin.

{address, audience, device_id, token, ca_file, messages, pause_s} -> {"accepted": how many messages the hub accepted}
"""

import datetime as dt
import json
import sys
import time
from typing import Any

import uamqp
from uamqp import authentication
from uamqp.constants import MessageState


def main() -> None:
    """Put the token, send the messages one by one, report."""
    job: dict[str, Any] = json.load(sys.stdin)
    target = f"amqps://{job['address']}/devices/{job['device_id']}/messages/events"
    token = authentication.SASTokenAuth(
        job["audience"], target, job["token"], expires_in=dt.timedelta(hours=1), verify=job["ca_file"]
    )
    client = uamqp.SendClient(target, auth=token)
    accepted = 0
    try:
        for _ in range(job["messages"]):
            client.queue_message(uamqp.Message(b"{}"))
            accepted += client.send_all_messages(close_on_done=False) == [MessageState.SendComplete]
            time.sleep(job["pause_s"])
    finally:
        client.close()
    json.dump({"accepted": accepted}, sys.stdout)


if __name__ == "__main__":
    main()
