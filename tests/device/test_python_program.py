"""sdk_profiles/python/device.py with the real SDK, without a hub: nothing is contacted but closed ports of loopback."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

import pytest
from support.adapter_rig import PYTHON_PROFILE, Rig, nothing
from support.certificates import client_certificate

from harness.device.adapter import AdapterProcess

pytestmark = [pytest.mark.real_sdk, pytest.mark.slow]

HOST = "hub.azure-devices.net"
KEY = "SharedAccessKey=c2VjcmV0IG9mIG5vYm9keQ=="
REFUSED = [
    "azure.iot.device.exceptions.ConnectionFailedError",
    "azure.iot.device.common.transport_exceptions.ConnectionFailedError",
    "ConnectionRefusedError",
]


@pytest.fixture
def rig() -> Rig:
    """The Python profile's program."""
    return Rig("device.py", PYTHON_PROFILE)


@pytest.fixture
def closed() -> Iterator[str]:
    """An address of loopback with port 8883 taken and not listening: connecting is refused, whoever else runs here."""
    with socket.socket() as taken:
        for last in range(1, 255):
            try:
                taken.bind((f"127.32.7.{last}", 8883))
            except OSError:
                continue
            yield f"127.32.7.{last}"
            return
    pytest.fail("no free address on loopback")


def connection_string(gateway: str, credential: str = KEY) -> str:
    """A connection string that leads to `gateway`."""
    return f"HostName={HOST};DeviceId=d1;{credential};GatewayHostName={gateway}"


def token(left_s: float) -> str:
    """A fixed token of nobody, as part of a connection string."""
    resource = quote(f"{HOST}/devices/d1", safe="")
    return f"SharedAccessSignature=SharedAccessSignature sr={resource}&sig=bm8%3D&se={int(time.time() + left_s)}"


def classes(event: dict[str, object]) -> list[str]:
    """The native classes of an event's error, outermost first."""
    error = event["error"]
    assert isinstance(error, list)
    return [link["class"] for link in error]


def opened_with(rig: Rig, **fields: object) -> dict[str, object]:
    """The answer to an `open` that cannot succeed."""

    async def script(adapter: AdapterProcess) -> None:
        adapter.send({"cmd": "open", "transport": "mqtt", **fields})
        await rig.event("open_failed")

    rig.run(script)
    assert (rig.failures, rig.exits) == ([], [0])
    return rig.named("open_failed")[0]


def test_hello_tells_the_installed_version(rig: Rig) -> None:
    """The version is the SDK's own word; what the SDK lacks is not claimed."""
    rig.run(nothing)
    (hello,) = rig.events
    assert hello["sdk_version"] == version("azure-iot-device")
    assert hello["transports"] == ["mqtt", "mqtt-ws"]
    assert hello["capabilities"] == ["lifetime", "own-token", "token-update", "x509", "proxy", "twin"]
    assert (rig.noise, rig.exits, rig.failures) == ([], [0], [])


def test_a_refused_connection_is_open_failed_with_its_causes(rig: Rig, closed: str) -> None:
    """The native classes, outermost first, and the client can still be closed."""
    failed = opened_with(rig, connection_string=connection_string(closed), lifetime_s=130)
    assert classes(failed) == REFUSED
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
    failed = rig.named("send_failed")
    assert sorted(int(str(event["id"])) for event in failed) == [1, 2]
    assert [classes(event) for event in failed] == [REFUSED, REFUSED]


def test_a_proxy_is_used(rig: Rig) -> None:
    """Over a WebSocket, too; the proxy's refusal is what shows."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        proxy = {"host": "127.0.0.1", "port": taken.getsockname()[1]}
        fields = {"connection_string": connection_string("127.32.7.1"), "transport": "mqtt-ws", "proxy": proxy}
        failed = opened_with(rig, **fields)
    assert classes(failed)[-1] == "socks.ProxyConnectionError"


def test_a_fixed_token_is_used(rig: Rig, closed: str) -> None:
    """A token of the application leads to the gateway of the connection string; a lifetime cannot be set on it."""
    credential = token(left_s=600)
    assert classes(opened_with(rig, connection_string=connection_string(closed, credential), lifetime_s=9)) == REFUSED


def test_an_expired_token_cannot_make_a_client(rig: Rig, closed: str) -> None:
    """An exception while the client is made is `open_failed`, and there is nothing to close."""
    failed = opened_with(rig, connection_string=connection_string(closed, token(left_s=-60)))
    assert failed["error"] == [{"class": "ValueError", "message": "Provided SasToken has already expired"}]
    assert rig.named("closed") == []


def test_a_client_certificate_is_used(rig: Rig, closed: str) -> None:
    """The SDK could read both files."""
    fields = {"connection_string": connection_string(closed, "x509=true"), **client_certificate()}
    assert classes(opened_with(rig, **fields)) == REFUSED


def test_a_bad_client_certificate_cannot_make_a_client(rig: Rig, closed: str) -> None:
    """The SDK's own exception comes through."""
    fields = {"connection_string": connection_string(closed, "x509=true"), **client_certificate(), "key_pem": "no key"}
    assert classes(opened_with(rig, **fields))[-1] == "ssl.SSLError"


