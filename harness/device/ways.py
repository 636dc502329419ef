"""An SDK's ways, as its profile's manners tell them: what it listens for, what it shows of an end, what a message does. No state of its own."""

from typing import Literal

from harness.device.link import Ended, Ending, Wish
from harness.device.opening import Opening
from harness.device.phases import Outcome, Purpose
from harness.emulation import AppSignal, Manners, Signals

__all__ = ["end_signals", "failure_signals", "message_rule", "wishes", "without_a_word"]

_SILENT = {"never": tuple(Purpose), "after-drop": (Purpose.RENEWAL,), "until-given-up": (Purpose.MESSAGE,)}


def wishes(manners: Manners, opening: Opening, purpose: Purpose) -> frozenset[Wish]:
    """What to listen for on a connection that was made for this purpose."""
    if purpose is not Purpose.OPEN and purpose in _SILENT.get(manners.resubscribes, ()):
        return frozenset()
    asked: dict[Wish, bool] = {"c2d": opening.c2d, "methods": opening.methods}
    return frozenset(manners.always_subscribes) | {wish for wish, wanted in asked.items() if wanted}


def without_a_word(manners: Manners, transport: str, how: str) -> Ended:
    """What the SDK makes of a transport that went without a word, by `rst` or in a milder way."""
    if how == "rst" and transport in manners.tells_reset:
        return Ended(Ending.RESET, then="gives-up" if manners.after_reset == "gives-up" else "returns")
    return Ended(Ending.DROP)


def end_signals(signals: Signals, ending: Ending, *, expired: bool) -> tuple[AppSignal, ...]:
    """What the application is shown of an end; `expired`: the token had come to its own."""
    match ending:
        case Ending.OWN_ACCORD:
            return signals.ended_itself
        case Ending.UNANSWERED_RENEWAL | Ending.REFUSED_RENEWAL:
            unanswered = ending is Ending.UNANSWERED_RENEWAL and signals.renewal_unanswered
            return unanswered or signals.renewal_refused
    if expired and signals.dropped_expired:
        return signals.dropped_expired
    own = {Ending.RESET: signals.reset, Ending.DETACH: signals.detached, Ending.CLOSE: signals.hub_closed}
    return own.get(ending) or signals.dropped


def failure_signals(signals: Signals, outcome: Outcome, purpose: Purpose) -> tuple[AppSignal, ...]:
    """What the application is shown of an attempt that came to nothing."""
    if outcome is Outcome.REFUSED:
        at_renewal = purpose is Purpose.RENEWAL and signals.renewal_refused
        return at_renewal or signals.refused
    return signals.unreachable if outcome is Outcome.NO_TRANSPORT else ()


def message_rule(manners: Manners, purpose: Purpose) -> Literal["reconnects", "queues", "fails"]:
    """What becomes of a message that finds no connection."""
    return manners.send_after_giving_up if purpose is Purpose.MESSAGE else manners.send_while_down
