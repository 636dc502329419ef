"""What a log that was recorded elsewhere lacks is not observed in it, and taken for nothing else."""

from typing import Any

import msgspec
import pytest
from support.analysis_logs import LogBuilder, claim, early_renewal, header, renews_in_place, waits_for_the_cut

from harness.analysis import Row, analyse, summary
from harness.analysis.cells import analyse_cell
from harness.analysis.lacking import NO_HUB_LOG, NO_SENDS, clock_rate, origin_of_row
from harness.analysis.volume import volumes
from harness.events import CellLog

ORIGIN = {"kind": "recorded", "date": "2026-11-24", "digest": "sha256:x", "source": "a transcript"}


def lacking(log: CellLog, *lacks: str, drop: tuple[str, ...] = (), **changes: Any) -> CellLog:
    """The log as one that was recorded without these kinds of evidence, and without events of the kinds in `drop`."""
    head = msgspec.structs.replace(log.header, lacks=lacks, origin=ORIGIN, **changes)
    return msgspec.structs.replace(
        log, header=head, events=tuple(event for event in log.events if event.kind not in drop)
    )


def the_row(*logs: CellLog) -> Row:
    """The only row."""
    (row,) = analyse(logs)
    return row


def verdict(row: Row, name: str) -> tuple[str, str]:
    """The verdict on the claim, and its reason."""
    return next((one.verdict, one.reason) for one in row.verdicts if one.claim == name)


def test_without_the_hubs_records_its_log_is_not_observed() -> None:
    """Neither its codes nor its levels."""
    claims = [claim("hub-signature", ["401003"]), claim("hub-log-levels", "informational")]
    log = lacking(waits_for_the_cut(head=header(claims=claims)).log(), "hub-log", drop=("record",))
    assert verdict(the_row(log), "hub-signature") == ("not observed", NO_HUB_LOG)
    assert verdict(the_row(log), "hub-log-levels") == ("not observed", NO_HUB_LOG)


def test_without_the_hubs_records_a_renewal_in_place_was_not_seen_to_leave_none() -> None:
    """That nothing was logged is an observation only where something could have been."""
    head = header(transport="amqp", settings={"lifetime_s": 910}, claims=[claim("hub-log-levels", "none")])
    log = renews_in_place(head=head).log()
    assert verdict(the_row(log), "hub-log-levels")[0] == "confirmed"
    assert verdict(the_row(lacking(log, "hub-log", drop=("record",))), "hub-log-levels") == (
        "not observed",
        NO_HUB_LOG,
    )


def test_what_is_unknown_is_null_in_json() -> None:
    """And what is lacking stands beside it."""
    log = lacking(early_renewal().log(), "hub-log", "sdk-log", drop=("record",))
    rows: Any = summary(analyse([log]))["rows"]
    (row,) = rows
    assert [row[name] for name in ("hub_log", "hub_levels", "log")] == [None, None, None]
    assert list(row["lacks"]) == ["hub-log", "sdk-log"]


def test_counts_of_messages_that_are_unknown_are_null_in_json() -> None:
    """In the row and in its cell; none is not a number of them."""
    log = lacking(early_renewal().log(), "quiet-rows", drop=("telemetry",), totals={"sent": 9, "received": 4})
    rows: Any = summary(analyse([log]))["rows"]
    (row,) = rows
    assert [row[name] for name in ("sent", "unfinished", "lost", "duplicated", "reordered")] == [9, 5, None, None, None]
    told = row["cells"][0]["messages"]["telemetry"]
    assert [told[name] for name in ("reached", "lost", "duplicated", "confirmed")] == [4, None, None, None]
    assert "untold" not in told


def refused_at_a_send(*, sending: bool = True) -> CellLog:
    """A device that is refused when it comes back, and is let in half a minute later."""
    scenario = {"id": "s", "credential": "key", "traffic": ["sending"] * sending, "settings": "main", "faults": [{}]}
    log = LogBuilder(header(scenario_document=scenario)).connect(20).at(25).cut().after(0.1).refused(20)
    return log.at(55).connect(20).at(60).close().end().log()


def test_without_the_sends_nobody_knows_what_brought_an_attempt_about() -> None:
    """A retry and an answer to a send look alike."""
    seen = analyse_cell(lacking(refused_at_a_send(), "commands"))
    assert (seen.recovery, seen.recovery_reason) == (None, NO_SENDS)
    assert (seen.aftermath.returned, seen.aftermath.returned_reason) == ((), NO_SENDS)


def test_an_idle_application_sends_nothing_that_could_be_hidden() -> None:
    """What it does it does by itself."""
    seen = analyse_cell(lacking(refused_at_a_send(sending=False), "commands"))
    assert (seen.recovery, seen.aftermath.returned) == ("retries", ("by-itself",))


