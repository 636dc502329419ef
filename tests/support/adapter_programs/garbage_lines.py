"""Mixes lines that are no events with its events."""

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
sys.stdout.write('plain text\n\n{"event": \n[1, 2]\n{"t": 1}\n{"event": 5}\n')
sys.stdout.flush()
sys.stdout.buffer.write(b"\xff\xfe\n" + b"[" * 60000 + b"\n")
sys.stdout.write(json.dumps({"event": "status", "t": 0.0, "status": "still here"}) + "\r\n")
sys.stdout.flush()
sys.stdin.readline()
