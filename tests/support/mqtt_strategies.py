"""Hypothesis strategies for MQTT packets, and ways to cut a stream of bytes into fragments."""

import itertools

from hypothesis import strategies as st

from harness.protocol.mqtt.packets import (
    SUBACK_FAILURE,
    Connack,
    Connect,
    Disconnect,
    Packet,
    Pingreq,
    Pingresp,
    Puback,
    Publish,
    Suback,
    Subscribe,
    Unsuback,
    Unsubscribe,
    Will,
)

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
payloads = st.binary(max_size=300)
packet_ids = st.integers(1, 65_535)
qos_levels = st.integers(0, 2)

levels = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0+#/"), max_size=6)
topics = st.lists(levels, min_size=1, max_size=5).map("/".join).filter(bool)


@st.composite
def topic_filters(draw: st.DrawFn) -> str:
    """A valid topic filter, with wildcards more often than not."""
    parts = draw(st.lists(st.one_of(levels, st.just("+")), max_size=4))
    last = draw(st.one_of(levels, st.just("+"), st.just("#")))
    return "/".join([*parts, last]) or "+"


wills = st.builds(Will, topics, payloads, qos_levels, st.booleans())
credentials = st.one_of(
    st.just((None, None)),
    st.tuples(texts, st.none()),
    st.tuples(texts, payloads),
)


@st.composite
def connects(draw: st.DrawFn) -> Connect:
    """Any CONNECT."""
    username, password = draw(credentials)
    will = draw(st.none() | wills)
    return Connect(draw(texts), draw(st.integers(0, 65_535)), draw(st.booleans()), username, password, will)


connacks = st.one_of(st.builds(Connack, st.integers(1, 5)), st.builds(Connack, st.just(0), st.booleans()))
publishes = st.one_of(
    st.builds(Publish, topics, payloads, retain=st.booleans()),
    st.builds(Publish, topics, payloads, st.integers(1, 2), packet_ids, st.booleans(), st.booleans()),
)
subscribes = st.builds(
    Subscribe, packet_ids, st.lists(st.tuples(topic_filters(), qos_levels), min_size=1, max_size=4).map(tuple)
)
subacks = st.builds(
    Suback, packet_ids, st.lists(st.sampled_from([0, 1, 2, SUBACK_FAILURE]), min_size=1, max_size=4).map(tuple)
)
unsubscribes = st.builds(Unsubscribe, packet_ids, st.lists(topic_filters(), min_size=1, max_size=4).map(tuple))

packets: st.SearchStrategy[Packet] = st.one_of(
    connects(),
    connacks,
    publishes,
    st.builds(Puback, packet_ids),
    subscribes,
    subacks,
    unsubscribes,
    st.builds(Unsuback, packet_ids),
    st.just(Pingreq()),
    st.just(Pingresp()),
    st.just(Disconnect()),
)


def fragments(data: bytes, cuts: list[int]) -> list[bytes]:
    """`data` cut at the given positions, taken modulo its length; empty fragments included."""
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]
