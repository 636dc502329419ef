"""The bundled profiles over AMQP, played in virtual time against the emulated hub: renewals in place, the hub's endings, refusals."""

from typing import Any

import pytest
from support.device_hub import HubWorld
from support.device_world import START, open_command, own_token, profile_of

from harness.device.phases import Phase
from harness.hub.faults import Fault
from harness.hub.policy import Policy

SDKS = ("c", "dotnet", "java", "node")
LIFETIMES = {"c": 20, "dotnet": 20, "java": 10, "node": 910}
RENEWALS = {"c": [16.0, 32.0], "dotnet": [18.0, 36.0], "java": [8.5, 17.0], "node": [10.0, 20.0]}


def world_of(
    sdk: str, transport: str = "amqp", *, listening: bool = False, token: str = "", settings: Any = None, **policy: Any
) -> HubWorld:
    """A device of this SDK, told to open at the start; the hub's grace is 5 s, its skew 0."""
    world = HubWorld(profile_of(sdk), transport, policy=Policy(**{"grace_s": 5.0, "skew_s": 0.0} | policy))
    switches = {"c2d": True, "methods": True} if listening else {}
    chosen = {"lifetime_s": LIFETIMES[sdk]} if settings is None else settings
    world.do(open_command(token=token, **switches, **({} if token else chosen)))
    return world


def sent(world: HubWorld) -> list[object]:
    """Numbers of the messages that were acknowledged."""
    return [event["id"] for event in world.events("sent")]


# The healthy path


@pytest.mark.parametrize("transport", ["amqp", "amqp-ws"])
@pytest.mark.parametrize("sdk", SDKS)
def test_opens_sends_listens_renews_in_place_and_closes(sdk: str, transport: str) -> None:
    """Two renewals on one connection; nothing is lost, the application is shown nothing in between, and the hub logs no error."""
    world = world_of(sdk, transport, listening=True)
    renewals = RENEWALS[sdk]
    last = int(renewals[1]) + 1
    world.send_each_second(1, last)
    world.at(START + renewals[0], lambda: world.send_c2d("c2d-1"))
    world.at(START + renewals[1], lambda: world.call_method("m1"))
    world.run(last + 0.5)
    before = world.shown()
    world.do({"cmd": "close"})
    world.run(last + 9)
    assert sent(world) == list(range(1, last + 1))
    assert [fields["message_id"] for fields in world.find("telemetry")] == [str(one) for one in range(1, last + 1)]
    assert [event.get("message_id") for event in world.events("c2d")] == ["c2d-1"]
    assert [fields["state"] for fields in world.find("c2d-acknowledged")] == ["accepted"]
    assert [event["name"] for event in world.events("method")] == ["probe"]
    assert [fields["status"] for fields in world.find("method-answered")] == [200]
    assert world.moments("put-token-answered", status=200, admitted=False) == renewals
    assert len(world.find("accepted")) == len(world.find("closed")) == 1
    assert not world.find("cut")
    assert len(before) == 2
    assert before[-1] == "opened"
    assert world.shown()[-1] == "closed"
    assert [fields["record"]["level"] for fields in world.find("record")] == ["Information", "Information"]


@pytest.mark.parametrize(
    ("sdk", "settings", "renewals"),
    [
        ("c", {}, [2880.0]),
        ("c", {"lifetime_s": 50}, [40.0]),
        ("dotnet", {}, [3061.0]),
        ("dotnet", {"lifetime_s": 40, "margin_percent": 15}, [35.0]),
        ("dotnet", {"lifetime_s": 20, "margin_percent": 30}, [15.0]),
        ("java", {}, [3060.0]),
        ("java", {"lifetime_s": 30}, [25.5]),
        ("node", {}, [2700.0]),
        ("node", {"lifetime_s": 940, "margin_s": 920}, [20.0]),
    ],
)
def test_renewal_instants(sdk: str, settings: dict[str, Any], renewals: list[float]) -> None:
    """By the profile's law, with the SDK's own rounding: .NET reckons with whole seconds left."""
    world = world_of(sdk, settings=settings)
    world.run(renewals[-1] + 1)
    assert world.moments("put-token", conn=1)[1:] == renewals


