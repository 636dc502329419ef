"""The emulated device by itself: commands, messages in both directions, faults of the hub, closing."""

from random import Random
from typing import Any

import msgspec
import pytest
from support.device_world import HOST, KEY, START, World, open_command, own_token, profile_of

from harness.device.emulated import Dial, EmulatedDevice, Hangup, Phase, Write
from harness.profile import Profile


@pytest.fixture
def python() -> Profile:
    """The profile of the Python SDK, which has most to show."""
    return profile_of("python")


def opened(profile: Profile, **fields: Any) -> World:
    """A world one second after the open command."""
    world = World(profile)
    world.do(open_command(**fields))
    world.run(1)
    return world


@pytest.mark.parametrize(
    ("sdk", "capabilities"),
    [
        ("python", ["lifetime", "own-token", "token-update", "x509"]),
        ("node", ["lifetime", "margin", "own-token", "token-update", "x509"]),
        ("dotnet", ["lifetime", "margin-percent", "own-token", "x509"]),
    ],
)
def test_hello_comes_first_and_says_emulated(sdk: str, capabilities: list[str]) -> None:
    """The handshake names the SDK and its version, and that we play it."""
    profile = profile_of(sdk)
    device = EmulatedDevice(profile, "mqtt", random=Random(0))
    assert device.events() == [
        {
            "event": "hello", "protocol": 1, "sdk": sdk, "sdk_version": profile.version, "runtime": "emulated",
            "transports": list(profile.transports), "capabilities": capabilities, "emulated": True,
        }
    ]  # fmt: skip
    assert device.events() == []


def test_open_dials_connects_and_reports(python: Profile) -> None:
    """Dial, CONNECT once the transport stands, `opened` with the settings used; every event carries its time."""
    device = EmulatedDevice(python, "mqtt", random=Random(0))
    device.events()
    device.command(open_command(lifetime_s=130, margin_s=5, unknown=1), START)
    assert device.actions() == [Dial()]
    device.connected(START + 1)
    (write,) = device.actions()
    assert isinstance(write, Write)
    assert write.data[0] == 0x10
    device.receive(b"\x20\x02\x00\x00", START + 2)
    told = device.events()
    assert told[-1] == {"event": "opened", "t": START + 2, "settings": {"transport": "mqtt", "lifetime_s": 130}}
    assert device.phase is Phase.READY


@pytest.mark.parametrize(
    "command",
    [
        {},
        {"cmd": None},
        {"cmd": "fly"},
        {"cmd": 7},
        {"cmd": "send", "id": "1"},
        {"cmd": "send", "id": True},
        {"cmd": "send"},
        {"cmd": "open"},
        {"cmd": "token", "sas": 7},
    ],
)
def test_unknown_and_malformed_commands(python: Profile, command: dict[str, object]) -> None:
    """`bad_command`, with the command's name where it has one, and life goes on."""
    world = opened(python)
    world.do(command)
    (bad,) = world.events("bad_command")
    assert bad.get("cmd") == (command.get("cmd") if isinstance(command.get("cmd"), str) else None)
    world.send(1)
    assert len(world.events("sent")) == 1


def test_send_before_open_is_a_bad_command(python: Profile) -> None:
    """There is no client yet."""
    world = World(python)
    world.send(1)
    assert [event["cmd"] for event in world.events("bad_command")] == ["send"]


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"connection_string": None}, "connection_string"),
        ({"connection_string": "HostName=h;SharedAccessKey=AA=="}, "no DeviceId"),
        ({"connection_string": "DeviceId=d1;SharedAccessKey=AA=="}, "no HostName"),
        ({"connection_string": "HostName=h;DeviceId=d1"}, "either"),
        ({"connection_string": "HostName=h;DeviceId=d#;SharedAccessKey=AA=="}, "MQTT topic"),
        ({"connection_string": "HostName=h;DeviceId=dé;SharedAccessKey=AA=="}, "characters"),
        ({"connection_string": "HostName=h;DeviceId=d1;SharedAccessKey=?"}, "no base64"),
        ({"connection_string": "HostName=h;DeviceId=d1;SharedAccessKey=AA==;x509=true"}, "either"),
        ({"transport": "amqp"}, "not for amqp"),
        ({"lifetime_s": "130"}, "lifetime_s"),
        ({"lifetime_s": True}, "lifetime_s"),
        ({"lifetime_s": float("inf")}, "lifetime_s"),
        ({"c2d": "yes"}, "c2d"),
    ],
)
def test_an_impossible_open_fails(python: Profile, fields: dict[str, Any], complaint: str) -> None:
    """`open_failed` says why, quotes no credential, and another open may follow."""
    world = World(python)
    world.do(open_command() | fields)
    (failed,) = world.events("open_failed")
    assert complaint in str(failed["error"])
    assert KEY not in str(world.told)
    world.do(open_command())
    world.run(1)
    assert world.events("opened")


