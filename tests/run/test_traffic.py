"""Tests of what the cloud sends because of the device's turns."""

from typing import Any

import pytest
from support.plans import a_scenario

from harness.clock import RealClock
from harness.run.traffic import Traffic
from harness.run.watch import Turn


class Cloud:
    """Notes what it is asked to send."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send_c2d(self, message_id: str, body: bytes, now: float) -> None:  # noqa: ARG002 - the service's signature
        """A C2D message."""
        self.sent.append(message_id)

    def call_method(self, request_id: str, name: str, body: bytes, now: float, **timeouts: float) -> None:  # noqa: ARG002
        """A direct method."""
        self.sent.append(f"{name} {request_id}")


@pytest.mark.parametrize("turn", ["gap", "renewal"])
@pytest.mark.parametrize(("traffic", "sent"), [(("listening",), ["c2d-1", "probe 1"]), (("sending",), [])])
def test_a_turn_of_the_device_is_probed(turn: Turn, traffic: tuple[Any, ...], sent: list[str]) -> None:
    """One C2D message and one direct method, with why they were sent, where the application listens."""
    cloud = Cloud()
    told: list[object] = []

    def emit(kind: str, now: float, /, **fields: object) -> None:
        told.append(fields["why"])

    Traffic(a_scenario(traffic=traffic), cloud, lambda _: None, RealClock(), emit).device_turned(turn)
    assert cloud.sent == sent
    assert told == [turn] * len(sent)


def test_where_there_are_no_methods_none_is_called() -> None:
    """As over HTTPS."""
    cloud = Cloud()
    traffic = Traffic(
        a_scenario(traffic=("listening",)), cloud, lambda _: None, RealClock(), lambda *_, **__: None, methods=False
    )
    traffic.device_turned("gap")
    assert cloud.sent == ["c2d-1"]
