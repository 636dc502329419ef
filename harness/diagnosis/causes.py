"""What a device suffers from, by all that its records told. Pure: the same records, in whatever order, give the same cause.

| cause | its records show | worse than the next |
|---|---|---|
| `refused` | it was refused, or its token ran out and no record shows it back | |
| `duplicate-identity` | another connection with its identity ended its own, and not mostly the network | |
| `network` | its connection ended, without a reason and out of rhythm | |
| `renewal-noise` | the hub cut it at its token's end, and it came back: cause 1 of the article | |
| `clean-renewal` | it left and came back at once, in a rhythm | |
| `nothing` | none of these | |

The service does not promise to write all records, so each sign bears gaps; by how much, the constants say:

- A connection that is gone without a 401003 is a cut all the same if it lasted as long as those that were cut, or if so many did that it is a rhythm (`_ENOUGH`,
  `_OF_A_ROUTINE`, `_ROUTINE_FROM_S`): the article on 404104 names regular intervals as the sign. The others are the network's, which is the cause only
  if they are more than `_STRAYS` of the cuts, since a missing record makes a length wrong.
- A denied connect that belongs to no cut may be what is left of one. It is a refusal if there are too many of them, measured by the cuts
  (`_DENIED_OF_CUTS`) and by those cuts that show one themselves (`_DENIED_OF_DENIED_CUTS`), or one is out of their rhythm, or nothing good came after it for long.
- A device whose last end is a cut, by either sign, has not come back if the log goes on for long after it.
- Long is what no single missing return explains: `_PERIODS_AWAY` of its renewals, and `_BACK_WITHIN_S` where there is no rhythm yet.

So one missing record changes the cause only if it belongs to the last episode, if there are fewer than three to tell the cause (four where cuts show as 404104
alone), or if a share is just at its limit.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from harness.diagnosis.devices import KEPT, Device, Episode
from harness.diagnosis.records import CONNECTED, CUT, DENIED, GONE, LEFT, REFUSED, REPLACED, SERVICE
from harness.diagnosis.remedies import Cause, remedy_of
from harness.diagnosis.rhythm import Rhythm, keeping, keeps, rhythm
from harness.diagnosis.sdks import by_rhythm, by_version, token_of

__all__ = ["WORST_FIRST", "Diagnosed", "Finding", "Log", "judge"]

WORST_FIRST: Final[tuple[Cause, ...]] = (
    *("refused", "duplicate-identity", "network", "renewal-noise", "clean-renewal", "nothing"),
)
_ENOUGH: Final = 3
"""So many connections that lasted alike make a rhythm, where no 401003 shows it; the device's own farewells are judged by it from so many on. Two may be chance."""
_OF_A_ROUTINE: Final = 0.75
"""And so large a share of them keeps it: of the fewest in which one may be missing, four, one length is wrong then; losses by chance seldom reach it."""
_OF_RENEWALS: Final = 0.5
"""Half of a device's own farewells in rhythm are renewals. Fewer than above will do, since a device also leaves for other reasons, and no error hides behind one."""
_ROUTINE_FROM_S: Final = 600.0
"""No token's cut comes sooner after its connection than the service's grace; what does, and keeps time, is a keep-alive or a firewall."""
_STRAYS: Final = 0.1
"""So many ends out of rhythm for each cut are no trouble of the network: where some records are missing, some lengths are wrong, and a loss now and then needs no action."""
_DENIED_OF_CUTS: Final = 0.2
"""So many denied connects for each cut may be what is left of cuts: one in five, since each of them takes the loss of one of two other records."""
_DENIED_OF_DENIED_CUTS: Final = 0.5
"""The same, for each cut that shows a denied connect itself: of three cuts, one may lack a record."""
_BACK_WITHIN_S: Final = 120.0
"""The article has a device back in less than a minute; this is twice as long."""
_PERIODS_AWAY: Final = 2.5
"""A device of which only the return is missing shows again a period later, with its next renewal, or after two, where that is missing too; half a period is in reserve."""
_TELLING: Final[dict[Cause, tuple[tuple[int, ...], ...]]] = {
    "refused": ((REFUSED, DENIED), (CUT,), (GONE,)),
    "duplicate-identity": ((REPLACED,),),
    "network": ((SERVICE, GONE),),
    "renewal-noise": ((CUT,), (DENIED, GONE)),
    "clean-renewal": (),
    "nothing": (),
}
"""Which kinds of records tell of a cause, first those that tell most."""

_NO_RHYTHM: Final = rhythm(())


class Log(NamedTuple):
    """What all records tell together: the moment of the last, and whether connects are among them at all (a query may leave them out)."""

    ends_at: float
    has_connects: bool


class Diagnosed(msgspec.Struct, frozen=True):
    """A device as `--json` prints it. `sdk` is null where nothing tells, `message` the hub's text (or, without one, the error's name or code), empty without an error.

    Seconds: `period_s` is the usual length of a connection, `lifetime_s` that of a token and `grace_s` the time for which the hub kept it
    beyond; the two are estimates.
    """

    device_id: str
    cause: Cause
    sdk: str | None
    lifetime_s: int | None
    grace_s: int | None
    period_s: float | None
    message: str
    remedy: str


class Finding(msgspec.Struct, frozen=True):
    """A device with what the table says beside it: how many records, errors by code, and how often it renewed, by a cut or by itself.

    `losses`: how often a connection ended by the network or by a trouble of the service, and not by a cut. `misplaced`: how many of its records could not be put in their order, so that the cause may be wrong.
    """

    told: Diagnosed
    records: int
    errors: dict[str, int]
    cuts: int
    renewals: int
    losses: int
    misplaced: int


