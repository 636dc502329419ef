"""What one cell showed: immutable, and JSON as it stands (`msgspec.to_builtins`). Times `*_s` are seconds since the cell began.

Words for why a connection went (`AbsenceFinding.cause`):

| cause | the first thing seen |
|---|---|
| `disconnect` | the device sent MQTT DISCONNECT, or AMQP CLOSE |
| `closed` | the transport closed without one |
| `token-expired`, `fault`, `keep-alive`, `takeover`, `protocol`, `tokens-refused`, ... | the hub cut it, for that reason; `fault`: because the scenario wanted it |
| `key-rolled`, `device-disabled`, `device-deleted`, `other-client`, `throttled` | the same, for what the scenario did to the identity or the messages |
"""

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final, Literal

import msgspec

from harness.analysis.requests import TokenUse

__all__ = [
    "EXPIRED",
    "MEASURED",
    "SCRIPTED",
    "AbsenceFinding",
    "Aftermath",
    "C2dAfterReturn",
    "CellFindings",
    "Duplicate",
    "Exchanges",
    "FirstRefusal",
    "FirstToken",
    "InBandFinding",
    "Messages",
    "PerRequestFinding",
    "Recovery",
    "RefusedHow",
    "RefusedRenewal",
    "RenewalHow",
    "Return",
    "Signature",
    "Telemetry",
    "Telling",
]

RenewalHow = Literal["reconnect", "in-band", "per-request", "hub-cut", "none"]
RefusedHow = Literal["in-band", "reconnect"]
RefusedBy = Literal["hub", "sdk"]
Recovery = Literal["none", "retries", "next-send"]
Return = Literal["by-itself", "next-send", "new-token", "none"]
C2dAfterReturn = Literal["delivered", "dead"]
EXPIRED: Final = "token-expired"
"""The cause of a cut at the end of a token's grace."""
SCRIPTED: Final = frozenset({"fault", "key-rolled", "device-disabled", "device-deleted", "other-client", "throttled"})
"""The causes of cuts that the scenario asked for."""
MEASURED = frozenset({"finished", "interrupted"})
"""The ends of a cell that leave something to analyse; after any other, status and reason are all there is."""


class Signature(msgspec.Struct, frozen=True):
    """What an absence looked like from both sides, in order, without repetitions: see `harness.analysis.signatures`.

    `hub`: codes of the hub's records. `levels`: `informational`, `error`, `informational+error` or empty. `app`: callbacks and
    exceptions as the application saw them; empty means it saw nothing. `log`: lines of the SDK's own log at WARNING or above.
    With every repetition: `errors` and `informational` are the numbers of the hub's records, `app_errors` that of the application's events
    which carry an exception.
    """

    hub: tuple[str, ...] = ()
    levels: str = ""
    app: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    errors: int = 0
    informational: int = 0
    app_errors: int = 0


class Exchanges(msgspec.Struct, frozen=True):
    """Things asked of the device and what became of them: `asked == answered + lost + open`."""

    asked: int = 0
    answered: int = 0
    lost: int = 0
    open: int = 0


class AbsenceFinding(msgspec.Struct, frozen=True):
    """One time the device was away: from leaving (DISCONNECT or CLOSE received, cut, or close seen) to being let in again.

    `renewal` is how it came to the new token, or null where it came back with the same one or not at all. `lifetime_s` and `point_s`
    speak of the token it left with: how long it was made for, and how many seconds after it was made the connection went.
    `refused`: attempts the hub refused meanwhile. `noisy`: the gap is below five times the worst lag of the hub's loop around it.
    `cut_short`: the cell ended so soon that the signature may lack something: on the application's side, and without a return on the hub's.
    """

    left_s: float
    back_s: float | None
    gap_ms: float | None
    cause: str
    first: str
    refused: int = 0
    renewal: RenewalHow | None = None
    lifetime_s: float | None = None
    point_s: float | None = None
    lag_ms: float = 0.0
    noisy: bool = False
    cut_short: bool = False
    signature: Signature = Signature()


