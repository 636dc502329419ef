"""The bundled profiles, played in virtual time: renewal instants, order on the wire, and what the application is shown."""

import itertools
from typing import Any

import pytest
from support.device_world import START, World, open_command, own_token, profile_of

SDKS = ("c", "dotnet", "java", "node", "python")

PY_CREDENTIAL = "CredentialError <- UnauthorizedError"
PY_DROPPED = [
    "status: False",
    "background_exception: ConnectionDroppedError <- ConnectionDroppedError",
]
PY_NOISE = ["status: False", "background_exception: ConnectionDroppedError <- ConnectionFailedError"]


def world_of(sdk: str, *, transport: str = "mqtt", listening: bool = False, token: str = "", **settings: Any) -> World:
    """A device of this SDK, told to open at the start."""
    world = World(profile_of(sdk), transport=transport)
    switches = {"c2d": True, "methods": True} if listening else {}
    world.do(open_command(token=token, **switches, **settings))
    return world


@pytest.mark.parametrize(
    ("sdk", "settings", "seconds", "connects"),
    [
        ("python", {"lifetime_s": 130}, 25, [0.0, 10.0, 20.0]),
        ("python", {"lifetime_s": 170}, 55, [0.0, 50.0]),
        ("python", {}, 3500, [0.0, 3480.0]),
        ("node", {"lifetime_s": 910}, 25, [0.0, 10.0, 20.0]),
        ("node", {"lifetime_s": 940}, 45, [0.0, 40.0]),
        ("node", {"lifetime_s": 940, "margin_s": 920}, 25, [0.0, 20.0]),
        ("node", {}, 2750, [0.0, 2700.0]),
        ("c", {"lifetime_s": 20}, 36, [0.0, 17.1, 34.1]),
        ("c", {"lifetime_s": 50}, 45, [0.0, 41.1]),
        ("c", {"lifetime_s": 5}, 6, [0.0, 5.1]),
        ("c", {"lifetime_s": 60}, 55, [0.0, 49.1]),
        ("c", {}, 2900, [0.0, 2881.1]),
    ],
)
def test_renewal_instants_of_sdks_that_leave_by_themselves(
    sdk: str, settings: dict[str, Any], seconds: float, connects: list[float]
) -> None:
    """The token's life up to the renewal is that of the profile's law, with the SDK's own rounding."""
    world = world_of(sdk, **settings)
    world.run(seconds)
    assert world.times("CONNECT") == connects
    assert "cut" not in world.order()


@pytest.mark.parametrize(
    ("sdk", "settings", "cuts"),
    [
        ("java", {"lifetime_s": 10}, [15.8, 31.8]),
        ("java", {"lifetime_s": 30}, [35.8]),
        ("dotnet", {"lifetime_s": 20, "margin_percent": 15}, [24.8, 49.8]),
        ("dotnet", {"lifetime_s": 40, "margin_percent": 15}, [44.8]),
        ("dotnet", {"lifetime_s": 20, "margin_percent": 30}, [24.8, 49.8]),
    ],
)
def test_sdks_without_a_timer_wait_for_the_cut(sdk: str, settings: dict[str, Any], cuts: list[float]) -> None:
    """Java and .NET over MQTT: the hub cuts at expiry + grace, whatever the margin; each connection has a new token."""
    world = world_of(sdk, **settings)
    world.run(52 if len(cuts) > 1 or settings["lifetime_s"] == 40 else 40)
    assert world.times("cut")[: len(cuts)] == cuts
    assert "DISCONNECT" not in world.order()
    assert len({connect.password for connect in world.connects}) == len(world.connects)


@pytest.mark.parametrize("sdk", ["python", "node", "c"])
def test_renewal_on_the_wire(sdk: str) -> None:
    """DISCONNECT by the device, then CONNECT; SUBSCRIBE again only where the SDK does so."""
    world = world_of(sdk, listening=True, lifetime_s={"python": 130, "node": 910, "c": 20}[sdk])
    world.run(18)
    again = world.order()[world.order().index("DISCONNECT") :]
    subscribes = {"c": ["SUBSCRIBE devices/d1/messages/devicebound/#:1 $iothub/methods/POST/#:0"]}
    assert again == ["DISCONNECT", "CONNECT", *subscribes.get(sdk, [])]


