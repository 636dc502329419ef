"""Profiles: what an SDK is, how its device program is started, how an emulated device plays it, and what is claimed about it.

A profile is a folder with a `profile.toml`; `Profile` is its shape. Bundled profiles travel with the package.
"""

import datetime as dt
import itertools
import re
import string
from collections.abc import Iterable, Iterator
from importlib import resources
from pathlib import Path
from typing import Literal

import msgspec

from harness.documents import Document, Traffic, Transport, load, one_of
from harness.errors import ProfileError

__all__ = [
    "PROFILE_FILE",
    "AdapterProgram",
    "AppSignal",
    "Claim",
    "ClaimKind",
    "ClaimSource",
    "ClaimValue",
    "Emulation",
    "Farewell",
    "FarewellWay",
    "Law",
    "LoadedProfile",
    "NativeError",
    "Profile",
    "Settings",
    "Signals",
    "When",
    "bundled_folder",
    "find_profiles",
    "load_profile",
    "settings_problem",
]

PROFILE_FILE = "profile.toml"

ClaimKind = Literal[
    "token-lifetime",  # seconds, where nothing set it
    "lifetime-configurable",  # bool
    "renewal-point",  # Law: when a new token is first used, counted in the life of the old one
    "renewal-point-configurable",  # bool
    "disconnect-point",  # Law: when the connection goes, counted in the life of its token
    "renewal-action",  # "reconnect" | "in-band" | "hub-cut" | "none"
    "closes-first",  # "device" | "hub"
    "hub-log-levels",  # "informational" | "informational+error": levels of the hub's records around a renewal
    "hub-signature",  # codes of the hub's records in order, a connect written as "connect", a clean close as "disconnect"
    "app-signature",  # what the application is shown, in order; an empty list is "nothing"
    "recovery",  # "none" | "retries" | "next-send": after a refused reconnect
]


class Law(Document, frozen=True):
    """When something happens in the life of a token of lifetime L, in seconds after it was made.

    `margin`: L - seconds · `fraction`: fraction x L · `lifespan`: L + seconds · `hub-cut`: L + the hub's grace · `none`: never.
    """

    law: Literal["margin", "fraction", "lifespan", "hub-cut", "none"]
    seconds: float = 0.0
    fraction: float = 0.0


ClaimValue = bool | int | float | str | tuple[str, ...] | Law


class ClaimSource(Document, frozen=True):
    """Where a claim stands: a document with section and date, or `document = "measured"` with a date and a note of how."""

    document: str
    date: str
    section: str = ""
    url: str = ""


class When(Document, frozen=True):
    """Under which circumstances a claim is made; what is left out is left open."""

    traffic: tuple[Traffic, ...] | None = None
    credential: Literal["key", "token"] | None = None
    scenario: str | None = None


class Claim(Document, frozen=True):
    """One statement about an SDK, with its source. `versions` are listed one by one; empty `transports` or `versions` mean all."""

    id: str
    kind: ClaimKind
    value: ClaimValue
    source: ClaimSource
    transports: tuple[Transport, ...] = ()
    versions: tuple[str, ...] = ()
    when: When = When()
    note: str = ""


class Settings(Document, frozen=True):
    """What the application sets on its client; what is left out is left to the SDK's default."""

    lifetime_s: float | None = None
    margin_s: float | None = None
    margin_percent: float | None = None


class AdapterProgram(Document, frozen=True):
    """How the device program is started. In `command`, `{python}` is the harness's interpreter, `{folder}` the folder it runs in.

    `install`: a command, with the same words, that makes the SDK ready in a copy of the profile's folder, in which the program then
    runs; without one, the program runs in the profile's folder as it is.
    `way` is how the SDK is led to the hub: `gateway` (`GatewayHostName`), `host-ip` (`HostName` is the address).
    `proxy`: the SDK's public API takes an HTTP proxy, the way to WebSockets where port 443 cannot be bound.
    """

    command: tuple[str, ...]
    runtime: Literal["python", "node", "java", "c", "dotnet"]
    transports: tuple[Transport, ...]
    way: Literal["gateway", "host-ip"] = "gateway"
    proxy: bool = False
    install: tuple[str, ...] = ()


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


