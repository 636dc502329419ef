"""Ends at `close` and leaves a child behind that holds every stream open and ignores signals."""

import json
import os
import signal
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
child = os.fork()
if child == 0:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    time.sleep(600)
sys.stdout.write(json.dumps({"event": "child", "t": 0.0, "pid": child}) + "\n")
sys.stdout.flush()
sys.stdin.readline()
os._exit(0)
