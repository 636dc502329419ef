"""Tests of the comparison's tables: they fit, they hide nothing, they invent nothing."""

from typing import Any

from harness.analysis import FirstRefusal, Row, Verdict
from harness.report.comparison import comparison
from harness.report.layout import WIDTH

CONFIRMED = Verdict(
    "renewal", "renewal-point", "confirmed", "lifetime - 120 s", "lifetime - 120 s", source="A document"
)
DIFFERS = Verdict(
    "drop", "disconnect-point", "differs", "lifetime + 0 s", "lifetime - 120 s", source="A document, a section"
)
SILENT = Verdict("closes-first", "closes-first", "documents silent", observed="device")


def a_row(**changes: Any) -> Row:
    """A measured row of a renewal."""
    fields: dict[str, Any] = {
        "sdk": "python", "sdk_name": "SDK for Python", "version": "2.14.0", "transport": "mqtt", "scenario": "renewal",
        "traffic": "sending+listening", "device": "real", "awaited": True, "origin": {"kind": "this-run"}, "lifetime_s": 130.0,
        "default_lifetime_s": 3600.0, "renewal": "reconnect", "renewals": 2, "points_s": (10.0, 10.2), "first": ("device",),
        "hub_log": ("disconnect", "connect"), "hub_levels": "informational", "app": ("changed False", "changed True"), "sent": 24,
        "gap_ms": (4.1, 3.9), "noisy": (False, True), "verdicts": (CONFIRMED, DIFFERS, SILENT), **changes,
    }  # fmt: skip
    return Row(**fields)


def test_the_text_fits_its_width_whatever_it_holds() -> None:
    """Long class names, chains, reasons, proxies."""
    long = "send_failed: " + ".".join(["a.very.long.package"] * 9) + ".AnExceptionOfSomeKind <- another.OfThem"
    rows = [
        a_row(app=(long,), hub_log=("401003", "404104", "refused 401003"), way={"via_proxy": True}),
        a_row(status="environment", reason="x" * 300, verdicts=()),
        a_row(device="emulated", complete=False, scenario="expiry", verdicts=(DIFFERS,), send_failed=12345),
    ]
    assert max(map(len, comparison(rows, "text", brief=True).splitlines())) <= WIDTH


def test_a_row_tells_what_was_measured() -> None:
    """Every figure of the row is there."""
    text = comparison([a_row()], "markdown", brief=False)
    for part in (
        "python 2.14.0",
        "130 s",
        "60 min",
        "10.0, 10.2 s",
        "reconnect,",
        "device",
        "disconnect",
        "changed True",
        "4.1",
        "3.9~",
        "24 sent",
    ):
        assert part in text


def test_scenarios_have_tables_of_their_own_in_the_order_of_their_first_row() -> None:
    """Whatever the order of the rows."""
    rows = [a_row(), a_row(scenario="expiry"), a_row(transport="mqtt-ws")]
    text = comparison(rows, "text", brief=True)
    assert text.index("renewal (traffic") < text.index("mqtt-ws") < text.index("expiry (traffic")


def test_a_row_that_did_not_run_says_why() -> None:
    """Nothing passes silently."""
    text = comparison([a_row(status="unsupported", reason="no AMQP here", verdicts=())], "text", brief=True)
    assert "unsupported" in text
    assert "no AMQP here" in text


def test_the_text_leaves_out_what_is_as_documented_and_says_so() -> None:
    """The Markdown holds everything."""
    text = comparison([a_row()], "text", brief=True).replace("\n", " ")
    assert "real: 1 confirmed, 1 documents silent. They are in the run's table.md" in text
    assert "lifetime + 0 s" in comparison([a_row()], "text", brief=True)
    assert "confirmed" in comparison([a_row()], "markdown", brief=False).split("Documents against")[1]


def test_transports_that_agree_share_a_line_of_the_claims() -> None:
    """And those that differ do not."""
    text = comparison([a_row(), a_row(transport="mqtt-ws")], "markdown", brief=False)
    assert "| mqtt<br>mqtt-ws | drop<br>(renewal) " in text


def test_marks_are_explained_where_they_are_used_only() -> None:
    """No legend for what is not there."""
    assert "emulated: played" not in comparison([a_row()], "text", brief=True)
    assert "emulated: played" in comparison([a_row(device="emulated")], "text", brief=True)


def test_an_application_that_saw_nothing_is_told_so() -> None:
    """Silence is a result."""
    assert "nothing" in comparison([a_row(app=())], "text", brief=True)


def test_lines_of_the_sdks_log_are_counted_in_brief_and_shown_in_full() -> None:
    """Without them an application may look unwarned."""
    row = a_row(log=("WARNING the.logger: trouble",))
    assert "log: 1 at WARNING" in comparison([row], "markdown", brief=True)
    assert "log: WARNING the.logger: trouble" in comparison([row], "markdown", brief=False)


