"""Which needs a prospect does not meet, or was not seen to meet, and the lifetime with which it would.

A limit is held against the most that a day may bring. A need of which nothing was observed is not met: `Miss.measured` tells the two apart.
"""

import math
from typing import Final

import msgspec
from msgspec.structs import replace

from harness.analysis.law import Fit, describe, seconds
from harness.analysis.needs import Needs
from harness.analysis.prospect import LIMITED, Figures, Prospect, figures_at, measured_names, tally
from harness.analysis.volume import DAY_S
from harness.analysis.wording import between, counted, life, listed
from harness.scenario import HUB_GRACE_S

__all__ = ["LONGEST_S", "WORDS", "Miss", "enough_s", "misses"]

HOUR_S: Final = 3600.0
LONGEST_S: Final = 7 * DAY_S
"""No longer lifetime is recommended: whoever steals such a token has it for that long."""
WORDS: Final = {
    "errors": "errors in the hub's log",
    "app_errors": "errors the application is shown",
    "reconnects": "reconnects",
    "away_s": "seconds away",
}


class Miss(msgspec.Struct, frozen=True):
    """A need that is not met. `measured`: that was seen, in these `cells`; otherwise nobody knows whether it is.

    `need`: the field of `Needs`, or `renews`, which all need.
    """

    need: str
    measured: bool
    text: str
    cells: tuple[str, ...] = ()


def misses(one: Prospect, needs: Needs, figures: Figures, *, lifetime_set: bool) -> tuple[Miss, ...]:
    """The needs that it does not meet with the lifetime of these figures, those that were measured first."""
    if one.row is None:
        return (Miss("renews", False, f"not measured: {one.volume.reason}"),)
    limits = [_limit(name, needs.limits[name], figures) for name in LIMITED if name in needs.limits]
    found = (
        _lasting(one),
        _lifetime(one, figures) if lifetime_set else None,
        *(miss and replace(miss, cells=tuple(cell.cell for cell in one.cells)) for miss in limits),
        _loss(one) if needs.no_loss else None,
        _return(one) if needs.comes_back else None,
    )
    return tuple(sorted((miss for miss in found if miss is not None), key=lambda miss: not miss.measured))


def _lasting(one: Prospect) -> Miss | None:
    if one.renews:
        return None
    text = f"it never renews its token: the hub cuts it for good {seconds(HUB_GRACE_S)} after that has expired"
    return Miss("renews", True, text, measured_names(filter(None, [one.row])))


def _lifetime(one: Prospect, figures: Figures) -> Miss | None:
    assert figures.lifetime_s is not None
    cells = measured_names(filter(None, [one.row]))
    wanted, obeys = life(figures.lifetime_s), one.obeys(figures.lifetime_s)
    if obeys is None:
        why = one.lifetime.reason
        return Miss("lifetime_s", False, f"not measured: whether its tokens can live {wanted}: {why}", cells)
    if not obeys:
        return Miss("lifetime_s", True, f"its tokens cannot be made to live {wanted}: {one.lifetime.text}", cells)
    fit = one.volume.fit
    if fit is None or fit.law != "margin" or fit.high < figures.lifetime_s:
        return None
    smaller = ", or a smaller margin, which can be set" if True in one.margin.values else ""
    text = f"{describe(fit)} leaves nothing of a lifetime of {wanted}: it takes a longer one{smaller}"
    return Miss("lifetime_s", True, text, cells)


def _limit(name: str, limit: float, figures: Figures) -> Miss | None:
    need, figure = f"max_{name}_per_day", figures.of(name)
    if figure.per_day is None:
        return Miss(need, False, f"not measured: {WORDS[name]} a day: {figure.reason}")
    if figure.per_day[1] <= limit:
        return None
    most = f"at most {limit:g} may be" if limit else "none may be, and no lifetime brings that about"
    return Miss(need, True, f"{between(figure.per_day)} {WORDS[name]} a day, where {most}")


def _loss(one: Prospect) -> Miss | None:
    found = tally(one.measured)
    if found.losing:
        return Miss("no_loss", True, f"{counted(found.lost, 'message')} lost", found.losing)
    if found.untold:
        return Miss("no_loss", False, "not measured: whether messages were lost: these logs do not tell", found.untold)
    return None if found.sent else Miss("no_loss", False, "not measured: lost messages: none was sent", found.cells)


def _return(one: Prospect) -> Miss | None:
    gone = [row for how, rows in one.returns.items() if how != "by-itself" for row in rows]
    if gone:
        names = listed([row.scenario for row in gone])
        return Miss("comes_back", True, f"it did not come back by itself in {names}", measured_names(gone))
    nothing = "not measured: whether it comes back: nothing but its token ended a connection"
    return None if one.returns else Miss("comes_back", False, nothing)


def enough_s(one: Prospect, needs: Needs, lifetime_s: float) -> float | None:
    """The lifetime above this one, in whole hours, with which a day keeps within all limits; null where none does, or it is too long to be recommended."""
    fit = one.volume.fit
    costs = [(limit, figures_at(one, lifetime_s).of(name).per_renewal) for name, limit in needs.limits.items()]
    rates = [limit / cost for limit, cost in costs if cost]
    if fit is None or fit.law == "none" or not rates or not min(rates):
        return None
    longest = _lifetime_for(fit, DAY_S / min(rates))
    hours = math.ceil(round(longest / HOUR_S, 6))
    return hours * HOUR_S if lifetime_s < hours * HOUR_S <= LONGEST_S else None


def _lifetime_for(fit: Fit, period_s: float) -> float:
    """The lifetime whose tokens follow each other after so many seconds, at the earliest."""
    if fit.law == "margin":
        return period_s + fit.high
    return period_s / fit.low if fit.law == "fraction" else period_s - HUB_GRACE_S - fit.low