def test_cloud_to_device_messages_are_acknowledged_and_reported(python: Profile) -> None:
    """Event `c2d` with the message id and size; PUBACK for QoS 1 only."""
    world = opened(python, c2d=True)
    topic = "devices/d1/messages/devicebound/%24.mid=c2d-1&%24.to=%2Fdevices%2Fd1%2Fmessages%2FdeviceBound"
    world.hub(lambda server: server.publish(topic, b"hello", qos=1, packet_id=7))
    world.hub(lambda server: server.publish("devices/d1/messages/devicebound/", b"", qos=0))
    assert [(event.get("message_id"), event["size"]) for event in world.events("c2d")] == [("c2d-1", 5), (None, 0)]
    assert world.order()[-1] == "PUBACK 7"


def test_direct_methods_are_answered(python: Profile) -> None:
    """Event `method` with its name; status 200 goes to the request's topic."""
    world = opened(python, methods=True)
    world.hub(lambda server: server.publish("$iothub/methods/POST/probe/?$rid=1f", b"{}"))
    assert [event["name"] for event in world.events("method")] == ["probe"]
    assert world.order()[-1] == "PUBLISH $iothub/methods/res/200/?$rid=1f"


def test_other_topics_are_not_reported(python: Profile) -> None:
    """A publish the device does not know is acknowledged and otherwise ignored."""
    world = opened(python)
    world.hub(lambda server: server.publish("$iothub/twin/res/200/?$rid=1", b"{}", qos=1, packet_id=3))
    world.hub(lambda server: server.publish("$iothub/methods/POST/", b"{}"))
    assert world.events("c2d", "method") == []
    assert world.order()[-1] == "PUBACK 3"


def test_messages_before_the_connection_stands_are_kept(python: Profile) -> None:
    """A send after open but before CONNACK goes out once the device is ready."""
    world = World(python)
    world.do(open_command())
    world.send(1)
    world.run(1)
    assert [event["id"] for event in world.events("sent")] == [1]


def test_close_says_goodbye(python: Profile) -> None:
    """DISCONNECT, then the transport, then `closed`; nothing after it."""
    world = opened(python)
    world.do({"cmd": "close"})
    world.run(2)
    assert world.order() == ["CONNECT", "DISCONNECT"]
    assert world.shown()[-2:] == ["status: False", "closed"]
    world.send(1)
    world.do({"cmd": "close"})
    assert [event["cmd"] for event in world.events("bad_command")] == ["send", "close"]
    assert world.device.phase is Phase.CLOSED
    assert world.device.next_deadline() is None


def test_close_lets_messages_settle(python: Profile) -> None:
    """An outstanding PUBACK is awaited before DISCONNECT; a second close meanwhile is refused."""
    world = opened(python)
    world.acknowledges = False
    world.send(1)
    world.do({"cmd": "close"})
    world.do({"cmd": "close"})
    assert world.order()[-1] != "DISCONNECT"
    world.hub(lambda server: server.acknowledge(1))
    world.run(2)
    assert world.order()[-1] == "DISCONNECT"
    assert [event["event"] for event in world.events("sent", "send_failed", "closed", "bad_command")] == [
        "bad_command", "sent", "closed",
    ]  # fmt: skip


def test_close_does_not_settle_for_ever(python: Profile) -> None:
    """After five seconds without the PUBACK the message fails."""
    world = opened(python)
    world.acknowledges = False
    world.send(1)
    world.do({"cmd": "close"})
    world.run(8)
    assert world.times("DISCONNECT") == [6.0]
    assert world.shown()[-2:] == ["send_failed: OperationCancelled", "closed"]


def test_close_in_the_middle_of_a_drain_for_a_renewal() -> None:
    """The renewal's own patience ends early, and the device closes instead of coming back."""
    world = opened(profile_of("node"), lifetime_s=910)
    world.acknowledges = False
    world.run(9)
    world.send(1)
    world.run(11)
    world.do({"cmd": "close"})
    world.run(30)
    assert world.times("DISCONNECT") == [16.0]
    assert world.shown()[-1] == "closed"


