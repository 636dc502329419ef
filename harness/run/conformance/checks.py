"""The checks: what docs/adapter-protocol.md asks of a device program, held against what an act showed. Pure.

Each is a function from an act to a `Verdict`; `CHECKS` says which act it is about, what its clause is, and what helps.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from harness.device.driver import CAPABILITIES
from harness.documents import TRANSPORTS
from harness.events import Event
from harness.run.conformance.record import Act, ActName, Finding, State

__all__ = ["CHECKS", "Check", "findings"]

Verdict = tuple[State, str]
"""What a check came to, and the sentence that says what was found."""

_SECRET_FIELDS: Final = frozenset({"connection_string", "ca_pem", "cert_pem", "key_pem", "pfx", "pfx_password"})
_LIFETIME_TOLERANCE_S: Final = 60.0
_CBS_OK: Final = 200
_SHOWN: Final = 80  # characters of a line of a program's


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is asked of a program. An empty `acts`: it is about all of them together."""

    name: str
    acts: tuple[ActName, ...]
    clause: str
    remedy: str
    judge: Callable[[Act], Verdict]


def findings(acts: Sequence[Act]) -> list[Finding]:
    """What every check came to, in the order of `CHECKS`; those about a transport once for each."""
    played = {act.transport: None for act in acts if act.name == "course"}
    return [finding for check in CHECKS for finding in _findings(check, acts, list(played))]


def _findings(check: Check, acts: Sequence[Act], transports: Sequence[str]) -> list[Finding]:
    about = [act for act in acts if act.name in check.acts]
    if not check.acts:
        return [_finding(check, "", check.judge(_together(acts)))]
    if not about:
        return [_finding(check, "", ("not tested", "the program did not get that far"))]
    return [_finding(check, act.transport if act.transport in transports else "", _judged(check, act)) for act in about]


def _judged(check: Check, act: Act) -> Verdict:
    if act.problem:
        return "not tested", act.problem
    return check.judge(act)


def _together(acts: Sequence[Act]) -> Act:
    """All acts as one, for what holds for the program whatever it is doing; times and numbers of events mean nothing in it."""
    failure = next((act.failure for act in acts if act.failure), "")
    leaks = tuple(dict.fromkeys(leak for act in acts for leak in act.leaks))
    return Act(acts[0].name, events=tuple(event for act in acts for event in act.events), failure=failure, leaks=leaks)


def _finding(check: Check, transport: str, verdict: Verdict) -> Finding:
    state, found = verdict
    return Finding(check.name, transport, state, found, check.clause, check.remedy if state == "wrong" else "")


# Who the program is.


def _introduces_itself(act: Act) -> Verdict:
    hello = next(iter(act.app("hello")), None)
    if hello is None:
        return "wrong", act.failure or "it said nothing"
    fields = hello.fields
    return "right", f"{fields['sdk']} {fields['sdk_version']} on {fields['runtime']}"


def _names_known_words(act: Act) -> Verdict:
    hello = next(iter(act.app("hello")), None)
    if hello is None:
        return _not_reached(act)
    transports, capabilities = (_words(hello.fields.get(name)) for name in ("transports", "capabilities"))
    if not transports:
        return "wrong", "`hello` names no transport"
    if unknown := [word for word in transports if word not in TRANSPORTS]:
        return "wrong", f"`transports` names {', '.join(unknown)}; known are {', '.join(TRANSPORTS)}"
    if unknown := [word for word in capabilities if word not in CAPABILITIES]:
        return (
            "note",
            f"`capabilities` names {', '.join(unknown)}, which version 1 does not know and the harness ignores",
        )
    return "right", f"{', '.join(transports)}; can: {', '.join(capabilities) or 'nothing optional'}"


