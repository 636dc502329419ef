"""Predicates over what a cell showed."""

from typing import Any

import pytest
from support.analysis_logs import LogBuilder, early_renewal, header, stale_token, waits_for_the_cut

from harness.analysis.defects import Defect, evidence_of


def defect(predicate: str, **changes: Any) -> Defect:
    """An entry about SDK `sdk` over MQTT and AMQP."""
    fields: dict[str, Any] = {
        "id": "d", "sdk": "sdk", "title": "T", "text": "X", "transports": ("mqtt", "amqp"), "predicate": predicate, **changes,
    }  # fmt: skip
    return Defect(**fields)


def seen(log: LogBuilder, predicate: str, **changes: Any) -> str | None:
    """By how much the log shows it, or None."""
    found = evidence_of([defect(predicate, **changes)], [log.log()])["d"]
    return found[0].figure if found else None


def lines(log: LogBuilder, predicate: str, **changes: Any) -> list[str]:
    """Kinds of the events that show it."""
    (found,) = evidence_of([defect(predicate, **changes)], [log.log()])["d"]
    return [event.kind for event in found.events]


def dark() -> LogBuilder:
    """A device whose connection ended at 10 s, and which was watched for 20 s after that."""
    log = LogBuilder(header("cut-sending")).connect(60).at(10).cut("fault", ("404104",))
    return log.send(1).at(30).harness("command", cmd="close").failure("send_failed", "E", id=1).end()


def refused(transport: str = "amqp") -> LogBuilder:
    """A renewal in place that was refused at 10 s; the hub detached the links at 20 s."""
    log = LogBuilder(header(transport=transport)).enter(60).at(10).renew(60, 401).at(20).detach()
    return log.after(0.1).status("Gone").after(0.1).put_token(60).answer(admitted=True)


@pytest.mark.parametrize(
    ("log", "changes", "figure"),
    [
        (dark(), {"for_s": 15}, "not back in the 20 s until its client was closed"),
        (dark(), {"for_s": 25}, None),
        (dark(), {"told": "silent", "attempts": 0}, "not back in the 20 s until its client was closed"),
        (dark(), {"told": "callback"}, None),
        (dark(), {"happened": ("token-expired",)}, None),
        (stale_token(), {"attempts": 1}, None),
        (stale_token(), {"happened": ("token-expired", "refused: not-authorized")}, "not back in the 12.3 s until its client was closed"),
        (waits_for_the_cut(), {}, None),
    ],
)  # fmt: skip
def test_staying_away(log: LogBuilder, changes: dict[str, Any], figure: str | None) -> None:
    """For long enough, with few enough attempts, told in the way that is meant."""
    assert seen(log, "stays-away", **changes) == figure


def test_what_shows_it() -> None:
    """The cut, the news, the first and the last attempt, the end."""
    assert lines(stale_token(), "stays-away") == ["cut", "status", "connack", "connack", "command"]
    assert lines(dark(), "stays-away") == ["cut", "command"]


def test_being_told_late() -> None:
    """And by what."""
    assert seen(refused(), "told-late", for_s=5) == "the application was told after 10.1 s"
    assert seen(refused(), "told-late", for_s=11) is None
    assert seen(dark(), "told-late") is None
    assert lines(refused(), "told-late") == ["put-token", "status", "put-token-answered"]


def test_coming_back_late() -> None:
    """If at all."""
    assert seen(refused(), "comes-back-late", for_s=5) == "all was well again after 10.2 s"
    assert seen(refused(), "comes-back-late", for_s=11) is None
    assert seen(dark(), "comes-back-late") is None


def test_ending_itself() -> None:
    """Shortly after it was back, without taking leave, for good."""
    back = refused().after(0.05).closed("device").at(40).end()
    assert seen(back, "ends-itself", for_s=1) == "back for 50 ms, then closed by itself, and not back in 19.8 s"
    assert seen(back, "ends-itself", for_s=0.01) is None
    assert seen(back, "ends-itself", for_s=1, happened=("token-expired",)) is None
    assert seen(refused().after(0.05).disconnect().at(40).end(), "ends-itself", for_s=1) is None
    assert seen(waits_for_the_cut(), "ends-itself", for_s=99) is None


