"""The service promises neither order nor completeness, and may deliver twice: no cause depends on it."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.hub_log import HubLog, entries_of, findings, judged, lines

from harness.diagnosis import Diagnosed, Finding
from harness.diagnosis.records import Entry
from harness.diagnosis.remedies import Cause

SPAN = 30
END = 50_000
"""All devices are watched for about so long, in seconds."""


def a_device(cause: Cause, name: str) -> HubLog:
    """A device with that cause, which shows over and over again."""
    log, rng = HubLog(name, "acme/1"), random.Random(name)
    if cause == "refused":
        return log.refuse(*range(0, END, 4000))
    log.connect(0)
    if cause == "renewal-noise":
        return log.cut(*range(4200, END, 4200))
    if cause == "clean-renewal":
        return log.renew(*range(2700, END, 2700))
    if cause == "duplicate-identity":
        return log.replaced(*range(3001, END, 3001))
    at = rng.randint(700, 8000)
    while cause == "network" and at < END:
        log.gone(at).connect(at + 30)
        at += rng.randint(700, 8000)
    return log


CAUSES: list[Cause] = ["refused", "duplicate-identity", "network", "renewal-noise", "clean-renewal", "nothing"]
BEHIND = [entry for cause in CAUSES for entry in entries_of(lines(a_device(cause, cause).records))]
LOG = sorted(BEHIND)
EXPECTED = judged(LOG)
RANDOM = st.integers().map(random.Random)  # a draw for each of its numbers would take long


def causes(found: dict[str, Diagnosed]) -> dict[str, Cause]:
    """By device."""
    return {name: told.cause for name, told in found.items()}


def shuffled(entries: list[Entry], rng: random.Random, reach: int) -> list[Entry]:
    """Each record at most about `reach` places from where it was."""
    order = sorted(range(len(entries)), key=lambda place: place + rng.uniform(0, reach))
    return [entries[place] for place in order]


def test_the_causes() -> None:
    """Each device has its own."""
    assert causes(EXPECTED) == {cause: cause for cause in CAUSES}


@given(rng=RANDOM)
def test_out_of_order_within_the_window(rng: random.Random) -> None:
    """Nothing changes, to the last figure."""
    assert judged(shuffled(LOG, rng, SPAN), SPAN) == EXPECTED


@given(rng=RANDOM, share=st.floats(0, 1))
def test_twice(rng: random.Random, share: float) -> None:
    """The second time somewhere near."""
    twice = [entry for entry in LOG for _ in range(1 + (rng.random() < share))]
    assert judged(shuffled(twice, rng, SPAN), SPAN) == EXPECTED


@given(rng=RANDOM)
def test_the_latest_first(rng: random.Random) -> None:
    """As queries are often sorted; the window smaller than the file or not."""
    down = shuffled(LOG[::-1], rng, SPAN)
    assert judged(down, SPAN) == judged(down) == EXPECTED


def incomplete(rng: random.Random) -> list[Entry]:
    """The log without two of each six records in a row of each device, whichever."""
    lost: set[int] = set()
    for cause in CAUSES:
        places = [place for place, entry in enumerate(LOG) if entry[2] == cause]
        for start in range(0, len(places) - 5, 6):
            lost |= set(rng.sample(places[start : start + 6], 2))
    return [entry for place, entry in enumerate(LOG) if place not in lost]


@settings(max_examples=300)
@given(rng=RANDOM)
def test_missing(rng: random.Random) -> None:
    """And some of what is left is there twice, and all of it shuffled."""
    twice = [entry for entry in incomplete(rng) for _ in range(1 + (rng.random() < 0.2))]
    assert causes(judged(shuffled(twice, rng, SPAN), SPAN)) == causes(EXPECTED)


@pytest.mark.parametrize("log", [LOG, LOG[::-1]], ids=["up", "down"])
def test_beyond_the_window(log: list[Entry]) -> None:
    """A window of two, and all shuffled: causes do change, and whichever device is told wrongly has records that are said to be misplaced."""
    wrong: list[Finding] = []
    for seed in range(20):
        found = findings(shuffled(log, random.Random(seed), 1000), 2)
        wrong += [one for name, one in found.items() if one.told.cause != name]
    assert wrong
    assert all(one.misplaced for one in wrong)


@given(rng=RANDOM)
def test_within_the_window_nothing_is_misplaced(rng: random.Random) -> None:
    """Whichever way the file runs."""
    for log in (LOG, LOG[::-1]):
        assert not any(one.misplaced for one in findings(shuffled(log, rng, SPAN), SPAN).values())


def test_each_misplaced_record_counts() -> None:
    """That the next one is later than it makes no difference."""
    moments = [0, 100, 200, 300, 400, 500, 150, 160, 600]
    records = [entry for at in moments for entry in entries_of(lines(HubLog().connect(at).records))]
    assert findings(records, 1)["dev1"].misplaced == 2


def test_files_behind_each_other_are_not_misplaced() -> None:
    """What counts is the order of a device's own records."""
    assert not any(one.misplaced for one in findings(BEHIND, 5).values())


