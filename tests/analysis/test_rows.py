"""Cells taken together to rows, and the golden logs from end to end."""

from typing import Any

import msgspec
import pytest
from support.analysis_logs import (
    LogBuilder,
    claim,
    early_renewal,
    header,
    renews_in_place,
    stale_token,
    waits_for_the_cut,
    whole_second_fraction,
)
from support.scenarios import bundled_scenarios

from harness.analysis.rows import Row, analyse
from harness.analysis.verdicts import Verdict

AT_LIFESPAN = (claim("disconnect-point", {"law": "lifespan", "seconds": 0}), claim("token-lifetime", 3600))


def rows(*logs: LogBuilder) -> tuple[Row, ...]:
    """The rows of what was built."""
    return analyse(log.log() for log in logs)


def cell_of(number: int, lifetime_s: float, **changes: Any) -> LogBuilder:
    """A cell of an SDK that renews 120 s early, with the settings of that index."""
    return early_renewal(
        lifetime_s, header(settings={"lifetime_s": lifetime_s, "index": number}, **changes), renewals=2 - number
    )


def defaults() -> LogBuilder:
    """A cell in which nothing is set."""
    return LogBuilder(header("defaults")).at(0.1).connect(3600).after(1).close().end()


def word_of(row: Row, name: str) -> str:
    """The verdict on a claim."""
    return next(verdict.verdict for verdict in row.verdicts if verdict.claim == name)


def test_the_early_sdk() -> None:
    """Python's row: its law from two lifetimes, its figures from the first, its default from another scenario."""
    row, other = rows(cell_of(0, 130, claims=AT_LIFESPAN), cell_of(1, 170), defaults())
    assert (row.scenario, other.scenario) == ("renewal", "defaults")
    assert (row.renewal, row.renewals, row.first, row.lifetime_s) == ("reconnect", 2, ("device",), 130.0)
    assert row.law is not None
    assert row.law.fit is not None
    assert (row.law.fit.law, round(row.law.fit.value), row.law_margin_set) == ("margin", 120, False)
    assert row.default_lifetime_s == pytest.approx(3600, abs=1)
    assert (word_of(row, "disconnect-point"), word_of(row, "token-lifetime")) == ("differs", "confirmed")
    assert (row.sent, row.lost, row.duplicated, row.gap_ms, row.gap_median_ms) == (6, 0, 0, (4.0, 4.0), None)
    assert (row.hub_log, row.hub_levels) == (("disconnect", "connect"), "informational")
    assert (row.status, row.complete, row.settings) == ("", True, {"lifetime_s": 130})


def test_the_defaults_row() -> None:
    """It was never away: no gap, and the hub's log of the whole cell; whether it renews was not watched."""
    row = rows(defaults())[0]
    assert (row.hub_log, row.gap_ms, row.renewal, row.renewals, row.points_s) == (("connect",), (), None, 0, ())


def test_the_stale_token() -> None:
    """Python's expiry: what the hub logged from the cut on, and no law for a token of the application."""
    row = rows(stale_token())[0]
    assert row.hub_log == ("401003", "404104", "refused 401003")
    assert (row.renewal, row.signature_of) == ("none", (1, 1))
    assert (row.recovery, row.send_failed, row.law, row.disconnect_law, row.gap_ms) == ("next-send", 12, None, None, ())


def test_the_sdk_that_waits() -> None:
    """Java's row: the hub's cut, with errors."""
    claims = (
        claim("renewal-point", {"law": "fraction", "fraction": 0.85}),
        claim("hub-log-levels", "informational+error"),
    )
    row = rows(
        waits_for_the_cut(10, header(settings={"lifetime_s": 10}, claims=claims)),
        waits_for_the_cut(30, header(settings={"lifetime_s": 30, "index": 1}, claims=claims)),
    )[0]
    assert (row.renewal, row.first, row.hub_log) == ("hub-cut", ("hub",), ("401003", "404104", "connect"))
    assert (word_of(row, "renewal-point"), word_of(row, "hub-log-levels")) == ("differs", "confirmed")


