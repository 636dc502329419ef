"""What one cell showed: immutable, and JSON as it stands (`msgspec.to_builtins`). Times `*_s` are seconds since the cell began.

Words for why a connection went (`AbsenceFinding.cause`):

| cause | the first thing seen |
|---|---|
| `disconnect` | the device sent MQTT DISCONNECT |
| `closed` | the transport closed without one |
| `token-expired`, `keep-alive`, `takeover`, `protocol`, ... | the hub cut it, for that reason |
"""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

__all__ = [
    "EXPIRED",
    "MEASURED",
    "AbsenceFinding",
    "CellFindings",
    "Duplicate",
    "Exchanges",
    "FirstToken",
    "Messages",
    "Recovery",
    "RenewalHow",
    "Signature",
    "Telemetry",
]

RenewalHow = Literal["reconnect", "in-band", "hub-cut", "none"]
Recovery = Literal["none", "retries", "next-send"]
EXPIRED: Final = "token-expired"
"""The cause of a cut at the end of a token's grace."""
MEASURED = frozenset({"finished", "interrupted"})
"""The ends of a cell that leave something to analyse; after any other, status and reason are all there is."""


class Signature(msgspec.Struct, frozen=True):
    """What an absence looked like from both sides, in order, without repetitions: see `harness.analysis.signatures`.

    `hub`: codes of the hub's records. `levels`: `informational`, `error`, `informational+error` or empty. `app`: callbacks and
    exceptions as the application saw them; empty means it saw nothing. `log`: lines of the SDK's own log at WARNING or above.
    """

    hub: tuple[str, ...] = ()
    levels: str = ""
    app: tuple[str, ...] = ()
    log: tuple[str, ...] = ()


class AbsenceFinding(msgspec.Struct, frozen=True):
    """One time the device was away: from leaving (DISCONNECT received, cut, or close seen) to being back (CONNACK 0).

    `renewal` is how it came to the new token, or null where it came back with the same one or not at all. `lifetime_s` and `point_s`
    speak of the token it left with: how long it was made for, and how many seconds after it was made the connection went.
    `refused`: CONNECTs the hub refused meanwhile. `noisy`: the gap is below five times the worst lag of the hub's loop around it.
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


class FirstToken(msgspec.Struct, frozen=True):
    """What a token was made for, as the first CONNECT shows it: its expiry tells when it ends, and nobody saw it being made.

    `lifetime_s` counts from the moment the hub accepted the connection. `least_s` counts from the CONNECT, by which the token had been made;
    `most_s` from the command to open, before which the device did not know the settings.
    """

    lifetime_s: float
    least_s: float
    most_s: float


class Duplicate(msgspec.Struct, frozen=True):
    """A message that reached the hub more than once. `dup`: every copy after the first carried the DUP flag."""

    id: int
    arrivals: int
    dup: bool
    same_packet_id: bool


class Telemetry(msgspec.Struct, frozen=True):
    """What became of the numbered messages; see `harness.analysis.messages` for the definitions. Counts are of message ids.

    `sent == reached + lost + send_failed + unfinished`; `failed_but_reached` are among the `reached`.
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


class Exchanges(msgspec.Struct, frozen=True):
    """Things asked of the device and what became of them: `asked == answered + lost + open`."""

    asked: int = 0
    answered: int = 0
    lost: int = 0
    open: int = 0


class Messages(msgspec.Struct, frozen=True):
    """All traffic of a cell. The `gap_*` are those sent because the device had just left; the others do not contain them."""

    telemetry: Telemetry = Telemetry()
    c2d: Exchanges = Exchanges()
    methods: Exchanges = Exchanges()
    gap_c2d: Exchanges = Exchanges()
    gap_methods: Exchanges = Exchanges()


class CellFindings(msgspec.Struct, frozen=True):
    """Everything one cell showed.

    `version` is the measured one: that of the device program's hello (`reported_version`), unless we play the device; without a hello, that of
    the profile. `settings_of` and `awaits_renewals` are the scenario's: whose settings are used, and whether it waits for renewals.
    `status` and `reason` as the run wrote them, `interrupted` where it could not. `awaited`: what the scenario waits for was seen.
    `first_lifetime_s` is what the first token was made for, as near as `first_lifetime_between_s` tells (see `FirstToken`); `set_lifetime_s`
    what the settings or the scenario asked for. `watched_s`: from the first CONNECT to the end. `token_outlived`: a token was watched
    beyond its end and the hub's grace, on a connection that stood until then or was cut for it. `hub_log`, `app`, `log`: of the whole
    cell, as in a `Signature`. `recovery`: after the first refused reconnect. `capabilities`: of the adapter's hello, or null without one.
    `grace_s`: of this cell's hub.
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
    absences: tuple[AbsenceFinding, ...] = ()
    hub_log: tuple[str, ...] = ()
    app: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    messages: Messages = Messages()
    recovery: Recovery | None = None
    recovery_reason: str = ""
    notes: tuple[str, ...] = ()

    @property
    def measured(self) -> bool:
        """Whether the cell ran far enough to be analysed."""
        return self.status in MEASURED

    @property
    def first_token(self) -> FirstToken | None:
        """The first token, or None where none was seen."""
        lifetime = self.first_lifetime_s
        return (
            None if lifetime is None else FirstToken(lifetime, *(self.first_lifetime_between_s or (lifetime, lifetime)))
        )

    @property
    def renewals(self) -> tuple[AbsenceFinding, ...]:
        """The absences from which the device came back with a new token."""
        return tuple(absence for absence in self.absences if absence.renewal is not None)

    @property
    def telling(self) -> tuple[AbsenceFinding, ...]:
        """The absences the cell is about: its renewals, else cuts for an expired token, else those the hub did not begin."""
        cuts = tuple(absence for absence in self.absences if absence.cause == EXPIRED)
        return self.renewals or cuts or tuple(absence for absence in self.absences if absence.first != "hub")
