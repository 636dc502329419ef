"""Topics and property bags."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.hub import topics
from harness.hub.topics import DeviceTopics, MethodAnswer, ModuleTopics, TwinGet, TwinPatch
from harness.protocol.mqtt.topics import topic_matches

DEVICE = DeviceTopics("dev1")
MODULE = ModuleTopics("dev1", "mod1")


@pytest.mark.parametrize(
    ("topic", "request_"),
    [
        ("$iothub/twin/GET/?$rid=1", TwinGet("1")),
        ("$iothub/twin/GET/?$rid=a%20b&$version=3", TwinGet("a%20b")),
        ("$iothub/twin/PATCH/properties/reported/?$rid=1", TwinPatch("1")),
        ("$iothub/methods/res/200/?$rid=a%20b", MethodAnswer("a b", 200)),
        ("$iothub/methods/res/-1/?$rid=1", MethodAnswer("1", -1)),
        ("$iothub/twin/GET/", None),
        ("$iothub/twin/GET/?$rid=", None),
        ("$iothub/twin/GET/?$rid=" + "9" * 1025, None),
        ("$iothub/twin/PATCH/properties/desired/?$rid=1", None),
        ("$iothub/methods/res/ok/?$rid=1", None),
        ("$iothub/methods/POST/x/?$rid=1", None),
        ("x/$iothub/twin/GET/?$rid=1", None),
        ("devices/dev1/messages/events/", None),
        ("$iothub/methods/res/\N{ARABIC-INDIC DIGIT ONE}/?$rid=1", None),
    ],
)
def test_requests(topic: str, request_: object) -> None:
    """The three requests a device publishes below $iothub, and nothing else."""
    assert topics.parse_request(topic) == request_


@pytest.mark.parametrize(
    ("bag", "properties"),
    [
        ("", {}),
        ("%24.mid=7&%24.ct=application%2Fjson", {"$.mid": "7", "$.ct": "application/json"}),
        ("$.mid=7", {"$.mid": "7"}),
        ("null&empty=&=nameless", {"null": None, "empty": "", "": "nameless"}),
        ("a=b=c", {"a": "b=c"}),
        ("a+b=c+d", {"a+b": "c+d"}),
        ("a=1&&a=2", {"a": "2"}),
        ("bad=%FF%zz", {"bad": "\N{REPLACEMENT CHARACTER}%zz"}),
    ],
)
def test_bags(bag: str, properties: dict[str, str | None]) -> None:
    """A key alone is null, `key=` is empty, plus stays plus, and nothing is an error."""
    assert topics.parse_bag(bag) == properties


@given(st.dictionaries(st.text(min_size=1), st.none() | st.text()))
def test_bags_round_trip(properties: dict[str, str | None]) -> None:
    """What is built is read back."""
    assert topics.parse_bag(topics.build_bag(properties)) == properties


def test_built_topics() -> None:
    """The spellings of the documentation."""
    assert topics.twin_answer_topic(200, "1") == "$iothub/twin/res/200/?$rid=1"
    assert topics.twin_answer_topic(204, "1", 2) == "$iothub/twin/res/204/?$rid=1&$version=2"
    assert topics.desired_topic(3) == "$iothub/twin/PATCH/properties/desired/?$version=3"
    assert topics.method_topic("re boot", "a/b") == "$iothub/methods/POST/re%20boot/?$rid=a%2Fb"
    assert DEVICE.events == "devices/dev1/messages/events"
    assert MODULE.events == "devices/dev1/modules/mod1/messages/events"
    assert MODULE.input("in 1", {"a": "b"}) == "devices/dev1/modules/mod1/inputs/in%201/a=b"


def test_c2d_topic_names_the_message_and_its_addressee() -> None:
    """The service puts both into the bag."""
    topic = DEVICE.c2d("c2d-1")
    bag = topic.removeprefix("devices/dev1/messages/devicebound/")
    assert topics.parse_bag(bag) == {"$.mid": "c2d-1", "$.to": "/devices/dev1/messages/devicebound"}


@pytest.mark.parametrize(
    ("topic", "topic_filter"),
    [
        (DEVICE.c2d("1"), DEVICE.c2d_filter),
        (MODULE.input("in", {}), MODULE.inputs_filter),
        (topics.twin_answer_topic(200, "1"), topics.TWIN_ANSWER_FILTER),
        (topics.desired_topic(1), topics.DESIRED_FILTER),
        (topics.method_topic("m", "1"), topics.METHOD_FILTER),
    ],
)
def test_filters_select_their_topics(topic: str, topic_filter: str) -> None:
    """What is subscribed to is what is sent, and is allowed."""
    assert topic_matches(topic_filter, topic)
    assert topic_filter in DEVICE.filters | MODULE.filters
