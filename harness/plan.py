"""The matrix: profiles x versions x transports x scenarios x settings, as cells that can be run. Pure."""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Literal

import msgspec

from harness.documents import TRANSPORTS, not_finite, one_of
from harness.errors import ScenarioError, UserInputError
from harness.law import Law
from harness.profile import LoadedProfile, Profile, Settings, at_version, settings_problem
from harness.scenario import LONGEST_LIFETIME_S, Scenario

__all__ = ["Cell", "DeviceChoice", "Overrides", "Request", "choose", "make_plan", "parse_margin"]

DeviceChoice = Literal["auto", "real", "emulated", "both"]
_LONGEST_ID: Final = 120  # a device id has up to 128 characters
_SLACK_S: Final = 10.0  # starting, connecting and closing a device on a busy machine


class Overrides(msgspec.Struct, frozen=True):
    """A developer's own settings instead of the profiles' (`--lifetime`, `--margin`)."""

    lifetime_s: float | None = None
    margin_s: float | None = None
    margin_percent: float | None = None

    def __bool__(self) -> bool:
        """Whether anything is overridden."""
        return any(value is not None for value in msgspec.structs.astuple(self))


class Request(msgspec.Struct, frozen=True):
    """What the user asked for. `sdks` may carry versions, as `python@2.14.0`; empty sequences mean all."""

    sdks: Sequence[str] = ()
    transports: Sequence[str] = ()
    device: DeviceChoice = "auto"
    overrides: Overrides = Overrides()
    repeat: int = 1


class Cell(msgspec.Struct, frozen=True):
    """One device under test, on one identity of the hub, in one scenario.

    `settings` is what the application sets; `settings_index` 0 is the profile's main setting. `why_not`: the cell cannot run,
    and why (`status` says which kind). `why_emulated`: what kept the real SDK from being used; empty where an emulated device was asked for.
    `expected_s`: how long it should take. `limit_s`: seconds until the cell is ended.
    """

    id: str
    profile: LoadedProfile
    transport: str
    scenario: Scenario
    settings: Settings
    settings_index: int
    repeat: int
    device: Literal["real", "emulated"]
    expected_s: float
    limit_s: float
    awaited_renewals: int = 0
    status: Literal["", "unsupported", "environment"] = ""
    why_not: str = ""
    why_emulated: str = ""


def make_plan(
    profiles: Sequence[LoadedProfile],
    scenarios: Sequence[Scenario],
    request: Request,
    real_sdk_problem: Callable[[LoadedProfile], str],
    install_problem: Callable[[LoadedProfile], str] = lambda _: "",
) -> list[Cell]:
    """Every cell of the request, in the order of the table; a scenario makes none on a transport that it is not about.

    `profiles` are those of the SDKs to choose from, or those chosen already where the request names none.
    `real_sdk_problem(profile)` says in one sentence why the real SDK cannot run on this machine, or nothing: then an emulated device may stand in.
    `install_problem(profile)` says so of an install that went wrong, which is to be mended: there the real device has the verdict.

    Raises:
        UserInputError: an unknown SDK, version or transport, one that a scenario asked for has nothing to do with, or settings that are
            impossible for an SDK asked for.
    """
    chosen = choose(profiles, request.sdks) if request.sdks else list(profiles)
    for transport in request.transports:
        one_of(transport, TRANSPORTS, what="transport", where="--transport", error=UserInputError)
    _check_overrides(request.overrides)
    for scenario in scenarios:
        _check_scenario(scenario, request.transports)
    cells: list[Cell] = []
    for loaded in chosen:
        devices = _devices(loaded, request.device, real_sdk_problem, install_problem)
        for transport in _transports(loaded.profile, request):
            for scenario in (one for one in scenarios if _is_about(one, transport)):
                for device, problem in devices:
                    cells += _cells(loaded, transport, scenario, request, device, problem)
    for scenario in scenarios:
        _check_made(scenario, chosen, cells)
    return _named_apart(cells)


def _is_about(scenario: Scenario, transport: str) -> bool:
    return transport in scenario.is_about