def test_no_attempt_at_all_needs_no_sends_to_be_seen() -> None:
    """Watched for half a minute, and nothing came."""
    log = LogBuilder().connect(20).at(25).cut().after(0.1).refused(20).at(60).app("closed").end().log()
    assert analyse_cell(lacking(log, "commands")).recovery == "none"


def test_an_answer_that_is_not_timed_took_no_time_that_is_known() -> None:
    """Not 0 ms."""
    log = renews_in_place().log()
    timed, untimed = analyse_cell(log), analyse_cell(lacking(log, "answer-times"))
    assert [one.took_ms for one in timed.in_band] == [2.0, 2.0]
    assert [one.took_ms for one in untimed.in_band] == [None, None]
    assert [one.back_s for one in untimed.in_band] == [one.at_s for one in untimed.in_band]


def test_the_first_sign_of_the_closing_ends_the_cell() -> None:
    """Where no command says so: what follows is not the device's doing."""
    log = LogBuilder().connect(60).at(9).harness("closing").disconnect().app("closed").end().log()
    assert analyse_cell(log).absences == ()


@pytest.mark.parametrize(
    ("clock", "rate"), [({"rate": 60, "by": "libfaketime"}, 60.0), ({"rate": 1, "by": "real time"}, None), ({}, None)]
)
def test_the_rate_of_the_clock(clock: dict[str, object], rate: float | None) -> None:
    """None in real time, also where nothing is said."""
    assert clock_rate(header(origin={"kind": "recorded", "clock": clock})) == rate


def test_rows_draw_recordings_of_one_measurement_together() -> None:
    """They differ in their digests and in what they were made from."""
    assert origin_of_row({**ORIGIN, "clock": {"rate": 60}}) == {"kind": "recorded", "date": "2026-11-24"}
    other = {**ORIGIN, "digest": "sha256:y"}
    logs = [early_renewal(130).log(), early_renewal(170).log()]
    row = the_row(
        lacking(logs[0]), msgspec.structs.replace(logs[1], header=header(settings={"lifetime_s": 170}, origin=other))
    )
    assert row.law is not None
    assert row.law.fit is not None
    assert row.law.fit.law == "margin"


def test_recordings_and_this_run_are_never_one_row() -> None:
    """Nor do the figures of one draw on the other."""
    here, elsewhere = analyse([early_renewal(130).log(), lacking(early_renewal(170).log())])
    assert [row.law and row.law.fit for row in (here, elsewhere)] == [None, None]


def accelerated(log: LogBuilder) -> CellLog:
    """The log on a clock of sixty seconds to one."""
    return msgspec.structs.replace(
        log.log(), header=msgspec.structs.replace(log.log().header, origin={**ORIGIN, "clock": {"rate": 60}})
    )


def test_under_an_accelerated_clock_the_clearest_token_tells_the_lifetime() -> None:
    """Connecting takes virtual seconds: the token that was presented soonest after its accept is the one to go by."""
    log = LogBuilder(header("defaults")).accept().at(8).present(3600, made_at=5.75).admit()
    log.at(4200).cut().at(4201).accept().at(4201.5).present(3600, made_at=4200.75).admit().at(4300).close().end()
    assert analyse_cell(log.log()).first_lifetime_s == pytest.approx(3605.75)
    assert analyse_cell(accelerated(log)).first_lifetime_s == pytest.approx(3599.75)


def test_a_put_token_tells_it_best() -> None:
    """It leaves with a token that was just made."""
    log = LogBuilder(header("defaults", transport="amqp"))
    log.hub("accepted").at(9).put_token(3600, made_at=5.75).answer(admitted=True)
    log.at(3060.75).put_token(3600).answer().at(3100).close().end()
    assert analyse_cell(accelerated(log)).first_lifetime_s == pytest.approx(3600.0)


def test_without_tokens_no_lifetime() -> None:
    """A certificate, say; and a token of which nothing is known, refused."""
    without = LogBuilder().accept().present(None).admit().end()
    unknown = LogBuilder().accept().hub("connect").hub("connack", code=5).hub("put-token").end()
    mixed = LogBuilder().connect(60).hub("put-token").answer(401).end()
    assert analyse_cell(accelerated(without)).first_lifetime_s is None
    assert analyse_cell(accelerated(unknown)).first_lifetime_s is None
    assert analyse_cell(accelerated(mixed)).first_lifetime_s is not None


def test_without_the_hubs_records_no_errors_are_reckoned() -> None:
    """None would be said to come on any day."""
    logs = [waits_for_the_cut(lifetime).log() for lifetime in (20.0, 60.0)]
    here = analyse([*logs, LogBuilder(header("defaults")).connect(3600).at(9).close().end().log()])
    (found,) = volumes(here)
    assert found.errors_per_renewal
    elsewhere = analyse([lacking(log, "hub-log", drop=("record",)) for log in logs])
    (unknown,) = volumes(elsewhere)
    assert (unknown.errors_per_renewal, unknown.errors_per_day, unknown.reason) == (None, None, NO_HUB_LOG)
