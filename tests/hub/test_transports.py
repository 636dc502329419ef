"""Connections by transport, and WebSockets before their upgrade."""

import pytest
from support.amqp_device import AmqpDevice
from support.hub_world import CERTIFICATE, DEVICE, NOW, SELF_SIGNED, USER_NAME, World, connect_packet

from harness.errors import LocalProtocolError
from harness.hub.amqp.connection import AmqpConnection
from harness.hub.base import HubConnection
from harness.hub.connection import MqttConnection
from harness.hub.https.connection import HttpsConnection
from harness.protocol.mqtt.codec import encode
from harness.protocol.mqtt.packets import Connect


@pytest.fixture
def world() -> World:
    """A hub with its events recorded."""
    return World()


@pytest.fixture
def websocket(world: World) -> HubConnection:
    """A connection before its upgrade."""
    return world.accept("websocket")


@pytest.mark.parametrize(("transport", "kind"), [("mqtt", MqttConnection), ("amqp", AmqpConnection)])
def test_transports_that_need_no_upgrade(world: World, transport: str, kind: type[HubConnection]) -> None:
    """They speak at once, and cannot be upgraded."""
    side = world.accept(transport)
    assert type(side) is kind
    with pytest.raises(LocalProtocolError):
        side.upgraded("mqtt", "/", NOW)


@pytest.mark.parametrize(
    ("subprotocol", "kind", "transport"),
    [
        ("mqtt", MqttConnection, "mqtt-ws"),
        ("MQTT", MqttConnection, "mqtt-ws"),
        ("AMQPWSB10", AmqpConnection, "amqp-ws"),
        ("amqpwsb10", AmqpConnection, "amqp-ws"),
    ],
)
def test_upgrade(
    world: World, websocket: HubConnection, subprotocol: str, kind: type[HubConnection], transport: str
) -> None:
    """The same number goes on in another object; the event has the device's spelling."""
    side = websocket.upgraded(subprotocol, "/$iothub/websocket", NOW + 1)
    assert (type(side), side.number) == (kind, 1)
    assert world.one("websocket") == {
        "conn": 1, "path": "/$iothub/websocket", "subprotocol": subprotocol, "transport": transport,
    }  # fmt: skip
    side.transport_closed("hub", "fin", NOW + 1)
    assert world.kinds() == ["accepted", "websocket", "closed"]


def test_records_name_the_transport(world: World, websocket: HubConnection) -> None:
    """Which is known only then."""
    AmqpDevice(websocket.upgraded("AMQPWSB10", "/", NOW)).connected()
    world.accept("websocket").upgraded("mqtt", "/", NOW).receive(encode(connect_packet()), NOW)
    protocols = [fields["row"]["Protocol"] for fields in world.find("record")]
    assert protocols == ["AmqpWs", "AmqpWs", "MqttWs"]


def test_unknown_subprotocol(websocket: HubConnection) -> None:
    """Is refused before it comes here."""
    with pytest.raises(LocalProtocolError):
        websocket.upgraded("chat", "/", NOW)


def test_plain_requests_are_no_upgrade(world: World, websocket: HubConnection) -> None:
    """The connection goes on as one of HTTPS, and there is nothing to tell yet."""
    side = websocket.upgraded("", "/devices/d", NOW)
    assert (type(side), side.number, world.kinds()) == (HttpsConnection, 1, ["accepted"])


def test_upgrade_comes_once(websocket: HubConnection) -> None:
    """Then the other object speaks."""
    websocket.upgraded("mqtt", "/", NOW)
    with pytest.raises(LocalProtocolError):
        websocket.upgraded("mqtt", "/", NOW)


def test_nothing_goes_over_it_before(world: World, websocket: HubConnection) -> None:
    """Neither way, but for notes."""
    websocket.receive(encode(connect_packet()), NOW)
    websocket.deliver(NOW)
    websocket.displaced(2, NOW)
    websocket.note("tls", NOW, version="TLSv1.3")
    assert (websocket.data_to_send(), websocket.close_request) == (b"", None)
    assert world.kinds() == ["accepted", "tls"]


def test_upgrade_has_to_come_in_time(world: World, websocket: HubConnection) -> None:
    """Like a CONNECT."""
    assert websocket.next_deadline() == NOW + 60
    websocket.on_time(NOW + 59)
    assert world.find("cut") == []
    websocket.on_time(NOW + 60)
    websocket.on_time(NOW + 61)
    assert (websocket.close_request, websocket.next_deadline()) == ("fin", None)
    assert world.one("cut") == {"conn": 1, "cause": "connect-timeout", "close": "fin", "detail": "before the upgrade"}


def test_time_limit_runs_on_after_the_upgrade(websocket: HubConnection) -> None:
    """It counts from the accept."""
    assert websocket.upgraded("mqtt", "/", NOW + 30).next_deadline() == NOW + 60


@pytest.mark.parametrize("how", ["fin", "rst"])
def test_loss_before_the_upgrade(world: World, websocket: HubConnection, how: str) -> None:
    """Leaves no record."""
    websocket.peer_closed(how, NOW)
    websocket.transport_closed("device", how, NOW)
    assert world.kinds() == ["accepted", "closed"]


def test_stop_before_the_upgrade(world: World, websocket: HubConnection) -> None:
    """Once."""
    world.hub.stop(NOW)
    world.hub.stop(NOW)
    assert websocket.close_request == "fin"
    assert world.one("cut")["cause"] == "hub-stopped"
    assert world.wakes(1) == 2


def test_a_certificate_outlives_the_upgrade() -> None:
    """It was proven before anybody spoke WebSocket."""
    world = World(identity=SELF_SIGNED)
    websocket = world.accept("websocket")
    websocket.proven(CERTIFICATE)
    websocket.upgraded("mqtt", "/", NOW).receive(encode(Connect(DEVICE, username=USER_NAME)), NOW)
    assert world.codes() == ["deviceConnect"]
