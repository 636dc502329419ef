"""Text of others made harmless for a terminal: no control character of it reaches one."""

import unicodedata

__all__ = ["neutral"]

_HARMFUL = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def neutral(text: str, longest: int = 0) -> str:
    r"""`text` with whatever is no visible character (controls, escapes, marks of direction) written as `\x1b`; cut to `longest` characters unless 0."""
    plain = text if text.isascii() and text.isprintable() else "".join(_escaped(character) for character in text)
    return f"{plain[: longest - 1]}…" if longest and len(plain) > longest else plain


def _escaped(character: str) -> str:
    if unicodedata.category(character) not in _HARMFUL:
        return character
    return character.encode("unicode_escape", "surrogatepass").decode()
