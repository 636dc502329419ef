"""docs/adapter-protocol.md says what the code does: its names, its required fields, its limits and its transcript."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from harness.device.adapter import EventReader, Limits
from harness.device.driver import CAPABILITIES, COMMANDS, EVENTS, PROTOCOL_VERSION

PAGE = (Path(__file__).parents[2] / "docs" / "adapter-protocol.md").read_text(encoding="utf-8")


def rows(heading: str) -> dict[str, str]:
    """The table under a heading: first cell without its backticks, and the second cell."""
    section = PAGE.split(f"\n{heading}\n", 1)[1]
    table = re.search(r"(?m)^\|.*\n\|[-|]+\n((?:\|.*\n)+)", section)
    assert table is not None
    cells = [line.strip("| \n").split(" |") for line in table[1].splitlines()]
    return {re.sub("^`([^`]*)`$", r"\1", first.strip()): second.strip() for first, second, *_ in cells}


def transcript(arrow: str) -> list[str]:
    """The lines of the worked transcript in one direction."""
    block = PAGE.split("```transcript\n", 1)[1].split("```", 1)[0]
    return [line.removeprefix(arrow).strip() for line in block.splitlines() if line.startswith(arrow)]


def test_the_page_has_every_command() -> None:
    """No command more, none less."""
    assert set(rows("## Commands")) == COMMANDS


def test_the_page_has_every_event() -> None:
    """No event more, none less."""
    assert set(rows("## Events")) == set(EVENTS)


@pytest.mark.parametrize("event", EVENTS)
def test_the_page_names_the_required_fields(event: str) -> None:
    """What stands before the semicolon is what the reader insists on."""
    required = {field.encode_name for field in msgspec.structs.fields(EVENTS[event])} - {"t"}
    assert set(re.findall(r"`(\w+)`", rows("## Events")[event].split(";")[0])) == required


def test_the_page_has_every_capability() -> None:
    """No capability more, none less."""
    assert set(rows("### Capabilities")) == CAPABILITIES


def test_the_page_names_the_version() -> None:
    """The version in its title is the one spoken."""
    assert PAGE.startswith(f"# The adapter protocol, version {PROTOCOL_VERSION}\n")


def test_the_page_names_the_limits() -> None:
    """The values in its table are the defaults of the code."""
    limits, table = Limits(), rows("## Limits")
    assert table["until `hello`"] == f"{limits.hello_s:g} s"
    assert table["from `close` to the end of the process"] == f"{limits.close_s:g} s"
    assert f"SIGKILL {limits.terminate_s:g} s later" in PAGE
    sizes = {
        "one line on stdout": limits.line,
        "lines on stdout that are no events, in total": limits.noise,
        "commands not read": limits.unread,
        "one line on stderr": limits.log_line,
        "stderr in total": limits.log,
    }
    units = {"KiB": 1024, "MiB": 1024 * 1024}
    for name, size in sizes.items():
        number, unit = table[name].split()
        assert int(number) * units[unit] == size


def test_the_reader_accepts_the_transcript() -> None:
    """Every event of the transcript is one, and as the protocol wants it."""
    lines = transcript("←")
    said = list(EventReader().receive("".join(line + "\n" for line in lines).encode()))
    assert said == [json.loads(line) for line in lines]


def test_the_transcript_uses_every_command_an_adapter_must_know() -> None:
    """All but `token`, which needs a capability, and one that nobody knows."""
    names = {json.loads(line)["cmd"] for line in transcript("→")}
    assert names - COMMANDS == {"hum"}
    assert COMMANDS - names == {"token"}
