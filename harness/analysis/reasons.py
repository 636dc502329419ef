"""What speaks for a prospect and what against it, in sentences that name the cells they rest on."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from harness.analysis.evidence import Observed
from harness.analysis.findings import AbsenceFinding, CellFindings, Return
from harness.analysis.law import describe_short
from harness.analysis.prospect import Figures, Prospect, Tally, figures_at, measured_names, origin_of, tally
from harness.analysis.rows import Row
from harness.analysis.signatures import in_brief
from harness.analysis.wording import between, counted, lasted, life, listed, often
from harness.scenario import HUB_GRACE_S

__all__ = ["Reason", "reasons", "settings_of", "with_a_lifetime"]

NOT_MEASURED: Final = "not measured"
AFTERWARDS: Final[dict[Return, str]] = {
    "by-itself": "it comes back by itself",
    "next-send": "it comes back only when the application sends",
    "new-token": "it comes back with a new token",
    "none": "it was not seen to come back",
}


class Reason(msgspec.Struct, frozen=True):
    """A sentence, and the cells of the candidate's run that it rests on: `harness explain CELL RUN` tells their story. `origin`: of what they show."""

    text: str
    cells: tuple[str, ...]
    origin: str


def reasons(one: Prospect, figures: Figures) -> tuple[Reason, ...]:
    """All there is to say of it with the lifetime of these figures."""
    if one.row is None:
        row = one.rows[0]
        return (Reason(f"{NOT_MEASURED}: {one.volume.reason}.", _names(row.cells), origin_of(row)),)
    return (
        *_about_renewals(one, one.row, figures),
        *_messages(one, one.row),
        *_returns(one),
        *_settings(one, one.row),
        *_documents(one),
    )


def _about_renewals(one: Prospect, row: Row, figures: Figures) -> Iterator[Reason]:
    cells, origin = _names(one.cells) or measured_names([row]), origin_of(row)
    seen = counted(len(one.renewals), "renewal")
    yield Reason(_errors(figures, seen), cells, origin)
    yield Reason(_way(one, row, figures), _names(one.fitted) or cells, origin)
    yield Reason(_away(one, figures), cells, origin)
    yield Reason(_application(one, row, figures), cells, origin)


def _errors(figures: Figures, seen: str) -> str:
    errors = figures.errors
    if errors.per_day is None:
        return f"{NOT_MEASURED}: errors in the hub's log: {errors.reason}."
    if not errors.per_renewal:
        return f"No error in the hub's log: {seen} left none."
    total, each = _errors_of(errors.per_day), _errors_of((errors.per_renewal, errors.per_renewal))
    return f"{total} a day in the hub's log: {each} at each renewal, as {seen} showed."


def _errors_of(count: tuple[float, float]) -> str:
    told = between(count)
    return f"{told} error{'' if told == '1' else 's'}"


def _way(one: Prospect, row: Row, figures: Figures) -> str:
    """How often it renews, by which law: reckoned for this lifetime from those that were watched."""
    fit, per_day = one.volume.fit, figures.renewals_per_day
    if row.token_use == "each-request":  # noqa: S105 - no password
        return "It makes a token for each request, so that none has to be renewed."
    if fit is None or row.law is None or per_day is None or figures.lifetime_s is None:
        return f"{NOT_MEASURED}: how often it renews: {figures.reconnects.reason}."
    how = {"in-band": "renews in place", "per-request": "renews with a request", "hub-cut": "is cut by the hub"}
    ways = {how.get(str(renewal.renewal), "reconnects") for renewal in one.renewals} or {"renews"}
    watched = [life(one) for one in sorted({observed.lifetime_s for observed in row.law.observations})]
    grace = f", grace = {HUB_GRACE_S / 60:g} min" if fit.law == "hub-cut" else ""
    law = f"by the law {describe_short(fit)} (L = {life(figures.lifetime_s)}{grace})"
    shown = {renewal.point_s for cell in one.fitted for renewal in cell.renewals}
    hidden = any(observed.point_s not in shown for observed in row.law.observations)
    elsewhere = ", some of them in scenarios that are not shown with this run" if hidden else ""
    told = f"measured with tokens of {listed(watched)}{elsewhere}"
    return f"It {listed(sorted(ways))} {often(per_day)}, {law}, {told}."


def _away(one: Prospect, figures: Figures) -> str:
    away = figures.away_s
    if away.per_day is None:
        return f"{NOT_MEASURED}: how long it is away: {away.reason}."
    left = [renewal for renewal in one.renewals if isinstance(renewal, AbsenceFinding)]
    if not left:
        stays = "there is no connection to be lost" if one.volume.transport == "https" else "the connection stays"
        return f"It is never away for that: {stays}."
    gaps = [renewal for renewal in left if renewal.gap_ms is not None]
    noise = "; below five times the hub's own delay, so an estimate" if all(gap.noisy for gap in gaps) else ""
    each = lasted(away.per_renewal or 0.0)
    return f"It is away for {between(away.per_day)} s a day: {each} each time, the mean of {len(gaps)}{noise}."


