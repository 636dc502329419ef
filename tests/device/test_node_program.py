"""sdk_profiles/node/device.js with the real SDK, without a hub: nothing is contacted but closed ports of loopback."""

import asyncio
import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from support.adapter_rig import Rig, nothing
from support.certificates import client_certificate

from harness.device.adapter import AdapterProcess
from harness.device.environments import Environments, cache_folder
from harness.profile import bundled_folder, load_profile

pytestmark = [pytest.mark.real_sdk(runtime="node"), pytest.mark.slow]

HOST = "hub.azure-devices.net"
KEY = "SharedAccessKey=c2VjcmV0IG9mIG5vYm9keQ=="
COMMAND = ("node", "device.js")
REFUSED = ["UnauthorizedError", "Error"]  # what this SDK makes of whatever goes wrong with its first connection


@pytest.fixture(scope="module")
def folder() -> Path:
    """Where the SDK is installed."""
    loaded = load_profile(bundled_folder() / "node")
    return asyncio.run(Environments(cache_folder(os.environ), print).prepare(loaded)).folder


@pytest.fixture
def rig(folder: Path) -> Rig:
    """The profile's program."""
    return Rig(folder=folder, command=COMMAND)


@pytest.fixture
def closed() -> Iterator[str]:
    """An address of loopback with the port of MQTT taken and not listening: connecting is refused, whoever else runs here."""
    with socket.socket() as taken:
        for last in range(1, 255):
            try:
                taken.bind((f"127.32.8.{last}", 8883))
            except OSError:
                continue
            yield f"127.32.8.{last}"
            return
    pytest.fail("no free address on loopback")


def connection_string(gateway: str, credential: str = KEY) -> str:
    """A connection string that leads to `gateway`."""
    return f"HostName={HOST};DeviceId=d1;{credential};GatewayHostName={gateway}"


def token() -> str:
    """A fixed token of nobody, as part of a connection string."""
    resource = quote(f"{HOST}/devices/d1", safe="")
    return f"SharedAccessSignature=SharedAccessSignature sr={resource}&sig=bm8%3D&se={int(time.time() + 600)}"


def classes(event: dict[str, object]) -> list[str]:
    """The native classes of an event's error, outermost first."""
    error = event["error"]
    assert isinstance(error, list)
    return [link["class"] for link in error]


def messages(event: dict[str, object]) -> str:
    """The messages of an event's error."""
    error = event["error"]
    assert isinstance(error, list)
    return "\n".join(link["message"] for link in error)


def opened_with(rig: Rig, **fields: object) -> dict[str, object]:
    """The answer to an `open` that cannot succeed."""

    async def script(adapter: AdapterProcess) -> None:
        adapter.send({"cmd": "open", "transport": "mqtt", **fields})
        await rig.event("open_failed")

    rig.run(script)
    assert (rig.failures, rig.exits) == ([], [0])
    return rig.named("open_failed")[0]


def test_hello_tells_the_installed_version(rig: Rig, folder: Path) -> None:
    """The version is the SDK's own word; all it offers is named."""
    rig.run(nothing)
    (hello,) = rig.events
    package = json.loads((folder / "node_modules" / "azure-iot-device" / "package.json").read_text())
    assert hello["sdk_version"] == package["version"]
    assert hello["transports"] == ["mqtt", "mqtt-ws", "amqp", "amqp-ws", "https"]
    assert hello["capabilities"] == ["lifetime", "margin", "own-token", "token-update", "x509", "proxy", "twin"]
    assert (rig.noise, rig.exits, rig.failures) == ([], [0], [])


def test_a_refused_connection_is_open_failed_with_its_causes(rig: Rig, closed: str) -> None:
    """The native classes, outermost first, and the client can still be closed."""
    failed = opened_with(rig, connection_string=connection_string(closed), lifetime_s=910)
    assert classes(failed) == REFUSED
    assert f"connect ECONNREFUSED {closed}:8883" in messages(failed)
    assert [event["event"] for event in rig.events][-1] == "closed"


