"""Properties of the emulated device: whatever comes in whatever order, it neither raises nor keeps its driver busy for ever."""

import dataclasses
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.device_hub import POLICY, HubWorld
from support.device_world import START, World, open_command, own_token, profile_of

from harness.device.emulated import Dial, EmulatedDevice, Hangup
from harness.hub.faults import Fault
from harness.profile import Profile
from harness.protocol.amqp.frames import AMQP_HEADER, SASL_HEADER, FrameType, encode_frame
from harness.protocol.amqp.performatives import (
    Attach,
    Begin,
    Close,
    Detach,
    Disposition,
    End,
    Error,
    Flow,
    Open,
    SaslMechanisms,
    SaslOutcome,
    Source,
    Target,
    Transfer,
)

PROFILES: Mapping[str, Profile] = {sdk: profile_of(sdk) for sdk in ("c", "dotnet", "java", "node", "python")}
PLAYED = [
    (sdk, transport) for sdk, one in PROFILES.items() for transport in ("mqtt", "amqp") if transport in one.transports
]
OVER_AMQP = [sdk for sdk, transport in PLAYED if transport == "amqp"]
CONNACK = {code: bytes((0x20, 2, 0, code)) for code in range(6)}

garbage = st.dictionaries(
    st.sampled_from(("cmd", "id", "transport", "connection_string", "lifetime_s", "margin_s", "c2d", "x")),
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=40)
    | st.sampled_from(("open", "send", "close")),
)
opens = st.builds(
    open_command,
    token=st.sampled_from(("", own_token(5), own_token(900))),
    lifetime_s=st.sampled_from((None, 1, 60, 130, 910, 3600)),
    c2d=st.booleans(),
    methods=st.booleans(),
)
sends = st.builds(lambda number: {"cmd": "send", "id": number}, st.integers(0, 99))
ERROR = Error("amqp:unauthorized-access", "Token Invalid.")
FRAMES = (
    AMQP_HEADER,
    SASL_HEADER,
    encode_frame(FrameType.SASL, 0, SaslMechanisms(("MSSBCBS", "ANONYMOUS"))),
    encode_frame(FrameType.SASL, 0, SaslOutcome(0)),
    *(
        encode_frame(FrameType.AMQP, channel, body)
        for channel in (0, 1)
        for body in (
            Open("hub", idle_time_out=1000),
            Begin(channel, 1, 5000, 5000),
            Attach("$cbs-sender", 0, role=True, source=Source(), target=Target("$cbs")),
            Attach("$cbs-receiver", 1, role=False, source=Source("$cbs"), target=Target(), initial_delivery_count=0),
            Flow(1, 5000, 1, 5000, handle=0, delivery_count=0, link_credit=100),
            Transfer(1, 0, b"tag", 0, settled=True),
            Disposition(role=True, first=0, last=9, settled=True),
            Detach(0, closed=True, error=ERROR),
            Detach(1, closed=False),
            End(),
            Close(ERROR),
        )
    ),
)

incoming = st.binary(max_size=40) | st.sampled_from(
    (
        *CONNACK.values(),
        *FRAMES,
        b"\x40\x02\x00\x01",
        b"\x90\x03\x00\x01\x01",
        b"\x90\x05\x00\x01\x01\x01\x01",
        b"\xd0\x00",
    )
)
steps = st.lists(
    st.tuples(st.just("command"), garbage | opens | sends | st.just({"cmd": "close"}))
    | st.tuples(st.just("receive"), incoming)
    | st.tuples(st.sampled_from(("connected", "lost", "time")), st.floats(0, 500)),
    max_size=60,
)


@pytest.mark.slow
@given(played=st.sampled_from(PLAYED), first=opens, script=steps, seed=st.integers(0, 9))
@settings(max_examples=400)
def test_random_interleavings_never_raise(
    played: tuple[str, str], first: dict[str, object], script: list[tuple[str, object]], seed: int
) -> None:
    """Commands, bytes, losses and time in any order: no exception, few actions for each, no unnamed event."""
    sdk, transport = played
    device = EmulatedDevice(PROFILES[sdk], transport, random=Random(seed))
    now = START
    device.command(first, now)
    for what, value in script:
        match what, value:
            case "command", dict():
                device.command(value, now)
            case "receive", bytes():
                device.receive(value, now)
            case "connected", _:
                device.connected(now)
            case "lost", _:
                device.lost("fin", now)
            case _, float():
                now += value
                device.on_time(now)
        assert len(device.actions()) < 10
        assert all(event["event"] for event in device.events())


def _chaos(world: World) -> Mapping[str, Callable[[], None]]:
    """What may go wrong in a world, by name."""
    return {
        "cut": world.cut,
        "reset": lambda: world.cut("rst"),
        "unreachable": lambda: setattr(world, "reachable", False),
        "reachable": lambda: setattr(world, "reachable", True),
        "refuse": lambda: setattr(world, "answer", lambda _connect, _left: 5),
        "unavailable": lambda: setattr(world, "answer", lambda _connect, _left: 3),
        "silent": lambda: setattr(world, "answer", lambda _connect, _left: None),
        "accept": lambda: setattr(world, "answer", lambda _connect, _left: 0),
        "withhold": lambda: setattr(world, "acknowledges", False),
        "acknowledge": lambda: setattr(world, "acknowledges", True),
        "no-suback": lambda: setattr(world, "grants", False),
        "suback": lambda: setattr(world, "grants", True),
        "close": lambda: world.do({"cmd": "close"}),
    }


