"""What the records tell of one device, gathered while they pass. Nothing is kept of a record itself.

What belongs together is an *episode*: one connection ends, by one or several records, and the device comes back. Within it the order of the
records makes no difference, nor in which direction they pass. From one episode to the next it is told how long a connection lasted.

| an episode with | is |
|---|---|
| a cut | a renewal by the hub's cut (`CUT`) |
| a denied connect and a connection that is gone, but no cut | the same: the article names the pattern 401003, 404104, connect, and not the operation of the first; the connect may take its time |
| a replaced connection | `REPLACED` |
| a trouble of the service | `SERVICE` |
| a connection that is gone | `GONE`: a cut whose 401003 is missing, or the network |
| a farewell, and the device back | a renewal of its own (`LEFT`) |

Denied connects that belong to no cut count by themselves: as refusals where the device had taken leave, otherwise apart (`DENIED`), since the records of the
cut may be missing.
"""

from array import array
from typing import Final

from harness.diagnosis.records import CONNECTED, CUT, DENIED, GONE, LEFT, REFUSED, REPLACED, SERVICE, Entry

__all__ = ["KEPT", "Device"]

_NEAR_S: Final = 5.0
"""Records that are so near belong together; the lifetimes of a test may be as short as ten seconds."""
_LONGEST_S: Final = 30.0
KEPT: Final = 64
"""How many lengths of connections are kept for each way to end."""
_MESSAGES: Final = 8
_CODES: Final = 32
"""So many codes of errors are told apart for a device, which is more than the service has for its connections."""
_OTHER_CODES: Final = "others"
_ENDS: Final = (CUT, REPLACED, SERVICE, GONE, LEFT)
"""What an episode is, by the first of these that is in it."""


class Kept:
    """How often something was, and how long the connection before it had lasted, the last of these lengths only."""

    __slots__ = ("count", "lengths_s")

    def __init__(self) -> None:
        self.count = 0
        self.lengths_s = array("d")

    def keep(self, length_s: float) -> None:
        """Add a length."""
        if len(self.lengths_s) >= KEPT:
            self.lengths_s.pop(0)
        self.lengths_s.append(length_s)


class Episode:
    """The end of a connection and the device's return, as far as they were seen. Moments in seconds.

    `denied`: how many connects were. `length_s`: how long the connection that ended here had lasted, where that is known; of one whose beginning was not seen
    (`began_unseen`), how long ago the one before it had ended.
    """

    __slots__ = ("back_at", "began_unseen", "denied", "first", "kinds", "last", "left_at", "length_s")

    def __init__(self, at: float) -> None:
        self.first = self.last = at
        self.left_at: float | None = None
        self.back_at: float | None = None
        self.length_s: float | None = None
        self.began_unseen = False
        self.kinds = self.denied = 0

    def takes(self, at: float, kind: int) -> bool:
        """Whether a record belongs here: it is near, and the connection that begins here does not end here."""
        if at > self.last:
            near = at <= self.last + _NEAR_S and at <= self.first + _LONGEST_S
        else:
            near = at >= self.first - _NEAR_S and at >= self.last - _LONGEST_S
        if not near or kind == DENIED:
            return near
        if kind == CONNECTED:
            return self.left_at is None or at >= self.left_at
        return self.back_at is None or at <= self.back_at

    def add(self, at: float, kind: int) -> None:
        """Take a record in."""
        self.kinds |= 1 << kind
        if at > self.last:
            self.last = at
        elif at < self.first:
            self.first = at
        if kind == CONNECTED:
            if self.back_at is None or at > self.back_at:
                self.back_at = at
        elif kind == DENIED:
            self.denied += 1
        elif self.left_at is None or at < self.left_at:
            self.left_at = at

    def has(self, kind: int) -> bool:
        """Whether such a record is in it."""
        return bool(self.kinds & 1 << kind)

    @property
    def denial_is_a_cut(self) -> bool:
        """Whether a denied connect is the 401003 of the article's pattern."""
        return bool(self.denied) and self.has(GONE) and not (self.has(CUT) or self.has(LEFT))

    @property
    def is_a(self) -> int:
        """What it is: one of `_ENDS`, or 0 where no connection ended, or a device left and did not come back."""
        if self.denied and self.denial_is_a_cut:
            return CUT
        for end in _ENDS:
            if self.kinds & 1 << end:
                return end if end != LEFT or self.has(CONNECTED) else 0
        return 0

    @property
    def begins_at(self) -> float:
        """When the next connection began, as near as that was seen."""
        begins_at = self.left_at if self.back_at is None else self.back_at
        assert begins_at is not None  # those in which neither happened are passed over
        return begins_at


