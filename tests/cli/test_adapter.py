"""`harness adapter check`: what it takes, how it prints, and how it exits. No program is started here."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.cli import adapter as command
from harness.cli.main import main
from harness.documents import CONNECTED
from harness.profile import LoadedProfile
from harness.report.layout import WIDTH
from harness.run.conformance import Act, Finding

ROOT = Path(__file__).parents[2]
RIGHT = Finding("`sent` is true", "mqtt", "right", "each after the acknowledgement", "Events, `sent`")
WRONG = Finding("`close` ends it", "mqtt", "wrong", "it did not end " * 20, "Closing", "Exit with code 0")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[LoadedProfile, list[str]]]:
    """What was asked of the acts, which are not played."""
    seen: list[tuple[LoadedProfile, list[str]]] = []

    async def examined(loaded: LoadedProfile, transports: Sequence[str], *, quiet: bool) -> list[Act]:
        assert quiet
        seen.append((loaded, list(transports)))
        return []

    monkeypatch.setattr(command, "_examined", examined)
    monkeypatch.setattr(command, "findings", lambda _: [RIGHT])
    return seen


def run(*arguments: str) -> int:
    """The exit code of `harness adapter check`."""
    with pytest.raises(SystemExit) as ended:
        main(["adapter", "check", "--quiet", *arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_nothing_wrong_is_exit_0(asked: list[tuple[LoadedProfile, list[str]]]) -> None:
    """The profile's program, over the transports named."""
    assert run(str(ROOT / "examples" / "paho"), "--transport", "mqtt,mqtt-ws") == 0
    ((loaded, transports),) = asked
    assert (loaded.profile.sdk, transports) == ("paho", ["mqtt", "mqtt-ws"])


def test_without_transports_it_is_those_of_the_profile(asked: list[tuple[LoadedProfile, list[str]]]) -> None:
    """So that one which `hello` forgets is noticed; of a bare program only `hello` can tell."""
    assert run(str(ROOT / "sdk_profiles" / "python")) == 0
    assert run(str(ROOT), "--command", "x") == 0
    assert [transports for _, transports in asked] == [["mqtt", "mqtt-ws"], []]


def test_something_wrong_is_exit_1(
    asked: list[object], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its clause and its remedy, in a table that fits, and the counts below it."""
    monkeypatch.setattr(command, "findings", lambda _: [RIGHT, WRONG])
    assert run(str(ROOT / "examples" / "paho")) == 1
    text = capsys.readouterr().out
    assert "docs/adapter-protocol.md: Closing" in text
    assert "Exit with code 0" in text
    assert text.endswith("1 right, 1 wrong\n")
    assert max(map(len, text.splitlines())) <= WIDTH


def test_json(asked: list[object], capsys: pytest.CaptureFixture[str]) -> None:
    """The findings as they are, and how many of each kind."""
    assert run(str(ROOT / "examples" / "paho"), "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["schema"], told["sdk"], told["counts"]["right"], told["counts"]["wrong"]) == (1, "paho", 1, 0)
    assert told["findings"][0]["clause"] == "Events, `sent`"


def test_any_program_by_its_command(asked: list[tuple[LoadedProfile, list[str]]], tmp_path: Path) -> None:
    """Braces are themselves, but for those that are filled in."""
    assert run(str(tmp_path), "--command", "node 'a {b}.js' {folder}", "--way", "host-ip") == 0
    adapter = asked[0][0].profile.adapter
    assert adapter is not None
    assert (adapter.command, adapter.runtime, adapter.way) == (("node", "a {{b}}.js", "{folder}"), "node", "host-ip")


@pytest.mark.parametrize(
    ("program", "runtime"),
    [("/usr/bin/java", "java"), ("node", "node"), ("{python}", "python"), ("./device", "python"), ("cat", "python")],
)
def test_a_runtime_is_known_by_its_own_name_only(
    asked: list[tuple[LoadedProfile, list[str]]], tmp_path: Path, program: str, runtime: str
) -> None:
    """Whoever mistypes the name of a program is not told to install a compiler."""
    run(str(tmp_path), "--command", f"{program} x")
    adapter = asked[0][0].profile.adapter
    assert adapter is not None
    assert adapter.runtime == runtime


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["EMPTY"], "holds no profile.toml"),
        (["SILENT"], "names no device program"),
        (["nowhere", "--command", "x"], "is no folder"),
        (["EMPTY", "--command", "'x"], "cannot be read"),
        (["EMPTY", "--command", " "], "is empty"),
        (["EMPTY", "--command", "x", "--transport", "coap"], f"Known here: {', '.join(CONNECTED)}\n"),
    ],
)
def test_what_is_no_program_is_usage(
    arguments: list[str], part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, with the remedy."""
    silent = tmp_path / "silent"
    silent.mkdir()
    profile = (ROOT / "examples" / "paho" / "profile.toml").read_text(encoding="utf-8")
    (silent / "profile.toml").write_text(re.sub(r"\[adapter\]\n(.+\n)+", "", profile), encoding="utf-8")
    places = {"EMPTY": str(tmp_path), "SILENT": str(silent)}
    assert run(*(places.get(one, one) for one in arguments)) == 2
    assert part in capsys.readouterr().err


def test_an_absent_runtime_is_exit_3(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The program could not be tried, which says nothing about it."""
    monkeypatch.setattr(command, "real_sdk_problem", lambda _: "Node.js is not installed")
    assert run(str(ROOT / "examples" / "paho")) == 3
    assert "Node.js is not installed" in capsys.readouterr().err