@pytest.mark.parametrize(
    ("sdk", "settings", "shown"),
    [
        ("python", {"lifetime_s": 130}, ["status: True", "opened", "status: False", "status: True"]),
        ("node", {"lifetime_s": 910}, ["status: connect", "opened"]),
        (
            "c",
            {"lifetime_s": 20},
            [
                "status: AUTHENTICATED/OK",
                "opened",
                "status: UNAUTHENTICATED/EXPIRED_SAS_TOKEN",
                "status: AUTHENTICATED/OK",
            ],
        ),
        (
            "java",
            {"lifetime_s": 10},
            [
                "status: CONNECTED/CONNECTION_OK",
                "opened",
                "status: DISCONNECTED_RETRYING/EXPIRED_SAS_TOKEN: ProtocolException <- MqttException <- EOFException",
                "status: CONNECTED/CONNECTION_OK",
            ],
        ),
        (
            "dotnet",
            {"lifetime_s": 12},
            [
                "status: Connected/Connection_Ok",
                "opened",
                "status: Disconnected_Retrying/Communication_Error",
                "status: Connected/Connection_Ok",
            ],
        ),
    ],
)
def test_what_the_application_is_shown_at_one_renewal(sdk: str, settings: dict[str, Any], shown: list[str]) -> None:
    """Callbacks and reasons in the SDK's own words; Node.js shows nothing."""
    world = world_of(sdk, **settings)
    world.run(19)
    assert world.shown() == shown


def test_python_logs_its_renewal_as_the_sdk_does() -> None:
    """The lines of the SDK's log around a renewal, in their order."""
    world = world_of("python", lifetime_s=130)
    world.run(11)
    lines = [str(event["text"]).rpartition(": ")[2] for event in world.events("sdk_log")]
    assert lines[1:] == [
        "Renewing SAS Token...",
        "Starting reauthorization process for new SAS token",
        "Connection State - Disconnected",
        "Connection reauthorization successful",
        "Connection State - Connected",
    ]


def test_python_after_the_expiry_of_a_token_nobody_renews() -> None:
    """One reconnect with the stale token 10 ms after the cut, no further one by itself, and one for each send, each refused."""
    world = world_of("python", listening=True, token=own_token(10))
    world.send_each_second(1, 18)
    world.run(19)
    assert world.times("cut") == [14.8]
    refused = [at for at, entry in world.wire if entry == "CONNECT refused 5"]
    assert [round(at, 2) for at in refused] == [14.76, 15.0, 16.0, 17.0, 18.0]
    assert len({connect.password for connect in world.connects}) == 1
    failed = [f"send_failed: {PY_CREDENTIAL}", *PY_NOISE]
    assert world.shown() == [
        "token_required", "status: True", "opened",
        *PY_DROPPED, "background_exception: UnauthorizedError", *PY_NOISE, *failed, *failed, *failed, *failed,
    ]  # fmt: skip
    assert [event["id"] for event in world.events("send_failed")] == [15, 16, 17, 18]


def test_python_asks_for_a_token_120_s_before_the_end() -> None:
    """A token of the application's own is never renewed by the SDK; the application is asked once."""
    world = world_of("python", token=own_token(130))
    world.run(14)
    asked = world.events("token_required")
    assert [round(float(str(event["t"])) - START, 2) for event in asked] == [9.75]
    assert world.times("CONNECT") == [0.0]


def test_dotnet_after_the_expiry_of_a_token_nobody_renews() -> None:
    """One attempt, Bad_Credential once, then one attempt per send."""
    world = world_of("dotnet", token=own_token(10))
    world.send_each_second(1, 17)
    world.run(18)
    assert world.order().count("CONNECT refused 5") == 4
    failed = "send_failed: UnauthorizedException"
    assert world.shown()[2:] == [
        "status: Disconnected_Retrying/Communication_Error", "status: Disconnected/Bad_Credential", failed, failed, failed,
    ]  # fmt: skip


def test_dotnet_recovers_with_the_next_send() -> None:
    """A refusal that was a mistake of the hub's ends with the next message, and nothing is lost."""
    world = world_of("dotnet", lifetime_s=12)
    world.at(START + 10, lambda: setattr(world, "answer", lambda _connect, _left: 5))
    world.at(START + 18, lambda: setattr(world, "answer", lambda _connect, _left: 0))
    world.send_each_second(19, 21)
    world.run(22)
    assert world.shown()[2:] == [
        "status: Disconnected_Retrying/Communication_Error",
        "status: Disconnected/Bad_Credential",
        "status: Connected/Connection_Ok",
    ]
    assert [event["id"] for event in world.events("sent")] == [19, 20, 21]


