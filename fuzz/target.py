"""What a target is: a reader of foreign bytes, and the rules that hold for every input it is given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from msgspec import Struct

from fuzz.mutation import Mutator

__all__ = ["Outcome", "RuleBrokenError", "Target", "require", "weight"]


class RuleBrokenError(Exception):
    """No exception came out, but a rule of the target was broken."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an input.

    Attributes:
        refusal: the reason the reader gave, None if it had no objection.
        depth: how far it came, in the target's unit.
    """

    refusal: str | None
    depth: int


@dataclass(frozen=True)
class Target:
    """One reader.

    Attributes:
        name: as `--only` takes it.
        title: what is read, and what may come out.
        unit: what `Outcome.depth` counts.
        mutator: makes inputs.
        read: gives one input to the reader; it may draw fragments and times from the generator. Whatever it raises is a
            finding.
    """

    name: str
    title: str
    unit: str
    mutator: Mutator
    read: Callable[[list[bytes], Random], Outcome]


def require(holds: bool, rule: str) -> None:  # noqa: FBT001 - an assertion
    """A rule of a target.

    Raises:
        RuleBrokenError: it does not hold.
    """
    if not holds:
        raise RuleBrokenError(rule)


def weight(value: object) -> int:
    """How much a decoded value holds: one for itself, and so on for what is in it; texts and bytes by their length."""
    if isinstance(value, str | bytes):
        return 1 + len(value)
    if isinstance(value, list | tuple):
        return 1 + sum(map(weight, value))
    if isinstance(value, Mapping):
        return 1 + sum(weight(key) + weight(item) for key, item in value.items())
    if isinstance(value, Struct):
        return 1 + sum(weight(getattr(value, name)) for name in value.__struct_fields__)
    return 1
