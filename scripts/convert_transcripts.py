"""Convert transcripts of the .NET SDK into recorded logs: `python scripts/convert_transcripts.py FOLDER [OUT]`.

FOLDER holds `*.jsonl` files, each with a header line and then one row per event (`src` is `hub` or `app`, `t` seconds since the open command,
virtual ones where the header has a `clock`). Each becomes a log under OUT (default: results/recorded), as docs/event-log.md has it.

Nothing is added that a transcript does not hold. Fields it lacks are absent, and the header's `lacks` says what kinds of evidence are. What is derived
from more than one row, or from the header's settings of the hub:

| of | is taken from |
|---|---|
| `cut` | the rows `server_drop` and `server_close` of one connection, which are one act; the cause from the latter, but for a hub that was told to cut then (`fault`) |
| `closed.first` | which came first on the connection: the hub's cut, or the device's leave or FIN |
| `put-token-answered` | the same row as `put-token`: when it was answered is not known |
| `puback.message_id` | the PUBLISH with this packet identifier, where it is there |
| `detach-answered`, `close-answered` | a DETACH or CLOSE of the device after the hub's own |
| `closing` | the first sign of it before the application is told `closed` |
"""

import argparse
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, unquote

import msgspec

from harness.errors import LogError
from harness.events import CELL_END, FORMAT, Event, Header, Source
from harness.recorded import Provenance, bundled_recordings, recording_name, seal

HUB: Final = "hub prototypes on the loopback interface, real TLS"
LACKS: Final = ("commands", "hub-log", "sdk-log", "hello", "quiet-rows")
RENAMED: Final = {
    "defaults": "renewal-at-defaults",
    "own-token-expired": "expiry",
    "connack5-once-sending": "renewal-refused",
    "connack5-once-idle": "renewal-refused-idle",
    "connack2-once": "renewal-connack2-once",
    "connack3-twice": "renewal-connack3-twice",
    "connack4-once-sending": "renewal-connack4-once",
    "cut-rst": "renewal-cut-rst",
    "cut-tcpfin": "renewal-cut-tcpfin",
    "renewal-refused-once": "renewal-refused",
    "renewal-refused-once-idle": "renewal-refused-idle",
    "expiry-close": "renewal-refused-then-close",
    "expiry-detach": "renewal-refused-then-detach",
    "expiry-detach-not-closed": "renewal-refused-then-detach-not-closed",
    "expiry-drop": "renewal-refused-then-drop",
}
"""Scenarios by the names of transcripts without their transports: those of ours where they do the same; none of ours where they do not."""
ABOUT_RENEWALS: Final = ("renewal", "renewal-idle", "renewal-at-defaults", "published-example")
SETTINGS_INDEX: Final = {"renewal-at-defaults": 1, "published-example": 2}
CAUSES: Final = {"token expired": "token-expired", "refused": "refused"}
MODES: Final = {"link": "detach", "link0": "detach-not-closed", "conn": "close", "drop": "fin"}
CLOSING_S: Final = 1.0

Row = Mapping[str, Any]
Told = tuple[Source, str, dict[str, object]]


def convert(lines: Sequence[bytes]) -> tuple[str, Provenance, bytes]:
    """One transcript: the log's name, its provenance and its bytes."""
    head, *rows = [msgspec.json.decode(line, type=dict[str, Any]) for line in lines if line.strip()]
    provenance = _provenance(head)
    header = _header(head, provenance)
    told = [*_told(head, rows), *_last(head, rows)]
    events = [Event(seq, round(t * 1e6), src, kind, fields) for seq, (t, (src, kind, fields)) in enumerate(told)]
    return header.cell, provenance, seal(header, provenance, events)


def _provenance(head: Row) -> Provenance:
    clock = {"clock": head["clock"]} if "clock" in head else {}
    return Provenance(
        date=head["recorded"],
        sdk=head["sdk"],
        version=head["sdk_version"],
        runtime=head["runtime"],
        built=head["sdk_built_from"],
        hub=HUB,
        source=f"transcript {head['transcript']}",
        **clock,
    )


def _header(head: Row, provenance: Provenance) -> Header:
    settings, scenario = head["settings"], _scenario(head)
    names = ("lifetime_s", "margin_s", "margin_percent")
    hub = scenario["hub"]
    assert isinstance(hub, dict)
    return Header(
        format=FORMAT,
        cell=f"{provenance.sdk}-{provenance.version}-{head['transcript']}",
        sdk=provenance.sdk,
        sdk_name="Azure IoT device SDK for .NET",
        version=provenance.version,
        transport=head["transport"],
        device="real",
        scenario=scenario,
        settings={
            **{name: settings.get(name) for name in names},
            "index": SETTINGS_INDEX.get(str(scenario["id"]), 0),
        },
        hub={**hub, "settings": head["hub_settings"], "faults": head["hub_faults"]},
        lacks=(*LACKS, *_further_lacks(head)),
        totals={"sent": head["sends"], "received": head["received"]},
    )


