"""`--html FILE`."""

from pathlib import Path

import pytest
from support.analysis_logs import LogBuilder, early_renewal, header

from harness.cli.main import main
from harness.recorded import bundled_recordings
from harness.runfolder import RunFolder, RunRecord


def call(*arguments: str | Path) -> int:
    """Run `harness analyse`; its exit code."""
    with pytest.raises(SystemExit) as caught:
        main(["analyse", *map(str, arguments)])
    assert isinstance(caught.value.code, int)
    return caught.value.code


def a_run(root: Path, *cells: str, status: str = "finished") -> Path:
    """A run that planned `cells` and ran the first of them."""
    folder = RunFolder.create(root, RunRecord(1, "r", "", status, cells))  # type: ignore[arg-type]
    log: LogBuilder = early_renewal(head=header(cell=cells[0]))
    (folder.path / "cells" / f"{cells[0]}.jsonl").write_bytes(b"".join(log.lines()))
    return folder.path


def test_the_page_stands_beside_the_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In folders that are made for it."""
    page = tmp_path / "new" / "page.html"
    assert call(a_run(tmp_path, "one"), "--html", page) == 0
    assert "renewal (traffic" in capsys.readouterr().out
    assert 'id="cell=one"' in page.read_text(encoding="utf-8")


def test_what_the_run_lacks_stands_in_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Cells that never began, logs that cannot be read, and that it was interrupted."""
    run = a_run(tmp_path, "one", "two", "three", status="interrupted")
    (run / "cells" / "three.jsonl").write_text("no header\n")
    page = tmp_path / "page.html"
    assert call(run, "--html", page) == 2
    text = page.read_text(encoding="utf-8")
    assert "The run was interrupted." in text
    assert "1 of the 3 planned cells never began." in text
    assert "three.jsonl" in text
    assert "three.jsonl" in capsys.readouterr().err


def test_recordings_have_a_page_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Marked as what they are."""
    page = tmp_path / "page.html"
    assert call(next(bundled_recordings().rglob("*-amqp-renewal.jsonl")), "--html", page) == 0
    assert "real, recorded 2026-11-24" in page.read_text(encoding="utf-8")


def test_a_file_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The tables are printed all the same, and the remedy is told."""
    assert call(a_run(tmp_path, "one"), "--html", "/dev/full") == 2
    said = capsys.readouterr()
    assert "renewal (traffic" in said.out
    assert "/dev/full: cannot be written (No space left on device)" in said.err
    assert "Name another file" in said.err