@pytest.mark.parametrize(
    ("sdk", "opened", "put_token", "links"),
    [
        (
            "c",
            {"sasl": "MSSBCBS", "idle_timeout_ms": 240_000, "max_frame_size": 0xFFFFFFFF},
            {"name": "contoso.azure-devices.net/devices/d1", "sdk_version": None},
            ["cbs", "cbs", "telemetry", "twin", "twin"],
        ),
        (
            "dotnet",
            {"sasl": None, "idle_timeout_ms": 60_000, "max_frame_size": 65_536},
            {"name": "contoso.azure-devices.net/devices/d1", "sdk_version": None},
            ["cbs", "cbs", "telemetry"],
        ),
        (
            "java",
            {"sasl": "ANONYMOUS", "idle_timeout_ms": 115_000, "max_frame_size": 4096, "container_id": ""},
            {"name": "contoso.azure-devices.net/devices/d1", "sdk_version": None},
            ["cbs", "cbs", "telemetry", "c2d"],
        ),
        (
            "node",
            {"sasl": None, "idle_timeout_ms": None, "max_frame_size": 0xFFFFFFFF},
            {
                "name": "contoso.azure-devices.net%2Fdevices%2Fd1",
                "sdk_version": "azure-iot-device/1.18.4 (emulated)",
            },
            ["cbs", "cbs"],
        ),
    ],
)
def test_what_the_hub_can_tell_an_sdk_by(
    sdk: str, opened: dict[str, object], put_token: dict[str, object], links: list[str]
) -> None:
    """SASL, what OPEN announces, the audience, and the links that are attached without being asked for."""
    world = world_of(sdk)
    world.run(1)
    (said,) = world.find("amqp-open")
    assert opened.items() <= said.items()
    (shown,) = world.find("put-token")
    assert put_token.items() <= shown.items()
    assert [fields["link_kind"] for fields in world.find("attach")] == links


def test_node_attaches_its_telemetry_link_with_the_first_message() -> None:
    """And only once."""
    world = world_of("node")
    world.send_each_second(2, 3)
    world.run(4)
    assert world.moments("attach", link_kind="telemetry") == [2.0]
    (attached,) = (fields for fields in world.find("attach") if fields["link_kind"] == "telemetry")
    assert attached["address"] == "/devices/d1/messages/events"


def test_c_sends_every_message_as_a_batch() -> None:
    """Of one message."""
    world = world_of("c")
    world.send(1)
    world.run(1)
    assert [fields["batch"] for fields in world.find("telemetry")] == [1]


# The hub ends the connection: at the middle of a token's life, with a token that is good


ENDINGS = {
    ("c", "detach"): ["status: UNAUTHENTICATED/COMMUNICATION_ERROR", "status: UNAUTHENTICATED/OK", "status: AUTHENTICATED/OK"],
    ("c", "close"): ["status: UNAUTHENTICATED/NO_NETWORK", "status: AUTHENTICATED/OK"],
    ("c", "fin"): ["status: UNAUTHENTICATED/NO_NETWORK", "status: AUTHENTICATED/OK"],
    ("c", "rst"): ["status: UNAUTHENTICATED/NO_NETWORK", "status: AUTHENTICATED/OK"],
    ("java", "detach"): [
        "status: DISCONNECTED_RETRYING/BAD_CREDENTIAL: AmqpUnauthorizedAccessException",
        "status: CONNECTED/CONNECTION_OK",
        "status: DISCONNECTED/BAD_CREDENTIAL: AmqpUnauthorizedAccessException",
    ],
    ("java", "fin"): [
        "status: DISCONNECTED_RETRYING/NO_NETWORK: AmqpConnectionFramingErrorException", "status: CONNECTED/CONNECTION_OK",
    ],
    ("node", "detach"): ["status: disconnect: UnauthorizedError"],
    ("node", "fin"): ["status: connect"],
    ("node", "rst"): ["status: connect"],
}  # fmt: skip
ENDINGS |= {
    ("java", "close"): ENDINGS["java", "detach"],
    ("java", "rst"): ["status: DISCONNECTED_RETRYING/NO_NETWORK: ProtonIOException", *ENDINGS["java", "fin"][1:]],
    ("c", "detach-not-closed"): ENDINGS["c", "detach"],
    ("node", "detach-not-closed"): ENDINGS["node", "detach"],
}
DOTNET = ["status: Disconnected_Retrying/Communication_Error", "status: Connected/Connection_Ok"]
ENDINGS |= {("dotnet", close): DOTNET for close in ("detach", "detach-not-closed", "close", "fin", "rst")}