def _names_what_was_asked(act: Act) -> Verdict:
    """A transport that only the profile knows would be run in no comparison, and is tested by nothing here."""
    hello = next(iter(act.app("hello")), None)
    if hello is None:
        return _not_reached(act)
    named = _words(hello.fields.get("transports"))
    if missing := [one for one in act.asked if one not in named]:
        return "wrong", f"`hello` does not name {', '.join(missing)}, which the profile or --transport does: not tested"
    return "right", f"`hello` names {', '.join(act.asked or named)}"


def _words(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list | tuple) else []


# Signs of life.


def _answers_what_is_no_command(act: Act) -> Verdict:
    if not act.staged("line"):
        return _not_reached(act)
    unanswered = [what for what, answers in _answers(act) if not answers]
    repeated = [what for what, answers in _answers(act) if len(answers) > 1]
    if unanswered:
        return "wrong", f"no `bad_command` came in answer to {_lines(unanswered)}"
    if repeated:
        return "wrong", f"more than one event came in answer to {_lines(repeated)}"
    return "right", f"`bad_command` to {_lines(what for what, _ in _answers(act))}"


def _answers(act: Act) -> list[tuple[str, list[Event]]]:
    """Each line that is no command, with the answers that came until it was given up or the next thing was done."""
    ends = {event.seq: event for event in act.staged("waited")}
    found = []
    for line in act.staged("line"):
        end = min((seq for seq in ends if seq > line.seq), default=len(act.events))
        answers = [event for event in act.app("bad_command") if line.seq < event.seq < end]
        found.append((str(line.fields["what"]), answers))
    return found


_LINES: Final = {
    "garbage": "a line that is no JSON",
    "unknown": "an unknown command",
    "early": "`send` before `open`",
    "lacking": "an object without `cmd`",
    "second-open": "a second `open`",
}


def _lines(what: Iterable[str]) -> str:
    return ", ".join(_LINES[one] for one in dict.fromkeys(what))


def _open_does_not_block(act: Act) -> Verdict:
    return _goes_on(act, 0, "while the hub did not answer to `open`")


def _sends_do_not_block(act: Act) -> Verdict:
    return _goes_on(act, 1, "while the hub acknowledged nothing and two sends waited")


def _goes_on(act: Act, number: int, when: str) -> Verdict:
    spans = list(act.dammed())
    if len(spans) <= number:
        return _not_reached(act)
    first, last = spans[number]
    lines = [(line, answers) for line, (_, answers) in zip(act.staged("line"), _answers(act), strict=True)]
    inside = [answers for line, answers in lines if first < line.seq < last]
    if not inside:
        return _not_reached(act)
    if not all(inside):
        return "wrong", f"an unknown command got no answer {when}"
    return "right", f"an unknown command was answered {when}"


# Opening.


def _opened_is_true(act: Act) -> Verdict:
    opened = next(iter(act.app("opened")), None)
    if opened is None:
        return "wrong", act.failure or _instead_of_opened(act)
    if _inside(opened, act.dammed()):
        return "wrong", "`opened` was reported although the hub had not answered yet"
    if not any(event.seq < opened.seq for event in _lets_in(act)):
        return "wrong", "`opened` was reported although the hub had let nobody in"
    return "right", "`opened` after the hub had let the device in, not before"


def _instead_of_opened(act: Act) -> str:
    failed = next(iter(act.app("open_failed")), None)
    return f"`open_failed` came instead: {_chain(failed)}" if failed else "neither `opened` nor `open_failed` came"


def _lets_in(act: Act) -> list[Event]:
    connacks = [event for event in act.hub("connack") if event.fields.get("code") == 0]
    return connacks + [event for event in act.hub("put-token-answered") if event.fields.get("status") == _CBS_OK]


