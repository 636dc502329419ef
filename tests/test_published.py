"""The published run: its findings, tables and pages, and the README's table, are what its logs give today."""

import base64
import importlib.util
import json
import re
import shutil
import zlib
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
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


@pytest.fixture(scope="module")
def pages(publish: ModuleType) -> dict[str, str]:
    """What is made for readers."""
    made: dict[str, str] = publish.pages(PUBLISHED)
    return made


@pytest.mark.parametrize("name", ["README.md", "index.html"])
def test_the_pages_for_readers_come_out_the_same(pages: dict[str, str], name: str) -> None:
    """Byte for byte, once what is packed in them is unpacked: zlib's versions pack differently. Where not: `python scripts/publish.py` writes them again."""
    assert unpacked((PUBLISHED.parent / name).read_bytes().decode()) == unpacked(pages[name])


INDEX = re.compile(r'(?<=<script type="application/json" id="index">).*?(?=</script>)')


def unpacked(page: str) -> tuple[str, dict[str, Any]]:
    """The page without its index, and the index with all its parts unpacked; a page that has none is all there is."""
    index = INDEX.search(page)
    parts = json.loads(index[0]) if index else {}
    return INDEX.sub("", page), {name: _unpacked(part) for name, part in parts.items()}


def _unpacked(part: Any) -> Any:
    if isinstance(part, list):
        return [_unpacked(one) for one in part]
    return zlib.decompress(base64.b64decode(part), -zlib.MAX_WBITS) if isinstance(part, str) else part


def packed_cells(page: str) -> list[str]:
    """What is told of single cells."""
    return [cell for batch in unpacked(page)[1]["html"] for cell in json.loads(batch)]


def recorded_logs() -> set[str]:
    """Those of the recordings beside the run, from the pages."""
    return {file.relative_to(PUBLISHED.parent).as_posix() for file in (PUBLISHED / "recorded").rglob("*.jsonl")}


def test_links_of_the_pages_lead_somewhere(pages: dict[str, str]) -> None:
    """To files and folders that are there."""
    markdown = re.findall(r"\]\((?!https?://)([^)#]+)", pages["README.md"])
    html = re.findall(r'href="([^"#:]+)"', "".join(packed_cells(pages["index.html"])))
    assert len(set(html)) == len(list(PUBLISHED.glob("cells/*.jsonl"))) + len(set(html) & recorded_logs())
    assert [target for target in [*markdown, *html] if not (PUBLISHED.parent / target).exists()] == []


def test_links_into_the_readme_lead_to_a_heading(pages: dict[str, str]) -> None:
    """Named as GitHub does."""
    headings = re.findall(r"^#+ (.+)$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    assert set(re.findall(r"README\.md#([\w-]+)", pages["README.md"])) <= anchors


def test_every_row_for_readers_says_when_it_was_recorded(pages: dict[str, str]) -> None:
    """This run's as the others'."""
    labels = re.findall(r"\b(?:real|emulated)<br>|\b(?:real|emulated) +\|", pages["README.md"])
    badges = re.findall(r'<span class="ev [a-z]+">([^<]+)</span>', pages["index.html"])
    entries = len(re.findall(r"<a href=\"#cell=[^>]* class=\"e ", pages["index.html"]))
    assert labels == []
    assert [badge for badge in badges if "recorded 20" not in badge] == []
    assert (
        len(re.findall(r"<em>(?:real|emulated),\nrecorded 20\d\d-\d\d-\d\d</em>", pages["index.html"])) == entries > 200
    )


def test_the_page_can_be_sent(pages: dict[str, str]) -> None:
    """By mail, say."""
    assert len(pages["index.html"].encode()) <= 2_000_000


def test_the_command_that_measures_again_asks_for_the_same(publish: ModuleType) -> None:
    """Scenarios, and whatever the run's record has."""
    record = publish.derive(PUBLISHED).record
    other = msgspec.structs.replace(record, request={"sdks": ["node", "c"], "transports": ["amqp"], "device": "real"})
    told = " ".join(publish._command(other, ["renewal", "expiry"]))
    assert told == "python3 bootstrap.py compare --scenario renewal,expiry --sdk node,c --transport amqp --device real"


def test_recordings_are_published_with_the_run_they_stood_beside(
    publish: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their rows are in the README's table, as what they are."""
    run, readme = tmp_path / "run", tmp_path / "README.md"
    published = tmp_path / "results" / "reference"
    (run / "cells").mkdir(parents=True)
    shutil.copy(PUBLISHED / "run.json", run)
    for file in (PUBLISHED / "cells").glob("dotnet-*-mqtt-renewal-*.jsonl"):
        shutil.copy(file, run / "cells")
    shutil.copytree(bundled_recordings(), run / "recorded")
    readme.write_text("<!-- table:published -->\n<!-- /table -->\n", encoding="utf-8")
    monkeypatch.setattr(publish, "PUBLISHED", published)
    monkeypatch.setattr(publish, "README", readme)
    publish.publish(run)
    assert "mqtt<br>real, recorded 2026-11-24" in readme.read_text(encoding="utf-8")
    assert "real, recorded 2026-11-24" in (published.parent / "README.md").read_text(encoding="utf-8")


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
