"""Transcripts become recorded logs in which nothing is that they do not hold."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from harness.errors import LogError
from harness.events import CellLog
from harness.recorded import read_log, read_recorded

ROOT = Path(__file__).parent.parent
USER = "<hub>/d1/?api-version=2020-09-30&DeviceClientType=.NET%2F1.42.3%20%28X64%29"
LINK = {"name": "TelemetrySenderLink", "addr": "amqps://<hub>:5671/devices/d1/messages/events", "err": None}


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script that converts them."""
    spec = importlib.util.spec_from_file_location("convert", ROOT / "scripts" / "convert_transcripts.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def head(name: str = "mqtt-renewal", **changes: Any) -> dict[str, Any]:
    """The header of a transcript."""
    transport = next(one for one in ("mqtt-ws", "amqp-ws", "mqtt", "amqp") if name.startswith(one))
    return {
        "transcript": name, "sdk": "dotnet", "sdk_version": "1.42.3", "runtime": ".NET 10", "transport": transport,
        "settings": {"lifetime_s": 20}, "send_every_s": 1.0, "sends": 3, "received": 3, "exit": 0, "recorded": "2026-11-24",
        "hub_settings": "--grace 5", "hub_faults": {}, "sdk_built_from": "source", **changes,
    }  # fmt: skip


def hub(t: float, event: str, conn: int = 1, /, **fields: Any) -> dict[str, Any]:
    """A row of the hub."""
    amqp = event.islower() and event not in {
        "made",
        "server_drop",
        "server_close",
        "tcp_accept",
        "tcp_gone",
        "tls_done",
    }
    return {"t": t, "src": "hub", "event": event, "conn" if amqp else "c": conn, **fields}


def app(t: float, event: str, **fields: Any) -> dict[str, Any]:
    """A row of the application."""
    return {"t": t, "src": "app", "event": event, **fields}


def converted(script: ModuleType, header: dict[str, Any], *rows: dict[str, Any]) -> CellLog:
    """The log of these rows."""
    _, _, content = script.convert([json.dumps(one).encode() for one in (header, *rows)])
    return read_log(content, where="here")


def told(log: CellLog, *kinds: str) -> list[dict[str, object]]:
    """The fields of the events of these kinds, with their kinds."""
    return [{"kind": event.kind, **event.fields} for event in log.events if event.kind in kinds]


def connect(t: float, conn: int = 1, **changes: Any) -> dict[str, Any]:
    """A CONNECT."""
    fields = {"client": "d1", "user": USER, "clean": False, "keepalive": 300, "level": 4, "sas_left": 19.5, "why": ""}
    return hub(t, "CONNECT", conn, ok=True, **{**fields, **changes})


def cut(t: float, why: str = "token expired", how: str = "fin") -> list[dict[str, Any]]:
    """The rows of the hub's ending a connection."""
    return [
        hub(t, "server_drop", how=how), hub(t + 0.001, "server_close", how=how, why=why), hub(t + 0.002, "tcp_gone", exc=None),
    ]  # fmt: skip


def test_the_header_says_what_is_known_and_what_is_lacking(script: ModuleType) -> None:
    """Provenance, totals, and the kinds of evidence that a transcript has not."""
    header = converted(script, head(sends=60, received=59), app(1, "opened")).header
    assert (header.cell, header.device, header.totals) == (
        "dotnet-1.42.3-mqtt-renewal", "real", {"sent": 60, "received": 59},
    )  # fmt: skip
    assert header.lacks == ("commands", "hub-log", "sdk-log", "hello", "quiet-rows")
    assert (header.origin["built"], header.origin["source"]) == ("source", "transcript mqtt-renewal")
    assert header.claims == ()


def test_a_connect_over_mqtt(script: ModuleType) -> None:
    """Without digest or expiry of the token: they are not in the transcript."""
    log = converted(
        script, head(), hub(0.1, "tcp_accept"), hub(0.2, "tls_done"), connect(0.3), hub(0.4, "CONNACK", rc=0)
    )
    assert told(log, "accepted", "tls", "connect", "connack") == [
        {"kind": "accepted", "conn": 1, "transport": "mqtt"},
        {"kind": "tls", "conn": 1},
        {
            "kind": "connect", "conn": 1, "client_id": "d1", "username": USER, "keep_alive_s": 300, "clean_session": False,
            "sdk_version": ".NET/1.42.3 (X64)", "token": {"left_s": 19.5},
        },
        {"kind": "connack", "conn": 1, "code": 0, "reason": "accepted"},
    ]  # fmt: skip
    assert [event.t for event in log.events[:4]] == [100_000, 200_000, 300_000, 400_000]


@pytest.mark.parametrize(
    ("why", "rc", "reason"), [("bad signature", 5, "bad signature"), ("", 5, "fault"), ("", 0, "accepted")]
)
def test_why_a_connect_was_refused(script: ModuleType, why: str, rc: int, reason: str) -> None:
    """By what the hub said of the token; without a word, because it was told to."""
    log = converted(script, head(), connect(0.1, why=why), hub(0.2, "CONNACK", rc=rc))
    assert told(log, "connack")[0]["reason"] == reason


def test_messages_over_mqtt(script: ModuleType) -> None:
    """An acknowledgement names its message where that is in the transcript."""
    topic = "devices/d1/messages/events/%24.mid=7/"
    log = converted(
        script, head(), hub(1, "PUBLISH", qos=1, pid=4, dup=False, topic=topic, n=8, drop=False),
        hub(1, "PUBACK", pid=4), hub(2, "PUBACK", pid=9), hub(3, "SUBSCRIBE", pid=1, subs=[["x/#", 1]]),
    )  # fmt: skip
    assert told(log, "telemetry", "puback", "subscribe") == [
        {
            "kind": "telemetry", "conn": 1, "message_id": "7", "packet_id": 4, "qos": 1, "dup": False, "size": 8,
            "properties": {"$.mid": "7"},
        },
        {"kind": "puback", "conn": 1, "packet_id": 4, "message_id": "7"},
        {"kind": "puback", "conn": 1, "packet_id": 9},
        {"kind": "subscribe", "conn": 1, "packet_id": 1, "filters": [["x/#", 1]]},
    ]  # fmt: skip


def test_two_rows_of_one_cut_are_one(script: ModuleType) -> None:
    """And it was the hub that ended the connection."""
    assert told(converted(script, head(), *cut(25)), "cut", "closed") == [
        {"kind": "cut", "conn": 1, "cause": "token-expired", "close": "fin", "detail": "fin: token expired"},
        {"kind": "closed", "conn": 1, "first": "hub"},
    ]


def test_a_refusal_is_a_cut_of_its_own(script: ModuleType) -> None:
    """It has one row only."""
    log = converted(script, head(), hub(25, "server_close", how="fin", why="refused"))
    assert [one["cause"] for one in told(log, "cut")] == ["refused"]


def test_a_cut_that_the_hub_was_told_to_make_is_a_fault(script: ModuleType) -> None:
    """Whatever its row says."""
    log = converted(script, head("mqtt-cut-midlife", hub_settings="--grace 5 --drop-after 8"), *cut(8, how="rst"))
    (found,) = told(log, "cut")
    assert (found["cause"], found["close"]) == ("fault", "rst")
    assert log.header.scenario["faults"] == [{"action": "cut", "after_s": 8.0}]


@pytest.mark.parametrize(
    ("rows", "first"),
    [([hub(1, "DISCONNECT")], "device"), ([hub(1, "tcp_fin_received")], "device"), ([], None)],
)
def test_who_closed_first(script: ModuleType, rows: list[dict[str, Any]], first: str | None) -> None:
    """Absent where no row tells."""
    rows = [{**row, "c": 1} for row in rows]
    log = converted(script, head(), *rows, hub(2, "tcp_gone", exc="reset"))
    assert told(log, "closed") == [
        {"kind": "closed", "conn": 1, **({"first": first} if first else {}), "detail": "reset"}
    ]


def put(t: float, **changes: Any) -> dict[str, Any]:
    """A put-token."""
    return hub(t, "put-token", name="<hub>/devices/d1", **{"status": 200, "desc": "OK", "expires_in": 20.0, **changes})


def test_a_put_token_and_its_answer(script: ModuleType) -> None:
    """In one row, so that nobody knows when it was answered. Of a refused token nothing is known."""
    log = converted(script, head("amqp-renewal"), put(1), put(18, status=401, desc="no", expires_in=None))
    assert "answer-times" in log.header.lacks
    assert told(log, "put-token", "put-token-answered") == [
        {"kind": "put-token", "conn": 1, "name": "<hub>/devices/d1", "token": {"left_s": 20.0}, "device_id": "d1"},
        {"kind": "put-token-answered", "conn": 1, "status": 200, "description": "OK"},
        {"kind": "put-token", "conn": 1, "name": "<hub>/devices/d1", "device_id": "d1"},
        {"kind": "put-token-answered", "conn": 1, "status": 401, "description": "no"},
    ]


def test_a_put_token_that_was_never_answered(script: ModuleType) -> None:
    """Whatever status it would have had."""
    log = converted(script, head("amqp-renewal"), put(1, desc="OK (never answered)"))
    assert told(log, "put-token-answered") == []


def test_a_connection_over_amqp(script: ModuleType) -> None:
    """TLS where the row says so; no SASL; links by their addresses."""
    attach = {"name": "n", "role": "H->D", "snd": 1, "rcv": 0, "props": None}
    log = converted(
        script, head("amqp-renewal"), hub(1, "io-connected", kind="tls", cert=None), hub(2, "sasl-skipped"),
        hub(3, "open", hostname="<hub>", max_frame=65536, channel_max=8191, idle=60000, props="None"),
        hub(4, "attach", addr="$cbs", **attach), hub(5, "attach", addr="elsewhere", **attach), hub(6, "message", addr="a"),
    )  # fmt: skip
    assert [event.kind for event in log.events] == [
        "accepted", "tls", "sasl-skipped", "amqp-open", "attach", "attach", "telemetry", "cell-end",
    ]  # fmt: skip
    assert [(one["link_kind"], one["device_role"]) for one in told(log, "attach")] == [
        ("cbs", "receiver"),
        ("unknown", "receiver"),
    ]
    assert told(log, "amqp-open")[0]["idle_timeout_ms"] == 60000


def test_over_websocket_the_door_is_another(script: ModuleType) -> None:
    """Behind a bridge: TLS was not seen."""
    log = converted(script, head("amqp-ws-renewal"), hub(1, "io-connected", kind="tcp", cert=None))
    assert [(event.kind, event.fields.get("transport")) for event in log.events[:-1]] == [("accepted", "websocket")]


@pytest.mark.parametrize(
    ("mode", "close", "kinds"),
    [
        ("link", "detach", ["cut", "detach-answered", "disconnect"]),
        ("conn", "close", ["cut", "detach-answered", "close-answered"]),
    ],
)
def test_answers_to_the_hub_are_no_leaving(script: ModuleType, mode: str, close: str, kinds: list[str]) -> None:
    """A DETACH or CLOSE after the hub's own."""
    rows = [hub(25, "token-expired", mode=mode, links=3), hub(25.1, "detach", **LINK), hub(25.2, "close", err=None)]
    log = converted(script, head("amqp-renewal"), *rows)
    assert [event.kind for event in log.events[:-1]] == kinds
    assert told(log, "cut")[0]["close"] == close


def test_after_a_new_token_the_device_leaves_of_its_own_accord(script: ModuleType) -> None:
    """Its DETACH is no answer any more."""
    rows = [hub(25, "token-expired", mode="link", links=3), put(26), hub(27, "detach", **LINK)]
    assert told(converted(script, head("amqp-renewal"), *rows), "detach")[0]["by"] == "device"


def test_the_application_is_told_as_it_was(script: ModuleType) -> None:
    """Kind and fields."""
    error = [{"class": "E", "message": "m"}]
    log = converted(script, head(), app(1, "send_failed", id=1, error=error, transient=False))
    assert told(log, "send_failed") == [{"kind": "send_failed", "id": 1, "error": error, "transient": False}]


def test_the_closing_begins_with_its_first_sign(script: ModuleType) -> None:
    """Within the last second before the application was told that it is closed."""
    rows = [
        hub(9, "DISCONNECT") | {"c": 1}, app(60, "sent", id=1), app(60.038, "status", status="Disabled", reason="Client_Close"),
        hub(60.04, "DISCONNECT") | {"c": 1}, app(60.041, "closed"),
    ]  # fmt: skip
    log = converted(script, head(), *rows)
    assert [event.t for event in log.events if event.kind == "closing"] == [60_038_000]
    assert [event.t for event in log.events] == sorted(event.t for event in log.events)


def test_rows_left_out_at_the_end_are_told(script: ModuleType) -> None:
    """Nobody knows when it was closed."""
    log = converted(script, head(rows_left_out_at_the_end=12), app(1, "opened"))
    assert [event.kind for event in log.events] == ["opened", "note", "cell-end"]
    assert "last-rows" in log.header.lacks


def test_virtual_seconds_stay_what_they_are(script: ModuleType) -> None:
    """And the header says how fast they went."""
    log = converted(script, head("mqtt-defaults", settings={}, clock={"rate": 60, "by": "x"}), app(3600, "opened"))
    assert (log.events[0].t, log.header.origin["clock"]) == (3_600_000_000, {"rate": 60, "by": "x"})
    assert log.header.scenario["id"] == "renewal-at-defaults"


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        (
            {"hub_settings": "--grace 5 --refuse-next 2 --refuse-rc 3"},
            [{"at": "renewal", "action": "refuse", "times": 2, "code": 3}],
        ),
        ({"hub_settings": "--grace 5 --refuse-next 1"}, [{"at": "renewal", "action": "refuse", "times": 1, "code": 5}]),
        ({"hub_settings": "--grace 5 --puback-drop 2,3"}, [{"action": "withhold-puback", "publishes": [2, 3]}]),
        (
            {"hub_faults": {"REJECT_RENEW": "1", "REJECT_STATUS": "500"}},
            [{"at": "renewal", "action": "refuse", "times": 1, "code": 500}],
        ),
        ({"hub_faults": {"SILENT_RENEW": "1"}}, [{"at": "renewal", "action": "leave-unanswered", "times": 1}]),
    ],
)
def test_what_the_hub_did_wrong(script: ModuleType, changes: dict[str, Any], faults: list[dict[str, object]]) -> None:
    """As its settings say."""
    assert converted(script, head(**changes), app(1, "opened")).header.scenario["faults"] == faults


