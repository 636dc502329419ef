"""Keeps secrets out of everything that is written: applied where events are made, before they reach a file.

Two nets. Patterns catch a signature or a key wherever one is written in its usual form. Known secrets (the device keys of the
run, the signatures the hub saw) are caught in every form they can take inside a text: plain, with or without padding, in the
alphabet for URLs, percent-encoded, escaped as in JSON, hexadecimal (also of the bytes it encodes), base64 at each of its three
alignments.
"""

import base64
import re
from bisect import insort
from collections.abc import Mapping, Sequence
from functools import lru_cache
from urllib.parse import quote

__all__ = ["DEEPEST", "MARK", "TOO_DEEP", "Redactor", "spellings"]

MARK = "<redacted>"
DEEPEST = 100  # objects and arrays within each other; nobody reads more, and everything that reads a log goes down them
TOO_DEEP = "<nested too deeply>"
# Each alternative needs a `=`, as it is or percent-encoded; the code below counts on it.
_PATTERNS = re.compile(
    r"(?P<name>(?<![A-Za-z])sig(?:=|%3[dD])|SharedAccessKey(?:=|%3[dD])|SharedAccessSignature=(?!SharedAccessSignature)(?=[A-Za-z0-9+/%]{20}))"
    r"(?P<value>[A-Za-z0-9+/%=_-]+)"
)
_SHORTEST = 12  # a shorter "secret" would blank out ordinary words
_SHORTEST_SPELLING = _SHORTEST - 2  # without its padding
_JSON_ESCAPE = re.compile(r"\\u00(?P<code>2[bBfF]|3[dD]|26)|\\/")
_URL_ALPHABET = str.maketrans("+/", "-_")
_FEW = 500  # spellings; a secret has about 25
_REMEMBERED_TEXTS, _REMEMBERED_LENGTH = 512, 128


def spellings(secret: str) -> frozenset[str]:
    """Every form in which `secret` may appear inside a longer text: see the module's docstring."""
    raw = secret.encode()
    upper = quote(secret, safe="")
    lower = re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), upper)
    forms = {secret, upper, lower, quote(upper, safe=""), raw.hex(), raw.hex().upper()}
    unpadded = secret.removesuffix("=").removesuffix("=")  # base64 pads with two at most
    forms |= {unpadded, secret.translate(_URL_ALPHABET), unpadded.translate(_URL_ALPHABET)}
    forms |= _hexadecimal_of_what_it_encodes(secret)
    for shift in range(3):
        # Only the characters that do not depend on what stands before and after the secret.
        start, end = (0, 2, 3)[shift], (len(raw) + shift) * 8 // 6
        encoded = base64.b64encode(b"\0" * shift + raw).decode()[start:end]
        forms |= {encoded, encoded.translate(_URL_ALPHABET)}
    return frozenset(forms)


def _hexadecimal_of_what_it_encodes(secret: str) -> set[str]:
    try:
        content = base64.b64decode(secret, validate=True).hex()
    except ValueError:
        return set()
    return {content, content.upper()} if len(content) >= _SHORTEST else set()


def _without_json_escapes(text: str) -> str:
    """`text` with those characters of a token or a key put back that writers of JSON escape."""
    return _JSON_ESCAPE.sub(lambda match: chr(int(match["code"], 16)) if match["code"] else "/", text)


class Redactor:
    """Blanks secrets in texts and in the JSON-like values that hold them."""

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        self._spellings: set[str] = set()
        self._longest_first: list[str] = []
        self._by_beginning: dict[str, list[str]] = {}  # longest first
        self._remembered = lru_cache(_REMEMBERED_TEXTS)(self._redact)
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """From now on blank `secret` in every spelling. Secrets under 12 characters are ignored."""
        if len(secret) < _SHORTEST or secret in self._spellings:
            return
        for spelling in spellings(secret) - self._spellings:
            self._spellings.add(spelling)
            insort(self._longest_first, spelling, key=lambda known: -len(known))
            alike = self._by_beginning.setdefault(spelling[:_SHORTEST_SPELLING], [])
            insort(alike, spelling, key=lambda known: -len(known))
        self._remembered.cache_clear()

    def text(self, text: str) -> str:
        """`text` without its secrets. Names of fields, message ids and the like come again and again, and are remembered."""
        if len(text) < _SHORTEST_SPELLING and "=" not in text and "%" not in text:
            return text
        return self._remembered(text) if len(text) <= _REMEMBERED_LENGTH else self._redact(text)

    def _redact(self, text: str) -> str:
        if "\\" in text:
            plain = _without_json_escapes(text)
            redacted = self._blank(plain)
            return self._blank(text) if redacted == plain else redacted
        return self._blank(text)

    def _blank(self, text: str) -> str:
        text = self._search_each(text) if len(self._spellings) <= _FEW else self._search_all(text)
        return _PATTERNS.sub(lambda match: match["name"] + MARK, text) if "=" in text or "%" in text else text

    def _search_each(self, text: str) -> str:
        """A search for each is quickest as long as they are few."""
        for spelling in self._longest_first:
            if spelling in text:
                text = text.replace(spelling, MARK)
        return text

    def _search_all(self, text: str) -> str:
        """One pass, whose price does not depend on how many are known: a device may show the hub any number of tokens."""
        known, kept, start = self._by_beginning, list[str](), 0
        for at in range(len(text) - _SHORTEST_SPELLING + 1):
            if text[at : at + _SHORTEST_SPELLING] in known and at >= start:
                alike = known[text[at : at + _SHORTEST_SPELLING]]
                found = next((spelling for spelling in alike if text.startswith(spelling, at)), "")
                if found:
                    kept += (text[start:at], MARK)
                    start = at + len(found)
        return "".join((*kept, text[start:])) if kept else text

    def value(self, value: object) -> object:
        """`value` (as JSON can hold it) with every text in it redacted, keys of objects included; what is nested deeper than `DEEPEST` is left out."""
        return self._value(value, DEEPEST)

    def _value(self, value: object, deep: int) -> object:
        if value is None or isinstance(value, int | float):
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, (dict, Mapping)):  # most are a dict, and that is quickly seen
            return (
                {self.text(str(key)): self._value(item, deep - 1) for key, item in value.items()} if deep else TOO_DEEP
            )
        if isinstance(value, list | tuple):
            return [self._value(item, deep - 1) for item in value] if deep else TOO_DEEP
        return value