class Profile(Document, frozen=True):
    """One SDK. `settings`: what the short scenarios set, the first being the main one; the others let the renewal law show.

    `lifetime_min_s` and `lifetime_max_s` bound the lifetimes at which this SDK behaves at all; `lifetime_note` says why.
    """

    schema: Literal[1]
    sdk: str
    name: str
    language: str
    version: str
    transports: tuple[Transport, ...]
    settings: tuple[Settings, ...]
    emulation: Emulation
    claims: tuple[Claim, ...] = ()
    adapter: AdapterProgram | None = None
    lifetime_min_s: float = 1.0
    lifetime_max_s: float = 315_360_000.0
    lifetime_note: str = ""
    summary: str = ""


class LoadedProfile(msgspec.Struct, frozen=True):
    """A profile and the folder it came from."""

    profile: Profile
    folder: Path


def bundled_folder() -> Path:
    """Where the bundled profiles stand: inside an installed package, else beside the package in a checkout."""
    package = Path(str(resources.files("harness")))
    installed = package / "sdk_profiles"
    return installed if installed.is_dir() else package.parent / "sdk_profiles"


def load_profile(path: Path) -> LoadedProfile:
    """Read and check one profile; `path` is its folder or its `profile.toml`.

    Raises:
        ProfileError: names the file, the field and the remedy.
    """
    file = path / PROFILE_FILE if path.is_dir() else path
    profile = load(file, Profile, ProfileError)
    _check(profile, str(file))
    return LoadedProfile(profile, file.parent)


def find_profiles(folders: Iterable[Path] = ()) -> list[LoadedProfile]:
    """The bundled profiles and those in `folders`, each a profile's folder or a folder of such folders, by SDK.

    Raises:
        ProfileError: a folder holds no profile, a profile is wrong, or two profiles claim the same SDK.
    """
    found = [load_profile(path) for path in _profile_files(bundled_folder())]
    for folder in folders:
        paths = list(_profile_files(folder))
        if not paths:
            raise ProfileError(
                "holds no profile",
                where=str(folder),
                remedy=f"Name a folder with a {PROFILE_FILE}, or one of such folders",
            )
        found += map(load_profile, paths)
    by_sdk: dict[str, LoadedProfile] = {}
    for loaded in found:
        if loaded.profile.sdk in by_sdk:
            other = by_sdk[loaded.profile.sdk].folder
            raise ProfileError(
                f"the SDK {loaded.profile.sdk!r} is already described in {other}",
                where=str(loaded.folder / PROFILE_FILE), field="sdk", remedy="Give it a name of its own",
            )  # fmt: skip
        by_sdk[loaded.profile.sdk] = loaded
    return [by_sdk[sdk] for sdk in sorted(by_sdk)]


def _profile_files(folder: Path) -> Iterator[Path]:
    if (folder / PROFILE_FILE).is_file():
        yield folder / PROFILE_FILE
    elif folder.is_dir():
        yield from sorted(folder.glob(f"*/{PROFILE_FILE}"))


def _check(profile: Profile, where: str) -> None:
    if not _SDK.fullmatch(profile.sdk):
        raise ProfileError(
            f"{profile.sdk!r} cannot be named with --sdk",
            where=where, field="sdk", remedy="Use lower-case letters, digits, `.`, `_` and `-`, a letter or digit first",
        )  # fmt: skip
    _check_settings(profile, where)
    _check_adapter(profile, where)
    _check_emulation(profile.emulation, where)
    _check_claims(profile, where)


def _check_settings(profile: Profile, where: str) -> None:
    if not profile.settings:
        raise ProfileError(
            "is empty", where=where, field="settings", remedy="Add one `[[settings]]` with a short lifetime_s"
        )
    for index, settings in enumerate(profile.settings):
        problem = settings_problem(profile, settings) or _margin_problem(profile, settings)
        if settings in profile.settings[:index]:
            problem = "is there twice; --repeat N runs every cell N times"
        if problem:
            raise ProfileError(
                problem, where=where, field=f"settings[{index}]", remedy="Correct the lifetime or the margin"
            )
    if not profile.transports:
        raise ProfileError("is empty", where=where, field="transports", remedy="Name at least one transport")


def _margin_problem(profile: Profile, settings: Settings) -> str:
    """Why the SDK has no such margin, or an empty text. Not asked of a user's own settings: there it is `unsupported`."""
    for name, value in (("margin-s", settings.margin_s), ("margin-percent", settings.margin_percent)):
        if value is not None and name != profile.emulation.margin_setting:
            return f"{name.replace('-', '_')} = {value:g} is no setting of {profile.name}: its margin_setting says so"
    return ""


