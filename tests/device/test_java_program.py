"""sdk_profiles/java/Device.java with the real SDK, without a hub: nothing is contacted but closed ports of loopback."""

import asyncio
import json
import os
import re
import shutil
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
from harness.profile import LoadedProfile, bundled_folder, load_profile

pytestmark = [pytest.mark.real_sdk(runtime="java"), pytest.mark.slow]

HOST = "hub.azure-devices.net"
KEY = "SharedAccessKey=c2VjcmV0IG9mIG5vYm9keQ=="
PREFIX = "com.microsoft.azure.sdk.iot.device"
CLIENT_EXCEPTION = f"{PREFIX}.exceptions.IotHubClientException"
MQTT_REFUSED = [
    CLIENT_EXCEPTION,
    f"{PREFIX}.transport.ProtocolException",
    "org.eclipse.paho.client.mqttv3.MqttException",
    "java.net.ConnectException",
]
AMQP_REFUSED = [CLIENT_EXCEPTION, f"{PREFIX}.transport.amqps.exceptions.ProtonIOException"]
CLOSED = "Cannot send event from a client that is closed."


@pytest.fixture(scope="module")
def loaded() -> LoadedProfile:
    """The profile, with its SDK installed."""
    return asyncio.run(Environments(cache_folder(os.environ), print).prepare(load_profile(bundled_folder() / "java")))


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Path]:
    """A hosts file that leads the hub's name to an address of loopback where nobody can listen on the ports of MQTT and AMQP."""
    with socket.socket() as mqtt, socket.socket() as amqp:
        for last in range(1, 255):
            try:
                mqtt.bind((f"127.32.9.{last}", 8883))
                amqp.bind((f"127.32.9.{last}", 5671))
            except OSError:
                continue
            path = tmp_path / "hosts"
            path.write_text(f"127.32.9.{last} {HOST}\n")
            yield path
            return
    pytest.fail("no free address on loopback")


@pytest.fixture
def rig(loaded: LoadedProfile, hosts: Path) -> Rig:
    """The profile's program."""
    return rig_of(loaded, hosts)


def command(loaded: LoadedProfile) -> tuple[str, ...]:
    """What starts it."""
    assert loaded.profile.adapter is not None
    return loaded.profile.adapter.command


def rig_of(loaded: LoadedProfile, hosts: Path, *options: str) -> Rig:
    """The profile's program, with more options for Java."""
    java, *rest = command(loaded)
    return Rig(folder=loaded.folder, command=(java, *options, *rest), hosts_file=hosts)


def connection_string(credential: str = KEY) -> str:
    """A connection string that leads where the hosts file says."""
    return f"HostName={HOST};DeviceId=d1;{credential}"


def token() -> str:
    """A fixed token of nobody, as part of a connection string."""
    resource = quote(f"{HOST}/devices/d1", safe="")
    return f"SharedAccessSignature=SharedAccessSignature sr={resource}&sig=bm8%3D&se={int(time.time() + 600)}"


def classes(event: dict[str, object]) -> list[str]:
    """The native classes of an event's error, outermost first."""
    error = event["error"]
    assert isinstance(error, list)
    return [link["class"] for link in error]


def messages(event: dict[str, object]) -> list[str]:
    """The messages of an event's error."""
    error = event["error"]
    assert isinstance(error, list)
    return [link["message"] for link in error]


def opened_with(rig: Rig, credential: str = KEY, **fields: object) -> dict[str, object]:
    """The answer to an `open` that cannot succeed."""
    wanted = {"transport": "mqtt", "connection_string": connection_string(credential), **fields}

    async def script(adapter: AdapterProcess) -> None:
        adapter.send({"cmd": "open", **wanted})
        await rig.event("open_failed")

    rig.run(script)
    assert (rig.failures, rig.exits) == ([], [0])
    return rig.named("open_failed")[0]


def test_hello_tells_the_installed_version(rig: Rig, loaded: LoadedProfile) -> None:
    """The version is the SDK's own word; all it offers is named."""
    rig.run(nothing)
    (hello,) = rig.events
    assert (loaded.folder / "target" / "lib" / f"iot-device-client-{hello['sdk_version']}.jar").is_file()
    assert hello["sdk_version"] == loaded.profile.version
    assert hello["transports"] == ["mqtt", "mqtt-ws", "amqp", "amqp-ws", "https"]
    assert hello["capabilities"] == ["lifetime", "own-token", "token-update", "x509", "proxy", "twin"]
    assert (rig.noise, rig.exits, rig.failures) == ([], [0], [])


@pytest.mark.parametrize(("transport", "expected"), [("mqtt", MQTT_REFUSED), ("amqp", AMQP_REFUSED)])
def test_a_refused_connection_is_open_failed_with_its_causes(rig: Rig, transport: str, expected: list[str]) -> None:
    """The name is looked up in the hosts file, each transport dials its own port, and the client can still be closed."""
    failed = opened_with(rig, transport=transport, lifetime_s=10)
    assert classes(failed) == expected
    assert messages(failed)[-1] == "Connection refused"
    assert [event["event"] for event in rig.events][-1] == "closed"


