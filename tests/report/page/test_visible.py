"""Characters that nobody can see."""

import re
import sys
import unicodedata

import pytest

from harness.report.page.visible import IN_SCRIPT, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\tb\nc", "a\tb\nc"),
        ("a\x1bb", "a⟨U+001B⟩b"),
        ("\u202eabc", "⟨U+202E⟩abc"),
        ("\u3164", "⟨U+3164⟩"),
        ("\U000e0041", "⟨U+E0041⟩"),
        ("\ud800", "⟨U+D800⟩"),
        ("Grüße, 世界 👍", "Grüße, 世界 👍"),
    ],
)
def test_what_cannot_be_seen_is_told_by_its_number(text: str, shown: str) -> None:
    """And nothing else is."""
    assert visible(text) == shown


def test_every_control_and_every_mark_of_direction_is_told() -> None:
    """Whatever Unicode this Python knows: controls, formats and lone halves of a pair, but for tabs, line breaks, and signs of scripts that have a shape."""
    shaped = {chr(code) for code in (*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD)}
    beyond = ("EGYPTIAN", "SHORTHAND", "MUSICAL")
    for character in map(chr, range(sys.maxunicode + 1)):
        unseen = unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and character not in {"\t", "\n"}
        if unseen and character not in shaped and not unicodedata.name(character, "").startswith(beyond):
            assert visible(character) != character, hex(ord(character))


def test_the_script_means_the_same() -> None:
    """Its class, read as JavaScript would, has the same members."""
    python = re.sub(r"\\u\{([0-9a-f]+)\}", lambda found: f"\\U{int(found[1], 16):08x}", IN_SCRIPT)
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    told = re.sub(f"[{python}]", lambda found: f"⟨U+{ord(found[0]):04X}⟩", everything)
    assert told == visible(everything)