def settings_problem(profile: Profile, settings: Settings) -> str:
    """Why these settings are impossible for the SDK, or an empty text."""
    lifetime, margin = settings.lifetime_s, settings.margin_s
    percent = settings.margin_percent
    if lifetime is not None and not profile.lifetime_min_s <= lifetime <= profile.lifetime_max_s:
        why = f": {profile.lifetime_note}" if profile.lifetime_note else ""
        return (
            f"lifetime_s = {lifetime:g} is outside {profile.lifetime_min_s:g} to {profile.lifetime_max_s:g} s,"
            f" the lifetimes {profile.name} can be used with{why}"
        )
    default = profile.emulation.renewal
    if default.law == "margin" and margin is None and lifetime is not None and lifetime <= default.seconds:
        return f"lifetime_s = {lifetime:g} leaves no time before the renewal, {default.seconds:g} s before the end"
    if margin is not None and lifetime is None:
        return f"margin_s = {margin:g} is set without a lifetime_s"
    if margin is not None and lifetime is not None and not 0 <= margin < lifetime:
        return f"margin_s = {margin:g} is not below lifetime_s = {lifetime:g}"
    if percent is not None and not 0 <= percent <= 100:  # noqa: PLR2004 - percent
        return f"margin_percent = {percent:g} is not between 0 and 100"
    return ""


def _check_adapter(profile: Profile, where: str) -> None:
    for transport in profile.adapter.transports if profile.adapter else ():
        one_of(transport, profile.transports, what="transport of the adapter", where=where, error=ProfileError)
    if profile.adapter:
        for name in ("command", "install"):
            if problem := _command_problem(getattr(profile.adapter, name), required=name == "command"):
                raise ProfileError(problem, where=where, field=f"adapter.{name}", remedy=_COMMAND_REMEDY)


def _command_problem(command: tuple[str, ...], *, required: bool) -> str:
    """Why no process can be started by this command, or an empty text."""
    if not command:
        return "is empty" if required else ""
    if not command[0].strip():
        return "names no program"
    for part in command:
        if "\0" in part:
            return f"{part!r} holds a NUL, which no argument can"
        if not _placeholders_known(part):
            return f"{part!r} holds other braces than {{python}} and {{folder}}"
    return ""


def _placeholders_known(part: str) -> bool:
    known = {("python", "", None), ("folder", "", None), (None, None, None)}
    try:
        return all(tuple(rest) in known for _, *rest in string.Formatter().parse(part))
    except ValueError:
        return False


def _check_emulation(emulation: Emulation, where: str) -> None:
    def demand(condition: bool, field: str, problem: str, remedy: str) -> None:  # noqa: FBT001 - reads as a sentence
        if not condition:
            raise ProfileError(problem, where=where, field=f"emulation.{field}", remedy=remedy)

    for name in ("renewal", "own_token_renewal"):
        problem = _law_problem(getattr(emulation, name))
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


def _law_problem(law: Law) -> str:
    """What is impossible about a law, or an empty text."""
    if law.law == "fraction" and not 0 < law.fraction <= 1:
        return f"fraction = {law.fraction:g} is not above 0 and up to 1"
    if law.law == "margin" and law.seconds < 0:
        return f"seconds = {law.seconds:g}: a margin cannot be below 0"
    return ""


def _check_claims(profile: Profile, where: str) -> None:
    seen: set[str] = set()
    for index, claim in enumerate(profile.claims):
        field = f"claims[{index}] ({claim.id})"
        if claim.id in seen:
            raise ProfileError(
                "the id is used twice", where=where, field=field, remedy="Give every claim an id of its own"
            )
        seen.add(claim.id)
        _check_source(claim, where, field)
        _check_versions(claim, where, field)
        if not _value_fits(claim):
            raise ProfileError(
                f"{claim.value!r} is no value of a claim of kind {claim.kind!r}",
                where=where, field=f"{field}.value", remedy=f"Expected: {_VALUE_OF[claim.kind][1]}",
            )  # fmt: skip
    for first, second in itertools.combinations(profile.claims, 2):
        if _overlap(first, second):
            raise ProfileError(
                f"overlaps with the claim {first.id!r}: both speak of {first.kind!r} under the same circumstances",
                where=where, field=second.id, remedy="Separate them by transports, versions or when, or drop one",
            )  # fmt: skip


