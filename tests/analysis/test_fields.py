"""Reading fields that may be absent or of another type."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.analysis_logs import LogBuilder

from harness.analysis.fields import chain, items, mapping, number, of_kind, of_sources, once, text, whole
from harness.events import Event, Events


@pytest.mark.parametrize(
    ("value", "expected"), [("a", "a"), (3, "3"), (False, "False"), (None, ""), ([1], ""), ({"a": 1}, "")]
)
def test_text(value: object, expected: str) -> None:
    """Scalars become text, everything else the empty text."""
    assert text({"x": value}, "x") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, 1.0), (1.5, 1.5), (True, None), ("1", None), (None, None), (10**400, None), (float("nan"), None)],
)
def test_number(value: object, expected: float | None) -> None:
    """Only sensible numbers count; a truth value is none."""
    assert number({"x": value}, "x") == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(1, 1), ("17", 17), ("1a", None), ("²", None), (True, None), (1.0, None), (None, None)]
)
def test_whole(value: object, expected: int | None) -> None:
    """Whole numbers, also as decimal text."""
    assert whole({"x": value}, "x") == expected


def test_mapping_of_another_type_is_empty() -> None:
    """An object that is none reads as an empty one."""
    assert mapping({"x": [1]}, "x") == {}


def test_items_of_another_type_are_none() -> None:
    """A text is no array."""
    assert items({"x": "abc"}, "x") == ()


def test_chain_skips_what_is_no_link() -> None:
    """Links without a class, and things that are no links, are passed over."""
    assert chain({"error": [{"class": "A"}, {"message": "m"}, "B", {"class": "C"}]}) == ("A", "C")


def test_of_kind_keeps_the_order() -> None:
    """Events of the source and kinds asked for, as they came."""
    events = LogBuilder().hub("ping").app("sent", id=1).hub("puback").app("ping").hub("ping").log().events
    assert [event.kind for event in of_kind(events, "hub", "ping", "puback")] == ["ping", "puback", "ping"]


EVENTS = st.lists(
    st.builds(
        Event,
        seq=st.integers(0, 3),
        t=st.integers(0, 9),
        src=st.sampled_from(["hub", "app", "sdk-log"]),
        kind=st.sampled_from("abc"),
    )
)


@given(EVENTS, st.sampled_from(["hub", "app", "harness"]), st.lists(st.sampled_from("abcd")))
def test_a_log_that_was_read_finds_the_same_events(events: list[Event], src: str, kinds: list[str]) -> None:
    """By its index, in the order of the log, whatever their numbers and moments say; and more than once."""
    read = Events(events)
    for _ in range(2):
        assert list(of_kind(read, src, *kinds)) == list(of_kind(events, src, *kinds))
    assert list(of_sources(read, src, "app")) == list(of_sources(events, src, "app"))


def test_what_is_derived_once() -> None:
    """Of each log that was read; anything else is no log, and may change."""
    asked = []

    @once
    def derived(events: Sequence[Event]) -> int:
        """How many there are."""
        asked.append(len(events))
        return len(events)

    one, other, loose = Events([Event(0, 0, "hub", "a")]), Events(), [Event(0, 0, "hub", "a")]
    assert [derived(events) for events in (one, other, one, loose, loose)] == [1, 0, 1, 1, 1]
    assert asked == [1, 0, 1, 1]