def _check_scenario(scenario: Scenario, transports: Sequence[str]) -> None:
    """Refuse a scenario that nothing of what was asked for goes with, or that asks a transport for what it cannot do."""
    if transports and not any(_is_about(scenario, transport) for transport in transports):
        raise UserInputError(
            f"the scenario {scenario.id!r} is not about {', '.join(transports)}",
            where="--transport",
            remedy=f"It is about {', '.join(scenario.is_about)}: name one of these, or another scenario",
        )
    for transport in transports or scenario.is_about:
        problem = scenario.close_problem(transport) if _is_about(scenario, transport) else None
        if problem:
            field, close = problem
            raise UserInputError(
                f"{field} = {close} is no way to end a connection over {transport}",
                where=f"scenario {scenario.id}",
                remedy="Use fin or rst, or restrict the run to AMQP with --transport amqp,amqp-ws",
            )


def _check_made(scenario: Scenario, chosen: Sequence[LoadedProfile], cells: Iterable[Cell]) -> None:
    """Refuse a scenario that is about transports which none of the SDKs has."""
    if not any(cell.scenario.id == scenario.id for cell in cells):
        raise UserInputError(
            f"the scenario {scenario.id!r} is about {', '.join(scenario.is_about)}, which no SDK asked for is known to offer",
            where="--scenario",
            remedy=f"Name other SDKs than {', '.join(loaded.profile.sdk for loaded in chosen)}, or another scenario",
        )


def parse_margin(text: str, overrides: Overrides) -> Overrides:
    """`overrides` with the margin of the option `--margin`: seconds (`20`, `20s`) or percent of the lifetime (`15%`).

    Raises:
        UserInputError: it is neither.
    """
    match = re.fullmatch(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>s|%)?", text.strip(), re.IGNORECASE)
    if not match:
        raise UserInputError(
            f"{text!r} is neither seconds nor percent", where="--margin", remedy="Write --margin 20 or --margin 15%"
        )
    field = "margin_percent" if match["unit"] == "%" else "margin_s"
    return msgspec.structs.replace(overrides, **{field: float(match["number"])})


def choose(profiles: Sequence[LoadedProfile], wanted: Iterable[str]) -> list[LoadedProfile]:
    """The profiles of the SDKs asked for, each as often as versions of it are; all of them where none is.

    Raises:
        UserInputError: an unknown SDK, or a version that its profile cannot have installed.
    """
    by_sdk = {loaded.profile.sdk: loaded for loaded in profiles}
    chosen: dict[tuple[str, str], LoadedProfile] = {}
    for name in wanted:
        sdk, at, version = name.partition("@")
        loaded = by_sdk[one_of(sdk, by_sdk, what="SDK", where="--sdk", error=UserInputError)]
        found = at_version(loaded, version) if at else loaded
        key = (sdk, found.profile.version)
        chosen[key] = found if at else chosen.get(key, found)
    return list(chosen.values()) or list(profiles)


def _check_overrides(overrides: Overrides) -> None:
    """Refuse what is impossible for every SDK; what is so for one is found with its profile."""
    for field, number in not_finite(overrides):
        option = "--lifetime" if field == "lifetime_s" else "--margin"
        raise UserInputError(f"{number} is no number to calculate with", where=option, remedy="Use a finite number")
    if overrides.lifetime_s is not None and not 0 < overrides.lifetime_s <= LONGEST_LIFETIME_S:
        raise UserInputError(
            f"{overrides.lifetime_s:g} s is no lifetime of a token",
            where="--lifetime",
            remedy=f"Use seconds above 0, and {LONGEST_LIFETIME_S:.0f} (ten years) at most",
        )


def _devices(
    loaded: LoadedProfile,
    choice: DeviceChoice,
    real_sdk_problem: Callable[[LoadedProfile], str],
    install_problem: Callable[[LoadedProfile], str],
) -> list[tuple[Literal["real", "emulated"], str]]:
    """One device, or, with `both`, each that this machine can have: the emulated one of a version that none can play is left out."""
    if choice != "both":
        return [_device(loaded, choice, real_sdk_problem, install_problem)]
    real = _device(loaded, "auto", real_sdk_problem, install_problem)
    return [real] if real[0] == "emulated" or loaded.other else [real, ("emulated", "")]


