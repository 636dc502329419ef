"""Findings of cells made directly, for what is drawn from several of them."""

import msgspec

from harness.analysis.evidence import Evidence
from harness.analysis.findings import AbsenceFinding, Aftermath, CellFindings, RenewalHow, Signature

BASIC = CellFindings(
    cell="cell",
    sdk="sdk",
    sdk_name="An SDK",
    version="1.0",
    transport="mqtt",
    device="real",
    scenario="renewal",
    traffic="sending+listening",
    credential="key",
    status="finished",
    settings_of="profile",
    awaited=True,
    connections=1,
    grace_s=5.0,
    recovery_reason="no reconnect was refused",
    aftermath=Aftermath(
        returned_reason="nobody ended it", unaware_reason="nobody ended it", c2d_reason="it did not come back"
    ),
)


def cell(**changes: object) -> CellFindings:
    """A cell of the renewal scenario in which nothing happened, but for `changes`."""
    return msgspec.structs.replace(BASIC, **changes)


def renewal(point_s: float, how: RenewalHow = "reconnect", /, **changes: object) -> AbsenceFinding:
    """An absence from which the device came back with a new token."""
    cut = how == "hub-cut"
    found = AbsenceFinding(
        left_s=point_s,
        back_s=point_s + 0.004,
        gap_ms=4.0,
        cause="token-expired" if cut else "disconnect",
        first="hub" if cut else "device",
        renewal=how,
        point_s=point_s,
        signature=Signature(("401003", "404104", "connect") if cut else ("disconnect", "connect"), "informational"),
    )
    return msgspec.structs.replace(found, **changes)


def renewing(
    lifetime_s: float,
    point_s: float,
    how: RenewalHow = "reconnect",
    /,
    *,
    margin_s: float | None = None,
    **changes: object,
) -> CellFindings:
    """A cell with that lifetime set, whose token was renewed once, at that point."""
    fields: dict[str, object] = {
        "settings": {"lifetime_s": lifetime_s, "margin_s": margin_s},
        "set_lifetime_s": lifetime_s,
        "first_lifetime_s": lifetime_s - 0.4,
        "watched_s": point_s + 2,
        "absences": (renewal(point_s, how),),
    }
    return cell(**{**fields, **changes})


def outliving(lifetime_s: float, **changes: object) -> CellFindings:
    """A cell with that lifetime set that was watched beyond its token's end without a renewal."""
    fields: dict[str, object] = {"absences": (), "token_outlived": True, **changes}
    return msgspec.structs.replace(renewing(lifetime_s, lifetime_s), **fields)


def evidence(*cells: CellFindings, main: int = 1, subject: tuple[CellFindings, ...] = ()) -> Evidence:
    """The first `main` cells as those of the main settings, all as the row's, `subject` as cells of other rows."""
    return Evidence(cells[:main], cells, (*cells, *subject))
