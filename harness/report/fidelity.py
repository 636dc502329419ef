"""How like emulated devices are to the real ones that were measured beside them."""

from collections.abc import Sequence

from harness.analysis import Likeness
from harness.report.layout import WIDTH, wrap

__all__ = ["fidelity_table"]

_INDENT = "    "


def fidelity_table(likenesses: Sequence[Likeness]) -> str:
    """A line for each pair that agrees, and for one that does not, what differs; empty where there is no pair."""
    lines = [line for one in likenesses for line in _lines(one)]
    return "\n".join(["Emulated devices against the real ones of this run", *lines]) if lines else ""


def _lines(one: Likeness) -> list[str]:
    state = "differs" if one.differences else "agrees"
    told = [_INDENT + line for text in one.differences for line in wrap(text, WIDTH - len(_INDENT)).split("\n")]
    return [f"{one.real}: {state}", *told]