class InBandFinding(msgspec.Struct, frozen=True):
    """One renewal in place: a put-token with a new token, answered 200 while the device stayed (`took_ms` later; null where the log does not tell).

    `lifetime_s` and `point_s` speak of the token that was replaced, as of the put-token's arrival. What belongs to the renewal lies between half
    a second before the put-token and two seconds after the answer: `left`, whether the device left then, by whatever cause; the `signature`;
    `lost`, the numbered messages handed over then that are lost. `c2d` and `methods`: what became of what the cloud sent because of it.
    """

    at_s: float
    took_ms: float | None
    lifetime_s: float | None = None
    point_s: float | None = None
    left: bool = False
    lost: tuple[int, ...] = ()
    c2d: Exchanges = Exchanges()
    methods: Exchanges = Exchanges()
    cut_short: bool = False
    signature: Signature = Signature()

    renewal: ClassVar[RenewalHow] = "in-band"
    cause: ClassVar[str] = ""  # nothing ended
    first: ClassVar[str] = ""
    noisy: ClassVar[bool] = False
    gap_ms: ClassVar[None] = None

    @property
    def back_s(self) -> float:
        """When it was over."""
        return self.at_s + (self.took_ms or 0.0) / 1e3

    @property
    def undisturbed(self) -> bool:
        """Whether the device stayed, the application saw nothing, and no message was lost, in either direction."""
        lost = len(self.lost) + self.c2d.lost + self.methods.lost
        return not (self.left or self.signature.app or lost)


class PerRequestFinding(InBandFinding, frozen=True):
    """One renewal over HTTPS: the first request with another token. `left` is always false: there is nothing to leave."""

    renewal: ClassVar[RenewalHow] = "per-request"


class RefusedRenewal(msgspec.Struct, frozen=True):
    """A token other than that in use, presented to renew and refused. `how`: in place, or with a new connection after leaving.

    `code`: the CONNACK's, or the status of the put-token's answer. What followed: `left_s`, when the device left after it, null where it stayed
    (or was away already); `renewed_s`, when a new token was accepted, in whatever way, null where none was. `point_s` speaks of the token to be
    replaced, where it was in place. `signature`: see `harness.analysis.inband`.
    """

    at_s: float
    how: RefusedHow
    code: int
    left_s: float | None = None
    renewed_s: float | None = None
    point_s: float | None = None
    cut_short: bool = False
    signature: Signature = Signature()

    cause: ClassVar[str] = ""  # by itself it ends nothing
    first: ClassVar[str] = ""
    noisy: ClassVar[bool] = False
    gap_ms: ClassVar[None] = None

    @property
    def back_s(self) -> float | None:
        """When it was made up for."""
        return self.renewed_s


Telling = AbsenceFinding | InBandFinding | RefusedRenewal
"""What a row is about."""


class Aftermath(msgspec.Struct, frozen=True):
    """What followed once the hub or a fault had ended the device's stay; see `harness.analysis.aftermath`, also for the reasons.

    `returned`, `unaware_s`: of each such end that shows it, in order. `silent_s`: the longest time watched from an end on without any sign of
    the device. `c2d`: over all returns.
    """

    returned: tuple[Return, ...] = ()
    returned_reason: str = ""
    unaware_s: tuple[float, ...] = ()
    silent_s: float | None = None
    unaware_reason: str = ""
    c2d: C2dAfterReturn | None = None
    c2d_reason: str = ""


class FirstToken(msgspec.Struct, frozen=True):
    """What a token was made for, as the first CONNECT shows it: its expiry tells when it ends, and nobody saw it being made.

    `lifetime_s` counts from the moment the hub accepted the connection. `least_s` counts from the CONNECT, by which the token had been made;
    `most_s` from the command to open, before which the device did not know the settings.
    """

    lifetime_s: float
    least_s: float
    most_s: float


class FirstRefusal(msgspec.Struct, frozen=True):
    """How a device was refused that was never let in; see `harness.analysis.first_refusal`. What it saw stands in the cell's `app` and `log`.

    `at_s`, `check`, `message`, `wire`: of the first time; `pattern`: the message as the documents write it. The SDK's own refusal has but the moment.
    `attempts`: refused by the hub, in the `watched_s` seconds from the first on; `then`: what brought the further ones about, null where that cannot be
    told. `believed`: the application was told that it is connected all the same.
    """

    by: RefusedBy
    at_s: float
    check: str = ""
    message: str = ""
    pattern: str = ""
    wire: str = ""
    attempts: int = 0
    watched_s: float = 0.0
    then: Recovery | None = None
    believed: bool = False


