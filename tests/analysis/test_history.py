"""What changed from version to version."""

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from support.analysis_findings import cell, renewal

from harness.analysis.behaviour import baseline
from harness.analysis.cases import RunFacts
from harness.analysis.findings import AbsenceFinding, Aftermath, CellFindings, InBandFinding, RefusedRenewal
from harness.analysis.history import Change, History, Step
from harness.analysis.history import histories as histories_of
from harness.analysis.law import Fit, LawFinding
from harness.analysis.rows import Row


def row(version: str, /, **changes: Any) -> Row:
    """A row of one SDK in which nothing was seen but `changes`."""
    fields: dict[str, Any] = {
        "sdk": "sdk",
        "sdk_name": "An SDK",
        "transport": "mqtt",
        "scenario": "renewal",
        "traffic": "idle",
        "device": "real",
    }
    return Row(version=version, origin={}, **fields | changes)


def histories(rows: Iterable[Row]) -> tuple[History, ...]:
    """The histories of one run of these rows."""
    return histories_of([baseline(rows, RunFacts(""))])


def steps(*rows: Row) -> tuple[Step, ...]:
    """The steps of the only history of these rows."""
    (found,) = histories(rows)
    return found.steps


def changes(*rows: Row) -> list[tuple[Change, ...]]:
    """What changed, by version."""
    return [step.changes for step in steps(*rows)]


def shown(one: Row, what: str) -> str | None:
    """How a version shows a trait."""
    return steps(one)[0].shows.get(what)


def law(member: str, low: float, high: float) -> LawFinding:
    """A law with this interval."""
    return LawFinding(Fit(member, low, (low + high) / 2, high, 0.0))  # type: ignore[arg-type] # one of its words


def test_versions_come_in_their_order() -> None:
    """Whatever order they were run in; a pre-release before what it leads to."""
    found = steps(row("2.10.0"), row("2.9.0"), row("2.15.0"), row("2.15.0rc1"), row("LTS_1"))
    assert [step.version for step in found] == ["2.9.0", "2.10.0", "2.15.0rc1", "2.15.0", "LTS_1"]


def test_every_sdk_transport_scenario_and_evidence_has_a_history() -> None:
    """In the order of their first rows."""
    others: list[dict[str, Any]] = [{"sdk": "x"}, {"transport": "amqp"}, {"scenario": "expiry"}, {"device": "emulated"}]
    found = histories([row("1"), *(row("1", **other) for other in others), row("2")])
    assert [len(one.steps) for one in found] == [2, 1, 1, 1, 1]
    assert (found[0].sdk, found[0].sdk_name, found[0].transport, found[0].scenario) == (
        "sdk",
        "An SDK",
        "mqtt",
        "renewal",
    )
    assert (found[0].traffic, found[0].device, found[0].origin) == ("idle", "real", {})


def test_a_change_names_both_and_since_when() -> None:
    """The version before that showed it may be further back."""
    found = changes(row("1", renewal="reconnect"), row("2"), row("3", renewal="in-band"), row("4", renewal="in-band"))
    assert found == [(), (), (Change("renewal", "reconnect", "in-band", "1"),), ()]


def test_a_version_that_was_not_measured_says_why() -> None:
    """It shows nothing, and what comes after it is compared with what came before."""
    refused = row("2", status="unsupported", reason="no such setting")
    found = steps(row("1", renewal="reconnect"), refused, row("3", renewal="none"))
    assert found[1] == Step("2", "unsupported", "no such setting")
    assert found[2].changes == (Change("renewal", "reconnect", "none", "1"),)


def test_a_version_whose_log_is_cut_short_changes_nothing() -> None:
    """What it would have shown later is not known; a scenario whose awaited end did not come was seen whole."""
    short = row("2", app=("connected",), complete=False)
    found = steps(row("1", app=("connected", "dropped")), short, row("3", app=("connected",), awaited=False))
    assert found[1] == Step("2", "incomplete", "a log ends before the scenario does")
    assert [(one.what, one.since) for one in found[2].changes] == [("application saw", "1")]


