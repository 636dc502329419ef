"""The recordings that come with the harness: nobody changed them, and what they are there to show is read from them and not from their names."""

import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from harness.analysis import CellFindings, Row
from harness.cli.results import derive_recordings
from harness.events import CellLog
from harness.recorded import bundled_recordings, find_recorded

ROOT = Path(__file__).parent.parent
DOTNET = ROOT / "results" / "recorded" / "dotnet-1.42.3-2026-11-24"
MQTT, AMQP = ("mqtt", "mqtt-ws"), ("amqp", "amqp-ws")
RETRYING, CONNECTED = "Disconnected_Retrying/Communication_Error", "Connected/Connection_Ok"

over_mqtt = pytest.mark.parametrize("transport", MQTT)
over_amqp = pytest.mark.parametrize("transport", AMQP)


@pytest.fixture(scope="module")
def rows() -> dict[tuple[str, str], Row]:
    """By transport and scenario."""
    return {(row.transport, row.scenario): row for row in derive_recordings(DOTNET).rows}


@pytest.fixture(scope="module")
def logs() -> dict[str, CellLog]:
    """By the transcript's name."""
    found = [log for log in find_recorded(DOTNET) if isinstance(log, CellLog)]
    return {log.header.cell.removeprefix("dotnet-1.42.3-"): log for log in found}


def load(name: str) -> ModuleType:
    """A script of the project."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def the_cell(row: Row) -> CellFindings:
    """The only cell of a row."""
    (cell,) = row.cells
    return cell


def verdicts(row: Row) -> dict[str, str]:
    """By claim."""
    return {one.claim: one.verdict for one in row.verdicts}


def shown(log: CellLog, start: float, stop: float) -> list[str]:
    """Kinds of what the application saw between two moments, but for its own messages."""
    seen = (event for event in log.events if event.src == "app" and start <= event.t / 1e6 < stop)
    return [event.kind for event in seen if event.kind != "sent"]


def of_kind(log: CellLog, *kinds: str) -> Iterator[float]:
    """When events of these kinds happened, in seconds."""
    return (event.t / 1e6 for event in log.events if event.kind in kinds)


def test_all_are_whole_and_unchanged() -> None:
    """Whatever stands there is evidence."""
    assert [str(one) for one in find_recorded(bundled_recordings()) if not isinstance(one, CellLog)] == []


def test_the_transcripts_are_there(logs: dict[str, CellLog]) -> None:
    """All thirty-three, measured on a real device, with their provenance."""
    assert len(logs) == 33
    for log in logs.values():
        origin = log.header.origin
        assert (log.header.device, log.header.version, origin["date"]) == ("real", "1.42.3", "2026-11-24")
        assert "source of release tag" in str(origin["built"])


def test_findings_come_out_the_same_on_every_python() -> None:
    """To the byte. Where they differ for a reason: `python scripts/derive_recordings.py` writes them again."""
    for name, text in load("derive_recordings").derived(DOTNET).items():
        assert (DOTNET / name).read_text(encoding="utf-8") == text, name


def test_nothing_of_a_machine_is_in_them() -> None:
    """Neither its name nor a secret."""
    text = "".join(path.read_text(encoding="utf-8") for path in DOTNET.glob("*.jsonl"))
    assert not re.search(r"/home/|/root|/tmp/|sig=|SharedAccessKey", text)


@over_mqtt
def test_mqtt_waits_for_the_cut(rows: dict[tuple[str, str], Row], transport: str) -> None:
    """At lifetime and grace; the application sees the retry and the return; back in 0.10 to 0.17 s."""
    row = rows[transport, "renewal"]
    assert (row.renewal, row.renewals, row.first) == ("hub-cut", 2, ("hub",))
    assert (row.app, row.signature_of) == ((RETRYING, CONNECTED), (2, 2))
    assert all(100 <= gap <= 170 for gap in row.gap_ms)
    assert all(24 <= point <= 25.5 for point in row.points_s)


@over_amqp
def test_amqp_renews_in_place(rows: dict[tuple[str, str], Row], transport: str) -> None:
    """By put-token, with nothing to be seen and nothing lost."""
    row = rows[transport, "renewal"]
    assert (row.renewal, row.renewals, row.app, row.lost) == ("in-band", 3, (), 0)
    assert the_cell(row).absences == ()
    assert all(one.undisturbed for one in the_cell(row).in_band)


@over_mqtt
def test_the_law_of_mqtt(rows: dict[tuple[str, str], Row], transport: str) -> None:
    """The hub's cut, over lifetimes of 20 s and 3600 s, and over MQTT also 1200 s."""
    law = rows[transport, "renewal"].law
    assert law is not None
    assert law.fit is not None
    assert law.fit.law == "hub-cut"
    assert {one.lifetime_s for one in law.observations} == {20, 3600} | ({1200} if transport == "mqtt" else set())


