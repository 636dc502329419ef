"""Tests of files of known differences: what an entry speaks of, and what is wrong with a file."""

import re
from pathlib import Path

import pytest
from support.rows import known

from harness.errors import UserInputError
from harness.known import Entry, bundled_known, check_against, load_known
from harness.profile import find_profiles

ENTRY = '[[differences]]\nclaim = "drop"\nsdk = "python"\nreason = "It is so."\nlink = "https://example.org/why"\n'
HERE = {
    "claim": "drop",
    "sdk": "python",
    "version": "2.14.0",
    "transport": "mqtt",
    "scenario": "renewal",
    "device": "real",
}


def a_file(folder: Path, text: str) -> Path:
    """A file with this text."""
    path = folder / "known.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_entry_knows_where_it_stands(tmp_path: Path) -> None:
    """By file, number, SDK and claim."""
    path = a_file(tmp_path, f"schema = 1\n{ENTRY}{ENTRY}")
    assert [entry.name for entry in load_known(path)] == [f"{path}: differences[{n}] (python drop)" for n in (0, 1)]


@pytest.mark.parametrize(
    ("narrowed", "speaks"),
    [
        ({}, True),
        ({"claim": "other"}, False),
        ({"sdk": "java"}, False),
        ({"versions": (">=2.14,<2.15.0rc1",)}, True),
        ({"versions": ("2.13.0",)}, False),
        ({"transports": ("mqtt-ws", "mqtt")}, True),
        ({"transports": ("amqp",)}, False),
        ({"scenarios": ("renewal",)}, True),
        ({"scenarios": ("expiry",)}, False),
        ({"devices": ("real",)}, True),
        ({"devices": ("emulated",)}, False),
    ],
)
def test_what_an_entry_speaks_of(narrowed: dict[str, object], speaks: bool) -> None:  # noqa: FBT001 - a table
    """What it leaves out means all."""
    assert known(**narrowed).is_about(**HERE) is speaks  # type: ignore[arg-type] # a table


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (ENTRY, "schema: is missing"),
        (f"schema = 2\nfuture = true\n{ENTRY}", "schema: is 2, this harness reads up to 1. Use a newer harness"),
        (f"schema = 1\n{ENTRY}"[:-20], "is not TOML"),
        (f"schema = 1\n{ENTRY}since = 1\n", r"differences\[0\].*since: unknown key"),
        (f"schema = 1\n{ENTRY.replace('It is so.', ' ')}", r"differences\[0\].reason: is empty"),
        (f"schema = 1\n{ENTRY.replace('https://example.org/why', 'wiki')}", r"link: 'wiki' is no address"),
        (f'schema = 1\n{ENTRY}versions = ["new"]\n', r"versions: 'new' is no version"),
        (f'schema = 1\n{ENTRY}transports = ["mqtts"]\n', "unknown value 'mqtts'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, says: str) -> None:
    """File, field and remedy; truncated, foreign and newer files among them."""
    with pytest.raises(UserInputError, match=rf"known\.toml.*{says}"):
        load_known(a_file(tmp_path, text))


def test_the_example_of_the_page_about_formats_is_one(tmp_path: Path) -> None:
    """As it stands there."""
    page = (Path(__file__).parents[1] / "docs" / "formats.md").read_text(encoding="utf-8")
    (entry,) = load_known(a_file(tmp_path, page.partition("```toml\n")[2].partition("```")[0]))
    assert (entry.difference.claim, entry.difference.versions) == ("renewal-point", (">=1.4.0,<2.0",))


def test_a_file_that_is_absent(tmp_path: Path) -> None:
    """Is the user's error."""
    with pytest.raises(UserInputError, match="cannot be read"):
        load_known(tmp_path / "none.toml")


def test_an_entry_about_what_there_is() -> None:
    """Is none of the mistakes below."""
    check_against([known("drop", scenarios=("renewal",))], {"python": ["drop"]}, ["renewal"])


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (known("dropp"), r"unknown claim about python 'dropp'. Did you mean `drop`"),
        (known("drop", sdk="pyton"), r"unknown SDK 'pyton'. Did you mean `python`"),
        (known("drop", sdk="rust"), r"unknown SDK 'rust'. Known here: python"),
        (known("drop", scenarios=("renewal", "renewl")), r"unknown scenario 'renewl'. Did you mean `renewal`"),
    ],
)
def test_an_entry_that_can_never_speak_of_anything_is_a_mistake(entry: Entry, says: str) -> None:
    """Told with what was probably meant: it would pass for ever."""
    with pytest.raises(UserInputError, match=rf"{re.escape(entry.name)}: {says}"):
        check_against([entry], {"python": ["drop"]}, ["renewal"])


def test_the_bundled_entries_speak_of_claims_that_are_made() -> None:
    """A claim that is withdrawn takes its entry with it."""
    profiles = [loaded.profile for loaded in find_profiles()]
    entries = load_known(bundled_known())
    scenarios = [name for entry in entries for name in entry.difference.scenarios]
    check_against(entries, {one.sdk: [claim.id for claim in one.claims] for one in profiles}, scenarios)