def test_files_behind_each_other() -> None:
    """Each in order: so are the records of a device that stands in one of them."""
    assert judged(BEHIND, 5) == EXPECTED


def denied_renewals(number: int) -> list[Entry]:
    """The article's pattern with the 401003 on a connect, so often."""
    log = HubLog().connect(0)
    for at in range(4200, 4200 * number + 1, 4200):
        log.refuse(at).gone(at + 1).connect(at + 3)
    return entries_of(lines(log.records))


@pytest.mark.parametrize("down", [False, True], ids=["up", "down"])
@pytest.mark.parametrize("number", [6, 59])
def test_any_one_record_of_renewals_with_a_denied_connect_missing(number: int, *, down: bool) -> None:
    """It makes no refusal of them."""
    records = denied_renewals(number)[:: -1 if down else 1]
    for place in range(len(records)):
        found = judged(records[:place] + records[place + 1 :])
        assert found["dev1"].cause == "renewal-noise", place


@given(rng=RANDOM)
def test_some_records_of_renewals_with_a_denied_connect_missing(rng: random.Random) -> None:
    """One in fifty."""
    found = judged(entry for entry in denied_renewals(59) if rng.random() > 0.02)
    assert found["dev1"].cause == "renewal-noise"


Episodes = list[list[Entry]]
"""The records of one device, episode by episode; the first is its first connect, where it has one."""
UNLIKE = [round(20 * 1.1**step) for step in range(70)]
"""Lengths of which no two are alike, as three of those that are drawn by chance may be."""


def of_episodes(shown: str, rng: random.Random) -> Episodes:
    """What is `shown` as many times as are needed for one record to be missing, each time a little otherwise."""
    what = shown.partition(",")[0]
    number = rng.choice([4 if what == "404104" else 3, 4, 5, 6, 12, 24])
    at, period, unlike = 0.0, rng.choice([1500, 2700, 4200, 10_600]), rng.sample(UNLIKE, number)
    episodes = [] if what == "refused" else [HubLog().connect(0)]
    for _ in range(number):
        log, back_s = HubLog(), rng.choice([1, 2, 20, 55] if what in {"401003", "404104", "network"} else [2])
        at += unlike.pop() if what in {"network", "duplicate-identity"} else period + rng.choice([0, 1, 3])
        if what == "401003":
            log.cut(at, back_s=back_s)
        elif what == "denied":
            log.refuse(at).gone(at + 1).connect(at + back_s)
        elif what in {"404104", "network"}:
            log.gone(at).connect(at + back_s)
        elif what == "duplicate-identity":
            log.replaced(at)
        elif what == "clean-renewal":
            log.leave(at).connect(at + back_s)
        else:
            log.refuse(at)
        at += back_s
        episodes.append(log)
    if shown.endswith("never back"):
        episodes[-1].records.pop()
    return [entries_of(lines(log.records)) for log in episodes]


@pytest.mark.parametrize("down", [False, True], ids=["up", "down"])
@pytest.mark.parametrize(
    ("shown", "cause"),
    [
        ("401003", "renewal-noise"),
        ("401003, never back", "refused"),
        ("denied", "renewal-noise"),
        ("denied, never back", "refused"),
        ("404104", "renewal-noise"),
        ("404104, never back", "refused"),
        ("refused", "refused"),
        ("duplicate-identity", "duplicate-identity"),
        ("network", "network"),
        ("clean-renewal", "clean-renewal"),
    ],
)
@settings(max_examples=25)
@given(rng=RANDOM)
def test_any_one_record_missing_that_is_not_of_the_last_episode(
    shown: str, cause: Cause, rng: random.Random, *, down: bool
) -> None:
    """Whatever the device suffers from, if that shows three times (404104 alone: four times)."""
    *before, latest = of_episodes(shown, rng)
    records = [entry for episode in before for entry in episode]
    ends_at = latest[-1][0] + (
        1_000_000 if shown.endswith("never back") else rng.choice([0, 60, 600, 10_000, 1_000_000])
    )
    rest = [*latest, *((ends_at, *entry[1:]) for entry in entries_of(lines(HubLog("other").connect(0).records)))]
    for place in range(len(records) + 1):
        left = sorted([*records[:place], *records[place + 1 :], *rest], reverse=down)
        assert judged(left)["dev1"].cause == cause, records[place : place + 1]
