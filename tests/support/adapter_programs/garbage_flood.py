"""Writes text to stdout for ever."""

import json
import sys
import time

HELLO = {
    "event": "hello",
    "t": time.time(),
    "protocol": 1,
    "sdk": "test",
    "sdk_version": "1.0",
    "runtime": "test",
    "transports": ["mqtt"],
    "capabilities": ["lifetime", "own-token"],
}
sys.stdout.write(json.dumps(HELLO) + "\n")
sys.stdout.flush()
sys.stdin.readline()
while True:
    sys.stdout.write("The quick brown fox jumps over the lazy dog.\n" * 1000)
