"""Requests to the hub: what is answered, what stands in the log, and that nothing outlives a request."""

import json
from dataclasses import replace

import pytest
from support.https_world import DEVICEBOUND, EVENTS, Caller, request
from support.hub_world import (
    BY_AUTHORITY,
    CERTIFICATE,
    DEVICE,
    IDENTITY,
    LIFETIME,
    NOW,
    POLICY,
    SECONDARY,
    SELF_SIGNED,
    World,
    token,
)

from harness.hub.faults import Fault
from harness.hub.https.connection import IDLE_S, MAX_AT_ONCE, REQUEST_S
from harness.hub.https.locks import LOCK_S
from harness.hub.https.telemetry import BATCH_TYPE, MAX_BATCH, MAX_MESSAGE
from harness.hub.policy import Policy
from harness.protocol.http.messages import Response


@pytest.fixture
def world() -> World:
    """A hub."""
    return World()


def inner(response: Response) -> dict[str, object]:
    """The text inside the body of a refusal."""
    body = json.loads(response.body)
    assert body["ExceptionMessage"] == ""
    return dict(json.loads(body["Message"]))


def test_telemetry_is_taken(world: World) -> None:
    """With 204, and an event for the request, the message and the answer."""
    assert Caller(world).send(7) == 204
    assert world.kinds() == ["accepted", "http-request", "telemetry", "http-response"]
    assert (world.one("telemetry")["message_id"], world.one("telemetry")["request"]) == ("7", 1)
    assert world.one("http-response") == {"conn": 1, "request": 1, "status": 204}


def test_what_is_told_of_a_request(world: World) -> None:
    """All but the signature of its token, and its query."""
    Caller(world).ask(request(target=EVENTS + "&sig=secret", body=b"{}"))
    told = world.one("http-request")
    assert told.pop("token")["se"] == NOW + LIFETIME
    assert told == {
        "conn": 1, "request": 1, "method": "POST", "path": f"/devices/{DEVICE}/messages/events", "operation": "send",
        "api_version": "2021-04-12", "device_id": DEVICE, "sdk_version": "sdk/1.0", "size": 2,
    }  # fmt: skip
    assert len(world.secrets) == 2


def test_there_is_no_connection_state(world: World) -> None:
    """No record of a connect or a disconnect, whatever comes and goes; and no deadline from the token."""
    caller = Caller(world)
    caller.send(1)
    caller.hub_side.displaced(2, NOW)
    caller.hub_side.deliver(NOW)
    caller.hub_side.peer_closed("fin", NOW)
    caller.hub_side.transport_closed("device", "fin", NOW)
    assert world.codes() == []


def test_a_batch_is_many_messages(world: World) -> None:
    """They share the request."""
    body = b'[{"body":"YQ==","properties":{"iothub-messageid":"1"}},{"body":"YQ=="}]'
    assert Caller(world).ask(request(body=body, content_type=BATCH_TYPE)).status == 204
    assert [(one["message_id"], one["batch"]) for one in world.find("telemetry")] == [("1", 2), (None, 2)]


@pytest.mark.parametrize(
    ("asked", "status", "code", "name"),
    [
        (request(target="/"), 404, 404000, "GenericNotFound"),
        (request("PUT"), 405, 405000, "GenericMethodNotAllowed"),
        (request(body=b"x", content_type=BATCH_TYPE), 400, 400004, "ArgumentInvalid"),
        (request(body=b"[" + b'{"body":""},' * MAX_BATCH + b'{"body":""}]', content_type=BATCH_TYPE), 400, 400004, "ArgumentInvalid"),
        (request(body=bytes(MAX_MESSAGE + 1)), 413, 413001, "MessageTooLarge"),
        (request("DELETE", f"{DEVICEBOUND}/x"), 412, 412002, "DeviceMessageLockLost"),
        (request("POST", f"{DEVICEBOUND}/x/abandon"), 412, 412002, "DeviceMessageLockLost"),
    ],
    ids=["path", "method", "batch", "count", "size", "complete", "abandon"],
)  # fmt: skip
def test_what_cannot_be_done(asked: object, status: int, code: int, name: str, world: World) -> None:
    """It leaves no record: the device may do it, it went about it in the wrong way."""
    answer = Caller(world).ask(asked)  # type: ignore[arg-type]
    assert (answer.status, answer.header("iothub-errorcode"), inner(answer)["errorCode"]) == (status, name, code)
    assert (world.codes(), world.one("http-response")["error"]) == ([], name)