def test_a_send_without_connection_is_one_failed_call(rig: Rig, closed: str) -> None:
    """Each send is one call of the SDK, and its result is reported with its number; none is tried again."""

    async def script(adapter: AdapterProcess) -> None:
        adapter.send({"cmd": "open", "transport": "mqtt", "connection_string": connection_string(closed)})
        await rig.event("open_failed")
        adapter.send({"cmd": "send", "id": 1})
        adapter.send({"cmd": "send", "id": 2})
        await rig.event("send_failed", 2)

    rig.run(script)
    assert [event["id"] for event in rig.named("send_failed")] == [1, 2]
    assert {classes(event)[0] for event in rig.named("send_failed")} == {"UnauthorizedError"}


def test_amqp_is_dialled(rig: Rig, closed: str) -> None:
    """At its own port; this transport does not report what it tries again."""

    async def script(adapter: AdapterProcess) -> None:
        adapter.send({"cmd": "open", "transport": "amqp", "connection_string": connection_string(closed)})
        await rig.until(lambda: any(f"connect ECONNREFUSED {closed}:5671" in text for text in rig.log))

    rig.run(script)
    assert [event["event"] for event in rig.events] == ["hello", "closed"]
    assert (rig.failures, rig.exits) == ([], [0])


def test_a_proxy_is_used_for_websockets(rig: Rig) -> None:
    """It is what refuses."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        fields = {"connection_string": connection_string("127.32.8.1"), "transport": "mqtt-ws"}
        failed = opened_with(rig, **fields, proxy={"host": "127.0.0.1", "port": port})
    assert f"connect ECONNREFUSED 127.0.0.1:{port}" in messages(failed)


def test_a_proxy_that_refuses_is_a_connection_that_fails(rig: Rig) -> None:
    """It was asked to CONNECT to the standard port at the gateway. Its answer gets lost in the SDK's libraries."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        heard: list[bytes] = []

        async def script(adapter: AdapterProcess) -> None:
            proxy = {"host": "127.0.0.1", "port": server.getsockname()[1]}
            fields = {"connection_string": connection_string("127.32.8.1"), "transport": "mqtt-ws", "proxy": proxy}
            adapter.send({"cmd": "open", **fields})
            await asyncio.to_thread(forbid, server, heard)
            await rig.event("open_failed")

        rig.run(script)
    assert heard[0].startswith(b"CONNECT 127.32.8.1:443 HTTP/1.1\r\n")
    assert classes(rig.named("open_failed")[0]) == REFUSED


def forbid(server: socket.socket, heard: list[bytes]) -> None:
    """Answer one request with 403."""
    server.settimeout(20)
    connection, _ = server.accept()
    with connection:
        heard.append(connection.recv(4096))
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")


def test_a_fixed_token_is_used(rig: Rig, closed: str) -> None:
    """A token of the application leads to the gateway of the connection string, too; a lifetime cannot be set on it."""
    failed = opened_with(rig, connection_string=connection_string(closed, token()), lifetime_s=9)
    assert f"connect ECONNREFUSED {closed}:8883" in messages(failed)


def test_a_client_certificate_is_used(rig: Rig, closed: str) -> None:
    """The SDK could read both parts."""
    failed = opened_with(rig, connection_string=connection_string(closed, "x509=true"), **client_certificate())
    assert f"connect ECONNREFUSED {closed}:8883" in messages(failed)


def test_a_bad_client_certificate_is_an_exception_nobody_catches(rig: Rig, closed: str) -> None:
    """The SDK throws it where no caller is: an application would end here, and its call of `open` never returns."""
    fields = {"connection_string": connection_string(closed, "x509=true"), **client_certificate(), "key_pem": "no key"}

    async def script(adapter: AdapterProcess) -> None:
        adapter.send({"cmd": "open", "transport": "mqtt", **fields})
        await rig.event("background_exception")

    rig.run(script)
    assert [event["callback"] for event in rig.named("background_exception")] == ["uncaughtException"]
    assert [event["event"] for event in rig.events][-1] == "closed"
    assert rig.named("open_failed") == []


def test_a_lifetime_below_the_sdks_margin_cannot_make_a_client(rig: Rig, closed: str) -> None:
    """The default margin is left to the SDK, and with it its refusal; there is nothing to close."""
    failed = opened_with(rig, connection_string=connection_string(closed), lifetime_s=900)
    assert classes(failed) == ["ArgumentError"]
    assert rig.named("closed") == []


def test_with_a_margin_a_short_lifetime_is_taken(rig: Rig, closed: str) -> None:
    """Both go together."""
    failed = opened_with(rig, connection_string=connection_string(closed), lifetime_s=20, margin_s=10)
    assert classes(failed) == REFUSED


