"""Cells that have to have run: what `--require` names, and what of it did not.

A name is `SDK[@VERSION][/TRANSPORT[/SCENARIO]]`; what it leaves open means all that the run has. It is fulfilled by rows that were measured in this run,
to their end, with the device that was asked for: an emulated one that stands in for a real SDK does not fulfil it. What is `unsupported` need not run,
unless nothing of what is named did.
"""

from collections.abc import Iterable, Sequence

import msgspec

from harness.analysis.rows import Row
from harness.errors import UserInputError

__all__ = ["Missing", "Required", "missing", "parse_required"]

_PARTS = 3


class Required(msgspec.Struct, frozen=True):
    """What has to have run; an empty part is left open."""

    sdk: str
    version: str = ""
    transport: str = ""
    scenario: str = ""

    def __str__(self) -> str:
        sdk = f"{self.sdk}@{self.version}" if self.version else self.sdk
        return "/".join(filter(None, (sdk, self.transport, self.scenario)))

    def names(self, row: Row) -> bool:
        """Whether the row is among what it names."""
        pairs = ((self.version, row.version), (self.transport, row.transport), (self.scenario, row.scenario))
        return row.sdk == self.sdk and all(not wanted or wanted == found for wanted, found in pairs)


class Missing(msgspec.Struct, frozen=True):
    """A required cell that did not run, by the name that requires it, and why; `row` is null where the run has none."""

    required: Required
    reason: str
    row: Row | None = None


def parse_required(text: str, *, where: str) -> Required:
    """The meaning of `SDK[@VERSION][/TRANSPORT[/SCENARIO]]`.

    Raises:
        UserInputError: it is none.
    """
    sdk, *rest = parts = text.split("/")
    name, at, version = sdk.partition("@")
    if len(parts) > _PARTS or not name or not all(rest) or bool(at) != bool(version):
        raise UserInputError(
            f"{text!r} names no cell", where=where, remedy="Write SDK, SDK/TRANSPORT or SDK/TRANSPORT/SCENARIO"
        )
    transport, scenario = (*rest, "", "")[:2]
    return Required(name, version, transport, scenario)


def missing(required: Iterable[Required], rows: Sequence[Row]) -> tuple[Missing, ...]:
    """What is required and did not run, in the order of the names and then of the rows."""
    here = [row for row in rows if row.origin.get("kind", "this-run") == "this-run"]
    return tuple(found for one in required for found in _missing(one, [row for row in here if one.names(row)]))


def _missing(required: Required, rows: Sequence[Row]) -> list[Missing]:
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.version, row.transport, row.scenario), []).append(row)
    if not groups:
        return [Missing(required, "the run has no such cell")]
    supported = [group for group in groups.values() if any(row.status != "unsupported" for row in group)]
    wanted = supported or list(groups.values())
    return [
        Missing(required, _shortfall(group[0]), group[0]) for group in wanted if all(_shortfall(row) for row in group)
    ]


def _shortfall(row: Row) -> str:
    """Why the row does not count as run, or an empty text."""
    if row.status:
        return f"{row.status}: {row.reason}"
    if stands_in := row.way.get("why_emulated"):
        return f"only an emulated device ran: {stands_in}"
    return "" if row.complete else "it did not run to its end"
