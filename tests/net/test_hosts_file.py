"""Tests of hosts files."""

from pathlib import Path

import pytest

from harness.errors import EnvironmentProblem
from harness.net.hosts_file import hosts_file_of


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files are made."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_it_tells_the_address_of_each_name(folder: Path) -> None:
    """One a line, the address first (hosts(5))."""
    with hosts_file_of({"hub.azure-devices.net": "127.64.0.1", "other": "127.64.0.2"}) as path:
        assert path.parent == folder
        assert path.read_text() == "127.64.0.1 hub.azure-devices.net\n127.64.0.2 other\n"


def test_it_is_gone_at_the_end(folder: Path) -> None:
    """Also where somebody else removed it before."""
    for removed in (False, True):
        with hosts_file_of({"hub": "127.64.0.1"}) as path:
            if removed:
                path.unlink()
        assert list(folder.iterdir()) == []


def test_where_it_cannot_be_written_the_folder_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the variable that moves it."""
    monkeypatch.setattr("tempfile.tempdir", str(folder / "absent"))
    with (
        pytest.raises(EnvironmentProblem, match=r"in .*absent: No such file or directory\. Set TMPDIR"),
        hosts_file_of({}),
    ):
        pytest.fail("there is no file")