@pytest.mark.parametrize(("sdk", "close"), ENDINGS)
def test_what_the_application_is_shown_when_the_hub_ends_the_connection(sdk: str, close: Any) -> None:
    """At half of a token's life, while the application listens and sends nothing."""
    settings = {"lifetime_s": 60} if sdk != "node" else {"lifetime_s": 60, "margin_s": 10}
    fault = Fault("half-life", "cut", close=close)
    world = world_of(sdk, listening=True, settings=settings, faults=(fault,))
    world.run(45)
    assert world.shown()[2:] == ENDINGS[sdk, close]


@pytest.mark.parametrize(
    ("sdk", "close", "connections", "back"),
    [("c", "detach", 1, 10.0), ("c", "close", 2, 0.06), ("dotnet", "detach", 1, 0.115), ("dotnet", "close", 2, 0.115)],
)
def test_whether_it_comes_back_on_the_same_connection(sdk: str, close: Any, connections: int, back: float) -> None:
    """After a DETACH, .NET and C put another token on the connection that stands; C takes ten seconds."""
    world = world_of(sdk, settings={"lifetime_s": 60}, faults=(Fault("half-life", "cut", close=close),))
    world.send_each_second(1, 45)
    world.run(46)
    assert len(world.find("accepted")) == connections
    (cut,) = [at for at, kind, _ in world.said if kind == "cut"]
    (again,) = [at for at, kind, told in world.said if kind == "put-token-answered" and told["admitted"] and at]
    assert again - cut == pytest.approx(back, abs=0.03)
    assert sent(world) == list(range(1, 46))


def test_java_closes_itself_for_good_after_it_came_back() -> None:
    """The error that ended the connection before is still remembered: what is sent afterwards is impossible."""
    world = world_of("java", settings={"lifetime_s": 60}, faults=(Fault("half-life", "cut", close="detach"),))
    world.run(40)
    world.send(1)
    assert world.device.phase is Phase.DOWN
    assert world.shown()[-1] == "send_failed: IllegalStateException"
    assert len(world.find("accepted")) == 2


def test_java_closes_itself_with_what_it_was_given_meanwhile() -> None:
    """A message queued while it was away is cancelled."""
    world = world_of("java", settings={"lifetime_s": 60}, faults=(Fault("half-life", "cut", close="detach"),))
    for number in (1, 2):
        world.at(START + 30.39, lambda number=number: world.send(number))  # type: ignore[misc]
    world.run(40)
    assert world.moments("cut") == [30.4]
    assert sent(world) == []
    assert world.shown()[-2:] == ["send_failed: IotHubClientException"] * 2


def test_another_error_than_unauthorized_is_no_reason_to_close_itself() -> None:
    """The hub closes with amqp:connection:forced where it stops; Java comes back and stays."""
    world = world_of("java")
    world.run(1)
    world.stop_hub()
    world.run(3)
    assert world.shown()[2:] == [
        "status: DISCONNECTED_RETRYING/NO_NETWORK: AmqpConnectionFramingErrorException",
        "status: CONNECTED/CONNECTION_OK",
    ]
    assert world.device.phase is Phase.READY


# Node's defects


def node_after_half_life(close: Any) -> HubWorld:
    """A Node.js client that listens, whose connection is ended 30 s after the open command."""
    world = world_of(
        "node", listening=True, settings={"lifetime_s": 60, "margin_s": 10}, faults=(Fault("half-life", "cut", close=close),)
    )  # fmt: skip
    world.send_each_second(1, 2)
    return world


def test_node_is_dark_for_45_s_after_a_close() -> None:
    """Nothing is shown and nothing attempted; what was sent meanwhile fails at the end, all at once, and then it says so."""
    world = node_after_half_life("close")
    world.send_each_second(31, 35)
    (cut,) = [30.0]
    world.run(74.5)
    assert world.device.phase is Phase.STALLED
    assert world.shown()[2:] == []
    world.run(76)
    assert world.shown()[2:] == [*["send_failed: UnauthorizedError"] * 5, "status: disconnect: UnauthorizedError"]
    failed = {round(float(str(event["t"])) - START - cut, 0) for event in world.events("send_failed")}
    assert failed == {45.0}
    assert len(world.find("accepted")) == 1


