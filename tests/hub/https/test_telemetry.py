"""Messages in the body of a POST."""

import pytest
from support.https_world import request

from harness.hub.https.telemetry import BATCH_TYPE, MAX_BATCH, Message, TooManyError, read_messages


def batch(body: bytes) -> tuple[Message, ...]:
    """The messages of a batch."""
    return read_messages(request(body=body, content_type=f"{BATCH_TYPE}; charset=utf-8"))


def test_a_message_is_the_body() -> None:
    """Its properties are headers."""
    (found,) = read_messages(
        request(body=b"{}", **{"IoTHub-MessageId": "7", "iothub-app-$.colour": "red", "iothub-contenttype": "a/b"})
    )
    assert found == Message({"$.mid": "7", "$.colour": "red", "$.ct": "a/b"}, 2)
    assert found.message_id == "7"


def test_a_message_without_an_id() -> None:
    """It is taken all the same."""
    assert read_messages(request())[0].message_id is None


def test_a_batch_is_a_list() -> None:
    """Each message with its own body and properties."""
    body = b'[{"body":"aGVsbG8=","properties":{"iothub-messageid":"1","iothub-app-a":"b"}},{"body":"hi","base64Encoded":false}]'
    assert batch(body) == (Message({"$.mid": "1", "a": "b"}, 5), Message({}, 2))


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'[{"no":"body"}]', b'[{"body":"!"}]', b'[{"body":"\xc3\xa4"}]', b'[{"body":"\xff"}]']
)
def test_what_is_no_batch(body: bytes) -> None:
    """ValueError, with the reason."""
    with pytest.raises(ValueError, match="body"):
        batch(body)


def test_a_batch_is_no_longer_than_the_service_takes() -> None:
    """However small its messages are."""
    tiny = b'{"body":""}'
    assert len(batch(b"[" + b",".join([tiny] * MAX_BATCH) + b"]")) == MAX_BATCH
    with pytest.raises(TooManyError, match="501 messages"):
        batch(b"[" + b",".join([tiny] * (MAX_BATCH + 1)) + b"]")
