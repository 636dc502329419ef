"""Direct methods on their way: waiting for the device to be there, then for its answer.

A call fails with 404103 DeviceNotOnline if the device does not show up subscribed in time, with 504101 GatewayTimeout if it does not
answer in time (IoT Hub documentation, "Understand and invoke direct methods from IoT Hub": connectTimeout, responseTimeout).
"""

from dataclasses import dataclass

__all__ = ["GATEWAY_TIMEOUT", "NOT_ONLINE", "MethodCall", "MethodCalls"]

NOT_ONLINE = ("404103", "DeviceNotOnline")
GATEWAY_TIMEOUT = ("504101", "GatewayTimeout")


@dataclass(slots=True)
class MethodCall:
    """One call. `deadline`: when waiting for the device, or once `sent` for its answer, ends (seconds since the Unix epoch)."""

    request_id: str
    name: str
    body: bytes
    response_timeout_s: float
    deadline: float
    sent: bool = False

    @property
    def failure(self) -> tuple[str, str]:
        """Code and name of what went wrong, once the deadline has passed."""
        return GATEWAY_TIMEOUT if self.sent else NOT_ONLINE


class MethodCalls:
    """The calls that are not over, by request id, oldest first."""

    def __init__(self) -> None:
        self._calls: dict[str, MethodCall] = {}

    def add(self, call: MethodCall) -> None:
        """Take a new call."""
        self._calls[call.request_id] = call

    @property
    def request_ids(self) -> tuple[str, ...]:
        """Of all calls, oldest first."""
        return tuple(self._calls)

    @property
    def waiting(self) -> bool:
        """Whether a call waits for the device."""
        return any(not call.sent for call in self._calls.values())

    def send_waiting(self, now: float, most: int | None = None) -> list[MethodCall]:
        """The calls that wait for the device, `most` of them if that is given; they count as sent at `now`."""
        waiting = [call for call in self._calls.values() if not call.sent][:most]
        for call in waiting:
            call.sent, call.deadline = True, now + call.response_timeout_s
        return waiting

    def answered(self, request_id: str) -> bool:
        """An answer came: end the call. False if no call waits for it."""
        call = self._calls.get(request_id)
        if call is None or not call.sent:
            return False
        del self._calls[request_id]
        return True

    def next_deadline(self) -> float | None:
        """The earliest deadline, None without calls."""
        return min((call.deadline for call in self._calls.values()), default=None)

    def pop_overdue(self, now: float) -> list[MethodCall]:
        """End the calls whose deadline has come, and return them, the most overdue first."""
        overdue = sorted(
            (call for call in self._calls.values() if call.deadline <= now), key=lambda call: call.deadline
        )
        for call in overdue:
            del self._calls[call.request_id]
        return overdue