def test_close_before_open(python: Profile) -> None:
    """There is nothing to close; the event comes all the same."""
    world = World(python)
    world.do({"cmd": "close"})
    assert world.shown() == ["closed"]


def test_close_while_dialling(python: Profile) -> None:
    """The dial is given up."""
    device = EmulatedDevice(python, "mqtt", random=Random(0))
    device.command(open_command(), START)
    device.command({"cmd": "close"}, START)
    assert device.actions() == [Dial(), Hangup("rst")]
    device.connected(START)
    assert device.actions() == []
    device.lost("fin", START)
    assert device.events()[-1]["event"] == "closed"


def test_a_transport_that_does_not_come(python: Profile) -> None:
    """Is given up after as long as the SDK waits: as if nobody had been there."""
    device = EmulatedDevice(python, "mqtt", random=Random(0))
    device.command(open_command(), START)
    assert device.next_deadline() == START + 5
    device.on_time(START + 5)
    assert device.actions() == [Dial(), Hangup("rst")]
    device.lost("rst", START + 5)
    assert device.events()[-1]["event"] == "open_failed"


def test_a_transport_that_came_in_time(python: Profile) -> None:
    """Is not given up any more."""
    device = EmulatedDevice(python, "mqtt", random=Random(0))
    device.command(open_command(), START)
    device.connected(START + 4)
    device.on_time(START + 5)
    assert [action for action in device.actions() if isinstance(action, Hangup)] == []


def test_an_sdk_that_waits_as_long_as_the_system() -> None:
    """Node.js over AMQP sets no limit of its own."""
    device = EmulatedDevice(profile_of("node"), "amqp", random=Random(0))
    device.command(open_command(), START)
    deadline = device.next_deadline()
    assert deadline is None or deadline > START + 1000


def test_close_before_the_hub_answered(python: Profile) -> None:
    """A CONNECT without an answer does not keep the device."""
    world = World(python)
    world.answer = lambda _connect, _left: None
    world.do(open_command())
    world.run(1)
    world.do({"cmd": "close"})
    world.run(2)
    assert world.shown() == ["closed"]


def test_close_while_subscribing(python: Profile) -> None:
    """DISCONNECT without waiting for the SUBACK."""
    world = World(python)
    world.grants = False
    world.do(open_command(c2d=True))
    world.run(1)
    world.do({"cmd": "close"})
    world.run(2)
    assert world.order()[-1] == "DISCONNECT"
    assert world.shown()[-1] == "closed"


def test_close_while_leaving(python: Profile) -> None:
    """A close that meets a renewal ends in `closed`, not in a new connection."""
    world = opened(python, lifetime_s=130)
    world.run(10.0001)
    assert world.device.phase is Phase.LEAVING
    world.do({"cmd": "close"})
    world.run(12)
    assert world.order() == ["CONNECT", "DISCONNECT"]
    assert world.shown()[-1] == "closed"


@pytest.mark.parametrize("sdk", ["c", "java"])
def test_close_while_away(sdk: str) -> None:
    """Waiting for the next attempt: closed at once, and what was kept fails."""
    world = opened(profile_of(sdk))
    world.reachable = False
    world.cut()
    world.run(1.5)
    world.send(1)
    world.do({"cmd": "close"})
    assert world.device.phase is Phase.CLOSED
    assert len(world.events("send_failed")) == 1
    assert world.shown()[-1] == "closed"


def test_a_lost_transport_outside_a_connection_is_ignored(python: Profile) -> None:
    """News of a transport that the device has done with changes nothing."""
    device = EmulatedDevice(python, "mqtt", random=Random(0))
    device.events()
    device.lost("fin", START)
    device.connected(START)
    device.receive(b"junk", START)
    device.on_time(START)
    assert (device.events(), device.actions(), device.next_deadline()) == ([], [], None)


def test_open_that_reaches_no_hub(python: Profile) -> None:
    """Python fails at once."""
    world = World(python)
    world.reachable = False
    world.do(open_command())
    world.run(30)
    assert world.shown() == ["open_failed: ConnectionFailedError"]
    world.send(1)
    world.run(31)
    assert world.shown()[-1] == "send_failed: ConnectionFailedError"


def test_open_goes_on_trying_where_the_sdk_does() -> None:
    """.NET tries again silently, and opens once the hub is there."""
    world = World(profile_of("dotnet"))
    world.reachable = False
    world.do(open_command())
    world.at(START + 5, lambda: setattr(world, "reachable", True))
    world.run(30)
    assert world.shown() == ["status: Connected/Connection_Ok", "opened"]


