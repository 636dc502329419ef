"""Ends at its first command, with last words on stdout."""

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
sys.stdout.write(json.dumps({"event": "status", "t": 0.0, "status": "last words"}) + "\nunfinished")
sys.stdout.flush()
sys.exit(7)
