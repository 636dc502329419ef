"""Visits: what begins one, and what ends it."""

from support.analysis_logs import LogBuilder

from harness.analysis.visits import Visit, read_visits


def visits(log: LogBuilder) -> tuple[Visit, ...]:
    """The visits of what was built."""
    return read_visits(log.log().events)


def test_a_put_token_answered_200_lets_the_device_in() -> None:
    """As a CONNECT answered by CONNACK 0 does."""
    (visit,) = visits(LogBuilder().at(1).enter(60))
    assert (visit.number, visit.accepted_s, visit.attempt_s, visit.code, visit.stands) == (1, 1.0, 1.0, 0, True)


def test_a_refused_put_token_is_a_refused_visit() -> None:
    """Its status is the code; another put-token on the same connection is another visit."""
    log = LogBuilder().accept().put_token(60).answer(401).at(10).put_token(60).answer(admitted=True)
    first, second = visits(log)
    assert (first.refused, first.code, second.number, second.accepted_s, second.attempt_s) == (True, 401, 1, None, 10.0)


def test_the_first_of_two_cuts_counts() -> None:
    """A connection that stood after a DETACH may be cut for what the device does on it next."""
    log = LogBuilder().enter(10).at(15).detach().at(15.1).hub("cut", cause="protocol", close="close", detail="")
    (visit,) = visits(log)
    assert (visit.cut_s, visit.cut_cause) == (15.0, "token-expired")


def test_after_a_detach_the_same_connection_holds_another_visit() -> None:
    """The hub ended the first by detaching the links; the transport's end belongs to the second."""
    log = LogBuilder().enter(10).at(15).detach().at(25).put_token(10).answer(admitted=True).at(30).closed("device")
    first, second = visits(log)
    assert (first.leaving, first.closed_s, second.leaving) == ((15.0, "cut"), None, (30.0, "closed"))


def test_close_is_taking_leave() -> None:
    """As MQTT DISCONNECT is."""
    (visit,) = visits(LogBuilder().enter(60).at(5).disconnect())
    assert visit.leaving == (5.0, "disconnect")


def test_a_new_token_on_a_standing_connection() -> None:
    """It belongs to the visit, with the one it replaces, and is in use from then on."""
    (visit,) = visits(LogBuilder().enter(60).at(10).renew(60))
    (put,) = visit.puts
    assert (put.at_s, put.answered_s, put.accepted, put.refused) == (10.0, 10.002, True, False)
    assert (put.replaces, visit.last_token) == (visit.token, put.token)


def test_a_refused_new_token_leaves_the_old_one_in_use() -> None:
    """The visit goes on with it."""
    (visit,) = visits(LogBuilder().enter(60).at(10).renew(60, 401))
    assert (visit.puts[0].refused, visit.last_token, visit.stands) == (True, visit.token, True)


def test_a_new_token_that_is_not_answered() -> None:
    """Neither accepted nor refused."""
    (visit,) = visits(LogBuilder().enter(60).at(10).put_token(60))
    assert (visit.puts[0].accepted, visit.puts[0].refused, visit.last_token) == (False, False, visit.token)


def test_a_malformed_token() -> None:
    """Nothing was presented, and the answer belongs to nothing."""
    assert visits(LogBuilder().enter(60).at(10).put_token(None).answer(400))[0].puts == ()


def test_the_token_in_use_once_more() -> None:
    """It is no new one, but may be refused."""
    (visit,) = visits(LogBuilder().enter(60, made_at=0.0).at(10).put_token(60, made_at=0.0).answer(401))
    assert [(put.same, put.refused) for put in visit.puts] == [(True, True)]


def test_an_answer_belongs_to_its_own_put_token() -> None:
    """Not to an unanswered one before it."""
    log = LogBuilder().enter(60, made_at=0.0).at(10).put_token(60).at(11).put_token(60, made_at=0.0).answer(401)
    assert [(put.same, put.status) for put in visits(log)[0].puts] == [(False, None), (True, 401)]


def test_an_answer_too_many() -> None:
    """The first counts."""
    (visit,) = visits(LogBuilder().enter(60).at(10).renew(60).answer(401))
    assert visit.puts[0].accepted


def test_a_first_token_without_one_before() -> None:
    """What a device was let in with may be unreadable to us; the next is a new one all the same."""
    (visit,) = visits(LogBuilder().enter(None).at(10).renew(60))
    assert (visit.token, visit.puts[0].replaces, visit.last_token) == (None, None, visit.puts[0].token)


def test_two_protocols_side_by_side() -> None:
    """Connections are told apart by their number, whatever they speak; without one, an event says nothing."""
    log = LogBuilder().connect(60).enter(60).emit("hub", "put-token", token=None)
    assert [visit.number for visit in visits(log)] == [1, 2]


def left(seconds: float) -> dict[str, object]:
    """A token of which the log has only how much of it was left."""
    return {"left_s": seconds}


def puts(*told: tuple[float, dict[str, object]]) -> list[tuple[float, bool]]:
    """When tokens were put during a visit that began with one of 20 s, and whether each is another than the one in use."""
    log = LogBuilder().accept().hub("put-token", token=left(20.0)).hub("put-token-answered", status=200)
    for at, fields in told:
        log.at(at).hub("put-token", **fields)
    (visit,) = read_visits(log.log().events)
    return [(put.at_s, not put.same) for put in visit.puts]


def test_unnamed_tokens_are_told_apart_by_their_expiry() -> None:
    """The one in use again is no attempt to renew; half a second makes no other token of it."""
    assert puts((17.0, {"token": left(3.1)}), (17.2, {"token": left(20.0)})) == [(17.0, False), (17.2, True)]


def test_a_token_of_which_nothing_is_known_is_a_new_one() -> None:
    """A recording may keep what the hub answered, and not what it refused."""
    assert puts((17.0, {}), (18.0, {})) == [(17.0, True), (18.0, True)]


def test_no_token_is_not_an_unknown_one() -> None:
    """The hub saw that there was none."""
    assert puts((17.0, {"token": None})) == []


def test_a_certificate_begins_a_visit_when_it_is_judged() -> None:
    """Each judgement of a device that is not in is another attempt."""
    log = LogBuilder().accept().hub("certificate-judged", conn=1, status=401).at(10)
    first, second = visits(log.hub("certificate-judged", conn=1, status=200))
    assert (first.refused, first.code, first.attempt_s, first.token) == (True, 401, first.connack_s, None)
    assert (second.stands, second.attempt_s) == (True, 10.0)


def test_a_leave_of_the_same_moment_as_a_cut_answers_it() -> None:
    """The hub cuts nobody who has left."""
    (visit,) = visits(
        LogBuilder().connect(60).at(10).hub("cut", cause="device-deleted").hub("disconnect").closed("device")
    )
    assert visit.leaving == (10.0, "cut")