def test_the_levels_of_the_hubs_records_stand_beside_their_codes() -> None:
    """A developer filters by them."""
    assert "(info + error)" in comparison([a_row(hub_levels="informational+error")], "markdown", brief=True)


def test_many_gaps_have_a_median_and_a_range() -> None:
    """From five on; noise stays marked."""
    text = comparison([a_row(gap_ms=(3.0, 4.0, 4.0, 4.0, 9.0), gap_median_ms=4.0)], "markdown", brief=False)
    assert "median 4.0~<br>3.0 to 9.0<br>of 5" in text


def test_a_recorded_row_says_when() -> None:
    """It was not measured in this run."""
    assert "recorded 2026-11-24" in comparison(
        [a_row(origin={"kind": "recorded", "date": "2026-11-24"})], "markdown", brief=False
    )


def test_a_scenario_that_only_shows_the_default_has_no_table() -> None:
    """Its finding is in the rows of the others; one that did not run is shown."""
    quiet: dict[str, Any] = {
        "scenario": "defaults",
        "traffic": "idle",
        "renewals": 0,
        "points_s": (),
        "hub_log": ("connect",),
        "verdicts": (),
    }
    assert "defaults" not in comparison([a_row(), a_row(**quiet)], "text", brief=True)
    assert "defaults" in comparison([a_row(), a_row(**quiet, status="environment", reason="x")], "text", brief=True)
    assert "defaults" in comparison([a_row(**quiet)], "text", brief=True)


def test_a_device_that_left_and_never_came_back_is_not_back() -> None:
    """Which is more than that there is no gap."""
    assert "not back" in comparison([a_row(gap_ms=(), noisy=())], "text", brief=True)


def test_what_follows_a_refusal_is_told() -> None:
    """In the column of the renewal."""
    assert "then tries at every send" in comparison([a_row(recovery="next-send")], "markdown", brief=True)


def test_only_classes_lose_their_packages() -> None:
    """A callback or a status that looks like one is the SDK's own word."""
    text = comparison([a_row(app=("on.state.change a.b: x.y.Error, z.Cause",))], "markdown", brief=True)
    assert "on.state.change a.b: Error, Cause" in text


def test_a_claims_line_says_where_it_was_measured() -> None:
    """Evidence of this run and of another is never one."""
    rows = [a_row(), a_row(transport="mqtt-ws", origin={"kind": "recorded", "date": "2025-01-01"})]
    claims = comparison(rows, "markdown", brief=True).split("Documents against")[1]
    assert claims.count("drop<br>(renewal)") == 2
    assert "real, recorded 2025-01-01" in claims


def test_notes_of_rows_are_told() -> None:
    """Once each."""
    assert "python 2.14.0 mqtt renewal: beware" in comparison([a_row(notes=("beware",))], "text", brief=True)


def test_a_row_that_did_not_see_all_it_waited_for_is_marked() -> None:
    """It is complete all the same."""
    assert "not all seen: what the scenario waits for" in comparison([a_row(awaited=False)], "text", brief=True)
    assert "not all seen" not in comparison([a_row()], "text", brief=True)


def test_a_signature_that_not_every_absence_had_says_so() -> None:
    """Two of six that look different are no detail."""
    assert "(4 of 6 times)" in comparison([a_row(signature_of=(4, 6))], "text", brief=True)


def test_a_row_that_was_measured_is_not_hidden_because_nothing_came_of_it() -> None:
    """What was sent, and that no renewal was seen, is a finding."""
    sending = a_row(scenario="mine", renewals=0, points_s=(), hub_log=("connect",), verdicts=())
    set_up = a_row(
        scenario="mine", traffic="idle", settings={"lifetime_s": 20.0}, renewals=0, points_s=(), hub_log=("connect",)
    )
    for row in (sending, set_up):
        assert "mine (traffic" in comparison([a_row(), row], "text", brief=True)


def test_no_row_is_no_table() -> None:
    """But a sentence."""
    assert comparison([], "text", brief=True) == "No cell was run."


def in_place(**changes: Any) -> Row:
    """A row of renewals in place."""
    fields: dict[str, Any] = {
        "renewal": "in-band",
        "first": (),
        "hub_log": (),
        "hub_levels": "",
        "app": (),
        "gap_ms": (),
        "noisy": (),
    }
    return a_row(transport="amqp", verdicts=(), **{**fields, **changes})


