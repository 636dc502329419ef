"""A badge: a small picture that says how many verdicts differ, for a README. SVG without a script, a font or an address in it."""

from typing import Final
from xml.sax.saxutils import escape

from harness.analysis import Check

__all__ = ["badge"]

_LABEL: Final = "token expiry"
_GREEN, _BLUE, _RED = "#2e7d32", "#1565c0", "#b3261e"  # with white letters each has a contrast of 5 or more
_LETTER: Final = 6.6
"""How wide a letter is on average at 11 px; `textLength` makes the text fit, whatever the font."""
_PADDING: Final = 6.0


def badge(found: Check) -> str:
    """The picture: green where all is as documented, blue where what differs is known, red where the check fails or nothing was measured."""
    if not found.measured:
        return _svg(_LABEL, "nothing measured", _RED)
    differ = found.differing
    text = f"{differ} differ{'s' if differ == 1 else ''}" if differ else "as documented"
    if found.cut_short or found.never_began:
        text = f"cut short{f', {text}' if differ else ''}"
    if not found.passed:
        text += ", check failed"
    colour = _RED if not found.passed else _BLUE if differ else _GREEN
    return _svg(_LABEL, text, colour)


def _svg(label: str, text: str, colour: str) -> str:
    left, right = _width(label), _width(text)
    title = escape(f"{label}: {text}")
    return f"""<svg xmlns="http://www.w3.org/2000/svg" width="{left + right:.0f}" height="20" role="img" aria-label="{title}">
<title>{title}</title>
<clipPath id="round"><rect width="{left + right:.0f}" height="20" rx="3"/></clipPath>
<g clip-path="url(#round)">
<rect width="{left:.0f}" height="20" fill="#444"/>
<rect x="{left:.0f}" width="{right:.0f}" height="20" fill="{colour}"/>
</g>
<g fill="#fff" font-family="Verdana, DejaVu Sans, sans-serif" font-size="11">
{_text(label, 0)}
{_text(text, left)}
</g>
</svg>
"""


def _text(text: str, left: float) -> str:
    length = _width(text) - 2 * _PADDING
    return f'<text x="{left + _PADDING:.0f}" y="14" textLength="{length:.0f}" lengthAdjust="spacingAndGlyphs">{escape(text)}</text>'


def _width(text: str) -> float:
    return float(round(len(text) * _LETTER + 2 * _PADDING))
