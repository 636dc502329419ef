"""How an emulated device plays an SDK: its ways with connections and tokens, and what it shows its application."""

from collections.abc import Collection
from typing import Literal

import msgspec

from harness.documents import Document, Transport
from harness.errors import ProfileError
from harness.law import Law, law_problem

__all__ = [
    "AmqpEmulation",
    "AppSignal",
    "Emulation",
    "Farewell",
    "FarewellWay",
    "HttpsEmulation",
    "LinkNames",
    "Manners",
    "NativeError",
    "Signals",
    "check_emulation",
]

_LONGEST_KEEP_ALIVE_S = 0xFFFF
_USHORT_MAX, _UINT_MAX = 0xFFFF, 0xFFFFFFFF
_SMALLEST_FRAME = 512

FarewellWay = Literal["fin", "close-notify", "websocket-close"]


class Farewell(Document, frozen=True, rename="kebab"):
    """How an SDK that leaves ends its connection, by transport, in the words of the event `closed`.

    `fin`: it closes the socket. `close-notify`: it ends TLS before that. `websocket-close`: it ends the WebSocket before both.
    """

    mqtt: FarewellWay = "fin"
    mqtt_ws: FarewellWay = "fin"
    amqp: FarewellWay = "fin"
    amqp_ws: FarewellWay = "fin"

    def over(self, transport: str) -> FarewellWay:
        """The farewell over one of the transports that can be emulated."""
        ways = {"mqtt": self.mqtt, "mqtt-ws": self.mqtt_ws, "amqp": self.amqp, "amqp-ws": self.amqp_ws}
        return ways[transport]


class NativeError(Document, frozen=True):
    """One exception of a chain, by its class in the SDK's own language."""

    class_: str = msgspec.field(name="class")
    message: str


class AppSignal(Document, frozen=True):
    """Something an emulated device shows its application, in the words of the adapter protocol; `log` goes to the SDK's log."""

    event: Literal["", "status", "background_exception", "token_required", "open_failed", "send_failed"] = ""
    status: str | None = None
    reason: str | None = None
    callback: str | None = None
    error: tuple[NativeError, ...] = ()
    log: str = ""
    level: str = ""


class Signals(Document, frozen=True):
    """What the application is shown at the turns of a connection's life, in order. The second group is for AMQP, the last one for HTTPS."""

    opened: tuple[AppSignal, ...] = ()  # the hub first let the device in, before `opened`
    leaving: tuple[AppSignal, ...] = ()  # the SDK leaves for a renewal
    renewed: tuple[AppSignal, ...] = ()  # back after a renewal, or renewed in place
    dropped: tuple[AppSignal, ...] = ()  # the hub cut the connection
    reset: tuple[AppSignal, ...] = ()  # the same by RST, where the SDK tells it apart; empty: as any other
    dropped_expired: tuple[AppSignal, ...] = ()  # any ending after the end of the token; empty: as any other
    returning: tuple[AppSignal, ...] = ()  # it makes its first attempt to come back from a cut
    restored: tuple[AppSignal, ...] = ()  # back after a cut
    refused: tuple[AppSignal, ...] = ()  # an attempt of the SDK's own was refused
    renewal_refused: tuple[AppSignal, ...] = ()  # the same at a renewal; empty: as any other
    unreachable: tuple[AppSignal, ...] = ()  # an attempt of the SDK's own found nobody there to ask
    gave_up: tuple[AppSignal, ...] = ()  # and no further attempt follows by itself
    retries_ended: tuple[AppSignal, ...] = ()  # the attempts came to nothing for `retry_limit_s`
    open_refused: tuple[AppSignal, ...] = ()  # the open command was refused; empty: it goes on trying
    open_unreachable: tuple[AppSignal, ...] = ()  # the open command reached no hub; empty: it goes on trying
    send_refused: tuple[AppSignal, ...] = ()  # an attempt made for a message was refused, for each such message
    send_unreachable: tuple[AppSignal, ...] = ()  # an attempt made for a message reached no hub; empty: it is kept
    send_cancelled: tuple[
        AppSignal, ...
    ] = ()  # a message was caught by the client's end: a close, or giving up for good
    send_impossible: tuple[AppSignal, ...] = ()  # a message met an SDK that had given up and takes none
    token_incomplete: tuple[AppSignal, ...] = ()  # the application's token lacks a field; empty: the hub has to say so
    token_over: tuple[AppSignal, ...] = ()  # the application's token has ended before it is used; empty: the same
    token_required: tuple[AppSignal, ...] = ()  # the application is asked for another token
    closing: tuple[AppSignal, ...] = ()  # a close command on a standing connection

    detached: tuple[AppSignal, ...] = ()  # the hub detached the links; empty: as dropped
    links_refused: tuple[AppSignal, ...] = ()  # for want of a good client certificate; empty: as open_refused
    hub_closed: tuple[AppSignal, ...] = ()  # the hub closed the connection by CLOSE; empty: as dropped
    renewal_unanswered: tuple[AppSignal, ...] = ()  # no answer to a renewal in place; empty: as renewal_refused
    reauthenticating: tuple[AppSignal, ...] = ()  # another put-token follows on a connection that stood all the time
    ended_itself: tuple[AppSignal, ...] = ()  # the SDK came back and closed itself for good (`returns-and-ends`)
    open_timed_out: tuple[AppSignal, ...] = ()  # `retry_limit_s` ended the open command; empty: as retries_ended
    send_lost: tuple[AppSignal, ...] = ()  # a message went down with the connection
    closing_unrenewed: tuple[AppSignal, ...] = ()  # before `closing`, where a renewal in place had failed

    not_found: tuple[AppSignal, ...] = ()  # a message was refused with 404, and is tried again; empty: as refused
    send_not_found: tuple[AppSignal, ...] = ()  # a message was refused with 404, and failed; empty: as send_refused
    receive_refused: tuple[AppSignal, ...] = ()  # a look for cloud-to-device messages was refused


