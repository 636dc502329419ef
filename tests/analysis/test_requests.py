"""Requests over HTTPS: what they tell of tokens, and the findings, rows and verdicts that come of it."""

from typing import Any

import msgspec
import pytest
from support.analysis_logs import BASE, LogBuilder, claim, header

from harness.analysis import analyse, analyse_cell
from harness.analysis.findings import CellFindings, PerRequestFinding
from harness.analysis.requests import as_puts, token_use
from harness.analysis.story import story
from harness.analysis.summary import summary
from harness.analysis.volume import volumes
from harness.events import Event
from harness.report.columns import columns


def request(
    log: LogBuilder, made_at: float, lifetime_s: float = 10.0, *, status: int = 204, conn: int = 1
) -> LogBuilder:
    """A request with a token made at a moment, answered at once; a status of 401 is a refusal."""
    se = int(BASE + made_at + lifetime_s)
    token = {"sr": "h", "se": se, "skn": None, "digest": f"{se:016x}", "left_s": se - BASE - log.now}
    reason = {"reason": "expired"} if status == 401 else {}
    log.emit("hub", "http-request", conn=conn, request=1, method="POST", path="/", token=token)
    return log.emit("hub", "http-response", conn=conn, request=1, status=status, **reason)


def begun(scenario: str = "https-renewal", **fields: Any) -> LogBuilder:
    """A cell over HTTPS whose device was told to open."""
    head = header(scenario, {"lifetime_s": 10} if scenario == "https-renewal" else None, transport="https", **fields)
    return LogBuilder(head).hello("lifetime").at(0.5).harness("command", cmd="open").app("opened")


def ended(log: LogBuilder, at: float) -> LogBuilder:
    """The end of the cell."""
    log.at(at).harness("command", cmd="close").app("closed")
    return log.after(0.1).harness("cell-end", status="finished", reason="", awaited=True)


