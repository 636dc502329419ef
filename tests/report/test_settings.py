"""Settings in a few words."""

import pytest

from harness.report.settings import settings_in_words


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({}, ""),
        ({"lifetime_s": 20.0, "margin_percent": 15.0}, "lifetime 20 s, margin 15 %"),
        ({"margin_s": 0.5}, "margin 0.5 s"),
        ({"colour": "red"}, "colour red"),
    ],
)
def test_settings_have_their_units(settings: dict[str, object], text: str) -> None:
    """Where they are known."""
    assert settings_in_words(settings) == text
