"""Characters that nobody can see, or that turn the direction of others, by their numbers: what a log holds is shown as it is, and changes nothing around it."""

import re
from typing import Final

__all__ = ["IN_SCRIPT", "visible"]

_RANGES: Final = (
    *((0x0000, 0x0008), (0x000B, 0x001F), (0x007F, 0x009F), (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C)),
    *((0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F)),
    *((0x3164, 0x3164), (0xD800, 0xDFFF), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF9, 0xFFFB), (0xE0000, 0xE007F)),
)
"""Controls but for tabs and line breaks, marks of direction, fillers, joiners, tags and lone halves of a pair."""
IN_SCRIPT: Final = "".join(f"\\u{{{first:x}}}-\\u{{{last:x}}}" for first, last in _RANGES)
"""The same as the inside of a character class of JavaScript, for the page's script."""
_INVISIBLE: Final = re.compile(f"[{''.join(f'{chr(first)}-{chr(last)}' for first, last in _RANGES)}]")


def visible(text: str) -> str:
    """The text with each of them as `⟨U+202E⟩`; tabs and line breaks stay. The page's script does the same."""
    if text.isascii() and text.isprintable():
        return text
    return _INVISIBLE.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)
