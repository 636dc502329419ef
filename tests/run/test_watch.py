"""Tests of the watch over a running cell."""

import pytest
from support.analysis_logs import LogBuilder

from harness.analysis import analyse_cell
from harness.events import Event
from harness.run.watch import Watch
from harness.scenario import End

END = End(after_s=1, limit_s=9)


def events(*described: tuple[str, dict[str, object]]) -> list[Event]:
    """Hub events a second apart, `app:` kinds from the application."""
    return [
        Event(n, n * 1_000_000, "app" if kind.startswith("app:") else "hub", kind.removeprefix("app:"), fields)
        for n, (kind, fields) in enumerate(described)
    ]


def connection(conn: int, digest: str, code: int = 0) -> tuple[tuple[str, dict[str, object]], ...]:
    """A CONNECT with a token, and its answer."""
    return ("connect", {"conn": conn, "token": {"digest": digest}}), ("connack", {"conn": conn, "code": code})


def test_without_renewals_or_cuts_the_first_connection_is_awaited() -> None:
    """Seen at its CONNACK."""
    watch = Watch(END, 0)
    for event in events(*connection(1, "a")):
        watch.observe(event)
    assert watch.seen_at == 1_000_000
    assert watch.connected


def test_a_renewal_is_coming_back_with_another_token() -> None:
    """The same token again is no renewal, a refused one neither."""
    watch = Watch(END, 1)
    told = events(
        *connection(1, "a"),
        ("disconnect", {"conn": 1}),
        *connection(2, "a"),
        ("disconnect", {"conn": 2}),
        *connection(3, "b", 5),
        *connection(4, "b"),
    )
    for event in told:
        watch.observe(event)
    assert (watch.renewals, watch.seen_at) == (1, 9_000_000)


def test_leaving_is_told_once() -> None:
    """By whichever event comes first, and not for an old connection."""
    watch = Watch(END, 0)
    told = events(
        *connection(1, "a"),
        *connection(2, "b"),
        ("closed", {"conn": 1}),
        ("disconnect", {"conn": 2}),
        ("closed", {"conn": 2}),
    )
    assert [watch.observe(event) for event in told] == [None, None, None, None, None, "gap", None]


def test_cuts_at_the_end_of_a_token_are_awaited_where_the_scenario_says_so() -> None:
    """Other causes do not count."""
    watch = Watch(End(after_s=1, limit_s=9, cuts=1), 0)
    told = events(
        *connection(1, "a"), ("cut", {"conn": 1, "cause": "takeover"}), ("cut", {"conn": 1, "cause": "token-expired"})
    )
    for event in told:
        watch.observe(event)
    assert (watch.cuts, watch.seen_at) == (1, 3_000_000)


def test_faults_are_awaited_where_the_scenario_says_so() -> None:
    """What they bring about is seen in the seconds after that."""
    watch = Watch(End(after_s=1, limit_s=9, faults=2), 0)
    struck = ("fault", {"conn": 1, "at": "half-life", "action": "throttle"})
    for event in events(*connection(1, "a"), struck, struck):
        watch.observe(event)
    assert (watch.faults, watch.seen_at) == (2, 3_000_000)


def test_a_device_that_cannot_open_ends_the_wait() -> None:
    """Nothing more is to be expected."""
    watch = Watch(END, 2)
    for event in events(("app:open_failed", {})):
        watch.observe(event)
    assert watch.failed_to_open
    assert watch.seen_at == 0


def test_a_connection_without_a_token_is_followed_too() -> None:
    """A device with a certificate has none."""
    watch = Watch(END, 0)
    for event in events(
        ("connect", {"conn": 1, "token": None}), ("connack", {"conn": 1, "code": 0}), ("app:sent", {"id": 1})
    ):
        watch.observe(event)
    assert (watch.connected, watch.sent) == (True, 1)


REFUSED = End(after_s=1, limit_s=9, first_refusals=2)
FIRST_REFUSALS = [
    ("connack", {"conn": 1, "code": 5, "check": "signature"}),
    ("put-token-answered", {"conn": 1, "status": 401, "check": "expiry"}),
    ("attach", {"conn": 1, "condition": "amqp:unauthorized-access", "check": "credential"}),
    ("sasl-refused", {"conn": 1, "code": 1, "check": "credential"}),
]