class _Ends(NamedTuple):
    """How connections ended: by the hub's cut, in rhythm with `cut`; by the network; by the device itself, in rhythm with `own`."""

    cuts: int
    network: int
    cut: Rhythm
    own: Rhythm


def judge(device_id: str, device: Device, log: Log) -> Finding:
    """What `device` suffers from, whose records have all been taken in."""
    ends = _ends(device)
    away = _stayed_away(device, ends, log)
    refused = bool(device.refused) or _is_denied(device, ends, log)
    cause = _cause(device, ends, refused=refused or away)
    was_cut = bool(ends.cuts)
    own = None if was_cut or not _renews_by_itself(device, ends) else ends.own.period_s
    period = ends.cut.period_s if was_cut else own
    sdk = by_version(device.sdk) or by_rhythm(period, device.protocol, cut=was_cut)
    token = token_of(sdk, period, cut=was_cut)
    code, message = _message(device, cause)
    told = Diagnosed(
        device_id,
        cause,
        sdk,
        token.lifetime_s,
        token.grace_s,
        None if period is None else round(period, 3),
        message or code,
        remedy_of(cause, code, message, was_cut=was_cut, stayed_away=away and not refused),
    )
    return Finding(told, device.records, device.errors, ends.cuts, _count(device, LEFT), ends.network, device.misplaced)


def _ends(device: Device) -> _Ends:
    cut, gone = _lengths(device, CUT), _lengths(device, GONE)
    cuts, gone_count = _count(device, CUT), _count(device, GONE)
    in_rhythm = rhythm(cut)
    if in_rhythm.period_s is not None:
        strays = len(gone) - keeping(gone, in_rhythm.period_s)
        network = round(strays * max(1.0, gone_count / KEPT))  # of many, some lengths are kept
    else:
        of_gone = rhythm(gone)
        in_rhythm, network = (of_gone, 0) if _is_routine(of_gone) else (_NO_RHYTHM, gone_count)
    network_and_service = network + _count(device, SERVICE)
    return _Ends(cuts + gone_count - network, network_and_service, in_rhythm, rhythm(_lengths(device, LEFT)))


def _is_routine(found: Rhythm) -> bool:
    if found.period_s is None or found.period_s <= _ROUTINE_FROM_S:
        return False
    return found.number >= _ENOUGH and found.share >= _OF_A_ROUTINE


def _stayed_away(device: Device, ends: _Ends, log: Log) -> bool:
    """Whether the hub cut it at its token's end, and it is still away when it would long have been back."""
    latest = device.latest
    if latest is None or latest.has(CONNECTED) or not log.has_connects or not _is_cut(latest, ends):
        return False
    return log.ends_at - latest.last > _patience_s(ends)


def _is_cut(episode: Episode, ends: _Ends) -> bool:
    """Whether `_ends` counts it as a cut, as far as its connection's length is known."""
    if episode.is_a != GONE:
        return episode.is_a == CUT
    period_s, length_s = ends.cut.period_s, episode.length_s
    late_s = _BACK_WITHIN_S if episode.began_unseen else 0.0
    return period_s is not None and length_s is not None and keeps(length_s, period_s, late_s)


def _patience_s(ends: _Ends) -> float:
    """For how long it may be that only the record of its return is missing."""
    often = ends.cuts > 1 and ends.cut.period_s is not None
    return max(_PERIODS_AWAY * (ends.cut.period_s or 0) if often else 0.0, _BACK_WITHIN_S)


def _is_denied(device: Device, ends: _Ends, log: Log) -> bool:
    """Whether the denied connects that belong to no cut are refusals, and not what is left of cuts whose other records are missing."""
    denials, period_s = _count(device, DENIED), ends.cut.period_s
    bearable = max(_DENIED_OF_CUTS * ends.cuts, _DENIED_OF_DENIED_CUTS * device.denied_cuts)
    if device.denied_at is None or period_s is None or denials > bearable:
        return bool(denials)
    if not all(
        keeps(length, period_s, _BACK_WITHIN_S) for length in _lengths(device, DENIED)
    ):  # the return before may be missing
        return True
    returned = device.back_at is not None and device.back_at >= device.denied_at
    return not returned and log.ends_at - device.denied_at > _patience_s(ends)


def _cause(device: Device, ends: _Ends, *, refused: bool) -> Cause:
    replaced = _count(device, REPLACED)
    if refused:
        return "refused"
    if replaced and replaced >= ends.network:
        return "duplicate-identity"
    if ends.network > _STRAYS * ends.cuts:
        return "network"
    if ends.cuts:
        return "renewal-noise"
    return "clean-renewal" if _renews_by_itself(device, ends) else "nothing"


def _renews_by_itself(device: Device, ends: _Ends) -> bool:
    """Whether it leaves and comes back in a rhythm, as far as there is one to be seen."""
    few = len(_lengths(device, LEFT)) < _ENOUGH
    return bool(_count(device, LEFT)) and (few or ends.own.share >= _OF_RENEWALS)


def _message(device: Device, cause: Cause) -> tuple[str, str]:
    """Code and text of the error that tells most of the cause: the most frequent one."""
    for kinds in _TELLING[cause]:
        counts: Counter[tuple[str, str]] = Counter()
        for (kind, code, message), count in device.messages.items():
            if kind in kinds:
                counts[code, message] += count
        if counts:
            return min(counts, key=lambda told: (-counts[told], told))
    return "", ""


def _count(device: Device, end: int) -> int:
    kept = device.ends.get(end)
    return kept.count if kept else 0


def _lengths(device: Device, end: int) -> Sequence[float]:
    kept = device.ends.get(end)
    return kept.lengths_s if kept else ()