def test_the_emulated_sdk() -> None:
    """C's row, played by us: 80 % in spite of its whole seconds."""
    claims = (claim("renewal-point", {"law": "fraction", "fraction": 0.8}),)
    row = rows(
        *(
            whole_second_fraction(
                life, header(settings={"lifetime_s": life, "index": n}, device="emulated", claims=claims)
            )
            for n, life in enumerate((20, 60))
        )
    )[0]
    assert (row.device, row.renewal, word_of(row, "renewal-point")) == ("emulated", "reconnect", "confirmed")


@pytest.mark.parametrize(
    "change",
    [
        {"sdk": "other"},
        {"transport": "mqtt-ws"},
        {"device": "emulated"},
        {"origin": {"kind": "recorded", "date": "2026-11-24"}},
    ],
)
def test_a_row_of_its_own(change: dict[str, Any]) -> None:
    """Whatever tells subjects apart makes two rows, in the order of their first cells, and shares no evidence."""
    found = rows(cell_of(0, 130), cell_of(1, 170, **change))
    assert [len(row.cells) for row in found] == [1, 1]
    assert all(row.law is not None and row.law.fit is None for row in found)


def test_another_version_has_a_row_of_its_own() -> None:
    """That of the profile, where no device introduced itself."""
    found = rows(LogBuilder(header()).connect(60), LogBuilder(header(version="2.0")).connect(60))
    assert [row.version for row in found] == ["1.0", "2.0"]


def test_the_main_settings_are_those_of_index_0() -> None:
    """In whatever order the cells come."""
    assert rows(cell_of(1, 170), cell_of(0, 130))[0].lifetime_s == 130.0


def test_repeats_are_taken_together() -> None:
    """Five gaps have a median."""
    row = rows(*(cell_of(0, 130, repeat=number) for number in (1, 2, 3)))[0]
    assert (row.renewals, row.gap_ms, row.gap_median_ms, row.noisy, row.sent) == (6, (4.0,) * 6, 4.0, (False,) * 6, 18)


@pytest.mark.parametrize("status", ["environment", "unsupported", "harness-error", "adapter-error"])
def test_a_row_that_did_not_run(status: str) -> None:
    """Status and reason, and the verdicts say so."""
    log = LogBuilder(header(claims=(claim("closes-first", "device"),))).end(status, "because", awaited=False)
    row = rows(log)[0]
    assert (row.status, row.reason, row.renewal, row.complete) == (status, "because", None, False)
    assert [verdict.reason for verdict in row.verdicts] == ["because"]


def test_a_cell_beside_the_main_one_that_did_not_run() -> None:
    """The row has its figures, not its law; and a note."""
    other = LogBuilder(header(settings={"lifetime_s": 170, "index": 1}, cell="other")).end(
        "adapter-error", "it crashed"
    )
    row = rows(cell_of(0, 130), other)[0]
    assert (row.status, row.complete, row.notes) == ("", False, ("other: adapter-error, it crashed",))
    assert row.law is not None
    assert row.law.fit is None


def test_a_repeat_that_did_not_run() -> None:
    """The others give the figures."""
    failed = LogBuilder(header(settings={"lifetime_s": 130}, repeat=2)).end("environment", "no port")
    assert rows(failed, cell_of(0, 130))[0].renewals == 2


def test_an_interrupted_row() -> None:
    """What was measured is kept, and marked."""
    row = rows(LogBuilder(header(settings={"lifetime_s": 60})).connect(60).at(5).disconnect().at(6).connect(60))[0]
    assert (row.status, row.complete, row.renewals) == ("", False, 1)


def test_notes_name_their_cell() -> None:
    """A row may have several."""
    row = rows(LogBuilder().connect(60).harness("note", text="slow machine").end())[0]
    assert row.notes == ("sdk-mqtt-renewal: slow machine",)


NOT_OPENED = "the device could not open its connection"


