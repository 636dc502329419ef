"""Tests of `harness compare` and `harness analyse` as a user starts them: programs of their own, with emulated devices."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

SCENARIO = """
schema = 1
id = "short"
title = "One renewal"
credential = "key"
settings = "profile"
traffic = ["sending", "listening"]
[intervals]
send_s = 0.2
[end]
renewals = 1
after_s = 0.3
limit_s = 10.0
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    """A scenario of a few seconds."""
    path = tmp_path / "short.toml"
    path.write_text(SCENARIO)
    return path


def command(*arguments: str | Path) -> list[str]:
    """The command line of the harness."""
    return [sys.executable, "-m", "harness", *map(str, arguments)]


def run(*arguments: str | Path, cwd: Path, expect: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the harness to its end."""
    result = subprocess.run(
        command(*arguments), cwd=cwd, env={**os.environ, "HARNESS_CACHE": str(cwd / "cache")},
        capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert result.returncode == expect, result.stderr
    return result


def only_run(root: Path) -> Path:
    """The folder of the one run under `root`."""
    (folder,) = root.iterdir()
    return folder


def rows(text: str) -> list[dict[str, Any]]:
    """The rows of `--json`."""
    document = json.loads(text)
    assert document["schema"] == 1
    return list(document["rows"])


def compare(scenario: Path, *more: str) -> list[str | Path]:
    """A comparison of one emulated device that renews every second."""
    return [
        "compare",
        "--sdk",
        "node",
        "--device",
        "emulated",
        "--scenario",
        scenario,
        "--lifetime",
        "4",
        "--margin",
        "3",
        *more,
    ]


def test_a_run_in_any_folder_leaves_its_log_and_prints_its_rows(tmp_path: Path, scenario: Path) -> None:
    """JSON on standard output, progress on standard error, everything else in the run's folder."""
    result = run(*compare(scenario, "--json"), cwd=tmp_path)
    found = {row["transport"]: row for row in rows(result.stdout)}
    assert list(found) == ["mqtt", "mqtt-ws", "amqp", "amqp-ws"]
    for transport, row in found.items():
        over_amqp = transport.startswith("amqp")
        seen = ("in-band", []) if over_amqp else ("reconnect", ["disconnect", "connect"])
        assert (row["renewal"], row["hub_log"], row["renewals"]) == (*seen, 1)
        assert row["put_tokens"] == (2 if over_amqp else 0)
        assert (row["device"], row["lost"], row["duplicated"], row["reordered"]) == ("emulated", 0, 0, 0)
    folder = only_run(tmp_path / "harness-results")
    assert "[4/4] node" in result.stderr
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {
        "run.json",
        "findings.json",
        "errors.md",
        "table.md",
        "diagnostics/connections.jsonl",
        "diagnostics/azure-diagnostics.json",
    } <= names
    assert len([name for name in names if name.startswith("cells/")]) == 4


def test_the_same_rows_come_out_of_the_log_alone(tmp_path: Path, scenario: Path) -> None:
    """Again, and after the folder has been moved."""
    result = run(*compare(scenario, "--json", "--transport", "mqtt", "--out", "runs"), cwd=tmp_path)
    moved = tmp_path / "elsewhere"
    shutil.move(only_run(tmp_path / "runs"), moved)
    assert rows(run("analyse", moved, "--json", cwd=tmp_path).stdout) == rows(result.stdout)


def test_a_run_whose_standard_error_nobody_reads_is_whole(tmp_path: Path, scenario: Path) -> None:
    """Progress is lost, nothing else."""
    reader, writer = os.pipe()
    os.close(reader)
    arguments = command(*compare(scenario, "--json", "--transport", "mqtt", "--out", "runs"))
    result = subprocess.run(arguments, cwd=tmp_path, stdout=subprocess.PIPE, stderr=writer, timeout=90, check=False)
    os.close(writer)
    assert (result.returncode, len(rows(result.stdout.decode()))) == (0, 1)
    folder = only_run(tmp_path / "runs")
    assert json.loads((folder / "run.json").read_text())["status"] == "finished"
    assert (folder / "findings.json").exists()


def test_the_rows_are_printed_where_they_cannot_be_kept(tmp_path: Path, scenario: Path) -> None:
    """The run ends as not written, and names the file."""
    arguments = command(*compare(scenario, "--json", "--transport", "mqtt", "--out", "runs"))
    process = subprocess.Popen(arguments, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for_connection(tmp_path / "runs")
    blocked = only_run(tmp_path / "runs").relative_to(tmp_path) / "findings.json"
    (tmp_path / blocked).mkdir()
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, len(rows(stdout))) == (2, 1)
    assert f"harness: {blocked}: cannot be written" in stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_the_rows_are_kept_where_they_cannot_be_printed(tmp_path: Path, scenario: Path) -> None:
    """The run ends as not written, with its findings in its folder; analysing it ends the same way."""
    arguments = compare(scenario, "-q", "--transport", "mqtt", "--out", "runs")
    with Path("/dev/full").open("w") as full:
        first = subprocess.run(command(*arguments), cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, check=False)
        folder = only_run(tmp_path / "runs")
        again = subprocess.run(command("analyse", folder), stdout=full, stderr=subprocess.PIPE, check=False)
    assert (first.returncode, again.returncode) == (2, 2)
    assert first.stderr == again.stderr
    assert again.stderr.startswith(b"harness: standard output: cannot be written")
    assert again.stderr.count(b"\n") == 1
    assert (folder / "findings.json").exists()


def test_a_damaged_cell_is_named_and_the_others_are_printed(tmp_path: Path, scenario: Path) -> None:
    """A log cut short is analysed as far as it goes; one that is damaged costs itself only."""
    run(*compare(scenario, "-q", "--transport", "mqtt,mqtt-ws", "--out", "runs"), cwd=tmp_path)
    folder = only_run(tmp_path / "runs")
    short, damaged = sorted((folder / "cells").iterdir())
    lines = short.read_bytes().splitlines(keepends=True)
    short.write_bytes(b"".join(lines[:-20]) + lines[-20][:30])
    damaged.write_bytes(damaged.read_bytes().replace(b'"kind":"connack"', b"kind=connack", 1))
    result = run("analyse", folder, cwd=tmp_path, expect=2)
    assert "incomplete" in result.stdout
    assert f"harness: {damaged}, line" in result.stderr
    assert "Traceback" not in result.stderr


def test_ctrl_c_keeps_what_was_measured(tmp_path: Path) -> None:
    """Exit code 130, the table of what there is, and a log that says it is not whole."""
    arguments = ["compare", "--sdk", "node", "--device", "emulated", "--scenario", "renewal", "--out", "runs"]
    process = subprocess.Popen(
        command(*arguments), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_for_connection(tmp_path / "runs")
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 130, stderr
    assert "incomplete" in stdout
    assert "interrupted; what was measured is in" in stderr
    folder = only_run(tmp_path / "runs")
    assert json.loads((folder / "run.json").read_text())["status"] == "interrupted"
    assert run("analyse", folder, cwd=tmp_path).stdout == stdout


def test_a_killed_run_leaves_readable_logs(tmp_path: Path) -> None:
    """Without their last event, and `run.json` says `running`: nothing pretends to be whole."""
    arguments = ["compare", "--sdk", "node", "--device", "emulated", "--scenario", "renewal", "--out", "runs"]
    process = subprocess.Popen(command(*arguments), cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for_connection(tmp_path / "runs")
    process.kill()
    process.wait()
    folder = only_run(tmp_path / "runs")
    assert json.loads((folder / "run.json").read_text())["status"] == "running"
    assert "incomplete" in run("analyse", folder, cwd=tmp_path).stdout


def wait_for_connection(root: Path) -> None:
    """Until the first device of the run under `root` is connected."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if any(b'"kind":"connack"' in path.read_bytes() for path in root.glob("*/cells/*.jsonl")):
            return
        time.sleep(0.05)
    raise AssertionError("no device connected")


def test_two_runs_at_one_moment_do_not_meet(tmp_path: Path, scenario: Path) -> None:
    """Each has its own folder, addresses and messages."""
    arguments = command(*compare(scenario, "--json", "-q", "--out", "runs"))
    processes = [subprocess.Popen(arguments, cwd=tmp_path, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [process.communicate(timeout=90)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    for output in outputs:
        assert [(row["renewals"], row["lost"], row["duplicated"]) for row in rows(output)] == [(1, 0, 0)] * 4
    folders = list((tmp_path / "runs").iterdir())
    addresses = [
        json.loads(path.read_bytes().split(b"\n", 1)[0])["way"]["address"]
        for folder in folders
        for path in folder.glob("cells/*")
    ]
    assert len(folders) == 2
    assert len(set(addresses)) == 8


@pytest.mark.parametrize("granted", [True, False])
def test_websockets_need_no_right_to_bind_443(
    tmp_path: Path, scenario: Path, monkeypatch: pytest.MonkeyPatch, *, granted: bool
) -> None:
    """Where it may not be bound, another port serves, and the row says which."""
    if not granted:
        forbid_443(tmp_path, monkeypatch)
    (row,) = rows(run(*compare(scenario, "--json", "-q", "--transport", "mqtt-ws"), cwd=tmp_path).stdout)
    assert row["renewals"] == 1
    assert granted or row["way"]["port"] != 443


def forbid_443(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `bind` refuse port 443 in the Python programs started from now on, whoever runs them."""
    (folder / "sitecustomize.py").write_text(
        "import errno, socket\n"
        "class Socket(socket.socket):\n"
        "    def bind(self, address):\n"
        "        if address[1] == 443:\n"
        "            raise OSError(errno.EACCES, 'Permission denied')\n"
        "        super().bind(address)\n"
        "socket.socket = Socket\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))


PROFILE = """
schema = 1
sdk = "broken"
name = "SDK that cannot be installed"
language = "X"
version = "1.0"
transports = ["mqtt"]
[[settings]]
lifetime_s = 4
[adapter]
command = ["{python}", "device.py"]
runtime = "python"
install = ["{python}", "-c", "CODE"]
transports = ["mqtt"]
[emulation]
user_agent = "x/1.0"
api_version = "2021-04-12"
keep_alive_s = 60
default_lifetime_s = 3600
renewal = { law = "margin", seconds = 3 }
"""


def a_profile(root: Path, code: str) -> Path:
    """The folder of a profile whose SDK is installed by a line of Python."""
    folder = root / "broken"
    folder.mkdir()
    (folder / "profile.toml").write_text(PROFILE.replace("CODE", code))
    (folder / "device.py").touch()
    return folder


@pytest.mark.parametrize("device", ["auto", "real"])
def test_an_sdk_that_cannot_be_installed_is_told_and_costs_itself_only(
    tmp_path: Path, scenario: Path, device: str
) -> None:
    """Before anything is measured and below the tables, on one line that names the log; its verdict is `environment`, and no emulated device hides it."""
    folder = a_profile(tmp_path, "print('no such package'); raise SystemExit(1)")
    options = ["--sdk", "broken", "--device", device, "--json"]
    result = run("compare", "--profiles", folder, "--scenario", scenario, *options, cwd=tmp_path)
    (row,) = rows(result.stdout)
    assert (row["device"], row["status"]) == ("real", "environment")
    (log,) = (tmp_path / "cache").rglob("*.log")
    assert log.read_text() == "no such package\n"
    table = run("analyse", only_run(tmp_path / "harness-results"), cwd=tmp_path).stdout
    (line,) = [one for one in table.splitlines() if one.startswith("broken: no real device in this run: ")]
    assert str(log) in line
    first, second, *_ = result.stderr.splitlines()
    assert first.startswith("installing broken 1.0, once: ")
    assert second.startswith("broken 1.0 could not be installed: ")
    assert str(log) in second


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_install_can_be_interrupted(tmp_path: Path, scenario: Path, number: signal.Signals) -> None:
    """Exit code 130; nothing half made stays, and nothing was measured."""
    folder = a_profile(tmp_path, "import pathlib, time; pathlib.Path('begun').touch(); time.sleep(60)")
    arguments = command("compare", "--profiles", folder, "--sdk", "broken", "--scenario", scenario, "--out", "runs")
    variables = {**os.environ, "HARNESS_CACHE": str(tmp_path / "cache")}
    process = subprocess.Popen(arguments, cwd=tmp_path, env=variables, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while not list(tmp_path.glob("cache/environments/*.part/begun")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130, stderr
    assert stderr.splitlines()[-1] == "harness: interrupted"
    assert sorted(path.suffix for path in (tmp_path / "cache" / "environments").iterdir()) == [".lock", ".log"]
    assert not (tmp_path / "runs").exists()


def test_a_check_decides_the_exit_code(tmp_path: Path, scenario: Path) -> None:
    """Whatever the verdicts, what is required and did not run fails; files are written all the same."""
    options = ["--transport", "mqtt", "-q", "--check", "--junit", "junit.xml"]
    result = run(*compare(scenario, *options, "--require", "node/mqtt/short,node/https"), cwd=tmp_path, expect=1)
    assert "node/https: the run has no such cell" in result.stdout
    assert "node/mqtt/short" not in result.stdout
    assert '<testsuite name="node mqtt"' in (tmp_path / "junit.xml").read_text(encoding="utf-8")