RENEW = "Authentication failed for this device, renew token or certificate and reconnect"


@pytest.mark.parametrize(
    ("asked", "status", "text", "message"),
    [
        (request(sas=None), 401, "Authorization header missing", "Authorization header missing"),
        (request(sas="no token"), 401, "Unauthorized", RENEW),
        (request(sas=token(NOW - 6)), 401, "Unauthorized", RENEW),
        (request(sas=token(key="d3Jvbmc=")), 401, "Unauthorized", RENEW),
        (
            request(sas=token(resource="other%2Fdevices%2Fdev1")),
            401,
            *["Authorization rule 'device' does not allow access for 'dev1'"] * 2,
        ),
        (
            request(target="/devices/dev2/messages/events"),
            404,
            *["IotHub 'contoso.azure-devices.net' does not contain the specified device 'dev2'"] * 2,
        ),
    ],
    ids=["none", "malformed", "expired", "key", "hub", "device"],
)
def test_a_refused_request(asked: object, status: int, text: str, message: str, world: World) -> None:
    """It is answered as the service does, and leaves one record of a refused attempt, never a disconnect."""
    answer = Caller(world).ask(asked)  # type: ignore[arg-type]
    assert (answer.status, inner(answer)["message"]) == (status, text)
    (record,) = (fields["record"] for fields in world.find("record"))
    properties = json.loads(record["properties"])
    assert (record["operationName"], record["resultType"]) == ("deviceConnect", "401003")
    assert (properties["errorMessage"], properties["protocol"]) == (message, "Https")


def test_the_headers_of_a_refusal(world: World) -> None:
    """As users of the service saw them."""
    answer = Caller(world).ask(request(sas=None))
    assert answer.header("iothub-errorcode") == "IotHubUnauthorizedAccess"
    assert answer.header("content-type") == "application/json; charset=utf-8"
    assert answer.header("server") == "Microsoft-HTTPAPI/2.0"
    assert answer.header("date") == "Thu, 01 Jan 2026 00:00:00 GMT"
    assert str(inner(answer)["trackingId"]).endswith("-G:3-TimeStamp:2026-01-01T00:00:00Z")


