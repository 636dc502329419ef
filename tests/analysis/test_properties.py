"""Promises about any log: cut short, with foreign events, with fields of any type."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.analysis_logs import (
    LogBuilder,
    early_renewal,
    renews_in_place,
    stale_token,
    waits_for_the_cut,
    whole_second_fraction,
)

from harness.analysis.cells import analyse_cell
from harness.analysis.rows import analyse
from harness.analysis.story import story
from harness.analysis.summary import summary
from harness.analysis.telling import tell
from harness.analysis.troublerows import troubles
from harness.events import CellLog, Event, Source, read_cell_log

GOLDEN = [early_renewal(), renews_in_place(), stale_token(), waits_for_the_cut(), whole_second_fraction()]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
KINDS = [
    "connect",
    "connack",
    "disconnect",
    "cut",
    "closed",
    "record",
    "telemetry",
    "c2d-queued",
    "c2d-acknowledged",
    "method-called",
    "method-answered",
    "method-failed",
    "put-token",
    "put-token-answered",
    "accepted",
    "disposition",
    "command",
    "stimulus",
    "lag",
    "note",
    "cell-end",
    "hello",
    "status",
    "sent",
    "send_failed",
    "c2d",
    "line",
]
NAMES = [
    "conn",
    "code",
    "token",
    "cause",
    "first",
    "record",
    "message_id",
    "packet_id",
    "dup",
    "request_id",
    "cmd",
    "id",
    "what",
    "why",
    "worst_ms",
    "over_s",
    "text",
    "level",
    "status",
    "reason",
    "awaited",
    "callback",
    "error",
    "capabilities",
    "sdk_version",
]


def with_events(log: CellLog, events: list[Event]) -> CellLog:
    """The log with other events."""
    return CellLog(log.header, tuple(events), log.complete)


@pytest.mark.parametrize("golden", GOLDEN)
@given(data=st.data())
def test_any_prefix_can_be_analysed(golden: LogBuilder, data: st.DataObject) -> None:
    """A run may stop anywhere, in the middle of a line too."""
    lines = golden.lines()
    kept = lines[: data.draw(st.integers(1, len(lines)))]
    if len(kept) > 1:
        kept[-1] = kept[-1][: data.draw(st.integers(0, len(kept[-1])))]
    log = read_cell_log(kept, where="a test")
    summary(analyse([log]))
    story(log)


@pytest.mark.slow
@pytest.mark.parametrize("golden", GOLDEN)
@given(data=st.data())
def test_foreign_events_change_nothing(golden: LogBuilder, data: st.DataObject) -> None:
    """Kinds of a newer harness, anywhere among the others."""
    log = golden.log()
    events = list(log.events)
    end = events[-1].t
    for _ in range(data.draw(st.integers(1, 5))):
        source: Source = data.draw(st.sampled_from(["hub", "app", "harness"]))
        fields = data.draw(st.dictionaries(st.sampled_from(["conn", "code", "id", "status"]), JSON, max_size=3))
        place = data.draw(st.integers(0, len(events) - 1))
        events.insert(place, Event(0, data.draw(st.integers(0, end)), source, "of-a-newer-harness", fields))
    assert analyse_cell(with_events(log, events)) == analyse_cell(log)


@pytest.mark.slow
@given(
    st.lists(
        st.tuples(
            st.integers(0, 10**9),
            st.sampled_from(["hub", "app", "sdk-log", "harness"]),
            st.sampled_from(KINDS),
            st.dictionaries(st.sampled_from(NAMES), JSON | st.just(1) | st.just(0), max_size=6),
        ),
        max_size=30,
    )
)
def test_fields_of_any_type_can_be_analysed(raw: list[tuple[int, Source, str, dict[str, object]]]) -> None:
    """A damaged or foreign log is read for what it shows."""
    events = [Event(number, *fields) for number, fields in enumerate(raw)]
    log = with_events(LogBuilder().log(), events)
    summary(analyse([log]))
    troubles([tell(log)])
    story(log)


@pytest.mark.slow
@given(st.permutations(range(len(GOLDEN))))
def test_the_order_of_other_cells_does_not_matter(order: list[int]) -> None:
    """Each row is the same wherever its cells stand among those of others."""
    logs = [golden.log() for golden in GOLDEN]
    apart = [
        msgspec.structs.replace(log, header=msgspec.structs.replace(log.header, sdk=str(number)))
        for number, log in enumerate(logs)
    ]
    found = {row.sdk: row for row in analyse(apart[number] for number in order)}
    assert found == {row.sdk: row for row in analyse(apart)}