def _check_source(claim: Claim, where: str, field: str) -> None:
    for name in ("document", "date"):
        if not getattr(claim.source, name).strip():
            raise ProfileError(
                "is empty", where=where, field=f"{field}.source.{name}", remedy="Say where and when the claim was made"
            )
    if claim.source.document != "measured" and not claim.source.section.strip():
        raise ProfileError(
            "is missing", where=where, field=f"{field}.source.section", remedy="Name the section that makes the claim"
        )
    if not _is_date(claim.source.date):
        raise ProfileError(
            f"{claim.source.date!r} is no date",
            where=where, field=f"{field}.source.date", remedy="Write it as 2026-01-31, 2026-01 or 2026",
        )  # fmt: skip


def _is_date(text: str) -> bool:
    if not re.fullmatch(r"[0-9]{4}(-[0-9]{2}){0,2}", text):
        return False
    try:
        dt.date.fromisoformat(text + "-01-01"[len(text) - 4 :])
    except ValueError:
        return False
    return True


def _check_versions(claim: Claim, where: str, field: str) -> None:
    for version in claim.versions:
        if not _VERSION.fullmatch(version):
            raise ProfileError(
                f"{version!r} is no version",
                where=where, field=f"{field}.versions",
                remedy='List the versions one by one, as ["1.4.0", "1.4.1"]; ranges and operators are not read',
            )  # fmt: skip


def _overlap(first: Claim, second: Claim) -> bool:
    return (
        first.kind == second.kind
        and _meet(first.transports, second.transports)
        and _meet(first.versions, second.versions)
        and all(
            None in (mine, theirs) or mine == theirs
            for mine, theirs in zip(_circumstances(first.when), _circumstances(second.when), strict=True)
        )
    )


def _circumstances(when: When) -> tuple[object, ...]:
    """What a claim is made under, each None where it is left open; the order in which traffic is named says nothing."""
    return (None if when.traffic is None else frozenset(when.traffic), when.credential, when.scenario)


def _meet(first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    return not first or not second or bool(set(first) & set(second))


_SDK = re.compile(r"[a-z0-9][a-z0-9._-]*")
_VERSION = re.compile(r"(?=.*[0-9])[0-9A-Za-z][0-9A-Za-z._+-]*")
_LONGEST_KEEP_ALIVE_S = 0xFFFF
_COMMAND_REMEDY = (
    "Name the program and its arguments; {python} and {folder} are filled in, and a brace itself is written {{ or }}"
)
_LAW = (Law,), 'a table { law = "margin" | "fraction" | "lifespan" | "hub-cut" | "none", … }'
_SWITCH = (bool,), "true or false"
_VALUE_OF: dict[ClaimKind, tuple[tuple[type, ...], str]] = {
    "token-lifetime": ((int, float), "seconds above 0"),
    "lifetime-configurable": _SWITCH,
    "renewal-point": _LAW,
    "renewal-point-configurable": _SWITCH,
    "disconnect-point": _LAW,
    "renewal-action": ((str,), '"reconnect", "in-band", "hub-cut" or "none"'),
    "closes-first": ((str,), '"device" or "hub"'),
    "hub-log-levels": ((str,), '"informational" or "informational+error"'),
    "hub-signature": ((tuple,), "a list of codes"),
    "app-signature": ((tuple,), "a list of texts"),
    "recovery": ((str,), '"none", "retries" or "next-send"'),
}
_WORDS: dict[ClaimKind, frozenset[str]] = {
    "renewal-action": frozenset({"reconnect", "in-band", "hub-cut", "none"}),
    "closes-first": frozenset({"device", "hub"}),
    "hub-log-levels": frozenset({"informational", "informational+error"}),
    "recovery": frozenset({"none", "retries", "next-send"}),
}


def _value_fits(claim: Claim) -> bool:
    kinds = _VALUE_OF[claim.kind][0]
    value = claim.value
    if isinstance(value, bool) and bool not in kinds:
        return False
    if isinstance(value, (int, float)) and claim.kind == "token-lifetime":
        return value > 0
    if isinstance(value, Law):
        return Law in kinds and not _law_problem(value)
    return isinstance(value, kinds) and (not isinstance(value, str) or value in _WORDS[claim.kind])
