"""As leaves_a_child.py, but the child is in a session of its own; it ends by itself after a while."""

import json
import os
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
    os.setsid()
    time.sleep(20)
    os._exit(0)
sys.stdout.write(json.dumps({"event": "child", "t": 0.0, "pid": child}) + "\n")
sys.stdout.flush()
sys.stdin.readline()
os._exit(0)
