"""Whether two cells of one scenario's name were put under the same circumstances: its document may have changed between two runs, and options of the command bend it."""

import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec

from harness.events import Header

__all__ = ["circumstances"]

_WORDS: Final = frozenset({"title", "summary"})
_HUB: Final = ("grace_s", "skew_s", "close")
_LENGTH: Final = 12
_DEEPEST: Final = 20
"""No scenario goes deeper; a foreign header may."""


def circumstances(header: Header) -> str:
    """A digest of the scenario as it was used and of the hub's ways, without titles; what says nothing (null, false, zero, empty) counts as what is not there.

    So a later harness, whose scenarios may say more, does not make another of every old one.
    """
    document = {name: value for name, value in header.scenario.items() if name not in _WORDS}
    said = _telling([document, {name: header.hub.get(name) for name in _HUB}], _DEEPEST)
    return hashlib.sha256(msgspec.json.encode(said, order="deterministic")).hexdigest()[:_LENGTH]


def _telling(value: object, deep: int) -> object:
    """The value without members that say nothing; whole numbers are themselves, however they are written."""
    if not deep:
        return None
    if isinstance(value, dict | Mapping):
        said = {name: _telling(one, deep - 1) for name, one in value.items()}
        return {name: one for name, one in said.items() if one}
    if isinstance(value, list | tuple):
        return [_telling(one, deep - 1) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