def test_a_renewal_in_place_has_no_gap_and_nobody_who_closes() -> None:
    """The hub's log and the application saw nothing."""
    table = comparison([in_place()], "markdown", brief=True)
    cells = [cell.strip() for cell in table.splitlines()[-1].split("|")[3:8]]
    assert cells == ["at 10.0, 10.2 s", "in-band", "nothing", "nothing", "-"]


def test_renewals_that_do_not_look_alike() -> None:
    """How many of them saw nothing is told."""
    assert "nothing<br>(2 of 3 times)" in comparison([in_place(signature_of=(2, 3))], "markdown", brief=False)


def test_what_followed_an_end() -> None:
    """How long the device noticed nothing, what brought it back, and whether C2D works again."""
    followed = {"renewal": None, "first": ("hub",), "recovery": "none"}
    dead = a_row(**followed, unaware_s=45.01, returned="next-send", c2d_after_return="dead")
    assert "-,<br>hub first,<br>unaware for 45 s,<br>back at the next send,<br>C2D dead from then on" in comparison(
        [dead], "markdown", brief=True
    )
    at_once = a_row(**followed, unaware_s=0.004, returned="none")
    assert "-,<br>hub first,<br>never back |" in comparison([at_once], "markdown", brief=True)


def test_a_renewal_that_was_refused() -> None:
    """How it was tried, and what became of it, not how the others went; where the device stayed, how it made up for it."""
    refused = {"renewal": "in-band", "refused_renewal": "in-band"}
    left = a_row(**refused, first=("device",), returned="next-send")
    assert "| in-band refused,<br>device first,<br>back at the next send |" in comparison(
        [left], "markdown", brief=True
    )
    stayed = a_row(**refused, first=())
    assert "| in-band refused,<br>then in-band |" in comparison([stayed], "markdown", brief=True)


def test_a_device_that_was_never_let_in() -> None:
    """By what it was refused, in the hub's words or in brief by the check; what followed; and what the application was led to believe."""
    refused = FirstRefusal(
        by="hub", at_s=0.1, check="credential", pattern="Authorization header missing", wire="attach x", attempts=3, watched_s=9.0,
        then="next-send", believed=True,
    )  # fmt: skip
    row = a_row(renewal=None, first=(), hub_log=("refused 401003",), hub_levels="error", first_refusal=refused)
    brief = comparison([row], "markdown", brief=True)
    assert "| refused: attach x,<br>then tries at every send (2 in 9 s),<br>yet called connected |" in brief
    assert "| refused 401003<br>(error)<br>credential |" in brief
    assert '(error)<br>"Authorization header missing" |' in comparison([row], "markdown", brief=False)


def test_a_device_that_left_it_at_one_refusal_or_was_refused_by_its_sdk() -> None:
    """The hub has nothing to say of the latter."""
    once = FirstRefusal(
        by="hub", at_s=0.1, check="expiry", pattern="p", wire="CONNACK 5", attempts=1, watched_s=9.0, then="none"
    )
    unsure = FirstRefusal(by="hub", at_s=0.1, check="expiry", pattern="p", wire="CONNACK 5", attempts=1)
    own = FirstRefusal(by="sdk", at_s=0.1, watched_s=9.0, then="none")
    for refused, said in (
        (once, "| refused: CONNACK 5,<br>no further attempt in 9 s |"),
        (unsure, "| refused: CONNACK 5 |"),
        (own, "| refused by the SDK itself |"),
    ):
        row = a_row(renewal=None, first=(), hub_log=(), hub_levels="", first_refusal=refused)
        assert said in comparison([row], "markdown", brief=True)
    assert "| nothing " in comparison([row], "markdown", brief=False)


def test_an_end_that_nobody_noticed() -> None:
    """It lasted for longer than was watched, whatever another cell noticed."""
    for noticed, silent, said in ((0.1, 56.0, "more than 56 s"), (None, 17.0, "more than 17 s"), (45.0, 12.0, "45 s")):
        row = a_row(renewal=None, first=("hub",), unaware_s=noticed, silent_s=silent, returned="none")
        assert f"first,<br>unaware for {said},<br>never back |" in comparison([row], "markdown", brief=True)


ELSEWHERE = {
    "kind": "recorded", "date": "2026-11-24", "sdk": "python", "version": "2.14.0", "runtime": "CPython 3.13",
    "built": "wheel", "hub": "a hub", "machine": "a board",
}  # fmt: skip


def recorded(**changes: Any) -> Row:
    """A row measured on another machine."""
    return a_row(origin=ELSEWHERE, **changes)


def test_where_a_recording_comes_from_is_told_once() -> None:
    """Wherever one is shown, with how the SDK was built."""
    text = comparison([a_row(), recorded(), recorded(transport="mqtt-ws")], "text", brief=True)
    said = " ".join(text.split())
    assert said.count("real, recorded 2026-11-24: measured on another machine (a board), not in this run") == 1
    assert "python 2.14.0, built from: wheel; CPython 3.13; a hub" in said


