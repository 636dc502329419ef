"""One cell's findings, on the golden logs and on odd ones."""

import pytest
from support.analysis_logs import (
    LogBuilder,
    early_renewal,
    header,
    stale_token,
    waits_for_the_cut,
    whole_second_fraction,
)

from harness.analysis.cells import analyse_cell
from harness.analysis.findings import CellFindings, Exchanges, Signature, Telemetry
from harness.analysis.signatures import REPEATED
from harness.scenario import HUB_GRACE_S


def found(log: LogBuilder) -> CellFindings:
    """The findings of what was built."""
    return analyse_cell(log.log())


def test_early_renewal() -> None:
    """The device leaves 120 s before its token expires, is back after 4 ms, and loses nothing."""
    cell = found(early_renewal())
    shown = ("on_connection_state_change False", "on_connection_state_change True")
    for renewal in cell.renewals:
        assert (renewal.renewal, renewal.first, renewal.cause, renewal.gap_ms) == (
            "reconnect",
            "device",
            "disconnect",
            4.0,
        )
        assert renewal.point_s == pytest.approx(10, abs=0.01)
        assert renewal.signature == Signature(("disconnect", "connect"), "informational", shown, informational=2)
    assert len(cell.renewals) == 2
    assert (cell.status, cell.awaited, cell.connections, cell.refused) == ("finished", True, 3, 0)
    assert cell.messages.telemetry == Telemetry(sent=6, confirmed=6, reached=6)
    assert cell.messages.gap_c2d == cell.messages.gap_methods == Exchanges(asked=2, answered=2)


def test_stale_token() -> None:
    """The hub cuts at expiry + grace; the stale token is refused, once by itself and then for every send."""
    cell = found(stale_token())
    absence = cell.absences[0]
    assert (absence.cause, absence.back_s, absence.refused, absence.renewal) == ("token-expired", None, 13, None)
    assert absence.signature.hub == ("401003", "404104", "refused 401003")
    assert absence.signature.app[-2:] == ("send_failed: CredentialError <- UnauthorizedError", REPEATED)
    assert cell.recovery == "next-send"
    assert (cell.messages.telemetry.send_failed, cell.messages.telemetry.lost) == (12, 0)
    assert cell.hub_log == ("connect", "401003", "404104", "refused 401003")


def test_waits_for_the_cut() -> None:
    """Nothing until the hub cuts; back with a new token, and the application is told."""
    cell = found(waits_for_the_cut())
    first = cell.renewals[0]
    assert (first.renewal, first.first, first.gap_ms, first.lifetime_s) == ("hub-cut", "hub", 310.0, 20.0)
    assert first.signature.hub == ("401003", "404104", "connect")
    assert first.signature.levels == "informational+error"
    assert first.signature.app == ("DISCONNECTED_RETRYING/EXPIRED_SAS_TOKEN", "CONNECTED/CONNECTION_OK")


def test_whole_second_fraction() -> None:
    """An emulated device that looks at whole seconds: 17 s of 20 s."""
    cell = found(whole_second_fraction())
    assert (cell.device, [renewal.point_s for renewal in cell.renewals]) == ("emulated", [17.0, 17.0])


def test_a_noisy_gap_is_marked() -> None:
    """A gap of 4 ms beside a lag of 1 ms cannot be believed."""
    log = LogBuilder().connect(60).at(10).disconnect().after(0.004).connect(60).harness("lag", worst_ms=1.0, over_s=1.0)
    absence = found(log).absences[0]
    assert (absence.noisy, absence.lag_ms) == (True, 1.0)


def test_a_device_without_tokens() -> None:
    """It may leave, but there is no life of a token to count in."""
    absence = found(LogBuilder().connect().at(10).disconnect()).absences[0]
    assert (absence.point_s, absence.lifetime_s, absence.renewal) == (None, None, None)


def test_an_interrupted_log() -> None:
    """Without its last event a cell was interrupted."""
    cell = found(LogBuilder().connect(60))
    assert (cell.status, cell.reason, cell.measured) == ("interrupted", "the log ends before the cell does", True)


@pytest.mark.parametrize(
    "status", ["environment", "unsupported", "harness-error", "adapter-error", "of-a-newer-harness"]
)
def test_a_cell_that_did_not_run(status: str) -> None:
    """Status and reason, as the run wrote them."""
    cell = found(LogBuilder().end(status, "because", awaited=False))
    assert (cell.status, cell.reason, cell.measured, cell.awaited) == (status, "because", False, False)


@pytest.mark.parametrize(
    ("hub", "scenario", "expected"),
    [
        ({"grace_s": 7.0}, {"hub": {"grace_s": 5.0}}, 7.0),
        ({}, {"hub": {"grace_s": 5.0}}, 5.0),
        ({}, {"id": "foreign"}, HUB_GRACE_S),
    ],
)
def test_the_grace_of_the_hub(hub: dict[str, object], scenario: dict[str, object], expected: float) -> None:
    """From the hub as it was, else from the scenario, else the service's own."""
    assert found(LogBuilder(header(hub=hub, scenario_document=scenario))).grace_s == expected