def test_an_unknown_transport_cannot_make_a_client(rig: Rig) -> None:
    """The SDK has no AMQP."""
    failed = opened_with(rig, transport="amqp", connection_string=connection_string("127.32.7.1"))
    assert failed["error"] == [{"class": "ValueError", "message": "unknown transport amqp"}]


def test_a_new_token_for_a_client_that_owns_its_key_is_refused(rig: Rig, closed: str) -> None:
    """The SDK's refusal is an event of its own."""

    async def script(adapter: AdapterProcess) -> None:
        adapter.send({"cmd": "open", "transport": "mqtt", "connection_string": connection_string(closed)})
        await rig.event("open_failed")
        adapter.send({"cmd": "token", "sas": token(600)})
        await rig.event("token_failed")

    rig.run(script)
    assert classes(rig.named("token_failed")[0]) == ["azure.iot.device.exceptions.ClientError"]


def test_the_sdk_log_goes_to_stderr_with_level_and_logger(rig: Rig, closed: str) -> None:
    """At INFO, and without the key."""
    opened_with(rig, connection_string=connection_string(closed))
    assert "INFO azure.iot.device.iothub.sync_clients: Connecting to Hub..." in rig.log
    assert not [text for text in rig.log if "c2VjcmV0" in text]


def test_whatever_is_printed_does_not_reach_the_protocol(tmp_path: Path) -> None:
    """Even native code that writes to descriptor 1 while the SDK is loaded ends on stderr."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\n"
        "sys.addaudithook(lambda name, args: name == 'import' and args[0] == 'paho.mqtt.client' and os.write(1, b'loud\\n'))\n",
        encoding="utf-8",
    )
    rig = Rig("device.py", PYTHON_PROFILE, environment={"PYTHONPATH": str(tmp_path)})
    rig.run(nothing)
    assert rig.noise == []
    assert "loud" in rig.log


def test_what_is_no_command_is_answered_and_the_next_one_works(closed: str) -> None:
    """Garbage, unknown names, missing fields, commands out of turn: `bad_command`, each once."""
    lines = [
        "garbage",
        "[1]",
        '{"cmd":"hum"}',
        '{"cmd":"send","id":1}',
        '{"cmd":"token","sas":"x"}',
        "{}",
        json.dumps({"cmd": "open", "transport": "mqtt", "connection_string": connection_string(closed)}),
        '{"cmd":"open"}',
        '{"cmd":"send"}',
        '{"cmd":"token"}',
    ]
    events = spoken(lines)
    bad = [event for event in events if event["event"] == "bad_command"]
    assert [event["cmd"] for event in bad] == [None, None, "hum", "send", "token", None, "open", "send", "token"]
    assert [classes(event) for event in bad if "error" in event] == [
        ["json.decoder.JSONDecodeError"], ["TypeError"], ["KeyError"], ["KeyError"], ["KeyError"],
    ]  # fmt: skip
    assert [event["event"] for event in events if event["event"] == "open_failed"] == ["open_failed"]


def test_the_end_of_stdin_closes() -> None:
    """A program whose harness is gone does not stay."""
    assert [event["event"] for event in spoken([])] == ["hello"]


def spoken(lines: list[str]) -> list[dict[str, object]]:
    """What the program says to these lines and the end of its stdin; it has to exit with 0."""
    done = subprocess.run(
        [sys.executable, str(PYTHON_PROFILE / "device.py")],
        input="".join(line + "\n" for line in lines), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]