def test_dotnet_uses_its_token_again_in_mid_life() -> None:
    """A drop before 85 % of the life: the cached token; after it: a new one."""
    world = world_of("dotnet", lifetime_s=20)
    world.run(8)
    world.cut()
    world.run(17.5)
    world.cut()
    world.run(18)
    first, second, third = (connect.password for connect in world.connects)
    assert first == second != third


def test_dotnet_buffer_moves_the_point_of_reuse_only() -> None:
    """With a buffer of 50 % the token of 12 s is not used again after 6 s."""
    world = world_of("dotnet", lifetime_s=12, margin_percent=50)
    world.run(7)
    world.cut()
    world.run(8)
    assert len({connect.password for connect in world.connects}) == 2


def test_java_gives_up_a_token_of_the_applications_own() -> None:
    """One attempt, then closed for good: the message queued meanwhile is cancelled, later ones are impossible."""
    world = world_of("java", token=own_token(10))
    world.send_each_second(15, 16)
    world.run(17)
    assert world.order().count("CONNECT refused 5") == 1
    assert world.shown()[3:] == [
        "status: DISCONNECTED/EXPIRED_SAS_TOKEN: MqttUnauthorizedException <- MqttSecurityException",
        "send_failed: IotHubClientException",
        "send_failed: IllegalStateException",
    ]


def test_java_retries_a_refused_token_of_its_own_for_four_minutes() -> None:
    """Back-off up to 10 s, no attempt after 240 s, then RETRY_EXPIRED; what was queued fails."""
    world = world_of("java", lifetime_s=10)
    world.answer = lambda _connect, _left: 5 if world.now > START + 5 else 0
    world.at(START + 30, lambda: world.send(1))
    world.run(400)
    attempts = [at for at, entry in world.wire if entry == "CONNECT refused 5"]
    assert attempts[1] - attempts[0] < 0.3
    assert 7.9 < attempts[-1] - attempts[-2] < 12.1
    assert 227 < attempts[-1] - 15.75 <= 241
    assert world.shown()[3:] == [
        "status: DISCONNECTED/RETRY_EXPIRED: IotHubClientException",
        "send_failed: IotHubClientException",
    ]
    world.send(2)
    assert world.shown()[5:] == ["send_failed: IllegalStateException"]


def test_java_cancels_what_is_queued_at_a_close() -> None:
    """As where it gives up: the callback of the message gets the exception."""
    world = world_of("java")
    world.run(1)
    world.reachable = False
    world.cut()
    world.send(1)
    world.do({"cmd": "close"})
    assert world.shown()[3:] == ["send_failed: IotHubClientException", "closed"]


def test_java_names_the_network_for_a_cut_before_the_end_of_its_token() -> None:
    """EXPIRED_SAS_TOKEN is a guess by the clock: any cut after the end, and none before it."""
    world = world_of("java", lifetime_s=10)
    world.run(9)
    world.cut()
    world.run(20.5)
    world.cut()
    lost = "status: DISCONNECTED_RETRYING/{}: ProtocolException <- MqttException <- EOFException"
    assert world.shown()[2::2] == [lost.format("NO_NETWORK"), lost.format("EXPIRED_SAS_TOKEN")]


def test_dotnet_reports_a_cut_when_it_dials_again() -> None:
    """Not at the cut but 0.1 s later, and once, however many attempts it takes; its log knows at once."""
    world = world_of("dotnet")
    world.run(1)
    world.reachable = False
    world.cut()
    assert str(world.events("sdk_log")[-1]["text"]).startswith("MQTT transport layer has been inactive")
    world.run(5)
    status = world.events("status")[1:]
    assert [event["status"] for event in status] == ["Disconnected_Retrying"]
    assert 0.1 < float(str(status[0]["t"])) - START - 1 < 0.15


def test_c_leaves_for_nothing_with_a_token_of_the_applications_own() -> None:
    """At 80 % of the lifetime set, or of the default, it comes back with the same text."""
    world = world_of("c", token=own_token(4000))
    world.run(2890)
    assert world.times("CONNECT") == [0.0, 2881.1]
    assert len({connect.password for connect in world.connects}) == 1


