"""Scenarios: what is done with a device and its hub, and when the cell is over. Each is a TOML document beside this module."""

import re
from collections.abc import Iterable, Iterator
from importlib import resources
from pathlib import Path
from typing import Final, Literal

import msgspec

from harness.certificate import CertificateSettings, certificate_problems
from harness.documents import CONNECTED, Document, Problem, Traffic, Transport, load, not_finite
from harness.errors import ScenarioError
from harness.fault import MOST_TIMES, Fault, fault_problems
from harness.fault_words import AMQP_ONLY_CLOSES, IDENTITY, CloseMode
from harness.own_token import Supply, supply_problems
from harness.registration import Credential, Presented, Registration, TokenMaking, is_refused, registration_problems
from harness.sequence import at_grace_end, most_cuts, most_refusals, sequence_problems

__all__ = [
    "DEFAULT_SCENARIOS",
    "HTTPS_SCENARIOS",
    "LONGEST_LIFETIME_S",
    "End",
    "HubSettings",
    "Intervals",
    "Scenario",
    "bundled_scenarios",
    "find_scenarios",
    "load_scenario",
]

DEFAULT_SCENARIOS = ("renewal", "defaults", "expiry", "expiry-idle")
HTTPS_SCENARIOS = ("https-renewal", "https-defaults", "https-expiry")
HUB_GRACE_S = 600.0
HUB_SKEW_S = 300.0
LONGEST_LIFETIME_S = 315_360_000.0  # ten years of 365 days, the longest lifetime a profile allows by itself
LONGEST_CELL_S = 86_400.0  # a day; whatever an SDK does by itself is seen by then
SHORTEST_INTERVAL_S = 0.01  # more messages a second are a flood, in which nothing of a token is seen
SHORTEST_LIFETIME_S = 1.0  # a token says when it ends in whole seconds
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class HubSettings(Document, frozen=True):
    """How the hub treats the device's token, in seconds; left out, the service's own 600 s of grace, and half of it as skew.

    `grace_s`: an established connection is cut at `se` + grace. `skew_s`: new authentication is accepted until `se` + skew.
    `close`: how it is cut; left out, the transport's own way: FIN over MQTT, over AMQP DETACH of the links.
    `allow_skew_over_grace`: ask for the storm in which an expired device is cut and let in again.
    """

    grace_s: float = HUB_GRACE_S
    skew_s: float | None = None
    close: CloseMode | None = None
    allow_skew_over_grace: bool = False

    @property
    def skew(self) -> float:
        """The skew in seconds, scaled with the grace where nothing set it."""
        return self.grace_s * HUB_SKEW_S / HUB_GRACE_S if self.skew_s is None else self.skew_s

    @property
    def storms(self) -> bool:
        """Whether a device that was cut for its expired token is let in again by it."""
        return self.skew >= self.grace_s


class Intervals(Document, frozen=True):
    """Seconds between messages of each kind, for the kinds the scenario's traffic names.

    `gap_probe`: whenever the device leaves, or renews in place, the hub queues one C2D message and calls one direct method at once.
    """

    send_s: float = 1.0
    c2d_s: float = 4.0
    method_s: float = 4.0
    gap_probe: bool = True


class End(Document, frozen=True):
    """When a cell is over.

    `after_s` after the last awaited thing was seen; at the latest after `limit_s`, or after the time that what is awaited needs at
    the cell's settings, where that is more.

    Awaited are `renewals` (coming back with a new token, or taking one in place; `other_renewals` for settings after the first), `cuts` by the hub, at
    the end of a token's grace or by a fault, `refusals` of a new token by the hub, `faults` that have struck, `refused_requests` over HTTPS, whatever
    their token, or, with none of these, the first connection or the first request that is let in. `first_refusals`: of a device that was never let
    in; there is nothing else to await then.
    """

    after_s: float
    limit_s: float
    renewals: int = 0
    other_renewals: int = 0
    cuts: int = 0
    refusals: int = 0
    first_refusals: int = 0
    faults: int = 0
    refused_requests: int = 0


