"""The rows as JSON."""

import msgspec
from support.analysis_logs import LogBuilder, claim, early_renewal, header, renews_in_place

from harness.analysis.rows import analyse
from harness.analysis.summary import summary

PROMISED = {
    "sdk",
    "version",
    "transport",
    "scenario",
    "device",
    "origin",
    "renewal",
    "renewals",
    "put_tokens",
    "hub_log",
    "sent",
    "lost",
    "duplicated",
    "reordered",
    "gap_ms",
    "verdicts",
}


def of(log: LogBuilder) -> dict[str, object]:
    """The only row of what was built, after a journey through JSON."""
    document = msgspec.json.decode(msgspec.json.encode(summary(analyse([log.log()]))))
    assert document["schema"] == 1
    (row,) = document["rows"]
    assert isinstance(row, dict)
    return row


def test_a_row_that_ran() -> None:
    """All that is promised, and neither status nor reason."""
    head = header(settings={"lifetime_s": 130}, claims=(claim("closes-first", "hub"),))
    row = of(early_renewal(130, head))
    assert row.keys() >= PROMISED
    assert row.keys().isdisjoint({"status", "reason"})
    assert (row["renewal"], row["renewals"], row["gap_ms"], row["origin"]) == ("reconnect", 2, [4.0, 4.0], "this-run")
    verdicts = row["verdicts"]
    assert isinstance(verdicts, list)
    assert {"claim": "closes-first", "verdict": "differs", "claimed": "hub", "observed": "device"}.items() <= verdicts[
        0
    ].items()


def test_a_row_that_did_not_run() -> None:
    """Status and reason, and no figure that could be taken for a measurement."""
    row = of(LogBuilder(header(origin={"kind": "recorded", "date": "2026-11-24"})).end("environment", "no port"))
    assert row.keys() >= PROMISED | {"status", "reason"}
    assert (row["status"], row["reason"], row["renewals"], row["sent"], row["gap_ms"]) == (
        "environment",
        "no port",
        None,
        None,
        None,
    )
    assert (row["origin"], row["origin_details"]) == ("recorded", {"kind": "recorded", "date": "2026-11-24"})


def test_cells_do_not_repeat_their_row() -> None:
    """But keep what is their own."""
    cells = of(early_renewal())["cells"]
    assert isinstance(cells, list)
    assert cells[0].keys().isdisjoint({"sdk", "device", "origin"})
    assert cells[0].keys() >= {"cell", "settings", "notes", "absences", "messages"}


def test_a_row_of_renewals_in_place() -> None:
    """As the contract has it: the word, the count of put-tokens, and each renewal with whether it was undisturbed."""
    row = of(renews_in_place())
    assert (row["renewal"], row["put_tokens"], row["gap_ms"], row["hub_log"]) == ("in-band", 3, [], [])
    cells = row["cells"]
    assert isinstance(cells, list)
    assert [one["undisturbed"] for one in cells[0]["in_band"]] == [True, True]
    assert cells[0]["messages"]["renewal_c2d"]["answered"] == 2


def test_what_only_amqp_or_a_fault_can_show_is_left_out() -> None:
    """Where there is none of it, and the scenario is about something else."""
    row = of(early_renewal(130))
    cells = row["cells"]
    assert isinstance(cells, list)
    assert "returned" not in row
    assert cells[0].keys().isdisjoint({"in_band", "refused_renewals", "aftermath", "disturbed", "about_the_end"})
    assert "renewal_c2d" not in cells[0]["messages"]


def test_a_row_about_an_end() -> None:
    """Its own figures, and the reasons for what could not be told in its cells."""
    row = of(LogBuilder(header("cut-idle")).connect(21).at(10).cut("fault", ["404104"]).at(27).end())
    assert (row["returned"], row["unaware_s"], row["silent_s"], row["c2d_after_return"]) == ("none", None, 17.0, None)
    cells = row["cells"]
    assert isinstance(cells, list)
    assert (cells[0]["aftermath"]["silent_s"], cells[0]["about_the_end"]) == (17.0, True)


def test_the_errors_a_day_stand_beside_the_rows() -> None:
    """One volume for the SDK, with its reason where one lifetime tells no law, and the sentences."""
    document = summary(analyse([early_renewal(130).log()]))["errors_per_day"]
    assert isinstance(document, dict)
    (volume,) = document["volumes"]
    assert (volume["sdk"], volume["errors_per_day"], document["sentences"]) == ("sdk", None, [])
    assert volume["reason"].startswith("the law was not observed: a law needs two lifetimes")


def test_a_row_of_a_device_that_was_never_let_in() -> None:
    """How it was refused, in the row and in its cell; in no other."""
    log = LogBuilder(header("wrong-key")).accept().hub("connack", code=5, check="signature", message="m").at(9).end()
    row = of(log)
    cells = row["cells"]
    assert isinstance(cells, list)
    assert row["first_refusal"] == cells[0]["first_refusal"]
    assert cells[0]["first_refusal"]["wire"] == "CONNACK 5"
    assert "first_refusal" not in of(early_renewal(130))