@over_amqp
def test_the_law_of_amqp(rows: dict[tuple[str, str], Row], transport: str) -> None:
    """85 percent of the lifetime, which no margin in seconds explains."""
    row = rows[transport, "renewal"]
    assert row.law is not None
    assert row.law.fit is not None
    assert (row.law.fit.law, round(row.law.fit.value, 3)) == ("fraction", 0.85)
    assert {one.lifetime_s for one in row.law.observations} == {20, 3600}
    assert (row.law_margin_set, verdicts(row)["renewal-point"]) == (False, "confirmed")


@over_mqtt
def test_microsofts_claims_at_the_defaults(rows: dict[tuple[str, str], Row], transport: str) -> None:
    """A drop at every lifespan + 10 minutes it is, a renewal at 85 percent it is not."""
    found = verdicts(rows[transport, "renewal-at-defaults"])
    assert (found["defaults-drop"], found["renewal-point"]) == ("confirmed", "differs")


def test_microsofts_published_example(rows: dict[tuple[str, str], Row]) -> None:
    """A token of 20 minutes: a drop every 30 minutes it is, a renewal at 90 percent it is not."""
    row = rows["mqtt", "published-example"]
    found = verdicts(row)
    assert (found["example-drop"], found["example-renewal"]) == ("confirmed", "differs")
    assert all(abs(point - 1800) < 1.25 for point in row.points_s)


@pytest.mark.parametrize("transport", [*MQTT, *AMQP])
def test_the_default_lifetime(rows: dict[tuple[str, str], Row], transport: str) -> None:
    """An hour, in the first token that tells it clearly."""
    row = rows[transport, "renewal"]
    assert row.default_lifetime_s == pytest.approx(3600, abs=1)
    assert verdicts(row)["lifetime"] == "confirmed"


@over_mqtt
def test_gaps_under_an_accelerated_clock_are_marked(rows: dict[tuple[str, str], Row], transport: str) -> None:
    """They are none of the SDK's; those in real time are."""
    assert rows[transport, "renewal-at-defaults"].clock_rate == 60
    assert rows[transport, "renewal"].clock_rate is None


@pytest.mark.parametrize(
    "name",
    ["amqp-renewal-refused-once", "amqp-renewal-refused-once-idle", "amqp-renewal-refused-500", "amqp-expiry-detach"],
)
def test_a_refused_put_token_is_invisible_until_the_detach(logs: dict[str, CellLog], name: str) -> None:
    """No status and no exception for seven seconds; then it comes back on the connection it has."""
    log = logs[name]
    refused_s = next(event.t / 1e6 for event in log.events if event.fields.get("status") in {401, 500})
    cut_s = next(of_kind(log, "cut"))
    assert cut_s - refused_s > 6.5
    assert shown(log, refused_s, cut_s) == []
    assert shown(log, cut_s, cut_s + 0.2) == ["status", "status"]
    assert {event.fields["conn"] for event in log.events if event.kind == "put-token"} == {1}


def test_an_unanswered_put_token_is_invisible_too(logs: dict[str, CellLog]) -> None:
    """The hub kept silent about the second one."""
    log = logs["amqp-renewal-unanswered-once"]
    _, second, *_ = of_kind(log, "put-token")
    assert second not in set(of_kind(log, "put-token-answered"))
    assert shown(log, second, next(of_kind(log, "cut"))) == []


def test_after_connack_5_an_idle_application_stays_offline(rows: dict[tuple[str, str], Row]) -> None:
    """It was watched for half a minute."""
    row = rows["mqtt", "renewal-refused-idle"]
    (absence,) = the_cell(row).absences
    assert (absence.refused, absence.back_s, row.recovery) == (1, None, "none")
    assert verdicts(row)["refused-recovery-idle"] == "confirmed"


