"""The dossier of defects is what the committed logs show."""

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from harness.errors import UserInputError
from harness.scenario import find_scenarios

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def bugs() -> ModuleType:
    """The script that writes it."""
    spec = importlib.util.spec_from_file_location("bugs", ROOT / "scripts" / "bugs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_comes_out_the_same(bugs: ModuleType) -> None:
    """Where it does not: `python scripts/bugs.py` writes it again."""
    assert bugs.PAGE.read_text(encoding="utf-8") == bugs.page()


@pytest.fixture
def stale(bugs: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table with an entry that no log shows."""
    table = tmp_path / "bugs.toml"
    entry = 'id = "gone"\nsdk = "node"\ntitle = "T"\ntext = "X"\ntransports = ["amqp"]\npredicate = "resent-as-new"\n'
    table.write_text(f"[[defects]]\n{entry}", encoding="utf-8")
    monkeypatch.setattr(bugs, "PAGE", tmp_path / "BUGS.md")
    return table


def test_an_entry_that_is_not_reproduced_fails(
    bugs: ModuleType, stale: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is written."""
    assert bugs.main(table=stale) == 2
    assert "no log shows gone over amqp" in capsys.readouterr().err
    assert not bugs.PAGE.exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [("[[defects]]\nid = ", "is not TOML"), ("name = 1\n", "name: unknown key"), ("schema = 2\n", "schema: is 2")],
)
def test_a_truncated_foreign_or_newer_table_is_refused(bugs: ModuleType, stale: Path, text: str, says: str) -> None:
    """By its file."""
    stale.write_text(text, encoding="utf-8")
    with pytest.raises(UserInputError, match=rf"bugs\.toml: {says}"):
        bugs.page(stale)


def test_a_wrong_entry_is_named(bugs: ModuleType, stale: Path) -> None:
    """With the field."""
    stale.write_text(stale.read_text().replace("resent-as-new", "resent-as-old"))
    with pytest.raises(UserInputError, match="resent-as-old"):
        bugs.page(stale)


def test_the_scenarios_of_all_entries_are_named(bugs: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """As one word, for `harness compare --scenario`; names of recordings alone are none."""
    assert bugs.main(["--scenarios"]) == 0
    named = capsys.readouterr().out.strip().split(",")
    assert {"connack-lost", "cut-refused-idle", "renewal-refused-idle"} <= set(named) <= set(find_scenarios())


def test_only_what_no_committed_log_shows_is_taken(
    bugs: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The smallest log for each transport; once the published run shows it, none."""
    taken = tmp_path / "results" / "published" / "defects" / "cells"
    run = tmp_path / "run"
    (run / "cells").mkdir(parents=True)
    for file in (ROOT / "results" / "published" / "reference" / "cells").glob("node-*-mqtt*-cut-idle-real-1.jsonl"):
        shutil.copy(file, run / "cells")
    for name, path in {
        "ROOT": tmp_path,
        "RESULTS": tmp_path / "results",
        "TAKEN": taken,
        "PAGE": tmp_path / "B",
    }.items():
        monkeypatch.setattr(bugs, name, path)
    table = tmp_path / "bugs.toml"
    entry = 'id = "away"\nsdk = "node"\ntitle = "T"\ntext = "X"\ntransports = ["mqtt"]\npredicate = "stays-away"\n'
    table.write_text(f"[[defects]]\n{entry}", encoding="utf-8")
    assert bugs.main([str(run)], table) == 0
    assert capsys.readouterr().out == "taken: cells/node-1.18.4-mqtt-cut-idle-real-1.jsonl\n"
    assert [file.name for file in taken.iterdir()] == ["node-1.18.4-mqtt-cut-idle-real-1.jsonl"]
    shutil.copytree(taken, tmp_path / "results" / "published" / "reference" / "cells")
    assert bugs.take(run, table) == []