class Manners(Document, frozen=True, kw_only=True):
    """How an SDK behaves towards its application and its token, over one protocol.

    `renewal`: when the SDK renews by itself, by leaving or in place (`hub-cut` and `none`: it never does).
    `renewal_quantum_s`: the SDK looks at the clock this often only, counted from the making of the token, so a renewal is late by up to
    that much. `renewal_needs`: it renews at the first look at which the renewal point is `reached`, or only once it is `passed`.
    `renewal_margin_whole_s`: what a fraction leaves of the life is cut to whole seconds, reckoned from the whole seconds left after making.
    `own_token_renewal`: the same for a token the application supplied; the lifetime is then the one set, counted from the first use.
    `own_token_notice_s`: seconds before such a token expires, or at once, at which the application is asked for another.
    `own_token_returns`: how often the SDK leaves and returns for a token that is supplied while it is connected, where it cannot be renewed in place. `own_token_wakes`: whether one that
    is supplied while the SDK is away makes it try to return at once.
    `margin_has_effect`: whether the margin an application sets moves the renewal.
    `connect_timeout_s`: how long it waits for a transport to stand, TLS and WebSocket included; left out, as long as the system does.
    What an SDK makes of a connection on which nobody answers any more is emulated as far as its keep-alive goes, and no further.
    `reconnect_delay_s`: from being dropped to the first attempt to come back.
    `reconnects`: after a drop; `if-needed` is only where something is being sent or listened for.
    `tells_reset`: the transports over which the SDK tells a connection lost by RST from other drops. `after_reset`: it either counts
    as any other drop (`reconnects`), or no attempt of the SDK's own follows (`gives-up`).
    `token_on_reconnect`: after a drop; `until-renewal-point` re-uses the token until `token_reuse_fraction` of its life, or the percentage
    set. An SDK that keeps its token `cached` renews it also while it is away.
    `always_subscribes`: what it listens for without being asked. `resubscribes`: listens again after coming back; `until-given-up`: not
    where a message brought it back after it had given up.
    `after_refusal`: of its own accord after a CONNACK other than 3, which every SDK takes for passing, or a refused put-token;
    `own_token_after_refusal` for a token the application supplied, where it differs.
    `refused_retry_s`: waits before further attempts, the last repeats; `refused_retry_jitter`: each is longer or shorter by up to that
    fraction; `retry_limit_s`: no attempt begins later than this after the connection was lost.
    `send_without_transport`: a message whose attempt finds nobody there `fails` with it, or the SDK `retries` on its behalf.
    `send_while_down`: while the SDK tries to return, a message makes it try at once (`reconnects`; the message shares the fate of the
    attempt) or is kept (`queues`). `send_after_giving_up`: the same once it has given up; `fails`: it takes no more messages.
    """

    renewal: Law
    renewal_quantum_s: float = 0.0
    renewal_needs: Literal["reached", "passed"] = "reached"
    renewal_margin_whole_s: bool = False
    own_token_renewal: Law = Law(law="none")
    own_token_notice_s: float | None = None
    own_token_returns: int = 1
    own_token_wakes: bool = False
    margin_has_effect: bool = True
    connect_timeout_s: float | None = None
    reconnect_delay_s: float = 0.0
    reconnects: Literal["always", "if-needed"] = "always"
    tells_reset: tuple[Transport, ...] = ("mqtt", "mqtt-ws", "amqp", "amqp-ws")
    after_reset: Literal["reconnects", "gives-up"] = "reconnects"
    token_on_reconnect: Literal["cached", "fresh", "until-renewal-point"] = "fresh"  # noqa: S105 - no password
    token_reuse_fraction: float = 1.0
    always_subscribes: tuple[Literal["c2d", "twin"], ...] = ()
    resubscribes: Literal["never", "after-drop", "until-given-up", "always"] = "always"
    after_refusal: Literal["gives-up", "retries"] = "retries"
    own_token_after_refusal: Literal["gives-up", "retries"] | None = None
    refused_retry_s: tuple[float, ...] = (1.0,)
    refused_retry_jitter: float = 0.0
    retry_limit_s: float | None = None
    send_without_transport: Literal["fails", "retries"] = "fails"
    send_while_down: Literal["reconnects", "queues"] = "queues"
    send_after_giving_up: Literal["reconnects", "queues", "fails"] = "reconnects"
    signals: Signals = Signals()


