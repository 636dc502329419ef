"""The smaller parts: claims, cells' names, packing."""

import base64
import json
import zlib
from typing import Any

from support.analysis_logs import LogBuilder, early_renewal, header
from support.pages import RECORDED, SCENARIOS, usual_logs

from harness.analysis import Verdict, analyse, chronicles
from harness.events import CellLog
from harness.report.page.cells import Sheet, link, logs_of, sheets
from harness.report.page.claims import claim_lines, rest
from harness.report.page.packing import batches, pack


def told(*logs: CellLog) -> list[Sheet]:
    """The cells of these logs."""
    return sheets(chronicles(analyse(logs), logs, SCENARIOS), {"one": "cells/one.jsonl"})


def a_claim(word: str, claim: str = "renewal") -> Verdict:
    """A verdict."""
    return Verdict(claim, "renewal-point", word, "a", "b", source="A document")  # type: ignore[arg-type]


def rows_with(*verdicts: Verdict, **changes: Any) -> list[Any]:
    """Rows over two transports with these verdicts."""
    (row,) = analyse([early_renewal().log()])
    fields = {"verdicts": verdicts, **changes}
    return [
        type(row)(**{**{n: getattr(row, n) for n in row.__struct_fields__}, **fields, "transport": over})
        for over in ("mqtt", "mqtt-ws")
    ]


def test_claims_that_differ_come_first_and_transports_that_agree_share_a_line() -> None:
    """What is as documented is counted."""
    rows = rows_with(
        a_claim("not observed", "other"), a_claim("differs"), a_claim("confirmed"), a_claim("documents silent")
    )
    assert [(one.verdict.claim, one.transports) for one in claim_lines(rows)] == [
        ("renewal", ("mqtt", "mqtt-ws")),
        ("other", ("mqtt", "mqtt-ws")),
    ]
    assert rest(rows) == ["real: 2 confirmed, 2 documents silent"]


def test_evidence_is_never_merged() -> None:
    """What was recorded has a line of its own."""
    rows = [*rows_with(a_claim("differs")), *rows_with(a_claim("differs"), origin=RECORDED)]
    assert [one.evidence for one in claim_lines(rows)] == ["real", "real, recorded 2026-11-24"]


def test_cells_of_one_name_are_told_apart() -> None:
    """The second gets a number; a link has no character that means anything in an address."""
    here = LogBuilder(header(cell="one")).connect(60).log()
    there = LogBuilder(header(cell="one", origin={"kind": "recorded", "date": "2026-11-24"})).connect(60).log()
    assert [one.name for one in told(here, there)] == ["one", "one~2"]
    assert link("a b&c=<d>+é") == "#cell=a%20b%26c%3D%3Cd%3E%2B%C3%A9"


def test_a_cell_names_the_others_of_its_row() -> None:
    """And the file of its log."""
    logs = [
        early_renewal(at, header(cell=name, settings={"lifetime_s": at, "index": n})).log()
        for n, (name, at) in enumerate((("one", 130.0), ("two", 170.0)))
    ]
    one, two = told(*logs)
    assert (one.siblings, two.siblings, one.file, two.file) == (("two",), ("one",), "cells/one.jsonl", "")


def test_what_is_packed_of_a_log() -> None:
    """Every event with its time, source, kind and fields."""
    first = told(*usual_logs())[0]
    trace = logs_of(first)["trace"]
    assert isinstance(trace, dict)
    assert trace["rows"][1][:3] == (0, "app", "hello")


def test_packing_can_be_undone() -> None:
    """By what every browser has."""
    value = [{"text": "</script>é"}, 1, None]
    packed = pack(value)
    assert json.loads(zlib.decompress(base64.b64decode(packed), -zlib.MAX_WBITS)) == value
    assert packed.isascii()


def test_batches() -> None:
    """The last may be smaller."""
    assert list(batches(range(5), 2)) == [[0, 1], [2, 3], [4]]
