"""Device programs in a profile: how one is started, how its SDK is installed, and how other versions of the SDK are. Pure."""

import re
import string
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from harness.documents import Document, Transport, one_of
from harness.errors import ProfileError
from harness.versions import version_problem

__all__ = ["AdapterProgram", "KnownVersion", "OtherVersions", "check_program", "lacking_words", "made_for"]


Way = Literal["gateway", "host-ip", "hosts-file"]


class KnownVersion(Document, frozen=True):
    """A version worth comparing with others. `words`: what has to be filled in to install it, as the versions of packages it goes with."""

    version: str
    words: Mapping[str, str] = {}
    note: str = ""


class OtherVersions(Document, frozen=True):
    """How a version that is not the profile's own is installed, and where its program is started otherwise, how.

    In both commands, `{version}` and the words of its `[[versions]]` are filled in beside those of `AdapterProgram`. `without`: files of the
    folder that are about the profile's own version alone. `covers`: the ranges of versions that the device program can be made with (all
    where it is empty); `why` says why no others. `way`: how they are led to the hub, where that is another way.
    """

    install: tuple[str, ...]
    command: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    covers: tuple[str, ...] = ()
    why: str = ""
    way: Literal["gateway", "host-ip"] | None = None


class AdapterProgram(Document, frozen=True):
    """How the device program is started. In `command`, `{python}` is the harness's interpreter, `{folder}` the folder it runs in.

    `install`: a command, with the same words, that makes the SDK ready in a copy of the profile's folder, in which the program then
    runs; without one, the program runs in the profile's folder as it is. `without`: files of the folder that are left out of the copy.
    `way` is how the SDK is led to the hub: `gateway` (`GatewayHostName`), `host-ip` (`HostName` is the address), `hosts-file` (the
    runtime resolves the hub's name by a file: in `command`, `{hosts_file}` is its path); `ways`: over the transports where it is another.
    `proxy`: whether the SDK's public API takes an HTTP proxy, the way to the hub where port 443 cannot be bound; or the transports over which it does.
    `environment`: variables of the program, with the same words and `{ca_file}`, the path of the authority that it is to trust; those without
    that word are set for `install`, too.
    """

    command: tuple[str, ...]
    runtime: Literal["python", "node", "java", "c", "dotnet"]
    transports: tuple[Transport, ...]
    way: Way = "gateway"
    ways: Mapping[Transport, Literal["gateway", "host-ip"]] = {}
    proxy: bool | tuple[Transport, ...] = False
    install: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    other_versions: OtherVersions | None = None
    environment: Mapping[str, str] = {}

    def way_over(self, transport: str) -> Way:
        """How the SDK is led to the hub over one of its transports."""
        return next((way for name, way in self.ways.items() if name == transport), self.way)

    def takes_proxy(self, transport: str) -> bool:
        """Whether the SDK can be led through a proxy over one of its transports."""
        return self.proxy if isinstance(self.proxy, bool) else transport in self.proxy

    @property
    def takes_ca_file(self) -> bool:
        """Whether the program is told by the path of a file whom to trust."""
        return any(f"{{{_CA_FILE}}}" in text for text in self.environment.values())


def lacking_words(others: OtherVersions, known: KnownVersion) -> list[str]:
    """What has to be filled in to install this version, and is not known."""
    given = {*_WORDS, _HOSTS_FILE, "version", *known.words}
    return sorted(_words_in((*others.install, *others.command)) - given)


def made_for(program: AdapterProgram, others: OtherVersions, known: KnownVersion) -> AdapterProgram:
    """The program of another version, of which no word is lacking."""
    words = {**known.words, "version": known.version}
    return msgspec.structs.replace(
        program,
        install=_with_words(others.install, words),
        command=_with_words(others.command, words) or program.command,
        without=others.without,
        way=others.way or program.way,
        other_versions=None,
    )


