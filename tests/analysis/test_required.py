"""Tests of what has to have run."""

import pytest
from support.rows import RECORDED, a_row, not_run

from harness.analysis import Required, Row, parse_required
from harness.analysis.required import missing
from harness.errors import UserInputError


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("java", ("java", "", "", "")),
        ("java@2.5.0", ("java", "2.5.0", "", "")),
        ("java/mqtt", ("java", "", "mqtt", "")),
        ("java@2.5.0/mqtt-ws/expiry", ("java", "2.5.0", "mqtt-ws", "expiry")),
    ],
)
def test_a_name_says_what_it_leaves_open(text: str, parts: tuple[str, ...]) -> None:
    """And is written the same way again."""
    required = parse_required(text, where="--require")
    assert (required.sdk, required.version, required.transport, required.scenario) == parts
    assert str(required) == text


@pytest.mark.parametrize("text", ["", "/mqtt", "java/", "java//expiry", "java/mqtt/expiry/1", "java@/mqtt", "@2"])
def test_what_names_no_cell(text: str) -> None:
    """Is refused with the form."""
    with pytest.raises(UserInputError, match=r"--require: .* names no cell. Write SDK, SDK/TRANSPORT or"):
        parse_required(text, where="--require")


def reasons(name: str, *rows: Row) -> list[str]:
    """Why what is required did not run."""
    return [one.reason for one in missing([parse_required(name, where="")], rows)]


def test_what_was_measured_fulfils_it() -> None:
    """In each of the cells it names."""
    assert reasons("python", a_row(), a_row(scenario="expiry"), a_row(sdk="c")) == []


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (not_run("environment", "no Java here"), "environment: no Java here"),
        (not_run("harness-error", "broken"), "harness-error: broken"),
        (a_row(device="emulated", way={"why_emulated": "no Java here"}), "only an emulated device ran: no Java here"),
        (a_row(complete=False), "it did not run to its end"),
    ],
)
def test_what_did_not_run_is_told_with_its_reason(row: Row, reason: str) -> None:
    """Also where the name leaves the scenario open, and others ran."""
    assert reasons("python/mqtt", row, a_row(scenario="expiry")) == [reason]


def test_an_emulated_device_that_was_asked_for_counts() -> None:
    """It stands in for nothing."""
    assert reasons("python", a_row(device="emulated")) == []


def test_one_device_of_two_is_enough() -> None:
    """As `--device both` runs them."""
    assert reasons("python", a_row(device="emulated", complete=False), a_row()) == []


def test_a_recording_is_no_run() -> None:
    """It was measured elsewhere."""
    assert reasons("python/mqtt/renewal", a_row(origin=RECORDED)) == ["the run has no such cell"]


def test_what_an_sdk_does_not_offer_need_not_run() -> None:
    """Unless nothing else of what is named did."""
    amqp = not_run("unsupported", "speaks no AMQP", transport="amqp")
    assert reasons("python", a_row(), amqp) == []
    assert reasons("python/amqp", a_row(), amqp) == ["unsupported: speaks no AMQP"]


def test_versions_are_told_apart() -> None:
    """Where the name has one."""
    assert reasons("python@2.9.0", a_row()) == ["the run has no such cell"]
    assert missing([Required("python", "2.14.0")], [a_row()]) == ()