def _application(one: Prospect, row: Row, figures: Figures) -> str:
    errors = figures.app_errors
    if errors.per_day is None:
        return f"{NOT_MEASURED}: errors the application is shown: {errors.reason}."
    shown = in_brief(row.app) if one.renewals else ()
    told = f"At each renewal it sees {listed(shown)}." if shown else "It sees nothing of a renewal."
    if not errors.per_renewal:
        return f"The application is shown no exception. {told}"
    return f"The application is shown {_errors_of(errors.per_day)} a day. {told}"


def _messages(one: Prospect, row: Row) -> Iterator[Reason]:
    """What became of messages at renewals, and in all else that was measured."""
    at_renewals = [cell for cell in row.cells if cell.measured] if one.renewals else []
    others = [cell for cell in one.measured if cell not in at_renewals]
    rest = "in what else was measured" if at_renewals else "in what was measured"
    for cells, where in ((at_renewals, "around renewals"), (others, rest)):
        found = tally(cells)
        if found.sent or found.received:
            yield Reason(_lost(found, where), found.losing or found.untold or found.cells, origin_of(row))


def _lost(found: Tally, where: str) -> str:
    if found.untold and not found.lost:
        return f"{NOT_MEASURED}: lost messages {where}: these logs do not tell."
    count = f"{found.lost} of {found.sent + found.received}" if found.lost else "None"
    rest = [
        f"{found.send_failed} failed and the application was told" if found.send_failed else "",
        f"{found.unfinished} had not arrived at the end" if found.unfinished else "",
    ]
    of = "" if found.lost else f" of {counted(found.sent + found.received, 'message')}"
    return f"{'; '.join([f'{count}{of} was lost {where}', *filter(None, rest)])}."


def _returns(one: Prospect) -> Iterator[Reason]:
    """What it does after another end than that of a token."""
    for how, told in AFTERWARDS.items():
        if rows := one.returns.get(how):
            names = listed([row.scenario for row in rows])
            text = f"Where something else ends the connection, {told}: {names}."
            yield Reason(text, measured_names(rows), origin_of(rows[0]))
    if not one.returns:
        text = f"{NOT_MEASURED}: what it does where something else ends the connection."
        yield Reason(text, (), origin_of(one.rows[0]))


def _settings(one: Prospect, row: Row) -> Iterator[Reason]:
    default = [name for name in _names(one.fitted) if name not in measured_names([row])]
    yield Reason(_settable("lifetime", one.lifetime), (*measured_names([row]), *default), origin_of(row))
    yield Reason(_settable("margin", one.margin), measured_names([row]), origin_of(row))


def _settable(what: str, seen: Observed) -> str:
    if seen.unsupported:
        return f"The {what} cannot be set: its device program offers no such setting."
    if not seen.values:
        return f"{NOT_MEASURED}: whether the {what} can be set: {seen.reason}."
    return f"The {what} can be set." if True in seen.values else f"Setting the {what} has no effect."


def _documents(one: Prospect) -> Iterator[Reason]:
    """The claims of the documents that do not hold."""
    wrong = {
        f"{verdict.claim} (claimed {verdict.claimed}, seen {verdict.observed})": row
        for row in one.rows
        for verdict in row.verdicts
        if verdict.verdict == "differs"
    }
    if wrong:
        cells = tuple(dict.fromkeys(measured_names(wrong.values())))
        yield Reason(f"The documents say otherwise of {listed(list(wrong))}.", cells, origin_of(one.rows[0]))


def with_a_lifetime(one: Prospect, lifetime_s: float) -> Reason | None:
    """What another lifetime would bring, where that can be set and reckoned."""
    figures = figures_at(one, lifetime_s)
    if one.row is None or figures.renewals_per_day is None or not one.obeys(lifetime_s):
        return None
    errors, away = figures.errors, figures.away_s
    told = [
        f"{_errors_of(errors.per_day)} in the hub's log" if errors.per_day and errors.per_renewal else "",
        f"{between(away.per_day)} s away" if away.per_day and away.per_renewal else "",
    ]
    costs = listed([one for one in told if one])
    rest = f", with {costs} a day" if costs else ""
    text = f"With a lifetime of {life(lifetime_s)} it would renew {often(figures.renewals_per_day)}{rest}."
    return Reason(text, _names(one.fitted), origin_of(one.row))


def settings_of(one: Prospect, lifetime_s: float | None, *, lifetime_set: bool) -> str:
    """The settings in words."""
    default_s = one.volume.default_lifetime_s
    if lifetime_s is None:
        return "at its defaults (lifetime not measured)"
    if not lifetime_set:
        return f"at its defaults (lifetime {life(lifetime_s)})"
    return f"lifetime {life(lifetime_s)}" + ("" if default_s is None else f" (default {life(default_s)})")


def _names(cells: Iterable[CellFindings]) -> tuple[str, ...]:
    return tuple(cell.cell for cell in cells)
