"""A device on bare paho-mqtt 1.6, driven by the adapter protocol: one token, made from the key when the client is made, and never another."""

import base64
import hashlib
import hmac
import json
import logging
import os
import platform
import ssl
import sys
import threading
import time
from typing import Any
from urllib.parse import quote, unquote

# Standard output belongs to the protocol: whatever the library or C code prints goes to standard error.
PROTOCOL = os.fdopen(os.dup(1), "w", encoding="ascii")
os.dup2(2, 1)
import paho.mqtt  # noqa: E402 - only now
from paho.mqtt import client as mqtt  # noqa: E402

gate = threading.Lock()


def emit(event: str, **fields: object) -> None:
    """Write one event."""
    line = json.dumps({"event": event, "t": time.time(), **fields})
    with gate:
        PROTOCOL.write(line + "\n")
        PROTOCOL.flush()


def told(error: BaseException) -> list[dict[str, str]]:
    """An exception as the protocol writes it; those that matter here have no cause."""
    name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    return [{"class": name, "message": next(iter(str(error).splitlines()), "")}]


def sas(resource: str, key: str, lifetime_s: float) -> str:
    """A SAS token for `resource`, signed with the base64-encoded `key`."""
    resource, expiry = quote(resource, safe=""), int(time.time() + lifetime_s)
    digest = hmac.digest(base64.b64decode(key), f"{resource}\n{expiry}".encode(), hashlib.sha256)
    return f"SharedAccessSignature sr={resource}&sig={quote(base64.b64encode(digest), safe='')}&se={expiry}"


class Device:
    """The client of one `open`."""

    def __init__(self, command: dict[str, Any]) -> None:
        parts = dict(part.split("=", 1) for part in command["connection_string"].split(";"))
        self.host, self.id = parts["HostName"], parts["DeviceId"]
        self.gateway = parts.get("GatewayHostName", self.host)
        self.settings: dict[str, object] = {"transport": command["transport"]}
        token = parts.get("SharedAccessSignature")
        if token is None:
            if command.get("lifetime_s") is not None:
                self.settings["lifetime_s"] = command["lifetime_s"]
            resource = f"{self.host}/devices/{self.id}"
            token = sas(resource, parts["SharedAccessKey"], command.get("lifetime_s") or 3600)
        self.topics = {
            "c2d": f"devices/{self.id}/messages/devicebound/#",
            "methods": "$iothub/methods/POST/#",
        }
        self.topics = {name: topic for name, topic in self.topics.items() if command.get(name)}
        self.settings |= dict.fromkeys(self.topics, True)
        self.opened = False
        self.client = mqtt.Client(self.id)
        self.client.username_pw_set(f"{self.host}/{self.id}/?api-version=2021-04-12", token)
        self.client.tls_set_context(ssl.create_default_context(cadata=command.get("ca_pem")))
        self.client.enable_logger(logging.getLogger("paho"))
        self.client.on_connect, self.client.on_disconnect = self.on_connect, self.on_disconnect
        self.client.on_subscribe, self.client.on_message = self.on_subscribe, self.on_message

    def open(self) -> None:
        """Connect; that the hub lets the device in is told by a callback, in the client's own thread."""
        try:
            self.client.connect(self.gateway, 8883)
            self.client.loop_start()
        except Exception as error:  # noqa: BLE001 - whatever the library raises is the measurement
            emit("open_failed", error=told(error))

    def on_connect(self, _client: Any, _data: Any, _flags: Any, code: int) -> None:
        """The hub answered to CONNECT; paho-mqtt forgets subscriptions with every connection, so they are made again."""
        emit("status", status=mqtt.connack_string(code), callback="on_connect")
        if code:
            if not self.opened:
                emit("open_failed", error=[{"class": f"CONNACK {code}", "message": mqtt.connack_string(code)}])
        elif self.topics:
            self.client.subscribe([(topic, 1) for topic in self.topics.values()])
        else:
            self.on_subscribe()

    def on_subscribe(self, *_: object) -> None:
        """The hub has taken the subscriptions."""
        if not self.opened:
            self.opened = True
            emit("opened", settings=self.settings)

    def on_disconnect(self, _client: Any, _data: Any, code: int) -> None:
        """The connection is gone; the client's thread makes another."""
        emit("status", status=mqtt.error_string(code), callback="on_disconnect")

    def on_message(self, _client: Any, _data: Any, message: Any) -> None:
        """A C2D message, which the library acknowledges, or a direct method, which is answered."""
        path, _, bag = message.topic.rpartition("/")
        fields = dict(part.partition("=")[::2] for part in unquote(bag).removeprefix("?").split("&"))
        if not path.startswith("$iothub"):
            emit("c2d", message_id=fields.get("$.mid"), size=len(message.payload))
            return
        emit("method", name=path.rpartition("/")[2], request_id=fields["$rid"])
        self.client.publish(f"$iothub/methods/res/200/?$rid={fields['$rid']}", "{}")

    def send(self, number: int) -> None:
        """Publish message `number`; a thread waits for its acknowledgement."""
        topic = f"devices/{self.id}/messages/events/%24.mid={number}"
        info = self.client.publish(topic, json.dumps({"id": number}, separators=(",", ":")), qos=1)
        threading.Thread(target=self.wait, args=(info, number), daemon=True).start()

    def wait(self, info: Any, number: int) -> None:
        """Report what became of a message."""
        try:
            info.wait_for_publish()
            emit("sent", id=number)
        except Exception as error:  # noqa: BLE001 - whatever the library raises is the measurement
            emit("send_failed", id=number, error=told(error))

    def close(self) -> None:
        """Give what is under way 5 s, disconnect, report."""
        deadline = time.monotonic() + 5
        waiting = [thread for thread in threading.enumerate() if thread.name.endswith("(wait)")]
        for thread in waiting:
            thread.join(max(0.0, deadline - time.monotonic()))
        self.client.disconnect()
        stopper = threading.Thread(target=self.client.loop_stop, daemon=True)
        stopper.start()
        stopper.join(10)
        emit("closed")


def start(command: dict[str, Any]) -> Device | None:
    """Make the device and let it connect."""
    try:
        device = Device(command)
    except Exception as error:  # noqa: BLE001 - an exception while the client is made is `open_failed`
        emit("open_failed", error=told(error))
        return None
    threading.Thread(target=device.open, daemon=True).start()
    return device


def main() -> None:
    """Say hello, and carry out commands until `close` or the end of stdin."""
    logging.basicConfig(stream=sys.stderr, level=logging.DEBUG, format="%(levelname)s %(name)s: %(message)s")
    runtime = f"{platform.python_implementation()} {platform.python_version()}"
    about = {"sdk": "paho", "sdk_version": paho.mqtt.__version__, "runtime": runtime}
    emit("hello", protocol=1, **about, transports=["mqtt"], capabilities=["lifetime", "own-token"])
    device: Device | None = None
    for line in sys.stdin.buffer:
        name = None
        try:
            command = json.loads(line)
            match name := command["cmd"]:
                case "close":
                    break
                case "open" if device is None:
                    device = start(command)
                case "send" if device is not None:
                    device.send(command["id"])
                case _:
                    emit("bad_command", cmd=name)
        except (ValueError, LookupError, TypeError) as error:
            emit("bad_command", cmd=name, error=told(error))
    if device is not None:
        device.close()
    os._exit(0)


if __name__ == "__main__":
    main()