class LinkNames(Document, frozen=True):
    """The names of an SDK's AMQP links, in which `{guid}` is drawn afresh for each of them and `{device}` is the device's id."""

    cbs_sender: str
    cbs_receiver: str
    telemetry: str
    c2d: str
    methods_sender: str
    methods_receiver: str
    twin_sender: str
    twin_receiver: str


class AmqpEmulation(Manners, frozen=True, kw_only=True):
    """How an emulated device plays the SDK over AMQP and AMQP over WebSocket, where it renews by put-token on the standing connection.

    On the wire: `sasl`: the mechanism, `none` for no SASL layer. `container_id`: with `{guid}`. `max_frame_size`, `channel_max`,
    `idle_time_out_ms`: as OPEN announces them. `sessions`: one for everything, or one for `$cbs` and one for the device's links.
    `names`: of links. `address_prefix`: before the path of a link's address, with `{host}`; `devicebound`: how the SDK spells that word.
    `token_name`: what a put-token names: the `sr` as the token spells it (`resource`), or `plain`. `token_type`, `reply_to` (with
    `{guid}`, empty: none), `message_id`: of a put-token. `presettles_cbs`, `presettles_pairs`: what it sends on `$cbs`, and for methods and the twin, is settled. `version_on`, `api_version_on`: the links
    whose ATTACH carries the client's version, the API version.
    `attaches_telemetry`: with the first message (`lazily`), or `at-once`. `settles_c2d`: whether the device or the hub has the last word.
    `batches`: every message travels in an envelope of format 0x80013700. `credit`: granted on each link it receives on.
    `awaits_close`: ends the transport only when the hub's CLOSE has come.

    What it does: `authentication_timeout_s`: from the transport, or a repeated put-token, to the answer, and to the links' ATTACH.
    `put_token_timeout_s`: for the answer to a renewal, or for ever. `after_failed_renewal`, refused or unanswered: it `closes` the connection
    and gives up; does it all again on the same connection after `repeat_delay_s` (`repeats`); renews again when the next token is due
    (`goes-on`); or renews no more on this connection (`stops`).
    `after_detach`: it comes back on the same connection after `detach_delay_s`, or on a new one; comes back and then closes itself for
    good (`returns-and-ends`); or gives up. `after_close`: the same after CLOSE, but only after doing nothing for `close_stall_s`. With an
    error other than amqp:unauthorized-access it always comes back.
    `after_refused_links`, where the hub does not take its client certificate: the open command fails; it attaches them again on the same connection
    after `detach_delay_s`; or it is open before it attaches any, and afterwards no message of the application is heard of again (`falls-silent`).
    `refusals_per_connection`: so many refused put-tokens does it try on one connection before it makes another, `repeat_delay_s` apart.
    `resends`: what was in flight comes back as a `new-message`, or is lost (`never`). `fails_at`: the endings at which the SDK fails what
    it has not finished sending; `forgets_unattached`: at the end of a stall, messages without a telemetry link are not heard of again.
    """

    names: LinkNames
    sasl: Literal["none", "ANONYMOUS", "MSSBCBS"] = "none"
    container_id: str = "{guid}"
    max_frame_size: int = 65_536
    channel_max: int = 65_535
    idle_time_out_ms: int | None = None
    sessions: Literal["one", "cbs-and-device"] = "one"
    address_prefix: str = ""
    devicebound: str = "devicebound"
    token_name: Literal["resource", "plain"] = "plain"  # noqa: S105 - no password
    token_type: str = "servicebus.windows.net:sastoken"  # noqa: S105 - no password
    reply_to: str = "cbs"
    message_id: Literal["string", "request-counter", "uuid", "ulong"] = "string"
    presettles_cbs: bool = False
    presettles_pairs: bool = False
    version_on: tuple[Literal["cbs", "device"], ...] = ("device",)
    api_version_on: tuple[Literal["cbs", "device", "pairs"], ...] = ("pairs",)
    attaches_telemetry: Literal["at-once", "lazily"] = "at-once"
    settles_c2d: Literal["first", "second"] = "first"
    batches: bool = False
    credit: int = 1000
    awaits_close: bool = True

    authentication_timeout_s: float = 60.0
    put_token_timeout_s: float | None = None
    after_failed_renewal: Literal["closes", "repeats", "goes-on", "stops"] = "goes-on"
    repeat_delay_s: float = 10.0
    refusals_per_connection: int = 1
    after_detach: Literal["same-connection", "new-connection", "returns-and-ends", "gives-up"] = "new-connection"
    detach_delay_s: float = 0.0
    after_close: Literal["new-connection", "returns-and-ends", "gives-up"] = "new-connection"
    close_stall_s: float = 0.0
    after_refused_links: Literal["open-fails", "same-connection", "falls-silent"] = "open-fails"
    resends: Literal["new-message", "never"] = "new-message"
    fails_at: tuple[Literal["detach", "close", "renewal"], ...] = ()
    forgets_unattached: bool = False


