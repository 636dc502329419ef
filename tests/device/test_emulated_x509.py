"""The bundled profiles with a client certificate, played in virtual time against the emulated hub, over every transport."""

from functools import partial

import pytest
from support.device_hub import HubWorld
from support.device_world import HOST, KEY, START, World, open_command, profile_of

from harness.hub.certificates import Certificate, Registration
from harness.hub.identity import Identity

CERTIFICATE = Certificate("AA" * 20, "BB" * 32, "d1", START - 1, START + 1e9, "CC" * 32)
KNOWN = Registration("self-signed", CERTIFICATE.sha1)
OTHER = Registration("self-signed", "00")
CASES = [
    (sdk, transport)
    for sdk in ("c", "dotnet", "java", "node", "python")
    for transport in ("mqtt", "mqtt-ws", "amqp", "amqp-ws")
    if transport in profile_of(sdk).transports
]


def world_of(sdk: str, transport: str, registration: Registration, *, listening: bool = True) -> HubWorld:
    """A device with `CERTIFICATE`, told to open at the start."""
    world = HubWorld(
        profile_of(sdk),
        transport,
        identity=Identity(HOST, "d1", KEY, KEY, certificates=registration),
        certificate=CERTIFICATE,
    )
    world.do(open_command(cert_pem="PEM", key_pem="PEM", c2d=listening, methods=listening))
    return world


@pytest.mark.parametrize(("sdk", "transport"), CASES)
def test_nothing_happens_to_a_device_with_a_certificate(sdk: str, transport: str) -> None:
    """One connection for two hours, twice the lifetime of a token by default; nothing is renewed, and messages come and go."""
    world = world_of(sdk, transport, KNOWN)
    world.at(START + 3_600, lambda: world.send_c2d("c2d-1"))
    for number in range(1, 121):
        world.at(START + 60 * number, partial(world.send, number))
    world.run(7_201)
    before = world.shown()
    world.do({"cmd": "close"})
    world.run(7_210)
    assert (len(world.find("accepted")), world.find("cut"), world.find("put-token")) == (1, [], [])
    assert [event["id"] for event in world.events("sent")] == list(range(1, 121))
    assert [event.get("message_id") for event in world.events("c2d")] == ["c2d-1"]
    assert before[-1] == "opened"
    assert world.shown()[-1] == "closed"
    assert [fields["record"]["level"] for fields in world.find("record")] == ["Information", "Information"]


@pytest.mark.parametrize(("sdk", "transport"), CASES)
def test_a_certificate_that_is_not_registered(sdk: str, transport: str) -> None:
    """It is refused with the record, and no message arrives."""
    world = world_of(sdk, transport, OTHER)
    world.send_each_second(2, 10)
    world.run(20)
    records = [fields["record"] for fields in world.find("record")]
    assert {record["resultType"] for record in records} == {"401003"}
    assert all("Thumbprint does not match configuration" in record["properties"] for record in records)
    assert not world.find("telemetry")
    assert not world.events("sent")


@pytest.mark.parametrize("sdk", ["c", "java", "node"])
@pytest.mark.parametrize("known", [True, False])
def test_over_https_the_certificate_stands_for_the_token_of_each_request(sdk: str, known: bool) -> None:  # noqa: FBT001 - both
    """No request has a token; whether the hub knows the certificate shows by the first one."""
    world = world_of(sdk, "https", KNOWN if known else OTHER, listening=False)
    world.send_each_second(1, 5)
    world.run(6)
    requests, answers = world.find("http-request"), world.find("http-response")
    assert {(one["token"], one["certificate"]["sha1"]) for one in requests} == {(None, CERTIFICATE.sha1)}
    assert {one["status"] for one in answers} == ({204} if known else {401})
    assert {one.get("check") for one in answers} == ({None} if known else {"thumbprint"})
    assert len(world.events("sent")) == (5 if known else 0)


@pytest.mark.parametrize("transport", ["mqtt-ws", "amqp-ws", "https"])
def test_a_certificate_of_an_authority_over_websocket_and_https(transport: str) -> None:
    """It is refused there, though there is nothing wrong with it."""
    world = world_of("java", transport, Registration("ca", authorities=frozenset({CERTIFICATE.root_sha256})))
    world.send_each_second(1, 3)
    world.run(5)
    answers = [one for kind in ("connack", "certificate-judged", "http-response") for one in world.find(kind)]
    assert {one["check"] for one in answers} == {"certificate-transport"}
    assert not world.find("telemetry")


@pytest.mark.parametrize(("sdk", "transport"), [case for case in CASES if case[0] in {"dotnet", "java", "python"}])
def test_an_open_that_fails(sdk: str, transport: str) -> None:
    """And is not tried again."""
    world = world_of(sdk, transport, OTHER)
    world.run(60)
    assert len(world.events("open_failed")) == 1
    assert not world.events("opened")
    assert len(world.find("accepted")) == 1


def test_java_over_amqp_tells_the_application_what_the_link_was_told() -> None:
    """Not what a refused token would have been."""
    world = world_of("java", "amqp", OTHER)
    world.run(1)
    assert world.shown() == ["open_failed: IotHubClientException <- AmqpUnauthorizedAccessException"]


def test_c_over_amqp_attaches_again_on_the_connection_that_stands() -> None:
    """Every ten seconds; the application hears of the communication, and never that the device is open."""
    world = world_of("c", "amqp", OTHER)
    world.run(25)
    assert world.moments("certificate-judged") == [0.0, 10.0, 20.0]
    assert len(world.find("accepted")) == 1
    broken, again = "status: UNAUTHENTICATED/COMMUNICATION_ERROR", "status: UNAUTHENTICATED/OK"
    assert world.shown() == [broken, again, broken, again, broken]


def test_node_over_amqp_believes_itself_open_and_falls_silent() -> None:
    """It is open before it attaches a link. After the one error, no message of the application is heard of again."""
    world = world_of("node", "amqp", OTHER)
    world.send_each_second(1, 5)
    world.run(60)
    assert world.shown() == ["status: connect", "opened", "background_exception: c"]
    assert len(world.find("accepted")) == 1
    world.do({"cmd": "close"})
    world.run(70)
    assert world.shown()[-1] == "closed"


def test_node_over_amqp_without_a_listener_is_refused_with_its_first_message() -> None:
    """No link is attached before that."""
    world = world_of("node", "amqp", OTHER, listening=False)
    world.run(5)
    assert not world.find("certificate-judged")
    world.send(1)
    world.run(6)
    assert len(world.find("certificate-judged")) == 1
    assert world.shown()[-1] == "background_exception: c"


@pytest.mark.parametrize("sdk", ["c", "dotnet"])
def test_a_device_whose_links_are_detached_attaches_them_again(sdk: str) -> None:
    """On the connection that stands, without a token to put."""
    world = world_of(sdk, "amqp", KNOWN)
    world.run(1)
    connection = world.connection
    assert connection is not None
    connection._cut("token-expired", world.now, "", "detach")  # type: ignore[attr-defined]
    world._settle()
    world.run(30)
    world.send(1)
    world.run(31)
    assert (len(world.find("accepted")), len(world.find("certificate-judged"))) == (1, 2)
    assert [event["id"] for event in world.events("sent")] == [1]


def test_a_key_or_a_token_beside_a_certificate() -> None:
    """A device presents one or the other."""
    world = World(profile_of("python"))
    world.do({**open_command(), "cert_pem": "PEM"})
    assert world.shown() == ["open_failed: ValueError"]
