"""The sentences of advice, and the cells they rest on."""

import pytest
from support.advice_rows import (
    FRACTION,
    HUB_CUT,
    NEVER,
    RECORDED,
    a_defaults_row,
    a_row,
    an_end,
    an_sdk,
    cells_of,
    in_place,
    left,
    sent,
)
from support.analysis_findings import cell, renewing

from harness.analysis.law import LawFinding, Observation
from harness.analysis.prospect import Prospect, figures_at, prospects
from harness.analysis.reasons import Reason, reasons, settings_of, with_a_lifetime
from harness.analysis.rows import Row
from harness.analysis.verdicts import Verdict

LAW = "by the law L - 120 s (L = 60 min), measured with tokens of 130 s"
CUT = cells_of(left(10.0, 2), left(50.0, 2))


def only(*rows: Row) -> Prospect:
    """The only prospect of these rows."""
    (found,) = prospects([("run", rows)])
    return found


def told(*rows: Row) -> dict[str, Reason]:
    """The sentences at the default lifetime."""
    one = only(*rows)
    return {reason.text: reason for reason in reasons(one, figures_at(one, one.volume.default_lifetime_s))}


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (a_row(), "No error in the hub's log: 2 renewals left none."),
        (a_row(HUB_CUT, CUT), "41.1 errors a day in the hub's log: 2 errors at each renewal, as 2 renewals showed."),
        (a_row(lacks=("hub-log",)), "not measured: errors in the hub's log: the recording holds none of the hub's records."),
        (a_row(None), "not measured: errors in the hub's log: the law was not observed: two fit alike."),
        (a_row(None), "not measured: how often it renews: the law was not observed: two fit alike."),
        (a_row(), "It is away for 2.48 s a day: 100 ms each time, the mean of 2."),
        (
            a_row(cells=cells_of(left(10.0, noisy=True))),
            "It is away for 2.48 s a day: 100 ms each time, the mean of 1; below five times the hub's own delay, so an estimate.",
        ),
        (a_row(FRACTION, cells_of(in_place(10.0))), "It is never away for that: the connection stays."),
        (
            a_row(FRACTION, cells_of(in_place(10.0)), transport="https"),
            "It is never away for that: there is no connection to be lost.",
        ),
        (
            a_row(None, cells_of(in_place(10.0)), transport="https", token_use="each-request"),
            "It makes a token for each request, so that none has to be renewed.",
        ),
        (
            a_row(None, cells_of(in_place(10.0)), transport="https", token_use="each-request"),
            "No error in the hub's log: 1 renewal left none.",
        ),
        (a_row(NEVER, [cell(messages=sent(7))]), "None of 7 messages was lost in what was measured."),
        (a_row(clock_rate=60.0), "not measured: how long it is away: the clock ran 60 times as fast, and such a gap is not the SDK's."),
        (a_row(), "The application is shown no exception. It sees nothing of a renewal."),
        (
            a_row(HUB_CUT, CUT, app=("Disconnected: java.io.EOFException", "Connected")),
            "The application is shown 20.6 errors a day. At each renewal it sees Disconnected: EOFException and Connected.",
        ),
        (a_row(cells=cells_of(left(1.0, cut_short=True)), app=("x",)), "not measured: errors the application is shown: no renewal was seen to its end."),
        (a_row(), "None of 40 messages was lost around renewals."),
        (
            a_row(cells=cells_of(left(10.0), messages=sent(9, lost=2, send_failed=1, unfinished=3))),
            "2 of 9 was lost around renewals; 1 failed and the application was told; 3 had not arrived at the end.",
        ),
        (
            a_row(cells=cells_of(left(10.0), messages=sent(9, untold=("lost",)))),
            "not measured: lost messages around renewals: these logs do not tell.",
        ),
        (a_row(), "not measured: what it does where something else ends the connection."),
        (a_row(cells=cells_of(left(10.0))), "not measured: whether the lifetime can be set: it needs cells with two lifetimes."),
        (a_row(cells=cells_of(left(10.0), capabilities=())), "The margin cannot be set: its device program offers no such setting."),
        (a_row(cells=[*cells_of(left(10.0)), renewing(130, 10.0, margin_s=70.0)]), "Setting the margin has no effect."),
        (a_row(cells=(), status="environment", reason="no port"), "not measured: no port."),
    ],
)  # fmt: skip
def test_what_is_said(row: Row, text: str) -> None:
    """Each thing in a sentence of its own, and what was not observed in one that says so."""
    assert text in told(row)


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (a_row(), f"It reconnects 24.8 times a day, {LAW} and 170 s."),
        (
            a_row(HUB_CUT, CUT),
            "It is cut by the hub 20.6 times a day, by the law L + grace (L = 60 min, grace = 10 min), measured with tokens of 130 s and 170 s.",
        ),
        (
            a_row(FRACTION, cells_of(in_place(10.0), in_place(50.0))),
            "It renews in place 28.2 to 32 times a day, by the law 0.75 to 0.85 x L (L = 60 min), measured with tokens of 130 s and 170 s.",
        ),
        (
            a_row(cells=cells_of(left(10.0, cut_short=True), left(50.0, cut_short=True))),
            f"It renews 24.8 times a day, {LAW} and 170 s.",
        ),
        (
            a_row(cells=cells_of(left(10.0))),
            f"It reconnects 24.8 times a day, {LAW} and 170 s, some of them in scenarios that are not shown with this run.",
        ),
    ],
)  # fmt: skip
def test_how_often_it_renews_is_told_with_the_law(row: Row, text: str) -> None:
    """The lifetime that it was reckoned for, and those that were watched."""
    assert text in told(row)


