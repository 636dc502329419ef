"""The dossier of defects is what the committed logs show."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from harness.errors import UserInputError

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


def test_a_wrong_entry_is_named(bugs: ModuleType, stale: Path) -> None:
    """With the field."""
    stale.write_text(stale.read_text().replace("resent-as-new", "resent-as-old"))
    with pytest.raises(UserInputError, match="resent-as-old"):
        bugs.page(stale)
