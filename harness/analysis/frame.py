"""What stands before a cell's story and after it, in sentences: who took part in what, and how it ended."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from harness.analysis.fields import items, mapping, number, text, whole
from harness.analysis.findings import CellFindings, Exchanges
from harness.analysis.law import seconds
from harness.analysis.recovery import worst_lag_s
from harness.analysis.telling import CellTelling
from harness.analysis.timeline import Timeline
from harness.analysis.wording import counted, listed, numbers, times
from harness.events import CellLog, Header

__all__ = ["about", "ending"]

_DEVICES: Final = {
    "real": "The real {name} {version}",
    "emulated": "An emulated device that plays the {name} {version}",
    "remote": "A remote device with the {name} {version}",
}
_NO_TOKENS: Final = {
    "certificate": "The application hands it a client certificate, which stands for a token.",
    "none": "The application hands it nothing that could let it in.",
    "": "What the application hands it is not in the log.",
}
_ANCHORS: Final = {
    "before-renewal": "shortly before a renewal, ",
    "renewal": "when the device comes with a new token, ",
    "renewal-answer": "when it has taken a new token and is about to say so, ",
    "away": "when the device comes back, ",
    "half-life": "at half of the token's time, ",
    "expiry": "when the token expires, ",
    "grace-end": "at the end of the token's grace, ",
}
_ACTIONS: Final = {
    "refuse": "it refuses that",
    "cut": "it ends the connection",
    "ignore": "it gives no answer",
    "delay": "it answers {late}",
    "withhold-puback": "it stops acknowledging messages",
    "roll-key": "the device's key is exchanged",
    "disable": "the device is disabled",
    "delete": "the device is deleted",
    "takeover": "another client comes with the device's identity",
    "throttle": "it refuses the next message as one too many",
}
_OUTAGES: Final = {
    "restart": "it stops, and is away",
    "rst": "the network resets what stands and refuses what is new",
    "half-open": "the far end of the connection is silent",
    "blackhole": "the network swallows everything",
}
"""In the sentence whose subject is the hub."""
_TRAFFIC: Final = {
    "idle": "The application does nothing with its client once it is open.",
    "sending": "The application sends a message every {send} s.",
    "listening": "The application listens for C2D messages and direct methods.",
    "sending+listening": "The application sends a message every {send} s, and listens for C2D messages and direct methods.",
}

LATE_S: Final = 1.0
"""From how late a loop on the story says so: what SDKs wait for, such as a TLS handshake, they give a few seconds."""


def about(log: CellLog, cell: CellFindings) -> Iterator[str]:
    """The device and the scenario, the tokens, the hub, and what the application does."""
    header, scenario = log.header, log.header.scenario
    who = _DEVICES[header.device].format(name=header.sdk_name, version=cell.version)
    date = text(cell.origin, "date")
    recorded = f" (recorded on {date})" if date else ""
    title = text(scenario, "title")
    yield f"{who} over {cell.transport}{recorded}, in the scenario {cell.scenario}{f': {title}' if title else ''}."
    yield _tokens(cell, scenario)
    yield f"{_patience(cell, header)}{_faults(scenario)}"
    send_s = number(mapping(scenario, "intervals"), "send_s")
    yield _TRAFFIC.get(cell.traffic, _TRAFFIC["listening"]).format(send="few" if send_s is None else f"{send_s:g}")


def _patience(cell: CellFindings, header: Header) -> str:
    if cell.credential == "certificate":
        return "The hub ends no connection for the age of a certificate."
    if cell.transport == "https":
        skew_s = number(header.hub, "skew_s")
        return f"The hub takes a request for {'a while' if skew_s is None else seconds(skew_s)} after its token has expired."
    return f"The hub keeps a connection for {seconds(cell.grace_s)} after its token has expired."


def _tokens(cell: CellFindings, scenario: Mapping[str, object]) -> str:
    if cell.credential == "token":
        return _own_token(scenario)
    if cell.credential != "key":
        return _NO_TOKENS.get(cell.credential, f"The application hands it what the scenario calls {cell.credential}.")
    if cell.set_lifetime_s is None:
        return "The SDK makes its tokens from the device's key, for as long as it likes."
    margin, percent = number(cell.settings, "margin_s"), number(cell.settings, "margin_percent")
    early = seconds(margin) if margin is not None else "" if percent is None else f"{percent:g} % of it"
    before = f", and asks for a renewal {early} before their end" if early else ""
    return f"The SDK makes its tokens from the device's key; the application sets their lifetime to {seconds(cell.set_lifetime_s)}{before}."


def _own_token(scenario: Mapping[str, object]) -> str:
    """The token that the application made, and whether it makes others."""
    lifetime, making = number(scenario, "token_lifetime_s"), mapping(scenario, "token")
    over, policy = number(making, "over_s"), text(making, "policy")
    made = f"for {seconds(lifetime)}" if lifetime else f"that expired {seconds(over)} ago" if over else ""
    signed = f"signed with the key of the policy {policy}" if policy else ""
    about = " ".join(filter(None, ("a token", made, signed)))
    others = "the application supplies others" if mapping(scenario, "supply") else "the SDK cannot make another"
    return f"The application hands it {about}; {others}."


def _faults(scenario: Mapping[str, object]) -> str:
    faults = (mapping({"fault": fault}, "fault") for fault in items(scenario, "faults"))
    told = [
        f"{_ANCHORS.get(text(one, 'at'), '')}{_action(one)}{times(whole(one, 'times') or 1)}" for one in faults if one
    ]
    return f" On purpose, {listed(told)}." if told else ""


def _action(fault: Mapping[str, object]) -> str:
    action, at = text(fault, "action"), text(fault, "at")
    if action == "outage":
        how, lasts = text(fault, "how"), number(fault, "for_s")
        return f"{_OUTAGES.get(how, f'there is an outage: {how}')}{'' if lasts is None else f' for {seconds(lasts)}'}"
    if (action, at) == ("ignore", "grace-end"):
        return "it lets the connection stand"
    late = number(fault, "delay_s")
    return _ACTIONS.get(action, f"this is done: {action}").format(
        late="late" if late is None else f"{seconds(late)} late"
    )


def ending(log: CellLog, telling: CellTelling, timeline: Timeline) -> Iterator[str]:
    """What became of the messages, what happened in short, and how the cell ended; an incomplete log says that it is."""
    cell = telling.cell
    yield from _became(cell)
    if telling.episodes:
        happened = dict.fromkeys(" → ".join(one.happened) for one in telling.episodes)
        yield f"In short: {'; '.join(happened)}. How the application was told: {', '.join(telling.told)}."
    if not log.complete:
        yield f"The log is incomplete: it ends at {seconds(timeline.end_s)}, and what happened after that is not known."
        return
    if not cell.measured:
        yield f"The cell was not measured ({cell.status}): {cell.reason or 'nobody says why'}."
        return
    reason = f": {cell.reason}" if cell.reason else ""
    told_already = "what the scenario waits for" in cell.reason
    awaited = "" if cell.awaited or told_already else " What the scenario waits for was not seen."
    late_s = worst_lag_s(0.0, timeline, log.events)
    if late_s >= LATE_S:
        yield f"The machine was busy: the hub was late by up to {seconds(late_s)}, and what happened may be of that making."
    yield f"The harness closed the client at {seconds(timeline.closing_s)}; the cell is {cell.status}{reason}.{awaited}"


def _became(cell: CellFindings) -> Iterator[str]:
    """What became of the messages."""
    told = cell.messages.telemetry
    counts = {
        "reached the hub": told.reached, "failed (the application was told)": told.send_failed, "were lost": told.lost,
        "were still under way": told.unfinished, "came twice or more": told.duplicated, "came out of order": told.reordered,
    }  # fmt: skip
    if told.sent:
        ids = f" ({numbers(told.lost_ids)})" if told.lost_ids else ""
        shown = listed(
            [f"{count} {what}{ids if what == 'were lost' else ''}" for what, count in counts.items() if count]
        )
        yield f"Of {counted(told.sent, 'message')}, {shown}."
    messages = cell.messages
    yield from _exchanged(
        "C2D message", (messages.c2d, messages.gap_c2d, messages.renewal_c2d), "shown to the application"
    )
    yield from _exchanged(
        "direct method", (messages.methods, messages.gap_methods, messages.renewal_methods), "answered"
    )


def _exchanged(what: str, parts: Sequence[Exchanges], done: str) -> Iterator[str]:
    asked, answered = sum(one.asked for one in parts), sum(one.answered for one in parts)
    lost, still = sum(one.lost for one in parts), sum(one.open for one in parts)
    if asked:
        shown = [f"{answered} {done}", *([f"{lost} lost"] if lost else []), *([f"{still} still open"] if still else [])]
        yield f"Of {counted(asked, what)}, {listed(shown)}."
