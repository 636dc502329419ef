"""How an emulated device plays an SDK: its ways with connections and tokens, and what it shows its application."""

from typing import Literal

import msgspec

from harness.documents import Document, Transport
from harness.errors import ProfileError
from harness.law import Law, law_problem

__all__ = ["AppSignal", "Emulation", "Farewell", "FarewellWay", "NativeError", "Signals", "check_emulation"]

_LONGEST_KEEP_ALIVE_S = 0xFFFF

FarewellWay = Literal["fin", "close-notify", "websocket-close"]


class Farewell(Document, frozen=True, rename="kebab"):
    """How an SDK that leaves ends its connection, by transport, in the words of the event `closed`.

    `fin`: it closes the socket. `close-notify`: it ends TLS before that. `websocket-close`: it ends the WebSocket before both.
    """

    mqtt: FarewellWay = "fin"
    mqtt_ws: FarewellWay = "fin"

    def over(self, transport: str) -> FarewellWay:
        """The farewell over one of the transports that can be emulated."""
        return self.mqtt_ws if transport == "mqtt-ws" else self.mqtt


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
    """What the application is shown at the turns of a connection's life, in order."""

    opened: tuple[AppSignal, ...] = ()  # the first CONNACK 0, before `opened`
    leaving: tuple[AppSignal, ...] = ()  # the SDK leaves for a renewal
    renewed: tuple[AppSignal, ...] = ()  # back after a renewal
    dropped: tuple[AppSignal, ...] = ()  # the hub cut the connection
    reset: tuple[AppSignal, ...] = ()  # the same by RST, where the SDK tells it apart; empty: as any other
    dropped_expired: tuple[AppSignal, ...] = ()  # the same after the end of the token; empty: as any other
    returning: tuple[AppSignal, ...] = ()  # it makes its first attempt to come back from a cut
    restored: tuple[AppSignal, ...] = ()  # back after a cut
    refused: tuple[AppSignal, ...] = ()  # an attempt of the SDK's own was refused by CONNACK
    renewal_refused: tuple[AppSignal, ...] = ()  # the same at a renewal; empty: as any other
    gave_up: tuple[AppSignal, ...] = ()  # and no further attempt follows by itself
    retries_ended: tuple[AppSignal, ...] = ()  # the attempts came to nothing for `retry_limit_s`
    open_refused: tuple[AppSignal, ...] = ()  # the open command was refused by CONNACK; empty: it goes on trying
    open_unreachable: tuple[AppSignal, ...] = ()  # the open command reached no hub; empty: it goes on trying
    send_refused: tuple[AppSignal, ...] = ()  # an attempt made for a message was refused, for each such message
    send_unreachable: tuple[AppSignal, ...] = ()  # an attempt made for a message reached no hub; empty: it is kept
    send_cancelled: tuple[
        AppSignal, ...
    ] = ()  # a message was caught by the client's end: a close, or giving up for good
    send_impossible: tuple[AppSignal, ...] = ()  # a message met an SDK that had given up and takes none
    token_required: tuple[AppSignal, ...] = ()  # the application is asked for another token
    closing: tuple[AppSignal, ...] = ()  # a close command on a standing connection