class Duplicate(msgspec.Struct, frozen=True):
    """A message that reached the hub more than once. `dup`: every copy after the first carried the DUP flag.

    Over AMQP there are neither flags nor packet identifiers: every copy is a message of its own.
    """

    id: int
    arrivals: int
    dup: bool
    same_packet_id: bool


class Telemetry(msgspec.Struct, frozen=True):
    """What became of the numbered messages; see `harness.analysis.messages` for the definitions. Counts are of message ids.

    `sent == reached + lost + send_failed + unfinished`; `failed_but_reached` are among the `reached`. `untold` names the counts that the log does
    not tell; what stands there is no observation.
    """

    sent: int = 0
    confirmed: int = 0
    reached: int = 0
    lost: int = 0
    duplicated: int = 0
    reordered: int = 0
    send_failed: int = 0
    failed_but_reached: int = 0
    unfinished: int = 0
    lost_ids: tuple[int, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    untold: tuple[str, ...] = ()


class Messages(msgspec.Struct, frozen=True):
    """All traffic of a cell. The `gap_*` are those sent because the device had just left, the `renewal_*` because it was just renewing in place.

    The others do not contain them.
    """

    telemetry: Telemetry = Telemetry()
    c2d: Exchanges = Exchanges()
    methods: Exchanges = Exchanges()
    gap_c2d: Exchanges = Exchanges()
    gap_methods: Exchanges = Exchanges()
    renewal_c2d: Exchanges = Exchanges()
    renewal_methods: Exchanges = Exchanges()


class CellFindings(msgspec.Struct, frozen=True):
    """Everything one cell showed.

    `version` is the measured one: that of the device program's hello (`reported_version`), unless we play the device; without a hello, that of
    the profile. `settings_of` and `awaits_renewals` are the scenario's: whose settings are used, and whether it waits for renewals.
    `status` and `reason` as the run wrote them, `interrupted` where it could not. `awaited`: what the scenario waits for was seen.
    `first_lifetime_s` is what the first token was made for, as near as `first_lifetime_between_s` tells (see `FirstToken`); `set_lifetime_s`
    what the settings or the scenario asked for. `watched_s`: from the first CONNECT to the end. `token_outlived`: a token was watched
    beyond its end and the hub's grace, on a connection that stood until then or was cut for it. `hub_log`, `app`, `log`: of the whole
    cell, as in a `Signature`. `recovery`: after the first refused reconnect. `capabilities`: of the adapter's hello, or null without one.
    `token_use`: over HTTPS, and there alone, whether each request had a token of its own (see `harness.analysis.requests`). `grace_s`: of this cell's hub. `refused`: attempts to be let in or to renew, and the token in use presented once more, that the hub answered so. `disturbed`: the scenario has faults. `about_the_end`: it has, or it sets how the hub ends a connection otherwise than
    by FIN, or lets the application supply a token after the cut, so that what follows is what it is about. `closes_otherwise`: by an option, not by the scenario. `lacks`: kinds of evidence that this
    log has not (see `harness.analysis.lacking`); `clock_rate`: virtual seconds to a real one, null in real time. `circumstances`: a digest of the scenario as used
    (`harness.analysis.circumstances`).
    """

    cell: str
    sdk: str
    sdk_name: str
    version: str
    transport: str
    device: str
    scenario: str
    traffic: str
    credential: str
    status: str
    reason: str = ""
    awaited: bool = False
    repeat: int = 1
    origin: Mapping[str, object] = {}
    way: Mapping[str, object] = {}
    settings: Mapping[str, object] = {}
    settings_of: str = ""
    awaits_renewals: bool = False
    grace_s: float = 0.0
    reported_version: str = ""
    capabilities: tuple[str, ...] | None = None
    first_lifetime_s: float | None = None
    first_lifetime_between_s: tuple[float, float] | None = None
    set_lifetime_s: float | None = None
    watched_s: float = 0.0
    token_outlived: bool = False
    connections: int = 0
    refused: int = 0
    put_tokens: int = 0
    token_use: TokenUse | None = None
    disturbed: bool = False
    about_the_end: bool = False
    closes_otherwise: bool = False
    absences: tuple[AbsenceFinding, ...] = ()
    in_band: tuple[InBandFinding, ...] = ()
    refused_renewals: tuple[RefusedRenewal, ...] = ()
    aftermath: Aftermath = Aftermath()
    first_refusal: FirstRefusal | None = None
    hub_log: tuple[str, ...] = ()
    app: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    messages: Messages = Messages()
    recovery: Recovery | None = None
    recovery_reason: str = ""
    notes: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    clock_rate: float | None = None
    circumstances: str = ""

    @property
    def measured(self) -> bool:
        """Whether the cell ran far enough to be analysed."""
        return self.status in MEASURED

    @property
    def sends_hidden(self) -> bool:
        """Whether the application sent messages and the log does not tell when."""
        return "commands" in self.lacks and "sending" in self.traffic.split("+")

    @property
    def first_token(self) -> FirstToken | None:
        """The first token, or None where none was seen."""
        lifetime = self.first_lifetime_s
        return (
            None if lifetime is None else FirstToken(lifetime, *(self.first_lifetime_between_s or (lifetime, lifetime)))
        )

    @property
    def renewals(self) -> tuple[AbsenceFinding | InBandFinding, ...]:
        """How the device came by its new tokens, in order: the absences from which it came back with one, and the renewals in place."""
        away = [absence for absence in self.absences if absence.renewal is not None]
        return tuple(sorted([*away, *self.in_band], key=_began))

    @property
    def telling(self) -> tuple[Telling, ...]:
        """What the cell is about.

        What a fault of the scenario struck; else its renewals, else cuts for an expired token or a fault, else the absences the hub did not begin.
        """
        if struck := self._struck():
            return struck
        cuts = tuple(absence for absence in self.absences if absence.cause in SCRIPTED | {EXPIRED})
        return self.renewals or cuts or tuple(absence for absence in self.absences if absence.first != "hub")

    def _struck(self) -> tuple[Telling, ...]:
        """The absences a fault began; and of each renewal that was refused, the absence it was refused in or that followed, else the first refusal."""
        if not self.disturbed:
            return ()
        stayed = {one.renewed_s: one for one in reversed(self.refused_renewals) if _kept(one)}
        away = (_with_refusal(absence, self.refused_renewals) for absence in self.absences)
        return tuple(sorted([*(one for one in away if one is not None), *stayed.values()], key=_began))

    @property
    def unexplained(self) -> tuple[AbsenceFinding, ...]:
        """Where no fault disturbed the device: the times it was away besides what the cell is about, but for the hub's cuts for other reasons than a token."""
        if self.disturbed:
            return ()
        others = (one for one in self.absences if one not in self.telling)
        return tuple(one for one in others if one.first != "hub" or one.cause == EXPIRED)


def _began(one: Telling) -> float:
    return one.left_s if isinstance(one, AbsenceFinding) else one.at_s


def _kept(refused: RefusedRenewal) -> bool:
    """Whether the device stayed all the same."""
    return refused.how == "in-band" and refused.left_s is None


def _with_refusal(absence: AbsenceFinding, refusals: Sequence[RefusedRenewal]) -> AbsenceFinding | None:
    """The absence with what the application saw since the refusal that led to it; None where neither a refusal nor a fault struck it."""
    if (led := next((one for one in refusals if one.left_s == absence.left_s), None)) is not None:
        seen = msgspec.structs.replace(absence.signature, app=led.signature.app, log=led.signature.log)
        return msgspec.structs.replace(absence, signature=seen, cut_short=led.cut_short)
    until_s = math.inf if absence.back_s is None else absence.back_s
    met = any(one.how == "reconnect" and absence.left_s <= one.at_s <= until_s for one in refusals)
    return absence if met or absence.cause in SCRIPTED else None
