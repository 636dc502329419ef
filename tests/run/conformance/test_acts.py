"""Device programs led through the acts with real processes and sockets: one that is right, and bad ones, each caught with its sentence."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from harness.clock import RealClock
from harness.device.adapter import Limits
from harness.profile import LoadedProfile, load_profile
from harness.run.conformance import Finding, examine_program, findings
from harness.run.conformance.acts import Patience
from harness.run.stage import open_staging

pytestmark = [pytest.mark.real_sdk, pytest.mark.slow(seconds=60)]

ROOT = Path(__file__).parents[3]
PROGRAMS = ROOT / "tests" / "support" / "adapter_programs"
IMPATIENT = Patience(answer_s=2.0, open_s=5.0, result_s=5.0, hold_s=1.0)
STRICT = Limits(hello_s=10.0, close_s=8.0, terminate_s=0.5)
BRIEF = Patience(answer_s=0.5, open_s=0.5, result_s=0.5, hold_s=0.5)
HASTY = Limits(hello_s=10.0, close_s=1.0, terminate_s=0.5)


def program(name: str) -> LoadedProfile:
    """One of the bad programs, as if it were that of the example's profile."""
    loaded = load_profile(ROOT / "examples" / "paho")
    assert loaded.profile.adapter is not None
    adapter = msgspec.structs.replace(loaded.profile.adapter, command=("{python}", f"{name}.py"))
    return LoadedProfile(msgspec.structs.replace(loaded.profile, adapter=adapter), PROGRAMS)


def examined(
    loaded: LoadedProfile, transports: Sequence[str] = (), limits: Limits = STRICT, patience: Patience = IMPATIENT
) -> list[Finding]:
    """What all checks came to."""

    async def examine() -> list[Finding]:
        async with open_staging(RealClock(), 0) as staging:
            return findings(await examine_program(loaded, transports, staging, patience=patience, limits=limits))

    return asyncio.run(examine())


def wrong(found: Sequence[Finding]) -> dict[str, str]:
    """The sentences of what is wrong, by check."""
    return {one.check: one.found for one in found if one.state == "wrong"}


def test_the_example_is_right() -> None:
    """Every check is tried over the transport it names, and there is nothing to remark."""
    found = examined(load_profile(ROOT / "examples" / "paho"))
    assert [one for one in found if one.state != "right"] == []
    assert {one.transport for one in found} == {"", "mqtt"}


def test_a_transport_that_hello_does_not_name_is_not_tested() -> None:
    """Nothing is opened over it, which is wrong where it was asked for."""
    found = examined(load_profile(ROOT / "examples" / "paho"), ["amqp"])
    told = {(one.state, one.found) for one in found if one.transport == "amqp"}
    assert told == {("not tested", "`hello` does not name the transport amqp")}
    assert list(wrong(found)) == ["names the transports asked for"]


def test_a_program_that_lies_about_acknowledgements_is_caught() -> None:
    """By the check for it, and by no other: it is right in everything else."""
    found = wrong(examined(program("lies_about_acknowledgements")))
    assert list(found) == ["`sent` is true", "what is cut off is not `sent`"]
    assert "although the hub had acknowledged nothing" in found["`sent` is true"]


def test_a_program_that_waits_for_the_hub_is_caught() -> None:
    """It answers nothing while a send waits, and so does not end either."""
    found = wrong(examined(program("hangs_while_sending")))
    assert "while the hub acknowledged nothing" in found["`send` does not block the command loop"]
    assert "did not end within 8 s of the end of its stdin" in found["the end of stdin ends it"]


def test_a_program_that_hangs_after_close_is_caught() -> None:
    """In every act that ends by `close`. It never answers, so nothing is waited for long."""
    found = wrong(examined(program("hangs_after_close"), ["mqtt"], HASTY, BRIEF))
    assert "did not end within 1 s of `close`" in found["`close` ends it"]


@pytest.mark.parametrize(
    ("name", "check", "part"),
    [
        ("crashes_at_once", "introduces itself", "ended by itself with exit code 3"),
        ("other_version", "introduces itself", "speaks version 2"),
        ("breaks_when_closed", "`close` ends it", "exit code"),
        ("garbage_lines", "stdout carries events only", "the first: 'plain text'"),
        ("huge_line", "keeps the limits", "wrote a line longer than 65536 bytes"),
        ("leaks_secrets", "no secret is written", "stdout (in an event)"),
        ("polite", "answers what is no command", "a line that is no JSON"),
    ],
)
def test_bad_programs_are_caught(name: str, check: str, part: str) -> None:
    """Each by the check that is about what it does."""
    assert part in wrong(examined(program(name), ["mqtt"]))[check]