class HttpsEmulation(Manners, frozen=True, kw_only=True):
    """How an emulated device plays the SDK over HTTPS. Of the manners, only those of the token count and `always_subscribes`; of the signals those of a message.

    `token`: made for `each-request`, or `kept` until a request comes at which the renewal is due. `poll_s`: from one look for a cloud-to-device message
    to the next, where none waits. `keeps_connection`: one connection carries all requests; else each has its own.
    `repeats_refused_s`: a message whose token is refused is tried again after so long, and those behind it wait; left out, it fails.
    """

    renewal: Law = Law(law="none")
    token: Literal["each-request", "kept"] = "kept"  # noqa: S105 - no password
    poll_s: float = 1.0
    keeps_connection: bool = True
    repeats_refused_s: float | None = None


class Emulation(Manners, frozen=True, kw_only=True):
    """How an emulated device plays the SDK over MQTT and MQTT over WebSocket, and, in `amqp`, over AMQP, in `https`, over HTTPS.

    Of all protocols: `encodes_resource`: whether the `sr` of a token is percent-encoded. `expiry_offset_s`: its `se` is the whole second of
    making + lifetime + offset. `farewell`: how the device ends a connection it has taken leave of. `margin_setting`: the margin an
    application can set. `takes_tokens`: whether it can replace a token of its own while the client lives.
    `ping_interval_s`: PINGREQ after so many seconds without sending; left out, the keep-alive.
    `renewal_delay_s`: from being away for a renewal to dialling again.
    `waits_for_acks_s`: before leaving, wait so long for outstanding PUBACKs.
    `resends`: unacknowledged messages come back as the `same-packet` (DUP, same identifier) or as a `new-message`. `resend_delay_s`: the
    same packets follow so long after coming back, and what was sent for the first time in between precedes them.
    `after_failed_renewal`: a renewal that does not come back, refused or not, either is a lost connection from then on (`as-after-drop`), or
    is tried again whatever `after_refusal` says; an SDK that keeps its token `cached` then gives up when the next renewal is due
    (`retries-until-renewal`).
    """

    user_agent: str
    api_version: str
    keep_alive_s: int
    default_lifetime_s: float
    ping_interval_s: float | None = None
    connack_timeout_s: float = 60.0
    encodes_resource: bool = True
    expiry_offset_s: float = 0.0
    renewal_delay_s: float = 0.0
    waits_for_acks_s: float = 0.0
    farewell: Farewell = Farewell()
    methods_qos: Literal[0, 1] = 0
    resends: Literal["same-packet", "new-message"] = "same-packet"
    resend_delay_s: float = 0.0
    after_failed_renewal: Literal["as-after-drop", "retries-until-renewal"] = "as-after-drop"
    margin_setting: Literal["margin-s", "margin-percent", "none"] = "none"
    takes_tokens: bool = False
    amqp: AmqpEmulation | None = None
    https: HttpsEmulation | None = None

    def over(self, transport: str) -> Manners:
        """The SDK's manners over one of the transports that its profile names."""
        if transport == "https" and self.https is not None:
            return self.https
        return self.amqp if transport.startswith("amqp") and self.amqp is not None else self