def test_c_retries_for_ever() -> None:
    """BAD_CREDENTIAL at every refusal, and NO_NETWORK as the hub closes; waits of 1, 2, 4, 8, 16, 30, 30 s."""
    world = world_of("c", token=own_token(10))
    world.run(150)
    attempts = [at for at, entry in world.wire if entry == "CONNECT refused 5"]
    assert [round(b - a) for a, b in itertools.pairwise(attempts)] == [1, 2, 4, 8, 16, 30, 30, 30]
    assert world.shown()[2:] == [
        "status: UNAUTHENTICATED/NO_NETWORK",
        *["status: UNAUTHENTICATED/BAD_CREDENTIAL", "status: UNAUTHENTICATED/NO_NETWORK"] * len(attempts),
    ]


def test_node_idle_is_silently_offline_after_a_cut() -> None:
    """No event, no attempt, until the application sends."""
    world = world_of("node", token=own_token(10))
    world.at(START + 20, lambda: world.send(1))
    world.run(30)
    assert world.times("CONNECT refused 5") == [20.0]
    assert world.shown()[2:] == ["send_failed: UnauthorizedError <- NotConnectedError <- Error"]


def test_node_listening_reconnects_and_keeps_trying() -> None:
    """With a C2D or method listener it tries again at once, with the stale token, for 240 s and the attempt after that."""
    world = world_of("node", listening=True, token=own_token(10))
    world.run(300)
    refused = [at for at, entry in world.wire if entry == "CONNECT refused 5"]
    assert 50 < len(refused) < 90
    assert 14.75 + 230 < refused[-1] < 14.75 + 250
    assert world.shown()[2:] == ["status: disconnect: NotConnectedError <- Error"] * 2


def test_node_waits_for_its_acknowledgements() -> None:
    """A renewal lets outstanding PUBACKs come first; what is sent meanwhile follows on the new connection, once."""
    world = world_of("node", lifetime_s=910)
    world.run(9)
    world.acknowledges = False
    world.send(1)
    world.run(12)
    assert "DISCONNECT" not in world.order()
    world.acknowledges = True
    world.send(2)
    world.hub(lambda server: server.acknowledge(1))
    world.run(13)
    assert world.order()[1:] == [
        "PUBLISH devices/d1/messages/events/%24.mid=1", "DISCONNECT", "CONNECT", "PUBLISH devices/d1/messages/events/%24.mid=2",
    ]  # fmt: skip
    assert [event["id"] for event in world.events("sent")] == [1, 2]


def test_node_stops_waiting_after_30_s() -> None:
    """A lost PUBACK: the old connection goes without DISCONNECT, the message comes again as a new one."""
    world = world_of("node", lifetime_s=910)
    world.run(9)
    world.acknowledges = False
    world.send(1)
    world.run(39)
    world.acknowledges = True
    world.run(41)
    topic = "PUBLISH devices/d1/messages/events/%24.mid=1"
    assert world.order() == ["CONNECT", topic, "CONNECT", topic]
    assert world.times("CONNECT") == [0.0, 40.0]


@pytest.mark.parametrize(
    ("sdk", "over_mqtt", "over_websocket"),
    [
        ("python", "fin", "fin"),
        ("node", "close-notify", "websocket-close"),
        ("c", "fin", "fin"),
        ("java", "close-notify", "websocket-close"),
        ("dotnet", "fin", "fin"),
    ],
)
def test_farewells(sdk: str, over_mqtt: str, over_websocket: str) -> None:
    """How each SDK ends a connection that it leaves."""
    for transport, farewell in (("mqtt", over_mqtt), ("mqtt-ws", over_websocket)):
        world = world_of(sdk, transport=transport)
        world.run(1)
        world.do({"cmd": "close"})
        assert world.hangups == [farewell]


def test_node_shows_a_reset_but_not_a_close() -> None:
    """ECONNRESET is a `disconnect` event, and its own attempts end there, though it listens; a closed connection is no event."""
    world = world_of("node", listening=True)
    world.run(1)
    world.cut("fin")
    world.run(2)
    world.cut("rst")
    world.run(20)
    assert world.shown()[2:] == ["status: connect", "status: disconnect: Error"]
    world.send(1)
    world.run(21)
    assert world.shown()[4:] == ["status: connect"]
    assert [event["id"] for event in world.events("sent")] == [1]


