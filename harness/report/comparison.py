"""The comparison as tables: a row per SDK, version and transport in each scenario, then the documents against what was observed."""

from collections import Counter
from collections.abc import Iterable, Sequence

from harness.analysis import Row, Verdict
from harness.report.columns import COLUMNS, columns, evidence
from harness.report.layout import WIDTH, Form, render, wrap
from harness.report.volume import HEADING, volume_table

__all__ = ["bullets", "claims_table", "comparison", "legend", "not_measured", "notes", "provenance", "scenario_table"]

_WIDTHS = [10, 7, 10, 10, 10, 26, 8, 9, 11]  # tabulate gives a heading two columns more than it has letters
_CLAIM_HEADERS = ["SDK", "transport", "claim", "claimed", "observed", "verdict", "source"]
_CLAIM_WIDTHS = [13, 11, 26, 20, 24, 12]  # the text leaves the sources to the Markdown
_WORTH_A_LINE = frozenset({"differs", "environment", "unsupported", "harness error"})

_LEGEND = {
    "law": "L: the token's lifetime; grace: how long the hub keeps a connection whose token has expired",
    "emulated": "emulated: played from the SDK's profile over the same sockets; its verdicts hold the documents against the profile, not"
    " against the SDK",
    "noisy": "~ the gap is below five times the hub's own delay at that moment",
    "via proxy": "via proxy: port 443 cannot be had here, the SDK's own proxy option led to the hub",
    "incomplete": "incomplete: the run stopped before the scenario's end",
    "scaled": "x60 and the like: device and hub ran on a clock that many times as fast; computation and network were not accelerated with it, so that"
    " such a gap is not the SDK's",
    "at least": "≥ the recording leaves quiet rows out: so many at least",
    "not all seen": "not all seen: what the scenario waits for was not seen in time",
}


def comparison(rows: Sequence[Row], form: Form, *, brief: bool) -> str:
    """Every table of a run, as `text` (120 columns) or `markdown`.

    `brief` names classes without their packages, shows a repeated thing once, and of the claims only what is not as documented.
    """
    telling = {_identity(row) for row in rows if not row.only_shows_the_default}
    shown = [row for row in rows if row.status or not row.only_shows_the_default or _identity(row) not in telling]
    by_scenario: dict[str, list[Row]] = {}
    for row in shown:
        by_scenario.setdefault(row.scenario, []).append(row)
    parts = [scenario_table(scenario, group, form, brief=brief) for scenario, group in by_scenario.items()]
    volume = volume_table(rows, form)
    volume = f"{_heading(HEADING, form)}\n{volume}" if volume else ""
    claims = claims_table(rows, form, brief=brief)
    below = [volume, claims, *(_told(lines, form) for lines in (notes(rows), legend(shown), provenance(shown)))]
    below.append("\n".join(not_measured(rows, form)))
    return "\n\n".join(filter(None, [*parts, *below])) or "No cell was run."


def _identity(row: Row) -> tuple[str, ...]:
    return row.sdk, row.version, row.transport, row.device, str(row.origin)


def scenario_table(scenario: str, rows: Sequence[Row], form: Form, *, brief: bool) -> str:
    """The rows of one scenario, with a heading."""
    body = [_did_not_run(row) if row.status else columns(row, brief=brief) for row in rows]
    for row, (first, *_), cells in zip(rows, body, body, strict=True):
        if row.traffic != rows[0].traffic:
            cells[0] = f"{first}\n({row.traffic})"
    return f"{_heading(f'{scenario} (traffic: {rows[0].traffic})', form)}\n{render(list(COLUMNS), body, form, widths=_WIDTHS)}"


def _did_not_run(row: Row) -> list[str]:
    said = {"SDK": COLUMNS["SDK"](row), "application saw": row.reason, "claims": row.status}
    return [said.get(name, "") for name in COLUMNS]


def _heading(text: str, form: Form) -> str:
    return f"### {text}\n" if form == "markdown" else text


