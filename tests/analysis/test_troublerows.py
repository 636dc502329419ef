"""Lines of the table of what went wrong."""

from typing import Any

import msgspec
import pytest
from support.analysis_findings import cell
from support.analysis_logs import LogBuilder, header, stale_token, waits_for_the_cut

from harness.analysis.findings import CellFindings, Messages, Telemetry
from harness.analysis.spans import Trial
from harness.analysis.telling import CellTelling, Episode, Told, tell
from harness.analysis.troublerows import Trouble, troubles

REFUSED = Trial(11.0, "refused: wrong-key", "401")


def episode(**changes: Any) -> Episode:
    """A cut at 10 s that was told at once and gotten over within 2 s, but for `changes`."""
    fields: dict[str, Any] = {
        "began_s": 10.0, "over_s": 12.0, "watched_s": 2.0, "happened": ("network: end",), "left": True, "told": ("callback",),
        "told_s": 0.1, "told_by": "Lost: a.b.Error", "hub_log": ("404104", "connect"), **changes,
    }  # fmt: skip
    return Episode(**fields)


def line(*changes: dict[str, Any], of: CellFindings | None = None, became: tuple[Told, ...] = ()) -> Trouble:
    """The one line of episodes with these changes in one cell."""
    (found,) = troubles([CellTelling(of or cell(), tuple(episode(**one) for one in changes), became)])
    return found


def test_the_lines_of_logs() -> None:
    """One for each kind of trouble, with the cells that showed it."""
    first, second = troubles(tell(one.log()) for one in (stale_token(), waits_for_the_cut()))
    assert (first.happened, first.retries) == (
        ("token-expired", "refused: not-authorized"),
        "tries at every send: 13 in vain in 11.7 s, the last 0.5 s before the end",
    )
    assert first.finds_out == "by a callback at once: on_connection_state_change False"
    assert (first.codes, first.error, first.comes_back) == (
        ("CONNACK 5",),
        ("ConnectionDroppedError",),
        "not back within 12.3 s",
    )
    assert (second.episodes, second.comes_back, second.retries) == (2, "back after 310 ms", "back by itself")


def test_a_transport_and_its_websocket_share_a_line() -> None:
    """As long as they show the same; MQTT and AMQP do not."""
    heads = (header(transport=name, cell=name) for name in ("mqtt", "mqtt-ws", "amqp"))
    lines = troubles(tell(LogBuilder(head).connect(60).at(10).cut("fault").at(30).end().log()) for head in heads)
    assert [(one.transports, one.cells) for one in lines] == [
        (("mqtt", "mqtt-ws"), ("mqtt", "mqtt-ws")),
        (("amqp",), ("amqp",)),
    ]


def test_the_words_of_the_hub_are_those_that_were_first_read() -> None:
    """The others name other devices, or say the same."""
    assert line({}, {"words": ("one",)}, {"words": ("other",)}).words == ("one",)


@pytest.mark.parametrize(("second", "unread"), [(True, True), (False, False)])
def test_words_are_unread_where_no_episode_shows_them(*, second: bool, unread: bool) -> None:
    """One that does is enough."""
    assert line({"unread": True}, {"unread": second}).unread is unread


def test_the_worst_is_shown() -> None:
    """The latest news, the longest absence."""
    found = line({}, {"told_s": 45.0, "told_by": "send_failed: E", "told": ("callback",), "watched_s": 50.0})
    assert (found.finds_out, found.comes_back) == ("by a callback after 45 s: send_failed: E", "back after 50 s")


@pytest.mark.parametrize(
    ("changes", "became", "finds_out"),
    [
        ({}, Telemetry(), "by a callback at once: Lost: Error"),
        ({"told": ("exception on next call",)}, Telemetry(), "at the next call at once: Lost: Error"),
        ({"told": ("silent",), "told_s": None}, Telemetry(lost=1), "by messages that are missing"),
        ({"told": ("silent",), "told_s": None}, Telemetry(duplicated=1), "by messages that come twice"),
        ({"told": ("silent",), "told_s": None}, Telemetry(), "in the hub's log only"),
        (
            {"told": ("silent",), "told_s": None, "over_s": None, "hub_log": ("refused 401003",), "watched_s": 17.0},
            Telemetry(),
            "in the hub's log only (watched for 17 s)",
        ),
        ({"told": ("silent",), "told_s": None, "hub_log": ("disconnect", "connect")}, Telemetry(), "not at all"),
    ],
)
def test_how_a_developer_finds_out(changes: dict[str, Any], became: Telemetry, finds_out: str) -> None:
    """By the first news; without any, by what is missing, in somebody else's log, or never."""
    assert line(changes, of=cell(messages=Messages(telemetry=became))).finds_out == finds_out


@pytest.mark.parametrize(
    ("changes", "retries", "comes_back"),
    [
        ({}, "", "back after 2 s"),
        (
            {"trials": (REFUSED,), "retries": "none", "over_s": None},
            "no further attempt: 1 in vain, 1 s before the end",
            "not back within 2 s",
        ),
        (
            {"trials": (REFUSED, msgspec.structs.replace(REFUSED, at_s=11.5)), "retries": "retries", "over_s": None},
            "tries by itself: 2 in vain in 0.5 s, the last 0.5 s before the end",
            "not back within 2 s",
        ),
        (
            {"trials": (REFUSED, msgspec.structs.replace(REFUSED, at_s=14.0))},
            "2 in vain in 3 s",
            "back after 2 s",
        ),
        ({"left": False, "stayed": True}, "", "renewed after 2 s"),
        ({"left": False, "over_s": None}, "", "not let in within 2 s"),
    ],
)
def test_what_the_device_did(changes: dict[str, Any], retries: str, comes_back: str) -> None:
    """How often it tried, and whether it is there again."""
    found = line(changes)
    assert (found.retries, found.comes_back) == (retries, comes_back)


def test_what_became_of_messages_stands_with_how_it_was_told() -> None:
    """Of the cell as a whole."""
    assert line({}, became=("callback", "reordered")).told == ("callback", "reordered")


def test_where_a_log_breaks_off_nobody_came_back_or_stayed_away() -> None:
    """Unless it was seen before."""
    broken = cell(status="interrupted")
    assert line({"over_s": None}, of=broken).comes_back == "not back within 2 s, where its log breaks off"
    assert line({}, of=broken).comes_back == "back after 2 s"
