"""AMQP values as texts."""

import pytest

from harness.hub.amqp.texts import condition_of, properties_of, shown, text_of
from harness.protocol.amqp import types as t
from harness.protocol.amqp.messages import Message, Properties
from harness.protocol.amqp.performatives import Error


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("a", "a"),
        (t.Symbol("a"), "a"),
        (True, "true"),
        (False, "false"),
        (t.UInt(7), "7"),
        (1.5, "1.5"),
        (b"\x0a\xff", "0aff"),
        (t.Uuid(bytes.fromhex("00112233445566778899aabbccddeeff")), "00112233-4455-6677-8899-aabbccddeeff"),
        ([1, "a"], "[1, 'a']"),
    ],
)
def test_values(value: t.Value, text: str | None) -> None:
    """Plain texts, whatever the type was."""
    assert text_of(value) == text
    assert type(text_of(value)) in (str, type(None))


def test_long_texts_are_cut() -> None:
    """Where a device may make them as long as it likes."""
    assert (shown("x" * 300), shown(None)) == ("x" * 256, None)


def test_application_properties_come_last() -> None:
    """They win over the system's names."""
    message = Message(properties=Properties(message_id="1"), application_properties={"$.mid": "mine", "a": t.Byte(1)})
    assert properties_of(message) == {"$.mid": "mine", "a": "1"}


@pytest.mark.parametrize(
    ("error", "condition"),
    [
        (None, None),
        (Error("amqp:internal-error", "boom"), "amqp:internal-error"),
        (t.Described(t.Symbol("com.example:oops"), []), "com.example:oops"),
    ],
)
def test_conditions(error: Error | t.Described | None, condition: str | None) -> None:
    """Of errors of the standard, and of others by their descriptor."""
    assert condition_of(error) == condition
