"""Emulated devices ask the hub to go wrong by the service's own test messages, and come back from it."""

import pytest
from support.analysis_logs import LogBuilder, header
from support.device_hub import HubWorld
from support.device_world import World, open_command, profile_of

from harness.analysis.cells import analyse_cell

PLAYED = [
    (sdk, transport)
    for sdk in ("c", "dotnet", "java", "node", "python")
    for transport in profile_of(sdk).transports
    if transport
    in {"mqtt", "amqp"}  # over WebSocket it is the same to a device in memory; over HTTPS nobody has to return
]


def properties(operation: str, delay: str = "1", duration: str = "5") -> dict[str, str]:
    """Those of a test message, as Microsoft's tests of the SDKs have them."""
    values = {"Type": operation, "CloseReason": "boom", "DelayInSecs": delay, "DurationInSecs": duration}
    return {f"AzIoTHub_FaultOperation{name}": value for name, value in values.items()}


def asked(sdk: str, transport: str, operation: str) -> HubWorld:
    """A device that is open, asks for this, and then sends on for a while."""
    world = HubWorld(profile_of(sdk), transport)
    world.do(open_command(lifetime_s=3600))
    world.run(1)
    world.do({"cmd": "send", "id": 1, "properties": properties(operation)})
    world.send_each_second(4, 60)
    world.run(90)
    return world


@pytest.mark.parametrize(("sdk", "transport"), PLAYED)
def test_from_the_message_to_the_return(sdk: str, transport: str) -> None:
    """It is confirmed, a second later the connection is reset, the device comes back, and what it sends arrives."""
    world = asked(sdk, transport, "KillTcp")
    assert [(fields["operation"], fields["problem"]) for fields in world.find("fault-message")] == [("KillTcp", None)]
    assert world.events("sent")[0]["id"] == 1
    assert world.moments("cut", cause="fault", close="rst") == [2.0]
    first, second = world.moments("accepted")
    assert first < 2 <= second
    arrived = [fields["message_id"] for fields in world.find("telemetry")]
    assert arrived[-1] == "60"


@pytest.mark.parametrize("transport", ["mqtt", "amqp"])
def test_the_analysis_takes_it_for_a_fault(transport: str) -> None:
    """An absence that a fault began, and what brought the device back."""
    world = asked("java", transport, "KillTcp")
    log = LogBuilder(header("cut-idle", transport=transport))
    for at, kind, fields in world.said:
        log.at(at).emit("hub", kind, **fields)
    found = analyse_cell(log.at(90.0).harness("command", cmd="close").end().log())
    assert [(absence.cause, absence.back_s is not None) for absence in found.absences] == [("fault", True)]
    assert len(found.aftermath.returned) == 1


def test_over_https_the_messages_after_it_are_refused() -> None:
    """For five seconds, a second after it; then they are taken again."""
    world = asked("node", "https", "InvokeThrottling")
    assert [fields["status"] for fields in world.find("http-response")][:8] == [204, *[429] * 4, 204, 204, 204]
    assert [event["id"] for event in world.events("send_failed")] == [4, 5, 6, 7]


@pytest.mark.parametrize("transport", ["mqtt", "amqp", "https"])
def test_the_properties_travel(transport: str) -> None:
    """Percent-encoded where that is needed; in a header, that stays."""
    world = HubWorld(profile_of("java"), transport)
    world.do(open_command(lifetime_s=3600))
    world.run(1)
    world.do({"cmd": "send", "id": 1, "properties": {"a colour": "red & blue"}})
    world.run(2)
    (told,) = world.find("telemetry")
    spelt = {"a%20colour": "red%20&%20blue"} if transport == "https" else {"a colour": "red & blue"}
    assert told["properties"] == {"$.mid": "1", **spelt}


def test_properties_that_are_none() -> None:
    """They are ignored, like a field that is not known."""
    world = World(profile_of("python"))
    world.do(open_command())
    world.run(1)
    world.do({"cmd": "send", "id": 1, "properties": 7})
    assert world.order()[-1] == "PUBLISH devices/d1/messages/events/%24.mid=1"
