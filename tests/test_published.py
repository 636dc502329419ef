"""The published run: its findings and tables, and the README's, are what its logs give today."""

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from harness.recorded import bundled_recordings

ROOT = Path(__file__).parent.parent
PUBLISHED = ROOT / "results" / "published" / "reference"


@pytest.fixture(scope="module")
def publish() -> ModuleType:
    """The script that makes a run the published one."""
    spec = importlib.util.spec_from_file_location("publish", ROOT / "scripts" / "publish.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_is_derived_comes_out_the_same(publish: ModuleType, tmp_path: Path) -> None:
    """Findings, tables, diagnostics. Where they differ: `python scripts/publish.py` derives them again."""
    again = tmp_path / "again"
    shutil.copytree(PUBLISHED, again)
    publish.keep(publish.derive(again), again)
    files = {path.relative_to(again) for path in again.rglob("*") if path.is_file()}
    stale = [str(name) for name in files if (again / name).read_bytes() != (PUBLISHED / name).read_bytes()]
    assert stale == []


def test_the_readme_shows_the_published_table(publish: ModuleType) -> None:
    """Where it does not: `python scripts/publish.py` writes it again."""
    shown = publish.MARKED.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert shown is not None
    assert shown[0] == publish.readme_block(publish.derive(PUBLISHED))


def test_recordings_are_published_with_the_run_they_stood_beside(
    publish: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their rows are in the README's table, as what they are."""
    run, readme = tmp_path / "run", tmp_path / "README.md"
    (run / "cells").mkdir(parents=True)
    shutil.copy(PUBLISHED / "run.json", run)
    for file in (PUBLISHED / "cells").glob("dotnet-*-mqtt-renewal-*.jsonl"):
        shutil.copy(file, run / "cells")
    shutil.copytree(bundled_recordings(), run / "recorded")
    readme.write_text("<!-- table:published -->\n<!-- /table -->\n", encoding="utf-8")
    monkeypatch.setattr(publish, "PUBLISHED", tmp_path / "published")
    monkeypatch.setattr(publish, "README", readme)
    publish.publish(run)
    assert "mqtt<br>real, recorded 2026-11-24" in readme.read_text(encoding="utf-8")


def test_the_published_run_is_whole(publish: ModuleType) -> None:
    """It finished, every cell has its end, and a real SDK is in it."""
    results = publish.derive(PUBLISHED)
    assert results.record.status == "finished"
    assert results.missing == 0
    assert all(log.complete for log in results.logs)
    assert any(row.device == "real" for row in results.rows)


def test_the_published_files_name_no_place_of_the_machine_that_made_them() -> None:
    """Logs are for strangers."""
    texts = "".join(path.read_text(encoding="utf-8") for path in PUBLISHED.parent.rglob("*") if path.is_file())
    assert not [place for place in (str(ROOT), str(Path.home()), "/tmp/", "site-packages") if place in texts]  # noqa: S108 - looked for
