"""Versions of SDKs: their order, and ranges of them. Pure.

A version is numbers parted by dots, and what comes after them: `2.14.0`, `2.15.0rc1`, `1.12.0-preview.2`, `1.0.post1`. Its order, for all SDKs:

- the numbers count from the left; missing ones are zeros, so that `2.0` and `2.0.0` are the same version;
- what follows the numbers makes it a pre-release, which comes before the version itself, except for `post…`, which comes after;
- pre-releases are compared piece by piece, runs of digits as numbers and before runs of letters, runs of letters by the alphabet without
  regard to case (so that alpha, beta, preview, rc stand in their usual order); one that is the beginning of another comes first;
- what follows a `+` says nothing.

What does not begin with a number, as `LTS_03_2025`, is a name: it has no place in the order, and is covered by itself alone.

A range is one or several comparisons joined by commas, all of which have to hold: `>=2.10.0`, `>=2.10.0,<2.15.0rc1`, `!=2.9.1`. There are no exceptions for
pre-releases: `<2.15` covers `2.15.0rc1`, and `<2.15.0rc1` does not. A version alone covers that version. A list of ranges covers what any of them does.
"""

import itertools
import re
from collections.abc import Iterable, Sequence
from functools import total_ordering
from typing import Final

__all__ = ["Version", "covers", "in_order", "meet", "version_problem"]

_VERSION: Final = re.compile(r"(?P<numbers>[0-9]+(\.[0-9]+)*)(?P<rest>[0-9A-Za-z._-]*)(\+[0-9A-Za-z._-]*)?")
_COMPARISON: Final = re.compile(r"\s*(?P<operator>>=|<=|==|!=|>|<|)\s*(?P<version>[^\s<>=!,]+)\s*")
_NAME: Final = re.compile(r"(?=.*[0-9])[A-Za-z][0-9A-Za-z._+-]*")
_PIECE: Final = re.compile(r"[0-9]+|[a-z]+")
_Bound = tuple["Version", bool]  # a version, and whether it belongs to the range itself


@total_ordering
class Version:
    """A version that can be compared with others; `text` is how it was written.

    Raises:
        ValueError: it does not begin with a number, or holds other characters than letters, digits, `.`, `_`, `-` and `+`.
    """

    __slots__ = ("_key", "text")

    def __init__(self, text: str) -> None:
        match = _VERSION.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no version")
        self.text = text
        numbers = [int(number) for number in match["numbers"].split(".")]
        while numbers and not numbers[-1]:
            numbers.pop()
        pieces = _PIECE.findall(match["rest"].lower())
        stage = 0 if not pieces else 1 if pieces[0] == "post" else -1
        rest = tuple((0, int(piece), "") if piece.isdigit() else (1, 0, piece) for piece in pieces)
        self._key = (tuple(numbers), stage, rest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._key == other._key

    def __lt__(self, other: "Version") -> bool:
        return self._key < other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        return f"Version({self.text!r})"


def version_problem(text: str) -> str:
    """Why `text` is neither a version nor a range, or an empty text."""
    if _NAME.fullmatch(text):
        return ""
    try:
        comparisons = _comparisons(text)
    except ValueError as problem:
        return str(problem)
    return "" if _is_possible(comparisons) else f"{text!r} covers no version"


def in_order(versions: Iterable[str]) -> list[str]:
    """The versions from the oldest on; what has no place in the order comes last, by the alphabet."""
    return sorted(versions, key=_place)


def _place(text: str) -> tuple[int, "Version", str]:
    try:
        return 0, Version(text), text
    except ValueError:
        return 1, Version("0"), text


def covers(ranges: Iterable[str], version: str) -> bool:
    """Whether any of `ranges`, versions and ranges without a `version_problem`, covers `version`, which may be any text."""
    ranges = list(ranges)
    if version in ranges:
        return True
    try:
        wanted = Version(version)
    except ValueError:
        return False
    readable = [one for one in ranges if not _NAME.fullmatch(one)]
    return any(all(_holds(operator, wanted, bound) for operator, bound in _comparisons(one)) for one in readable)


def meet(first: Iterable[str], second: Iterable[str]) -> bool:
    """Whether there can be a version that both cover, each being versions and ranges without a `version_problem`."""
    return any(_both(mine, theirs) for mine, theirs in itertools.product(first, second))


def _both(first: str, second: str) -> bool:
    if _NAME.fullmatch(first) or _NAME.fullmatch(second):
        return first == second
    return _is_possible([*_comparisons(first), *_comparisons(second)])


def _comparisons(text: str) -> list[tuple[str, Version]]:
    parts = [_COMPARISON.fullmatch(part) for part in text.split(",")]
    if not all(parts):
        raise ValueError(f"{text!r} is no version, nor comparisons joined by commas")
    return [(match["operator"] or "==", Version(match["version"])) for match in parts if match]


def _holds(operator: str, version: Version, bound: Version) -> bool:
    if version == bound:
        return operator in {"==", ">=", "<="}
    return operator == "!=" or operator in ({"<", "<="} if version < bound else {">", ">="})


def _is_possible(comparisons: Sequence[tuple[str, Version]]) -> bool:
    """Whether any version may satisfy all of them. Between two versions there may always be a third one."""
    low: _Bound | None = None
    high: _Bound | None = None
    for operator, bound in comparisons:
        inside = operator not in {"<", ">"}
        if operator in {">", ">=", "=="}:
            low = _tighter(low, (bound, inside), upper=False)
        if operator in {"<", "<=", "=="}:
            high = _tighter(high, (bound, inside), upper=True)
    if low is None or high is None or low[0] < high[0]:
        return True
    closed = low[0] == high[0] and low[1] and high[1]
    return closed and all(_holds(operator, low[0], one) for operator, one in comparisons)


def _tighter(first: _Bound | None, second: _Bound, *, upper: bool) -> _Bound:
    if first is None:
        return second
    if first[0] == second[0]:
        return second if first[1] else first
    return first if (first[0] < second[0]) == upper else second
