"""Which node stands at the hub's end of which link."""

from typing import Final

from harness.hub.amqp.c2d import C2d
from harness.hub.amqp.cbs import CbsAnswers, CbsRequests
from harness.hub.amqp.methods import MethodAnswers, MethodRequests
from harness.hub.amqp.node import Node
from harness.hub.amqp.telemetry import Telemetry
from harness.hub.amqp.twin import TwinAnswers, TwinRequests

__all__ = ["NODES"]

NODES: Final[dict[tuple[str, str], type[Node]]] = {
    ("cbs", "sender"): CbsRequests,
    ("cbs", "receiver"): CbsAnswers,
    ("telemetry", "sender"): Telemetry,
    ("c2d", "receiver"): C2d,
    ("methods", "sender"): MethodAnswers,
    ("methods", "receiver"): MethodRequests,
    ("twin", "sender"): TwinRequests,
    ("twin", "receiver"): TwinAnswers,
}
"""By the kind of the link and what the device is on it."""
