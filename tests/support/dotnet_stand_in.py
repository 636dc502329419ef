"""Stands in for `dotnet` where there is none: tells a version, "publishes", and replays a recording's application events as a device program.

Started as `dotnet_stand_in.py RECORDING VERSION ARGUMENTS...`, ARGUMENTS being those of `dotnet`. The events come sixty times as fast as they were
recorded; every command is noted in the file `commands` beside the program.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path

HELLO = {
    "event": "hello",
    "protocol": 1,
    "sdk": "dotnet",
    "sdk_version": "1.42.3",
    "runtime": ".NET 10.0.12",
    "transports": ["mqtt", "mqtt-ws", "amqp", "amqp-ws", "https"],
    "capabilities": ["lifetime", "margin-percent", "own-token", "x509"],
}
FASTER = 60.0


def emit(event: dict[str, object]) -> None:
    """Write one event."""
    print(json.dumps({"event": event["event"], "t": time.time(), **event}), flush=True)  # noqa: T201 - the protocol


def replay(recording: Path) -> None:
    """What the application saw, but for its closing."""
    _, *lines = recording.read_text(encoding="utf-8").splitlines()
    began = time.monotonic()
    for event in map(json.loads, lines):
        if event["src"] == "app" and event["kind"] != "closed" and event.get("reason") != "Client_Close":
            time.sleep(max(0.0, event["t"] / 1e6 / FASTER - (time.monotonic() - began)))
            fields = {name: value for name, value in event.items() if name not in {"seq", "t", "src", "kind"}}
            emit({"event": event["kind"], **({"settings": {}} if event["kind"] == "opened" else {}), **fields})


def device(recording: Path, folder: Path) -> None:
    """The device program."""
    emit(HELLO)
    trusted = Path(os.environ["SSL_CERT_FILE"])
    with (folder / "commands").open("w", encoding="utf-8") as noted:
        for line in sys.stdin:
            command = json.loads(line)
            known = {"trusts": trusted.read_text(encoding="ascii") if trusted.is_file() else ""}
            noted.write(json.dumps({**command, **known}) + "\n")
            noted.flush()
            if command["cmd"] == "open":
                threading.Thread(target=replay, args=[recording], daemon=True).start()
            if command["cmd"] == "close":
                emit({"event": "closed"})
                return


def main(recording: str, version: str, *arguments: str) -> None:
    """What `dotnet` was asked for."""
    if arguments[0] == "--version":
        print(version)  # noqa: T201 - what it was asked for
    elif arguments[0] == "publish":
        output = Path(arguments[arguments.index("--output") + 1])
        output.mkdir()
        (output / "device.dll").touch()
        (output / "variables").write_text(os.environ.get("DOTNET_CLI_TELEMETRY_OPTOUT", ""), encoding="utf-8")
    else:
        device(Path(recording), Path(arguments[0]).parent)


if __name__ == "__main__":
    main(*sys.argv[1:])