@pytest.mark.parametrize(
    ("transport", "scenario"),
    [
        ("mqtt", "puback-lost-at-cut"),
        ("mqtt-ws", "puback-lost-at-cut"),
        ("mqtt", "puback-lost-again-after-cut"),
    ],
)
def test_messages_under_way_come_again_in_another_order(
    rows: dict[tuple[str, str], Row], transport: str, scenario: str
) -> None:
    """As new messages: neither flag nor packet identifier says that they were sent before. Of all forty none is lost."""
    row = rows[transport, scenario]
    assert (row.sent, row.lost, row.at_least) == (40, 0, ("duplicated", "reordered"))
    assert row.duplicated >= 1
    assert row.reordered >= 1
    assert [(one.dup, one.same_packet_id) for one in the_cell(row).messages.telemetry.duplicates] == [(False, False)]


def test_messages_are_counted_by_the_headers_totals(rows: dict[tuple[str, str], Row]) -> None:
    """The rows hold a few of the 440."""
    row = rows["mqtt", "renewal-at-defaults"]
    assert (row.sent, row.lost, row.unfinished, the_cell(row).messages.telemetry.reached) == (440, 0, 0, 440)


@over_amqp
def test_messages_without_numbers_are_not_said_to_have_come_once(
    rows: dict[tuple[str, str], Row], transport: str
) -> None:
    """Over AMQP the transcripts tell that a message came, not which."""
    row = rows[transport, "renewal"]
    assert (row.sent, row.lost, row.untold) == (60, 0, ("duplicated", "reordered"))


@pytest.mark.parametrize("transport", ["mqtt", "amqp"])
def test_messages_of_rows_that_are_left_out_are_not_said_to_have_arrived(
    rows: dict[tuple[str, str], Row], transport: str
) -> None:
    """Of 45 reached 19; how many of the others failed, only rows would tell that are not there."""
    row = rows[transport, "expiry"]
    assert (row.sent, the_cell(row).messages.telemetry.reached) == (45, 19)
    assert "lost" in row.untold
    assert "send_failed" in row.at_least


def test_what_the_transcripts_lack_is_not_observed(rows: dict[tuple[str, str], Row]) -> None:
    """The hub's log, and what brought about an attempt of an application that sends."""
    row = rows["mqtt", "renewal"]
    assert {verdicts(row)[name] for name in ("hub-log", "hub-log-levels")} == {"not observed"}
    assert verdicts(rows["mqtt", "expiry"])["expiry-recovery"] == "not observed"


def test_nothing_is_there_that_a_transcript_does_not_hold(logs: dict[str, CellLog]) -> None:
    """No command, no record, no line of the SDK's log, no hello, no key, no time of an answer."""
    for log in logs.values():
        kinds = {event.kind for event in log.events}
        assert not kinds & {"command", "record", "line", "hello", "lag", "stimulus"}
        tokens = [event.fields["token"] for event in log.events if "token" in event.fields]
        assert all(set(token) == {"left_s"} for token in tokens if isinstance(token, dict))
        assert {"commands", "hub-log", "sdk-log", "hello", "quiet-rows"} <= set(log.header.lacks)


def test_virtual_seconds_are_marked(logs: dict[str, CellLog]) -> None:
    """Five ran on a clock sixty times as fast."""
    clocks = {name: json.dumps(log.header.origin["clock"]) for name, log in logs.items()}
    fast = {name for name, clock in clocks.items() if '"rate": 60' in clock}
    assert fast == {"mqtt-defaults", "mqtt-ws-defaults", "mqtt-published-example", "amqp-defaults", "amqp-ws-defaults"}


@pytest.mark.slow(seconds=60)
def test_the_emulated_device_agrees_with_the_recordings() -> None:
    """Cell by cell, but for the differences that are known with their reasons, and these are there; takes as long as the recordings."""
    fidelity = load("fidelity")
    logs = [log for log in find_recorded(DOTNET) if isinstance(log, CellLog)]
    lines = fidelity.report(logs)
    differing = {line.partition(":")[0] for line in lines if ": differs" in line}
    assert set(fidelity.KNOWN) - fidelity.BY_CHANCE <= differing <= set(fidelity.KNOWN), "\n".join(lines)
    assert sum(": agrees" in line for line in lines) >= 14