def test_a_device_that_could_not_open() -> None:
    """What the application was told stands in for an absence's signature, the reason is a note, and the row is marked."""
    log = LogBuilder(header(claims=(claim("renewal-action", "reconnect"),)))
    log.failure("open_failed", "TimeoutError").at(1).close().end(reason=NOT_OPENED)
    row = rows(log)[0]
    assert (row.app, row.awaited, row.renewal) == (("open_failed: TimeoutError",), False, None)
    assert row.notes == (f"sdk-mqtt-renewal: {NOT_OPENED}",)
    assert row.verdicts[0].reason == f"the device was never let in: {NOT_OPENED}"


def test_a_cell_that_did_not_see_what_it_awaited() -> None:
    """One of the main cells is enough for the mark; the note says which."""
    row = rows(cell_of(0, 130), cell_of(0, 130, repeat=2, cell="again"))[0]
    assert (row.awaited, row.notes) == (True, ())
    short = LogBuilder(header(settings={"lifetime_s": 130}, cell="again")).connect(130).at(9).close()
    row = rows(cell_of(0, 130), short.end(awaited=False))[0]
    assert (row.awaited, row.notes) == (False, ("again: what the scenario waits for was not seen",))


def test_the_row_is_of_the_measured_version() -> None:
    """A claim about it is judged, one about the profile's is not; a cell that crashed at once belongs to it too."""
    claims = (
        claim("closes-first", "device", name="old", versions=["1.0"]),
        claim("closes-first", "device", name="new", versions=["2.0"]),
    )
    log = LogBuilder(header(settings={"lifetime_s": 130}, claims=claims)).hello(version="2.0").connect(130)
    log.at(10).disconnect().connect(130).at(20).end()
    head = header(settings={"lifetime_s": 130}, claims=claims, repeat=2, cell="crashed")
    crashed = LogBuilder(head).end("adapter-error", "gone")
    (row,) = rows(crashed, log)
    assert (row.version, len(row.cells)) == ("2.0", 2)
    assert (word_of(row, "new"), [one.claim for one in row.verdicts if one.claim == "old"]) == ("confirmed", [])


def absent(*shown: str, level: str = "", stay_s: float = 3.0) -> LogBuilder:
    """A cell in which the device leaves once, at 10 s, and that then shows the application these states."""
    log = LogBuilder(header(settings={"lifetime_s": 130})).connect(130).at(10).disconnect()
    if level:
        log.emit("sdk-log", "line", text=level)
    for state in shown:
        log.status(state)
    return log.after(0.1).connect(130).after(stay_s).close().end()


def test_the_usual_signature_is_that_of_one_absence() -> None:
    """Hub, application and SDK's log are not mixed from several; numbers in the log's lines do not tell absences apart."""
    row = rows(absent("a", level="ERROR 1"), absent("b", level="ERROR 2"), absent("b", level="ERROR 3"))[0]
    assert (row.app, row.log, row.signature_of) == (("b",), ("ERROR 2",), (2, 3))


def test_a_signature_that_was_cut_short_is_not_the_usual_one() -> None:
    """Unless there is no other."""
    short = absent(stay_s=1.0)
    assert rows(short, short, absent("a"))[0].signature_of == (1, 1)
    assert rows(short, short)[0].signature_of == (2, 2)


@pytest.mark.parametrize(("repeats", "median"), [(4, None), (5, 4.0)])
def test_how_many_gaps_have_a_median(repeats: int, median: float | None) -> None:
    """Fewer than five print their values."""
    logs = (
        early_renewal(130, header(settings={"lifetime_s": 130, "index": 0}, repeat=number), renewals=1)
        for number in range(repeats)
    )
    assert rows(*logs)[0].gap_median_ms == median