class Scenario(Document, frozen=True):
    """One scenario. `credential`: the SDK owns the device `key`, or the application hands it a fixed `token` or a client `certificate`, or `none`.

    `device`: how the hub knows it. `token`: how the application's was made; `certificate`: what it presents in place of one.
    `settings`: the `profile`'s (one cell each), the `main` ones of these, the `longest` lifetime among those that leave the margin alone, or `none`:
    whatever the SDK defaults to. `token_lifetime_s`: of the
    fixed token; `supply`: when the application hands over another. An empty `traffic` is an idle application. `transports`: those it is about;
    empty: all over which a device is connected, that is all but `https`, which has to be named. `https_traffic`: what the application does over
    HTTPS, where nothing is seen of an idle one; left out, the same as elsewhere. `faults`: what the hub does wrong.
    `closes_otherwise`: an option of the command changed how its hub ends connections; what is claimed about the scenario is not about that.
    """

    schema: Literal[1]
    id: str
    title: str
    credential: Credential
    traffic: tuple[Traffic, ...]
    settings: Literal["profile", "main", "longest", "none"]
    end: End
    hub: HubSettings = HubSettings()
    intervals: Intervals = Intervals()
    token_lifetime_s: float | None = None
    supply: Supply | None = None
    transports: tuple[Transport, ...] = ()
    https_traffic: tuple[Traffic, ...] | None = None
    faults: tuple[Fault, ...] = ()
    device: Registration = Registration()
    token: TokenMaking = TokenMaking()
    certificate: CertificateSettings | None = None
    summary: str = ""
    closes_otherwise: bool = False

    @property
    def traffic_name(self) -> str:
        """The traffic as tables print it: `idle`, `sending`, `listening` or `sending+listening`."""
        return "+".join(self.traffic) or "idle"

    @property
    def refused_at_first(self) -> bool:
        """Whether the hub refuses the device from the start."""
        return (self.certificate is not None and self.certificate.is_refused(self.is_about)) or is_refused(
            self.device,
            self.token,
            credential=self.credential,
            lifetime_s=self.token_lifetime_s,
            skew_s=self.hub.skew,
        )

    @property
    def presents(self) -> tuple[Presented, ...]:
        """What it needs an SDK to present that not all of them can."""
        asked: dict[Presented, bool] = {
            "no-credential": self.credential == "none",
            "policy-token": self.token.policy is not None,
            "malformed-token": self.token.form != "good",
            "expired-token": self.token.over_s is not None,
        }
        return tuple(what for what, needed in asked.items() if needed)

    @property
    def closes(self) -> dict[str, CloseMode]:
        """The ways of ending a connection that it asks for, by the field that does."""
        asked = {"hub.close": self.hub.close, **{f"faults[{n}].close": one.close for n, one in enumerate(self.faults)}}
        return {field: close for field, close in asked.items() if close is not None}

    @property
    def is_renewed(self) -> bool:
        """Whether anybody renews the device's token: the SDK that owns the key, or the application."""
        return self.credential == "key" or self.supplied > 0

    @property
    def supplied(self) -> int:
        """How many tokens the application hands over after its first."""
        return 0 if self.supply is None else self.supply.tokens

    @property
    def is_about(self) -> tuple[str, ...]:
        """The transports it is about."""
        return self.transports or CONNECTED

    def over(self, transport: str) -> "Scenario":
        """The scenario as it is played over one of its transports."""
        if transport != "https" or self.https_traffic is None:
            return self
        return msgspec.structs.replace(self, traffic=self.https_traffic)

    def close_problem(self, transport: str) -> tuple[str, str] | None:
        """The field that asks for an end that `transport` does not have, and that end; None where there is none."""
        if transport.startswith("amqp"):
            return None
        return next(((field, close) for field, close in self.closes.items() if close in AMQP_ONLY_CLOSES), None)


def load_scenario(path: Path) -> Scenario:
    """Read and check one scenario document.

    Raises:
        ScenarioError: names the file, the field and the remedy.
    """
    scenario = load(path, Scenario, ScenarioError)
    check_scenario(scenario, str(path))
    for field, problem, remedy in _transport_problems(scenario):
        raise ScenarioError(problem, where=str(path), field=field, remedy=remedy)
    return scenario


def bundled_scenarios(ids: Iterable[str]) -> dict[str, Scenario]:
    """Those of `ids` that are bundled; each is in a file of that name."""
    files = {path.stem: path for path in _bundled()}
    return {one: load_scenario(files[one]) for one in ids if one in files}


def _bundled() -> list[Path]:
    return sorted(Path(str(resources.files("harness") / "scenarios")).glob("*.toml"))