def test_happening() -> None:
    """How often."""
    assert seen(early_renewal(), "happens", happened=("left: renewal",)) == "2 times"
    assert seen(early_renewal(), "happens", happened=("takeover",)) is None


def test_saying() -> None:
    """To the application, from the beginning of the trouble to the closing."""
    assert seen(stale_token(), "says", pattern="^send_failed: Credential") == "12 times"
    assert lines(stale_token(), "says", pattern="^send_failed: Credential") == ["send_failed", "send_failed"]
    assert seen(dark(), "says", pattern="E") is None
    assert seen(stale_token(), "says", pattern="True") is None
    assert seen(LogBuilder().connect(60).status("True").at(9).end(), "says", pattern="True") is None


def test_logging() -> None:
    """In the SDK's own log."""
    log = LogBuilder(header("expiry")).connect(60).at(10).cut().after(0.1).emit("sdk-log", "line", text="a WRONG_NAME")
    assert seen(log.at(20).end(), "logs", pattern="WRONG") == "1 line"
    assert lines(log, "logs", pattern="WRONG") == ["cut", "line"]
    assert seen(log, "logs", pattern="RIGHT") is None


def test_sends_that_hang() -> None:
    """What is told while the client is closed comes too late."""
    assert seen(dark(), "sends-hang", for_s=15) == "1 send without any answer, the first for 20 s"
    assert lines(dark(), "sends-hang") == ["cut", "command", "command"]
    assert seen(dark(), "sends-hang", for_s=25) is None
    assert seen(stale_token(), "sends-hang") is None


def test_c2d_messages_that_no_longer_come() -> None:
    """Once the device is back."""
    log = LogBuilder(header("renewal-refused", transport="amqp")).enter(60).at(10).cut("fault", ()).at(11).enter(60)
    log.at(12).hub("c2d-queued", message_id="1").at(30).end()
    assert seen(log, "c2d-dead") == "none of 1 C2D message after that was shown to the application"
    assert lines(log, "c2d-dead") == ["cut", "put-token-answered", "c2d-queued"]
    assert seen(log, "c2d-dead", happened=("takeover",)) is None
    assert seen(dark(), "c2d-dead") is None


def test_messages_that_come_again_as_new() -> None:
    """Over MQTT, where a flag would tell."""
    log = LogBuilder().connect(60).arrives(1, packet_id=1).arrives(2, packet_id=2).arrives(1, packet_id=3)
    assert seen(log, "resent-as-new") == "1 message came again as new"
    assert lines(log, "resent-as-new") == ["telemetry", "telemetry"]
    assert seen(LogBuilder(header(transport="amqp")).enter(60).arrives(1).arrives(1), "resent-as-new") is None
    assert seen(LogBuilder().connect(60).arrives(1).arrives(1, dup=True), "resent-as-new") is None
    late = LogBuilder().connect(60).arrives(1).arrives(2).at(1).cut("fault").connect(60).arrives(2).arrives(1)
    assert seen(late, "resent-as-new") == "2 messages came again as new, 1 out of order"


def test_the_old_token_once_more() -> None:
    """And the new one behind it."""
    log = LogBuilder(header(transport="amqp")).enter(60, made_at=0.0).at(10).put_token(60, made_at=0.0).answer()
    assert seen(log.at(11).renew(60), "old-token-again") == "1 time"
    assert lines(log, "old-token-again") == ["put-token", "put-token"]
    assert seen(refused(), "old-token-again") is None


def test_attempts_that_only_messages_bring_about() -> None:
    """So many of them came to nothing."""
    assert seen(stale_token(), "waits-for-sends", least=3) == "13 attempts in vain, each with a message"
    assert lines(stale_token(), "waits-for-sends") == ["cut", "status", "connack", "connack", "command"]
    assert seen(stale_token(), "waits-for-sends", least=14) is None
    assert seen(dark(), "waits-for-sends") is None


