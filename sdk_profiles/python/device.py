"""A device on the Azure IoT device SDK for Python, driven by JSON lines: commands on stdin, all that an application can see on stdout.

It adds nothing, retries nothing, swallows nothing. The SDK's calls block, so each has a thread of its own; its log goes to stderr.

It runs with every 2.x: what a version does not have yet is no capability, a handler it does not know is not set, and where it has
no handlers for what arrives, that is waited for in a thread, as applications had to then.
"""

import importlib
import json
import logging
import os
import platform
import re
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

# Standard output belongs to the protocol: whatever the SDK, the interpreter or C code prints goes to standard error.
PROTOCOL = os.fdopen(os.dup(1), "w", encoding="ascii")
os.dup2(2, 1)
sdk: Any = importlib.import_module("azure.iot.device")

WEBSOCKETS = {"mqtt": False, "mqtt-ws": True}
SDK_VERSION = version("azure-iot-device")
SINCE = {
    "lifetime": (2, 1, 3),  # sastoken_ttl
    "own-token": (2, 4, 0),
    "token-update": (2, 4, 0),
    "x509": (2, 0, 0),
    "proxy": (2, 1, 0),  # ProxyOptions
    "twin": (2, 0, 0),
}
CAPABILITIES = [name for name, since in SINCE.items() if tuple(map(int, re.findall(r"\d+", SDK_VERSION)))[:3] >= since]
SETTLE_S = 5.0  # at `close`, for calls under way
SHUTDOWN_S = 10.0  # the SDK's shutdown has no time limit of its own
LAST_WORDS_S = 0.5  # for calls that the shutdown ends
LONGEST_CHAIN = 16

gate = threading.Lock()


def emit(event: str, **fields: object) -> None:
    """Write one event."""
    line = json.dumps({"event": event, "t": time.time(), **fields})
    with gate:
        PROTOCOL.write(line + "\n")
        PROTOCOL.flush()


def chain(error: BaseException | None) -> list[dict[str, str]]:
    """Write an exception and its causes as the protocol does: outermost first, native class names, first line of the message."""
    links: list[dict[str, str]] = []
    while error is not None and len(links) < LONGEST_CHAIN:
        name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
        links.append({"class": name, "message": next(iter(str(error).splitlines()), "")})
        error = error.__cause__
    return links


def make_client(command: dict[str, Any], used: dict[str, object]) -> Any:
    """Make a client as `open` asks; what is used of its settings is noted in `used`."""
    if command["transport"] not in WEBSOCKETS:
        raise ValueError(f"unknown transport {command['transport']}")
    options: dict[str, Any] = {"websockets": WEBSOCKETS[command["transport"]]}
    if command.get("ca_pem"):
        options["server_verification_cert"] = command["ca_pem"]
    if command.get("proxy"):
        used["proxy"] = proxy = command["proxy"]
        options["proxy_options"] = sdk.ProxyOptions("HTTP", proxy["host"], proxy["port"])
    text = command["connection_string"]
    by_token = "SharedAccessSignature=" in text
    if not by_token and not command.get("cert_pem"):
        if command.get("lifetime_s") is not None:
            used["lifetime_s"] = options["sastoken_ttl"] = command["lifetime_s"]
        return sdk.IoTHubDeviceClient.create_from_connection_string(text, **options)
    parts = dict(part.split("=", 1) for part in text.split(";"))
    if "GatewayHostName" in parts:  # which these two take from 2.11.0 on
        options["gateway_hostname"] = parts["GatewayHostName"]
    if by_token:
        return sdk.IoTHubDeviceClient.create_from_sastoken(parts["SharedAccessSignature"], **options)
    with tempfile.TemporaryDirectory() as folder:  # X509 takes paths only, and reads them while the client is made
        cert, key = Path(folder, "cert.pem"), Path(folder, "key.pem")
        cert.write_text(command["cert_pem"], encoding="utf-8")
        key.write_text(command["key_pem"], encoding="utf-8")
        return sdk.IoTHubDeviceClient.create_from_x509_certificate(
            sdk.X509(str(cert), str(key)), parts["HostName"], parts["DeviceId"], **options
        )


