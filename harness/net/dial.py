"""Drives an emulated device over real sockets: the pump between a sans-IO device and the network.

Every `Dial` makes a link, one network connection. Only the latest link is the device's; an older one, hung up or lost, may still be
closing its socket, and the device hears no more of it.
"""

import asyncio
import contextlib
import ssl
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, Protocol

from harness.clock import Clock
from harness.device.actions import Action, Dial, Hangup, Write
from harness.device.driver import DeviceCallbacks
from harness.errors import EnvironmentProblem
from harness.hub.certificates import Certificate
from harness.net.addresses import PORTS
from harness.net.certificates import client_context
from harness.net.device_certificates import load_identity
from harness.net.stream import Limits, Shared, Stream
from harness.net.timers import Timer
from harness.net.tls import TlsConnection
from harness.net.websocket import AMQP, MQTT, WebSocketClient

__all__ = ["DeviceMachine", "DevicePump"]

_CLOSE_S = 8.0
_LIMITS: Final = Limits(
    setup_s=150.0
)  # for how long a device waits is its own affair; the system's patience ends before
# What a device's hangup is called where a stream is asked to close.
_CLOSE_REQUESTS: Final[Mapping[str, str]] = {
    "fin": "tcp-fin", "close-notify": "fin", "websocket-close": "websocket-close", "rst": "rst",
}  # fmt: skip
_SUBPROTOCOLS: Final[Mapping[str, str]] = {"mqtt-ws": MQTT, "amqp-ws": AMQP}


class DeviceMachine(Protocol):
    """The emulated device as the pump sees it. Times are seconds since the Unix epoch."""

    def command(self, command: Mapping[str, object], now: float, /) -> None:
        """Carry out one command of the adapter protocol."""
        ...

    def connected(self, now: float, /) -> None:
        """The link asked for is up: TLS and WebSocket included."""
        ...

    def receive(self, data: bytes, now: float, /) -> None:
        """Bytes came from the hub."""
        ...

    def lost(self, how: str, now: float, /) -> None:
        """The link is gone, or could not be had."""
        ...

    def next_deadline(self) -> float | None:
        """The moment at which `on_time` is wanted at the latest."""
        ...

    def on_time(self, now: float, /) -> None:
        """Time has passed."""
        ...

    def actions(self) -> list[Action]:
        """What the transport has to do; drained."""
        ...

    def events(self) -> list[dict[str, object]]:
        """Events of the adapter protocol, and `sdk_log`; drained."""
        ...


class DevicePump:
    """A `DeviceDriver` for an emulated device, which reaches its hub at `address`, `port`.

    The server has to prove the host name the `open` command gives (GatewayHostName before HostName), by a certificate from the
    authority in its `ca_pem`. `transport`: "mqtt", "mqtt-ws", "amqp" or "amqp-ws".
    """

    def __init__(
        self,
        device: DeviceMachine,
        address: str,
        port: int,
        transport: str,
        callbacks: DeviceCallbacks,
        clock: Clock,
        *,
        limits: Limits | None = None,
    ) -> None:
        self._device, self._callbacks, self._clock = device, callbacks, clock
        self._address, self._port = address, port
        self.subprotocol = _SUBPROTOCOLS.get(transport)
        """Of the WebSocket, where there is one."""
        self._limits = limits or _LIMITS
        self._command: Mapping[str, object] = {}
        self._trust: ssl.SSLContext | None = None  # made once: it takes longer than all else in a reconnect
        self._link: _Link | None = None
        self._links: set[_Link] = set()
        self._events: deque[dict[str, object]] = deque()
        self._driving = False
        self._closed = asyncio.Event()
        self._gone = asyncio.Event()

    async def start(self) -> None:
        """Report the device's `hello`."""
        loop = asyncio.get_running_loop()
        self._timer = Timer(loop, self._clock, self._on_time)
        self._shared = Shared(loop, self._clock, self._limits, "device", "hub", lambda _: None, lambda: None)
        self._drive(self._clock.now())

    def send(self, command: Mapping[str, object]) -> None:
        """Hand the device one command."""
        if command.get("cmd") == "open":
            self._command, self._trust = command, None
        now = self._clock.now()
        self._device.command(command, now)
        self._drive(now)

    async def stop(self) -> None:
        """Close the device, then free all it holds."""
        if not self._closed.is_set():
            self.send({"cmd": "close"})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await self._closed.wait()
        self._timer.stop()
        left_open, self._link = self._link, None
        if left_open is not None:
            left_open.abort()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2 * self._limits.linger_s):
                await self._all_gone()
        for link in tuple(self._links):
            link.abort()
        await self._all_gone()

    async def _all_gone(self) -> None:
        while self._links:
            self._gone.clear()
            await self._gone.wait()

    # What links report.

    def connected(self, link: "_Link", now: float) -> None:
        """`link` is up."""
        if link is self._link:
            self._device.connected(now)
            self._drive(now)

    def receive(self, link: "_Link", data: bytes, now: float) -> None:
        """`link` brought bytes."""
        if link is self._link:
            self._device.receive(data, now)
            self._drive(now)

    def lost(self, link: "_Link", how: str, now: float) -> None:
        """`link` is gone, or never came to be."""
        if link is self._link:
            self._link = None
            self._device.lost(how, now)
            self._drive(now)

    def over(self, link: "_Link") -> None:
        """The socket of `link` is closed."""
        self._links.discard(link)
        self._gone.set()

    # The device.

    def _drive(self, now: float) -> None:
        """Carry out and report all the device wants, and set its timer; after every call to it."""
        if self._driving:
            return  # an action was answered at once; the loop below sees what came of it
        self._driving = True
        try:
            while actions := self._device.actions():
                for action in actions:
                    self._carry_out(action, now)
        finally:
            self._driving = False
        self._events.extend(self._device.events())
        self._timer.set(self._device.next_deadline())
        while self._events:
            self._report(self._events.popleft(), now)

    def _carry_out(self, action: Action, now: float) -> None:
        link = self._link
        match action:
            case Dial():
                self._dial(now)
            case Write(data):
                if link is not None:
                    link.write(data)
            case Hangup(how):
                if link is not None:
                    link.hang_up(how)
                    self.lost(link, how, now)

    def _dial(self, now: float) -> None:
        link = self._link = _Link(self, self._shared)
        try:
            host = _host(self._command)
            if self._trust is None:
                self._trust = _context(self._command)
        except (ValueError, ssl.SSLError, EnvironmentProblem) as error:
            self.lost(link, f"cannot dial: {error}", now)
            return
        self._links.add(link)
        link.dial(self._address, self._port, partial(_secure, host, self._trust, self.subprotocol))

    def _report(self, event: dict[str, object], now: float) -> None:
        if event.get("event") == "sdk_log":
            self._callbacks.on_log(" ".join(str(event[key]) for key in ("level", "text") if event.get(key)), now)
            return
        if event.get("event") == "closed":
            self._closed.set()
        self._callbacks.on_event(event, now)

    def _on_time(self, now: float) -> None:
        self._device.on_time(now)
        self._drive(now)


