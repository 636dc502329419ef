"""The comparison as tables: a row per SDK, version and transport in each scenario, then the documents against what was observed."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from harness.analysis import Fit, Row, Verdict
from harness.report.layout import WIDTH, Form, render, wrap

__all__ = ["comparison"]

_HEADERS = ["SDK", "token", "renewal or cut", "renewal", "hub log", "application saw", "gap ms", "messages", "claims"]
_WIDTHS = [9, 8, 10, 10, 10, 26, 8, 10, 11]  # tabulate gives a heading two columns more than it has letters
_CLAIM_HEADERS = ["SDK", "transport", "claim", "claimed", "observed", "verdict", "source"]
_CLAIM_WIDTHS = [8, 11, 22, 24, 28, 12]  # the text leaves the sources to the Markdown
_WORTH_A_LINE = frozenset({"differs", "environment", "unsupported", "harness error"})

_LEGEND = {
    "law": "L: the token's lifetime; grace: how long the hub keeps a connection whose token has expired",
    "emulated": "emulated: played from the SDK's profile over the same sockets; its verdicts hold the documents against the profile, not"
    " against the SDK",
    "noisy": "~ the gap is below five times the hub's own delay at that moment",
    "via proxy": "via proxy: port 443 may not be bound here, the SDK's own proxy option led to the hub",
    "incomplete": "incomplete: the run stopped before the scenario's end",
}


def comparison(rows: Sequence[Row], form: Form, *, brief: bool) -> str:
    """Every table of a run, as `text` (120 columns) or `markdown`.

    `brief` names classes without their packages, shows a repeated thing once, and of the claims only what is not as documented.
    """
    telling = {_identity(row) for row in rows if not _only_shows_the_default(row)}
    shown = [row for row in rows if row.status or not _only_shows_the_default(row) or _identity(row) not in telling]
    by_scenario: dict[str, list[Row]] = {}
    for row in shown:
        by_scenario.setdefault(row.scenario, []).append(row)
    parts = [_scenario_table(scenario, group, form, brief=brief) for scenario, group in by_scenario.items()]
    claims = _claims(rows, form, brief=brief)
    return "\n\n".join(filter(None, [*parts, claims, _legend(shown)])) or "No cell was run."


def _only_shows_the_default(row: Row) -> bool:
    """Rows in which nothing happened after the first CONNECT; their finding, the default lifetime, stands in the others' rows."""
    return not row.renewals and not row.points_s and set(row.hub_log) <= {"connect"}


def _identity(row: Row) -> tuple[str, ...]:
    return row.sdk, row.version, row.transport, row.device, str(row.origin)


def _scenario_table(scenario: str, rows: Sequence[Row], form: Form, *, brief: bool) -> str:
    heading = f"{scenario} (traffic: {rows[0].traffic})"
    body = [_cells(row, brief=brief) for row in rows]
    return f"{_heading(heading, form)}\n{render(_HEADERS, body, form, widths=_WIDTHS)}"


def _heading(text: str, form: Form) -> str:
    return f"### {text}\n" if form == "markdown" else text


def _cells(row: Row, *, brief: bool) -> list[str]:
    who = "\n".join([row.sdk, row.version, row.transport, *_evidence(row)])
    if row.status:
        return [who, "", "", "", "", row.reason, "", "", row.status]
    return [
        who, _token(row), _point(row), _renewal(row), _hub_log(row),
        _app(row, brief=brief), _gaps(row), _messages(row), _tally(row.verdicts),
    ]  # fmt: skip


def _evidence(row: Row) -> list[str]:
    origin = str(row.origin.get("kind", ""))
    recorded = f", recorded {row.origin.get('date', '')}" if origin == "recorded" else ""
    return [
        f"{row.device}{recorded}",
        *(["via proxy"] if row.way.get("via_proxy") else []),
        *([] if row.complete else ["incomplete"]),
    ]


def _token(row: Row) -> str:
    own = "" if row.lifetime_s is None else f"{row.lifetime_s:g} s"
    default = (
        "" if row.default_lifetime_s in {None, row.lifetime_s} else f"default\n{row.default_lifetime_s / 60:.3g} min"
    )
    return "\n".join(filter(None, [own, default]))