def find_scenarios(files: Iterable[Path] = ()) -> dict[str, Scenario]:
    """The bundled scenarios and those in `files`, by id. Raises `ScenarioError`."""
    found: dict[str, Scenario] = {}
    for path in [*_bundled(), *files]:
        scenario = load_scenario(path)
        if scenario.id in found:
            raise ScenarioError(
                f"the scenario {scenario.id!r} exists already",
                where=str(path),
                field="id",
                remedy="Give it an id of its own",
            )
        found[scenario.id] = scenario
    return found


def check_scenario(scenario: Scenario, where: str) -> None:
    """Raise `ScenarioError` where a setting is impossible or contradicts another."""
    for field, number in not_finite(scenario):
        problem = f"{number} is no number to calculate with"
        raise ScenarioError(problem, where=where, field=field, remedy="Use a finite number")
    for problems in (
        _name_problems,
        _hub_problems,
        _token_problems,
        _supply_problems,
        _registration_problems,
        _time_problems,
        _length_problems,
        _refusal_problems,
        _sequence_problems,
        _first_refusal_problems,
        _certificate_problems,
        _endless_problems,
        _https_problems,
    ):
        for field, problem, remedy in problems(scenario):
            raise ScenarioError(problem, where=where, field=field, remedy=remedy)


def _name_problems(scenario: Scenario) -> Iterator[Problem]:
    """The id is part of the device's id and of a file's name, and `--scenario` takes comma lists."""
    if not _ID.fullmatch(scenario.id):
        remedy = "Use up to 64 letters, digits, `-`, `_` and `.`, the first a letter or a digit"
        yield "id", f"{scenario.id!r} is no name of a scenario", remedy
    for name in ("traffic", "transports", "https_traffic"):
        named = getattr(scenario, name) or ()
        if len(set(named)) < len(named):
            yield name, "names one twice", "Name each once"


def _hub_problems(scenario: Scenario) -> Iterator[Problem]:
    hub = scenario.hub
    if hub.grace_s < 0 or hub.skew < 0:
        yield "hub", "grace_s and skew_s cannot be negative", "Use 0 or more seconds"
    if max(hub.grace_s, hub.skew) > LONGEST_LIFETIME_S:
        yield "hub", "grace_s or skew_s is longer than ten years", f"Use {LONGEST_LIFETIME_S:.0f} seconds at most"
    if hub.storms and not hub.allow_skew_over_grace:
        yield (
            "hub.skew_s",
            f"skew_s = {hub.skew:g} is not below grace_s = {hub.grace_s:g}: an expired device would be cut and let in again in a storm",
            "Lower skew_s, raise grace_s, or ask for the storm with allow_skew_over_grace = true",
        )


def _token_problems(scenario: Scenario) -> Iterator[Problem]:
    lifetime = scenario.token_lifetime_s
    lasts = lifetime is not None or scenario.token.over_s is not None
    if (scenario.credential == "token") != lasts:
        yield "token_lifetime_s", 'goes with credential = "token", and only with it', "Set both or neither"
    if lifetime is not None and lifetime <= 0:
        yield "token_lifetime_s", "is not above 0", "The token has to be valid when the device connects"
    if lifetime is not None and 0 < lifetime < SHORTEST_LIFETIME_S:
        yield "token_lifetime_s", "is below 1, and a token ends at a whole second", "Use 1 second or more"
    if lifetime is not None and lifetime > LONGEST_LIFETIME_S:
        yield "token_lifetime_s", "is longer than ten years", f"Use {LONGEST_LIFETIME_S:.0f} seconds at most"
    if scenario.credential in {"token", "none"} and scenario.settings != "none":
        yield (
            "settings",
            f'are for tokens that an SDK makes itself, which it does not with credential = "{scenario.credential}"',
            'Use settings = "none", or credential = "key"',
        )


def _supply_problems(scenario: Scenario) -> Iterator[Problem]:
    yield from supply_problems(scenario.supply, credential=scenario.credential)
    for name in ("renewals", "other_renewals"):
        if scenario.credential == "token" and getattr(scenario.end, name) > scenario.supplied:
            yield (
                f"end.{name}",
                "is more than the tokens the application supplies",
                "Raise supply.times, or await fewer",
            )
    if scenario.supply and scenario.token != TokenMaking():
        yield (
            "token",
            "says how a token is spoilt, and the application goes on supplying good ones",
            "Drop it, or supply",
        )