def test_node_takes_a_reset_under_a_websocket_for_a_close() -> None:
    """What resets the socket reaches the SDK as the WebSocket's end: no event, and it comes back."""
    world = world_of("node", transport="mqtt-ws", listening=True)
    world.run(1)
    world.cut("rst")
    world.run(2)
    assert world.shown()[2:] == ["status: connect"]


@pytest.mark.parametrize(
    ("sdk", "dup"), [("python", True), ("c", True), ("node", False), ("java", False), ("dotnet", False)]
)
def test_in_flight_messages_after_a_cut(sdk: str, dup: bool) -> None:  # noqa: FBT001 - a table of parameters
    """They come again: as the same packet with DUP, or as a new message."""
    world = world_of(sdk)
    world.run(1)
    world.acknowledges = False
    world.send(1)
    world.send(2)
    world.acknowledges = True
    world.cut()
    world.run(5)
    topics = [entry for entry in world.order() if entry.startswith("PUBLISH")]
    expected = [f"PUBLISH devices/d1/messages/events/%24.mid={n}" for n in (1, 2)]
    assert topics == [*expected, *(entry + (" dup" if dup else "") for entry in expected)]
    assert [event["id"] for event in world.events("sent")] == [1, 2]


def test_c_sends_its_unacknowledged_messages_again_after_3_s() -> None:
    """Not at once; what is sent meanwhile goes before them, and what a further cut interrupts starts anew."""
    world = world_of("c")
    world.run(1)
    world.acknowledges = False
    world.send(1)
    world.run(2)
    world.cut()
    world.run(3)
    world.cut()
    world.run(4)
    world.acknowledges = True
    world.send(2)
    world.run(10)
    topic = "PUBLISH devices/d1/messages/events/%24.mid="
    assert world.order()[1:] == [f"{topic}1", "cut", "CONNECT", "cut", "CONNECT", f"{topic}2", f"{topic}1 dup"]
    assert world.times(f"{topic}1 dup") == [6.1]


@pytest.mark.parametrize("sdk", SDKS)
def test_messages_during_a_renewal_are_kept(sdk: str) -> None:
    """Ten messages a second through two renewals: each acknowledged once, in order, none failed."""
    settings = profile_of(sdk).settings[0]
    world = world_of(sdk, listening=True, lifetime_s=settings.lifetime_s)
    for number in range(1, 521):
        world.at(START + number / 10, lambda number=number: world.send(number))  # type: ignore[misc]
    world.run(54)
    assert [event["id"] for event in world.events("sent")] == list(range(1, 521))
    assert not world.events("send_failed")
    assert len(world.connects) > 2


@pytest.mark.parametrize(
    ("sdk", "filters"),
    [
        ("python", "devices/d1/messages/devicebound/#:1 $iothub/methods/POST/#:1"),
        ("node", "devices/d1/messages/devicebound/#:1 $iothub/methods/POST/#:0"),
        ("java", "devices/d1/messages/devicebound/#:1 $iothub/methods/POST/#:0"),
        ("c", "devices/d1/messages/devicebound/#:1 $iothub/methods/POST/#:0"),
        ("dotnet", "$iothub/twin/res/#:1 devices/d1/messages/devicebound/#:1 $iothub/methods/POST/#:1"),
    ],
)
def test_subscriptions(sdk: str, filters: str) -> None:
    """What each SDK subscribes to for an application that listens; `opened` follows the SUBACK."""
    world = world_of(sdk, listening=True)
    world.run(1)
    assert world.order() == ["CONNECT", f"SUBSCRIBE {filters}"]
    assert world.events("opened")[0]["settings"] == {"transport": "mqtt", "c2d": True, "methods": True}


@pytest.mark.parametrize("sdk", ["python", "node", "java", "dotnet"])
def test_a_wrong_key_at_open(sdk: str) -> None:
    """`open_failed` with the SDK's own exception, and no further attempt by itself."""
    world = World(profile_of(sdk))
    world.answer = lambda _connect, _left: 5
    world.do(open_command())
    world.run(60)
    assert len(world.events("open_failed")) == 1
    assert len(world.connects) == 1
    assert not world.events("opened")


def test_c_never_fails_to_open() -> None:
    """The C SDK has no failing open: it reports each refusal, and the close that follows, goes on trying, and then opens."""
    world = World(profile_of("c"))
    world.answer = lambda _connect, _left: 5 if len(world.connects) < 3 else 0
    world.do(open_command())
    world.run(10)
    refused = ["status: UNAUTHENTICATED/BAD_CREDENTIAL", "status: UNAUTHENTICATED/NO_NETWORK"]
    assert world.shown() == [*refused * 2, "status: AUTHENTICATED/OK", "opened"]


