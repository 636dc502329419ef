"""`harness diagnose`."""

import io
import itertools
import json
import os
import pty
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import msgspec
import pytest
from support.hub_log import HubLog, Record, as_csv, lines, packed, records_document, tables

from harness.cli.diagnose import diagnose
from harness.cli.main import main
from harness.diagnosis import Diagnosis, Export, Patients
from harness.diagnosis.records import Entry

FIELDS = ["device_id", "cause", "sdk", "lifetime_s", "grace_s", "period_s", "message", "remedy"]
PUBLISHED = Path(__file__).parents[2] / "results" / "published" / "reference" / "diagnostics" / "connections.jsonl"


def call(*arguments: str | Path) -> int:
    """Run a command; its exit code."""
    with pytest.raises(SystemExit) as caught:
        main(["diagnose", *map(str, arguments)])
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.fixture
def log() -> HubLog:
    """A device with noise, one that is refused, and a quiet one."""
    first = HubLog("noisy", ".NET/1.38.0 (x)").connect(0).cut(4200, 8400)
    return first.about("bad").refuse(1, message="Authorization header missing").about("quiet").connect(2)


@pytest.fixture
def file(tmp_path: Path, log: HubLog) -> Path:
    """Its file."""
    path = tmp_path / "log"
    path.write_bytes(lines(log.records))
    return path


