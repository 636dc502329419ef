"""Tests of the badge: what it says, in which colour, and that it is a picture."""

from xml.etree import ElementTree as ET

import pytest
from support.rows import CONFIRMED, DIFFERS, a_row, known, not_run

from harness.analysis import Row, check
from harness.known import Entry
from harness.report.badge import badge


@pytest.mark.parametrize(
    ("rows", "entries", "says", "colour"),
    [
        ([a_row(CONFIRMED)], [], "token expiry: as documented", "#2e7d32"),
        ([a_row(DIFFERS)], [known()], "token expiry: 1 differs", "#1565c0"),
        ([a_row(DIFFERS)] * 3, [known()], "token expiry: 3 differ", "#1565c0"),
        ([a_row(DIFFERS)], [], "token expiry: 1 differs, check failed", "#b3261e"),
        ([a_row(CONFIRMED)], [known("hub-log")], "token expiry: as documented, check failed", "#b3261e"),
        ([not_run("environment")], [], "token expiry: nothing measured", "#b3261e"),
        ([a_row(CONFIRMED, complete=False)], [], "token expiry: cut short, check failed", "#b3261e"),
        ([a_row(DIFFERS, complete=False)], [known()], "token expiry: cut short, 1 differs, check failed", "#b3261e"),
    ],
)
def test_what_it_says(rows: list[Row], entries: list[Entry], says: str, colour: str) -> None:
    """To eyes and to screen readers alike."""
    root = ET.fromstring(badge(check(rows, entries)))  # noqa: S314 - a text of ours
    svg = "{http://www.w3.org/2000/svg}"
    assert (root.tag, root.get("aria-label"), root.findtext(f"{svg}title")) == (f"{svg}svg", says, says)
    assert ": ".join(text.text or "" for text in root.iter(f"{svg}text")) == says
    assert colour in [one.get("fill") for one in root.iter(f"{svg}rect")]
    assert float(root.attrib["width"]) == sum(float(one.attrib["width"]) for one in root.findall(f"{svg}g/{svg}rect"))