def _further_lacks(head: Row) -> Iterator[str]:
    if head["transport"].startswith("amqp"):
        yield "answer-times"
    if head.get("rows_left_out_at_the_end"):
        yield "last-rows"


def _scenario(head: Row) -> dict[str, object]:
    """The scenario as a document of ours would have it, as far as the transcript's header tells."""
    name = head["transcript"].removeprefix(f"{head['transport']}-")
    scenario, settings = RENAMED.get(name, name), head["settings"]
    options = _options(head)
    traffic = ["sending"] * bool(head["sends"]) + ["listening"] * bool(settings.get("c2d") or settings.get("methods"))
    close = {"rst": "rst", "tcpfin": "fin"}.get(options.get("close", ""), MODES.get(options.get("expire", "")))
    faults = list(_faults(head, options))
    return {
        "schema": 1,
        "id": scenario,
        "title": f"As in the transcript {head['transcript']}",
        "credential": "token" if "token_s" in settings else "key",
        "traffic": traffic,
        "settings": "profile" if scenario in ABOUT_RENEWALS else "main",
        "hub": {"grace_s": float(options["grace"]), "close": close},
        "intervals": {"send_s": head["send_every_s"]} if head["sends"] else {},
        **({"token_lifetime_s": float(settings["token_s"])} if "token_s" in settings else {}),
        **({"faults": faults} if faults else {}),
    }


def _options(head: Row) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+) (\S+)", head["hub_settings"]))


def _faults(head: Row, options: Mapping[str, str]) -> Iterator[dict[str, object]]:
    told: Mapping[str, str] = head["hub_faults"]
    if "drop-after" in options:
        yield {"action": "cut", "after_s": float(options["drop-after"])}
    if "refuse-next" in options:
        code = int(options.get("refuse-rc", 5))
        yield {"at": "renewal", "action": "refuse", "times": int(options["refuse-next"]), "code": code}
    if "puback-drop" in options:
        yield {"action": "withhold-puback", "publishes": [int(one) for one in options["puback-drop"].split(",")]}
    if "REJECT_RENEW" in told:
        code = int(told.get("REJECT_STATUS", 401))
        yield {"at": "renewal", "action": "refuse", "times": int(told["REJECT_RENEW"]), "code": code}
    if "SILENT_RENEW" in told:
        yield {"at": "renewal", "action": "leave-unanswered", "times": int(told["SILENT_RENEW"])}


def _told(head: Row, rows: Sequence[Row]) -> Iterator[tuple[float, Told]]:
    """The rows as events of ours, with the sign that the application began to close."""
    hub = _Hub(head, rows)
    closing_s = _closing_s(rows, hub.rate)
    for row in rows:
        if closing_s is not None and row["t"] >= closing_s:
            yield (
                closing_s,
                ("harness", "closing", {"text": "the first sign of it: when it was asked for is not recorded"}),
            )
            closing_s = None
        fields = {name: value for name, value in row.items() if name not in {"t", "src", "event"}}
        seen_by_app: list[Told] = [("app", row["event"], fields)]
        told = seen_by_app if row["src"] == "app" else hub.told(row)
        for one in told:
            yield row["t"], one


def _closing_s(rows: Sequence[Row], rate: float) -> float | None:
    """When the closing of the client first showed; None where the rows of it are left out."""
    closed_s: float | None = next((row["t"] for row in rows if row["event"] == "closed"), None)
    if closed_s is None:
        return None
    signs = (row["t"] for row in rows if row["event"] in {"DISCONNECT", "detach", "close"} or _is_told_of_closing(row))
    first_s: float = min([closed_s, *(at for at in signs if closed_s - CLOSING_S * rate <= at)])
    return first_s


def _is_told_of_closing(row: Row) -> bool:
    return row["event"] == "closed" or row.get("reason") == "Client_Close"


def _last(head: Row, rows: Sequence[Row]) -> Iterator[tuple[float, Told]]:
    end_s = max(row["t"] for row in rows)
    if left_out := head.get("rows_left_out_at_the_end"):
        yield end_s, ("harness", "note", {"text": f"{left_out} rows after this one are left out of the transcript"})
    yield end_s, ("harness", CELL_END, {"status": "finished", "reason": "", "awaited": True, "exit": head["exit"]})