def check_emulation(emulation: Emulation, transports: Collection[str], where: str) -> None:
    """Raise `ProfileError`, naming the file `where`, the field and the remedy, where a value is impossible."""
    demand = _Demand(where, "emulation")
    _check_manners(emulation, demand)
    for name in ("default_lifetime_s", "connack_timeout_s"):
        demand(getattr(emulation, name) > 0, name, "is not above 0", "Use the SDK's own seconds")
    for name in ("keep_alive_s", "renewal_delay_s", "waits_for_acks_s", "resend_delay_s"):
        demand(getattr(emulation, name) >= 0, name, "is below 0", "Use 0 or more seconds")
    longest = "MQTT 3.1.1 has two bytes for it (section 3.1.2.10): use 65535 seconds at most"
    demand(emulation.keep_alive_s <= _LONGEST_KEEP_ALIVE_S, "keep_alive_s", "is above 65535", longest)
    over_amqp = [transport for transport in transports if transport.startswith("amqp")]
    if emulation.amqp is not None:
        _check_amqp(emulation.amqp, _Demand(where, "emulation.amqp"))
    elif over_amqp:
        problem = f"is missing, while `transports` names {', '.join(over_amqp)}"
        demand(False, "amqp", problem, "Add `[emulation.amqp]`, or drop the transport")
    if emulation.https is not None:
        _check_https(emulation.https, _Demand(where, "emulation.https"))
    elif "https" in transports:
        demand(False, "https", "is missing, while `transports` names it", "Add `[emulation.https]`, or drop it")


class _Demand:
    """Raises where a condition does not hold."""

    def __init__(self, where: str, table: str) -> None:
        self._where, self._table = where, table

    def __call__(self, condition: bool, field: str, problem: str, remedy: str) -> None:  # noqa: FBT001 - reads as a sentence
        if not condition:
            raise ProfileError(problem, where=self._where, field=f"{self._table}.{field}", remedy=remedy)


def _check_manners(manners: Manners, demand: _Demand) -> None:
    for name in ("renewal", "own_token_renewal"):
        problem = law_problem(getattr(manners, name))
        demand(not problem, name, problem, "Correct the law")
    for name in ("renewal_quantum_s", "reconnect_delay_s"):
        demand(getattr(manners, name) >= 0, name, "is below 0", "Use 0 or more seconds")
    demand(manners.own_token_returns >= 1, "own_token_returns", "is below 1", "It has to return at least once")
    for name in ("refused_retry_jitter", "token_reuse_fraction"):
        demand(0 <= getattr(manners, name) <= 1, name, "is not between 0 and 1", "Write it as a fraction")
    limit = manners.connect_timeout_s
    demand(limit is None or limit > 0, "connect_timeout_s", "is not above 0", "Leave it out for none")
    waits = manners.refused_retry_s
    demand(
        min(waits, default=0.0) > 0, "refused_retry_s", "needs waits above 0 s", "Name at least one; the last repeats"
    )


def _check_https(https: HttpsEmulation, demand: _Demand) -> None:
    _check_manners(https, demand)
    for name in ("poll_s", "repeats_refused_s"):
        given = getattr(https, name)
        demand(given is None or given > 0, name, "is not above 0", "Use the seconds from one request to the next")


def _check_amqp(amqp: AmqpEmulation, demand: _Demand) -> None:
    _check_manners(amqp, demand)
    demand(
        amqp.max_frame_size >= _SMALLEST_FRAME, "max_frame_size", f"is below {_SMALLEST_FRAME}",
        "AMQP 1.0 allows no smaller one (part 2, section 2.3)",
    )  # fmt: skip
    for name, largest in (("max_frame_size", _UINT_MAX), ("channel_max", _USHORT_MAX), ("credit", _UINT_MAX)):
        demand(
            0 < getattr(amqp, name) <= largest, name, f"is not between 1 and {largest}", "Use what the SDK announces"
        )
    for name in ("authentication_timeout_s", "repeat_delay_s", "refusals_per_connection"):
        demand(getattr(amqp, name) > 0, name, "is not above 0", "Use the SDK's own figure")
    for name in ("put_token_timeout_s", "idle_time_out_ms"):
        given = getattr(amqp, name)
        demand(given is None or given > 0, name, "is not above 0", "Leave it out for none")
    for name in ("detach_delay_s", "close_stall_s"):
        demand(getattr(amqp, name) >= 0, name, "is below 0", "Use 0 or more seconds")
