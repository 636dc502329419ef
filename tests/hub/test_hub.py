"""The hub's door."""

from support.hub_world import IDENTITY, NOW, POLICY, World, connect_packet

from harness.hub.hub import Hub
from harness.protocol.mqtt.codec import encode
from harness.protocol.mqtt.packets import Disconnect


def test_connections_are_numbered_from_1() -> None:
    """In the order in which they came."""
    world = World()
    assert [world.open().hub_side.number for _ in range(3)] == [1, 2, 3]


def test_stop_cuts_every_connection() -> None:
    """Those that wait for CONNECT, those that are in, those that take leave; not those that are gone."""
    world = World()
    gone, leaving = world.open(), world.connected()
    gone.hub_side.transport_closed("device", "fin", NOW)
    leaving.send(Disconnect())
    waiting, accepted = world.open(), world.connected(present=True)
    world.hub.stop(NOW)
    assert [(fields["conn"], fields["cause"]) for fields in world.find("cut")] == [
        (3, "hub-stopped"),
        (4, "hub-stopped"),
    ]
    assert [wire.hub_side.close_request for wire in (leaving, waiting, accepted)] == ["fin"] * 3
    assert [wire.wakes for wire in (gone, leaving, waiting, accepted)] == [0, 1, 1, 1]
    assert world.codes() == ["deviceConnect", "deviceDisconnect", "deviceConnect"]


def test_stopping_twice_reports_once() -> None:
    """The second time there is nothing left to cut."""
    world = World()
    world.connected()
    world.hub.stop(NOW)
    world.hub.stop(NOW)
    assert world.one("cut")["cause"] == "hub-stopped"


def test_messages_for_an_absent_device_wait() -> None:
    """They can be queued before any connection, and calls time out."""
    world = World()
    world.hub.send_c2d("c2d-1", b"", NOW)
    world.hub.call_method("1", "probe", b"", NOW, connect_timeout_s=0.0, response_timeout_s=1.0)
    assert world.hub.next_deadline() == NOW
    world.hub.on_time(NOW)
    assert world.one("method-failed")["code"] == "404103"
    assert world.kinds() == ["c2d-queued", "method-called", "method-failed"]


def test_hub_answers_to_its_own_name_without_being_told() -> None:
    """`names` adds to it; without a recorder nobody needs to learn secrets."""
    connection = Hub(IDENTITY, POLICY, emit=None).open("mqtt", "127.0.0.1:1", NOW, lambda: None)
    connection.receive(encode(connect_packet()), NOW)
    assert connection.data_to_send() == b"\x20\x02\x00\x00"


def test_nothing_is_told_to_a_recorder_that_is_not_there() -> None:
    """A device comes, takes leave and closes, and secrets are of no interest either."""
    world = World(recording=False)
    wire = world.connected()
    wire.send(Disconnect())
    wire.hub_side.peer_closed("fin", NOW)
    wire.hub_side.transport_closed("device", "fin", NOW)
    assert (wire.hub_side.close_request, world.events, world.secrets) == ("fin", [], [])