def _echoes_settings(act: Act) -> Verdict:
    opened = next(iter(act.app("opened")), None)
    asked = next(iter(act.staged("command", cmd="open")), None)
    if opened is None or asked is None:
        return _not_reached(act)
    settings = opened.fields["settings"]
    assert isinstance(settings, dict)  # or reading the event would have failed
    if secret := sorted(_SECRET_FIELDS & settings.keys()):
        return "wrong", f"`settings` echoes {', '.join(secret)}"
    wanted = {name: value for name, value in asked.fields.items() if name != "cmd" and value}
    if missing := [name for name in wanted if name not in settings]:
        return "wrong", f"`settings` does not echo {', '.join(missing)}"
    if other := [name for name, value in wanted.items() if settings[name] != value]:
        told = ", ".join(f"{name} = {settings[name]!r} instead of {wanted[name]!r}" for name in other)
        return "wrong", f"`settings` says {told}"
    return "right", ", ".join(settings)


def _uses_the_lifetime(act: Act) -> Verdict:
    asked = next(iter(act.staged("command", cmd="open")), None)
    lifetime = asked.fields.get("lifetime_s") if asked else None
    if lifetime is None:
        return "not tested", "the capability `lifetime` is not named" if asked else _not_reached(act)[1]
    tokens = [event.fields.get("token") for event in act.hub("connect", "put-token")]
    left = [token["left_s"] for token in tokens if isinstance(token, dict)]
    if not left:
        return _not_reached(act)
    if abs(left[0] - float(str(lifetime))) > _LIFETIME_TOLERANCE_S:
        return "wrong", f"the token that reached the hub was made for {left[0]:.0f} s, `open` asked for {lifetime} s"
    return "right", f"the token that reached the hub was made for {left[0]:.0f} s"


def _refusal_is_reported(act: Act) -> Verdict:
    if act.app("opened"):
        return "wrong", "`opened` was reported although the hub had refused the key"
    if act.app("open_failed"):
        return _failure_is_explained(act)
    if statuses := [_status(one) for one in act.app("status")]:
        return (
            "note",
            f"the refusal shows in `status` only ({', '.join(dict.fromkeys(statuses))}); right for an SDK without a result of connecting",
        )
    return "wrong", act.failure or "nothing was reported although the hub had refused the key"


def _status(event: Event) -> str:
    return "/".join(str(event.fields[name]) for name in ("status", "reason") if event.fields.get(name))


def _cannot_make_a_client(act: Act) -> Verdict:
    if act.app("opened"):
        return "wrong", "`opened` was reported although no client can be made of that connection string"
    if act.app("open_failed"):
        return _failure_is_explained(act)
    return "wrong", act.failure or "nothing was reported although no client can be made of that connection string"


def _failure_is_explained(act: Act) -> Verdict:
    failed = act.app("open_failed")
    if len(failed) > 1:
        return "wrong", f"`open_failed` came {len(failed)} times"
    error = failed[0].fields["error"]
    links = error if isinstance(error, list | tuple) else []
    if not links or not all(link.get("class") for link in links):
        return "wrong", "`open_failed` tells no class"
    return "right", _chain(failed[0])


def _chain(failed: Event) -> str:
    error = failed.fields.get("error")
    links = error if isinstance(error, list | tuple) else []
    return " <- ".join(f"{link['class']}: {link['message']}".strip(": ") for link in links) or "no error"


# Sends.


def _sent(act: Act) -> list[Event]:
    return act.app("sent")


def _sends_end(act: Act) -> Verdict:
    asked = [event.fields["id"] for event in act.staged("command", cmd="send")]
    if not asked:
        return _not_reached(act)
    ends = Counter(event.fields["id"] for event in act.app("sent", "send_failed"))
    if foreign := [number for number in ends if number not in asked]:
        return "wrong", f"an id came back that no `send` had: {_numbers(foreign)}"
    if repeated := [number for number, count in ends.items() if count > 1]:
        return "wrong", f"more than one `sent` or `send_failed` came for {_numbers(repeated)}"
    failed = [event.fields["id"] for event in act.app("send_failed")]
    if failed:
        return "wrong", f"`send_failed` although the hub was there and answered: {_numbers(failed)}"
    if still := [number for number in asked if number not in ends]:
        return "wrong", f"neither `sent` nor `send_failed` came for {_numbers(still)}, which the hub had acknowledged"
    return "right", f"one result for each of {len(asked)} sends"


