"""What a run shows of one SDK over one transport, and what that amounts to in a day with tokens of any lifetime.

```
so much a day = what a renewal was seen to cost, the mean of those seen, x renewals a day, by the law measured and the lifetime
```

Renewals are those of the row that the table of errors a day draws on (`harness.analysis.volume`). A figure whose renewals, law or lifetime was not
observed has a reason instead: nothing unseen counts as zero. Where each request has a token of its own, what costs nothing each time costs nothing in a day. What an end other than a token's makes of a device is no matter of a day.
"""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from harness.analysis.configurable import default_token, lifetime_configurable, point_configurable
from harness.analysis.evidence import Evidence, Observed, own_key
from harness.analysis.fields import text
from harness.analysis.findings import AbsenceFinding, CellFindings, InBandFinding, Return
from harness.analysis.lacking import HUB_LOG, NO_HUB_LOG, device_in_words
from harness.analysis.law import describe, seconds
from harness.analysis.renewals import bears_out
from harness.analysis.rows import Row
from harness.analysis.volume import DAY_S, Volume, period_s, renewing_cells, unobserved, volumes, whole_renewals

__all__ = [
    "LIMITED",
    "Figure",
    "Figures",
    "Prospect",
    "Tally",
    "figures_at",
    "measured_names",
    "origin_of",
    "prospects",
    "tally",
]

LIMITED: Final = ("errors", "app_errors", "reconnects", "away_s")
"""The names of the figures that a need may limit, in the order in which they rank."""
NOT_SEEN: Final = "no renewal was seen to its end"


class Figure(msgspec.Struct, frozen=True):
    """Something a renewal costs: each time, and in a day (least and most, by the interval of the law's parameter); null where `reason` says why."""

    per_renewal: float | None = None
    per_day: tuple[float, float] | None = None
    reason: str = ""


class Figures(msgspec.Struct, frozen=True):
    """What a day brings with tokens that live `lifetime_s`. `away_s` is in seconds; the others count records, events and ended connections."""

    lifetime_s: float | None
    renewals_per_day: tuple[float, float] | None
    errors: Figure
    app_errors: Figure
    reconnects: Figure
    away_s: Figure

    def of(self, name: str) -> Figure:
        """The figure of that name."""
        found: Figure = getattr(self, name)
        return found


class Tally(msgspec.Struct, frozen=True):
    """What became of the messages of some cells: numbered ones, and those of the cloud. `losing`, `untold`: the cells that lost one, or do not tell."""

    sent: int = 0
    received: int = 0
    lost: int = 0
    send_failed: int = 0
    unfinished: int = 0
    cells: tuple[str, ...] = ()
    losing: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()


class Prospect(msgspec.Struct, frozen=True):
    """One SDK, version, transport, device and origin in one run. `row` shows its renewals; null where no row was measured, of which `volume.reason` tells.

    `cells` are those whose `renewals` count. `lifetime`, `margin`: whether each can be set, as far as that was seen.
    """

    run: str
    rows: tuple[Row, ...]
    volume: Volume
    row: Row | None = None
    cells: tuple[CellFindings, ...] = ()
    renewals: tuple[AbsenceFinding | InBandFinding, ...] = ()
    lifetime: Observed = Observed()
    margin: Observed = Observed()

    @property
    def measured(self) -> tuple[CellFindings, ...]:
        """All cells that were measured."""
        return tuple(cell for row in self.rows for cell in row.cells if cell.measured)

    @property
    def returns(self) -> Mapping[Return, tuple[Row, ...]]:
        """The rows whose scenario is about another end than a token's, by how it came back."""
        found: dict[Return, list[Row]] = {}
        for row in self.rows:
            if row.returned is not None:
                found.setdefault(row.returned, []).append(row)
        return {how: tuple(rows) for how, rows in found.items()}

    @property
    def renews(self) -> bool:
        """Whether it does; only what was seen never to is said not to."""
        return self.volume.fit is None or self.volume.fit.law != "none"

    @property
    def fitted(self) -> tuple[CellFindings, ...]:
        """The cells that the law was fitted to, which may be of other rows too, and the one that shows the default lifetime."""
        points = {one.point_s for one in self.row.law.observations} if self.row and self.row.law else set()
        shown = [one for one in own_key(self.measured) if one.set_lifetime_s is None and one.first_token]
        default = max(shown, key=lambda one: one.connections > 0, default=None)
        return tuple(
            cell for cell in self.measured if cell is default or any(one.point_s in points for one in cell.renewals)
        )

    def obeys(self, lifetime_s: float) -> bool | None:
        """Whether its tokens can live so long: by default, or because it was seen that their lifetime can be set; null where nobody saw."""
        first = default_token(Evidence((), (), self.measured))
        if first is not None and bears_out(first, lifetime_s):
            return True
        return False if self.lifetime.unsupported else next((value is True for value in self.lifetime.values), None)


