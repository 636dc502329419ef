"""sdk_profiles/c/device.c with the real SDK, without a hub: nothing is contacted but closed ports of loopback."""

import asyncio
import contextlib
import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from support.adapter_rig import Rig, nothing
from support.certificates import client_certificate

from harness.device.adapter import AdapterProcess
from harness.device.environments import Environments, cache_folder
from harness.net.certificates import make_authority
from harness.profile import bundled_folder, load_profile

pytestmark = [pytest.mark.real_sdk(runtime="c"), pytest.mark.slow]

KEY = "SharedAccessKey=c2VjcmV0IG9mIG5vYm9keQ=="
PORTS = {"mqtt": 8883, "amqp": 5671}
REFUSED = [("UNAUTHENTICATED", "NO_NETWORK")]  # the SDK's only word for a hub that is not there
CANCELLED = {"class": "IOTHUB_CLIENT_CONFIRMATION_BECAUSE_DESTROY", "message": "IOTHUB_CLIENT_CONFIRMATION_RESULT"}


@pytest.fixture(scope="module")
def folder() -> Path:
    """Where the program was built."""
    loaded = load_profile(bundled_folder() / "c")
    return asyncio.run(Environments(cache_folder(os.environ), print).prepare(loaded)).folder


@pytest.fixture
def rig(folder: Path) -> Rig:
    """The profile's program."""
    return Rig(folder=folder, command=("{folder}/device",))


@pytest.fixture
def closed() -> Iterator[str]:
    """An address of loopback with the ports of MQTT and AMQP taken and not listening: connecting is refused, whoever else runs here."""
    with socket.socket() as mqtt, socket.socket() as amqp:
        yield bound({PORTS["mqtt"]: mqtt, PORTS["amqp"]: amqp})


def bound(sockets: Mapping[int, socket.socket]) -> str:
    """An address of loopback to whose ports these sockets could be bound."""
    for last in range(1, 255):
        with contextlib.suppress(OSError):
            for port, taken in sockets.items():
                taken.bind((f"127.32.9.{last}", port))
            return f"127.32.9.{last}"
    pytest.fail("no free address on loopback")


def connection_string(host: str, credential: str = KEY) -> str:
    """A connection string that leads to `host`."""
    return f"HostName={host};DeviceId=d1;{credential}"


def statuses(rig: Rig) -> list[tuple[object, object]]:
    """What the connection status callback was told, with its reasons."""
    return [(event["status"], event["reason"]) for event in rig.named("status")]


def tried_with(rig: Rig, **fields: object) -> None:
    """Open with these fields, wait until the SDK says that it cannot connect, close."""

    async def script(adapter: AdapterProcess) -> None:
        adapter.send({"cmd": "open", "transport": "mqtt", **fields})
        await rig.event("status")

    rig.run(script)
    assert (rig.failures, rig.exits) == ([], [0])


def opening_failed(rig: Rig, **fields: object) -> object:
    """The error of an `open` for which no client can be made."""

    async def script(adapter: AdapterProcess) -> None:
        adapter.send({"cmd": "open", "transport": "mqtt", **fields})
        await rig.event("open_failed")

    rig.run(script)
    assert (rig.failures, rig.exits) == ([], [0])
    return rig.named("open_failed")[0]["error"]


def test_hello_tells_the_sdks_version(rig: Rig) -> None:
    """The version is the SDK's own word, and that of the profile; all it offers is named."""
    rig.run(nothing)
    (hello,) = rig.events
    assert hello["sdk_version"] == load_profile(bundled_folder() / "c").profile.version
    assert re.fullmatch(r"(GCC|Clang) \d.*, OpenSSL \d.*", str(hello["runtime"]))
    assert hello["transports"] == ["mqtt", "mqtt-ws", "amqp", "amqp-ws", "https"]
    assert hello["capabilities"] == ["lifetime", "own-token", "x509", "proxy", "twin"]
    assert (rig.noise, rig.exits, rig.failures) == ([], [0], [])


