"""Where an emulated device differs from a recording of what it plays."""

import msgspec
import pytest
from support.analysis_findings import cell, renewing

from harness.analysis.fidelity import differences, likenesses
from harness.analysis.findings import (
    Aftermath,
    CellFindings,
    InBandFinding,
    Messages,
    RefusedRenewal,
    Signature,
    Telemetry,
)

RECORDED = renewing(20, 25, "hub-cut")
IN_PLACE = InBandFinding(at_s=17.0, took_ms=None, point_s=17.0)
SAW = Signature(app=("Connected",))


def absent(**changes: object) -> CellFindings:
    """The recording with another absence."""
    (found,) = RECORDED.absences
    return cell(absences=(msgspec.structs.replace(found, **changes),))


def refused(**changes: object) -> CellFindings:
    """A cell with a renewal that the hub refused."""
    fields = {"at_s": 17.0, "how": "in-band", "code": 401, **changes}
    return cell(refused_renewals=(msgspec.convert(fields, RefusedRenewal),))


def test_what_showed_the_same_agrees() -> None:
    """Within the tolerances: a second, a tenth of a second."""
    assert differences(RECORDED, absent(point_s=24.0, gap_ms=90.0)) == ()


@pytest.mark.parametrize(
    ("recorded", "played", "line"),
    [
        (
            RECORDED,
            cell(),
            "absences: recorded token-expired by hub, back hub-cut, played none",
        ),
        (
            absent(cause="disconnect", first="", renewal=None),
            absent(cause="disconnect", first="", renewal=None, refused=2, back_s=None),
            "absences: recorded disconnect by nobody knows, back with the same token, played disconnect by nobody knows, refused not back",
        ),
        (RECORDED, absent(signature=SAW), "absence 1, application: recorded none, played Connected"),
        (RECORDED, absent(point_s=27.0), "absence 1, at: recorded 25.0 s, played 27.0 s"),
        (RECORDED, absent(gap_ms=150.0), "absence 1, gap: recorded 4 ms, played 150 ms"),
        (cell(in_band=(IN_PLACE,)), cell(), "renewals in place: recorded 1, played 0"),
        (
            cell(in_band=(IN_PLACE,)),
            cell(in_band=(msgspec.structs.replace(IN_PLACE, signature=SAW),)),
            "renewal in place 1, application: recorded none, played Connected",
        ),
        (
            refused(left_s=25.0, renewed_s=25.1),
            refused(),
            "refused renewals: recorded in-band 401, left, renewed, played in-band 401, stayed, not renewed",
        ),
        (cell(recovery="none"), cell(recovery="retries"), "recovery: recorded none, played retries"),
        (
            cell(aftermath=Aftermath(returned=("by-itself",))),
            cell(aftermath=Aftermath(returned=("none",))),
            "return: recorded ('by-itself',), played ('none',)",
        ),
        (
            cell(messages=Messages(telemetry=Telemetry(sent=9, lost=1))),
            cell(),
            "lost messages: recorded 1, played 0",
        ),
    ],
)
def test_what_differs_is_named(recorded: CellFindings, played: CellFindings, line: str) -> None:
    """With both sides."""
    assert differences(recorded, played) == (line,)


@pytest.mark.parametrize(
    ("recorded", "played"),
    [
        (absent(cut_short=True, signature=SAW), absent()),
        (absent(gap_ms=None), absent()),
        (absent(refused=1), absent(refused=3, gap_ms=900.0)),
        (RECORDED, absent(gap_ms=300.0, lag_ms=50.0)),
        (absent(point_s=None), absent()),
        (cell(), cell(recovery="retries")),
        (cell(messages=Messages(telemetry=Telemetry(sent=9, lost=1, untold=("lost",)))), cell()),
        (cell(), cell(messages=Messages(telemetry=Telemetry(sent=9, lost=1)))),
    ],
)
def test_what_one_side_cannot_tell_is_not_compared(recorded: CellFindings, played: CellFindings) -> None:
    """Nor a gap that hangs on the next message."""
    assert differences(recorded, played) == ()


def test_a_real_device_and_its_emulated_one_make_a_pair() -> None:
    """Where both were measured in this run under the same circumstances; what differs bears their names."""
    emulated = cell(cell="e", device="emulated", recovery="retries")
    others = [
        cell(cell="other scenario", device="emulated", scenario="expiry"),
        cell(cell="unfinished", device="emulated", status="environment"),
        cell(cell="recorded", recovery="none", origin={"kind": "recorded"}),
        cell(cell="other repeat", repeat=2),
    ]
    (found,) = likenesses([*others, cell(cell="r", recovery="none"), emulated])
    assert (found.real, found.emulated, found.transport, found.scenario) == ("r", "e", "mqtt", "renewal")
    assert found.differences == ("recovery: real none, emulated retries",)
