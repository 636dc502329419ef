"""harness.protocol.mqtt.topics: section 4.7 and its examples."""

import re

import pytest
from hypothesis import given
from support.mqtt_strategies import topic_filters, topics

from harness.protocol.mqtt.topics import filter_problem, name_problem, topic_matches


@pytest.mark.parametrize(
    ("topic_filter", "topic", "expected"),
    [
        ("sport/tennis/player1/#", "sport/tennis/player1", True),
        ("sport/tennis/player1/#", "sport/tennis/player1/ranking", True),
        ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", True),
        ("sport/tennis/player1/#", "sport/tennis", False),
        ("sport/#", "sport", True),
        ("#", "any/thing", True),
        ("sport/tennis/+", "sport/tennis/player1", True),
        ("sport/tennis/+", "sport/tennis/player1/ranking", False),
        ("sport/+", "sport", False),
        ("sport/+", "sport/", True),
        ("+", "/finance", False),
        ("+/+", "/finance", True),
        ("/+", "/finance", True),
        ("sport/+/player1", "sport/tennis/player1", True),
        ("sport/+/player1", "sport/tennis/player2", False),
        ("#", "$SYS/clients", False),
        ("+/monitor/Clients", "$SYS/monitor/Clients", False),
        ("$SYS/#", "$SYS/monitor/Clients", True),
        ("$SYS/monitor/+", "$SYS/monitor/Clients", True),
        ("$iothub/twin/res/#", "$iothub/twin/res/200/?$rid=1", True),
        ("ACCOUNTS", "Accounts", False),
        ("/finance", "finance", False),
    ],
)
def test_examples_of_the_standard(topic_filter: str, topic: str, *, expected: bool) -> None:
    """Sections 4.7.1 to 4.7.3."""
    assert topic_matches(topic_filter, topic) is expected


@given(topic_filters(), topics)
def test_agrees_with_a_regular_expression(topic_filter: str, topic: str) -> None:
    """An oracle that walks characters instead of levels."""
    pattern = re.escape(topic_filter).replace(r"\+", "[^/]*")
    pattern = "(?s:.*)" if pattern == r"\#" else re.sub(r"/\\#\Z", "(?s:/.*)?", pattern)
    hidden = topic.startswith("$") and topic_filter[0] in "+#"
    assert topic_matches(topic_filter, topic) == (not hidden and re.fullmatch(pattern, topic) is not None)


@given(topics)
def test_a_topic_is_a_filter_for_itself(topic: str) -> None:
    """A filter without wildcards selects exactly its topic."""
    assert filter_problem(topic) is None
    assert topic_matches(topic, topic)


@pytest.mark.parametrize("topic", ["a", "/", "a//b", "$SYS/a", " "])
def test_topic_names(topic: str) -> None:
    """At least one character, empty levels allowed."""
    assert name_problem(topic) is None


@pytest.mark.parametrize(
    ("topic", "problem"),
    [("", "empty topic name"), ("a/+", "topic name with a wildcard"), ("#", "topic name with a wildcard")],
)
def test_no_topic_names(topic: str, problem: str) -> None:
    """MQTT-3.3.2-2 and MQTT-4.7.3-1."""
    assert name_problem(topic) == problem


@pytest.mark.parametrize("topic_filter", ["#", "+", "a/#", "+/tennis/#", "sport/+/player1", "/+", "a//b"])
def test_topic_filters(topic_filter: str) -> None:
    """Valid examples of section 4.7.1."""
    assert filter_problem(topic_filter) is None


@pytest.mark.parametrize(
    ("topic_filter", "problem"),
    [
        ("", "empty topic filter"),
        ("sport/tennis#", "topic filter with '#' that is not alone at its end"),
        ("sport/tennis/#/ranking", "topic filter with '#' that is not alone at its end"),
        ("##", "topic filter with '#' that is not alone at its end"),
        ("sport+", "topic filter with '+' that is not alone in its level"),
        ("a+/b", "topic filter with '+' that is not alone in its level"),
    ],
)
def test_no_topic_filters(topic_filter: str, problem: str) -> None:
    """Invalid examples of section 4.7.1."""
    assert filter_problem(topic_filter) == problem
