"""Characters that nobody can see, or that turn the direction of others, by their numbers: what a log holds is shown as it is, and changes nothing around it."""

import re
from typing import Final

__all__ = ["visible"]

_INVISIBLE: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def visible(text: str) -> str:
    """The text with each of them as `⟨U+202E⟩`; tabs and line breaks stay. The page's script does the same."""
    if text.isprintable():
        return text
    return _INVISIBLE.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)