@pytest.mark.parametrize("refusal", FIRST_REFUSALS, ids=[kind for kind, _ in FIRST_REFUSALS])
def test_first_refusals_are_awaited_where_the_scenario_says_so(refusal: tuple[str, dict[str, object]]) -> None:
    """In whatever way the protocol has; a device that is refused has not failed to open."""
    watch = Watch(REFUSED, 0)
    for event in events(refusal, refusal, ("app:open_failed", {}), refusal):
        watch.observe(event)
    assert (watch.first_refusals, watch.seen_at, watch.is_satisfied) == (3, 1_000_000, True)


def test_a_refusal_after_the_device_was_let_in_is_no_first_one() -> None:
    """It is waited for in vain."""
    watch = Watch(REFUSED, 0)
    refusal = ("connack", {"conn": 2, "code": 5, "check": "expiry"})
    for event in events(*connection(1, "a"), refusal, refusal):
        watch.observe(event)
    assert (watch.first_refusals, watch.is_satisfied) == (0, False)


def test_an_sdk_may_refuse_before_the_hub_is_asked() -> None:
    """That is what was waited for as well, where the device is to be refused, and nowhere else."""
    watches = [Watch(end, 0) for end in (REFUSED, END)]
    for watch in watches:
        watch.observe(*events(("app:open_failed", {})))
    assert [watch.is_satisfied for watch in watches] == [True, False]


def same_token() -> LogBuilder:
    """The device leaves, and comes back with the token it had."""
    return LogBuilder().connect(60).at(5).disconnect().connect(60, made_at=0.0)


def standing() -> LogBuilder:
    """A new connection while the old one stands, which the hub then cuts."""
    return LogBuilder().connect(60).at(5).connect(60).emit("hub", "cut", conn=1, cause="takeover")


ENDINGS = {
    "disconnect": (LogBuilder().connect(60).at(5).disconnect().connect(60), 1),
    "closed": (LogBuilder().connect(60).at(5).closed("device").connect(60), 1),
    "closed by the hub": (LogBuilder().connect(60).at(5).closed("hub").connect(60), 0),
    "expired": (LogBuilder().connect(10).at(15).cut().connect(60), 1),
    "keep-alive": (LogBuilder().connect(60).at(5).cut("keep-alive").connect(60), 0),
    "protocol": (LogBuilder().connect(60).at(5).cut("protocol").connect(60), 0),
    "takeover": (LogBuilder().connect(60).at(5).cut("takeover").connect(60), 0),
    "takeover of a standing connection": (standing(), 0),
    "the same token": (same_token(), 0),
    "no token": (LogBuilder().connect().at(5).disconnect().connect(60), 0),
    "refused between": (LogBuilder().connect(10).at(15).cut().refused(10, made_at=0.0).connect(60), 1),
}


def renewing(status: int = 200) -> LogBuilder:
    """A new token on a standing AMQP connection."""
    return LogBuilder().enter(60).at(5).renew(60, status)