def test_a_hub_that_is_not_there_is_a_status(rig: Rig, closed: str) -> None:
    """This SDK never says that opening failed: it goes on trying, and can be closed."""
    tried_with(rig, connection_string=connection_string(closed), lifetime_s=5)
    assert statuses(rig)[:1] == REFUSED
    assert [event["event"] for event in rig.events][-1] == "closed"
    assert rig.named("open_failed") == rig.named("opened") == []


def test_a_send_that_close_overtakes_fails_by_the_sdks_word(rig: Rig, closed: str) -> None:
    """Each send is one call of the SDK; its result comes with its number, after the time given to calls under way."""

    async def script(adapter: AdapterProcess) -> None:
        adapter.send({"cmd": "open", "transport": "mqtt", "connection_string": connection_string(closed)})
        adapter.send({"cmd": "send", "id": 1})
        adapter.send({"cmd": "send", "id": 2})
        await rig.event("status")

    began = time.monotonic()
    rig.run(script)
    assert [(event["id"], event["error"]) for event in rig.named("send_failed")] == [(1, [CANCELLED]), (2, [CANCELLED])]
    assert 4 < time.monotonic() - began < 10
    assert rig.exits == [0]


def test_commands_are_answered_while_the_sdk_blocks(rig: Rig) -> None:
    """As it does while a connection is made, for up to 10 s; `close` comes after that."""
    with mute_hub() as hub:

        async def script(adapter: AdapterProcess) -> None:
            adapter.send({"cmd": "open", "transport": "mqtt", "connection_string": connection_string(hub)})
            await asyncio.sleep(1)
            adapter.send({"cmd": "token", "sas": "x"})
            await rig.event("bad_command")

        rig.run(script)
    assert [event["event"] for event in rig.events] == ["hello", "bad_command", "status", "closed"]
    assert (rig.failures, rig.exits) == ([], [0])


@contextlib.contextmanager
def mute_hub() -> Iterator[str]:
    """An address whose port of MQTT neither accepts nor refuses: its backlog is full."""
    with contextlib.ExitStack() as sockets:
        server = sockets.enter_context(socket.socket())
        address = bound({PORTS["mqtt"]: server})
        server.listen(0)
        for _ in range(3):
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex((address, PORTS["mqtt"]))
        yield address


@pytest.mark.parametrize("transport", PORTS)
def test_the_transports_own_port_is_dialled(rig: Rig, closed: str, transport: str) -> None:
    """The log says that it was refused."""

    async def script(adapter: AdapterProcess) -> None:
        adapter.send({"cmd": "open", "transport": transport, "connection_string": connection_string(closed)})
        await rig.until(lambda: any("connect failure" in text for text in rig.log))

    rig.run(script)
    assert (rig.failures, rig.exits) == ([], [0])