@pytest.mark.parametrize("sdk", SDKS)
def test_username_and_session(sdk: str) -> None:
    """Client id, user name and a kept session, as IoT Hub's clients send them."""
    world = world_of(sdk)
    world.run(1)
    (connect,) = world.connects
    emulation = profile_of(sdk).emulation
    assert connect.client_id == "d1"
    assert not connect.clean_session
    assert connect.keep_alive == emulation.keep_alive_s
    assert (connect.username or "").startswith(
        f"contoso.azure-devices.net/d1/?api-version={emulation.api_version}&DeviceClientType="
    )


def test_java_and_c_do_not_encode_the_resource() -> None:
    """`sr` with plain slashes there, percent-encoded elsewhere."""
    plain = {}
    for sdk in SDKS:
        world = world_of(sdk)
        world.run(1)
        plain[sdk] = b"sr=contoso.azure-devices.net/devices/d1&" in (world.connects[0].password or b"")
    assert plain == {"c": True, "dotnet": False, "java": True, "node": False, "python": False}


def test_python_renews_its_token_also_while_it_is_away() -> None:
    """The alarm refreshes the cached token without connecting; the next attempt shows the new one."""
    world = world_of("python", lifetime_s=130)
    world.run(1)
    world.reachable = False
    world.cut()
    world.run(25)
    world.reachable = True
    world.run(32)
    assert len(world.connects) == 2
    assert world.connects[0].password != world.connects[1].password


PY_RENEWAL_REFUSED = ["background_exception: UnauthorizedError", *PY_NOISE]


def test_python_retries_a_refused_renewal() -> None:
    """Unlike a refused reconnect: every 10 s, with the same token, until the hub lets it in."""
    world = world_of("python", lifetime_s=170)
    world.run(49)
    world.answer = lambda _connect, _left: 5
    world.run(75)
    world.answer = lambda _connect, _left: 0
    world.run(85)
    assert world.times("CONNECT refused 5") == [50.0, 60.0, 70.0]
    assert world.times("CONNECT") == [0.0, 80.0]
    assert len({connect.password for connect in world.connects}) == 2
    assert world.shown()[2:] == ["status: False", *PY_RENEWAL_REFUSED * 3, "status: True"]
    lines = [str(event["text"]).rpartition("SasTokenStage: ")[2] for event in world.events("sdk_log")]
    assert lines.count("Retrying connection reauthorization") == 3
    assert lines.count("Connection reauthorization successful") == 1


@pytest.mark.parametrize("reachable", [True, False])
def test_python_is_stuck_once_a_failed_renewal_meets_the_next(reachable: bool) -> None:  # noqa: FBT001 - a table of parameters
    """The next tick ends the attempts for good and shows nothing; only a message brings the client back."""
    world = world_of("python", lifetime_s=145)
    world.run(24)
    world.answer, world.reachable = lambda _connect, _left: 5, reachable
    world.run(51)
    world.answer, world.reachable = lambda _connect, _left: 0, True
    shown = len(world.shown())
    world.run(120)
    assert world.times("CONNECT") == [0.0]
    assert world.times("CONNECT refused 5") == ([25.0, 35.0, 45.0] if reachable else [])
    assert len(world.shown()) == shown
    world.send(1)
    world.run(121)
    assert [event["id"] for event in world.events("sent")] == [1]


def test_a_message_during_a_failed_renewal_makes_an_attempt_of_its_own() -> None:
    """It fails with the attempt, and the renewal is tried again."""
    world = world_of("python", lifetime_s=170)
    world.run(49)
    world.answer = lambda _connect, _left: 5
    world.run(52)
    world.send(1)
    world.run(64)
    assert world.times("CONNECT refused 5") == [50.0, 52.0, 62.0]
    assert world.shown()[6:10] == [f"send_failed: {PY_CREDENTIAL}", *PY_NOISE, PY_RENEWAL_REFUSED[0]]


def test_python_with_a_lifetime_below_its_margin_renews_without_pause() -> None:
    """The hot loop a profile's `lifetime_min_s` keeps away; time still passes."""
    world = world_of("python", lifetime_s=60)
    world.run(1)
    assert len(world.connects) > 100
