"""Never reads a command."""

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
time.sleep(600)
