"""`harness history`: what it runs, and what it prints of a run that is there."""

import json
import shutil
from pathlib import Path

import msgspec
import pytest
from support.analysis_logs import early_renewal, header
from support.plans import a_profile, program

from harness.cli import history as command
from harness.cli.main import main
from harness.cli.running import Wish
from harness.profile import KnownVersion, OtherVersions
from harness.runfolder import RunFolder, RunRecord

RECORD = RunRecord(format=1, run="one", started="2026-01-01T00:00:00Z", status="finished", cells=("a", "b"))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of two versions that renew alike; an emulated device is of the version that its header names."""
    folder = RunFolder.create(tmp_path, RECORD).path
    for cell, version in (("a", "2.10.0"), ("b", "2.9.0")):
        log = early_renewal(130.0, header(cell=cell, version=version, device="emulated"))
        (folder / "cells" / f"{cell}.jsonl").write_bytes(log._file.getvalue())
    return folder


def output(capsys: pytest.CaptureFixture[str], *arguments: str | Path, code: int = 0) -> str:
    """What `harness history` prints."""
    with pytest.raises(SystemExit) as caught:
        main(["history", *map(str, arguments)])
    said = capsys.readouterr()
    assert caught.value.code == code, said
    return said.out + said.err


def test_a_run_that_is_there_is_printed(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In the order of its versions; nothing is run."""
    text = output(capsys, run)
    assert "sdk, renewal (traffic: sending+listening; emulated), mqtt" in text
    assert text.index("2.9.0") < text.index("2.10.0")


@pytest.mark.parametrize(("sdk", "versions"), [("sdk", ["2.9.0", "2.10.0"]), ("sdk@2.9.0", ["2.9.0"]), ("other", [])])
def test_an_sdk_of_a_run_is_chosen(
    run: Path, capsys: pytest.CaptureFixture[str], sdk: str, versions: list[str]
) -> None:
    """Or versions of it; as JSON, too."""
    document = json.loads(output(capsys, run, "--json", "--sdk", sdk))
    assert document["schema"] == 1
    assert [step["version"] for one in document["histories"] for step in one["steps"]] == versions


def test_a_damaged_log_is_named(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The others are printed all the same."""
    (run / "cells" / "a.jsonl").write_text("garbage\n")
    text = output(capsys, run, code=2)
    assert "2.9.0" in text
    assert "a.jsonl: the first line is no header of a cell" in text


def test_versions_that_were_never_begun_are_missed(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As after Ctrl-C: a history that says nothing of them would look whole."""
    (run / "cells" / "a.jsonl").unlink()
    assert "1 of the 2 planned cells never began" in output(capsys, run)


def test_several_runs_are_dated(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A baseline stands for its run."""
    later = RunFolder.create(tmp_path, msgspec.structs.replace(RECORD, started="2026-02-01T00:00:00Z")).path
    shutil.copytree(run / "cells", later / "cells", dirs_exist_ok=True)
    kept = tmp_path / "kept.json"
    with pytest.raises(SystemExit):
        main(["baseline", str(run), "--out", str(kept)])
    document = json.loads(output(capsys, later, kept, "--json"))
    assert [(step["version"], step["date"][:10]) for one in document["histories"] for step in one["steps"]] == [
        ("2.9.0", "2026-01-01"),
        ("2.9.0", "2026-02-01"),
        ("2.10.0", "2026-01-01"),
        ("2.10.0", "2026-02-01"),
    ]


def test_a_run_that_is_named_twice_is_a_mistake(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It would look as if nothing changed."""
    assert "is named twice. Name each run once" in output(capsys, run, run / ".", code=2)


def test_nothing_is_run_without_an_sdk(capsys: pytest.CaptureFixture[str]) -> None:
    """All versions of all SDKs would be too much to be meant."""
    assert "Say --sdk python, or name a run's folder" in output(capsys, code=2)


def wished(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> Wish:
    """What would be measured."""
    others = OtherVersions(install=("get", "{version}"))
    loaded = a_profile(
        adapter=program("run", other_versions=others),
        versions=(KnownVersion(version="0.9"), KnownVersion(version="2.0")),
    )
    wishes: list[Wish] = []

    def measure(wish: Wish, _: object) -> int:
        wishes.append(wish)
        return 0

    monkeypatch.setattr(command, "load_profiles", lambda _: [loaded])
    monkeypatch.setattr(command, "measure", measure)
    output(capsys, *arguments)
    return wishes[0]


def test_the_versions_of_the_profile_are_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With real devices only, in the scenarios that tell versions apart."""
    wish = wished(monkeypatch, capsys, "--sdk", "one")
    assert wish.request.sdks == ["one@0.9", "one@1.0", "one@2.0"]
    assert wish.request.device == "real"
    assert tuple(one.id for one in wish.scenarios) == command.SCENARIOS


def test_versions_and_scenarios_can_be_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Then it is these."""
    arguments = ["--sdk", "one@3.0,1.0", "--scenario", "expiry", "--transport", "mqtt", "--lifetime", "20"]
    wish = wished(monkeypatch, capsys, *arguments)
    assert (wish.request.sdks, wish.request.transports) == (["one@3.0", "one@1.0"], ["mqtt"])
    assert ([one.id for one in wish.scenarios], wish.request.overrides.lifetime_s) == (["expiry"], 20)
