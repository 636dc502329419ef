"""A good program without an SDK: answers each command with what it read, and says what surrounds it and is in the files named to it."""

import json
import os
import sys
import time
from pathlib import Path

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
for line in sys.stdin:
    command = json.loads(line)
    if command["cmd"] == "close":
        break
    status = {"event": "status", "t": 0.0, "status": command["cmd"]}
    status |= {"environment": dict(os.environ), "folder": str(Path.cwd()), "group": os.getpgrp(), "pid": os.getpid()}
    status |= {"files": [Path(name).read_text(encoding="ascii") for name in sys.argv[1:]]}
    sys.stdout.write(json.dumps(status) + "\n")
    sys.stdout.flush()
sys.stdout.write(json.dumps({"event": "closed", "t": 0.0}) + "\n")