def test_node_never_calls_back_for_messages_of_the_dark_that_had_no_link() -> None:
    """Where nothing was sent before; what is sent afterwards fares well."""
    world = world_of(
        "node", listening=True, settings={"lifetime_s": 60, "margin_s": 10}, faults=(Fault("half-life", "cut", close="close"),)
    )  # fmt: skip
    world.send_each_second(31, 35)
    world.at(START + 80, lambda: world.send(80))
    world.run(90)
    world.do({"cmd": "close"})
    world.run(100)
    assert [event["id"] for event in world.events("sent", "send_failed")] == [80]
    assert world.shown()[2:] == ["status: disconnect: UnauthorizedError", "status: connect", "closed"]


@pytest.mark.parametrize("close", ["detach", "close"])
def test_node_comes_back_with_the_next_message_and_its_c2d_stays_dead(close: Any) -> None:
    """The link for cloud-to-device messages is not attached again."""
    world = node_after_half_life(close)
    world.at(START + 90, lambda: world.send(3))
    world.at(START + 91, lambda: world.send_c2d("lost"))
    world.run(100)
    assert sent(world) == [1, 2, 3]
    assert world.shown()[-1] == "status: connect"
    assert world.events("c2d") == []
    assert len(world.moments("attach", link_kind="c2d")) == 1


def test_node_gets_its_c2d_back_after_a_network_drop() -> None:
    """Because that counts as passing."""
    world = node_after_half_life("fin")
    world.at(START + 40, lambda: world.send_c2d("kept"))
    world.run(45)
    assert [event.get("message_id") for event in world.events("c2d")] == ["kept"]


def test_node_idle_is_silently_offline_after_a_drop() -> None:
    """No event, no attempt, until the application sends."""
    world = world_of("node")
    world.run(5)
    world.cut()
    world.at(START + 20, lambda: world.send(1))
    world.run(25)
    assert world.moments("accepted") == [0.0, 20.0]
    assert sent(world) == [1]


def test_node_tears_the_connection_down_where_a_renewal_is_refused() -> None:
    """`disconnect`, no attempt of its own; the next message comes back without C2D."""
    world = world_of("node", listening=True, faults=(Fault("renewal", "refuse"),))
    world.at(START + 12, lambda: world.send(1))
    world.at(START + 13, lambda: world.send_c2d("lost"))
    world.run(15)
    assert world.moments("accepted") == [0.0, 12.0]
    assert world.shown()[2:] == ["status: disconnect: UnauthorizedError", "status: connect"]
    assert sent(world) == [1]
    assert world.events("c2d") == []


# Renewals that fail


def test_c_repeats_a_refused_renewal_on_the_same_connection() -> None:
    """BAD_CREDENTIAL, ten seconds, and there it is again; what was in flight is still acknowledged."""
    world = world_of("c", listening=True, faults=(Fault("renewal", "refuse"),), grace_s=60.0)
    world.send_each_second(1, 40)
    world.run(41)
    assert world.moments("put-token-answered", status=401) == [16.0]
    assert world.moments("put-token-answered", admitted=False, status=200) == [26.0]
    assert len(world.find("accepted")) == 1
    assert sent(world) == list(range(1, 41))
    assert world.shown()[2:] == [
        "status: UNAUTHENTICATED/BAD_CREDENTIAL",
        "status: UNAUTHENTICATED/OK",
        "status: AUTHENTICATED/OK",
    ]


def test_c_makes_another_connection_at_the_fifth_refusal() -> None:
    """A token of the application's own that has ended, for ever."""
    world = world_of("c", token=own_token(10))
    world.run(80)
    assert world.moments("put-token-answered", status=401) == [24.8, 34.8, 44.8, 54.8, 64.8, 65.8, 75.8]
    assert world.moments("accepted") == [0.0, 65.8]


def test_java_goes_on_as_if_nothing_had_happened() -> None:
    """The next renewal comes in its time; what was refused is shown at the close."""
    world = world_of("java", faults=(Fault("renewal", "refuse"),), grace_s=30.0)
    world.run(18)
    assert world.moments("put-token-answered", status=401) == [8.5]
    assert world.moments("put-token-answered", status=200) == [0.0, 17.0]
    assert world.shown()[2:] == []


