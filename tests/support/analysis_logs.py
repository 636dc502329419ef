"""Builds event logs of a cell by hand, and the golden logs of what SDKs were measured to do.

A `LogBuilder` keeps a current time (`at`, `after`) and a current connection; its methods write what the hub, the device and the harness
would. `log()` sends all of it through the codec of the event log, so that a test reads what a file would hold.
"""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from support.scenarios import bundled_scenarios

from harness.events import FORMAT, CellLog, Header, Recorder, Source, read_cell_log

BASE = 1_800_000_000.25
"""When every cell of these logs began, seconds since the Unix epoch."""

Fields = dict[str, object]


def claim(kind: str, value: object, *, name: str = "", **fields: Any) -> Fields:
    """A claim as it stands in a header."""
    source = {"document": "IoT Hub documentation", "section": "SDKs", "date": "2026-01-01"}
    return {"id": name or kind, "kind": kind, "value": value, "source": source, **fields}


def header(
    scenario: str = "renewal",
    settings: Mapping[str, object] | None = None,
    scenario_document: Mapping[str, object] | None = None,
    **changes: Any,
) -> Header:
    """The header of a cell of an SDK called `sdk`, with the bundled scenario of that name, or another document."""
    document = scenario_document or msgspec.to_builtins(bundled_scenarios()[scenario])
    fields: Fields = {
        "format": FORMAT,
        "cell": f"sdk-mqtt-{scenario}",
        "sdk": "sdk",
        "sdk_name": "An SDK",
        "version": "1.0",
        "transport": "mqtt",
        "device": "real",
        "scenario": document,
        "hub": {},
        "settings": {"lifetime_s": None, "margin_s": None, "margin_percent": None, "index": 0, **(settings or {})},
        **changes,
    }
    return msgspec.convert(fields, Header)


