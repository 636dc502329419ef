"""Moments as exports write them, read into seconds since the Unix epoch.

| written as | by |
|---|---|
| `2023-09-21T22:16:00Z`, with any fraction of a second, `T` or a blank between, with or without an offset | Azure Monitor, Log Analytics |
| `9/21/2023, 10:16:00.000 PM` | the portal's export of a query to CSV, which puts the month first |

What has no offset is taken for UTC, as both do it.
"""

import re
from datetime import UTC, datetime
from typing import Final

__all__ = ["Moments"]

_TO_THE_MINUTE: Final = len("2023-09-21T22:16:")
_MINUTE_S: Final = 60
_KEPT: Final = 4096
_PORTAL: Final = re.compile(
    r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4}),? "
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2}):(?P<second>\d{2}(\.\d+)?)( (?P<half>[AP])M)?"
)
_NOON: Final = 12


class Moments:
    """Reads moments. Those of the same minute are looked up, since most of an export's lie close together."""

    def __init__(self) -> None:
        self._minutes: dict[str, float] = {}

    def seconds(self, text: str) -> float:
        """The moment in seconds since the Unix epoch.

        Raises:
            ValueError: it is written otherwise.
        """
        minute = self._minutes.get(text[:_TO_THE_MINUTE])
        if minute is not None and text[-1] == "Z":
            second = float(text[_TO_THE_MINUTE:-1])
            if 0 <= second < _MINUTE_S:
                return minute + second
        return self._read(text.strip())

    def _read(self, text: str) -> float:
        if match := _PORTAL.fullmatch(text):
            return _of_the_portal(match)
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        elif text[-1] == "Z" and text[_TO_THE_MINUTE - 1] == ":":
            if len(self._minutes) >= _KEPT:
                self._minutes.clear()
            self._minutes[text[:_TO_THE_MINUTE]] = moment.replace(second=0, microsecond=0).timestamp()
        return moment.timestamp()


def _of_the_portal(match: re.Match[str]) -> float:
    hour = int(match["hour"])
    if match["half"]:
        hour = hour % _NOON + (_NOON if match["half"] == "P" else 0)
    second = float(match["second"])
    day = datetime(int(match["year"]), int(match["month"]), int(match["day"]), hour, int(match["minute"]), tzinfo=UTC)
    return day.timestamp() + second