class _Hub:
    """Turns rows of the hub into events, and keeps what one row says about another."""

    def __init__(self, head: Row, rows: Sequence[Row]) -> None:
        self.rate: float = head.get("clock", {}).get("rate", 1)
        self._websocket = head["transport"].endswith("-ws")
        self._door = "websocket" if self._websocket else head["transport"]
        self._drops_first = "drop-after" in _options(head)
        self._why = {row["c"]: row["why"] for row in rows if row["event"] == "server_close"}
        self._reasons: dict[int, str] = {}
        self._messages: dict[tuple[int, int], str] = {}
        self._cut: dict[int, str] = {}
        self._leavers: set[int] = set()

    def told(self, row: Row) -> Iterator[Told]:
        """The events of a row, in order."""
        conn = row.get("c", row.get("conn"))
        assert isinstance(conn, int)
        for kind, fields in getattr(self, "_" + row["event"].lower().replace("-", "_"))(conn, row):
            yield "hub", kind, {"conn": conn, **fields}

    # MQTT

    def _tcp_accept(self, _conn: int, _row: Row) -> Iterator[tuple[str, dict[str, object]]]:
        yield "accepted", {"transport": self._door}

    _made = _tcp_accept

    def _tls_done(self, _conn: int, _row: Row) -> Iterator[tuple[str, dict[str, object]]]:
        yield "tls", {}

    def _connect(self, conn: int, row: Row) -> Iterator[tuple[str, dict[str, object]]]:
        self._reasons[conn] = row["why"] or "accepted"
        agent = parse_qs(row["user"].partition("?")[2]).get("DeviceClientType", [""])[0]
        yield (
            "connect",
            {
                "client_id": row["client"],
                "username": row["user"],
                "keep_alive_s": row["keepalive"],
                "clean_session": row["clean"],
                "sdk_version": agent,
                "token": {"left_s": row["sas_left"]},
            },
        )

    def _connack(self, conn: int, row: Row) -> Iterator[tuple[str, dict[str, object]]]:
        reason = self._reasons[conn] if row["rc"] == 0 or self._reasons[conn] != "accepted" else "fault"
        yield "connack", {"code": row["rc"], "reason": reason}

    def _subscribe(self, _conn: int, row: Row) -> Iterator[tuple[str, dict[str, object]]]:
        yield "subscribe", {"packet_id": row["pid"], "filters": row["subs"]}

    def _publish(self, conn: int, row: Row) -> Iterator[tuple[str, dict[str, object]]]:
        properties = {
            key: value for key, (value, *_) in parse_qs(row["topic"].rpartition("events/")[2].strip("/")).items()
        }
        self._messages[conn, row["pid"]] = message_id = properties.get("$.mid", "")
        told = {
            name: row[field] for name, field in (("packet_id", "pid"), ("qos", "qos"), ("dup", "dup"), ("size", "n"))
        }
        yield "telemetry", {"message_id": message_id, **told, "properties": properties}

    def _puback(self, conn: int, row: Row) -> Iterator[tuple[str, dict[str, object]]]:
        known = self._messages.get((conn, row["pid"]))
        yield "puback", {"packet_id": row["pid"], **({"message_id": known} if known else {})}

    def _disconnect(self, conn: int, _row: Row) -> Iterator[tuple[str, dict[str, object]]]:
        self._leavers.add(conn)
        yield "disconnect", {}

    def _server_drop(self, conn: int, row: Row) -> Iterator[tuple[str, dict[str, object]]]:
        why = self._why.get(conn, "")
        self._cut[conn] = "connection"
        cause = "fault" if self._drops_first and conn == 1 else CAUSES.get(why, why)
        yield (
            "cut",
            {"cause": cause, "close": "rst" if row["how"] == "rst" else "fin", "detail": f"{row['how']}: {why}"},
        )

    def _server_close(self, conn: int, row: Row) -> Iterator[tuple[str, dict[str, object]]]:
        if conn not in self._cut:
            yield from self._server_drop(conn, row)

    def _tcp_fin_received(self, conn: int, _row: Row) -> Iterator[tuple[str, dict[str, object]]]:
        self._leavers.add(conn)
        yield "fin-received", {}

    _eof_received = _tcp_fin_received

    def _tcp_gone(self, conn: int, row: Row) -> Iterator[tuple[str, dict[str, object]]]:
        first = "hub" if self._cut.get(conn) == "connection" else "device" if conn in self._leavers else ""
        why = row.get("exc") or row.get("why")
        yield "closed", {**({"first": first} if first else {}), **({"detail": why} if why else {})}

    # AMQP

    def _io_connected(self, _conn: int, row: Row) -> Iterator[tuple[str, dict[str, object]]]:
        yield "accepted", {"transport": self._door}
        if row["kind"] == "tls":
            yield "tls", {}

    def _sasl_skipped(self, _conn: int, _row: Row) -> Iterator[tuple[str, dict[str, object]]]:
        yield "sasl-skipped", {}

    def _open(self, _conn: int, row: Row) -> Iterator[tuple[str, dict[str, object]]]:
        names = (("max_frame_size", "max_frame"), ("channel_max", "channel_max"), ("idle_timeout_ms", "idle"))
        yield "amqp-open", {"hostname": row["hostname"], **{ours: row[theirs] for ours, theirs in names}, "sasl": None}

    def _attach(self, _conn: int, row: Row) -> Iterator[tuple[str, dict[str, object]]]:
        role = "sender" if row["role"] == "D->H" else "receiver"
        agent = (row["props"] or {}).get("com.microsoft:client-version")
        yield "attach", {**_link(row), "device_role": role, "address": row["addr"], "sdk_version": agent}

    def _put_token(self, conn: int, row: Row) -> Iterator[tuple[str, dict[str, object]]]:
        self._cut.pop(conn, None)
        left = row["expires_in"]
        token = {} if left is None else {"token": {"left_s": left}}
        yield "put-token", {"name": row["name"], **token, "device_id": unquote(row["name"].rpartition("/")[2])}
        if "never answered" not in row["desc"]:
            yield "put-token-answered", {"status": row["status"], "description": row["desc"]}

    def _message(self, _conn: int, row: Row) -> Iterator[tuple[str, dict[str, object]]]:
        yield "telemetry", {"address": row["addr"]}

    def _token_expired(self, conn: int, row: Row) -> Iterator[tuple[str, dict[str, object]]]:
        self._cut[conn] = "connection" if row["mode"] in {"conn", "drop"} else "links"
        yield "cut", {"cause": "token-expired", "close": MODES[row["mode"]], "detail": f"{row['links']} links"}

    def _detach(self, conn: int, row: Row) -> Iterator[tuple[str, dict[str, object]]]:
        answers = conn in self._cut
        by = {} if answers else {"by": "device", "condition": row["err"]}
        yield "detach-answered" if answers else "detach", {**_link(row), **by}

    def _close(self, conn: int, row: Row) -> Iterator[tuple[str, dict[str, object]]]:
        if self._cut.get(conn) == "connection":
            yield "close-answered", {"detail": row["err"]}
            return
        self._leavers.add(conn)
        yield "disconnect", {"condition": row["err"]}

    _io_lost = _tcp_gone