def _numbers(numbers: Iterable[object]) -> str:
    return ", ".join(map(str, numbers))


def _sent_is_true(act: Act) -> Verdict:
    """Whether each `sent` is backed by an acknowledgement that had left the hub."""
    sent, arrived = _sent(act), act.hub("telemetry")
    if not sent:
        return _not_reached(act)
    unknown = [event.fields["id"] for event in sent if not _before(event, arrived)]
    if not unknown and any(event.fields.get("qos") == 0 or event.fields.get("settled") is True for event in arrived):
        return "note", "the SDK asks the hub for no acknowledgement: `sent` says only that the message was handed over"
    acknowledged = act.hub("puback", "disposition")
    lies = [event.fields["id"] for event in sent if _inside(event, act.dammed()) or not _before(event, acknowledged)]
    if lies:
        worse = f"; {_numbers(unknown)} had not even reached it" if unknown else ""
        return "wrong", f"`sent` was reported for {_numbers(lies)} although the hub had acknowledged nothing{worse}"
    if len(list(act.dammed())) <= 1:
        return _not_reached(act)
    return "right", "each `sent` came after the hub's acknowledgement, which was held back for two of them"


def _cut_off_is_not_sent(act: Act) -> Verdict:
    """The hub's acknowledgement was held back for good."""
    if not act.staged("command", cmd="send"):
        return _not_reached(act)
    if _sent(act):
        return "wrong", "`sent` was reported for a message that the hub never acknowledged, once the program was to end"
    failed = "`send_failed`" if act.app("send_failed") else "nothing"
    return "right", f"{failed} was reported for the message that the hub never acknowledged"


def _before(sent: Event, seen: Iterable[Event]) -> bool:
    return any(event.seq < sent.seq and event.fields.get("message_id") == str(sent.fields["id"]) for event in seen)


def _inside(event: Event, spans: Iterable[tuple[int, int]]) -> bool:
    return any(first < event.seq < last for first, last in spans)


def _nothing_is_added(act: Act) -> Verdict:
    asked = Counter(str(event.fields["id"]) for event in act.staged("command", cmd="send"))
    if not asked:
        return _not_reached(act)
    cut = min((event.seq for event in act.staged("cut")), default=len(act.events))
    arrived = Counter(str(event.fields.get("message_id")) for event in act.hub("telemetry") if event.seq < cut)
    if more := arrived - asked:
        return "wrong", f"messages reached the hub that no `send` asked for: {_times(more)}"
    if fewer := asked - arrived:
        return "wrong", f"a `send` did not reach the hub: message {_times(fewer)}"
    sizes = {str(event.fields["message_id"]): event.fields["size"] for event in act.hub("telemetry") if event.seq < cut}
    if other := [number for number, size in sizes.items() if size != len(f'{{"id":{number}}}')]:
        return "wrong", f'the body of message {_numbers(other)} is not `{{"id":<id>}}`: it has {sizes[other[0]]} bytes'
    return "right", f"{arrived.total()} messages at the hub for {asked.total()} sends"


def _times(counted: Counter[str]) -> str:
    return ", ".join(f"{number} ({count} times)" if count > 1 else number for number, count in counted.items())


# What comes from the hub.


def _c2d_arrives(act: Act) -> Verdict:
    return _arrives(act, "c2d", "c2d-queued", "c2d-acknowledged", "acknowledged (completed)")


def _methods_arrive(act: Act) -> Verdict:
    verdict = _arrives(act, "method", "method-called", "method-answered", "answered")
    status = next((event.fields.get("status") for event in act.hub("method-answered")), _CBS_OK)
    if verdict[0] == "right" and status != _CBS_OK:
        return "wrong", f"the direct method was answered with status {status}"
    return verdict