def test_connack_3_counts_as_passing() -> None:
    """Server unavailable is retried by an SDK that gives up at a refusal, and the message is held (.NET: after 1 s and 1 s)."""
    world = opened(profile_of("dotnet"))
    world.answer = lambda _connect, _left: 3 if len(world.connects) < 4 else 0
    world.cut()
    world.send(1)
    world.run(5)
    assert [entry for entry in world.order() if entry.startswith("CONNECT")] == [
        "CONNECT", "CONNECT refused 3", "CONNECT refused 3", "CONNECT",
    ]  # fmt: skip
    assert [event["id"] for event in world.events("sent")] == [1]


def test_no_connack_is_an_attempt_that_failed() -> None:
    """The wait for CONNACK ends the attempt (C: 30 s); the next follows."""
    world = World(profile_of("c"))
    world.answer = lambda _connect, _left: None if len(world.connects) < 2 else 0
    world.do(open_command())
    world.run(40)
    assert [round(connect_at) for connect_at, _ in world.wire] == [0, 31]
    assert world.events("opened")


def test_a_silent_hub_is_left(python: Profile) -> None:
    """No PINGRESP: the connection is aborted and counts as dropped."""
    world = opened(python, c2d=True)
    server, world.server = world.server, None
    assert server is not None
    world.run(200)
    assert world.shown()[2:4] == [
        "status: False",
        "background_exception: ConnectionDroppedError <- ConnectionDroppedError",
    ]
    assert len(world.connects) == 2


def test_a_hub_that_breaks_mqtt_is_left(python: Profile) -> None:
    """A violation on a standing connection is a drop."""
    world = opened(python)
    world.device.receive(b"\xf0\x00", world.now)
    world.send(1)
    world.run(3)
    assert world.shown()[2] == "status: False"
    assert [event["id"] for event in world.events("sent")] == [1]


def test_drop_while_subscribing_at_open(python: Profile) -> None:
    """The open is still under way: the device connects again, and then it is open."""
    world = World(python)
    world.grants = False
    world.do(open_command(c2d=True))
    world.run(1)
    world.grants = True
    world.cut()
    world.run(2)
    assert len(world.events("opened")) == 1


def test_drop_while_a_renewal_comes_back() -> None:
    """A renewal whose reconnect is cut becomes an absence like any other."""
    world = opened(profile_of("c"), c2d=True, lifetime_s=20)
    world.grants = False
    world.run(17.5)
    world.grants = True
    world.cut()
    world.run(19)
    assert world.shown()[-2:] == ["status: UNAUTHENTICATED/NO_NETWORK", "status: AUTHENTICATED/OK"]


def test_renewal_that_finds_no_hub() -> None:
    """The way back from a renewal fails: the waits of a lost connection follow."""
    world = opened(profile_of("c"), lifetime_s=20)
    world.run(17)
    world.reachable = False
    world.run(19)
    world.reachable = True
    world.run(25)
    assert world.shown()[-1] == "status: AUTHENTICATED/OK"
    assert world.events("status")[-1]["reason"] == "OK"
    assert len(world.connects) == 2


def test_a_renewal_point_passed_while_away_counts_at_return() -> None:
    """Node.js without a connection has no timer, and its new token starts a new life."""
    world = opened(profile_of("node"), c2d=True, lifetime_s=910)
    world.reachable = False
    world.cut()
    world.run(15)
    world.reachable = True
    world.run(40)
    back = world.times("CONNECT")[1]
    assert [round(at - back) for at in world.times("CONNECT")[1:]] == [0, 10, 20][: len(world.times("CONNECT")) - 1]


def test_a_renewal_point_passed_while_subscribing_counts_once_ready(python: Profile) -> None:
    """The SUBACK comes after the renewal point: the renewal follows at once."""
    world = World(python)
    world.grants = False
    world.do(open_command(c2d=True, lifetime_s=130))
    world.run(12)
    world.hub(lambda server: server.suback(1, (1,)))
    world.run(13)
    assert world.times("DISCONNECT") == [12.0]


def test_given_up_and_not_reached_fails_each_message(python: Profile) -> None:
    """After giving up, a message that reaches no hub fails with its attempt."""
    world = opened(python, token=own_token(5))
    world.run(12)
    world.reachable = False
    world.send(1)
    world.run(13)
    assert world.shown()[-1] == "send_failed: ConnectionFailedError"


