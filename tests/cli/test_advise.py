"""`harness advise`: what it reads, what it prints, and how it ends."""

import json
from pathlib import Path

import jsonschema
import pytest
from support.analysis_logs import early_renewal, header, waits_for_the_cut

from harness.cli.main import main
from harness.runfolder import RunFolder, RunRecord

ROOT = Path(__file__).parents[2]
RECORDED = ROOT / "results" / "recorded"
PUBLISHED = "results/published/reference"


def output(capsys: pytest.CaptureFixture[str], *arguments: str | Path, code: int = 0) -> str:
    """What `harness advise` prints."""
    with pytest.raises(SystemExit) as caught:
        main(["advise", *map(str, arguments)])
    said = capsys.readouterr()
    assert caught.value.code == code, said
    return said.out + said.err


def a_run(root: Path, name: str = "one") -> Path:
    """A run of an SDK that reconnects, and of an emulated one that waits for the cut."""
    cells = {
        "a-130": early_renewal(130.0, header(cell="a-130", sdk="a")),
        "a-170": early_renewal(170.0, header(cell="a-170", sdk="a")),
        "b-20": waits_for_the_cut(20.0, header(cell="b-20", sdk="b", device="emulated")),
        "b-60": waits_for_the_cut(60.0, header(cell="b-60", sdk="b", device="emulated")),
    }
    folder = RunFolder.create(root, RunRecord(1, name, "2026-01-01T00:00:00Z", "finished", tuple(cells))).path
    for cell, log in cells.items():
        (folder / "cells" / f"{cell}.jsonl").write_bytes(log._file.getvalue())
    return folder


def test_a_run_is_advised_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By its name, with the sentences of each SDK."""
    text = output(capsys, a_run(tmp_path), "--lifetime", "3600", "--all")
    assert "tokens that live 60 min" in text
    assert text.index("a 1.0 over mqtt, real") < text.index("b 1.0 over mqtt, emulated")


def test_json_is_as_its_schema_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With everything, whatever else is asked for."""
    document = json.loads(output(capsys, a_run(tmp_path), "--json", "--max-errors-per-day", "0", "--no-loss"))
    schema = json.loads((ROOT / "harness" / "schemas" / "advice.schema.json").read_text(encoding="utf-8"))
    assert [problem.message for problem in jsonschema.Draft202012Validator(schema).iter_errors(document)] == []
    assert {one["sdk"] for one in (*document["candidates"], *document["others"])} == {"a", "b"}
    assert (document["needs"]["max_errors_per_day"], document["needs"]["no_loss"]) == (0.0, True)


def test_the_published_run_is_read_in_a_checkout(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And every cell a sentence names is there."""
    monkeypatch.chdir(ROOT)
    document = json.loads(output(capsys, "--json", "--max-errors-per-day", "0", "--transport", "any"))
    assert document["runs"] == [PUBLISHED]
    named = {cell for one in document["candidates"] for reason in one["reasons"] for cell in reason["cells"]}
    present = {path.stem for path in (ROOT / PUBLISHED).rglob("*.jsonl")}
    assert named
    assert named <= present


def test_published_real_devices_rank_before_emulated_ones(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a recording without the hub's records does not qualify where errors count."""
    monkeypatch.chdir(ROOT)
    document = json.loads(output(capsys, "--json", "--max-errors-per-day", "0"))
    origins = [one["origin"] for one in document["candidates"]]
    assert origins == sorted(origins, key=lambda origin: origin == "emulated")
    assert set(origins) == {"real", "emulated"}


def test_the_latest_run_is_read_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is one; where there is none, the next step is named."""
    monkeypatch.chdir(tmp_path)
    missing = output(capsys, code=2)
    assert "harness-results: holds no run. Name a run's folder, or run `harness compare`" in missing
    a_run(tmp_path / "harness-results", "20260101T000000Z-a")
    a_run(tmp_path / "harness-results", "20260102T000000Z-a")
    assert "harness-results/20260102T000000Z-a." in output(capsys)


def test_several_runs_are_read_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each candidate has its run."""
    runs = [a_run(tmp_path, "one"), a_run(tmp_path, "two")]
    document = json.loads(output(capsys, *runs, "--json", "--sdk", "a"))
    assert sorted(one["run"] for one in (*document["candidates"], *document["others"])) == sorted(map(str, runs))


def test_recordings_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    """As `harness analyse` reads them."""
    text = output(capsys, RECORDED, "--transport", "mqtt", "--max-errors-per-day", "0")
    assert "dotnet 1.42.3 over mqtt, real, recorded 2026-11-24" in text
    assert "not measured: errors in the hub's log" in text


def test_all_lists_what_does_not_qualify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the reason."""
    text = output(capsys, a_run(tmp_path), "--all", "--max-errors-per-day", "0", "--sdk", "b")
    assert "Does not qualify, nearest first:" in text


def test_a_transport_of_which_there_is_nothing_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """That is no error."""
    assert "Not measured: no cell of https" in output(capsys, a_run(tmp_path), "--transport", "https")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--sdk", "rust"), "--sdk: unknown SDK 'rust'. Known here: a, a@1.0"),
        (("--transport", "udp"), "--transport: unknown transport 'udp'"),
        (("--transport", ","), "--transport: names nothing"),
        (("--lifetime", "nan"), "--lifetime: nan is no number to calculate with. Use a finite number"),
        (("--max-away-per-day", "inf"), "--max-away-per-day: inf is no number to calculate with"),
        (("--max-errors-per-day", "-1"), "-1.0 is not in the range x>=0"),
        (("--lifetime", "1e12"), "is not in the range 0<x<="),
    ],
)
def test_a_mistake_is_told_with_its_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    """Before anything is printed."""
    assert said in output(capsys, a_run(tmp_path), *arguments, code=2)


def test_a_damaged_log_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The others are advised on all the same."""
    run = a_run(tmp_path)
    (run / "cells" / "a-130.jsonl").write_text("garbage\n")
    text = output(capsys, run, code=2)
    assert "b 1.0 over mqtt" in text
    assert "a-130.jsonl: the first line is no header of a cell" in text


def test_what_is_no_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With what to name instead."""
    assert "is no run folder" in output(capsys, tmp_path / "nothing", code=2)
