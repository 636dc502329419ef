"""The ranking: who comes first and why, who shares a rank, and what does not qualify."""

from support.advice_rows import FRACTION, HUB_CUT, MARGIN, RECORDED, a_row, an_sdk, cells_of, in_place, left

from harness.analysis.advice import Advice, advise
from harness.analysis.needs import Needs
from harness.analysis.rows import Row

CUT = cells_of(left(10.0, 2), left(50.0, 2))
KEPT = cells_of(in_place(10.0), in_place(50.0))


def advice(*sdks: list[Row], **needs: object) -> Advice:
    """About all these, of one run."""
    return advise([("run", [row for rows in sdks for row in rows])], Needs(**needs))  # type: ignore[arg-type] # its fields


def ranks(found: Advice) -> list[tuple[str, int | None]]:
    """Who qualifies, in order."""
    return [(one.sdk, one.rank) for one in found.candidates]


def test_fewest_errors_come_first_then_fewest_seconds_away_then_fewest_reconnects() -> None:
    """And what stays connected before what leaves for no time to speak of."""
    quick = cells_of(left(10.0, gap_ms=1.0))
    found = advice(
        an_sdk("errs", HUB_CUT, CUT), an_sdk("away"), an_sdk("quick", MARGIN, quick), an_sdk("stays", FRACTION, KEPT)
    )
    assert ranks(found) == [("stays", 1), ("quick", 2), ("away", 3), ("errs", 4)]


def test_those_that_agree_share_a_rank_and_come_by_name() -> None:
    """Each is told with how many; who follows is counted on."""
    found = advice(an_sdk("b"), an_sdk("a"), an_sdk("c", HUB_CUT, CUT))
    assert ranks(found) == [("a", 1), ("b", 1), ("c", 3)]
    assert [one.tied for one in found.candidates] == [1, 1, 0]


def test_an_emulated_device_comes_after_all_real_ones() -> None:
    """However well it does; a recorded real one does not."""
    emulated = an_sdk("a", FRACTION, KEPT, device="emulated")
    recorded = an_sdk("b", FRACTION, KEPT, origin=RECORDED)
    found = advice(emulated, an_sdk("c", HUB_CUT, CUT), recorded)
    assert [(one.sdk, one.origin) for one in found.candidates] == [
        ("b", "real, recorded 2026-01-02"),
        ("c", "real"),
        ("a", "emulated"),
    ]


def test_what_was_not_measured_ranks_last_and_not_as_nought() -> None:
    """Of the real ones."""
    found = advice(an_sdk("silent", FRACTION, KEPT, lacks=("hub-log",)), an_sdk("errs", HUB_CUT, CUT))
    assert ranks(found) == [("errs", 1), ("silent", 2)]


def test_a_limit_that_the_default_breaks_is_met_by_a_longer_lifetime() -> None:
    """That setting is the candidate then, after those that need none."""
    found = advice(an_sdk("cut", HUB_CUT, CUT), an_sdk("worse", FRACTION, cells_of(left(9.0))), max_errors_per_day=1.0)
    assert [(one.sdk, one.settings) for one in found.candidates] == [
        ("worse", "at its defaults (lifetime 60 min)"),
        ("cut", "lifetime 48 h (default 60 min)"),
    ]
    assert found.candidates[1].figures.errors.per_day == (1.0, 1.0)


def test_a_longer_lifetime_that_nobody_saw_obeyed_does_not_qualify() -> None:
    """Nor does one that leaves another need unmet."""
    unknown = [a_row(HUB_CUT, cells_of(left(10.0, 2)))]
    assert not advice(unknown, max_errors_per_day=1.0).candidates
    assert not advice(
        an_sdk("a", HUB_CUT, CUT, lacks=("hub-log",)), max_errors_per_day=1.0, max_away_s_per_day=1.0
    ).candidates


def test_a_lifetime_that_is_asked_for_is_kept_and_the_better_one_told() -> None:
    """What does not qualify with it says with which it would."""
    found = advice(an_sdk("cut", HUB_CUT, CUT), max_errors_per_day=1.0, lifetime_s=7200.0)
    (other,) = found.others
    assert other.settings == "lifetime 2 h (default 60 min)"
    assert other.hint is not None
    assert other.hint.text.startswith("With a lifetime of 48 h it would renew once in 2.01 days")


def test_where_renewals_cost_something_a_day_is_spoken_of() -> None:
    """Not where they cost nothing, a lifetime was asked for, or there is no default."""
    hints = [one.hint for one in advice(an_sdk("away"), an_sdk("stays", FRACTION, KEPT)).candidates]
    assert [hint and hint.text.partition(" it ")[0] for hint in hints] == [None, "With a lifetime of 24 h"]
    assert advice(an_sdk(), lifetime_s=7200.0).candidates[0].hint is None
    assert advice(an_sdk(default_lifetime_s=None)).candidates[0].hint is None


def test_the_others_come_nearest_first() -> None:
    """Real ones, then by how many needs they miss, then by how many of these nobody knows."""
    found = advice(
        an_sdk("a", HUB_CUT, CUT, device="emulated"),
        an_sdk("b", HUB_CUT, cells_of(left(10.0, 2, gap_ms=9000.0))),
        an_sdk("c", HUB_CUT, CUT, lacks=("hub-log",)),
        an_sdk("d", HUB_CUT, CUT),
        max_errors_per_day=0.0,
        max_away_s_per_day=50.0,
    )
    assert not found.candidates
    assert [one.sdk for one in found.others] == ["d", "c", "b", "a"]
    assert {one.rank for one in found.others} == {None}


def test_only_what_was_asked_about_is_advised_on() -> None:
    """A transport of which there is nothing is told."""
    found = advice(an_sdk("a"), an_sdk("b"), sdks=("a",), transports=("mqtt", "https"))
    assert ranks(found) == [("a", 1)]
    assert found.unseen == ("https",)


def test_the_order_of_the_rows_does_not_matter() -> None:
    """The same advice, whichever way the logs were read."""
    sdks = [an_sdk("b"), an_sdk("a"), an_sdk("c", HUB_CUT, CUT), an_sdk("d", FRACTION, KEPT, lacks=("hub-log",))]
    assert advice(*sdks, max_errors_per_day=0.0) == advice(*reversed(sdks), max_errors_per_day=0.0)