class LogBuilder:
    """Writes a cell's events in order; every method returns the builder."""

    def __init__(self, head: Header | None = None) -> None:
        self._file = io.BytesIO()
        self._recorder = Recorder(self._file.write, started=BASE)
        self._recorder.header(head or header())
        self.now, self.conn = 0.0, 0
        self._tokens: dict[int, float] = {}

    def at(self, seconds: float) -> "LogBuilder":
        """Set the time, in seconds since the cell began."""
        self.now = seconds
        return self

    def after(self, seconds: float) -> "LogBuilder":
        """Let time pass."""
        return self.at(self.now + seconds)

    def emit(self, src: Source, kind: str, **fields: object) -> "LogBuilder":
        """Any event, now."""
        self._recorder.record(src, kind, BASE + self.now, fields)
        return self

    def hub(self, kind: str, **fields: object) -> "LogBuilder":
        """An event of the hub about the current connection."""
        return self.emit("hub", kind, **{"conn": self.conn, **fields})

    def app(self, kind: str, **fields: object) -> "LogBuilder":
        """An event of the device program."""
        return self.emit("app", kind, **fields, device_t=BASE + self.now)

    def harness(self, kind: str, **fields: object) -> "LogBuilder":
        """An event of the harness."""
        return self.emit("harness", kind, **fields)

    def record(self, operation: str, code: str = "") -> "LogBuilder":
        """A record of the hub's diagnostics; with a code it is an error."""
        level = {"level": "Error", "resultType": code} if code else {"level": "Information"}
        record = {"operationName": operation, "category": "Connections", **level}
        return self.emit("hub", "record", record=record, row={"OperationName": operation})

    def accept(self) -> "LogBuilder":
        """A new connection, up to TLS."""
        self.conn += 1
        return self.hub("accepted", transport="mqtt", peer="127.0.0.1:40000").hub("tls", version="TLSv1.2", sni=None)

    def _token(self, lifetime_s: float | None, made_at: float | None) -> Fields | None:
        if lifetime_s is None:
            return None
        se = int(BASE + (self.now if made_at is None else made_at) + lifetime_s)
        left = se - (BASE + self.now)
        return {"sr": "hub/devices/d", "se": se, "skn": None, "digest": f"{se:016x}", "left_s": left}

    def present(self, lifetime_s: float | None = None, *, made_at: float | None = None) -> "LogBuilder":
        """A CONNECT with a token made for `lifetime_s` now (or at `made_at`), or without one; expiry in whole seconds."""
        token = self._token(lifetime_s, made_at)
        return self.hub("connect", client_id="d", clean_session=False, keep_alive_s=60, token=token)

    def put_token(self, lifetime_s: float | None, *, made_at: float | None = None) -> "LogBuilder":
        """A put-token with such a token, on the current connection."""
        token = self._token(lifetime_s, made_at)
        return self.hub("put-token", name="hub/devices/d", token=token, device_id="d", sdk_version=None)

    def answer(self, status: int = 200, *, admitted: bool = False) -> "LogBuilder":
        """The answer to a put-token, with the record of it where it lets the device in or refuses it."""
        self.hub("put-token-answered", status=status, description="", admitted=admitted)
        if admitted or status != 200:
            self.record("deviceConnect", "" if admitted else "401003")
        return self

    def enter(self, lifetime_s: float | None, *, made_at: float | None = None) -> "LogBuilder":
        """A new AMQP connection whose first put-token lets the device in, all in this moment."""
        self.conn += 1
        self.hub("accepted", transport="amqp", peer="127.0.0.1:40000")
        self.hub("amqp-open", container_id="c", hostname="hub", sasl=None)
        return self.put_token(lifetime_s, made_at=made_at).answer(admitted=True)

    def renew(self, lifetime_s: float, status: int = 200) -> "LogBuilder":
        """A put-token with a new token on the standing connection, answered 2 ms later."""
        return self.put_token(lifetime_s).after(0.002).answer(status)

    def strike(self, how: str, seconds: float = 60.0) -> "LogBuilder":
        """An outage begins, and the current connection is struck."""
        self.emit("hub", "outage-began", how=how, seconds=seconds)
        return self.hub("struck", how=how)

    def detach(self, cause: str = "token-expired", codes: Sequence[str] = ("401003", "404104")) -> "LogBuilder":
        """The hub detaches the device's links and leaves the connection standing."""
        self.hub("cut", cause=cause, close="detach", detail="")
        for code in codes:
            self.record("deviceDisconnect", code)
        return self

    def admit(self) -> "LogBuilder":
        """CONNACK 0 and the record of it."""
        return self.hub("connack", code=0, session_present=True, reason="accepted").record("deviceConnect")

    def connect(self, lifetime_s: float | None = None, *, made_at: float | None = None) -> "LogBuilder":
        """A new connection that is let in, all in this moment."""
        return self.accept().present(lifetime_s, made_at=made_at).admit()

    def refused(self, lifetime_s: float | None, *, made_at: float | None = None, code: int = 5) -> "LogBuilder":
        """A new connection that is refused and closed by the hub."""
        self.accept().present(lifetime_s, made_at=made_at).hub("connack", code=code, session_present=False, reason="no")
        self.record("deviceConnect", "401003").hub("cut", cause="refused", close="fin", detail="")
        return self.closed("hub")

    def disconnect(self) -> "LogBuilder":
        """MQTT DISCONNECT, and the device closes."""
        return self.hub("disconnect").record("deviceDisconnect").closed("device")

    def cut(self, cause: str = "token-expired", codes: Sequence[str] = ("401003", "404104")) -> "LogBuilder":
        """The hub ends the connection."""
        self.hub("cut", cause=cause, close="fin", detail="")
        for code in codes:
            self.record("deviceDisconnect", code)
        return self.closed("hub")

    def closed(self, first: str, how: str = "fin") -> "LogBuilder":
        """The end of the transport."""
        return self.hub("closed", first=first, how=how)

    def send(self, number: int) -> "LogBuilder":
        """The harness hands message `number` to the device."""
        return self.harness("command", cmd="send", id=number)

    def arrives(self, number: int, *, dup: bool = False, packet_id: int | None = None) -> "LogBuilder":
        """Message `number` reaches the hub."""
        packet = number if packet_id is None else packet_id
        return self.hub("telemetry", message_id=str(number), packet_id=packet, qos=1, dup=dup, retain=False, size=9)

    def delivered(self, *numbers: int) -> "LogBuilder":
        """Messages that are sent, arrive and are confirmed, each a millisecond after the other."""
        for number in numbers:
            self.send(number).arrives(number).app("sent", id=number).after(0.001)
        return self

    def status(self, state: str, reason: str = "", callback: str = "") -> "LogBuilder":
        """A status callback of the application."""
        fields = {"status": state, "reason": reason, "callback": callback}
        return self.app("status", **{name: value for name, value in fields.items() if value})

    def failure(self, kind: str, *classes: str, **fields: object) -> "LogBuilder":
        """An exception of the application, its classes outermost first."""
        return self.app(kind, error=[{"class": name, "message": "m"} for name in classes], **fields)

    def hello(self, *capabilities: str, version: str = "1.0") -> "LogBuilder":
        """The device program introduces itself."""
        return self.app("hello", protocol=1, sdk_version=version, capabilities=list(capabilities))

    def close(self) -> "LogBuilder":
        """The harness ends the cell: it tells the device to close, and the device does."""
        return self.harness("command", cmd="close").after(0.002).disconnect().app("closed")

    def end(self, status: str = "finished", reason: str = "", *, awaited: bool = True) -> "LogBuilder":
        """The cell's last event."""
        return self.harness("cell-end", status=status, reason=reason, awaited=awaited)

    def lines(self) -> list[bytes]:
        """The file's lines so far."""
        return self._file.getvalue().splitlines(keepends=True)

    def log(self) -> CellLog:
        """The log so far, as read from a file."""
        return read_cell_log(self.lines(), where="built by a test")