def storm() -> LogBuilder:
    """A cut at 10 s, and a connection every tenth of a second from then on."""
    log = LogBuilder(header("expiry")).connect(10, made_at=0.0).at(10).cut()
    for number in range(20):
        log.at(10.1 + number / 10).refused(10, made_at=0.0)
    return log.at(20).harness("command", cmd="close").accept().end()


def test_many_connections_in_a_short_time() -> None:
    """The most that there are within so many seconds, up to the closing."""
    after_it = {"happened": ("token-expired",), "for_s": 1.0}
    assert seen(storm(), "connects-often", least=11, **after_it) == "11 connections within 1 s"
    assert lines(storm(), "connects-often", **after_it) == ["cut", "accepted", "accepted"]
    assert seen(storm(), "connects-often", least=12, **after_it) is None
    assert seen(storm(), "connects-often", for_s=60) == "21 connections within 60 s"
    assert lines(storm(), "connects-often", for_s=60) == ["accepted", "accepted"]
    assert seen(storm(), "connects-often", happened=("takeover",)) is None
    assert seen(LogBuilder().end(), "connects-often") is None


def test_many_tokens_in_a_short_time() -> None:
    """Whether the hub takes them or not."""
    log = LogBuilder(header(transport="amqp")).enter(60).at(10).renew(60).at(10.5).renew(60, 401).at(30).end()
    assert seen(log, "puts-often", least=2, for_s=1) == "2 put-tokens within 1 s"
    assert lines(log, "puts-often", for_s=1) == ["put-token", "put-token"]
    assert seen(log, "puts-often", least=3, for_s=1) is None


def test_an_opening_that_nobody_hears_of() -> None:
    """Up to the closing: what is told then comes too late."""
    log = LogBuilder().at(1).harness("command", cmd="open").at(21).harness("command", cmd="close").app("opened").end()
    assert seen(log, "open-hangs", for_s=20) == "no word of the opening for 20 s"
    assert lines(log, "open-hangs") == ["command", "command"]
    assert seen(log, "open-hangs", for_s=21) is None
    heard = LogBuilder().harness("command", cmd="open").at(1).app("opened").at(30).harness("command", cmd="close").end()
    assert seen(heard, "open-hangs") is None
    assert seen(LogBuilder().end(), "open-hangs") is None


def test_an_opening_that_asked_nobody() -> None:
    """The application took its client for open, and the hub refused it."""
    log = (
        LogBuilder(header("no-credential")).harness("command", cmd="open").at(1).app("opened").at(3).accept().present()
    )
    log.hub("connack", code=5, reason="no", check="credential", message="Authorization header missing").at(20).end()
    assert seen(log, "opens-unasked") == "open for 2 s before the hub was asked, and refused"
    assert lines(log, "opens-unasked") == ["opened", "connack"]
    failed = LogBuilder(header("no-credential")).accept().present()
    failed.hub("connack", code=5, reason="no", check="credential", message="x").failure("open_failed", "E").at(20).end()
    assert seen(failed, "opens-unasked") is None
    assert seen(dark(), "opens-unasked") is None


def test_crashing() -> None:
    """By an error of its own: a program that the harness ends has not crashed."""
    log = LogBuilder().connect(60).at(20).harness("command", cmd="close").after(0.1).harness("adapter-exit", code=-11)
    assert seen(log.end(), "crashes") == "the process was ended by SIGSEGV"
    assert lines(log, "crashes") == ["command", "adapter-exit"]
    ended = LogBuilder().connect(60).at(20).harness("command", cmd="close").harness("adapter-exit", code=-9)
    assert seen(ended.harness("adapter-exit", code=0).end(), "crashes") is None


def test_only_real_devices_in_the_right_place_count() -> None:
    """The SDK, the transport, the scenario."""
    for head in (
        header("expiry", device="emulated"),
        header("expiry", sdk="other"),
        header("expiry", transport="mqtt-ws"),
    ):
        assert seen(stale_token(head), "stays-away") is None
    assert seen(stale_token(), "stays-away", scenarios=("renewal",)) is None
    assert seen(stale_token(), "stays-away", scenarios=("expiry",)) is not None