def kept() -> LogBuilder:
    """A token that is kept for nine seconds, over a connection that is not."""
    log = begun()
    for second in range(1, 25):
        log.at(second).send(second)
        request(log, 1 + (second - 1) // 9 * 9, conn=second)
        log.emit("hub", "telemetry", conn=second, request=1, message_id=str(second), size=9).app("sent", id=second)
    return ended(log, 25.0)


def found(log: LogBuilder) -> CellFindings:
    """The findings."""
    return analyse_cell(log.log())


def test_all_requests_are_one_visit() -> None:
    """The device was let in once, and never away, whatever became of its connections."""
    cell = found(kept())
    assert (cell.connections, cell.absences, cell.refused, cell.put_tokens, cell.awaited) == (1, (), 0, 0, True)


def test_a_request_with_another_token_is_a_renewal() -> None:
    """Counted in the life of the token before; it takes nothing."""
    renewals = found(kept()).renewals
    assert [one.point_s for one in renewals] == pytest.approx([9.0, 9.0])
    assert {one.renewal for one in renewals} == {"per-request"}
    assert all(isinstance(one, PerRequestFinding) and one.undisturbed for one in renewals)


def test_the_first_token_tells_the_lifetime() -> None:
    """As a CONNECT's would."""
    assert found(kept()).first_lifetime_s == pytest.approx(10.0, abs=1.0)


def test_nothing_is_lost_or_reordered() -> None:
    """Messages on many connections, each acknowledged by its answer."""
    messages = found(kept()).messages.telemetry
    assert (messages.sent, messages.lost, messages.duplicated, messages.reordered) == (24, 0, 0, 0)


def test_a_token_that_is_used_again_is_none_that_is_new() -> None:
    """Requests may overtake one another."""
    log = request(request(request(begun().at(1), 1).at(2), 9).at(3), 1)
    assert len(found(ended(log, 5)).renewals) == 1


def test_a_request_that_is_refused() -> None:
    """Is counted; the token in use is none that is new."""
    log = request(request(begun("https-expiry").at(1), 1).at(14), 1, status=401)
    log.record("deviceConnect", "401003").failure("send_failed", "Unauthorized", id=2)
    cell = found(ended(request(log.at(15), 1, status=401).record("deviceConnect", "401003"), 28))
    assert (cell.refused, cell.refused_renewals, cell.token_outlived) == (2, (), True)
    assert cell.hub_log == ("refused 401003",)


def test_a_new_token_that_is_refused() -> None:
    """Is a refused renewal, and the next one that is accepted makes up for it."""
    log = request(request(request(begun().at(1), 1).at(5), 5, status=401).at(6), 6)
    (refused,) = found(ended(log, 9)).refused_renewals
    assert (refused.how, refused.code, refused.renewed_s) == ("in-band", 401, 6.0)


def test_one_that_was_never_let_in() -> None:
    """Every request is an attempt."""
    log = begun("https-expiry")
    for second in (1, 2):
        request(log.at(second), 1, status=401)
    cell = found(ended(log, 5))
    assert (cell.connections, cell.refused) == (0, 2)


def test_what_is_wrong_otherwise_is_no_refusal() -> None:
    """The token was good."""
    cell = found(ended(request(begun().at(1), 1, status=413), 5))
    assert (cell.connections, cell.refused) == (1, 0)


def test_a_request_without_an_answer_tells_nothing() -> None:
    """Nor does an answer without a request; other events pass."""
    asked, answered, other = (
        Event(n, n, "hub", kind) for n, kind in enumerate(("http-request", "http-response", "tls"))
    )
    assert list(as_puts([answered, other, asked])) == [other]


@pytest.mark.parametrize(
    ("moments", "use"),
    [
        ([], None),
        ([(1, 1)], None),
        ([(1, 1), (2, 2)], None),
        ([(1, 1), (3, 3)], "each-request"),
        ([(1, 1), (2, 1), (3, 3)], "each-request"),
        ([(1, 1), (3, 1)], "kept"),
    ],
    ids=["none", "one", "near", "apart", "near-and-same", "same"],
)
def test_whether_each_request_has_its_own_token(moments: list[tuple[float, float]], use: str | None) -> None:
    """Told by requests that are further apart than the whole second in which tokens are alike."""
    log = begun()
    for at, made_at in moments:
        request(log.at(at), made_at)
    log.at(3.5).emit("hub", "http-request", conn=1, request=1, token=None)
    assert token_use(log.log().events, 9.0) == use


def each() -> LogBuilder:
    """A token for each request."""
    log = begun(claims=(
        claim("renewal-action", "per-request", transports=["https"]),
        claim("token-use", "each-request", transports=["https"]),
    ))  # fmt: skip
    for second in range(1, 9):
        request(log.at(second), second)
    return ended(log, 9.0)


def test_the_row_of_an_sdk_that_makes_them_all() -> None:
    """No law: when tokens change says when requests came."""
    (row,) = analyse([each().log()])
    assert (row.renewal, row.token_use, row.renewals) == ("per-request", "each-request", 7)
    assert row.law is not None
    assert row.law.observations == ()
    assert [verdict.verdict for verdict in row.verdicts[:2]] == ["confirmed", "confirmed"]
    assert "by request,\na token for each" in columns(row, brief=True)


def test_a_token_for_each_request_makes_no_errors_a_day() -> None:
    """There is no rate of renewals; but what leaves nothing leaves nothing, however often."""
    (volume,) = volumes(analyse([each().log()]))
    assert (volume.errors_per_day, volume.app_errors_per_day, volume.renewals_per_day, volume.reason) == (
        0,
        0,
        None,
        "",
    )


def test_without_a_second_token_nothing_is_known_of_a_day() -> None:
    """Nothing unseen counts as zero."""
    (row,) = analyse([each().log()])
    (volume,) = volumes([msgspec.structs.replace(row, cells=())])
    assert volume.errors_per_day is None
    assert volume.reason == "every request has a token of its own, and one that is good leaves no record"


def json_row(log: LogBuilder) -> dict[str, Any]:
    """The row of one cell, as JSON has it."""
    rows: Any = summary(analyse([log.log()]))["rows"]
    return dict(rows[0])


def test_the_story_knows_no_connection() -> None:
    """The device is let in by a request, and the hub has no patience but the skew."""
    log = request(begun("https-expiry", hub={"skew_s": 2.5}).at(1), 1)
    told = story(ended(log, 5).log())
    assert any("by its first request" in line.text for line in told.lines)
    assert "The hub takes a request for 2.5 s after its token has expired." in " ".join(told.about)
    unknown = story(ended(request(begun("https-expiry").at(1), 1), 5).log())
    assert "The hub takes a request for a while after its token has expired." in " ".join(unknown.about)


def test_json_says_so_over_https_alone() -> None:
    """Of the row and its cells."""
    row = json_row(each())
    assert (row["token_use"], row["cells"][0]["token_use"]) == ("each-request",) * 2
    other = json_row(LogBuilder().connect(10))
    assert "token_use" not in {**other, **other["cells"][0]}


def test_the_row_of_an_sdk_that_keeps_them() -> None:
    """What was claimed differs."""
    log = kept().log()
    (row,) = analyse([log])
    assert (row.renewal, row.token_use) == ("per-request", "kept")
    assert row.points_s == pytest.approx((9.0, 9.0))
    assert {verdict.kind: verdict.observed for verdict in row.verdicts}["token-use"] == "kept"


def test_other_transports_have_no_requests() -> None:
    """A claim about them is not observed there."""
    head = header("renewal", {"lifetime_s": 10}, claims=(claim("token-use", "kept"),))
    log = (
        LogBuilder(head)
        .hello()
        .connect(10)
        .at(9)
        .close()
        .harness("cell-end", status="finished", reason="", awaited=True)
    )
    (verdict,) = (one for one in analyse([log.log()])[0].verdicts if one.kind == "token-use")
    assert (verdict.verdict, verdict.reason) == ("not observed", "there are no requests")


def test_too_few_requests_to_tell() -> None:
    """Says so."""
    log = begun(claims=(claim("token-use", "kept"),))
    (row,) = analyse([ended(request(log.at(1), 1), 3).log()])
    (verdict,) = (one for one in row.verdicts if one.kind == "token-use")
    assert verdict.reason == "no two requests are far enough apart to tell"