@pytest.mark.parametrize("transport", ["mqtt-ws", "amqp-ws"])
def test_a_proxy_is_asked_for_websockets(rig: Rig, transport: str) -> None:
    """To CONNECT to the standard port of the hub; that it refuses is one more connection that fails."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        heard: list[bytes] = []

        async def script(adapter: AdapterProcess) -> None:
            proxy = {"host": "127.0.0.1", "port": server.getsockname()[1]}
            fields = {"connection_string": connection_string("127.32.8.1"), "ca_pem": make_authority().ca_pem}
            adapter.send({"cmd": "open", "transport": transport, "proxy": proxy, **fields})
            await asyncio.to_thread(forbid, server, heard)
            await rig.event("status")

        rig.run(script)
    assert heard[0].startswith(b"CONNECT 127.32.8.1:443 HTTP/1.1\r\n")
    assert statuses(rig)[0] == REFUSED[0]


def forbid(server: socket.socket, heard: list[bytes]) -> None:
    """Answer one request with 403."""
    server.settimeout(20)
    connection, _ = server.accept()
    with connection:
        heard.append(connection.recv(4096))
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")


def test_a_proxy_is_not_used_for_plain_tcp(rig: Rig, closed: str) -> None:
    """The option exists for WebSockets only; a proxy that is not there does no harm."""
    tried_with(rig, connection_string=connection_string(closed), proxy={"host": "127.0.0.1", "port": 1})
    assert statuses(rig)[0] == REFUSED[0]


def test_a_fixed_token_is_used(rig: Rig, closed: str) -> None:
    """A client is made with it; a lifetime can be set all the same."""
    token = f"SharedAccessSignature sr={closed}/devices/d1&sig=bm8%3d&se={int(time.time() + 600)}"
    tried_with(rig, connection_string=connection_string(closed, f"SharedAccessSignature={token}"), lifetime_s=9)
    assert statuses(rig)[0] == REFUSED[0]


def test_a_client_certificate_is_used(rig: Rig, closed: str) -> None:
    """Both parts are options of the SDK."""
    tried_with(rig, connection_string=connection_string(closed, "x509=true"), **client_certificate())
    assert statuses(rig)[0] == REFUSED[0]


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"lifetime_s": 4}, {"class": "IOTHUB_CLIENT_ERROR", "message": "IOTHUB_CLIENT_RESULT"}),
        ({"connection_string": "nonsense"}, {"class": "NULL", "message": "IOTHUB_DEVICE_CLIENT_LL_HANDLE"}),
        ({"transport": "carrier-pigeon"}, {"class": "EINVAL", "message": "no such transport"}),
    ],
)
def test_what_the_sdk_refuses_makes_no_client(rig: Rig, closed: str, fields: dict[str, object], error: object) -> None:
    """A lifetime below its 5 s, a connection string without a hub; there is nothing to close."""
    assert opening_failed(rig, **{"connection_string": connection_string(closed), **fields}) == [error]
    assert rig.named("closed") == []


def test_a_send_without_a_client_is_refused_by_the_sdk(rig: Rig) -> None:
    """It is asked all the same."""

    async def script(adapter: AdapterProcess) -> None:
        adapter.send({"cmd": "open", "transport": "mqtt", "connection_string": "nonsense"})
        adapter.send({"cmd": "send", "id": 1})
        await rig.event("send_failed")

    rig.run(script)
    refused = {"class": "IOTHUB_CLIENT_INVALID_ARG", "message": "IOTHUB_CLIENT_RESULT"}
    assert rig.named("send_failed")[0]["error"] == [refused]


def test_the_sdks_log_goes_to_stderr(rig: Rig, closed: str) -> None:
    """One line each, with its level; without the key."""
    tried_with(rig, connection_string=connection_string(closed))
    assert any(text.startswith("Error: Failure: connect failure") for text in rig.log)
    assert all(re.match("(Error|Info): .", text) for text in rig.log)
    assert not [text for text in rig.log if re.search("c2VjcmV0|SharedAccess|sig=", text)]


def test_what_is_no_command_is_answered_and_the_next_one_works(folder: Path, closed: str) -> None:
    """Garbage, unknown names, missing fields, commands out of turn: `bad_command`, each once."""
    lines = [
        "garbage",
        "[1]",
        '{"cmd":"hum"}',
        '{"cmd":"send","id":1}',
        '{"cmd":"token","sas":"x"}',
        "null",
        "{}",
        '{"cmd":"open"}',
        json.dumps({"cmd": "open", "transport": "mqtt", "connection_string": connection_string(closed)}),
        '{"cmd":"open"}',
        '{"cmd":"send"}',
    ]
    events = spoken(folder, lines)
    bad = [event for event in events if event["event"] == "bad_command"]
    assert [event["cmd"] for event in bad] == [None, None, "hum", "send", "token", None, None, "open", "open", "send"]
    assert [event["event"] for event in events][-1] == "closed"


def test_the_end_of_stdin_closes(folder: Path) -> None:
    """A program whose harness is gone does not stay."""
    assert [event["event"] for event in spoken(folder, [])] == ["hello"]


def spoken(folder: Path, lines: list[str]) -> list[dict[str, object]]:
    """What the program says to these lines and the end of its stdin; it has to exit with 0."""
    done = subprocess.run(
        [folder / "device"], cwd=folder,
        input="".join(line + "\n" for line in lines), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]