def _host(command: Mapping[str, object]) -> str:
    text = str(command.get("connection_string", ""))
    parts = dict(part.split("=", 1) for part in text.split(";") if "=" in part)
    host = parts.get("GatewayHostName") or parts.get("HostName")
    if not host:
        raise ValueError("the connection string names no host")
    return host


def _context(command: Mapping[str, object]) -> ssl.SSLContext:
    """Whom the device trusts, and who it is where it has a certificate."""
    context = client_context(str(command.get("ca_pem", "")))
    if command.get("cert_pem"):
        load_identity(context, str(command["cert_pem"]), str(command.get("key_pem", "")))
    return context


def _secure(
    host: str, context: ssl.SSLContext, subprotocol: str | None
) -> tuple[TlsConnection, WebSocketClient | None]:
    tls = TlsConnection(context, server_side=False, server_hostname=host)
    return tls, WebSocketClient(host, PORTS["websocket"], subprotocol) if subprotocol else None


class _Link:
    """One network connection of the device: the endpoint of its stream."""

    recording = False

    def __init__(self, pump: DevicePump, shared: Shared) -> None:
        self._pump, self._shared = pump, shared
        self._out = b""
        self._stream: Stream | None = None
        self._why = ""
        self.close_request: str | None = None

    # What the pump calls.

    def dial(self, address: str, port: int, secure: Callable[[], tuple[TlsConnection, WebSocketClient | None]]) -> None:
        """Connect in the background."""
        self._dialling = self._shared.loop.create_task(self._connect(address, port, secure))
        self._dialling.add_done_callback(self._dialled)

    def write(self, data: bytes) -> None:
        """Send `data` as soon as the event loop comes round."""
        self._out += data
        self._wake()

    def hang_up(self, how: str) -> None:
        """Close; a dial under way is given up."""
        self.close_request = _CLOSE_REQUESTS[how]
        if self._stream is None:
            self._dialling.cancel()
        self._wake()

    def abort(self) -> None:
        """Close with an RST, whatever is under way."""
        if self._stream is None:
            self._dialling.cancel()
        else:
            self._stream.abort()

    # What the stream calls.

    def receive(self, data: bytes, now: float) -> None:
        """Bytes from the hub."""
        self._pump.receive(self, data, now)

    def data_to_send(self) -> bytes:
        """Bytes for the hub."""
        out, self._out = self._out, b""
        return out

    def next_deadline(self) -> None:
        """The device's deadlines are the pump's."""

    def on_time(self, _: float) -> None:
        """Nothing to do."""

    def peer_closed(self, how: str, now: float) -> None:
        """The hub closed."""
        self._pump.lost(self, self._why or how, now)

    def transport_closed(self, _: str, how: str, now: float) -> None:
        """The socket is closed."""
        self._pump.lost(self, self._why or how, now)
        self._pump.over(self)

    def note(self, kind: str, now: float, /, **fields: object) -> None:
        """TLS is up, or something went wrong."""
        if kind == "tls" and self._pump.subprotocol is None:
            self._pump.connected(self, now)
        elif "reason" in fields:
            self._why = str(fields["reason"])

    def proven(self, _: Certificate) -> None:
        """The hub is no client."""

    def upgraded(self, _subprotocol: str, _path: str, now: float) -> "_Link":
        """The WebSocket is up."""
        self._pump.connected(self, now)
        return self

    def _wake(self) -> None:
        if self._stream is not None:
            self._stream.wake()

    async def _connect(
        self, address: str, port: int, secure: Callable[[], tuple[TlsConnection, WebSocketClient | None]]
    ) -> None:
        def make() -> Stream:
            return Stream(self._shared, *secure(), self._connected)

        try:
            async with asyncio.timeout(self._shared.limits.setup_s):
                await self._shared.loop.create_connection(make, address, port)
        except OSError as error:  # a TimeoutError is one
            self._why = str(error) or "no connection in time"

    def _connected(self, stream: Stream, _: float) -> "_Link":
        self._stream = stream
        return self

    def _dialled(self, _: object) -> None:
        if self._stream is None:
            self._pump.lost(self, self._why or "given up", self._shared.clock.now())
            self._pump.over(self)
