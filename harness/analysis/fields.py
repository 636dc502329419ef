"""Reads fields of events and headers that may be absent or of another type: a log may be foreign, damaged or newer than we are."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import wraps
from typing import Final, TypeVar

from harness.events import Event, Events

__all__ = ["chain", "items", "mapping", "number", "of_kind", "of_sources", "once", "text", "whole"]

T = TypeVar("T")
BEYOND: Final = 1e15
_OBJECTS: Final = (dict, Mapping)  # what JSON gives first; and each once, for these are asked for of every event
_NUMBERS: Final = (int, float)
_ARRAYS: Final = (list, tuple)
Fields = Mapping[str, object]


def mapping(fields: Fields, name: str) -> Fields:
    """The object `name`, or an empty one."""
    value = fields.get(name)
    return value if isinstance(value, _OBJECTS) else {}


def text(fields: Fields, name: str) -> str:
    """The text `name`; numbers and booleans as text, all else as the empty text."""
    value = fields.get(name)
    return value if isinstance(value, str) else str(value) if isinstance(value, _NUMBERS) else ""


def number(fields: Fields, name: str) -> float | None:
    """The number `name`, or None; one beyond any sensible time or count is none either."""
    value = fields.get(name)
    if not isinstance(value, _NUMBERS) or isinstance(value, bool):
        return None
    return float(value) if abs(value) < BEYOND else None


def whole(fields: Fields, name: str) -> int | None:
    """The whole number `name`, also where it is written as text, or None."""
    value = fields.get(name)
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def items(fields: Fields, name: str) -> tuple[object, ...]:
    """The members of the array `name`, or none."""
    value = fields.get(name)
    return tuple(value) if isinstance(value, _ARRAYS) else ()


def chain(fields: Fields) -> tuple[str, ...]:
    """The classes of the exception chain `error`, outermost first."""
    links = (link for link in items(fields, "error") if isinstance(link, Mapping))
    return tuple(name for link in links if (name := text(link, "class")))


def of_kind(events: Iterable[Event], src: str, *kinds: str) -> Iterator[Event]:
    """The events of `src` that are of one of `kinds`, in order."""
    if isinstance(events, Events):
        return events.of_kind(src, kinds)
    return (event for event in events if event.src == src and event.kind in kinds)


def of_sources(events: Iterable[Event], *sources: str) -> Iterator[Event]:
    """The events of one of `sources`, in order."""
    return events.of_sources(sources) if isinstance(events, Events) else (one for one in events if one.src in sources)


def once(derive: Callable[[Sequence[Event]], T]) -> Callable[[Sequence[Event]], T]:
    """Decorates what is asked for more than once about a log: of the events of one that was read, it is derived the first time only."""

    @wraps(derive)
    def derived(events: Sequence[Event]) -> T:
        return events.once(derive) if isinstance(events, Events) else derive(events)

    return derived