def _point(row: Row) -> str:
    law = _law(row.law.fit) if row.law and row.law.fit else ""
    seen = f"at {', '.join(f'{point:.1f}' for point in row.points_s)} s" if row.points_s else ""
    return "\n".join(filter(None, [law, seen])) or "-"


def _law(fit: Fit) -> str:
    texts = {
        "margin": f"L - {fit.value:.0f} s",
        "fraction": f"{fit.value:.2f} x L",
        "hub-cut": "L + grace",
        "none": "never",
    }
    return texts[fit.law]


def _renewal(row: Row) -> str:
    how = row.renewal or "none"
    return f"{how},\n{' / '.join(row.first)} first" if row.first else how


def _hub_log(row: Row) -> str:
    codes = " →\n".join(row.hub_log) or "nothing"
    levels = row.hub_levels.replace("informational", "info").replace("+", " + ")
    return f"{codes}\n({levels})" if levels else codes


def _app(row: Row, *, brief: bool) -> str:
    """What the application saw, in order, and lines of the SDK's log at WARNING or above."""
    if not brief:
        return "\n".join([*row.app, *(f"log: {line}" for line in row.log)]) or "nothing"
    seen = dict.fromkeys(re.sub(r"\b(?:[A-Za-z_][\w$]*\.)+(?=[A-Za-z_])", "", item) for item in row.app)
    logged = [f"(log: {len(row.log)} at WARNING or above)"] if row.log else []
    return "\n".join([*seen, *logged]) or "nothing"


def _gaps(row: Row) -> str:
    if row.gap_median_ms is not None:
        return f"median {row.gap_median_ms:.1f}\nof {len(row.gap_ms)}"
    marks = [*row.noisy, *[False] * len(row.gap_ms)]
    return "\n".join(f"{gap:.1f}{'~' if noisy else ''}" for gap, noisy in zip(row.gap_ms, marks, strict=False)) or "-"


def _messages(row: Row) -> str:
    counts = [("sent", row.sent), ("lost", row.lost), ("dup", row.duplicated), ("reord", row.reordered)]
    failed = [("failed", row.send_failed)] if row.send_failed else []
    return "\n".join(f"{count} {what}" for what, count in [*counts, *failed]) if row.sent else "none"


def _tally(verdicts: Sequence[Verdict]) -> str:
    words = [verdict.verdict for verdict in verdicts]
    return "\n".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words)) or "none"


def _claims(rows: Sequence[Row], form: Form, *, brief: bool) -> str:
    """The documents against reality; transports that agree share a line."""
    merged: dict[tuple[str, ...], list[str]] = {}
    left_out: Counter[str] = Counter()
    for row, verdict in [(one, verdict) for one in rows for verdict in one.verdicts]:
        if brief and verdict.verdict not in _WORTH_A_LINE:
            left_out[verdict.verdict] += 1
            continue
        transports = merged.setdefault(_claim_cells(row, verdict), [])
        if row.transport not in transports:
            transports.append(row.transport)
    body = [[who, "\n".join(transports), *rest] for (who, *rest), transports in merged.items()]
    if form == "text":
        body = [line[: len(_CLAIM_WIDTHS)] for line in body]
    table = render(_CLAIM_HEADERS[: len(body[0])], body, form, widths=_CLAIM_WIDTHS) if body else ""
    others = ", ".join(f"{count} {word}" for word, count in left_out.items())
    told = f"{others}: see table.md in the run's folder, also for the sources." if others else ""
    content = "\n".join(filter(None, [table, told]))
    return f"{_heading('Documents against what was observed', form)}\n{content}" if content else ""


def _claim_cells(row: Row, verdict: Verdict) -> tuple[str, ...]:
    who = f"{row.sdk} {row.version}\n{row.device}"
    claim = f"{verdict.claim}\n({row.scenario})"
    return who, claim, verdict.claimed, verdict.observed or verdict.reason, verdict.verdict, verdict.source


def _legend(rows: Iterable[Row]) -> str:
    rows = list(rows)
    used = {
        "law": any(row.law and row.law.fit for row in rows),
        "emulated": any(row.device == "emulated" for row in rows),
        "noisy": any(any(row.noisy) for row in rows),
        "via proxy": any(row.way.get("via_proxy") for row in rows),
        "incomplete": any(not row.complete for row in rows),
    }
    return "\n".join(wrap(text, WIDTH) for name, text in _LEGEND.items() if used[name])