class Device:
    """The client of one `open`, with every handler that an application can set."""

    def __init__(self, command: dict[str, Any]) -> None:
        self.settings: dict[str, object] = {"transport": command["transport"]}
        self.client = make_client(command, self.settings)
        self.settings |= {name: True for name in ("c2d", "methods", "twin") if command.get(name)}
        self.calls: set[threading.Thread] = set()
        self.handle(
            "on_connection_state_change",
            lambda: emit("status", status=str(self.client.connected), callback="on_connection_state_change"),
        )
        self.handle("on_new_sastoken_required", lambda: emit("token_required", callback="on_new_sastoken_required"))
        self.handle(
            "on_background_exception",
            lambda error: emit("background_exception", error=chain(error), callback="on_background_exception"),
        )

    def handle(self, name: str, handler: Callable[..., None]) -> bool:
        """Set a handler, if this version of the SDK has it."""
        known = hasattr(type(self.client), name)
        if known:
            setattr(self.client, name, handler)
        return known

    def listen(self, name: str, receive: str, report: Callable[[Any], None]) -> None:
        """Have what arrives reported by the handler `name`, or else by a thread that calls `receive`, whose first call enables it."""
        if self.handle(name, report):
            return
        next_one = getattr(self.client, receive)
        first = next_one(block=False)

        def wait(item: Any) -> None:
            while True:
                if item is not None:
                    report(item)
                item = next_one()

        thread = threading.Thread(target=wait, args=(first,), daemon=True)
        thread.start()

    def call(self, failed: str, function: Callable[..., None], *args: object, **fields: object) -> threading.Thread:
        """Run `function` in a thread of its own; what it raises becomes the event `failed`."""

        def run() -> None:
            try:
                function(*args)
            except Exception as error:  # noqa: BLE001 - whatever the SDK raises is the measurement
                emit(failed, error=chain(error), **fields)
            self.calls.discard(threading.current_thread())

        thread = threading.Thread(target=run, daemon=True)
        self.calls.add(thread)
        thread.start()  # returns once the thread runs: calls enter the SDK in the order of the commands
        return thread

    def open(self) -> None:
        """Connect, then listen to what was asked for."""
        self.client.connect()
        if "c2d" in self.settings:
            self.listen(
                "on_message_received",
                "receive_message",
                lambda m: emit("c2d", message_id=m.message_id, size=len(m.data)),
            )
        if "methods" in self.settings:
            self.listen("on_method_request_received", "receive_method_request", self.on_method)
        if "twin" in self.settings:
            self.listen(
                "on_twin_desired_properties_patch_received",
                "receive_twin_desired_properties_patch",
                lambda p: emit("twin", version=p.get("$version")),
            )
        emit("opened", settings=self.settings)

    def on_method(self, request: Any) -> None:
        """Answer a direct method with status 200."""
        emit("method", name=request.name, request_id=request.request_id)
        response = sdk.MethodResponse.create_from_method_request(request, 200, {})
        fields = {"name": request.name, "request_id": request.request_id}
        self.call("method_failed", self.client.send_method_response, response, **fields)

    def send(self, number: int, properties: dict[str, str] | None) -> None:
        """Send telemetry message `number`, with these application properties."""
        message = sdk.Message(json.dumps({"id": number}, separators=(",", ":")), message_id=str(number))
        message.custom_properties.update(properties or {})
        self.client.send_message(message)
        emit("sent", id=number)

    def use_token(self, token: str) -> None:
        """Hand the SDK a new token."""
        self.client.update_sastoken(token)
        emit("token_updated")

    def settle(self, seconds: float) -> None:
        """Give calls under way up to `seconds` to end."""
        deadline = time.monotonic() + seconds
        for thread in list(self.calls):
            if thread.ident is not None:  # one of the SDK's threads may be about to start it
                thread.join(max(0.0, deadline - time.monotonic()))

    def shut_down(self) -> None:
        """Shut the client down; before there was such a call, an application could disconnect it."""
        getattr(self.client, "shutdown", self.client.disconnect)()
        emit("closed")

    def close(self) -> None:
        """Settle, shut down, report how that went."""
        self.settle(SETTLE_S)
        thread = self.call("close_failed", self.shut_down)
        thread.join(SHUTDOWN_S)
        if thread.is_alive():
            emit("close_failed", error=chain(TimeoutError(f"shutdown() did not return within {SHUTDOWN_S:g} s")))
        self.settle(LAST_WORDS_S)


def start(command: dict[str, Any]) -> Device | None:
    """Make the device and let it connect; an exception while building it is `open_failed` at once."""
    try:
        device = Device(command)
    except Exception as error:  # noqa: BLE001 - whatever the SDK raises is the measurement
        emit("open_failed", error=chain(error))
        return None
    device.call("open_failed", device.open)
    return device


def serve() -> None:
    """Carry out commands until `close` or the end of stdin."""
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
                    device.call("send_failed", device.send, command["id"], command.get("properties"), id=command["id"])
                case "token" if device is not None:
                    device.call("token_failed", device.use_token, command["sas"])
                case _:
                    emit("bad_command", cmd=name)
        except (ValueError, LookupError, TypeError) as error:
            emit("bad_command", cmd=name, error=chain(error))
    if device is not None:
        device.close()


def main() -> None:
    """Say hello and serve; a thread that never returns does not keep the process alive."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    runtime = f"{platform.python_implementation()} {platform.python_version()}"
    about = {"sdk": "python", "sdk_version": SDK_VERSION, "runtime": runtime}
    emit("hello", protocol=1, **about, transports=list(WEBSOCKETS), capabilities=CAPABILITIES)
    try:
        serve()
    except BaseException:  # noqa: BLE001 - to be seen before the process ends in spite of the SDK's threads
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main()
