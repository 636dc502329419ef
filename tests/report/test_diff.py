"""What one run shows otherwise than another, for people."""

import msgspec
from support.analysis_findings import cell
from support.rows import CONFIRMED, DIFFERS, RECORDED, a_row, not_run

from harness.analysis import Diff, Row, RunFacts, baseline, diff
from harness.report.diff import diff_report

FACTS = RunFacts("one", "2026-01-01T00:00:00Z", harness="0.1.0", machine={"system": "Linux"})


def between(old: list[Row], new: list[Row], facts: RunFacts = FACTS) -> Diff:
    """What these rows show otherwise."""
    return diff(baseline(old, FACTS), baseline(new, facts))


def lines(found: Diff) -> list[str]:
    """The lines of the text, without those that part rows."""
    return [" ".join(line.split()) for line in diff_report(found, "text").splitlines() if line and "---" not in line]


def test_behaviour_comes_first_then_timings() -> None:
    """Each with the versions, the circumstances, and both sides."""
    settings = {"lifetime_s": 20.0}
    old = a_row(renewal="reconnect", version="1.0", gap_ms=(50.0,), settings=settings)
    new = a_row(renewal="in-band", version="2.0", gap_ms=(900.0,), settings=settings)
    assert lines(between([old], [new])) == [
        "What one run shows otherwise than another",
        "old: run one, started 2026-01-01T00:00:00Z, harness 0.1.0, Linux",
        "new: run one, started 2026-01-01T00:00:00Z, harness 0.1.0, Linux",
        "Behaviour changed: 1 of 1 rows",
        "SDK transport scenario old → new",
        "python 1.0 → 2.0 mqtt renewal renewal: reconnect → in-band",
        "real (sending+listening)",
        "lifetime 20 s",
        "Timing changed, beyond the noise of both: 1 of 1 rows",
        "SDK transport scenario old → new",
        "python 1.0 → 2.0 mqtt renewal gap: 50 ms → 900 ms",
        "real (sending+listening)",
        "lifetime 20 s",
        "As before: 0 of 1 rows that both have measured.",
    ]


def test_transports_that_agree_share_a_line() -> None:
    """As in the other tables."""
    old = [a_row(renewal="reconnect", transport=one) for one in ("mqtt", "mqtt-ws")]
    new = [a_row(renewal="none", transport=one) for one in ("mqtt", "mqtt-ws")]
    text = diff_report(between(old, new), "markdown")
    assert "| mqtt<br>mqtt-ws |" in text
    assert text.count("renewal: reconnect → none") == 1


def test_no_change_is_said() -> None:
    """Parts of which there is nothing are left out."""
    assert lines(between([a_row()], [a_row()]))[3:] == [
        "Behaviour changed: no row",
        "As before: 1 of 1 rows that both have measured.",
    ]


def test_another_machine_is_named() -> None:
    """For the timings' sake; a recording's beginning is not known."""
    other = RunFacts("two", machine={"system": "Linux", "cpu": "other"})
    text = lines(between([a_row()], [a_row()], other))
    assert "new: run two, measured elsewhere, Linux, other" in text
    assert "The machines are not the same: they have a part in the timings." in text


def test_what_was_not_measured_says_why() -> None:
    """On either side."""
    text = lines(between([a_row()], [not_run("environment", "no Java")]))
    assert "Not measured: 1 rows" in text
    assert "python 2.14.0 mqtt renewal measured environment: no Java" in text


def test_what_neither_measured_is_told_in_brief() -> None:
    """Once for each reason, which is no news."""
    rows = [not_run("unsupported", "no such call", transport=one) for one in ("mqtt", "amqp")]
    text = lines(between(rows, rows))
    assert "Measured in neither: 2 rows" in text
    assert "python 2.14.0, real, mqtt, amqp: renewal (sending+listening): unsupported: no such call" in text
    assert not any(line.startswith("Not measured") for line in text)
    text = lines(between(rows, []))
    assert "python 2.14.0, real, mqtt, amqp: renewal (sending+listening): unsupported: no such call" in text


def test_what_one_run_alone_has_is_listed() -> None:
    """By SDK, then by transports."""
    new = [a_row(transport="amqp"), a_row(scenario="expiry", origin=RECORDED), a_row(scenario="expiry", traffic="idle")]
    new += [a_row(scenario="cut-idle", traffic="idle", settings={"lifetime_s": 20.0})]
    text = lines(between([a_row()], new))
    assert text[text.index("Only in new: 4 rows") :][:6] == [
        "Only in new: 4 rows",
        "python 2.14.0, real, amqp: renewal (sending+listening)",
        "python 2.14.0, real, recorded 2026-11-24, mqtt: expiry (sending+listening)",
        "python 2.14.0, real, mqtt: expiry (idle), cut-idle (idle, lifetime 20 s)",
        "Only in old: 1 rows",
        "python 2.14.0, real, mqtt: renewal (sending+listening)",
    ]


def test_what_may_be_chance_has_a_part_of_its_own() -> None:
    """And behaviour none of it."""
    told = lines(between([a_row(app=("off", "on"))], [a_row(app=("off", "busy", "on"))]))
    assert "Behaviour changed: no row" in told
    assert "May be chance: 1 of 1 rows" in told


def test_claims_and_what_one_alone_shows_have_parts_of_their_own() -> None:
    """They are no behaviour."""
    other = msgspec.structs.replace(DIFFERS, claimed="never")
    text = lines(between([a_row(DIFFERS)], [a_row(other, CONFIRMED)]))
    assert "Claimed otherwise: the documents changed, not the SDK: 1 of 1 rows" in text
    assert "Shown by one only: 1 of 1 rows" in text


def test_texts_of_others_are_harmless() -> None:
    """For a terminal, and in Markdown."""
    found = between([a_row()], [a_row(app=("status: \x1b[31m<b>|",))], RunFacts("<two>\x1b"))
    assert "\x1b" not in diff_report(found, "text")
    text = diff_report(found, "markdown")
    assert "run &lt;two>" in text
    assert "&lt;b>\\|" in text


def test_other_circumstances_are_named_first() -> None:
    """By the scenarios they are of."""
    old, new = (a_row(cells=(cell(circumstances=one),)) for one in "ab")
    text = diff_report(between([old], [new]), "text")
    assert "are not the same in both, and have a part in what changed: renewal." in " ".join(text.split())
    assert "not the same in both" not in diff_report(between([old], [old]), "text")