def test_a_margin_above_the_lifetime_is_the_sdks_to_refuse(rig: Rig, closed: str) -> None:
    """By its own error."""
    failed = opened_with(rig, connection_string=connection_string(closed), lifetime_s=20, margin_s=30)
    assert classes(failed) == ["ArgumentError"]


def test_an_unknown_transport_cannot_make_a_client(rig: Rig) -> None:
    """Those of `hello` are all there are."""
    failed = opened_with(rig, transport="carrier-pigeon", connection_string=connection_string("127.32.8.1"))
    assert failed["error"] == [{"class": "RangeError", "message": "unknown transport carrier-pigeon"}]


def test_the_sdks_traces_go_to_stderr_with_level_and_namespace(rig: Rig, closed: str) -> None:
    """Those of `:Errors` as ERROR; without the key."""
    opened_with(rig, connection_string=connection_string(closed))
    assert "ERROR azure-iot-mqtt-base:MqttBase:Errors  error supplied is: ECONNREFUSED" in rig.log
    assert "DEBUG azure-iot-mqtt-base:MqttBase connecting -> disconnecting ()" in rig.log
    assert not [text for text in rig.log if re.search("c2VjcmV0|SharedAccess|sig=", text)]


def preloaded(folder: Path, script: Path, code: str) -> Rig:
    """The program, with `code` run before it."""
    script.write_text(code, encoding="utf-8")
    return Rig(folder=folder, command=COMMAND, environment={"NODE_OPTIONS": f"--require={script}"})


def test_whatever_is_printed_does_not_reach_the_protocol(folder: Path, tmp_path: Path) -> None:
    """It ends on stderr."""
    code = "setTimeout(() => { console.log('loud'); process.stdout.write('very loud\\n'); }, 100);"
    rig = preloaded(folder, tmp_path / "loud.js", code)

    async def script(_: AdapterProcess) -> None:
        await rig.until(lambda: "very loud" in rig.log)

    rig.run(script)
    assert rig.noise == []
    assert "loud" in rig.log


@pytest.mark.parametrize(
    ("code", "callback"),
    [
        ("throw new TypeError('stray')", "uncaughtException"),
        ("Promise.reject(new TypeError('stray'))", "unhandledRejection"),
    ],
)
def test_what_nobody_catches_is_reported_and_seen(folder: Path, tmp_path: Path, code: str, callback: str) -> None:
    """As a background exception that names what would have ended the process; its stack is in the log, and the next command works."""
    rig = preloaded(folder, tmp_path / "stray.js", f"setTimeout(() => {{ {code}; }}, 100);")

    async def script(adapter: AdapterProcess) -> None:
        await rig.event("background_exception")
        adapter.send({"cmd": "send", "id": 1})
        await rig.event("bad_command")

    rig.run(script)
    (event,) = rig.named("background_exception")
    assert (event["callback"], event["error"]) == (callback, [{"class": "TypeError", "message": "stray"}])
    assert any(text.startswith(f"{callback}: TypeError: stray") for text in rig.log)
    assert (rig.exits, rig.failures) == ([0], [])


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
        json.dumps({"cmd": "open", "transport": "mqtt", "connection_string": connection_string(closed)}),
        '{"cmd":"open"}',
        '{"cmd":"send"}',
        '{"cmd":"token"}',
    ]
    events = spoken(folder, lines)
    bad = [event for event in events if event["event"] == "bad_command"]
    assert [event["cmd"] for event in bad] == [None, None, "hum", "send", "token", None, None, "open", "send", "token"]
    assert [classes(event) for event in bad if "error" in event] == [["SyntaxError"], *[["TypeError"]] * 5]
    assert [event["event"] for event in events if event["event"] == "open_failed"] == ["open_failed"]


def test_the_end_of_stdin_closes(folder: Path) -> None:
    """A program whose harness is gone does not stay."""
    assert [event["event"] for event in spoken(folder, [])] == ["hello"]


def spoken(folder: Path, lines: list[str]) -> list[dict[str, object]]:
    """What the program says to these lines and the end of its stdin; it has to exit with 0."""
    done = subprocess.run(
        COMMAND, cwd=folder,
        input="".join(line + "\n" for line in lines), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]