STATE = "on_connection_state_change"
BACKGROUND = "on_background_exception"


def early_renewal(lifetime_s: float = 130.0, head: Header | None = None, *, renewals: int = 2) -> LogBuilder:
    """Measured with Python: DISCONNECT at expiry - 120 s, back after 4 ms with a new token, the handler called twice, nothing lost."""
    log = LogBuilder(head or header(settings={"lifetime_s": lifetime_s}))
    log.harness("adapter-started", command=["device"]).hello("lifetime", "own-token").at(0.05).connect(lifetime_s)
    log.after(0.002).status("True", callback=STATE).app("opened", settings={}).delivered(1, 2)
    for renewal in range(1, renewals + 1):
        log.at(0.05 + renewal * (lifetime_s - 120)).disconnect()
        log.harness("stimulus", what="c2d", id=f"c2d-{renewal}", why="gap").hub(
            "c2d-queued", message_id=f"c2d-{renewal}"
        )
        log.harness("stimulus", what="method", id=str(renewal), why="gap").hub(
            "method-called", request_id=str(renewal), name="probe"
        )
        log.after(0.001).status("False", callback=STATE).after(0.003).connect(lifetime_s)
        log.hub("c2d-sent", message_id=f"c2d-{renewal}", packet_id=1, dup=False).hub(
            "method-sent", request_id=str(renewal)
        )
        log.after(0.001).status("True", callback=STATE).hub("c2d-acknowledged", message_id=f"c2d-{renewal}")
        log.hub("method-answered", request_id=str(renewal), status=200).app("c2d", message_id=f"c2d-{renewal}", size=2)
        log.harness("lag", worst_ms=0.2, over_s=1.0).delivered(2 * renewal + 1, 2 * renewal + 2)
    return log.after(2.0).close().after(0.1).end()


