"""The published comparison as Markdown, for somebody who runs nothing: the answer first, then what it rests on."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from harness.analysis import Program, Row, RunFacts, device_in_words, error_codes, sentences, volumes
from harness.diagnosis.remedies import remedy_of
from harness.report.answers import AnswerLine, answer_lines
from harness.report.comparison import bullets, claims_table, legend, provenance, scenario_table
from harness.report.layout import render
from harness.report.volume import volume_table

__all__ = ["Publication", "published_page"]

_ARTICLE: Final = "https://learn.microsoft.com/azure/iot-hub/troubleshoot-error-codes#401003-iothubunauthorized-error"
_RENEWAL: Final = "renewal"
_EXPIRED: Final = "expiry"
_HEADERS: Final = ["SDK", "errors a day", "which", "away each time", "away a day", "what to do", "the application is shown"]  # fmt: skip
_INTRODUCTION: Final = f"""<!-- Made by `python scripts/publish.py` from the logs beside it. -->

# 401003 IoTHubUnauthorized: which Azure IoT SDK leaves it, how often, and what to do

An IoT hub logs `401003 IoTHubUnauthorized` in two cases ([Microsoft's article]({_ARTICLE})). A device's token has run out and is replaced: the device is well.
Or the hub refuses the device: it stays away. Here is what each SDK does. Each row says whether the SDK itself was measured (real), or a device that plays its profile (emulated).
You need to run nothing.

[index.html](index.html) has the same, with a picture, the story and the log of every cell. It is one file: download it, and open it in a browser."""
_ABOUT_THE_ANSWER: Final = """For one device, whose application sends and listens, at the SDK's own settings: tokens live for {lifetimes}.
*Errors a day* are those in the hub's log, category Connections. *Away* is from leaving to being back, as the hub saw it; `~`: too short for the load of the machine.
Hub and device were on one machine: your network's way there and back comes on top.

A `401003` that is followed by a connect within seconds, again and again at the same distance, is a token being renewed."""
_NOT_BACK: Final = """## If the device does not come back

Then no token is being renewed. The hub's log has the `errorMessage`, which tells what to mend. `harness diagnose FILE`
([how](../../README.md#reading-the-log-of-a-real-hub)) reads an export of your hub's log, and tells renewals from refusals, device by device."""
_READING: Final = """## How to read it

- **real** is the SDK itself. **emulated** is a device of ours that plays the SDK's profile: its rows show what follows if the profile is right.
  **recorded** names the day of the measurement.
- **reconnect**: the device leaves, and comes back with a new token. **in-band**: it hands over a new token while it is connected (AMQP only).
  **hub-cut**: it waits until the hub ends the connection.
- **Errors a day** are the renewals a day, by the law that was observed and the default lifetime, times the records that a renewal left.
- **401003** is `IoTHubUnauthorized`, **404104** is `DeviceConnectionClosedRemotely`. Informational records are no errors: every connect leaves one.
- The project's README explains [all columns](../../README.md#what-was-measured) and [its limits](../../README.md#limits)."""
_METHOD: Final = """The SDKs ran unmodified, against an emulated hub on the same machine, over TLS. Their tokens lived for seconds or minutes;
the default lifetime stands in the first token of a client for which nothing was set."""
_FILES: Final = """## The logs

Each cell is one file: everything that the hub, the application, the SDK's log and the harness saw ([format](../../docs/event-log.md)).

- [reference](reference): the run. [cells](reference/cells) are its logs, [run.json](reference/run.json) says what was asked for.
  [table.md](reference/table.md) has all tables, [findings.json](reference/findings.json) all findings.
- [diagnostics](reference/diagnostics): the hub's records, as Azure Monitor would export them.
- [recorded](reference/recorded): what was measured on other machines.
- [defects](defects/cells): logs of other runs, for the list of defects."""


class Publication(msgspec.Struct, frozen=True):
    """What there is to tell. `titles`: of the scenarios; `files`: where the log of each cell is, from the page; `command`: what measures it again."""

    run: RunFacts
    rows: tuple[Row, ...]
    programs: tuple[Program, ...]
    titles: Mapping[str, str]
    files: Mapping[str, str]
    command: str


def published_page(one: Publication) -> str:
    """The whole page."""
    renewals = [row for row in one.rows if row.scenario == _RENEWAL]
    parts = [
        _INTRODUCTION,
        _answer(one),
        _NOT_BACK,
        _refusals(one),
        _READING,
        "## What it rests on",
        scenario_table(_RENEWAL, renewals, "markdown", brief=True) if renewals else "",
        "### What the errors a day are made of",
        volume_table(one.rows, "markdown"),
        claims_table(one.rows, "markdown", brief=True),
        bullets([*legend(renewals), *provenance(renewals)]),
        "## Defects\n\nWhat these logs show of defects of the SDKs stands in [BUGS.md](../BUGS.md), each with the lines that show it.",
        _measured(one),
        _again(one),
        _FILES,
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _answer(one: Publication) -> str:
    found = volumes(one.rows)
    table = render(_HEADERS, [_line(line, one.files) for line in answer_lines(one.rows)], "markdown")
    lifetimes = dict.fromkeys(
        f"{volume.default_lifetime_s / 60:.3g} min" for volume in found if volume.default_lifetime_s
    )
    about = _ABOUT_THE_ANSWER.format(lifetimes=" or ".join(lifetimes) or "a time that was not observed")
    return "\n\n".join(filter(None, ["## The answer", bullets(sentences(found)), table, about]))


def _line(one: AnswerLine, files: Mapping[str, str]) -> list[str]:
    over = ", ".join(_link(transport, files.get(cell, "")) for transport, cell in one.cells)
    unknown = one.made_of if one.bar is None else ""
    exceptions = f"{one.shown} exceptions a day" if one.shown not in {"", "0"} else ""
    return [
        "\n".join([f"{one.sdk} {one.version}", over or ", ".join(one.transports), one.evidence]),
        "\n".join(filter(None, [one.errors, unknown])),
        "\n".join(one.codes),
        one.each_time,
        one.a_day,
        one.advice,
        "\n".join(filter(None, [*one.app, exceptions])),
    ]


def _link(text: str, target: str) -> str:
    return f"[{text}]({target})" if target else text


def _refusals(one: Publication) -> str:
    """What the hub said to devices that stayed away, with what to do; and to whom, so that real devices and emulated ones are told apart."""
    merged: dict[tuple[str, str, str], list[Row]] = {}
    for row in one.rows:
        refused = row.first_refusal
        if refused and refused.pattern:
            remedy = remedy_of("refused", "401003", refused.pattern)
            merged.setdefault((f"401003: {refused.pattern}", row.scenario, remedy), []).append(row)
        elif row.scenario == _EXPIRED and error_codes(row) is not None:
            remedy = remedy_of("refused", "401003", "", stayed_away=True)
            merged.setdefault((" → ".join(row.hub_log), row.scenario, remedy), []).append(row)
    body = [
        [said, one.titles.get(scenario, scenario), remedy, _seen(rows)]
        for (said, scenario, remedy), rows in merged.items()
    ]
    return render(["the hub's log", "what was done", "what to do", "seen with"], body, "markdown") if body else ""


def _seen(rows: Iterable[Row]) -> str:
    """The SDKs of the rows, by what the devices were."""
    found: dict[str, dict[str, None]] = {}
    for row in rows:
        evidence = device_in_words(row.device, str(row.origin.get("date", "")))
        found.setdefault(evidence, {})[f"{row.sdk} {row.version}"] = None
    return "\n".join(f"{', '.join(sdks)} ({evidence})" for evidence, sdks in found.items())


def _measured(one: Publication) -> str:
    run = one.run
    machine = ", ".join(f"{name} {value}" for name, value in run.machine.items())
    facts = f"Run {run.run}, from {run.started} to {run.finished}, with version {run.harness} of the harness. The machine: {machine}."
    table = render(["SDK", "version", "runtime"], [[p.name, p.version, p.runtime] for p in one.programs], "markdown")
    return "\n\n".join([f"## How it was measured\n\n{facts}", _METHOD, table])


def _again(one: Publication) -> str:
    cell = next((cell for line in answer_lines(one.rows) for _, cell in line.cells), "")
    lines = [
        f"{one.command} # measure it",
        "harness analyse results/published/reference # the tables, from these logs",
        f"harness explain {cell} results/published/reference # the story of a cell",
        "python scripts/publish.py # this page and index.html, from these logs",
    ]
    text = "\n".join(lines)
    return f"## Measure it yourself\n\nIn a clone of the project; [its README](../../README.md) says what has to be installed.\n\n```sh\n{text}\n```"