@pytest.mark.slow
@given(
    sdk=st.sampled_from(sorted(PROFILES)),
    token=st.sampled_from(("", own_token(5), own_token(50))),
    listening=st.booleans(),
    events=st.lists(st.tuples(st.floats(0, 90), st.sampled_from(sorted(_chaos(World(PROFILES["c"]))))), max_size=12),
    numbers=st.lists(st.floats(0, 90), max_size=20),
)
@settings(max_examples=150)
def test_time_always_passes(
    *,
    sdk: str,
    token: str,
    listening: bool,
    events: list[tuple[float, str]],
    numbers: list[float],
) -> None:
    """Against a hub that misbehaves at random, 100 s pass in bounded work, and each message ends exactly once."""
    world = World(PROFILES[sdk])
    lifetime_s = PROFILES[sdk].settings[0].lifetime_s
    world.do(open_command(token=token, lifetime_s=lifetime_s, c2d=listening, methods=listening))
    chaos = _chaos(world)
    for at, name in events:
        world.at(START + at, chaos[name])
    for number, at in enumerate(numbers):
        world.at(START + at, lambda number=number: world.send(number))  # type: ignore[misc]
    world.run(100)
    world.do({"cmd": "close"})
    world.run(300)
    ended = [event["id"] for event in world.events("sent", "send_failed")]
    refused = [event for event in world.events("bad_command") if event.get("cmd") == "send"]
    assert sorted(map(str, ended)) == sorted(set(map(str, ended)))
    assert len(ended) + len(refused) == len(numbers)
    assert len(world.events("closed")) == 1


def _amqp_chaos(world: HubWorld) -> Mapping[str, Callable[[], None]]:
    """What may go wrong between a device and a real hub, by name."""
    return {
        "cut": world.cut,
        "reset": lambda: world.cut("rst"),
        "unreachable": lambda: setattr(world, "reachable", False),
        "reachable": lambda: setattr(world, "reachable", True),
        "refuse": world.refuse,
        "accept": lambda: world.refuse(always=False),
        "deaf": lambda: setattr(world, "deaf", True),
        "hears": lambda: setattr(world, "deaf", False),
        "mute": lambda: setattr(world, "mute", True),
        "speaks": lambda: setattr(world, "mute", False),
        "stop": world.stop_hub,
        "c2d": lambda: world.send_c2d("c2d"),
        "method": lambda: world.call_method("m1"),
        "close": lambda: world.do({"cmd": "close"}),
    }


@pytest.mark.slow
@given(
    sdk=st.sampled_from(OVER_AMQP),
    token=st.sampled_from(("", own_token(5), own_token(50))),
    listening=st.booleans(),
    fault=st.sampled_from(("detach", "detach-not-closed", "close", "fin", "rst", "refuse", "")),
    events=st.lists(
        st.tuples(st.floats(0, 90), st.sampled_from(sorted(_amqp_chaos(HubWorld(PROFILES["c"]))))), max_size=12
    ),
    numbers=st.lists(st.floats(0, 90), max_size=20),
)
@settings(max_examples=250)
def test_time_always_passes_over_amqp(
    *,
    sdk: str,
    token: str,
    listening: bool,
    fault: Any,
    events: list[tuple[float, str]],
    numbers: list[float],
) -> None:
    """Against the hub over a bad network, time passes in bounded work; each message ends once, unless an SDK leaves it open."""
    cut = (Fault("half-life", "cut", close=fault, times=2),)
    faults = (Fault("renewal", "refuse", times=2),) if fault == "refuse" else cut if fault else ()
    world = HubWorld(PROFILES[sdk], policy=dataclasses.replace(POLICY, faults=faults))
    lifetime_s = PROFILES[sdk].settings[0].lifetime_s
    world.do(open_command(token=token, lifetime_s=lifetime_s, c2d=listening, methods=listening))
    chaos = _amqp_chaos(world)
    for at, name in events:
        world.at(START + at, chaos[name])
    for number, at in enumerate(numbers):
        world.at(START + at, lambda number=number: world.send(number))  # type: ignore[misc]
    world.run(100)
    world.do({"cmd": "close"})
    world.run(300)
    ended = [event["id"] for event in world.events("sent", "send_failed")]
    refused = [event for event in world.events("bad_command") if event.get("cmd") == "send"]
    assert sorted(map(str, ended)) == sorted(set(map(str, ended)))
    left_open = len(numbers) - len(ended) - len(refused)
    assert left_open >= 0 if sdk == "node" and fault == "close" else left_open == 0
    assert len(world.events("closed")) == 1


@pytest.mark.slow
@given(played=st.sampled_from(PLAYED), script=steps)
def test_one_transport_at_a_time(played: tuple[str, str], script: list[tuple[str, object]]) -> None:
    """Each Dial comes when the transport before is gone, each transport is hung up at most once, and nothing is written after it."""
    sdk, transport = played
    device = EmulatedDevice(PROFILES[sdk], transport, random=Random(0))
    device.command(open_command(c2d=True), START)
    now, state = START, "gone"
    for what, value in script:
        for action in device.actions():
            match action:
                case Dial():
                    assert state == "gone"
                    state = "asked for"
                case Hangup():
                    assert state in ("asked for", "standing")
                    state = "hung up"
                case _:
                    assert state == "standing"
        if what == "connected" and state == "asked for":
            state = "standing"
            device.connected(now)
        elif what == "receive" and isinstance(value, bytes) and state == "standing":
            device.receive(value, now)
        elif what == "lost" and state != "gone":
            state = "gone"
            device.lost("fin", now)
        elif what == "command" and isinstance(value, dict):
            device.command(value, now)
        elif what == "time" and isinstance(value, float):
            now += value
            device.on_time(now)