def renews_in_place(lifetime_s: float = 910.0, head: Header | None = None, *, renewals: int = 2) -> LogBuilder:
    """Measured with Node.js over AMQP: put-token at expiry - 900 s on the standing links, answered at once, nothing shown, nothing lost."""
    log = LogBuilder(head or header(settings={"lifetime_s": lifetime_s}, transport="amqp")).hello("lifetime", "margin")
    log.at(0.02).harness("command", cmd="open").at(0.05).enter(lifetime_s).app("opened", settings={}).delivered(1, 2)
    for renewal in range(1, renewals + 1):
        log.at(0.05 + renewal * (lifetime_s - 900)).put_token(lifetime_s)
        log.harness("stimulus", what="c2d", id=f"c2d-{renewal}", why="renewal")
        log.hub("c2d-queued", message_id=f"c2d-{renewal}")
        log.harness("stimulus", what="method", id=str(renewal), why="renewal")
        log.hub("method-called", request_id=str(renewal), name="probe").after(0.002).answer()
        log.app("c2d", message_id=f"c2d-{renewal}", size=2)
        log.hub("c2d-acknowledged", message_id=f"c2d-{renewal}", state="accepted")
        log.hub("method-answered", request_id=str(renewal), status=200).delivered(2 * renewal + 1, 2 * renewal + 2)
    return log.after(2.0).close().after(0.1).end()


def stale_token(head: Header | None = None, *, sends: int = 12) -> LogBuilder:
    """Measured with Python: cut at expiry + grace, one reconnect with the stale token, refused; from then on each send is."""
    log = LogBuilder(head or header("expiry")).hello("lifetime", "own-token").at(0.02).connect(10, made_at=0.0)
    log.app("opened", settings={}).delivered(*range(1, 15)).at(14.75).cut()
    log.after(0.001).status("False", callback=STATE).failure(
        "background_exception", "ConnectionDroppedError", callback=BACKGROUND
    )
    log.after(0.012).refused(10, made_at=0.0)
    log.after(0.001).failure("background_exception", "UnauthorizedError", callback=BACKGROUND)
    for number in range(15, 15 + sends):
        log.at(number + 0.5).send(number).after(0.004).refused(10, made_at=0.0)
        log.after(0.001).failure("send_failed", "CredentialError", "UnauthorizedError", id=number)
    return log.after(0.5).harness("command", cmd="close").app("closed").end()


def waits_for_the_cut(lifetime_s: float = 20.0, head: Header | None = None, *, cuts: int = 2) -> LogBuilder:
    """Measured with Java: nothing until the hub cuts at expiry + grace (5 s), then back 0.31 s later with a new token."""
    log = (
        LogBuilder(head or header(settings={"lifetime_s": lifetime_s}))
        .hello("lifetime")
        .at(0.1)
        .connect(lifetime_s + 1)
    )
    for _ in range(cuts):
        log.after(lifetime_s + 5.6).cut().after(0.002).status("DISCONNECTED_RETRYING", "EXPIRED_SAS_TOKEN")
        log.after(0.308).connect(lifetime_s + 1).after(0.001).status("CONNECTED", "CONNECTION_OK")
    return log.after(2.0).close().end()


def whole_second_fraction(lifetime_s: float = 20.0, head: Header | None = None) -> LogBuilder:
    """Measured with C, played by an emulated device: DISCONNECT at the first whole second after 80 % of the lifetime."""
    log = LogBuilder(head or header(settings={"lifetime_s": lifetime_s}, device="emulated")).hello("lifetime").at(0.3)
    log.connect(lifetime_s)
    for _ in range(2):
        log.after(int(0.8 * lifetime_s) + 1).disconnect().status("UNAUTHENTICATED", "EXPIRED_SAS_TOKEN")
        log.after(0.02).connect(lifetime_s).status("AUTHENTICATED", "OK")
    return log.after(2.0).close().end()