def test_a_scenario_of_one_s_own() -> None:
    """Whatever its name, it gets its verdicts, beside those of the bundled one."""
    claims = (claim("closes-first", "device"), claim("lifetime-configurable", value=True))
    document = {**msgspec.to_builtins(bundled_scenarios()["renewal"]), "id": "my-own"}
    both = [
        early_renewal(
            life, header(settings={"lifetime_s": life, "index": n}, scenario_document=scenario, claims=claims)
        )
        for scenario in (None, document)
        for n, life in enumerate((130.0, 170.0))
    ]
    first, own = rows(*both)
    assert [word_of(row, "closes-first") for row in (first, own)] == ["confirmed", "confirmed"]
    assert [one.claim for one in own.verdicts if one.kind == "lifetime-configurable"] == []
    (alone,) = rows(*both[2:])
    assert [word_of(alone, one) for one in ("closes-first", "lifetime-configurable")] == ["confirmed", "confirmed"]


def test_no_logs_no_rows() -> None:
    """A run without cells."""
    assert rows() == ()


def test_a_row_of_renewals_in_place() -> None:
    """Nobody closes, the hub logs nothing, there is no gap; the law shows all the same."""
    settings = [{"lifetime_s": lifetime, "index": n} for n, lifetime in enumerate((910.0, 940.0))]
    heads = [header(transport="amqp", settings=one, claims=(claim("renewal-action", "in-band"),)) for one in settings]
    (row,) = rows(renews_in_place(910, heads[0]), renews_in_place(940, heads[1], renewals=1))
    assert (row.renewal, row.renewals, row.put_tokens) == ("in-band", 2, 3)
    assert (row.first, row.gap_ms, row.hub_log, row.hub_levels, row.app) == ((), (), (), "", ())
    assert row.law is not None
    assert row.law.fit is not None
    assert (row.law.fit.law, round(row.law.fit.value)) == ("margin", 900)
    assert word_of(row, "renewal-action") == "confirmed"


def cut_row(name: str = "cut-sending") -> Row:
    """The row of a device that a fault cut at 10 s, and that came back with a message at 12 s."""
    log = LogBuilder(header(name)).connect(21).at(10).cut("fault", ["404104"]).at(12).send(1).after(0.01).connect(21)
    return rows(log.at(30).end())[0]


def test_a_row_about_an_end() -> None:
    """What followed stands in it, and the fault is no surprise worth a note."""
    row = cut_row()
    assert (row.returned, row.unaware_s, row.c2d_after_return) == ("next-send", 2.01, None)
    assert (row.first, row.gap_ms, row.notes) == (("hub",), (2010.0,), ())


def test_a_row_that_is_not_about_an_end() -> None:
    """There, the renewal and the recovery say what followed."""
    row = cut_row("renewal")
    assert (row.returned, row.unaware_s) == (None, None)


def test_rows_that_only_show_the_default() -> None:
    """An idle application whose device came and stayed; not one in which anything happened."""
    stayed, left = defaults(), LogBuilder(header("defaults")).connect(3600).at(5).disconnect().at(9).end()
    assert rows(stayed)[0].only_shows_the_default
    assert not rows(left)[0].only_shows_the_default


def test_a_device_let_in_with_a_token_of_the_applications_own_shows_more_than_the_default() -> None:
    """That it was let in, by whatever clock its token was made."""
    let_in = LogBuilder(header("clock-ahead-6")).connect(30).at(9).end()
    assert not rows(let_in)[0].only_shows_the_default


def test_a_row_of_a_refused_device_has_its_refusal() -> None:
    """Of the first cell that shows one."""
    log = LogBuilder(header("wrong-key")).accept().hub("connack", code=5, check="signature", message="m").at(9).end()
    (row,) = rows(log)
    assert row.first_refusal
    assert (row.first_refusal.check, row.first_refusal.wire) == ("signature", "CONNACK 5")


def test_a_row_with_a_certificate_shows_no_default_of_tokens() -> None:
    """Its finding is that nothing happened, and it stands nowhere else."""
    document = {**msgspec.to_builtins(bundled_scenarios()["x509-thumbprint"]), "traffic": []}
    stayed = (
        LogBuilder(header("x509-thumbprint", scenario_document=document)).at(0.1).connect(3600).after(1).close().end()
    )
    assert not rows(stayed)[0].only_shows_the_default