def test_names_that_are_not_in_the_hosts_file_are_not_found(rig: Rig) -> None:
    """Nothing is asked of the system, so that nothing can leave the machine."""
    failed = opened_with(rig, connection_string=f"HostName=other.azure-devices.net;DeviceId=d1;{KEY}")
    assert classes(failed)[-1] == "java.net.UnknownHostException"


def test_a_send_without_connection_is_one_failed_call(rig: Rig) -> None:
    """Each send is one call of the SDK, in order after the open, and its result is reported with its number."""

    async def script(adapter: AdapterProcess) -> None:
        adapter.send({"cmd": "open", "transport": "mqtt", "connection_string": connection_string()})
        adapter.send({"cmd": "send", "id": 1})
        adapter.send({"cmd": "send", "id": 2})
        await rig.event("send_failed", 2)

    rig.run(script)
    assert [event["event"] for event in rig.events] == ["hello", "open_failed", "send_failed", "send_failed", "closed"]
    assert [event["id"] for event in rig.named("send_failed")] == [1, 2]
    assert rig.named("send_failed")[0]["error"] == [{"class": "java.lang.IllegalStateException", "message": CLOSED}]


def test_commands_are_read_while_the_sdk_connects(rig: Rig) -> None:
    """A proxy that takes the connection and says nothing does not hold the command loop up, nor the end."""
    with socket.create_server(("127.0.0.1", 0)) as silent:

        async def script(adapter: AdapterProcess) -> None:
            proxy = {"host": "127.0.0.1", "port": silent.getsockname()[1]}
            fields = {"connection_string": connection_string(), "transport": "mqtt-ws", "proxy": proxy}
            adapter.send({"cmd": "open", **fields})
            connection, _ = await asyncio.to_thread(silent.accept)
            with connection:
                adapter.send({"cmd": "token", "sas": "x"})
                await rig.event("token_failed")

        silent.settimeout(20)
        rig.run(script)
    assert classes(rig.named("token_failed")[0]) == ["java.lang.UnsupportedOperationException"]
    assert (rig.failures, rig.exits) == ([], [0])


@pytest.mark.parametrize("transport", ["mqtt-ws", "amqp-ws"])
def test_a_proxy_is_asked_for_the_hub_by_its_name(rig: Rig, transport: str) -> None:
    """At the standard port; what it answers is the connection's end."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        heard: list[bytes] = []

        async def script(adapter: AdapterProcess) -> None:
            proxy = {"host": "127.0.0.1", "port": server.getsockname()[1]}
            fields = {"connection_string": connection_string(), "transport": transport, "proxy": proxy}
            adapter.send({"cmd": "open", **fields})
            await asyncio.to_thread(forbid, server, heard)
            await rig.event("open_failed")

        rig.run(script)
    assert heard[0].startswith(f"CONNECT {HOST}:443 HTTP/1.1\r\n".encode())
    assert classes(rig.named("open_failed")[0])[0] == CLIENT_EXCEPTION


def forbid(server: socket.socket, heard: list[bytes]) -> None:
    """Answer one request with 403."""
    server.settimeout(20)
    connection, _ = server.accept()
    with connection:
        heard.append(connection.recv(4096))
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")


def test_a_proxy_is_no_setting_of_the_other_transports(rig: Rig) -> None:
    """The SDK refuses one there, so it is not used."""
    assert classes(opened_with(rig, proxy={"host": "127.0.0.1", "port": 9})) == MQTT_REFUSED


@pytest.mark.parametrize("credential", [KEY, token(), "x509=true"], ids=["key", "token", "certificate"])
def test_each_credential_makes_a_client(rig: Rig, credential: str) -> None:
    """It comes as far as the closed port."""
    certificate = client_certificate()
    pem = certificate if credential == "x509=true" else {}
    assert classes(opened_with(rig, credential, ca_pem=certificate["cert_pem"], **pem)) == MQTT_REFUSED


def test_a_bad_client_certificate_cannot_make_a_client(rig: Rig) -> None:
    """The exception is of Java's own, and there is nothing to close."""
    pem = {**client_certificate(), "key_pem": "-----BEGIN PRIVATE KEY-----\nbm8=\n-----END PRIVATE KEY-----"}
    failed = opened_with(rig, "x509=true", **pem)
    assert classes(failed)[0] == "java.security.spec.InvalidKeySpecException"
    assert rig.named("closed") == []


def test_a_lifetime_of_nothing_is_the_sdks_to_refuse(rig: Rig) -> None:
    """By its own error."""
    failed = opened_with(rig, lifetime_s=0)
    assert failed["error"] == [
        {
            "class": "java.lang.IllegalArgumentException",
            "message": "ClientOption sasTokenExpiryTime must be greater than 0",
        }
    ]


def test_an_unknown_transport_cannot_make_a_client(rig: Rig) -> None:
    """Those of `hello` are all there are."""
    failed = opened_with(rig, transport="carrier-pigeon")
    assert failed["error"] == [
        {"class": "java.lang.IllegalArgumentException", "message": "unknown transport carrier-pigeon"}
    ]


