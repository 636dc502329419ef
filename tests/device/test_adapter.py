"""AdapterProcess with programs of every kind of badness: each ends in its clear error, in bounded time, and leaves nothing behind."""

import asyncio
import os
import re
import signal
import time
from pathlib import Path

import pytest
from support.adapter_rig import PROGRAMS, Rig, is_running, nothing

from harness.device.adapter import CUT_MARK, AdapterProcess, Limits
from harness.errors import AdapterError, EnvironmentProblem, HarnessBug


async def ask(adapter: AdapterProcess) -> None:
    """Send a command that every good program answers."""
    adapter.send({"cmd": "send", "id": 1})


def failure_of(rig: Rig) -> str:
    """Run a program that fails after its start; the text of its one failure."""

    async def provoke(adapter: AdapterProcess) -> None:
        await ask(adapter)
        await rig.until(lambda: rig.failures)

    rig.run(provoke)
    (failure,) = rig.failures
    return str(failure)


def refusal_of(rig: Rig) -> str:
    """Run a program that does not come to be ready; the text of the error."""
    with pytest.raises(AdapterError) as caught:
        rig.run(nothing)
    assert rig.failures == []
    assert len(rig.exits) == 1
    return str(caught.value)


def test_a_good_program_starts_answers_and_ends() -> None:
    """Events come in order, the exit code last, and nothing fails."""
    rig = Rig("polite.py")

    async def script(adapter: AdapterProcess) -> None:
        assert adapter.hello is not None
        assert adapter.hello.sdk == "test"
        await ask(adapter)
        await rig.event("status")

    rig.run(script)
    assert [event["event"] for event in rig.events] == ["hello", "status", "closed"]
    assert (rig.order[-1], rig.exits, rig.failures) == ("exit", [0], [])


def test_the_surroundings_are_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program sees three variables and those named for it, its own folder and its own process group."""
    monkeypatch.setenv("AZURE_SECRET", "do not pass on")
    rig = Rig("polite.py", environment={"NAMED": "yes"})

    async def script(adapter: AdapterProcess) -> None:
        await ask(adapter)
        await rig.event("status")

    rig.run(script)
    (status,) = rig.named("status")
    environment = status["environment"]
    assert isinstance(environment, dict)
    assert environment["NAMED"] == "yes"
    assert set(environment) <= {"PATH", "HOME", "LANG", "LC_CTYPE", "NAMED"}
    assert Path(str(status["folder"])) == PROGRAMS
    assert status["group"] == status["pid"] != os.getpgrp()


def test_the_folder_of_the_profile_can_be_named_in_the_command() -> None:
    """`{folder}` stands for the profile's folder."""
    rig = Rig(command=("{python}", "{folder}/polite.py"))
    rig.run(nothing)
    assert rig.failures == []


@pytest.mark.parametrize("hosts", ["127.64.0.1 hub\n", ""])
def test_a_program_can_be_told_the_addresses_of_names(tmp_path: Path, hosts: str) -> None:
    """`{hosts_file}` stands for the file's path; where there is no hub, it names nobody."""
    (tmp_path / "hosts").write_text(hosts)
    rig = Rig(command=("{python}", "polite.py", "{hosts_file}"), hosts_file=tmp_path / "hosts" if hosts else None)

    async def script(adapter: AdapterProcess) -> None:
        await ask(adapter)
        await rig.event("status")

    rig.run(script)
    assert rig.named("status")[0]["files"] == [hosts]


def test_a_crash_before_hello_repeats_the_last_line_of_stderr() -> None:
    """Before `open` there are no secrets to repeat, and the reason usually stands there."""
    text = refusal_of(Rig("crashes_at_once.py"))
    assert "ended by itself with exit code 3" in text
    assert "ModuleNotFoundError: No module named 'sdk'" in text
    assert "`python crashes_at_once.py`" in text


