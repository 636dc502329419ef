"""Floods stderr: short lines, then one line of 100 000 characters, then 2 MiB."""

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
for number in range(3):
    sys.stderr.write(f"line {number}\n")
sys.stderr.write("x" * 100_000 + "\n")
sys.stderr.write("y" * 99 + "\n" + ("z" * 99 + "\n") * 20_000)
sys.stderr.flush()
sys.stdout.write(json.dumps({"event": "opened", "t": 0.0, "settings": {}}) + "\n")
sys.stdout.flush()
sys.stdin.readline()
