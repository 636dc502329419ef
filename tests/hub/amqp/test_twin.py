"""The twin over AMQP."""

import json

import pytest
from support.amqp_device import TWIN, AmqpDevice, amqp_device
from support.hub_world import World

from harness.protocol.amqp import types as t
from harness.protocol.amqp.messages import Data, Message, Properties, SingleValue
from harness.protocol.amqp.receiver import ReceiverLink
from harness.protocol.amqp.sender import SenderLink

DESIRED = "/notifications/twin/properties/desired"
REPORTED = "/properties/reported"


@pytest.fixture
def world() -> World:
    """A hub with its events recorded."""
    return World()


@pytest.fixture
def device(world: World) -> AmqpDevice:
    """An admitted device."""
    return amqp_device(world).connected()


def pair(device: AmqpDevice, name: str = "twin:1") -> tuple[SenderLink, ReceiverLink]:
    """The two links, as SDKs attach them."""
    properties = {"com.microsoft:channel-correlation-id": name}
    return device.sender(TWIN, properties=properties), device.receiver(TWIN, properties=properties)


def request(
    operation: t.Value, resource: str | None = None, body: bytes = b"", correlation_id: t.Value = "r1"
) -> Message:
    """A request of the device."""
    annotations: dict[str, t.Value] = {"operation": operation}
    if resource is not None:
        annotations["resource"] = resource
    return Message(Data((body,)), Properties(correlation_id=correlation_id), message_annotations=annotations)


def ask(device: AmqpDevice, message: Message) -> Message:
    """The answer to a request on a pair of its own."""
    requests, answers = pair(device)
    device.send(requests, message)
    (answer,) = device.messages(answers)
    return answer


def test_whole_twin(world: World, device: AmqpDevice) -> None:
    """As JSON, with both versions."""
    answer = ask(device, request("GET"))
    assert isinstance(answer.body, Data)
    assert json.loads(answer.body.content) == {"desired": {"$version": 1}, "reported": {"$version": 1}}
    assert (answer.properties.correlation_id, answer.message_annotations) == ("r1", {"status": 200})
    assert world.one("twin") == {"conn": 1, "operation": "get", "request_id": "r1", "status": 200}


def test_patch(world: World, device: AmqpDevice) -> None:
    """The new version comes back; the twin is that of MQTT."""
    answer = ask(device, request("PATCH", REPORTED, b'{"a":1}'))
    assert answer.message_annotations == {"status": 204, "version": 2}
    assert world.one("twin") == {"conn": 1, "operation": "patch", "request_id": "r1", "status": 204}


@pytest.mark.parametrize(("operation", "event"), [("PUT", "subscribe"), ("DELETE", "unsubscribe")])
def test_subscription(world: World, device: AmqpDevice, operation: str, event: str) -> None:
    """To desired properties, which never change."""
    assert ask(device, request(operation, DESIRED)).message_annotations == {"status": 200}
    assert world.one("twin")["operation"] == event


@pytest.mark.parametrize(
    ("message", "operation"),
    [
        (request("PATCH", REPORTED, b"["), "patch"),
        (request("PATCH", DESIRED, b"{}"), "patch"),
        (Message(SingleValue("{}"), message_annotations={"operation": "PATCH", "resource": REPORTED}), "patch"),
        (request("PUT", REPORTED), "subscribe"),
        (request("DELETE"), "unsubscribe"),
        (request("POST"), "unknown"),
        (request(None), "unknown"),
        (Message(), "unknown"),
    ],
)
def test_bad_requests(world: World, device: AmqpDevice, message: Message, operation: str) -> None:
    """Are answered with 400."""
    assert ask(device, message).message_annotations == {"status": 400}
    assert (world.one("twin")["operation"], world.one("twin")["status"]) == (operation, 400)


@pytest.mark.parametrize("correlation_id", ["r1", t.Uuid(bytes(16)), t.ULong(3), b"\x01"])
def test_correlation_id_comes_back_in_its_type(device: AmqpDevice, correlation_id: t.Value) -> None:
    """Whatever that is."""
    found = ask(device, request("GET", correlation_id=correlation_id)).properties.correlation_id
    assert (type(found), found) == (type(correlation_id), correlation_id)


def test_types_of_the_answer(device: AmqpDevice) -> None:
    """Annotations are named by symbols; the status is an int, the version a long."""
    annotations = ask(device, request("PATCH", REPORTED, b"{}")).message_annotations
    assert {type(name) for name in annotations} == {t.Symbol}
    assert (type(annotations["status"]), type(annotations["version"])) == (t.Int, int)


def test_answer_takes_the_link_of_its_pair(device: AmqpDevice) -> None:
    """Not the newest."""
    requests, answers = pair(device, "twin:1")
    _, other = pair(device, "twin:2")
    device.send(requests, request("GET"))
    assert [event.link for event in device.take_transfers()] == [answers]
    assert other is not answers


def test_request_without_a_link_for_the_answer(world: World, device: AmqpDevice) -> None:
    """It is done and not answered."""
    device.send(device.sender(TWIN), request("PATCH", REPORTED, b"{}"))
    assert world.one("twin")["status"] == 204
    assert device.take_transfers() == []


def test_request_that_cannot_be_read_costs_the_link(world: World, device: AmqpDevice) -> None:
    """And not the connection."""
    requests, _ = pair(device)
    requests.send(b"\x00\x53\x99\x40")
    device.run()
    assert world.one("detach")["link_kind"] == "twin"


def test_get_names_no_resource_or_any(device: AmqpDevice) -> None:
    """It is for the whole twin."""
    assert ask(device, request("GET", "")).message_annotations == {"status": 200}
