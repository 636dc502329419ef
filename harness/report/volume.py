"""The table of errors in the hub's log per device and day, with what each figure is made of."""

from collections.abc import Sequence

from harness.analysis import Row, Volume, describe_short, sentences, volumes
from harness.report.layout import WIDTH, Form, render, wrap

__all__ = ["HEADING", "volume_cells", "volume_table"]

HEADING = "Errors in the hub's log per device and day, at the SDK's defaults"
_HEADERS = ["SDK", "transport", "errors a day", "made of", "renewals a day", "errors a day the application is shown"]
_WIDTHS = [16, 9, 10, 34, 22, 14]
_WORTH_TELLING = 0.02  # of the renewals a day


def volume_table(rows: Sequence[Row], form: Form) -> str:
    """The table and what follows from it, or an empty text where nothing was observed that it could be made of."""
    found = volumes(rows)
    told = sentences(found)
    if not told:
        return ""
    table = render(_HEADERS, _lines(found), form, widths=_WIDTHS)
    said = "\n".join(wrap(sentence, WIDTH) if form == "text" else f"\n{sentence}" for sentence in told)
    return f"{table}\n{said}"


def _lines(found: Sequence[Volume]) -> list[list[str]]:
    """A line each; transports with the same figures share one."""
    merged: dict[tuple[str, ...], list[str]] = {}
    for one in found:
        merged.setdefault(volume_cells(one), []).append(one.transport)
    return [[who, "\n".join(transports), *rest] for (who, *rest), transports in merged.items()]


def volume_cells(one: Volume) -> tuple[str, ...]:
    """A line of the table without its transport: whom it is about, errors a day, what they are made of, renewals a day, errors the application is shown."""
    who = f"{one.sdk} {one.version}\n{one.evidence}"
    if one.errors_per_day is None:
        return who, "not observed", one.reason, "", ""
    made_of = (
        f"{one.errors_per_renewal:g} error and {one.informational_per_renewal:g} informational records per renewal"
    )
    if one.fit is None or one.default_lifetime_s is None:
        return who, "0", made_of, "as many as requests", "0"
    grace = "" if one.grace_s is None else f", grace = {one.grace_s / 60:g} min"
    when = f"{_span(one)}: {describe_short(one.fit)}\nL = {one.default_lifetime_s / 60:.3g} min{grace}"
    return who, f"{one.errors_per_day:.3g}", made_of, when, f"{one.app_errors_per_day:.3g}"


def _span(one: Volume) -> str:
    """The renewals a day, or between what they lie where that is worth telling."""
    assert one.renewals_per_day_between is not None
    low, high = one.renewals_per_day_between
    return f"{one.renewals_per_day:.3g}" if high - low <= _WORTH_TELLING * high else f"{low:.3g} to {high:.3g}"
