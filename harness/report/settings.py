"""Settings in a few words, for headings."""

from collections.abc import Mapping
from typing import Final

__all__ = ["settings_in_words"]

_UNITS: Final = {"lifetime_s": ("lifetime", " s"), "margin_s": ("margin", " s"), "margin_percent": ("margin", " %")}


def settings_in_words(settings: Mapping[str, object]) -> str:
    """Such as `lifetime 20 s, margin 15 %`; empty where nothing was set."""
    return ", ".join(_word(name, value) for name, value in settings.items())


def _word(name: str, value: object) -> str:
    what, unit = _UNITS.get(name, (name, ""))
    return f"{what} {f'{value:g}' if isinstance(value, int | float) else value}{unit}"