def _device(
    loaded: LoadedProfile,
    choice: DeviceChoice,
    real_sdk_problem: Callable[[LoadedProfile], str],
    install_problem: Callable[[LoadedProfile], str],
) -> tuple[Literal["real", "emulated"], str]:
    """An emulated device plays the profile's own version and no other: what it does would be held against the wrong claims."""
    if choice == "emulated":
        return "emulated", ""
    if broken := install_problem(loaded):
        return "real", broken
    problem = real_sdk_problem(loaded)
    return ("emulated" if problem and choice == "auto" and not loaded.other else "real"), problem


def _transports(profile: Profile, request: Request) -> list[str]:
    return list(dict.fromkeys(request.transports)) or [*profile.transports, *profile.not_offered]


def _cells(
    loaded: LoadedProfile,
    transport: str,
    scenario: Scenario,
    request: Request,
    device: Literal["real", "emulated"],
    problem: str,
) -> Iterator[Cell]:
    profile = loaded.profile
    status, why_not = _obstacle(loaded, transport, scenario, device, problem)
    for index, settings in enumerate(_settings(profile, scenario, request.overrides)):
        used = _with_own_lifetime(scenario.over(transport), request.overrides)
        awaited = scenario.end.other_renewals if index and scenario.end.renewals else scenario.end.renewals
        expected = _expected(
            profile, transport, used, settings, max(awaited + scenario.end.refusals, _renewals_until_faults(used))
        )
        for repeat in range(1, request.repeat + 1):
            yield Cell(
                id=_cell_id(profile, transport, scenario, settings, device, repeat),
                profile=loaded,
                transport=transport,
                scenario=used,
                settings=settings,
                settings_index=index,
                repeat=repeat,
                device=device,
                expected_s=expected,
                limit_s=max(used.end.limit_s, expected + _SLACK_S),
                awaited_renewals=awaited,
                status=status,
                why_not=why_not,
                why_emulated=problem if device == "emulated" else "",
            )


def _obstacle(
    loaded: LoadedProfile, transport: str, scenario: Scenario, device: str, problem: str
) -> tuple[Literal["", "unsupported", "environment"], str]:
    unsupported = _unsupported(loaded, transport, device)
    if not unsupported and device == "real":
        unsupported = _not_presented(loaded.profile, transport, scenario)
    if unsupported:
        return "unsupported", unsupported
    if device == "real" and problem:
        return "environment", problem
    adapter = loaded.profile.adapter
    if device == "real" and adapter and transport not in adapter.transports:
        return "unsupported", f"the device program speaks {', '.join(adapter.transports)}"
    return "", ""


def _unsupported(loaded: LoadedProfile, transport: str, device: str) -> str:
    """Why such a cell cannot be, on whatever machine, or an empty text."""
    profile = loaded.profile
    if transport not in profile.transports:
        known = f"is not known to offer {transport}; its profile names {', '.join(profile.transports)}"
        return f"{profile.name} {next((why for lacking, why in profile.not_offered.items() if lacking == transport), known)}"
    if loaded.other and device == "emulated":
        return "only the real SDK can show it: its profile plays another version"
    return loaded.why_not


def _not_presented(profile: Profile, transport: str, scenario: Scenario) -> str:
    """Why no application can bring this about with the real SDK, or an empty text."""
    lacking = (one for one in profile.cannot if one.present in scenario.presents)
    return next((one.why for one in lacking if not one.transports or transport in one.transports), "")


def _settings(profile: Profile, scenario: Scenario, overrides: Overrides) -> list[Settings]:
    if scenario.settings == "none":
        return [Settings()]
    if not overrides:
        return _of_profile(profile, scenario)
    main = profile.settings[0]
    margin = main if overrides.margin_s is None and overrides.margin_percent is None else overrides
    own = Settings(
        lifetime_s=main.lifetime_s if overrides.lifetime_s is None else overrides.lifetime_s,
        margin_s=margin.margin_s,
        margin_percent=margin.margin_percent,
    )
    if problem := settings_problem(profile, own):
        raise ScenarioError(
            problem,
            where=f"--lifetime/--margin for {profile.sdk}",
            remedy=f"Change them, or name other SDKs with --sdk than {profile.sdk}",
        )
    return [own]