def test_a_crash_midway_reports_the_last_words_first() -> None:
    """Events, then unfinished noise, then the exit code, then the failure."""
    rig = Rig("crashes_midway.py")
    assert "ended by itself with exit code 7 although nobody closed it" in failure_of(rig)
    assert rig.order == ["event", "event", "noise", "exit", "failure"]
    assert (rig.noise, rig.exits) == (["unfinished"], [7])


def test_a_signal_is_named() -> None:
    """A crash of native code shows as its signal."""
    rig = Rig("dies_of_a_signal.py")
    assert "was ended by signal 11 (SIGSEGV)" in failure_of(rig)
    assert rig.exits == [-signal.SIGSEGV]


@pytest.mark.slow
def test_a_program_that_never_says_hello_is_ended() -> None:
    """The error says how to look at it by hand."""
    text = refusal_of(Rig("hangs_without_hello.py", limits=Limits(hello_s=0.5)))
    assert "did not say `hello` within 0.5 s. Start it by hand, in its folder: `python hangs_without_hello.py`" in text


@pytest.mark.slow
def test_a_program_that_hangs_after_close_is_asked_then_forced_to_end() -> None:
    """SIGTERM first, then SIGKILL."""
    rig = Rig("hangs_after_close.py", limits=Limits(close_s=0.3, terminate_s=0.3))
    rig.run(nothing)
    assert "did not end within 0.3 s of `close`" in str(rig.failures[0])
    assert (rig.log, rig.exits) == (["asked to end"], [-signal.SIGKILL])


def test_garbage_between_events_is_noise() -> None:
    """Lines that are no events are reported as they are, and the events around them count."""
    rig = Rig("garbage_lines.py")

    async def script(_: AdapterProcess) -> None:
        await rig.event("status")

    rig.run(script)
    assert rig.noise[:6] == ["plain text", "", '{"event": ', "[1, 2]", '{"t": 1}', '{"event": 5}']
    assert rig.noise[6:] == ["\ufffd\ufffd", "[" * 60_000]
    assert rig.failures == []


def test_a_megabyte_of_garbage_is_an_error() -> None:
    """The program is ended, and the error says where such text belongs."""
    text = failure_of(Rig("garbage_flood.py"))
    assert "more than 1048576 bytes that are no events" in text
    assert "send everything else to stderr" in text


def test_a_huge_line_is_an_error() -> None:
    """A line without end is stopped at its limit."""
    assert "line longer than 65536 bytes" in failure_of(Rig("huge_line.py"))


def test_another_version_of_the_protocol_is_an_error() -> None:
    """The error names both versions."""
    text = refusal_of(Rig("other_version.py"))
    assert "speaks version 2 of the adapter protocol, this harness speaks 1" in text


def test_a_flood_of_stderr_is_cut_and_limited() -> None:
    """Long lines are cut, the total is limited, and the protocol goes on beside it."""
    rig = Rig("stderr_flood.py", limits=Limits(log=1024 * 1024))

    async def script(_: AdapterProcess) -> None:
        await rig.event("opened")

    rig.run(script)
    assert rig.log[:3] == ["line 0", "line 1", "line 2"]
    assert re.fullmatch("x{16000,16384}" + re.escape(CUT_MARK), rig.log[3])
    assert sum(text.startswith("[the log goes on") for text in rig.log) == 1
    assert sum(map(len, rig.log)) < 1024 * 1024
    assert rig.failures == []


@pytest.mark.slow
def test_a_child_left_behind_is_ended_with_its_group() -> None:
    """The program ended well; what it left behind does not outlive the cell."""
    rig = Rig("leaves_a_child.py")

    async def script(_: AdapterProcess) -> None:
        await rig.event("child")

    rig.run(script)
    assert not is_running(int(str(rig.named("child")[0]["pid"])))
    assert (rig.exits, rig.failures) == ([0], [])


def test_a_child_in_another_session_cannot_keep_the_cell_from_ending() -> None:
    """The pipes are closed from this side."""
    rig = Rig("child_escapes.py", limits=Limits(drain_s=0.1))

    async def script(_: AdapterProcess) -> None:
        await rig.event("child")

    rig.run(script)
    child = int(str(rig.named("child")[0]["pid"]))
    assert is_running(child)
    os.kill(child, signal.SIGKILL)
    assert (rig.exits, rig.failures) == ([0], [])