def test_java_shows_at_the_close_that_a_renewal_was_refused() -> None:
    """Before its own farewell, and only if none has succeeded since."""
    world = world_of("java", faults=(Fault("renewal", "refuse"),), grace_s=30.0)
    world.run(10)
    world.do({"cmd": "close"})
    world.run(11)
    assert world.shown()[2:] == [
        "status: DISCONNECTED_RETRYING/BAD_CREDENTIAL: UnauthorizedException",
        "status: DISCONNECTED/CLIENT_CLOSE",
        "closed",
    ]


def test_dotnet_renews_no_more_until_it_is_detached() -> None:
    """Nothing is visible; at the detach it shows the token that had been refused, and is let in with it."""
    world = world_of("dotnet", faults=(Fault("renewal", "refuse"),))
    world.send_each_second(1, 40)
    world.run(41)
    assert world.moments("put-token") == [0.0, 18.0, 24.9, 36.0]
    assert world.moments("cut") == [24.8]
    digests = [fields["token"]["digest"] for fields in world.find("put-token")]
    assert digests[1] == digests[2] != digests[3]
    assert sent(world) == list(range(1, 41))
    assert len(world.find("accepted")) == 1


@pytest.mark.parametrize(
    ("sdk", "shown"),
    [
        ("c", ["status: UNAUTHENTICATED/BAD_CREDENTIAL", "status: UNAUTHENTICATED/OK", "status: AUTHENTICATED/OK"]),
        ("dotnet", []),
        ("java", []),
        ("node", ["status: disconnect: Error"]),
    ],
)
def test_a_renewal_that_is_never_answered(sdk: str, shown: list[str]) -> None:
    """C waits 30 s and begins again, Node.js waits 120 s and gives up, the others do not say."""
    settings = {"lifetime_s": 400} if sdk != "node" else {"lifetime_s": 400, "margin_s": 80}
    world = world_of(sdk, settings=settings, grace_s=1000.0)
    world.at(START + 300, lambda: setattr(world, "deaf", True))
    world.at(START + 350 if sdk != "node" else START + 445, lambda: setattr(world, "deaf", False))
    world.run(600)
    assert world.shown()[2:] == shown
    assert len(world.find("accepted")) == 1


def test_no_other_token_is_shown_while_an_answer_is_awaited() -> None:
    """.NET waits for it 60 s, however short its tokens are; Java does not."""
    for sdk, renewals in (("dotnet", 1), ("java", 5)):
        world = world_of(sdk, settings={"lifetime_s": 10}, grace_s=1000.0)
        world.run(5)
        world.mute = True
        world.run(45)
        assert len(world.find("put-token")) == 1 + renewals


def test_a_late_answer_to_a_renewal() -> None:
    """The next one, which would have been due meanwhile, follows at once."""
    world = world_of("dotnet", settings={"lifetime_s": 20}, grace_s=1000.0)
    world.run(17)
    world.mute = True
    world.at(START + 50, lambda: setattr(world, "mute", False))
    world.run(52)
    assert world.moments("put-token") == [0.0, 18.0, 50.0]


# Tokens of the application's own


@pytest.mark.parametrize(
    ("sdk", "shown"),
    [
        ("dotnet", ["status: Disconnected_Retrying/Communication_Error", "status: Disconnected/Bad_Credential"]),
        (
            "java",
            [
                "status: DISCONNECTED_RETRYING/EXPIRED_SAS_TOKEN: AmqpUnauthorizedAccessException",
                "status: DISCONNECTED/EXPIRED_SAS_TOKEN: UnauthorizedException",
            ],
        ),
        ("node", ["status: disconnect: UnauthorizedError"]),
    ],
)
def test_a_token_nobody_renews_ends(sdk: str, shown: list[str]) -> None:
    """The hub detaches the links 5 s after the end; the token is refused, or not even tried again."""
    world = world_of(sdk, listening=True, token=own_token(10))
    world.run(60)
    assert world.moments("cut") == [14.8]
    assert world.shown()[2:] == shown


@pytest.mark.parametrize(
    ("sdk", "error"),
    [("dotnet", "UnauthorizedException <- AmqpException"), ("node", "UnauthorizedError")],
)
def test_every_message_tries_a_token_that_has_ended(sdk: str, error: str) -> None:
    """Each on a connection of its own."""
    world = world_of(sdk, listening=True, token=own_token(10))
    world.send_each_second(20, 22)
    world.run(23)
    assert world.shown()[-3:] == [f"send_failed: {error}"] * 3
    assert world.moments("accepted")[1:] == [20.0, 21.0, 22.0]


