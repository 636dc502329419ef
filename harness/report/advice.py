"""Advice as text: what was asked for, the ranking as a table, then each candidate with its sentences and the cells they rest on."""

import shlex
from collections.abc import Iterable, Sequence

from harness.analysis import Advice, Candidate, Figure, Needs
from harness.analysis.wording import between, counted, life
from harness.report.layout import WIDTH, render, wrap
from harness.report.neutral import neutral

__all__ = ["advice_text"]

_HEADERS = ["rank", "SDK", "transport", "device", "settings", "errors a day", "away s/day", "reconnects a day"]
_WIDTHS = [4, 16, 9, 24, 22, 8, 8, 10]
_NAMED = 3
_EXPLAIN = "`harness explain CELL"
_EMULATED = "emulated: played from the SDK's profile; it shows what would follow if the profile is right, and stands after all that was measured"


def advice_text(advice: Advice, *, limit: int, everything: bool) -> str:
    """The advice in at most 120 columns; `limit` candidates in sentences (0: all). `everything`: also what does not qualify, with the reason for each."""
    found = advice.candidates
    parts = [
        _asked(advice),
        _ranking(found) if found else _nothing(advice),
        *(_told(one, advice) for one in (found[:limit] if limit else found)),
        _more(len(found), limit),
        _others(advice) if everything else _left_out(advice),
        _legend(advice),
    ]
    return "\n\n".join(filter(None, parts))


def _asked(advice: Advice) -> str:
    lines = [f"Asked for: {'; '.join(_needs(advice.needs)) or 'nothing in particular'}."]
    lines += [
        f"Run: {neutral(run)}. {_EXPLAIN} {neutral(shlex.quote(run))}` tells what a cell showed." for run in advice.runs
    ]
    lines += [f"Not measured: no cell of {neutral(name)} is in what was read." for name in advice.unseen]
    return "\n".join(wrap(line, WIDTH) for line in lines)


def _needs(needs: Needs) -> Iterable[str]:
    limits = {
        "errors in the hub's log a day": needs.max_errors_per_day,
        "errors the application is shown a day": needs.max_app_errors_per_day,
        "reconnects a day": needs.max_reconnects_per_day,
        "seconds away a day": needs.max_away_s_per_day,
    }
    yield from (f"{what}: at most {limit:g}" for what, limit in limits.items() if limit is not None)
    if needs.no_loss:
        yield "no message lost"
    if needs.comes_back:
        yield "back by itself whatever ends the connection"
    if needs.lifetime_s is not None:
        yield f"tokens that live {life(needs.lifetime_s)}"
    yield from (f"over {', '.join(needs.transports)}" for _ in needs.transports[:1])
    yield from (f"with {neutral(', '.join(needs.sdks))}" for _ in needs.sdks[:1])


def _ranking(found: Sequence[Candidate]) -> str:
    rows = [
        [
            f"{one.rank}{'=' if one.tied else ''}",
            neutral(f"{one.sdk} {one.version}"),
            neutral(one.transport),
            neutral(one.origin),
            one.settings,
            _span(one.figures.errors),
            _span(one.figures.away_s),
            _span(one.figures.reconnects),
        ]
        for one in found
    ]
    ties = "=: equal in all that ranks, and listed by name" if any(one.tied for one in found) else ""
    return "\n".join(filter(None, [render(_HEADERS, rows, "text", widths=_WIDTHS), ties]))


def _span(figure: Figure) -> str:
    return "not measured" if figure.per_day is None else between(figure.per_day)


def _nothing(advice: Advice) -> str:
    if not advice.others:
        return "Nothing was measured that it could be told from."
    nearest = advice.others[0]
    told = "Nothing here was seen to meet all of that. What comes nearest, and what it fails:"
    return f"{told}\n\n{_told(nearest, advice)}"


def _told(one: Candidate, advice: Advice) -> str:
    """A candidate with all its sentences."""
    lines = [_head(one, advice), *_missed(one)]
    lines += [_line(reason.text, reason.cells, reason.origin) for reason in one.reasons]
    return "\n".join([*lines, *_hint(one)])


def _head(one: Candidate, advice: Advice) -> str:
    rank = "" if one.rank is None else f"{one.rank}{'=' if one.tied else ''}. "
    run = f"; run: {one.run}" if len(advice.runs) > 1 else ""
    tie = f"; shares its rank with {counted(one.tied, 'other')}" if one.tied else ""
    return wrap(
        neutral(f"{rank}{one.sdk} {one.version} over {one.transport}, {one.origin}; {one.settings}{run}{tie}"), WIDTH
    )


def _missed(one: Candidate) -> list[str]:
    return [_line(f"{'fails: ' if miss.measured else ''}{miss.text}", miss.cells, one.origin) for miss in one.misses]


def _hint(one: Candidate) -> list[str]:
    return [_line(one.hint.text, one.hint.cells, one.hint.origin)] if one.hint else []


def _line(text: str, cells: Sequence[str], origin: str) -> str:
    """A sentence, and its evidence below it."""
    more = f", and {len(cells) - _NAMED} more" if len(cells) > _NAMED else ""
    evidence = [f"{origin}: {', '.join(cells[:_NAMED])}{more}"] if cells else []
    return "\n".join([_hanging(neutral(text), "    - "), *(_hanging(neutral(one), "        ") for one in evidence)])


def _hanging(text: str, lead: str) -> str:
    margin = " " * len(lead)
    return lead + f"\n{margin}".join(wrap(text, WIDTH - len(lead)).split("\n"))


def _more(count: int, limit: int) -> str:
    hidden = count - limit if limit else 0
    return f"{hidden} more in the table: --limit 0 tells of all." if hidden > 0 else ""


def _others(advice: Advice) -> str:
    """What does not qualify, and why."""
    if not advice.others:
        return ""
    told = ["\n".join([_head(one, advice), *_missed(one), *_hint(one)]) for one in advice.others]
    return "\n\n".join(["Does not qualify, nearest first:", *told])


def _left_out(advice: Advice) -> str:
    if not advice.others:
        return ""
    unknown = sum(not any(miss.measured for miss in one.misses) for one in advice.others)
    some = f", {unknown} of them for want of a measurement" if unknown else ""
    return f"{len(advice.others)} not seen to qualify{some}: --all lists them, with the reason for each."


def _legend(advice: Advice) -> str:
    emulated = any(one.origin == "emulated" for one in (*advice.candidates, *advice.others))
    return wrap(_EMULATED, WIDTH) if emulated else ""
