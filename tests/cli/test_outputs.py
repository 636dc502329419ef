"""Tests of the options about results: the check's exit codes, the files, the annotations, and what is wrong with them."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.analysis_logs import LogBuilder, claim, early_renewal, header
from support.ci_formats import check_ctrf, check_junit

from harness.cli import compare as comparing
from harness.cli.main import main
from harness.cli.outputs import Outputs, Publisher
from harness.cli.running import Wish
from harness.runfolder import RunFolder, RunRecord

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "results" / "published" / "reference"
RECORDED = ROOT / "results" / "recorded"
DROP = claim("disconnect-point", {"law": "lifespan", "seconds": 0}, name="drop")
ACTION = claim("renewal-action", "reconnect", name="action")
KNOWN = (
    'schema = 1\n[[differences]]\nclaim = "{}"\nsdk = "sdk"\nreason = "It is so."\nlink = "https://example.org/why"\n'
)


@pytest.fixture(autouse=True)
def no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are no step of GitHub Actions, wherever they run."""
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of one cell that renews 120 s before the end, of whose claims one differs and one is confirmed; the working folder is the one around it."""
    monkeypatch.chdir(tmp_path)
    logs = {}
    for index, lifetime in enumerate((130.0, 170.0)):
        settings = {"lifetime_s": lifetime, "index": index}
        head = header(settings=settings, cell=f"one-{lifetime:g}", claims=[DROP, ACTION])
        logs[head.cell] = early_renewal(lifetime, head)
    return a_run(tmp_path / "runs", logs)


def a_run(root: Path, logs: dict[str, LogBuilder]) -> Path:
    """A run's folder with these cells."""
    record = RunRecord(1, "r", "2026-11-30T06:53:17Z", "finished", tuple(logs), "0.1.0", machine={"system": "Linux"})
    folder = RunFolder.create(root, record)
    for name, log in logs.items():
        (folder.path / "cells" / f"{name}.jsonl").write_bytes(b"".join(log.lines()))
    return folder.path


def call(*arguments: str | Path) -> int:
    """Run a command; its exit code."""
    with pytest.raises(SystemExit) as caught:
        main([str(one) for one in arguments])
    assert isinstance(caught.value.code, int)
    return caught.value.code


