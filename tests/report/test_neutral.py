"""Text of others made harmless."""

import pytest

from harness.report.neutral import neutral


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("a device, né in 東京", "a device, né in 東京"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\u202egpj.exe\u200b\ufeff\u2028", "\\u202egpj.exe\\u200b\\ufeff\\u2028"),
        ("\x9b1m\ud800\U000e0001", "\\x9b1m\\ud800\\U000e0001"),
    ],
)
def test_what_is_no_visible_character(text: str, harmless: str) -> None:
    """It is told by its number."""
    assert neutral(text) == harmless


def test_long_texts() -> None:
    """Cut, and marked."""
    assert neutral("x" * 20, 10) == "x" * 9 + "…"
    assert neutral("x" * 10, 10) == "x" * 10
