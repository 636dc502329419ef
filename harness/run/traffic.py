"""The traffic of a scenario: numbered telemetry from the device, C2D messages and direct methods to it."""

import asyncio
import itertools
from typing import Protocol

from harness.clock import Clock
from harness.events import Emit
from harness.run.watch import Turn
from harness.scenario import Scenario

__all__ = ["METHOD", "CloudSide", "Traffic"]

METHOD = "probe"  # the direct method that is called
METHOD_CONNECT_TIMEOUT_S = 10.0
METHOD_RESPONSE_TIMEOUT_S = 10.0


class CloudSide(Protocol):
    """What the cloud application can do to the device: the service side of the hub."""

    def send_c2d(self, message_id: str, body: bytes, now: float) -> None:
        """Queue a C2D message."""
        ...

    def call_method(
        self,
        request_id: str,
        name: str,
        body: bytes,
        now: float,
        *,
        connect_timeout_s: float,
        response_timeout_s: float,
    ) -> None:
        """Call a direct method."""
        ...


class DeviceSide(Protocol):
    """What makes the device send its message number `number`."""

    def __call__(self, number: int) -> None:
        """Send it."""
        ...


class Traffic:
    """Sends what the scenario's traffic names, at its intervals, until cancelled; `methods`: whether the transport has direct methods."""

    def __init__(
        self,
        scenario: Scenario,
        cloud: CloudSide,
        device: DeviceSide,
        clock: Clock,
        emit: Emit,
        *,
        methods: bool = True,
    ) -> None:
        self._methods = methods
        self._scenario, self._cloud, self._device = scenario, cloud, device
        self._clock, self._emit = clock, emit
        self._c2d, self._method = itertools.count(1), itertools.count(1)

    @property
    def listening(self) -> bool:
        """Whether the application listens for C2D messages and direct methods."""
        return "listening" in self._scenario.traffic

    async def run(self) -> None:
        """Send on schedule; returns only when cancelled."""
        intervals = self._scenario.intervals
        async with asyncio.TaskGroup() as group:
            if "sending" in self._scenario.traffic:
                group.create_task(self._telemetry(intervals.send_s))
            if self.listening:
                group.create_task(self._repeat(intervals.c2d_s, self._send_c2d))
                if self._methods:
                    group.create_task(self._repeat(intervals.method_s, self._call_method))

    def device_turned(self, turn: Turn) -> None:
        """The device has just left, or is renewing in place: let one C2D message and one direct method fall into it."""
        if self.listening and self._scenario.intervals.gap_probe:
            self._send_c2d(turn)
            if self._methods:
                self._call_method(turn)

    async def _telemetry(self, interval_s: float) -> None:
        for number in itertools.count(1):
            self._device(number)
            await asyncio.sleep(interval_s)

    async def _repeat(self, interval_s: float, action: "_Stimulus") -> None:
        while True:
            await asyncio.sleep(interval_s)
            action("schedule")

    def _send_c2d(self, why: str) -> None:
        now, message_id = self._clock.now(), f"c2d-{next(self._c2d)}"
        self._emit("stimulus", now, what="c2d", id=message_id, why=why)
        self._cloud.send_c2d(message_id, b"{}", now)

    def _call_method(self, why: str) -> None:
        now, request_id = self._clock.now(), str(next(self._method))
        self._emit("stimulus", now, what="method", id=request_id, why=why)
        self._cloud.call_method(
            request_id,
            METHOD,
            b"{}",
            now,
            connect_timeout_s=METHOD_CONNECT_TIMEOUT_S,
            response_timeout_s=METHOD_RESPONSE_TIMEOUT_S,
        )


class _Stimulus(Protocol):
    def __call__(self, why: str) -> None: ...
