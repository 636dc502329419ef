"""The table of errors per device and day."""

import pytest
from support.analysis_findings import renewal, renewing

from harness.analysis import Row
from harness.analysis.findings import Signature
from harness.analysis.law import Fit, LawFinding, Observation
from harness.report.comparison import comparison
from harness.report.layout import WIDTH
from harness.report.volume import HEADING, volume_table

HUB_CUT = LawFinding(Fit("hub-cut", 0.0, 0.0, 0.0, 0.1), observations=(Observation(10.0, 15.0, "hub", 5.0),))
FRACTION = LawFinding(Fit("fraction", 0.75, 0.8, 0.85, 0.1), observations=(Observation(10.0, 8.0),))


def a_row(transport: str, law: LawFinding | None = HUB_CUT, errors: int = 2) -> Row:
    """A row with one renewal of that many error records."""
    seen = renewal(15.0, "hub-cut", signature=Signature(errors=errors, informational=1, app_errors=1))
    return Row(
        "java", "SDK for Java", "2.5.1", transport, "renewal", "sending", "real", {"kind": "this-run"},
        default_lifetime_s=3600.0, law=law, cells=(renewing(10, 15.0, absences=(seen,)),),
    )  # fmt: skip


@pytest.mark.parametrize(
    "part", ["41.1", "2 error and 1 informational records", "20.6: L + grace", "L = 60 min, grace = 10 min"]
)
def test_each_figure_stands_beside_what_it_is_made_of(part: str) -> None:
    """The law, the lifetime, the grace, the records per renewal."""
    assert part in volume_table([a_row("mqtt")], "markdown")


def test_transports_with_the_same_figures_share_a_line() -> None:
    """One line, both names."""
    assert "mqtt<br>mqtt-ws" in volume_table([a_row("mqtt"), a_row("mqtt-ws")], "markdown")


def test_a_law_known_only_roughly_shows_between_what_the_renewals_lie() -> None:
    """0.75 to 0.85 of an hour."""
    assert "28.2 to 32: 0.75 to 0.85 x L" in volume_table([a_row("amqp", FRACTION, 0)], "markdown")


def test_what_was_not_observed_says_so_beside_what_was() -> None:
    """With its reason, and only where something was observed: a table of reasons is none."""
    unknown = a_row("amqp", None)
    assert "not observed" in volume_table([a_row("mqtt"), unknown], "markdown")
    assert "no renewal was observed" in volume_table([a_row("mqtt"), unknown], "markdown")
    assert volume_table([unknown], "text") == ""


def test_it_is_part_of_the_comparison_and_fits() -> None:
    """With its heading, and the sentence below it."""
    text = comparison([a_row("mqtt"), a_row("amqp", None)], "text", brief=True)
    assert HEADING in text
    assert "41 errors a day in the hub's log" in text
    assert max(map(len, text.splitlines())) <= WIDTH