def test_node_tries_again_for_a_message_that_finds_no_hub() -> None:
    """Idle, it does not come back; a message makes it try until somebody is there, and does not fail."""
    world = opened(profile_of("node"))
    world.reachable = False
    world.cut()
    world.run(3)
    world.send(1)
    world.run(4)
    world.reachable = True
    world.run(8)
    assert [event["id"] for event in world.events("sent")] == [1]
    assert world.events("send_failed") == []


def test_attempts_of_its_own_that_find_no_hub_are_shown(python: Profile) -> None:
    """Python: the first at once, the next ten seconds after the last; a message's attempt shows in the message alone."""
    world = opened(python)
    world.reachable = False
    world.cut()
    world.run(3)
    world.send(1)
    world.run(16)
    assert [text for text in world.shown()[4:] if "Failed" in text] == [
        "background_exception: ConnectionFailedError <- ConnectionRefusedError",
        "send_failed: ConnectionFailedError",
        "background_exception: ConnectionFailedError <- ConnectionRefusedError",
    ]


def test_python_message_does_not_wait_for_the_next_attempt(python: Profile) -> None:
    """Between two attempts 10 s apart a message makes one of its own."""
    world = opened(python)
    world.reachable = False
    world.cut()
    world.run(3)
    world.reachable = True
    world.send(1)
    world.run(4)
    assert [event["id"] for event in world.events("sent")] == [1]
    assert world.shown()[-1] == "status: True"


def test_java_keeps_messages_while_it_tries() -> None:
    """A message in DISCONNECTED_RETRYING is neither lost nor an attempt."""
    world = opened(profile_of("java"))
    world.reachable = False
    world.cut()
    world.run(4)
    world.send(1)
    world.reachable = True
    world.run(10)
    assert [event["id"] for event in world.events("sent")] == [1]
    assert not world.events("send_failed")


def test_late_answers_are_ignored(python: Profile) -> None:
    """A PUBACK or SUBACK nobody waits for changes nothing."""
    world = opened(python)
    world.hub(lambda server: server.acknowledge(99))
    world.hub(lambda server: server.suback(98, (0,)))
    world.send(1)
    assert [event["id"] for event in world.events("sent")] == [1]


def test_ping_interval_is_the_profiles() -> None:
    """.NET pings after a quarter of its keep-alive."""
    world = opened(profile_of("dotnet"))
    world.run(160)
    assert world.times("PingReceived") == [75.0, 150.0]


def test_own_token_lifetime_is_not_echoed(python: Profile) -> None:
    """A lifetime is no setting of a client that was given a token."""
    world = opened(python, token=own_token(100), lifetime_s=130)
    assert world.events("opened")[0]["settings"] == {"transport": "mqtt"}
    assert world.connects[0].username is not None
    assert world.connects[0].username.startswith(HOST)


def test_an_acknowledgement_while_subscribing_sends_nothing(python: Profile) -> None:
    """A stray PUBACK before the SUBACK is no reason to begin."""
    world = World(python)
    world.grants = False
    world.do(open_command(c2d=True))
    world.run(1)
    world.send(1)
    world.hub(lambda server: server.acknowledge(99))
    assert not any(entry.startswith("PUBLISH") for entry in world.order())


def test_nothing_is_read_after_leaving() -> None:
    """A message in the same chunk as the last PUBACK of a drain is left to the hub's next delivery."""
    world = opened(profile_of("node"), c2d=True, lifetime_s=910)
    world.acknowledges = False
    world.send(1)
    world.run(11)
    assert "DISCONNECT" not in world.order()
    server = world.server
    assert server is not None
    server.acknowledge(2)
    world.hub(lambda server: server.publish("devices/d1/messages/devicebound/", b"x", qos=1, packet_id=9))
    assert world.device.phase is Phase.LEAVING
    assert world.events("c2d") == []


def test_without_a_delay_the_next_dial_follows_at_once(python: Profile) -> None:
    """A profile whose SDK does not pause has no waiting phase."""
    emulation = msgspec.structs.replace(python.emulation, reconnect_delay_s=0.0)
    world = opened(msgspec.structs.replace(python, emulation=emulation))
    world.cut()
    assert world.device.phase is Phase.DIALLING


def test_the_devices_own_reset_is_not_shown_as_the_hubs() -> None:
    """Node.js shows ECONNRESET where the hub resets, not where the SDK itself gave the connection up."""
    world = opened(profile_of("node"), c2d=True)
    world.device.receive(b"\xf0\x00", world.now)
    world.device.lost("rst", world.now)
    world.run(2)
    assert world.shown() == ["status: connect", "opened", "status: connect"]