def _of_profile(profile: Profile, scenario: Scenario) -> list[Settings]:
    if scenario.settings == "main":
        return list(profile.settings[:1])
    if scenario.settings == "longest":
        alone = [one for one in profile.settings if one.margin_s is None and one.margin_percent is None]
        return [max(alone or profile.settings, key=lambda one: one.lifetime_s or 0.0)]
    return list(profile.settings)


def _with_own_lifetime(scenario: Scenario, overrides: Overrides) -> Scenario:
    if scenario.token_lifetime_s is not None and overrides.lifetime_s is not None:
        return msgspec.structs.replace(scenario, token_lifetime_s=overrides.lifetime_s)
    return scenario


def _expected(profile: Profile, transport: str, scenario: Scenario, settings: Settings, renewals: int) -> float:
    """Seconds from the start until the scenario's end, as far as the profile can tell."""
    grace = scenario.hub.grace_s
    if scenario.credential == "token":
        lifetime = scenario.token_lifetime_s or 0.0
        counted = lifetime + scenario.device.clock_ahead_s  # by the hub's clock
        at_end = counted + grace
        moments = {"half-life": counted / 2, "expiry": counted}
        until_cut = min((moments.get(fault.at, at_end) for fault in scenario.faults), default=at_end)
        awaited = max(scenario.end.cuts, scenario.end.faults) * until_cut
        if scenario.end.refused_requests:
            awaited += lifetime + scenario.hub.skew
    elif scenario.credential == "certificate":
        awaited = 0.0
    else:
        awaited = renewals * _renewal_period(profile, transport, settings, grace)
    return awaited + scenario.end.after_s


def _renewals_until_faults(scenario: Scenario) -> int:
    """Renewals of a device with a key until the awaited faults have struck, at most: one that measures, and one with each."""
    return (
        scenario.end.faults + any(fault.at == "before-renewal" for fault in scenario.faults)
        if scenario.end.faults
        else 0
    )


def _renewal_period(profile: Profile, transport: str, settings: Settings, grace_s: float) -> float:
    """Seconds from one renewal to the next, as far as the profile can tell."""
    emulation = profile.emulation.over(transport)
    lifetime = settings.lifetime_s or profile.emulation.default_lifetime_s
    law = emulation.renewal
    if settings.margin_s is not None and emulation.margin_has_effect:
        law = Law(law="margin", seconds=settings.margin_s)
    elif settings.margin_percent is not None and emulation.margin_has_effect:
        law = Law(law="fraction", fraction=1 - settings.margin_percent / 100)
    period = {"margin": lifetime - law.seconds, "fraction": lifetime * law.fraction, "lifespan": lifetime + law.seconds}
    return period.get(law.law, lifetime + grace_s) + emulation.renewal_quantum_s


def _named_apart(cells: Sequence[Cell]) -> list[Cell]:
    """The cells, none with the name of another: a cell's name is its file's, and its device's on the hub."""
    taken: set[str] = set()
    named: list[Cell] = []
    for cell in cells:
        names = (cell.id if number == 1 else f"{cell.id}-{number}" for number in itertools.count(1))
        free = next(name for name in names if name.lower() not in taken)
        taken.add(free.lower())
        named.append(msgspec.structs.replace(cell, id=free))
    return named


def _cell_id(profile: Profile, transport: str, scenario: Scenario, settings: Settings, device: str, repeat: int) -> str:
    parts = [f"{profile.sdk}-{profile.version}", transport, scenario.id]
    if settings.lifetime_s is not None:
        parts.append(f"L{settings.lifetime_s:g}")
    if settings.margin_s is not None:
        parts.append(f"m{settings.margin_s:g}")
    if settings.margin_percent is not None:
        parts.append(f"m{settings.margin_percent:g}pct")
    parts += [device, str(repeat)]
    return re.sub(r"[^A-Za-z0-9._-]+", "-", "-".join(parts))[:_LONGEST_ID]