def test_json(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exactly the documented shape, the worst first; read back, it is the same."""
    assert call(file, "--json") == 0
    out = capsys.readouterr().out
    document = json.loads(out)
    assert list(document) == ["schema", "devices", "unreadable", "misplaced"]
    assert [list(device) for device in document["devices"]] == [FIELDS] * 3
    assert [(one["device_id"], one["cause"]) for one in document["devices"]] == [
        ("bad", "refused"),
        ("noisy", "renewal-noise"),
        ("quiet", "nothing"),
    ]
    noisy = document["devices"][1]
    assert [noisy[name] for name in ("sdk", "lifetime_s", "grace_s", "period_s")] == [
        "dotnet 1.38.0",
        3600,
        600,
        4199.5,
    ]
    assert json.loads(msgspec.json.encode(msgspec.json.decode(out, type=Diagnosis))) == document


def test_the_table(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On standard output; what was read on standard error."""
    assert call(file) == 0
    out, err = capsys.readouterr()
    assert "renewal-noise (1 device): No action is needed" in out
    assert err == f"{file}: JSON lines, 9 records of connections\n"
    assert call(file, "--quiet") == 0
    assert capsys.readouterr() == (out, "")


@pytest.mark.parametrize("write", [tables, as_csv, records_document, lambda records: packed(lines(records))])
def test_other_forms(write: object, tmp_path: Path, log: HubLog, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever the file is called."""
    path = tmp_path / "export.txt"
    path.write_bytes(write(log.records))  # type: ignore[operator] # a writer
    assert call(path, "--json") == 0
    assert [one["cause"] for one in json.loads(capsys.readouterr().out)["devices"]] == [
        "refused",
        "renewal-noise",
        "nothing",
    ]


def test_a_document_says_that_it_takes_memory(tmp_path: Path, log: HubLog, capsys: pytest.CaptureFixture[str]) -> None:
    """And what was skipped is told."""
    path = tmp_path / "log"
    path.write_bytes(records_document([*log.records, {"category": "Routes\x1b"}]))
    assert call(path) == 0
    told = "a JSON document, held in memory as a whole, 9 records of connections, skipped 1 of Routes\\x1b\n"
    assert capsys.readouterr().err == f"{path}: {told}"


def test_standard_input(log: HubLog, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """By its sign."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines(log.records))))
    assert call("-") == 0
    assert "standard input: JSON lines" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", None)
    assert call("-") == 2
    assert "standard input: is closed" in capsys.readouterr().err


def test_devices(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only those, or the worst ones."""
    assert call(file, "--device", "quiet", "--device", "noisy", "--json") == 0
    assert [one["device_id"] for one in json.loads(capsys.readouterr().out)["devices"]] == ["noisy", "quiet"]
    assert call(file, "--limit", "1", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["devices"]) == 1
    assert call(file, "--limit", "1") == 0
    assert "2 devices more:" in capsys.readouterr().out
    assert call(file, "--device", "noisi") == 2
    assert "--device: there is no device 'noisi'. Name one of those in it, as noisy" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", "is empty"),
        (b"Date,Amount\n1,2\n", "TimeGenerated: is no export"),
        (b'{"a": \n{"a": 1}\n', "line 1: is not JSON"),
    ],
)
def test_what_is_no_export(text: bytes, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and nothing on standard output."""
    path = tmp_path / "log"
    path.write_bytes(text)
    assert call(path, "--json") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert f"{path}: {told}" in err


def test_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Or a folder."""
    assert call(tmp_path / "none") == 2
    assert "none: cannot be read (No such file or directory)" in capsys.readouterr().err
    assert call(tmp_path) == 2
    assert "cannot be read (Is a directory)" in capsys.readouterr().err


def test_a_file_that_is_cut_short(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What came before is printed all the same."""
    file.write_bytes(file.read_bytes()[:-9])
    assert call(file, "--json") == 2
    out, err = capsys.readouterr()
    assert len(json.loads(out)["devices"]) == 2
    assert f"harness: {file}: line 9: is cut short. Export it again" in err


def test_a_broken_line(file: Path, log: HubLog, capsys: pytest.CaptureFixture[str]) -> None:
    """The rest is printed all the same."""
    file.write_bytes(lines(log.records[:4]) + b"{broken\n" + lines(log.records[4:]) + b"{]\n")
    assert call(file, "--json") == 2
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert (len(document["devices"]), document["unreadable"]) == (3, 2)
    assert f"harness: {file}: line 5: is not JSON (left out, with 1 more). Export it again" in err


@pytest.mark.parametrize(("read", "devices"), [(1, 3), (0, 0)])
def test_an_interruption(
    read: int, devices: int, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was read is printed, with what it is."""
    batches = Export.batches

    def interrupted(self: Export) -> Iterator[list[Entry]]:
        yield from itertools.islice(batches(self), read)
        raise KeyboardInterrupt

    monkeypatch.setattr(Export, "batches", interrupted)
    assert call(file, "--json") == 130
    out, err = capsys.readouterr()
    assert len(json.loads(out)["devices"]) == devices
    assert f"harness: interrupted: {file} was not read to its end, so this is incomplete" in err
    assert call(file) == 130


def test_disorder_beyond_the_window(
    file: Path, log: HubLog, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """How many records, of how many devices, what it means and what to do; also where another device is asked for."""
    noisy = log.records[:7]
    file.write_bytes(lines([*noisy[3:], *log.records[7:], *noisy[:3]]))
    monkeypatch.setattr("harness.cli.diagnose.Patients", lambda: Patients(1))
    monkeypatch.setattr("harness.diagnosis.reading._BATCH", 1)
    assert call(file, "--json", "--quiet", "--device", "quiet") == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["misplaced"] == 2  # two of the three have the same moment
    assert err.startswith(
        f"harness: {file}: 2 records stand more than 20000 records from their place in time, so causes may be wrong"
    )
    assert err.endswith("Sort the export by its time and read it again\n")


def test_a_shell_completes_files() -> None:
    """As for all other commands."""
    (argument,) = (one for one in diagnose.params if one.name == "file")
    offered = argument.shell_complete(click.Context(diagnose), "conn")
    assert [one.type for one in offered] == ["file"]


@pytest.mark.slow
def test_ctrl_c(log: HubLog) -> None:
    """What was read is printed, and that it is incomplete."""
    with subprocess.Popen(
        [sys.executable, "-m", "harness", "diagnose", "-", "--json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as program:
        assert program.stdin
        assert program.stdout
        assert program.stderr
        wide = log.about("x" * 100_000, "y").connect(
            *range(40)
        )  # more than a pipe holds: once it is written, most of it was read
        program.stdin.write(lines(wide.records))
        program.stdin.flush()
        program.send_signal(signal.SIGINT)
        out, err = program.stdout.read(), program.stderr.read()
    assert program.returncode == 130
    assert "bad" in {one["device_id"] for one in json.loads(out)["devices"]}
    assert b"interrupted: standard input was not read to its end, so this is incomplete" in err


@pytest.mark.slow
def test_progress_on_a_terminal(file: Path) -> None:
    """A bar where somebody watches, and none of it on standard output."""
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "harness", "diagnose", str(file), "--json"],
        stdout=subprocess.PIPE,
        stderr=theirs,
        check=False,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "120"},
    )
    os.close(theirs)
    seen = os.read(ours, 65_536).decode()
    os.close(ours)
    assert done.returncode == 0
    assert json.loads(done.stdout)["schema"] == 1
    assert "reading" in seen
    assert "9 records" in seen


def test_the_published_log(capsys: pytest.CaptureFixture[str]) -> None:
    """Its table begins with a summary."""
    assert call(PUBLISHED) == 0
    out = capsys.readouterr().out
    assert out.startswith("cause")
    assert "renewal-noise" in out


@pytest.mark.slow
@pytest.mark.parametrize("write", [lines, as_csv])
def test_memory_grows_with_devices_and_not_with_records(write: Callable[[list[Record]], bytes], tmp_path: Path) -> None:
    """Four times the records of the same devices take hardly more."""
    peaks = []
    for number in (4_000, 16_000):
        path = tmp_path / "log"
        path.write_bytes(write([HubLog(f"d{place % 50}").connect(place).records[0] for place in range(number)]))
        patients = Patients(200)
        tracemalloc.start()
        with path.open("rb") as stream:
            for batch in Export(stream, "log").batches():
                patients.add(batch)
        assert len(patients.findings()) == 50
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]