def test_the_traffic_of_an_idle_application() -> None:
    """No traffic has a name too."""
    assert found(LogBuilder(header("expiry-idle"))).traffic == "idle"


@pytest.mark.parametrize(("scenario", "expected"), [("renewal", 33.0), ("expiry", 10.0)])
def test_the_lifetime_that_was_asked_for(scenario: str, expected: float) -> None:
    """By the settings where the SDK owns the key, by the scenario where the application holds a token."""
    assert found(LogBuilder(header(scenario, {"lifetime_s": 33}))).set_lifetime_s == expected


def test_capabilities() -> None:
    """As the device program lists them."""
    assert found(LogBuilder().hello("lifetime")).capabilities == ("lifetime",)


@pytest.mark.parametrize("log", [LogBuilder(), LogBuilder().app("hello", capabilities="all")])
def test_unknown_capabilities(log: LogBuilder) -> None:
    """A program that does not list any is not said to lack all."""
    assert found(log).capabilities is None


def test_notes() -> None:
    """The run's own notes, and another version than the profile speaks of."""
    log = LogBuilder().hello(version="2.0").harness("note", text="through a proxy").harness("note")
    assert found(log).notes == ("the device reports version 2.0, the profile speaks of 1.0", "through a proxy")


def test_no_note_about_the_expected_version() -> None:
    """Nothing to tell."""
    assert found(LogBuilder().hello()).notes == ()


@pytest.mark.parametrize(
    ("device", "log", "version"),
    [("real", "2.0", "2.0"), ("remote", "2.0", "2.0"), ("emulated", "2.0", "1.0"), ("real", "", "1.0")],
)
def test_the_measured_version(device: str, log: str, version: str) -> None:
    """What the device program reports, unless there is none, or we play the device."""
    builder = LogBuilder(header(device=device))
    assert found(builder.hello(version=log) if log else builder).version == version


def test_cuts_for_other_reasons_are_noted() -> None:
    """They are no renewals, but a reader should know of them."""
    log = LogBuilder().connect(60).at(5).cut("keep-alive").connect(60).at(9).cut("keep-alive").connect(60)
    assert found(log).notes == ("the hub cut the connection for another reason than its token: keep-alive (2)",)


def test_what_the_scenario_is_about() -> None:
    """Its documents decide where claims are judged."""
    cell, other = found(LogBuilder(header("renewal"))), found(LogBuilder(header("defaults")))
    assert (cell.settings_of, cell.awaits_renewals) == ("profile", True)
    assert (other.settings_of, other.awaits_renewals) == ("none", False)


def test_a_first_token_on_a_slow_connection() -> None:
    """It was made for 20 s, and some of it was gone before the hub saw the device."""
    log = LogBuilder(header(settings={"lifetime_s": 20})).at(0.1).harness("command", cmd="open").at(1.9).accept()
    cell = found(log.at(2.6).present(20, made_at=0.15).admit().at(15.15).disconnect().after(0.1).connect(20))
    assert (cell.first_lifetime_s, cell.first_lifetime_between_s) == (17.85, (17.15, 19.65))
    assert cell.absences[0].lifetime_s == 20.0
    assert cell.absences[0].point_s == pytest.approx(14.4)


def test_a_cell_that_could_not_open() -> None:
    """Nothing awaited was seen, nothing was watched, and the application was told why."""
    log = LogBuilder().failure("open_failed", "TimeoutError").at(0.5).close().end(reason="it could not open")
    cell = found(log)
    assert (cell.awaited, cell.watched_s, cell.app) == (False, 0.0, ("open_failed: TimeoutError",))


def test_an_absence_that_the_end_cuts_short() -> None:
    """The cell was stopped while the device was away."""
    log = LogBuilder().connect(60).at(5).disconnect().at(20)
    assert [one.cut_short for one in found(log.end("interrupted", "Ctrl-C")).absences] == [True]


def test_put_tokens_are_counted() -> None:
    """Tokens presented on a standing connection."""
    assert found(LogBuilder().hub("put-token").hub("put-token")).put_tokens == 2


def test_watched_from_the_first_connect_to_the_closing() -> None:
    """Starting and closing the device is not watching it."""
    assert found(LogBuilder().at(3).connect(60).at(10).close().at(20).end()).watched_s == 7.0


def test_cuts_for_other_reasons_tell_nothing() -> None:
    """A cell that is cut by the keep-alive again and again has renewed nothing, and is not about its tokens."""
    log = LogBuilder().connect(3000).at(12).cut("keep-alive", ["404104"]).at(13).connect(3000)
    cell = found(log.at(25).cut("keep-alive", ["404104"]).at(26).connect(3000).at(30).close().end())
    assert (len(cell.absences), cell.renewals, cell.telling) == (2, (), ())


def test_telling_absences() -> None:
    """Cuts for an expired token count before other absences where nothing was renewed."""
    log = LogBuilder().connect(60).at(5).disconnect().at(6).connect(60, made_at=0.0).at(65).cut()
    assert [absence.cause for absence in found(log).telling] == ["token-expired"]