class Device:
    """One device. `records`, `errors` (by code), `messages` (by kind, code and text) count; `ends` has what episodes are.

    `refused` counts refusals, `denied_cuts` the cuts whose 401003 stands on a connect; `denied_at` is when a connect was denied for the last time that belongs to
    no cut, `back_at` when it was let in for the last time, both None where that never was. `sdk` and `protocol` are those of its latest connect that names any.
    `latest` is the last episode. What is the same to the moment counts once: the service may deliver a record twice. `misplaced` counts records that came behind a
    later one (`descending`: an earlier one).
    """

    __slots__ = (
        *("_episode", "_moment", "_other", "_sdk_at", "_seen", "ends", "errors", "latest", "messages", "protocol"),
        *("_descending", "_reached", "back_at", "denied_at", "denied_cuts", "misplaced", "records", "refused", "sdk"),
    )

    def __init__(self, *, descending: bool = False) -> None:
        self.records = self.refused = self.denied_cuts = self.misplaced = 0
        self._descending = descending
        self._reached = float("inf" if descending else "-inf")
        self.errors: dict[str, int] = {}
        self.messages: dict[tuple[int, str, str], int] = {}
        self.ends: dict[int, Kept] = {}
        self.sdk = self.protocol = ""
        self.denied_at: float | None = None
        self.back_at: float | None = None
        self.latest: Episode | None = None
        self._sdk_at = float("-inf")
        self._moment, self._seen = float("nan"), 0
        self._episode: Episode | None = None
        self._other: Episode | None = None

    def take(self, entry: Entry) -> None:
        """Take one record in; those of a device have to come one after the other in time, in either direction."""
        at, kind, _, code, message, sdk, protocol = entry
        if sdk and at >= self._sdk_at:
            self.sdk, self._sdk_at = sdk, at
        bit = 1 << kind
        if at != self._moment:
            self._moment, self._seen = at, bit
            if at > self._reached if self._descending else at < self._reached:
                self.misplaced += 1
            else:
                self._reached = at
        elif self._seen & bit:
            return
        else:
            self._seen |= bit
        self.records += 1
        if protocol:
            self.protocol = protocol
        if code:
            self._count(kind, code, message)
            if kind == REFUSED:
                self.refused += 1
                return
        episode = self._episode
        if episode is None or not episode.takes(at, kind):
            self.finish()
            episode = self._episode = Episode(at)
        episode.add(at, kind)

    def finish(self) -> None:
        """Draw from the episode what there is in it, and from it and its neighbour how long the connection between them lasted."""
        episode, self._episode = self._episode, None
        if episode is None:
            return
        if episode.back_at is not None and (self.back_at is None or episode.back_at > self.back_at):
            self.back_at = episode.back_at
        if episode.denied and episode.denial_is_a_cut:
            self.denied_cuts += 1
        elif episode.denied:
            self._denied(episode)
        if episode.left_at is None and episode.back_at is None:
            return
        if end := episode.is_a:
            self.ends.setdefault(end, Kept()).count += 1
        if self.latest is None or episode.last > self.latest.last:
            self.latest = episode
        other, self._other = self._other, episode
        if other is not None:
            self._measure(*((other, episode) if other.first < episode.first else (episode, other)))

    def _denied(self, episode: Episode) -> None:
        """Count the denied connects, and note how far from the neighbour that is known by now the episode is."""
        if episode.has(LEFT):
            self.refused += episode.denied
            return
        if self.denied_at is None or episode.last > self.denied_at:
            self.denied_at = episode.last
        kept = self.ends.setdefault(DENIED, Kept())
        kept.count += episode.denied
        if self._other is not None:
            kept.keep(abs(episode.first - self._other.begins_at))

    def _count(self, kind: int, code: str, message: str) -> None:
        counted = code if code in self.errors or len(self.errors) < _CODES else _OTHER_CODES
        self.errors[counted] = self.errors.get(counted, 0) + 1
        key = (kind, code, message)
        if key in self.messages or len(self.messages) < _MESSAGES:
            self.messages[key] = self.messages.get(key, 0) + 1

    def _measure(self, before: Episode, after: Episode) -> None:
        end = after.is_a
        if not end or after.left_at is None:
            return
        length = after.left_at - before.begins_at
        if length <= 0:  # a record that comes for the second time when the first has left the window
            return
        after.length_s, after.began_unseen = length, before.back_at is None
        self.ends[end].keep(length)
