"""The published run: its findings and tables, and the README's, are what its logs give today."""

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

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


def test_the_published_run_is_whole(publish: ModuleType) -> None:
    """It finished, every cell has its end, and a real SDK is in it."""
    results = publish.derive(PUBLISHED)
    assert results.record.status == "finished"
    assert results.missing == 0
    assert all(log.complete for log in results.logs)
    assert any(row.device == "real" for row in results.rows)


def test_the_published_files_name_no_place_of_the_machine_that_made_them() -> None:
    """Logs are for strangers."""
    texts = "".join(path.read_text(encoding="utf-8") for path in PUBLISHED.rglob("*") if path.is_file())
    assert not [place for place in (str(ROOT), str(Path.home()), "/tmp/", "site-packages") if place in texts]  # noqa: S108 - looked for
