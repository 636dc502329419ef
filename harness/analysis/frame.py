"""What stands before a cell's story and after it, in sentences: who took part in what, and how it ended."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from harness.analysis.fields import items, mapping, number, text, whole
from harness.analysis.findings import CellFindings, Exchanges
from harness.analysis.law import seconds
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
_TRAFFIC: Final = {
    "idle": "The application does nothing with its client once it is open.",
    "sending": "The application sends a message every {send} s.",
    "listening": "The application listens for C2D messages and direct methods.",
    "sending+listening": "The application sends a message every {send} s, and listens for C2D messages and direct methods.",
}


def about(log: CellLog, cell: CellFindings) -> Iterator[str]:
    """The device and the scenario, the tokens, the hub, and what the application does."""
    header, scenario = log.header, log.header.scenario
    who = _DEVICES[header.device].format(name=header.sdk_name, version=cell.version)
    recorded = f" (recorded on {cell.origin.get('date')})" if cell.origin.get("kind") == "recorded" else ""
    title = text(scenario, "title")
    yield f"{who} over {cell.transport}{recorded}, in the scenario {cell.scenario}{f': {title}' if title else ''}."
    yield _tokens(cell, scenario)
    yield f"{_patience(cell, header)}{_faults(scenario)}"
    send_s = number(mapping(scenario, "intervals"), "send_s")
    yield _TRAFFIC.get(cell.traffic, _TRAFFIC["listening"]).format(send="few" if send_s is None else f"{send_s:g}")


def _patience(cell: CellFindings, header: Header) -> str:
    if cell.transport == "https":
        skew_s = number(header.hub, "skew_s")
        return f"The hub takes a request for {'a while' if skew_s is None else seconds(skew_s)} after its token has expired."
    return f"The hub keeps a connection for {seconds(cell.grace_s)} after its token has expired."


def _tokens(cell: CellFindings, scenario: Mapping[str, object]) -> str:
    if cell.credential == "token":
        lifetime = number(scenario, "token_lifetime_s")
        return f"The application hands it a token{f' for {seconds(lifetime)}' if lifetime else ''}; the SDK cannot make another."
    if cell.credential != "key":
        return f"The application hands it what the scenario calls {cell.credential or 'nothing'}."
    if cell.set_lifetime_s is None:
        return "The SDK makes its tokens from the device's key, for as long as it likes."
    margin, percent = number(cell.settings, "margin_s"), number(cell.settings, "margin_percent")
    early = seconds(margin) if margin is not None else "" if percent is None else f"{percent:g} % of it"
    before = f", and asks for a renewal {early} before their end" if early else ""
    return f"The SDK makes its tokens from the device's key; the application sets their lifetime to {seconds(cell.set_lifetime_s)}{before}."


def _faults(scenario: Mapping[str, object]) -> str:
    told = []
    for fault in items(scenario, "faults"):
        fields = mapping({"fault": fault}, "fault")
        count = whole(fields, "times") or 1
        told.append(f"{text(fields, 'action')} at {text(fields, 'at')}{times(count)}")
    return f" On purpose, it does this: {listed(told)}." if told else ""


def ending(log: CellLog, telling: CellTelling, timeline: Timeline) -> Iterator[str]:
    """What became of the messages, what went wrong in short, and how the cell ended; an incomplete log says that it is."""
    cell = telling.cell
    yield from _became(cell)
    if telling.episodes:
        happened = dict.fromkeys(" → ".join(one.happened) for one in telling.episodes)
        yield f"What went wrong: {'; '.join(happened)}. How the application was told: {', '.join(telling.told)}."
    if not log.complete:
        yield f"The log is incomplete: it ends at {seconds(timeline.end_s)}, and what happened after that is not known."
        return
    if not cell.measured:
        yield f"The cell was not measured ({cell.status}): {cell.reason or 'nobody says why'}."
        return
    reason = f": {cell.reason}" if cell.reason else ""
    awaited = "" if cell.awaited else " What the scenario waits for was not seen."
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