def claims_table(rows: Sequence[Row], form: Form, *, brief: bool) -> str:
    """The documents against reality; transports that agree share a line."""
    merged: dict[tuple[str, ...], list[str]] = {}
    left_out: dict[str, Counter[str]] = {}
    for row, verdict in [(one, verdict) for one in rows for verdict in one.verdicts]:
        if brief and verdict.verdict not in _WORTH_A_LINE:
            left_out.setdefault(", ".join(evidence(row)), Counter())[verdict.verdict] += 1
            continue
        transports = merged.setdefault(_claim_cells(row, verdict), [])
        if row.transport not in transports:
            transports.append(row.transport)
    body = [[who, "\n".join(transports), *rest] for (who, *rest), transports in merged.items()]
    if form == "text":
        body = [line[: len(_CLAIM_WIDTHS)] for line in body]
    table = render(_CLAIM_HEADERS[: len(body[0])], body, form, widths=_CLAIM_WIDTHS) if body else ""
    content = "\n".join(filter(None, [table, _left_out(left_out, form)]))
    return f"{_heading('Documents against what was observed', form)}\n{content}" if content else ""


def _left_out(counts: dict[str, Counter[str]], form: Form) -> str:
    """What a brief table does not list, real devices and emulated ones apart."""
    told = [
        f"{who}: {', '.join(f'{number} {word}' for word, number in words.items())}" for who, words in counts.items()
    ]
    if not told:
        return ""
    text = f"Not listed: {'; '.join(told)}. They are in the run's table.md, with the sources of all."
    return wrap(text, WIDTH) if form == "text" else f"\n{text}"


def _claim_cells(row: Row, verdict: Verdict) -> tuple[str, ...]:
    who = "\n".join([f"{row.sdk} {row.version}", *evidence(row)])
    claim = f"{verdict.claim}\n({row.scenario})"
    return who, claim, verdict.claimed, verdict.observed or verdict.reason, verdict.verdict, verdict.source


def _told(lines: Iterable[str], form: Form) -> str:
    return bullets(lines) if form == "markdown" else "\n".join(wrap(line, WIDTH) for line in lines)


def bullets(lines: Iterable[str]) -> str:
    """The lines as a list in Markdown, which would run together otherwise."""
    return "\n".join(f"- {line}" for line in lines)


def notes(rows: Iterable[Row]) -> list[str]:
    """What a reader has to know about single rows."""
    told = (
        f"{row.sdk} {row.version} {row.transport} {row.scenario}: {note}"
        for row in rows
        if not row.status
        for note in row.notes
    )
    return list(dict.fromkeys(told))


def legend(rows: Iterable[Row]) -> list[str]:
    """The words and marks that the rows use, explained."""
    rows = list(rows)
    used = {
        "law": any(row.law and row.law.fit for row in rows),
        "emulated": any(row.device == "emulated" for row in rows),
        "noisy": any(any(row.noisy) for row in rows),
        "via proxy": any(row.way.get("via_proxy") for row in rows),
        "incomplete": any(not row.complete and not row.status for row in rows),
        "scaled": any(row.clock_rate is not None for row in rows),
        "at least": any(row.sent and row.at_least for row in rows if not row.status),
        "not all seen": any(row.complete and not row.awaited and not row.status for row in rows),
    }
    return [text for name, text in _LEGEND.items() if used[name]]


def provenance(rows: Iterable[Row]) -> list[str]:
    """Where each recording shown comes from; said wherever one is shown."""
    lines = (_source(row) for row in rows if row.origin.get("kind") == "recorded")
    return list(dict.fromkeys(lines))


def _source(row: Row) -> str:
    names = ("date", "sdk", "version", "runtime", "built", "hub", "machine")
    said = {name: str(row.origin.get(name, "")) for name in names}
    machine = f" ({said['machine']})" if said["machine"] else ""
    return (
        f"{row.device}, recorded {said['date']}: measured on another machine{machine}, not in this run, and part of none of its figures:"
        f" {said['sdk']} {said['version']}, built from: {said['built']}; {said['runtime']}; {said['hub']}"
    )


def not_measured(rows: Sequence[Row], form: Form) -> list[str]:
    """Why an SDK was not measured in this run and what brings it, in one line each, which is never wrapped: it may hold a command.

    Markdown is read on other machines, where only the reader of a recording asks why there is nothing else.
    """
    here = [row for row in rows if row.origin.get("kind") != "recorded"]
    measured = {row.sdk for row in here if row.device != "emulated" and not row.status}
    recorded = {row.sdk for row in rows if row.origin.get("kind") == "recorded"}
    reasons = {row.sdk: reason for row in here if row.sdk not in measured and (reason := _absence(row))}
    told = sorted(reasons if form == "text" else reasons.keys() & recorded)
    return [f"{sdk}: no real device in this run: {reasons[sdk]}" for sdk in told]


def _absence(row: Row) -> str:
    """What this machine lacks for a real device in the row's place, or an empty text."""
    return row.reason if row.status == "environment" else str(row.way.get("why_emulated", ""))
