"""The page's colours: every text stands out from whatever it may stand on, in each scheme, by the contrast that WCAG 2.2 asks for (1.4.3, level AA).

A browser's checker judges what it can see; it gives up where a table is scrolled, or on a picture.
"""

import re
from importlib import resources

import pytest

LEAST = 4.5
TEXTS = {
    "bg": ("ink", "dim", "link", "bad", "good", "warn"),
    "panel": ("ink", "dim", "link", "bad", "good", "warn"),
    "faint": ("ink", "dim"),
    "warn-bg": ("ink", "link"),
    "bad-bg": ("ink", "dim"),
    "token": ("ink",),
}
CSS = (resources.files("harness.report.page") / "assets" / "page.css").read_text(encoding="utf-8")
SCHEMES = dict(zip(("light", "dark", "print"), re.findall(r":root \{(.*?)\}", CSS, re.DOTALL), strict=True))


def palette(scheme: str) -> dict[str, str]:
    """The colours by name, as `rrggbb`; what a scheme does not name, it has from the light one."""
    named = {**_colours(SCHEMES["light"]), **_colours(SCHEMES[scheme])}
    return {name: value if len(value) == 6 else "".join(2 * one for one in value) for name, value in named.items()}


def _colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): #([0-9a-f]{3,6});", block))


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2.2 defines it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1, the same, to 21, black on white."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_how_contrast_is_reckoned() -> None:
    """Black on white, and the grey that just suffices on it."""
    assert contrast("000000", "ffffff") == pytest.approx(21)
    assert contrast("767676", "ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("ground", "text"), [(ground, text) for ground, texts in TEXTS.items() for text in texts])
def test_every_text_stands_out(scheme: str, ground: str, text: str) -> None:
    """From its ground."""
    colours = palette(scheme)
    assert contrast(colours[text], colours[ground]) >= LEAST