def _link(row: Row) -> dict[str, object]:
    address = row["addr"]
    kinds = (
        ("$cbs", "cbs"),
        ("/messages/events", "telemetry"),
        ("/messages/deviceBound", "c2d"),
        ("/methods/", "methods"),
    )
    kind = next((kind for part, kind in kinds if part in address), "unknown")
    return {"link": row["name"], "link_kind": kind}


def main(folder: Path, out: Path) -> None:
    """Convert every transcript in `folder`, or none of them.

    Raises:
        LogError: there is none, or one cannot be read.
    """
    ready = [_converted(path) for path in sorted(folder.glob("*.jsonl"))]
    if not ready:
        raise LogError("holds no transcript", where=str(folder), remedy="Name the folder with the *.jsonl files")
    for name, provenance, content in ready:
        target = out / recording_name(provenance) / f"{name}.jsonl"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _converted(path: Path) -> tuple[str, Provenance, bytes]:
    try:
        return convert(path.read_bytes().splitlines())
    except (OSError, ValueError, LookupError, AttributeError, TypeError) as problem:
        why = f"is no transcript: {type(problem).__name__}, {problem}"
        raise LogError(why, where=str(path), remedy="Name a folder that holds transcripts alone") from problem


def _asked() -> int:
    """Do what the command line says; the exit code."""
    asked = argparse.ArgumentParser(description="Convert transcripts of the .NET SDK into recorded logs.")
    asked.add_argument("folder", type=Path, help="where the transcripts are")
    asked.add_argument("out", type=Path, nargs="?", default=bundled_recordings(), help="where the logs go")
    said = asked.parse_args()
    try:
        main(said.folder, said.out)
    except LogError as problem:
        sys.stderr.write(f"{problem}\n")
        return problem.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(_asked())