def test_where_each_of_several_recordings_comes_from_is_told() -> None:
    """Be they of one date."""
    other = a_row(sdk="java", origin={**ELSEWHERE, "sdk": "java", "built": "Maven"})
    said = " ".join(comparison([recorded(), other], "text", brief=True).split())
    assert "python 2.14.0, built from: wheel" in said
    assert "java 2.14.0, built from: Maven" in said


def test_why_nothing_was_measured_here_is_told_in_one_line() -> None:
    """The emulated row knows it, or that of a real device that could not run."""
    here = a_row(device="emulated", way={"why_emulated": "R is not installed (get R)"})
    line = "python: no real device in this run: R is not installed (get R)"
    assert line in comparison([here, recorded()], "text", brief=True).splitlines()
    failed = a_row(status="environment", reason="R is not installed (get R)")
    assert line in comparison([failed, recorded()], "text", brief=True).splitlines()


def test_each_absent_runtime_has_one_line_that_says_what_brings_it() -> None:
    """However many rows want it, emulated or not run at all; and whole, however long the command is."""
    why = f"R is not installed (get R {'--and-more ' * 12})"
    emulated = [a_row(device="emulated", transport=name, way={"why_emulated": why}) for name in ("mqtt", "amqp")]
    failed = a_row(sdk="node", status="environment", reason="N is not installed (get N)")
    lines = comparison([*emulated, failed], "text", brief=True).splitlines()
    assert [line for line in lines if "no real device" in line] == [
        "node: no real device in this run: N is not installed (get N)",
        f"python: no real device in this run: {why}",
    ]


def test_what_one_machine_lacks_is_nothing_for_a_document() -> None:
    """A published table is read elsewhere."""
    row = a_row(device="emulated", way={"why_emulated": "no R"})
    assert "no real device in this run" not in comparison([row], "markdown", brief=True)


def test_where_nothing_is_lacking_there_is_nothing_to_explain() -> None:
    """It was measured here, if over one transport only; an emulated device was asked for; nothing was run; no machine could."""
    silent = (
        [a_row(), recorded()],
        [a_row(), a_row(transport="amqp", status="environment", reason="port 443 is taken")],
        [a_row(device="emulated")],
        [recorded()],
        [a_row(status="unsupported", reason="no SDK has it")],
    )
    assert not any("no real device in this run" in comparison(rows, "text", brief=True) for rows in silent)


def test_gaps_of_an_accelerated_clock_are_none_of_the_sdks() -> None:
    """They are shown and marked, in the row and below."""
    text = comparison([recorded(clock_rate=60.0, gap_ms=(5902.0,))], "markdown", brief=False)
    assert "5902<br>x60, not the SDK's" in text
    assert "so that such a gap is not the SDK's" in text


def test_a_hub_log_that_is_lacking_is_not_observed() -> None:
    """`nothing` would say that the hub had logged nothing."""
    assert "not observed" in comparison([recorded(lacks=("hub-log",), hub_log=())], "markdown", brief=False)


def test_counts_that_are_the_least_there_was() -> None:
    """Marked and explained, none among them: that there were none was not seen either."""
    text = comparison([recorded(lacks=("quiet-rows",), duplicated=1, reordered=0)], "markdown", brief=False)
    assert "≥ 1 dup<br>≥ 0 reord" in text
    assert "so many at least" in text
    assert "so many at least" not in comparison([recorded(lacks=("quiet-rows",), sent=0)], "markdown", brief=False)


def test_failed_sends_in_rows_that_are_left_out() -> None:
    """Those that are there are the least there were."""
    text = comparison([recorded(lacks=("last-rows",), send_failed=6)], "markdown", brief=False)
    assert "≥ 6 failed" in text


def test_counts_that_the_logs_do_not_tell() -> None:
    """In their place stands that they were not observed."""
    text = comparison([recorded(lacks=("quiet-rows",), untold=("lost", "duplicated"))], "markdown", brief=False)
    assert "<br>lost not observed<br>dup not observed<br>≥ 0 reord" in text


def test_a_row_with_other_traffic_than_its_tables_says_so() -> None:
    """A recording may have been made without listening."""
    text = comparison([a_row(), recorded(traffic="sending")], "markdown", brief=False)
    assert "recorded 2026-11-24<br>(sending)" in text


def test_in_markdown_the_lines_below_the_tables_are_a_list() -> None:
    """They would run together otherwise."""
    text = comparison([a_row(device="emulated"), a_row(transport="amqp")], "markdown", brief=True)
    assert "\n- emulated: played" in text
    assert "\n- ~ the gap" in text