def test_the_same_run_has_the_same_ids() -> None:
    """Nothing is drawn by chance."""
    first, second = (Caller(World()).ask(request(sas=None)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(("after_s", "status"), [(LIFETIME + 5, 204), (LIFETIME + 6, 401)])
def test_a_token_is_good_for_a_request_until_its_end_and_the_skew(after_s: float, status: int, world: World) -> None:
    """On a connection that stands, too: there is no grace."""
    caller = Caller(world)
    assert caller.send(1) == 204
    assert caller.send(2, NOW + after_s, token()) == status


def test_every_request_has_its_own_token(world: World) -> None:
    """A refused one costs nothing but itself."""
    caller = Caller(world)
    wrong, right = token(key="d3Jvbmc="), token(key=SECONDARY)
    assert [caller.send(n, sas=sas) for n, sas in enumerate((right, wrong, token()))] == [204, 401, 204]


def test_a_disabled_device() -> None:
    """404, as for one that is not registered."""
    world = World(identity=replace(IDENTITY, status="disabled"))
    assert Caller(world).send(1) == 404
    assert world.codes() == ["404001"]


def test_messages_to_the_device(world: World) -> None:
    """Received with a lock, completed by it."""
    caller = Caller(world)
    world.hub.send_c2d("m1", b"hello", NOW)
    answer = caller.receive()
    lock = answer.header("etag")
    assert (answer.status, answer.body, answer.header("iothub-messageid")) == (200, b"hello", "m1")
    assert caller.receive().status == 204
    assert Caller(world).ask(request("DELETE", f"{DEVICEBOUND}/{lock}")).status == 204
    assert world.one("c2d-acknowledged") == {"conn": 2, "message_id": "m1", "state": "accepted"}


def test_a_message_is_rejected(world: World) -> None:
    """By the same request with a word in its query."""
    world.hub.send_c2d("m1", b"", NOW)
    caller = Caller(world)
    lock = caller.receive().header("etag")
    assert caller.ask(request("DELETE", f"{DEVICEBOUND}/{lock}?reject")).status == 204
    assert world.one("c2d-acknowledged")["state"] == "rejected"


def test_a_message_is_abandoned(world: World) -> None:
    """And comes again."""
    world.hub.send_c2d("m1", b"", NOW)
    caller = Caller(world)
    lock = caller.receive().header("etag")
    assert caller.ask(request("POST", f"{DEVICEBOUND}/{lock}/abandon")).status == 204
    assert caller.receive().header("iothub-deliverycount") == "1"
    assert world.one("c2d-returned")["why"] == "abandoned"


def test_a_lock_that_is_over(world: World) -> None:
    """412, and the message waits again."""
    world.hub.send_c2d("m1", b"", NOW)
    sas, late = token(NOW + 200), NOW + LOCK_S
    lock = Caller(world).receive().header("etag")
    caller = Caller(world, late)
    assert caller.ask(request("DELETE", f"{DEVICEBOUND}/{lock}", sas=sas), late).status == 412
    assert world.one("c2d-returned")["why"] == "lock-expired"


def test_nothing_is_looked_at_where_nobody_records() -> None:
    """The requests are judged all the same."""
    world = World(recording=False)
    assert [Caller(world).send(1), Caller(world).ask(request(sas=None)).status] == [204, 401]


def test_a_renewal_that_is_refused() -> None:
    """As if the new token had expired: the request after it is let through."""
    world = World(replace(POLICY, faults=(Fault("renewal", "refuse"),)))
    caller = Caller(world)
    assert [caller.send(n, sas=token(NOW + LIFETIME + n)) for n in range(3)] == [204, 401, 204]


def test_a_renewal_that_is_cut() -> None:
    """The connection ends without an answer."""
    world = World(Policy(faults=(Fault("renewal", "cut"),)))
    caller = Caller(world)
    caller.send(1)
    other = request(sas=token(NOW + 99))
    with pytest.raises(AssertionError):
        caller.ask(other)
    assert (caller.hub_side.close_request, world.one("cut")["cause"]) == ("fin", "fault")


def test_garbage_ends_the_connection(world: World) -> None:
    """With an answer; nothing is read after it."""
    side = Caller(world).hub_side
    side.receive(b"\0\0\0\r\n\r\n", NOW)
    assert side.data_to_send().startswith(b"HTTP/1.1 400 ")
    assert (side.close_request, world.one("http-rejected")["status"]) == ("fin", 400)
    side.receive(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", NOW)
    assert side.data_to_send() == b""


def test_a_client_that_wants_no_more(world: World) -> None:
    """It is answered, and the connection ends."""
    caller = Caller(world)
    assert caller.ask(request(connection="close")).status == 204
    assert caller.hub_side.close_request == "fin"


def test_a_request_that_does_not_come(world: World) -> None:
    """The connection ends without a word."""
    side = Caller(world).hub_side
    requests = [side.close_request]
    for at in (REQUEST_S - 1, REQUEST_S, REQUEST_S + 1):
        side.on_time(NOW + at)
        requests.append(side.close_request)
    assert (requests, side.data_to_send(), side.next_deadline()) == ([None, None, "fin", "fin"], b"", None)


def test_a_request_that_comes_too_slowly(world: World) -> None:
    """Each byte does not buy it more time."""
    caller = Caller(world)
    caller.send(1)
    side = caller.hub_side
    assert side.next_deadline() == NOW + IDLE_S
    for second in range(int(REQUEST_S)):
        side.receive(b"G", NOW + 50 + second)
    assert side.next_deadline() == NOW + 50 + REQUEST_S
    side.receive(b"G", NOW + 50 + REQUEST_S)
    assert side.data_to_send().startswith(b"HTTP/1.1 408 ")
    assert (side.close_request, world.one("http-rejected")["status"]) == ("fin", 408)


def test_the_hub_stops(world: World) -> None:
    """Once."""
    side = Caller(world).hub_side
    side.stop(NOW)
    side.stop(NOW)
    assert (world.one("cut")["cause"], world.wakes(1)) == ("hub-stopped", 2)


def test_a_renewal_that_is_refused_otherwise() -> None:
    """With the status that the fault asks for."""
    world = World(replace(POLICY, faults=(Fault("renewal", "refuse", status=500),)))
    caller = Caller(world)
    caller.send(1)
    answer = caller.ask(request(sas=token(NOW + 99)))
    assert (answer.status, answer.header("iothub-errorcode")) == (500, "ServerError")


def test_an_identity_that_changes_ends_no_connection(world: World) -> None:
    """The next request is judged by it."""
    caller = Caller(world)
    caller.send(1)
    caller.hub_side.evicted("delete", None, NOW)
    assert caller.hub_side.close_request is None


def test_a_device_with_a_certificate_needs_no_token() -> None:
    """It is judged at the first request, and at each; what it is, is told."""
    world = World(identity=SELF_SIGNED)
    caller = Caller(world, certificate=CERTIFICATE)
    assert caller.ask(request(sas=None)).status == 204
    assert caller.send(1) == 401
    first, second = world.find("http-request")
    assert (first["token"], first["certificate"]["sha1"]) == (None, CERTIFICATE.sha1)
    assert "certificate" not in second


def test_another_certificate_than_the_registered_one() -> None:
    """The fifth of the messages in "401003 IoTHubUnauthorized", in the answer and in the record."""
    world = World(identity=SELF_SIGNED)
    answer = Caller(world, certificate=replace(CERTIFICATE, sha1="00", sha256="11")).ask(request(sas=None))
    message = f"Thumbprint does not match configuration: Thumbprint: SHA1Hash=00, SHA2Hash=11; Configuration: PrimaryThumbprint={'5A' * 20}, SecondaryThumbprint="
    assert (answer.status, inner(answer)["message"], inner(answer)["errorCode"]) == (401, message, 401002)
    assert json.loads(world.one("record")["record"]["properties"])["errorMessage"] == message


def test_a_certificate_of_an_authority_is_not_taken() -> None:
    """However good it is."""
    world = World(identity=BY_AUTHORITY)
    assert Caller(world, certificate=CERTIFICATE).ask(request(sas=None)).status == 401
    assert world.one("http-response")["check"] == "certificate-transport"


def test_requests_that_wait_for_no_answer(world: World) -> None:
    """A hundred are served, however they come, and no more: the rest would only cost the others time."""
    side = Caller(world).hub_side
    one = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
    side.receive(one * MAX_AT_ONCE, NOW)
    assert (side.close_request, side.data_to_send().count(b"HTTP/1.1 404 ")) == (None, MAX_AT_ONCE)
    side.receive(one * (MAX_AT_ONCE + 1), NOW)
    assert (side.close_request, world.one("http-rejected")["status"]) == ("fin", 429)
    assert len(world.find("http-request")) == 2 * MAX_AT_ONCE


def test_a_last_request_among_too_many(world: World) -> None:
    """A client that wants no more than the hundredth is not told off for what it sent behind it."""
    side = Caller(world).hub_side
    one = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
    last = one.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    side.receive(one * (MAX_AT_ONCE - 1) + last + one, NOW)
    assert (side.close_request, world.find("http-rejected")) == ("fin", [])
