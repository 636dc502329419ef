"""Entries of the dossier of defects."""

from typing import Any

import msgspec
import pytest
from support.analysis_logs import LogBuilder, header, stale_token

from harness.analysis.defects import Defect
from harness.analysis.dossier import Entry, dossier
from harness.errors import LogError
from harness.events import CellLog

SCENARIOS = {"expiry", "renewal"}
GIVES_UP = Defect("d", "sdk", "T", "X", ("mqtt", "mqtt-ws"), "stays-away")


def a_log(cell: str, transport: str = "mqtt", *, sends: int = 12, **changes: Any) -> CellLog:
    """A cell in which the device was not back."""
    return stale_token(header("expiry", cell=cell, transport=transport, **changes), sends=sends).log()


def entry(logs: dict[str, CellLog], defect: Defect = GIVES_UP) -> Entry:
    """The one entry."""
    (found,) = dossier([defect], logs, SCENARIOS)
    return found


def test_an_entry() -> None:
    """The least cell first, then one for each other transport; the rest by name."""
    logs = {
        "a.jsonl": a_log("a", started="2026-11-25T10:00:00Z"),
        "b.jsonl": a_log("b", sends=3),
        "c.jsonl": a_log("c", "mqtt-ws"),
        "d.jsonl": a_log("d", "mqtt-ws"),
    }
    found = entry(logs)
    assert (found.versions, found.scenarios) == (("1.0",), ("expiry",))
    assert [(one.cell, one.file) for one in found.witnesses] == [
        ("b", "b.jsonl"),
        ("a", "a.jsonl"),
        ("c", "c.jsonl"),
    ]
    assert (found.witnesses[1].date, found.others) == ("2026-11-25", ("d",))
    assert found.smallest[0] == "The application hands it a token for 10 s; the SDK cannot make another."
    assert found.command == "harness compare --sdk sdk@1.0 --device real --transport mqtt,mqtt-ws --scenario expiry"
    assert found.shows == "harness explain b.jsonl"
    longer = entry(logs, msgspec.structs.replace(GIVES_UP, options="--lifetime 9"))
    assert longer.command == f"{found.command} --lifetime 9"


def test_the_lines_of_a_witness() -> None:
    """Moment, source, kind, and what the fields say; a token by what is left of it, an error by its classes, a long text cut short."""
    log = (
        LogBuilder(header("expiry", cell="a"))
        .connect(60)
        .at(10)
        .hub("cut", cause="fault", close="fin", detail="x" * 200)
    )
    log.after(0.1).failure("send_failed", "a.b.E", "F", id=3).at(11).accept().present(20).at(30).end()
    found = entry({"a": log.log()}, Defect("d", "sdk", "T", "X", ("mqtt",), "stays-away"))
    assert found.witnesses[0].lines == (
        f"10.000 s hub cut cause=fault close=fin detail={'x' * 110}…",
        "10.100 s app send_failed id=3 error: E <- F",
        "30.000 s harness cell-end status=finished",
    )
    again = LogBuilder(header(transport="amqp")).enter(60, made_at=0.0).at(10).put_token(60, made_at=0.0).answer().log()
    (line,) = entry({"a": again}, Defect("d", "sdk", "T", "X", ("amqp",), "old-token-again")).witnesses[0].lines
    assert line == "10.000 s hub put-token token: 49.8 s left"


def test_how_a_recorded_defect_is_brought_about() -> None:
    """By the bundled scenario that is said to, else not at all; with what the SDK was built from."""
    origin = {"kind": "recorded", "date": "2026-11-24", "built": "source"}
    logs = {"a": a_log("a", origin=origin), "b": a_log("b", "mqtt-ws", origin=origin)}
    assert (entry(logs).command, entry(logs).witnesses[0].built) == ("", "source")
    again = Defect("d", "sdk", "T", "X", ("mqtt", "mqtt-ws"), "stays-away", repeat="renewal")
    assert entry(logs, again).command.endswith("--scenario renewal")
    own = {"a": a_log("a", scenario_document={"id": "own", "credential": "token"})}
    assert entry(own, Defect("d", "sdk", "T", "X", ("mqtt",), "stays-away")).command == ""


def test_what_is_no_longer_shown() -> None:
    """Is refused by name, on each transport."""
    others = Defect("other", "sdk", "T", "X", ("amqp",), "c2d-dead")
    with pytest.raises(LogError, match="no log shows d over mqtt-ws; other over amqp") as caught:
        dossier([GIVES_UP, others], {"a": a_log("a")}, SCENARIOS)
    assert "no longer reproduced" in str(caught.value)
