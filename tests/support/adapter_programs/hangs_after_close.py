"""Does not end after `close`: asked to by SIGTERM, it only says so."""

import json
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
signal.signal(signal.SIGTERM, lambda *_: sys.stderr.write("asked to end\n"))
while True:
    time.sleep(1)
