"""Tells its connection string, and the private key of its certificate, in every way it can think of."""

import base64
import json
import sys
import time
from urllib.parse import quote

HELLO = {
    "event": "hello",
    "t": time.time(),
    "protocol": 1,
    "sdk": "test",
    "sdk_version": "1.0",
    "runtime": "test",
    "transports": ["mqtt"],
    "capabilities": ["lifetime", "own-token", "token-update", "x509"],
}


KEY_LENGTH = 44


def say(line: str) -> None:
    """One line on standard output."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def leak(secret: str) -> None:
    """As an event, as noise, as the SDK's log, in several encodings."""
    for shift in ("", "x", "xy"):
        text = shift + secret
        raw = text.encode()
        bare = text.rpartition("SharedAccessKey=")[2].partition(";")[0]
        urls = text.replace("+", "-").replace("/", "_")
        escaped = text.replace("+", "\\u002B").replace("/", "\\/").replace("=", "\\u003d")
        for form in (
            bare.rstrip("="),
            urls,
            escaped,
            base64.b64decode(bare + "==").hex() if len(bare) == KEY_LENGTH else "",
            text,
            quote(text, safe=""),
            raw.hex(),
            raw.hex().upper(),
            base64.b64encode(raw).decode(),
        ):
            say(json.dumps({"event": "status", "t": 0.0, "status": form, form: 1}))
            say(json.dumps({"event": form, "t": 0.0}))
            say(f"noise {form}")
            sys.stderr.write(f"log {form}\n")
            sys.stderr.flush()


say(json.dumps(HELLO))
for line in sys.stdin:
    command = json.loads(line)
    if command["cmd"] == "open":
        leak(command["connection_string"])
        private_key = command.get("key_pem", "")
        for secret in filter(None, (private_key, *private_key.splitlines())):
            leak(secret)
        say(
            json.dumps(
                {"event": "open_failed", "t": 0.0, "error": [{"class": "E", "message": command["connection_string"]}]}
            )
        )
    if command["cmd"] == "token":
        leak(command["sas"])
    if command["cmd"] == "close":
        say(json.dumps({"event": "closed", "t": 0.0}))
        break
