"""The paho example, but for one thing: it waits for each acknowledgement before it reads the next command."""

import json
import runpy
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[3] / "examples" / "paho"
names = runpy.run_path(str(FOLDER / "device.py"))


def send(self: Any, number: int) -> None:
    """Publish message `number` and wait."""
    body = json.dumps({"id": number}, separators=(",", ":"))
    self.wait(self.client.publish(f"devices/{self.id}/messages/events/%24.mid={number}", body, qos=1), number)


names["Device"].send = send
names["main"]()