class Emulation(Document, frozen=True):
    """How an emulated device plays the SDK over MQTT and MQTT over WebSocket.

    `ping_interval_s`: PINGREQ after so many seconds without sending; left out, the keep-alive.
    `encodes_resource`: whether the `sr` of a token is percent-encoded. `expiry_offset_s`: its `se` is the whole second of making +
    lifetime + offset.
    `renewal`: when the SDK leaves by itself to use a new token (`hub-cut` and `none`: it never does).
    `renewal_quantum_s`: the SDK looks at the clock this often only, counted from the making of the token, so a renewal is late by up to
    that much. `renewal_needs`: it renews at the first look at which the renewal point is `reached`, or only once it is `passed`.
    `own_token_renewal`: the same for a token the application supplied; the lifetime is then the one set, counted from the first use.
    `own_token_notice_s`: seconds before such a token expires, or at once, at which the application is asked for another.
    `renewal_delay_s`, `reconnect_delay_s`: from being away, or being dropped, to dialling again.
    `waits_for_acks_s`: before leaving, wait so long for outstanding PUBACKs. `farewell`: how it then ends the connection.
    `reconnects`: after a drop; `if-needed` is only where something is being sent or listened for.
    `tells_reset`: the transports over which the SDK tells a connection lost by RST from other drops. `after_reset`: it either counts
    as any other drop (`reconnects`), or no attempt of the SDK's own follows (`gives-up`).
    `token_on_reconnect`: after a drop; `until-renewal-point` re-uses the token until `token_reuse_fraction` of its life, or the percentage
    set. An SDK that keeps its token `cached` renews it also while it is away.
    `always_subscribes`: filters it subscribes to without being asked. `resubscribes`: sends SUBSCRIBE again after coming back.
    `resends`: unacknowledged messages come back as the `same-packet` (DUP, same identifier) or as a `new-message`. `resend_delay_s`: the
    same packets follow so long after coming back, and what was sent for the first time in between precedes them.
    `after_refusal`: of its own accord after a CONNACK other than 3, which every SDK takes for passing;
    `own_token_after_refusal` for a token the application supplied, where it differs.
    `after_failed_renewal`: a renewal that does not come back, refused or not, either is a lost connection from then on (`as-after-drop`), or
    is tried again whatever `after_refusal` says; an SDK that keeps its token `cached` then gives up when the next renewal is due
    (`retries-until-renewal`).
    `refused_retry_s`: waits before further attempts, the last repeats; `refused_retry_jitter`: each is longer or shorter by up to that
    fraction; `retry_limit_s`: no attempt begins later than this after the connection was lost.
    `send_while_down`: while the SDK tries to return, a message makes it try at once (`reconnects`; the message shares the fate of the
    attempt) or is kept (`queues`). `send_after_giving_up`: the same once it has given up; `fails`: it takes no more messages.
    """

    user_agent: str
    api_version: str
    keep_alive_s: int
    default_lifetime_s: float
    renewal: Law
    ping_interval_s: float | None = None
    connack_timeout_s: float = 60.0
    encodes_resource: bool = True
    expiry_offset_s: float = 0.0
    renewal_quantum_s: float = 0.0
    renewal_needs: Literal["reached", "passed"] = "reached"
    own_token_renewal: Law = Law(law="none")
    own_token_notice_s: float | None = None
    renewal_delay_s: float = 0.0
    reconnect_delay_s: float = 0.0
    waits_for_acks_s: float = 0.0
    farewell: Farewell = Farewell()
    reconnects: Literal["always", "if-needed"] = "always"
    tells_reset: tuple[Transport, ...] = ("mqtt", "mqtt-ws")
    after_reset: Literal["reconnects", "gives-up"] = "reconnects"
    token_on_reconnect: Literal["cached", "fresh", "until-renewal-point"] = "fresh"  # noqa: S105 - no password
    token_reuse_fraction: float = 1.0
    always_subscribes: tuple[Literal["c2d", "twin"], ...] = ()
    methods_qos: Literal[0, 1] = 0
    resubscribes: Literal["never", "after-drop", "always"] = "always"
    resends: Literal["same-packet", "new-message"] = "same-packet"
    resend_delay_s: float = 0.0
    after_refusal: Literal["gives-up", "retries"] = "retries"
    own_token_after_refusal: Literal["gives-up", "retries"] | None = None
    after_failed_renewal: Literal["as-after-drop", "retries-until-renewal"] = "as-after-drop"
    refused_retry_s: tuple[float, ...] = (1.0,)
    refused_retry_jitter: float = 0.0
    retry_limit_s: float | None = None
    send_while_down: Literal["reconnects", "queues"] = "queues"
    send_after_giving_up: Literal["reconnects", "queues", "fails"] = "reconnects"
    margin_setting: Literal["margin-s", "margin-percent", "none"] = "none"
    margin_has_effect: bool = True
    signals: Signals = Signals()


def check_emulation(emulation: Emulation, where: str) -> None:
    """Raise `ProfileError`, naming the file `where`, the field and the remedy, where a value is impossible."""

    def demand(condition: bool, field: str, problem: str, remedy: str) -> None:  # noqa: FBT001 - reads as a sentence
        if not condition:
            raise ProfileError(problem, where=where, field=f"emulation.{field}", remedy=remedy)

    for name in ("renewal", "own_token_renewal"):
        problem = law_problem(getattr(emulation, name))
        demand(not problem, name, problem, "Correct the law")
    for name in ("default_lifetime_s", "connack_timeout_s"):
        demand(getattr(emulation, name) > 0, name, "is not above 0", "Use the SDK's own seconds")
    for name in (
        "keep_alive_s", "renewal_quantum_s", "renewal_delay_s", "reconnect_delay_s", "waits_for_acks_s", "resend_delay_s",
    ):  # fmt: skip
        demand(getattr(emulation, name) >= 0, name, "is below 0", "Use 0 or more seconds")
    for name in ("refused_retry_jitter", "token_reuse_fraction"):
        demand(0 <= getattr(emulation, name) <= 1, name, "is not between 0 and 1", "Write it as a fraction")
    longest = "MQTT 3.1.1 has two bytes for it (section 3.1.2.10): use 65535 seconds at most"
    demand(emulation.keep_alive_s <= _LONGEST_KEEP_ALIVE_S, "keep_alive_s", "is above 65535", longest)
    waits = emulation.refused_retry_s
    demand(
        min(waits, default=0.0) > 0, "refused_retry_s", "needs waits above 0 s", "Name at least one; the last repeats"
    )