def test_an_applications_own_token(script: ModuleType) -> None:
    """The scenario is one of ours; nothing is sent where nothing was."""
    scenario = converted(
        script, head("mqtt-own-token-expired", settings={"token_s": 15}, sends=0), app(1, "opened")
    ).header.scenario
    assert (scenario["id"], scenario["credential"], scenario["token_lifetime_s"]) == ("expiry", "token", 15.0)
    assert (scenario["traffic"], scenario["intervals"]) == ([], {})


def test_a_folder_of_transcripts(script: ModuleType, tmp_path: Path) -> None:
    """Each becomes a file that can be read as evidence."""
    source = tmp_path / "mqtt-renewal.jsonl"
    source.write_text("\n".join(json.dumps(one) for one in (head(), app(1, "opened"))), encoding="utf-8")
    script.main(tmp_path, tmp_path / "out")
    file = tmp_path / "out" / "dotnet-1.42.3-2026-11-24" / "dotnet-1.42.3-mqtt-renewal.jsonl"
    assert read_recorded(file).header.device == "real"
    file.write_bytes(file.read_bytes() + b"\n")
    with pytest.raises(LogError):
        read_recorded(file)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "holds no transcript"),
        (b"\xff\n", "two.jsonl: is no transcript: DecodeError"),
        (b"", "two.jsonl: is no transcript: ValueError"),
        (b"{}", "two.jsonl: is no transcript: KeyError, 'recorded'"),
    ],
)
def test_a_folder_of_something_else_is_refused(
    script: ModuleType, tmp_path: Path, content: bytes | None, says: str
) -> None:
    """By name; nothing is written of it, nor of the transcripts beside."""
    if content is not None:
        (tmp_path / "one.jsonl").write_text("\n".join(json.dumps(one) for one in (head(), app(1, "opened"))))
        (tmp_path / "two.jsonl").write_bytes(content)
    with pytest.raises(LogError, match=says):
        script.main(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