def _sequence_problems(scenario: Scenario) -> Iterator[Problem]:
    """What never comes for what goes before it."""
    yield from sequence_problems(
        scenario.faults,
        renewed=scenario.is_renewed,
        by_policy=scenario.token.policy is not None,
        skew_s=scenario.hub.skew,
        storms=scenario.hub.storms,
    )
    asked = scenario.supply is not None and scenario.supply.at == "cut" and not scenario.hub.storms
    instead = at_grace_end(scenario.faults)
    if asked and instead and instead.action != "cut":
        yield (
            "supply.at",
            f"is cut, and the hub does not cut for the expiry: {instead.action} at grace-end",
            'Use at = "half-life", or drop the fault',
        )


def _registration_problems(scenario: Scenario) -> Iterator[Problem]:
    yield from registration_problems(
        scenario.device, scenario.token, credential=scenario.credential, lifetime_s=scenario.token_lifetime_s
    )


def _certificate_problems(scenario: Scenario) -> Iterator[Problem]:
    return certificate_problems(
        scenario.certificate,
        credential=scenario.credential,
        settings=scenario.settings,
        faults=scenario.faults,
        transports=scenario.is_about,
    )


def _endless_problems(scenario: Scenario) -> Iterator[Problem]:
    """Ends that wait for what never comes, though the device is let in."""
    if scenario.credential == "certificate":
        for name in ("renewals", "other_renewals"):
            if getattr(scenario.end, name):
                yield f"end.{name}", "nobody renews a certificate", 'Drop it, or use credential = "key"'
        if scenario.end.cuts:
            yield "end.cuts", "nothing ends a connection that was made with a certificate", "Drop it"
    if scenario.end.other_renewals and scenario.settings != "profile":
        yield (
            "end.other_renewals",
            f'are with settings after the first, and with settings = "{scenario.settings}" there is one',
            'Use settings = "profile", or drop it',
        )
    yield from _cut_problems(scenario)


def _cut_problems(scenario: Scenario) -> Iterator[Problem]:
    """Cuts of a device with a fixed token. Over AMQP it may be cut any number of times besides, for bad tokens that it puts."""
    if scenario.is_renewed:
        return
    most = most_cuts(scenario.faults, by_policy=scenario.token.policy is not None, storms=scenario.hub.storms)
    instead = at_grace_end(scenario.faults)
    if scenario.end.cuts and instead and not most:
        problem = f"the hub forgets the only cut: {instead.action} at grace-end"
        yield "end.cuts", problem, "Await `faults`, or drop the fault"
    if scenario.end.cuts > most and not all(transport.startswith("amqp") for transport in scenario.is_about):
        yield (
            "end.cuts",
            f"is above {most}: a token that nobody renews is cut for once, and each fault that cuts adds `times`",
            "Await fewer, or raise `times` of a fault",
        )


def _time_problems(scenario: Scenario) -> Iterator[Problem]:
    end = scenario.end
    for name in ("renewals", "other_renewals", "cuts", "refusals", "faults", "first_refusals", "refused_requests"):
        if getattr(end, name) < 0:
            yield f"end.{name}", "is below 0", "Count what is awaited, 0 for nothing"
        if getattr(end, name) > MOST_TIMES:
            yield f"end.{name}", f"is above {MOST_TIMES}", "Await no more than can happen in a cell"
    if not 0 < end.after_s <= end.limit_s:
        yield "end", "after_s has to be above 0 and limit_s not below it", "Correct the seconds"
    for index, fault in enumerate(scenario.faults):
        if fault.delay_s > end.limit_s:
            problem = f"is longer than the cell may last: end.limit_s = {end.limit_s:g}"
            yield (
                f"faults[{index}].delay_s",
                problem,
                'Shorten it, or use action = "ignore" for an answer that never comes',
            )


