"""What the hub announces over AMQP, and what one device may claim.

Announced, as users' traces of the service show: frames of 64 KiB, channels up to 8191, handles up to 262143, an idle time-out of four
minutes, a session window of 5000 transfers, messages of 1 MiB, credit of 100 for `$cbs` and 1000 for telemetry.

Claimable, per connection. The service's own limits are not published; these leave a device several times what the SDKs for Node.js,
Java, .NET and C use (two sessions, eight links), and bound the memory that one connection can take:

    frame size                65536 bytes    over it: CLOSE amqp:connection:framing-error
    sessions                  16             CLOSE amqp:resource-limit-exceeded
    links, refused ones too   64             CLOSE amqp:resource-limit-exceeded
    unsettled messages        5000           CLOSE amqp:resource-limit-exceeded
    unfinished messages       4 MiB          CLOSE amqp:resource-limit-exceeded
    one message               1 MiB          DETACH amqp:link:message-size-exceeded
    messages of a batch       5000           DETACH amqp:resource-limit-exceeded (`MAX_SECTIONS`, which holds for every body)
    waiting answers, a link   100            DETACH amqp:resource-limit-exceeded
    refused tokens in a row   20             the next: CLOSE amqp:resource-limit-exceeded
    messages before credit    0              END amqp:link:transfer-limit-exceeded
    time to OPEN              `connect_timeout_s` of the policy, from the accept; the transport is closed
    time to authenticate      the same, from OPEN; CLOSE amqp:unauthorized-access
    silence                   twice the idle time-out; CLOSE amqp:resource-limit-exceeded
    CLOSE after ours          10 s; the transport is closed
"""

import hashlib
from functools import lru_cache
from typing import Final

from harness.hub.policy import Policy
from harness.protocol.amqp.connection import Limits

__all__ = [
    "CREDIT",
    "IDLE_TIME_OUT_MS",
    "MAX_LINKS",
    "MAX_MESSAGE_SIZE",
    "MAX_REFUSED_TOKENS",
    "MAX_SESSIONS",
    "MAX_UNFINISHED",
    "MAX_UNSETTLED",
    "MAX_WAITING_ANSWERS",
    "container_id",
    "limits",
]

IDLE_TIME_OUT_MS: Final = 240_000
MAX_MESSAGE_SIZE: Final = 1_048_576
CREDIT: Final = {"cbs": 100, "telemetry": 1_000, "methods": 100, "twin": 100}

MAX_SESSIONS: Final = 16
MAX_LINKS: Final = 64
MAX_UNSETTLED: Final = 5_000
MAX_REFUSED_TOKENS: Final = 20
MAX_UNFINISHED: Final = 4 * MAX_MESSAGE_SIZE
MAX_WAITING_ANSWERS: Final = 100


@lru_cache(maxsize=16)
def limits(policy: Policy) -> Limits:
    """The above for the protocol machine, whose defaults are what is announced; one object for all connections of a policy."""
    return Limits(
        max_sessions=MAX_SESSIONS,
        max_links=MAX_LINKS,
        max_unsettled=MAX_UNSETTLED,
        max_message_size=MAX_MESSAGE_SIZE,
        max_buffered=MAX_UNFINISHED,
        open_timeout_s=policy.connect_timeout_s,
    )


def container_id(hub_name: str) -> str:
    """The name of the hub's end of a connection, in the service's form; the same for one hub always."""
    return f"DeviceGateway_{hashlib.sha256(hub_name.encode()).hexdigest()[:32]}"