def test_java_sends_a_token_of_the_applications_own_again() -> None:
    """The same text, counted by the lifetime that is set."""
    world = world_of("java", token=own_token(5000))
    world.run(3070)
    assert world.moments("put-token") == [0.0, 3060.0]
    assert len({fields["token"]["digest"] for fields in world.find("put-token")}) == 1


# The open command


@pytest.mark.parametrize(
    ("sdk", "shown"),
    [
        ("dotnet", ["status: Disconnected/Bad_Credential", "open_failed: UnauthorizedException <- AmqpException"]),
        ("java", ["open_failed: IotHubClientException <- UnauthorizedException"]),
        ("node", ["open_failed: UnauthorizedError"]),
        ("c", ["status: UNAUTHENTICATED/BAD_CREDENTIAL"]),
    ],
)
def test_an_open_that_is_refused(sdk: str, shown: list[str]) -> None:
    """It fails, or is tried again."""
    world = HubWorld(profile_of(sdk))
    world.refuse()
    world.do(open_command(lifetime_s=LIFETIMES[sdk]))
    world.run(5)
    assert world.shown() == shown


def test_node_goes_on_opening_for_four_minutes() -> None:
    """Over AMQP it does not fail where the hub cannot be reached, until its patience ends."""
    world = HubWorld(profile_of("node"))
    world.reachable = False
    world.do(open_command(lifetime_s=910))
    world.run(200)
    assert world.shown() == []
    world.run(260)
    assert world.shown() == ["open_failed: NotConnectedError"]


@pytest.mark.parametrize("sdk", SDKS)
def test_a_hub_that_says_nothing(sdk: str) -> None:
    """The attempt ends with the SDK's patience; messages are kept, and closing is possible."""
    world = HubWorld(profile_of(sdk))
    world.mute = True
    world.do(open_command(lifetime_s=LIFETIMES[sdk]))
    world.send(1)
    world.run(130)
    assert world.events("opened", "sent") == []
    assert len(world.find("accepted")) > 1 or sdk == "java"
    world.do({"cmd": "close"})
    world.run(140)
    assert len(world.events("send_failed", "sent")) == 1
    assert world.shown()[-1] == "closed"


# Closing


@pytest.mark.parametrize("sdk", SDKS)
@pytest.mark.parametrize("seconds", [0.0005, 0.0015, 5, 31, 34, 41])
def test_close_at_any_time(sdk: str, seconds: float) -> None:
    """While it dials, while it is there, away, or dark: `closed` within ten seconds, and every message has ended."""
    closes: tuple[Any, ...] = ("detach", "close", "fin")
    for close in closes:
        settings = {"lifetime_s": 60} if sdk != "node" else {"lifetime_s": 60, "margin_s": 10}
        world = world_of(sdk, listening=True, settings=settings, faults=(Fault("half-life", "cut", close=close),))
        world.send_each_second(29, 33)
        world.run(seconds)
        world.do({"cmd": "close"})
        world.run(seconds + 10)
        assert len(world.events("closed")) == 1
        assert len(world.find("closed")) == len(world.find("accepted"))
        ended = [event["id"] for event in world.events("sent", "send_failed")]
        assert sorted(map(str, ended)) == [str(one) for one in range(29, 34) if one <= seconds]


@pytest.mark.parametrize(("sdk", "waits"), [("c", False), ("dotnet", True), ("java", True), ("node", True)])
def test_who_waits_for_the_hubs_close(sdk: str, waits: bool) -> None:  # noqa: FBT001 - a table
    """All but C, five seconds at most."""
    world = world_of(sdk)
    world.run(1)
    world.mute = True
    world.do({"cmd": "close"})
    world.run(2)
    assert (world.events("closed") == []) is waits
    world.run(7)
    assert len(world.events("closed")) == 1


def test_a_message_comes_again_on_the_next_connection() -> None:
    """.NET, Node.js and Java send what was not acknowledged as a new message; C says that it is lost."""
    for sdk in SDKS:
        world = world_of(sdk, listening=True)
        world.send(1)
        world.run(1)
        world.mute = True
        world.send(2)
        world.cut()
        world.mute = False
        world.run(3)
        assert len(world.find("telemetry")) == (2 if sdk == "c" else 3)
        outcome = [event["event"] for event in world.events("sent", "send_failed")][1:]
        assert outcome == (["send_failed"] if sdk == "c" else ["sent"])
