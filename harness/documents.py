"""Reads TOML documents into typed structures, with errors that name the file, the field and the remedy."""

import difflib
import math
import re
import stat
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeVar, get_args, get_origin

import msgspec

from harness.errors import UserInputError

__all__ = [
    "CONNECTED",
    "TRANSPORTS",
    "Document",
    "Problem",
    "Traffic",
    "Transport",
    "load",
    "not_finite",
    "one_of",
    "parse",
]

Transport = Literal["mqtt", "mqtt-ws", "amqp", "amqp-ws", "https"]
Traffic = Literal["sending", "listening"]
Problem = tuple[str, str, str]
"""What is wrong in a document: the field, the problem, and the remedy."""
TRANSPORTS: tuple[str, ...] = get_args(Transport)
CONNECTED: tuple[str, ...] = tuple(transport for transport in TRANSPORTS if transport != "https")
"""Those over which a device is connected. Over HTTPS it makes requests, each with a token of its own, and nothing lies between them."""

_UNKNOWN_FIELD = re.compile(r"unknown field `(?P<field>[^`]+)`")
_MISSING_FIELD = re.compile(r"missing required field `(?P<field>[^`]+)`")
_UNKNOWN_WORD = re.compile(r"^Invalid enum value (?P<word>.+)$", re.DOTALL)
_PATH = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of the structures that documents are read into: immutable, and an unknown key is an error."""


D = TypeVar("D", bound=Document)


def load(path: Path, kind: type[D], error: type[UserInputError]) -> D:
    """Read the TOML document at `path` as `kind`.

    Raises:
        UserInputError: of the class `error`; no file, unreadable, no TOML, not of this kind, or with a number that is not finite.
    """
    try:
        # A pipe that nobody writes to is waited for without end, and a device may never end.
        if not stat.S_ISREG(path.stat().st_mode):
            raise error("is no ordinary file", where=str(path), remedy="Name a TOML file: no folder, pipe or device")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise error(
            f"cannot be read ({getattr(problem, 'strerror', None) or problem})",
            where=str(path),
            remedy="Check the path and its permissions",
        ) from problem
    return parse(text, kind, error, where=str(path))


def parse(text: str, kind: type[D], error: type[UserInputError], *, where: str) -> D:
    """Read TOML `text` as `kind`; `where` names it in errors. Raises as `load`."""
    raw = _tables(text, error, where)
    _check_schema(raw, kind, error, where)
    try:
        document = msgspec.convert(raw, kind)
    except msgspec.ValidationError as problem:
        raise _explained(str(problem), kind, error, where) from problem
    for field, number in not_finite(document):
        raise error(f"{number} is no number to calculate with", where=where, field=field, remedy="Use a finite number")
    return document


def _tables(text: str, error: type[UserInputError], where: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise error(f"is not TOML ({problem})", where=where, remedy="Correct the syntax at that place") from problem
    except RecursionError as problem:
        remedy = "Nest arrays and inline tables a few levels deep at most"
        raise error("is nested too deep to be read", where=where, remedy=remedy) from problem
    except ValueError as problem:  # the reader lets Python's own limit for the digits of an integer through
        remedy = "Use a number of a few digits"
        raise error("has an integer of too many digits to be read", where=where, remedy=remedy) from problem


def _check_schema(raw: Mapping[str, object], kind: type[Document], error: type[UserInputError], where: str) -> None:
    """Refuse a document of a newer schema than `kind` knows, before anything in it is taken for a mistake."""
    stated, known = raw.get("schema"), get_args(_annotation_at(kind, "schema"))
    if known and isinstance(stated, int) and stated > max(known):
        problem = f"is {stated}, this harness reads up to {max(known)}"
        raise error(problem, where=where, field="schema", remedy="Use a newer harness")


def not_finite(value: object, path: str = "") -> Iterator[tuple[str, float]]:
    """The numbers in a structure that are infinite or not a number, each with its place, as `hub.grace_s`."""
    if isinstance(value, float) and not math.isfinite(value):
        yield path, value
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from not_finite(item, f"{path}[{index}]")
    elif isinstance(value, msgspec.Struct):
        for field in msgspec.structs.fields(value):
            inner = f"{path}.{field.encode_name}" if path else field.encode_name
            yield from not_finite(getattr(value, field.name), inner)


def _explained(problem: str, kind: type[Document], error: type[UserInputError], where: str) -> UserInputError:
    place = _PATH.search(problem)
    path = place["path"] if place else ""
    problem = _PATH.sub("", problem)
    if unknown := _UNKNOWN_FIELD.search(problem):
        known = _fields_at(kind, path)
        field = ".".join(filter(None, (path, unknown["field"])))
        return error("unknown key", where=where, field=field, remedy=_suggestion(unknown["field"], known))
    if missing := _MISSING_FIELD.search(problem):
        field = ".".join(filter(None, (path, missing["field"])))
        return error("is missing", where=where, field=field, remedy=f"Add `{missing['field']}`")
    if unknown := _UNKNOWN_WORD.search(problem):
        words = _words(_annotation_at(kind, path))
        remedy = _nearest(unknown["word"].strip("'"), words) + f"Known here: {', '.join(words)}"
        return error(f"unknown value {unknown['word']}", where=where, field=path, remedy=remedy)
    return error(problem, where=where, field=path, remedy="Correct the value")


def _annotation_at(kind: type[Document], path: str) -> object:
    """The type of what `path` leads to, or None where the path cannot be followed."""
    found: object = kind
    for name in re.findall(r"[a-z_0-9]+(?=\.|\[|$)", re.sub(r"\[[^]]*\]", "", path)):
        found = next((field.type for field in _struct_fields(found) if field.encode_name == name), None)
    return found


def _fields_at(kind: type[Document], path: str) -> list[str]:
    """Names of the fields of the structure that `path` leads to, or none where the path cannot be followed."""
    return [field.encode_name for field in _struct_fields(_annotation_at(kind, path))]


def _struct_fields(annotation: object) -> tuple[msgspec.structs.FieldInfo, ...]:
    candidates = [annotation, *get_args(annotation)]
    for candidate in candidates:
        if isinstance(candidate, type) and issubclass(candidate, msgspec.Struct):
            return msgspec.structs.fields(candidate)
    return ()


def _words(annotation: object) -> list[str]:
    """The values of the first `Literal` in a type, as texts."""
    if get_origin(annotation) is Literal:
        return [str(word) for word in get_args(annotation)]
    return next(filter(None, map(_words, get_args(annotation))), [])


def _suggestion(word: str, known: Sequence[str]) -> str:
    if close := _nearest(word, known):
        return close.strip()
    return f"Known here: {', '.join(known)}" if known else "Remove it"


def _nearest(word: str, known: Sequence[str]) -> str:
    """The question for what was probably meant, with a blank after it, or an empty text."""
    close = difflib.get_close_matches(word, known, n=1)
    return f"Did you mean `{close[0]}`? " if close else ""


def one_of(value: str, known: Iterable[str], *, what: str, where: str, error: type[UserInputError]) -> str:
    """`value` if it is among `known`.

    Raises:
        UserInputError: of the class `error`, with the nearest known value or all of them.
    """
    choices = list(known)
    if value in choices:
        return value
    raise error(f"unknown {what} {value!r}", where=where, remedy=_suggestion(value, choices))