def test_once_a_day_is_not_one_times_a_day() -> None:
    """With tokens of a day and the margin."""
    one = only(a_row())
    assert any(reason.text.startswith("It reconnects once a day") for reason in reasons(one, figures_at(one, 86520.0)))


def test_a_sentence_names_its_cells_and_what_they_show() -> None:
    """Those of renewals and of the default lifetime; those of ends; those that lost something."""
    lost = cell(cell="lossy", messages=sent(3, lost=1))
    found = told(
        a_row(origin=RECORDED), a_defaults_row(origin=RECORDED), an_end("none", origin=RECORDED),
        a_row(cells=[lost], scenario="idle", law=None, origin=RECORDED),
    )  # fmt: skip
    assert {reason.origin for reason in found.values()} == {"real, recorded 2026-01-02"}
    assert found["No error in the hub's log: 2 renewals left none."].cells == ("L1", "L2")
    assert found[f"It reconnects 24.8 times a day, {LAW} and 170 s."].cells == ("L1", "L2", "defaults")
    assert found["The lifetime can be set."].cells == ("L1", "L2", "defaults")
    assert found["1 of 8 was lost in what else was measured."].cells == ("lossy",)
    ended = "Where something else ends the connection, it was not seen to come back: cut-idle."
    assert found[ended].cells == ("cut-idle",)


def test_a_row_without_renewals_rests_on_all_its_cells() -> None:
    """Somebody looked for them there."""
    row = a_row(None, [cell(cell="own-token", credential="token")])
    assert told(row)["not measured: how often it renews: no renewal was seen to its end."].cells == ("own-token",)


def test_documents_that_say_otherwise_are_told() -> None:
    """Those alone."""
    wrong = Verdict("renewal-point", "renewal-point", "differs", "85 % of the lifetime", "never")
    right = Verdict("lifetime", "token-lifetime", "confirmed", "3600 s", "3600 s")
    text = "The documents say otherwise of renewal-point (claimed 85 % of the lifetime, seen never)."
    assert told(a_row(verdicts=(wrong, right)))[text].cells == ("L1", "L2")


def test_what_another_lifetime_would_bring() -> None:
    """Errors and seconds away, where renewals cost any."""
    cut, kept = only(*an_sdk(fit=HUB_CUT, cells=CUT)), only(*an_sdk(fit=FRACTION, cells=cells_of(in_place(10.0))))
    assert with_a_lifetime(cut, 172800.0) == Reason(
        "With a lifetime of 48 h it would renew once in 2.01 days, with 1 error in the hub's log and 0.05 s away a day.",
        ("L1", "L2", "defaults"),
        "real",
    )
    assert with_a_lifetime(kept, 108000.0) == Reason(
        "With a lifetime of 30 h it would renew 0.941 to 1.07 times a day.", ("L1", "defaults"), "real"
    )


@pytest.mark.parametrize(
    "rows",
    [
        [a_row(cells=cells_of(left(10.0)))],
        [a_row(NEVER), a_defaults_row()],
        [a_row(cells=(), status="environment", reason="no port")],
    ],
)
def test_no_other_lifetime_is_spoken_of_where_it_cannot_be_reckoned_or_set(rows: list[Row]) -> None:
    """Nobody saw that it can be set; it never renews; nothing ran."""
    assert with_a_lifetime(only(*rows), 86400.0) is None


def test_what_was_not_counted_is_left_out_of_another_lifetime() -> None:
    """Neither the hub's records nor gaps."""
    rows = an_sdk(fit=HUB_CUT, cells=CUT, lacks=("hub-log",), clock_rate=60.0)
    reason = with_a_lifetime(only(*rows), 172800.0)
    assert reason is not None
    assert reason.text == "With a lifetime of 48 h it would renew once in 2.01 days."


@pytest.mark.parametrize(
    ("lifetime_s", "lifetime_set", "words"),
    [
        (None, False, "at its defaults (lifetime not measured)"),
        (3600.0, False, "at its defaults (lifetime 60 min)"),
        (86400.0, True, "lifetime 24 h (default 60 min)"),
    ],
)
def test_settings_in_words(lifetime_s: float | None, lifetime_set: bool, words: str) -> None:  # noqa: FBT001 - a table
    """What is left alone, and what has to be set."""
    assert settings_of(only(a_row()), lifetime_s, lifetime_set=lifetime_set) == words


def test_a_lifetime_that_is_set_beside_an_unknown_default() -> None:
    """Nothing is said of that."""
    one = only(a_row(default_lifetime_s=None))
    assert settings_of(one, 86400.0, lifetime_set=True) == "lifetime 24 h"


def test_the_law_is_told_by_the_lifetimes_that_were_watched() -> None:
    """Each once."""
    twice = (Observation(130.0, 10.0), Observation(130.0, 10.0))
    row = a_row(cells=cells_of(left(10.0)), law=LawFinding(FRACTION, observations=twice))
    assert any(text.endswith("measured with tokens of 130 s.") for text in told(row))