def test_commands_nobody_reads_cannot_keep_the_cell_from_ending() -> None:
    """The program ended with commands unread, and a child in another session holds their pipe open."""
    rig = Rig("child_escapes.py", limits=Limits(drain_s=0.1))

    async def script(adapter: AdapterProcess) -> None:
        await rig.event("child")
        for number in range(10_000):
            adapter.send({"cmd": "send", "id": number})
        await rig.until(lambda: rig.failures)

    rig.run(script)
    child = int(str(rig.named("child")[0]["pid"]))
    assert is_running(child)
    os.kill(child, signal.SIGKILL)
    assert "ended by itself with exit code 0 although nobody closed it" in str(rig.failures[0])


def test_a_program_that_reads_no_commands_is_an_error() -> None:
    """Commands do not pile up for ever."""
    rig = Rig("reads_nothing.py", limits=Limits(unread=100_000))

    async def script(adapter: AdapterProcess) -> None:
        for number in range(20_000):
            adapter.send({"cmd": "send", "id": number})
        await rig.until(lambda: rig.failures)

    rig.run(script)
    assert "does not read its commands" in str(rig.failures[0])


def test_a_program_that_closes_stdout_is_an_error() -> None:
    """Silence for ever is not taken for an application that sees nothing."""
    assert "closed its stdout" in failure_of(Rig("closes_stdout.py", limits=Limits(drain_s=0.1)))


def test_an_exit_code_at_close_is_an_error() -> None:
    """A program that fails while closing says so with its exit code."""
    rig = Rig("fails_at_close.py")
    rig.run(nothing)
    assert "exit code 4 while it was closing" in str(rig.failures[0])


def test_commands_after_a_failure_are_dropped() -> None:
    """Whoever still sends does not have to know."""
    rig = Rig("dies_of_a_signal.py")

    async def script(adapter: AdapterProcess) -> None:
        await ask(adapter)
        await rig.until(lambda: rig.failures)
        await ask(adapter)

    rig.run(script)
    assert len(rig.failures) == 1


def test_a_command_outside_the_protocol_is_our_own_mistake() -> None:
    """Nothing is sent that the page does not know."""
    rig = Rig("polite.py")

    async def script(adapter: AdapterProcess) -> None:
        with pytest.raises(HarnessBug, match="'hum'"):
            adapter.send({"cmd": "hum"})

    rig.run(script)


@pytest.mark.parametrize("command", ["no-such-program-anywhere", "./polite.py"])
def test_a_program_that_cannot_be_started_is_a_problem_of_the_machine(command: str) -> None:
    """Absent or not executable: the message says what is missing and what brings it."""
    with pytest.raises(EnvironmentProblem, match=f"{command}. Correct adapter.command in the profile, or --command"):
        Rig(command=(command,)).run(nothing)


def test_stop_without_start_does_nothing() -> None:
    """Cleaning up needs no knowledge of how far a cell came."""

    async def script() -> None:
        await Rig("polite.py").adapter().stop()

    asyncio.run(script())


def test_a_cancelled_start_leaves_nothing_behind() -> None:
    """An interrupted run does not wait for a program that hangs."""
    rig = Rig("hangs_without_hello.py")

    async def script() -> None:
        adapter = rig.adapter()
        task = asyncio.create_task(adapter.start())
        await rig.until(lambda: rig.log)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(script())
    assert rig.exits == [-signal.SIGKILL]


def test_a_cancelled_stop_ends_the_program_at_once() -> None:
    """A second Ctrl-C does not wait for the time limit."""
    rig = Rig("hangs_after_close.py")

    async def script() -> None:
        adapter = rig.adapter()
        await adapter.start()
        task = asyncio.create_task(adapter.stop())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    began = time.monotonic()
    asyncio.run(script())
    assert time.monotonic() - began < Limits().close_s / 2
    assert rig.exits == [-signal.SIGKILL]