def _length_problems(scenario: Scenario) -> Iterator[Problem]:
    """Times that flood a cell with messages, or that no cell lasts."""
    for name in ("send_s", "c2d_s", "method_s"):
        if getattr(scenario.intervals, name) <= 0:
            yield f"intervals.{name}", "is not above 0", "Use the seconds from one message to the next"
        if getattr(scenario.intervals, name) < SHORTEST_INTERVAL_S:
            remedy = f"Use {SHORTEST_INTERVAL_S:g} seconds or more"
            yield f"intervals.{name}", f"is below {SHORTEST_INTERVAL_S:g}: a flood of messages", remedy
    for field, seconds in _durations(scenario):
        if seconds > LONGEST_CELL_S:
            yield field, "is longer than a day", f"Use {LONGEST_CELL_S:.0f} seconds at most"


def _durations(scenario: Scenario) -> Iterator[tuple[str, float]]:
    """The seconds within a cell, each with its field."""
    yield "end.limit_s", scenario.end.limit_s
    for name in ("send_s", "c2d_s", "method_s"):
        yield f"intervals.{name}", getattr(scenario.intervals, name)
    for index, fault in enumerate(scenario.faults):
        yield f"faults[{index}].for_s", fault.for_s or 0.0
    if scenario.supply:
        yield "supply.after_s", scenario.supply.after_s


def _refusal_problems(scenario: Scenario) -> Iterator[Problem]:
    yield from fault_problems(
        scenario.faults, renewed=scenario.is_renewed, traffic=scenario.traffic, transports=scenario.transports
    )
    if scenario.end.refusals and not any(fault.action in {"refuse", *IDENTITY} for fault in scenario.faults):
        yield "end.refusals", "nothing is refused in this scenario", 'Add a fault with action = "refuse", or drop it'
    elif scenario.end.refusals and not scenario.is_renewed:
        remedy = "Await `faults`, or let `[supply]` hand over a further token"
        yield "end.refusals", "counts new tokens, and nobody renews a fixed one", remedy
    most = most_refusals(scenario.faults, by_policy=scenario.token.policy is not None)
    if scenario.end.refusals > most:
        yield "end.refusals", f"is above {most}: no more are refused", "Await fewer, or raise `times` of a fault"
    can_strike = sum(fault.times for fault in scenario.faults)
    if scenario.end.faults > can_strike:
        yield "end.faults", f"is above {can_strike}: no more can strike", "Await fewer, or raise `times` of a fault"


def _first_refusal_problems(scenario: Scenario) -> Iterator[Problem]:
    end, refused = scenario.end, scenario.refused_at_first
    if end.first_refusals and not refused:
        yield (
            "end.first_refusals",
            "nothing refuses this device its first connection",
            "Say under `[device]` or `[token]` what does, or drop it",
        )
    if refused and not end.first_refusals:
        yield "end.first_refusals", "is 0, and this device is never let in", "Count the refusals to see, 1 or more"
    if refused and scenario.faults:
        yield "faults", "strike a device that was let in, and this one never is", "Drop them"
    for name in ("renewals", "other_renewals", "cuts", "refusals"):
        if end.first_refusals and getattr(end, name):
            yield f"end.{name}", "is not to be seen of a device that is never let in", "Drop it"


def _https_problems(scenario: Scenario) -> Iterator[Problem]:
    """Over HTTPS a device sends or asks for messages, or nothing is seen of it; and it has no connection that could be cut."""
    if "https" not in scenario.is_about and scenario.https_traffic is not None:
        yield "https_traffic", "is about https, and the scenario is not", "Name it in `transports`, or drop this"
    if "https" in scenario.is_about:
        if not scenario.over("https").traffic:
            yield (
                "traffic" if scenario.https_traffic is None else "https_traffic",
                "over https nothing is seen of an idle application",
                'Let it send or listen, there at least: https_traffic = ["sending"]; or drop `https`',
            )
        if scenario.end.cuts:
            yield "end.cuts", "over https there is no connection to be cut", "Await `refused_requests`, or drop `https`"
    if scenario.end.refused_requests and set(scenario.is_about) != {"https"}:
        yield "end.refused_requests", "only over https are there requests", 'Add transports = ["https"]'


def _transport_problems(scenario: Scenario) -> Iterator[Problem]:
    """Ends that a transport of the document does not have; where an option of the command asks for one, the plan knows which transports are run."""
    for transport in scenario.is_about:
        if problem := scenario.close_problem(transport):
            field, close = problem
            yield (
                field,
                f"{close} is no way to end a connection over {transport}, which the scenario is about",
                'Use "fin" or "rst", or add transports = ["amqp", "amqp-ws"]',
            )
