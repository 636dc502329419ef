"""When an SDK that lost its connection tries again."""

from random import Random

from harness.emulation import Manners

__all__ = ["Retry"]


class Retry:
    """The waits between the attempts of one absence."""

    def __init__(self, manners: Manners, random: Random) -> None:
        self._manners, self._random = manners, random
        self._failures = 0
        self._since: float | None = None

    @property
    def has_failed(self) -> bool:
        """Whether an attempt of this absence came to nothing."""
        return self._failures > 0

    def begin(self, now: float) -> float:
        """The connection was lost: seconds until the first attempt."""
        self._failures, self._since = 0, now
        return self._manners.reconnect_delay_s

    def again(self, now: float) -> float | None:
        """An attempt failed: seconds until the next, or None where the SDK's patience ends before it."""
        if self._since is None:
            self._since = now
        waits = self._manners.refused_retry_s
        jitter = self._manners.refused_retry_jitter
        wait = waits[min(self._failures, len(waits) - 1)] * self._random.uniform(1 - jitter, 1 + jitter)
        self._failures += 1
        limit = self._manners.retry_limit_s
        return None if limit is not None and now + wait > self._since + limit else wait

    def end(self) -> None:
        """The absence is over."""
        self._failures, self._since = 0, None
