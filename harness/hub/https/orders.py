"""Test messages over HTTPS (`harness.hub.fault_messages`) that wait for the end of their delay, whatever connection they came by."""

from harness.hub.fault_messages import MOST_WAITING, Burden, FaultMessage

__all__ = ["Orders"]


class Orders:
    """The burdens that one device has ordered; each lasts for its duration from the end of its delay on."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, Burden, float]] = []

    @property
    def full(self) -> bool:
        """Whether no more can wait."""
        return len(self._waiting) >= MOST_WAITING

    def wait(self, burden: Burden, message: FaultMessage, now: float) -> None:
        """Take an order, whose delay and duration are numbers."""
        assert message.delay_s is not None  # else it had a problem, and would not have come so far
        assert message.duration_s is not None
        due = now + message.delay_s
        self._waiting = sorted([*self._waiting, (due, burden, due + message.duration_s)], key=lambda order: order[0])

    def due(self, now: float) -> list[tuple[Burden, float]]:
        """The burdens whose time has come, the first one first, each with its end; given once."""
        come = [(burden, until) for due, burden, until in self._waiting if due <= now]
        del self._waiting[: len(come)]
        return come