def _arrives(act: Act, kind: str, asked: str, done: str, doing: str) -> Verdict:
    if not act.hub(asked):
        return _not_reached(act)
    if not act.app(kind):
        return "wrong", f"no `{kind}` was reported"
    if len(act.app(kind)) > 1:
        return "wrong", f"`{kind}` was reported {len(act.app(kind))} times for one that the hub sent"
    if not act.hub(done):
        return "wrong", f"`{kind}` was reported, and at the hub it was not {doing}"
    return "right", f"reported once, and {doing}"


def _statuses_arrive(act: Act) -> Verdict:
    if not act.staged("cut"):
        return _not_reached(act)
    cut = act.staged("cut")[0].seq
    said = [event for event in act.app("status", "background_exception") if event.seq > cut]
    if said:
        return (
            "right",
            f"the hub's end of the connection showed as `{said[0].kind}` {said[0].fields.get('status', '')}".rstrip(),
        )
    if act.app("status"):
        return (
            "note",
            "`status` was reported before, and not when the hub ended the connection; right if the SDK notices nothing",
        )
    return "note", "no `status` was reported at all; right only if the SDK has no such callback"


# The end, and the streams.


def _closes(act: Act) -> Verdict:
    return _ends(act, reports=bool(act.app("opened")))


def _hangs_up(act: Act) -> Verdict:
    return _ends(act, reports=True) if act.app("opened") else _not_reached(act)


def _ends(act: Act, *, reports: bool) -> Verdict:
    """How the program ended once it was told to; `reports`: there is a client, of whose closing it has to tell."""
    closing = next(iter(act.staged("closing")), None)
    failed = next(iter(act.staged("adapter-failure")), None)
    if closing is None or not act.app("hello") or (failed and failed.seq < closing.seq):
        return _not_reached(act)
    if act.failure:
        return "wrong", act.failure
    told = act.app("closed", "close_failed")
    if reports and not told:
        return "wrong", "neither `closed` nor `close_failed` was reported before the program ended"
    took = [(event.t - closing.t) / 1e6 for event in act.staged("adapter-exit")]
    how = f"`{told[0].kind}`, " if told else ""
    return "right", f"{how}exit with code 0 after {took[0]:.1f} s"


def _stdout_is_pure(act: Act) -> Verdict:
    noise = act.staged("adapter-noise")
    if noise:
        text = str(noise[0].fields["text"])
        return "wrong", f"{len(noise)} lines on stdout are no events, the first: {text[:_SHOWN]!r}"
    return ("right", "nothing but events") if act.app("hello") else _not_reached(act)


def _logs_to_stderr(act: Act) -> Verdict:
    lines = sum(event.src == "sdk-log" for event in act.events)
    if lines:
        return "right", f"{lines} lines on stderr"
    if not act.app("opened"):
        return _not_reached(act)
    return "note", "nothing was written to stderr: the SDK's log is not on, or the SDK has none"


def _keeps_secrets(act: Act) -> Verdict:
    if act.leaks:
        return "wrong", f"a key or a signature was written to {'; '.join(act.leaks)}"
    return ("right", "no key and no signature in what was written") if act.app("hello") else _not_reached(act)


def _keeps_the_limits(act: Act) -> Verdict:
    if act.failure:
        last = [str(event.fields["text"]) for event in act.events if event.src == "sdk-log"][-1:]
        return "wrong", "".join([act.failure, *(f"; the last line there: {text[:_SHOWN]}" for text in last)])
    return "right", "no limit was exceeded, no event was malformed, no process died"


def _not_reached(act: Act) -> Verdict:
    return (
        "not tested",
        f"the program did not get that far: {act.failure}" if act.failure else "the program did not get that far",
    )


