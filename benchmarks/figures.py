"""Rounds of measurements -> rows of figures. Pure: the table and the JSON are made of these.

Ratios are taken within a round, the peer's figure over ours, because what disturbs a machine (its other tenants, above all)
disturbs the neighbours in time alike; then their median.
"""

from collections.abc import Mapping, Sequence
from statistics import median

import msgspec
from tabulate import tabulate

from benchmarks.jobs import Measurement
from benchmarks.workloads import Workload

__all__ = ["Row", "Spread", "make_rows", "table"]

Rounds = Sequence[Mapping[str, Measurement]]
"""Per round, the measurement of each server by its name."""

_HEADERS = ("workload", "server", "unit", "median", "range", "ratio", "range", "target", "")


class Spread(msgspec.Struct, frozen=True):
    """The median of a few values, and the least and the greatest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """The spread of at least one value."""
        return cls(*(round(value, 4) for value in (median(values), min(values), max(values))))


class Row(msgspec.Struct, frozen=True):
    """One server under one workload: `figure` in `unit`, `ratio` = the peer's / this (None: no peer, or the peer itself)."""

    workload: str
    server: str
    unit: str
    figure: Spread
    ratio: Spread | None
    target: str
    met: bool | None
    measurements: tuple[Measurement, ...]


def make_rows(workload: Workload, rounds: Rounds, *, peer: str) -> list[Row]:
    """A row per server, in the order of the first round."""
    return [_row(workload, server, rounds, peer) for server in rounds[0]]


def _row(workload: Workload, server: str, rounds: Rounds, peer: str) -> Row:
    figures = [entry[server].figure(workload) for entry in rounds]
    figure, ratio = Spread.of(figures), None
    if server != peer and peer in rounds[0]:
        peers = [entry[peer].figure(workload) for entry in rounds]
        ratio = Spread.of([theirs / ours for theirs, ours in zip(peers, figures, strict=True)])
    target = workload.target if server != peer else None
    return Row(
        workload=workload.name,
        server=server,
        unit=workload.unit,
        figure=figure,
        ratio=ratio,
        target=str(target or ""),
        met=target.met(figure.median, ratio.median if ratio else None) if target else None,
        measurements=tuple(entry[server] for entry in rounds),
    )


def table(rows: Sequence[Row]) -> str:
    """The rows for people."""
    return tabulate([_cells(row) for row in rows], _HEADERS, disable_numparse=True, colalign=_ALIGN)


_ALIGN = ("left", "left", "left", "right", "right", "right", "right", "left", "left")


def _cells(row: Row) -> tuple[str, ...]:
    ratio = (f"{row.ratio.median:.2f}", f"{row.ratio.low:.2f}-{row.ratio.high:.2f}") if row.ratio else ("", "")
    figure = row.figure
    met = {True: "met", False: "not met", None: ""}[row.met]
    return (
        row.workload,
        row.server,
        row.unit,
        f"{figure.median:.4g}",
        f"{figure.low:.4g}-{figure.high:.4g}",
        *ratio,
        row.target,
        met,
    )