def test_the_sdks_log_goes_to_stderr_with_level_and_class(rig: Rig) -> None:
    """Without the key."""
    opened_with(rig)
    assert f"INFO {PREFIX}.DeviceClient - Closing device client..." in rig.log
    assert not [text for text in rig.log if re.search("c2VjcmV0|SharedAccess|sig=", text)]


AGENT = """
final class Stray {
    public static void premain(String how) {
        new Thread(() -> {
            try {
                Thread.sleep(500);
            } catch (InterruptedException impossible) {
                return;
            }
            if (how.equals("loud")) System.out.println("loud");
            else throw new IllegalStateException("stray");
        }).start();
    }
}
"""


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Code that runs in the program's process beside it."""
    folder = tmp_path_factory.mktemp("agent")
    (folder / "Stray.java").write_text(AGENT)
    (folder / "manifest").write_text("Premain-Class: Stray\n")
    javac, jar = (shutil.which(name) or name for name in ("javac", "jar"))
    subprocess.run([javac, "Stray.java"], cwd=folder, check=True)
    files = [path.name for path in folder.glob("*.class")]
    subprocess.run([jar, "cfm", "stray.jar", "manifest", *files], cwd=folder, check=True)
    return folder / "stray.jar"


def test_whatever_is_printed_does_not_reach_the_protocol(loaded: LoadedProfile, hosts: Path, agent: Path) -> None:
    """It ends on stderr."""
    rig = rig_of(loaded, hosts, f"-javaagent:{agent}=loud")

    async def script(_: AdapterProcess) -> None:
        await rig.until(lambda: "loud" in rig.log)

    rig.run(script)
    assert rig.noise == []


def test_what_nobody_catches_is_reported_and_seen(loaded: LoadedProfile, hosts: Path, agent: Path) -> None:
    """As a background exception; its stack is in the log, and the next command works."""
    rig = rig_of(loaded, hosts, f"-javaagent:{agent}=stray")

    async def script(adapter: AdapterProcess) -> None:
        await rig.event("background_exception")
        adapter.send({"cmd": "send", "id": 1})
        await rig.event("bad_command")

    rig.run(script)
    (event,) = rig.named("background_exception")
    assert event["callback"] == "uncaughtException"
    assert event["error"] == [{"class": "java.lang.IllegalStateException", "message": "stray"}]
    assert "java.lang.IllegalStateException: stray" in rig.log
    assert (rig.exits, rig.failures) == ([0], [])


def test_what_is_no_command_is_answered_and_the_next_one_works(loaded: LoadedProfile, hosts: Path) -> None:
    """Garbage, unknown names, missing fields, commands out of turn: `bad_command`, each once."""
    lines = [
        "garbage",
        "[1]",
        '{"cmd":"hum"}',
        '{"cmd":"send","id":1}',
        '{"cmd":"token","sas":"x"}',
        "null",
        "{}",
        "",
        '{"cmd":"open"}',
        json.dumps({"cmd": "open", "transport": "mqtt", "connection_string": connection_string()}),
        '{"cmd":"open"}',
        '{"cmd":"send"}',
        '{"cmd":"send","id":"1"}',
    ]
    events = spoken(loaded, hosts, lines)
    bad = [event for event in events if event["event"] == "bad_command"]
    named = [None, None, "hum", "send", "token", None, None, None, "open", "open", "send", "send"]
    assert [event["cmd"] for event in bad] == named
    assert ["error" in event for event in bad] == [
        name is None or index in {8, 10, 11} for index, name in enumerate(named)
    ]
    assert [event["event"] for event in events if event["event"] == "open_failed"] == ["open_failed"]


@pytest.mark.parametrize("further", ["unasked", "asked"])
def test_a_client_can_be_made_for_further_tokens(rig: Rig, further: str) -> None:
    """It has the first from the connection string, and takes another without a word."""
    fields = {"transport": "mqtt", "connection_string": connection_string(token()), "further_tokens": further}

    async def script(adapter: AdapterProcess) -> None:
        adapter.send({"cmd": "open", **fields})
        await rig.event("open_failed")
        adapter.send({"cmd": "token", "sas": token().partition("=")[2]})
        await rig.event("token_updated")

    rig.run(script)
    assert classes(rig.named("open_failed")[0]) == MQTT_REFUSED
    assert rig.named("token_required") == []
    assert (rig.failures, rig.exits) == ([], [0])


def test_the_end_of_stdin_closes(loaded: LoadedProfile, hosts: Path) -> None:
    """A program whose harness is gone does not stay."""
    assert [event["event"] for event in spoken(loaded, hosts, [])] == ["hello"]


def spoken(loaded: LoadedProfile, hosts: Path, lines: list[str]) -> list[dict[str, object]]:
    """What the program says to these lines and the end of its stdin; it has to exit with 0."""
    done = subprocess.run(
        [part.format(hosts_file=hosts) for part in command(loaded)], cwd=loaded.folder,
        input="".join(line + "\n" for line in lines), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]