@pytest.mark.parametrize(
    ("first", "second", "changed"),
    [
        (law("margin", 119, 121), law("margin", 120.5, 122), False),
        (law("margin", 119, 121), law("margin", 899, 901), True),
        (law("margin", 0.1, 0.9), law("fraction", 0.1, 0.9), True),
        (law("fraction", 0.79, 0.84), law("fraction", 0.84, 0.86), False),
        (law("none", 0, 0), law("none", 0, 0), False),
    ],
)
def test_a_law_changes_beyond_what_fits(first: LawFinding, second: LawFinding, *, changed: bool) -> None:
    """Its words may differ by less."""
    assert bool(changes(row("1", law=first), row("2", law=second))[1]) is changed
    assert bool(changes(row("1", disconnect_law=first), row("2", disconnect_law=second))[1]) is changed


def test_a_law_that_was_not_chosen_is_no_trait() -> None:
    """The other versions are compared past it."""
    found = changes(
        row("1", law=law("margin", 1, 2)), row("2", law=LawFinding(None)), row("3", law=law("margin", 8, 9))
    )
    assert [len(one) for one in found] == [0, 0, 1]


@pytest.mark.parametrize(("first", "second", "changed"), [(3599.1, 3600.9, False), (3600.0, 900.0, True)])
def test_the_default_lifetime(first: float, second: float, *, changed: bool) -> None:
    """To the second, or nearly."""
    found = changes(row("1", default_lifetime_s=first), row("2", default_lifetime_s=second))
    assert bool(found[1]) is changed


@pytest.mark.parametrize(
    ("gaps_ms", "text"),
    [
        ((4.0, 99.0, 500.0), "below 0.1 s"),
        ((100.0,), "0.1 to 1 s"),
        ((1000.0, 9999.0), "1 to 10 s"),
        ((10_000.0,), "10 s or more"),
    ],
)
def test_the_shortest_gap_has_a_class(gaps_ms: tuple[float, ...], text: str) -> None:
    """Milliseconds say more about the machine than about the SDK."""
    assert shown(row("1", gap_ms=gaps_ms), "shortest gap") == text


def test_a_gap_near_the_end_of_a_class_is_no_change() -> None:
    """Three times as long is one."""
    assert changes(row("1", gap_ms=(90.0,)), row("2", gap_ms=(120.0,)))[1] == ()
    assert len(changes(row("1", gap_ms=(90.0,)), row("2", gap_ms=(290.0,)))[1]) == 1


def test_a_device_that_does_not_come_back() -> None:
    """It was away, and has no gap; where nothing was closed, there is none to speak of."""
    assert shown(row("1", points_s=(10.0,), first=("hub",)), "shortest gap") == "not back"
    assert shown(row("1", points_s=(10.0,)), "shortest gap") is None
    assert shown(row("1"), "shortest gap") is None


def cells(*found: CellFindings) -> Row:
    """A row with these cells."""
    return row("1", cells=found)


@pytest.mark.parametrize(
    ("absences", "text"),
    [
        ([renewal(10)], "says so"),
        ([renewal(10, cause="closed")], "without a word"),
        ([renewal(10), renewal(20, cause="closed")], "says so / without a word"),
        ([renewal(10, "hub-cut")], None),
        ([], None),
    ],
)
def test_how_a_device_leaves(absences: list[AbsenceFinding], text: str | None) -> None:
    """By DISCONNECT or CLOSE, or without; a cut by the hub is neither."""
    assert shown(cells(cell(absences=tuple(absences))), "leaves") == text


def test_who_stays_does_not_leave() -> None:
    """A renewal in place ends nothing, and a cell that was not measured shows nothing."""
    unmeasured = cell(absences=(renewal(10),), status="environment")
    assert shown(cells(cell(in_band=(InBandFinding(10.0, 4.0),)), unmeasured), "leaves") is None


@pytest.mark.parametrize(
    ("refused", "text"),
    [
        (RefusedRenewal(10.0, "reconnect", 5), "not renewed any more"),
        (RefusedRenewal(10.0, "reconnect", 5, renewed_s=20.02), "renewed 10 s later"),
    ],
)
def test_what_became_of_a_refused_renewal(refused: RefusedRenewal, text: str) -> None:
    """To the second."""
    assert shown(cells(cell(refused_renewals=(refused,))), "refused renewals") == text
    assert shown(cells(cell()), "refused renewals") is None
    assert shown(cells(cell(refused_renewals=(refused,), status="environment")), "refused renewals") is None