CHECKS: Final = (
    Check("introduces itself", ("greeting",), "Course, 1; Events, `hello`", "Write `hello` with all its fields as the first line, before the SDK does anything", _introduces_itself),
    Check("names known words", ("greeting",), "Events, `hello`; Capabilities", "Use the words of the page", _names_known_words),
    Check("names the transports asked for", ("greeting",), "Events, `hello`", "Name in `hello` what the program speaks, and no other in `adapter.transports` or --transport", _names_what_was_asked),
    Check("answers what is no command", ("greeting",), "Commands, `bad_command`", "Answer each such line with one `bad_command` and read on; parse inside the loop, and catch what parsing raises", _answers_what_is_no_command),
    Check("`open` does not block the command loop", ("course",), "Commands never wait for the SDK", "Connect in a thread of its own, or without waiting", _open_does_not_block),
    Check("`opened` is true", ("course",), "Fields of `open`, last paragraph", "Report `opened` when the SDK says that it is connected, and only then", _opened_is_true),
    Check("`opened` echoes the settings", ("course",), "Events, `opened`", "Echo those fields of `open` that were used, with their values and without secrets", _echoes_settings),
    Check("the lifetime is used", ("course",), "Fields of `open`, `lifetime_s`; Capabilities", "Hand `lifetime_s` to the SDK, or do not name the capability `lifetime`", _uses_the_lifetime),
    Check("answers while it is open", ("course",), "Commands, `bad_command`", "Answer an unknown command and a second `open` with one `bad_command`, at any time", _answers_what_is_no_command),
    Check("`send` does not block the command loop", ("course",), "Commands never wait for the SDK", "Put calls that block into threads of their own, and read the next command meanwhile", _sends_do_not_block),
    Check("`sent` is true", ("course",), "Events, `sent`", "Report `sent` from the SDK's own confirmation, and not when the call was made", _sent_is_true),
    Check("what is cut off is not `sent`", ("hang-up",), "Events, `sent`; Closing, 1", "Let a send without a confirmation stay open, or report the SDK's failure, however long the program has waited", _cut_off_is_not_sent),
    Check("each send ends once", ("course",), "Events, `sent`, `send_failed`", "Report exactly one of them for each `send`, with its id", _sends_end),
    Check("adds and retries nothing", ("course",), "The harness measures the SDK, not the program", 'One call of the SDK for each `send`, message id `<id>`, body `{"id":<id>}`, and nothing else', _nothing_is_added),
    Check("C2D messages arrive", ("course",), "Fields of `open`, `c2d`", "Register the handler once, complete each message, and report it", _c2d_arrives),
    Check("direct methods arrive", ("course",), "Fields of `open`, `methods`", "Register the handler once, answer with status 200 and `{}`, and report it", _methods_arrive),
    Check("status callbacks arrive", ("course",), "Events, `status`", "Register every callback of the SDK before connecting", _statuses_arrive),
    Check("a refused key is reported", ("refused",), "Events, `open_failed`; Errors", "Report `open_failed` with the native class and every cause", _refusal_is_reported),
    Check("a client that cannot be made is reported", ("malformed",), "Events, `open_failed`; Checklist", "Catch what making the client raises, and report it as `open_failed`", _cannot_make_a_client),
    Check("lives on after `open_failed`", ("refused", "malformed"), "Course, last paragraph", "Go on reading commands: only `close` and the end of stdin end the program", _answers_what_is_no_command),
    Check("`close` ends it", ("greeting", "course"), "Closing", "Settle, close, report `closed` or `close_failed`, exit with code 0 within the limit, even while threads of the SDK are blocked", _closes),
    Check("the end of stdin ends it", ("hang-up",), "Course, 4; Closing", "Treat the end of stdin as `close`, also while a send waits: the harness is gone", _hangs_up),
    Check("stdout carries events only", (), "Streams", "Take descriptor 1 for the protocol and point it at stderr before the SDK is loaded", _stdout_is_pure),
    Check("the SDK's log is on stderr", (), "Streams; Checklist", "Send the SDK's log, at its informational level, to stderr", _logs_to_stderr),
    Check("no secret is written", (), "Streams, secrets", "Write neither keys nor tokens to any stream", _keeps_secrets),
    Check("keeps the limits", (), "Limits", "See the limit that the sentence names", _keeps_the_limits),
)  # fmt: skip