ENDINGS |= {
    "in place": (renewing(), 1),
    "in place, twice": (renewing().at(10).renew(60), 2),
    "in place, refused": (renewing(401), 0),
    "in place, refused, and made up for": (renewing(401).at(10).renew(60), 1),
    "in place, refused, and back": (renewing(401).disconnect().at(10).enter(60), 1),
    "in place, unanswered": (LogBuilder().enter(60).at(5).put_token(60), 0),
    "the same token in place": (LogBuilder().enter(60, made_at=0.0).at(5).put_token(60, made_at=0.0).answer(), 0),
    "detached": (LogBuilder().enter(10).at(15).detach().at(25).put_token(60).answer(admitted=True), 1),
    "detached, the same token": (
        LogBuilder().enter(60, made_at=0.0).at(15).detach().put_token(60, made_at=0.0).answer(admitted=True),
        0,
    ),
    "cut by a fault": (LogBuilder().enter(60).at(15).cut("fault").enter(60), 0),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_watch_counts_the_renewals_that_analysis_finds(ending: str) -> None:
    """A scenario ends when what its findings will show has been seen."""
    builder, renewals = ENDINGS[ending]
    log, watch = builder.log(), Watch(END, 9)
    for event in log.events:
        watch.observe(event)
    assert watch.renewals == len(analyse_cell(log).renewals) == renewals


def turns(log: LogBuilder) -> list[str]:
    """What the traffic is told of."""
    watch = Watch(END, 0)
    return [turn for event in log.log().events if (turn := watch.observe(event)) is not None]


def test_a_renewal_in_place_is_told_when_its_token_arrives() -> None:
    """So that what the traffic sends then falls into it; the first token of a connection renews nothing."""
    assert turns(renewing().at(10).disconnect()) == ["renewal", "gap"]


def test_a_detach_is_told_as_leaving() -> None:
    """Although the connection stands; what is put then is no renewal in place."""
    assert turns(LogBuilder().enter(10).at(15).detach().at(25).put_token(60).answer(admitted=True)) == ["gap"]


def test_cuts_by_a_fault_are_awaited_like_any_other() -> None:
    """No scenario without faults has them."""
    watch = Watch(End(after_s=1, limit_s=9, cuts=1), 0)
    for event in LogBuilder().connect(60).at(5).cut("fault").log().events:
        watch.observe(event)
    assert (watch.cuts, watch.seen_at) == (1, 5_000_000)


def test_outages_are_awaited_like_cuts() -> None:
    """The device has left, and coming back with another token is no renewal."""
    watch = Watch(End(after_s=1, limit_s=9, cuts=1), 0)
    log = LogBuilder().connect(60).at(5).strike("half-open").at(6).connect(60)
    told = [watch.observe(event) for event in log.log().events]
    assert [turn for turn in told if turn] == ["gap"]
    assert (watch.cuts, watch.seen_at, watch.renewals) == (1, 5_000_000, 0)


REFUSALS = {
    "in place": renewing(401),
    "with a new connection": LogBuilder().connect(60).at(5).disconnect().refused(60),
}


@pytest.mark.parametrize("how", REFUSALS)
def test_a_refused_renewal_is_awaited_where_the_scenario_says_so(how: str) -> None:
    """A refused old token, or a refused first one, is none."""
    watch = Watch(End(after_s=1, limit_s=9, refusals=1), 0)
    for event in REFUSALS[how].log().events:
        watch.observe(event)
    assert (watch.refusals, watch.seen_at is not None) == (1, True)


def test_what_is_no_refused_renewal() -> None:
    """Being refused at first, or with the old token."""
    log = LogBuilder().refused(60).at(1).connect(10, made_at=0.0).at(15).cut().refused(10, made_at=0.0)
    watch = Watch(End(after_s=1, limit_s=9, refusals=1), 0)
    for event in log.log().events:
        watch.observe(event)
    assert (watch.refusals, watch.seen_at) == (0, None)


def test_a_certificate_lets_in_or_not_without_a_token() -> None:
    """Over AMQP, the hub's judgement is all there is to see of it."""
    watch = Watch(END, 0)
    for event in events(
        ("certificate-judged", {"conn": 1, "status": 401}), ("certificate-judged", {"conn": 1, "status": 200})
    ):
        watch.observe(event)
    assert (watch.seen_at, watch.connected, watch.refusals, watch.renewals) == (1_000_000, True, 0, 0)


def request(digest: str, **answer: object) -> tuple[tuple[str, dict[str, object]], ...]:
    """A request with a token, and its answer; a `reason` makes it a refusal."""
    return (
        ("http-request", {"conn": 1, "token": {"digest": digest, "se": 1}}),
        ("http-response", {"conn": 1, "status": 204, **answer}),
        ("closed", {"conn": 1, "first": "device"}),
    )


def test_over_https_a_request_with_another_token_is_a_renewal() -> None:
    """Whatever becomes of the connections; nothing is told of it, for nothing could fall into it."""
    watch = Watch(END, 1)
    told = [watch.observe(event) for event in events(*request("a"), *request("a"), *request("b"))]
    assert (watch.renewals, watch.connected, watch.seen_at) == (1, True, 7_000_000)
    assert set(told) == {None}


@pytest.mark.parametrize("before", [(), request("a")], ids=["never-let-in", "let-in"])
def test_refused_requests_are_awaited_where_the_scenario_says_so(
    before: tuple[tuple[str, dict[str, object]], ...],
) -> None:
    """Also where no request ever was let in."""
    watch = Watch(End(after_s=1, limit_s=9, refused_requests=2), 0)
    for event in events(*before, *request("a", reason="expired"), *request("a", reason="expired")):
        watch.observe(event)
    assert watch.refused_requests == 2
    assert watch.seen_at == (len(before) + 4) * 1_000_000