def check_program(
    program: AdapterProgram, transports: Sequence[str], versions: Sequence[KnownVersion], where: str
) -> None:
    """Raise `ProfileError`, naming the file `where`, the field and the remedy, where a profile's program is wrong."""
    for transport in program.transports:
        one_of(transport, transports, what="transport of the adapter", where=where, error=ProfileError)
    for transport in () if isinstance(program.proxy, bool) else program.proxy:
        one_of(transport, program.transports, what="transport with a proxy", where=where, error=ProfileError)
    for name in ("command", "install"):
        known = (*_WORDS, *([_HOSTS_FILE] if name == "command" else []))
        if problem := _command_problem(getattr(program, name), known, required=name == "command"):
            raise ProfileError(problem, where=where, field=f"adapter.{name}", remedy=_COMMAND_REMEDY)
    _check_way(program, where)
    _check_environment(program, where)
    if program.other_versions:
        _check_other_versions(program.other_versions, versions, where)


def _check_way(adapter: AdapterProgram, where: str) -> None:
    takes_one = any(f"{{{_HOSTS_FILE}}}" in part for part in adapter.command)
    if takes_one != (adapter.way == "hosts-file"):
        raise ProfileError(
            f"{'takes' if takes_one else 'does not take'} a hosts file, and way is {adapter.way!r}",
            where=where, field="adapter.command", remedy=f'`{{{_HOSTS_FILE}}}` and way = "hosts-file" go together',
        )  # fmt: skip


def _check_environment(adapter: AdapterProgram, where: str) -> None:
    for name, text in adapter.environment.items():
        problem = _part_problem(text, (*_WORDS, _CA_FILE))
        if not _VARIABLE.fullmatch(name):
            problem = f"{name!r} is no name of a variable"
        if problem:
            raise ProfileError(
                problem, where=where, field=f"adapter.environment.{name}",
                remedy="Write a name and a text; {python}, {folder} and {ca_file} are filled in, and a brace itself is written {{ or }}",
            )  # fmt: skip


def _command_problem(command: tuple[str, ...], known: Sequence[str], *, required: bool) -> str:
    """Why no process can be started by this command, or an empty text."""
    if not command:
        return "is empty" if required else ""
    if not command[0].strip():
        return "names no program"
    return next((problem for part in command if (problem := _part_problem(part, known))), "")


def _part_problem(part: str, known: Sequence[str]) -> str:
    if "\0" in part:
        return f"{part!r} holds a NUL, which no argument can"
    if not _placeholders_known(part, known):
        return f"{part!r} holds other braces than {' and '.join(f'{{{word}}}' for word in known)}"
    return ""


def _placeholders_known(part: str, words: Sequence[str]) -> bool:
    known = {(None, None, None), *((word, "", None) for word in words)}
    try:
        return all(tuple(rest) in known for _, *rest in string.Formatter().parse(part))
    except ValueError:
        return False


def _words_in(command: Iterable[str]) -> set[str]:
    return {word for part in command for _, word, *_ in string.Formatter().parse(part) if word}


def _with_words(command: Iterable[str], words: Mapping[str, str]) -> tuple[str, ...]:
    """The command with these words filled in; what is to be filled in later stays."""

    def filled(part: str) -> str:
        return "".join(
            _literal(text) + ("" if word is None else _literal(words[word]) if word in words else f"{{{word}}}")
            for text, word, *_ in string.Formatter().parse(part)
        )

    return tuple(map(filled, command))


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _check_other_versions(others: OtherVersions, versions: Sequence[KnownVersion], where: str) -> None:
    words = {word for known in versions for word in known.words}
    known = (*_WORDS, "version", *sorted(words))
    for name, more in (("install", ()), ("command", (_HOSTS_FILE,))):
        if problem := _command_problem(getattr(others, name), (*known, *more), required=name == "install"):
            raise ProfileError(problem, where=where, field=f"adapter.other_versions.{name}", remedy=_COMMAND_REMEDY)
    for text in others.covers:
        if problem := version_problem(text):
            raise ProfileError(
                problem, where=where, field="adapter.other_versions.covers", remedy='Write it as [">=2.0.0,<3.0.0a1"]'
            )


_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORDS, _HOSTS_FILE = ("python", "folder"), "hosts_file"  # what is filled in, and what more in adapter.command
_CA_FILE = "ca_file"  # and in adapter.environment
_COMMAND_REMEDY = (
    "Name the program and its arguments; {python} and {folder} are filled in, and a brace itself is written {{ or }}"
)
