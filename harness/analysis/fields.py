"""Reads fields of events and headers that may be absent or of another type: a log may be foreign, damaged or newer than we are."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from harness.events import Event

__all__ = ["chain", "items", "mapping", "number", "of_kind", "text", "whole"]

BEYOND: Final = 1e15
Fields = Mapping[str, object]


def mapping(fields: Fields, name: str) -> Fields:
    """The object `name`, or an empty one."""
    value = fields.get(name)
    return value if isinstance(value, Mapping) else {}


def text(fields: Fields, name: str) -> str:
    """The text `name`; numbers and booleans as text, all else as the empty text."""
    value = fields.get(name)
    return str(value) if isinstance(value, str | int | float) else ""


def number(fields: Fields, name: str) -> float | None:
    """The number `name`, or None; one beyond any sensible time or count is none either."""
    value = fields.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
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
    return tuple(value) if isinstance(value, list | tuple) else ()


def chain(fields: Fields) -> tuple[str, ...]:
    """The classes of the exception chain `error`, outermost first."""
    links = (link for link in items(fields, "error") if isinstance(link, Mapping))
    return tuple(name for link in links if (name := text(link, "class")))


def of_kind(events: Iterable[Event], src: str, *kinds: str) -> Iterator[Event]:
    """The events of `src` that are of one of `kinds`, in order."""
    return (event for event in events if event.src == src and event.kind in kinds)
