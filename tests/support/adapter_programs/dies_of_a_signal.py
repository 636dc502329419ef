"""Is ended by a signal at its first command, as native code would be."""

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
sys.stdin.readline()
os.kill(os.getpid(), signal.SIGSEGV)