def test_a_retry_is_the_same_a_little_later() -> None:
    """But not where it is another timer."""

    def retried(version: str, after_s: float) -> Row:
        refused = RefusedRenewal(10.0, "reconnect", 5, renewed_s=10.0 + after_s)
        return msgspec.structs.replace(cells(cell(refused_renewals=(refused,))), version=version)

    assert changes(retried("1", 9.9), retried("2", 11.0))[1] == ()
    assert len(changes(retried("1", 10.0), retried("2", 20.0))[1]) == 1


def test_words_are_compared_as_they_are() -> None:
    """What the row says by a word of its own."""
    said = row(
        "1",
        renewal="reconnect",
        first=("device", "hub"),
        hub_log=("disconnect", "connect"),
        app=("status: a.b.Error", "status: a.b.Error"),
        recovery="retries",
        returned="by-itself",
        unaware_s=0.0,
        c2d_after_return="dead",
    )
    assert steps(said)[0].shows == {
        "renewal": "reconnect",
        "closes first": "device / hub",
        "hub log": "disconnect, connect",
        "application saw": "status: Error",
        "after a refusal": "retries",
        "return": "by-itself",
        "unaware": "below 0.1 s",
        "C2D after return": "dead",
    }


def test_what_became_of_messages_is_some_or_none() -> None:
    """And nothing where none was sent."""
    found = steps(row("1", sent=9, lost=1, unfinished=3), row("2", sent=9, send_failed=1), row("3"))
    assert [change.what for change in found[1].changes] == ["messages lost", "sends failed", "sends without an end"]
    assert found[2].shows == {"application saw": "nothing"}


def test_what_a_recording_does_not_tell_is_no_trait() -> None:
    """Which messages were lost; the gaps under an accelerated clock are none of the SDK's."""
    assert shown(row("1", sent=3, untold=("lost",)), "messages lost") is None
    assert shown(row("1", gap_ms=(3545.0,), clock_rate=60.0, points_s=(1.0,), first=("hub",)), "shortest gap") is None


def test_a_history_is_json_as_it_stands() -> None:
    """For a program to read."""
    plain = msgspec.json.decode(msgspec.json.encode(histories([row("1", renewal="none"), row("2", renewal="in-band")])))
    assert plain[0]["steps"][1]["changes"] == [
        {"what": "renewal", "before": "none", "after": "in-band", "since": "1", "run": ""}
    ]


def test_the_aftermath_of_a_cell_is_no_trait() -> None:
    """Only the row's own figures are."""
    assert shown(cells(cell(aftermath=Aftermath(returned=("none",)))), "return") is None


def test_several_runs_stand_by_version_and_date() -> None:
    """In whatever order they are named; each change says in which run the trait was seen before."""
    runs = [
        baseline([row("2", renewal="none"), row("1", renewal="reconnect")], RunFacts("later", "2026-02-01T00:00:00Z")),
        baseline([row("2", renewal="in-band")], RunFacts("earlier", "2026-01-01T00:00:00Z")),
    ]
    (found,) = histories_of(runs)
    assert [(step.version, step.run, step.date[:10]) for step in found.steps] == [
        ("1", "later", "2026-02-01"),
        ("2", "earlier", "2026-01-01"),
        ("2", "later", "2026-02-01"),
    ]
    assert [one for step in found.steps for one in step.changes] == [
        Change("renewal", "reconnect", "in-band", "1", "later"),
        Change("renewal", "in-band", "none", "2", "earlier"),
    ]


def test_runs_of_one_name_are_two() -> None:
    """As those of two machines may be."""
    (found,) = histories_of([baseline([row("1")], RunFacts("run"))] * 2)
    assert len(found.steps) == 2


def test_a_recording_beside_several_runs_is_shown_once() -> None:
    """It was measured in none of them."""
    recorded = msgspec.structs.replace(row("1"), origin={"kind": "recorded", "date": "2026-01-01"})
    (found,) = histories_of([baseline([recorded], RunFacts(name)) for name in ("one", "two")])
    assert [(step.run, step.date) for step in found.steps] == [("", "")]


def test_other_settings_have_another_history() -> None:
    """A token that lives longer is renewed at another time."""
    found = histories([row("1", settings={"lifetime_s": 20.0}), row("2", settings={"lifetime_s": 30.0})])
    assert [one.settings for one in found] == [{"lifetime_s": 20.0}, {"lifetime_s": 30.0}]
