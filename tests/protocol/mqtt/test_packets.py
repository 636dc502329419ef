"""harness.protocol.mqtt.packets."""

import pytest

from harness.protocol.mqtt.packets import Connect, Packet, Puback, Publish, Unsuback, Will


def test_repr_of_connect_hides_the_password() -> None:
    """A SAS token cannot leak through a log line or a failed assertion."""
    packet = Connect("dev", 60, True, "hub/dev", b"SharedAccessSignature sig=secret", Will("t", b"w"))
    assert repr(packet) == (
        "Connect(client_id='dev', keep_alive=60, clean_session=True, username='hub/dev', password=..., "
        "will=Will(topic='t', payload=b'w', qos=0, retain=False))"
    )


def test_repr_of_connect_tells_an_absent_password() -> None:
    """Absent and hidden are told apart."""
    assert "password=None" in repr(Connect("dev"))


def test_packets_of_different_types_differ() -> None:
    """Equal fields do not make equal packets."""
    packets: set[Packet] = {Puback(1), Unsuback(1)}
    assert len(packets) == 2


def test_packets_are_immutable() -> None:
    """A packet in an event cannot be changed by one of its readers."""
    with pytest.raises(AttributeError):
        Publish("t", b"").dup = True  # type: ignore[misc]