def a_file(name: str, text: str) -> Path:
    """A file in the working folder."""
    path = Path(name)
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_check_verdicts_decide_nothing(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code is 0, and nothing is said of a check."""
    assert call("analyse", run) == 0
    assert "Check:" not in capsys.readouterr().out


def test_a_difference_that_is_not_listed_fails(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It stands below the tables, by its claim."""
    assert call("analyse", run, "--check") == 1
    printed = capsys.readouterr().out
    assert "Check: failed" in printed
    assert "renewal: drop: claimed lifetime + 0 s" in printed.replace("\n", " ")


def test_a_difference_of_ones_own_list_passes(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And is counted."""
    assert call("analyse", run, "--check", "--known", a_file("known.toml", KNOWN.format("drop"))) == 0
    assert "Known differences: 1;" in capsys.readouterr().out


def test_an_entry_that_is_none_any_more_fails(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By the file and its number."""
    known = a_file("known.toml", KNOWN.format("drop") + KNOWN.format("action").partition("\n")[2])
    assert call("analyse", run, "--check", "--known", known) == 1
    assert "known.toml: differences[1] (sdk action)" in " ".join(capsys.readouterr().out.split())


def test_a_required_cell_that_did_not_run_fails(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One that did passes; comma lists and repeats are fine."""
    known = a_file("known.toml", KNOWN.format("drop"))
    assert call("analyse", run, "--check", "--known", known, "--require", "sdk/mqtt/renewal,sdk") == 0
    assert call("analyse", run, "--check", "--known", known, "--require", "sdk/mqtt", "--require", "sdk/amqp,c") == 1
    printed = capsys.readouterr().out
    assert "sdk/amqp: the run has no such cell" in printed
    assert "c: the run has no such cell" in printed


def test_the_check_is_in_the_json(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Beside the rows, where it was asked for."""
    assert call("analyse", run, "--check", "--json") == 1
    found = json.loads(capsys.readouterr().out)["check"]
    assert (found["passed"], [one["claim"] for one in found["unlisted"]]) == (False, ["drop"])
    assert call("analyse", run, "--json") == 0
    assert "check" not in json.loads(capsys.readouterr().out)


def test_every_file_is_written(run: Path) -> None:
    """Valid, in folders that are made for them, whatever the check found."""
    files = {name: Path("out") / name for name in ("junit", "ctrf", "summary", "badge")}
    options = [part for name, file in files.items() for part in (f"--{name}", file)]
    assert call("analyse", run, *options) == 0
    check_junit(files["junit"].read_text(encoding="utf-8"))
    check_ctrf(json.loads(files["ctrf"].read_text(encoding="utf-8")))
    assert "1 verdict differ" in files["summary"].read_text(encoding="utf-8")
    assert "<svg" in files["badge"].read_text(encoding="utf-8")


def test_a_file_that_cannot_be_written_is_two_and_keeps_no_other(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also where the check fails."""
    assert call("analyse", run, "--check", "--junit", "/dev/full", "--badge", "badge.svg") == 2
    said = capsys.readouterr()
    assert "harness: /dev/full: cannot be written (No space left on device)" in said.err
    assert "Check: failed" in said.out
    assert Path("badge.svg").exists()


def test_the_summary_of_a_step_is_added_to(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other steps wrote there, and other files are written anew."""
    shared, own = a_file("shared.md", "before\n"), a_file("own.md", "before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(shared.resolve()))
    assert call("analyse", run, "--summary", shared) == 0
    assert call("analyse", run, "--summary", own) == 0
    assert shared.read_text(encoding="utf-8").startswith("before\n## Token expiry")
    assert own.read_text(encoding="utf-8").startswith("## Token expiry")


def test_annotations_are_printed_where_asked_for(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the log of the cell, relative to the working folder; an entry's beside the user's own file."""
    assert call("analyse", run, "--annotations") == 0
    out = capsys.readouterr().out
    assert "\n::warning title=sdk mqtt renewal drop::" in out
    assert " (log: runs/r/cells/one-130.jsonl)\n" in out
    known = a_file("known.toml", KNOWN.format("drop"))
    assert call("analyse", run, "--annotations", "--check", "--known", known) == 0
    assert "\n::notice file=known.toml,title=sdk mqtt renewal drop::" in capsys.readouterr().out


def test_annotations_are_printed_unasked_in_a_step(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not among JSON: the runner reads both streams."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert call("analyse", run, "--check", "--json") == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["check"]["passed"] is False
    assert said.err.startswith("::error title=sdk mqtt renewal drop::")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--require", "sdk"], "--require: has no effect by itself. Add --check"),
        (["--known", "known.toml"], "--known: has no effect by itself. Add --check"),
        (["--check", "--require", "a/b/c/d"], "--require: 'a/b/c/d' names no cell"),
        (["--check", "--require", "sdk/mqtts"], "--require: unknown transport 'mqtts'. Did you mean `mqtt`"),
        (["--check", "--require", ","], "--require: names nothing"),
        (["--check", "--known", "none.toml"], "none.toml: cannot be read"),
        (["--html", ""], "--html: .: cannot be written (it is a folder). Name another file"),
        (["--ctrf", "dangling"], "--ctrf: dangling: cannot be written ("),
        (["--summary", "loop"], "--summary: loop: cannot be written (Too many levels of symbolic links)"),
        (["--junit", "known.toml/junit.xml"], "--junit: known.toml/junit.xml: cannot be written ("),
        (["--badge", "new/one", "--ctrf", "new/../new/one"], "--badge: new/one: --ctrf writes there, too"),
    ],
)
def test_what_is_wrong_is_told_before_anything_else(
    run: Path, options: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line, with exit code 2."""
    a_file("known.toml", KNOWN.format("drop"))
    Path("loop").symlink_to("loop")
    Path("dangling").symlink_to("known.toml/none")
    assert call("analyse", run, *options) == 2
    said = capsys.readouterr()
    assert f"harness: {says}" in said.err
    assert (said.out, said.err.count("\n")) == ("", 1)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (KNOWN.format("dropp"), "(sdk dropp): unknown claim about sdk 'dropp'. Did you mean `drop`"),
        (KNOWN.format("drop").replace('"sdk"', '"pyton"'), "(pyton drop): unknown SDK 'pyton'. Did you mean `python`"),
        (
            KNOWN.format("drop") + 'scenarios = ["renewl"]',
            "(sdk drop): unknown scenario 'renewl'. Did you mean `renewal`",
        ),
    ],
)
def test_an_entry_that_no_log_can_ever_show_is_a_mistake(
    run: Path, entry: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Told before anything is printed."""
    assert call("analyse", run, "--check", "--known", a_file("known.toml", entry)) == 2
    said = capsys.readouterr()
    assert f"harness: known.toml: differences[0] {says}" in said.err
    assert said.out == ""


@pytest.mark.parametrize("scenario", ["expiry", "published-example"], ids=["bundled", "recorded"])
def test_an_entry_may_speak_of_what_another_run_shows(run: Path, scenario: str) -> None:
    """A list is made for more than one."""
    text = KNOWN.format("drop") + KNOWN.format("renewal-point").partition("\n")[2].replace('"sdk"', '"java"')
    known = a_file("known.toml", text + f'scenarios = ["{scenario}"]\n')
    assert call("analyse", run, "--check", "--known", known) == 0


def test_where_a_log_cannot_be_read_no_entry_is_a_mistake(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody knows what it would have shown; the others are judged."""
    (run / "cells" / "damaged.jsonl").write_text("no log\n", encoding="utf-8")
    assert call("analyse", run, "--check", "--known", a_file("known.toml", KNOWN.format("dropp"))) == 2
    assert "Check: failed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--require", "pyton"], "--require: unknown SDK 'pyton'. Did you mean `python`"),
        (
            ["--require", "python/mqtt/expiri"],
            "--require: unknown scenario of this run 'expiri'. Did you mean `expiry`",
        ),
        (["--known", "known.toml"], "known.toml: differences[0] (python dropp): unknown claim about python 'dropp'"),
        (["--known", "lost.toml"], "lost.toml: differences[0] (sdk drop): unknown SDK 'sdk'"),
    ],
)
def test_compare_knows_more_before_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which SDKs, scenarios and claims there are."""
    monkeypatch.chdir(tmp_path)
    a_file("known.toml", KNOWN.format("dropp").replace('sdk = "sdk"', 'sdk = "python"'))
    a_file("lost.toml", KNOWN.format("drop"))
    assert call("compare", "--check", *options) == 2
    assert f"harness: {says}" in capsys.readouterr().err


def test_compare_publishes_as_analyse_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit code of what is published is that of the run."""
    published: list[Publisher] = []

    def measure(_: Wish, deliver: Any) -> int:
        published.append(deliver.func.__self__)
        return 1

    monkeypatch.setattr(comparing, "measure", measure)
    assert call("compare", "--check", "--junit", "a.xml", "--require", "python") == 1
    (publisher,) = published
    assert publisher.outputs == Outputs(check=True, junit=Path("a.xml"), require=("python",))
    assert (len(publisher.entries) > 0, [str(one) for one in publisher.required]) == (True, ["python"])


def test_nothing_is_read_where_nothing_is_judged() -> None:
    """A comparison without a check needs no list."""
    assert Outputs().publisher() == Publisher(Outputs())


@pytest.mark.parametrize("evidence", [PUBLISHED, RECORDED], ids=["published", "recorded"])
def test_the_committed_evidence_passes_the_check(evidence: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every difference that it shows has its entry in the bundled file, and none is stale."""
    assert call("analyse", evidence, "--check") == 0, capsys.readouterr().out


def test_the_committed_evidence_shows_every_bundled_entry(capsys: pytest.CaptureFixture[str]) -> None:
    """One that no committed log bears out has no place in the file."""
    unseen: list[set[str]] = []
    for evidence in (PUBLISHED, RECORDED):
        call("analyse", evidence, "--check", "--json")
        unseen.append(set(json.loads(capsys.readouterr().out)["check"]["not_shown"]))
    assert set.intersection(*unseen) == set()