def test_a_row_about_a_refusal() -> None:
    """Figures and signature are those of the refused renewal, whatever most renewals were like."""
    log = LogBuilder(header("renewal-refused", transport="amqp")).enter(60).at(10).renew(60, 401).after(0.05)
    log.disconnect().at(12).enter(60).at(22).renew(60).at(32).renew(60)
    (row,) = rows(log.at(40).end())
    assert (row.renewal, row.refused_renewal, row.first) == ("in-band", "in-band", ("device",))
    assert (row.gap_ms, row.signature_of) == ((1948.0,), (1, 1))
    assert row.hub_log == ("refused 401003", "disconnect", "connect")


def test_an_end_that_one_of_two_devices_noticed() -> None:
    """The row forgets neither."""

    def cut(repeat: int, *, noticed: bool) -> LogBuilder:
        head = header("expiry-close", transport="amqp", repeat=repeat, cell=f"cell-{repeat}")
        log = LogBuilder(head).enter(10).at(15).hub("cut", cause="token-expired", close="close", detail="")
        return (log.after(0.1).status("disconnect") if noticed else log).at(71).close().end()

    (row,) = rows(cut(1, noticed=True), cut(2, noticed=False))
    assert (row.unaware_s, row.silent_s) == (0.1, 56.0)


def read_on(date: str, value: float) -> dict[str, Any]:
    """A claim about the token's lifetime, read on that day."""
    return claim("token-lifetime", value, source={"document": "A document", "date": date})


def judged(*logs: LogBuilder) -> dict[str, tuple[Verdict, ...]]:
    """The verdicts on claims by the rows' scenarios, whatever the order of the rows."""
    return {row.scenario: tuple(one for one in row.verdicts if one.claimed) for row in rows(*logs)}


def the_default(scenario: str, *claims: dict[str, Any]) -> LogBuilder:
    """A cell in which nothing is set, with these claims in its header."""
    document = {**msgspec.to_builtins(bundled_scenarios()["renewal"]), "id": scenario}
    return LogBuilder(header(scenario_document=document, claims=claims)).at(0.1).connect(3600).after(1).close().end()


def test_each_row_is_judged_by_the_claims_of_its_own_cells() -> None:
    """Of two runs that were merged, in whichever order."""
    one = the_default("renewal", read_on("2026-01-01", 3600))
    other = the_default("defaults", read_on("2026-02-01", 60))
    found = judged(one, other)
    assert {name: [verdict.verdict for verdict in told] for name, told in found.items()} == {
        "renewal": ["confirmed"],
        "defaults": ["differs"],
    }
    assert judged(other, one) == found


def test_a_row_of_cells_that_do_not_agree_is_judged_by_what_was_read_last() -> None:
    """In whichever order the runs were merged."""
    older, newer = (
        the_default("defaults", read_on(date, value)) for date, value in (("2026-01-01", 60), ("2026-02-01", 3600))
    )
    assert [verdict.verdict for verdict in judged(older, newer)["defaults"]] == ["confirmed"]
    assert judged(older, newer) == judged(newer, older)


def test_where_runs_do_not_agree_no_order_decides_on_which_row_a_claim_is_judged() -> None:
    """Two rows are judged by the same claims, a third is not."""
    claims = read_on("2026-02-01", 3600)
    logs = [
        the_default("renewal", claims),
        the_default("a-renewal", claims),
        the_default("defaults", read_on("2026-01-01", 1)),
    ]
    assert judged(*logs) == judged(*reversed(logs))


def test_where_all_agree_the_plan_decides_on_which_row_a_claim_is_judged() -> None:
    """As the user asked for them."""
    claims = read_on("2026-02-01", 3600)
    assert [
        name for name, told in judged(the_default("renewal", claims), the_default("a-renewal", claims)).items() if told
    ] == ["renewal"]