def prospects(runs: Iterable[tuple[str, Sequence[Row]]]) -> tuple[Prospect, ...]:
    """Those of all runs, each with its name, in the order of their first rows; a recording that several runs show is told once."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    shown: dict[tuple[str, ...], str] = {}
    for run, rows in runs:
        for row in rows:
            recorded = row.origin.get("kind") == "recorded"
            identity = (row.sdk, row.version, row.transport, row.device, str(row.origin.get("date", "")))
            if recorded and shown.setdefault((*identity, row.scenario), run) != run:
                continue
            groups.setdefault((run, *identity, str(recorded)), []).append(row)
    return tuple(_prospect(run, group) for (run, *_), group in groups.items())


def _prospect(run: str, rows: Sequence[Row]) -> Prospect:
    (volume,) = volumes(sorted(rows, key=lambda row: bool(row.status)))  # what ran tells more than what did not
    blank = Prospect(run, tuple(rows), volume)
    row = next((one for one in rows if one.scenario == volume.scenario and not one.status), None)
    if row is None:
        return blank
    cells = renewing_cells(row)
    seen = Evidence((), tuple(cell for cell in row.cells if cell.measured), blank.measured)
    return msgspec.structs.replace(
        blank,
        row=row,
        cells=tuple(cells),
        renewals=tuple(whole_renewals(cells)),
        lifetime=lifetime_configurable(seen),
        margin=point_configurable(seen),
    )


def origin_of(row: Row) -> str:
    """`real`, `emulated`, `real, recorded 2026-11-24`."""
    return device_in_words(row.device, text(row.origin, "date"))


def measured_names(rows: Iterable[Row]) -> tuple[str, ...]:
    """The names of the rows' cells that were measured."""
    return tuple(cell.cell for row in rows for cell in row.cells if cell.measured)


def figures_at(one: Prospect, lifetime_s: float | None) -> Figures:
    """What a day brings if tokens live so many seconds."""
    per_day, problem = _renewals_per_day(one, lifetime_s)
    costs = {name: _cost(one, name) for name in LIMITED}
    free = one.row is not None and one.row.token_use == "each-request"  # noqa: S105 - no password
    found = {
        name: Figure(0.0, (0.0, 0.0)) if free and cost == 0.0 else _figure(cost, reason or problem, per_day)
        for name, (cost, reason) in costs.items()
    }
    return Figures(lifetime_s, per_day, **found)


def _figure(cost: float | None, reason: str, per_day: tuple[float, float] | None) -> Figure:
    if cost is None or per_day is None:
        return Figure(cost, None, reason)
    least, most = per_day
    return Figure(cost, (round(cost * least, 2), round(cost * most, 2)))


def _renewals_per_day(one: Prospect, lifetime_s: float | None) -> tuple[tuple[float, float] | None, str]:
    """The least and the most there are, or why that cannot be told."""
    fit = one.volume.fit
    if one.row is None:
        return None, one.volume.reason
    if fit is None or lifetime_s is None:
        return None, unobserved(one.row, fit)
    if fit.law == "none":
        return None, "it never renews"
    periods = [period_s(fit, parameter, lifetime_s) for parameter in (fit.low, fit.high)]
    if min(periods) <= 0:
        return None, f"{describe(fit)} leaves nothing of a lifetime of {seconds(lifetime_s)}"
    return (round(DAY_S / max(periods), 6), round(DAY_S / min(periods), 6)), ""


def _cost(one: Prospect, name: str) -> tuple[float | None, str]:
    """What each renewal was seen to cost of this, or null and why that was not seen."""
    if one.row is None or not one.renewals:
        return None, one.volume.reason if one.row is None else NOT_SEEN
    if name == "errors" and HUB_LOG in one.row.lacks:
        return None, NO_HUB_LOG
    if name in {"errors", "app_errors"}:
        return statistics.fmean(getattr(renewal.signature, name) for renewal in one.renewals), ""
    if any(isinstance(renewal, InBandFinding) and renewal.left for renewal in one.renewals):
        return None, "it left while it renewed in place"
    if name == "reconnects":
        return statistics.fmean(isinstance(renewal, AbsenceFinding) for renewal in one.renewals), ""
    return _away_s(one, one.row)


def _away_s(one: Prospect, row: Row) -> tuple[float | None, str]:
    """Seconds away at each renewal: the mean of the gaps, of those that the machine did not make where there are any."""
    left = [renewal for renewal in one.renewals if isinstance(renewal, AbsenceFinding)]
    if left and row.clock_rate is not None:
        return None, f"the clock ran {row.clock_rate:g} times as fast, and such a gap is not the SDK's"
    gaps = [(renewal.gap_ms, renewal.noisy) for renewal in left if renewal.gap_ms is not None]
    clear = [gap for gap, noisy in gaps if not noisy] or [gap for gap, _ in gaps]
    if left and not clear:
        return None, "no gap was measured"
    share = len(left) / len(one.renewals)
    return (statistics.fmean(clear) / 1e3 * share if clear else 0.0), ""


def tally(cells: Iterable[CellFindings]) -> Tally:
    """What became of the messages of these cells, as far as their logs tell."""
    found = list(cells)
    told = [cell.messages.telemetry for cell in found]
    cloud = [(cell.messages.c2d, cell.messages.gap_c2d, cell.messages.renewal_c2d) for cell in found]
    lost = [
        one.lost * ("lost" not in one.untold) + sum(part.lost for part in parts)
        for one, parts in zip(told, cloud, strict=True)
    ]
    return Tally(
        sent=sum(one.sent for one in told),
        received=sum(part.asked for parts in cloud for part in parts),
        lost=sum(lost),
        send_failed=sum(one.send_failed for one in told),
        unfinished=sum(one.unfinished for one in told),
        cells=tuple(cell.cell for cell in found),
        losing=tuple(cell.cell for cell, count in zip(found, lost, strict=True) if count),
        untold=tuple(cell.cell for cell, one in zip(found, told, strict=True) if "lost" in one.untold),
    )
