"""Acts of a device program as they would be recorded, made by hand; a good one, from which tests make bad ones."""

from collections.abc import Iterable

from harness.events import Event, Source
from harness.run.conformance.record import Act, ActName

Told = tuple[Source, str, dict[str, object]]

HELLO: Told = (
    "app", "hello",
    {"sdk": "acme", "sdk_version": "1.4", "runtime": "C 17", "transports": ["mqtt"], "capabilities": ["lifetime"]},
)  # fmt: skip
OPEN: Told = (
    "harness",
    "command",
    {"cmd": "open", "transport": "mqtt", "lifetime_s": 1800.0, "c2d": True, "methods": True},
)
OPENED: Told = (
    "app",
    "opened",
    {"settings": {"transport": "mqtt", "lifetime_s": 1800.0, "c2d": True, "methods": True}},
)
CONNACK: Told = ("hub", "connack", {"code": 0})
REFUSED: Told = (
    "app",
    "open_failed",
    {"error": [{"class": "AuthError", "message": "no"}, {"class": "Cause", "message": ""}]},
)
BAD: Told = ("app", "bad_command", {})
EXIT: Told = ("harness", "adapter-exit", {"code": 0})
LOG: Told = ("sdk-log", "line", {"text": "INFO connected"})
HOLD: Told = ("harness", "dam", {"shut": True})
RELEASE: Told = ("harness", "dam", {"shut": False})
CUT: Told = ("harness", "cut", {})
STATUS: Told = ("app", "status", {"status": "lost"})


def closing(*, silently: bool = False) -> Told:
    """The program is told to end."""
    return "harness", "closing", {"silently": silently}


def failure(text: str) -> Told:
    """The program was ended for that."""
    return "harness", "adapter-failure", {"text": text}


def line(what: str, *answers: Told) -> list[Told]:
    """A line that is no command, and what came until it was given up."""
    return [("harness", "line", {"what": what}), *answers, ("harness", "waited", {"what": what})]


def send(number: int) -> Told:
    """The command."""
    return "harness", "command", {"cmd": "send", "id": number}


def arrives(number: int, **changes: object) -> list[Told]:
    """The message at the hub, and its acknowledgement."""
    fields = {"message_id": str(number), "size": len(f'{{"id":{number}}}'), "qos": 1, **changes}
    return [("hub", "telemetry", fields), ("hub", "puback", {"message_id": str(number)})]


def sent(number: int) -> Told:
    """What the program makes of it."""
    return "app", "sent", {"id": number}


C2D: list[Told] = [
    ("hub", "c2d-queued", {"message_id": "c2d-1"}), ("app", "c2d", {"message_id": "c2d-1"}), ("hub", "c2d-acknowledged", {}),
]  # fmt: skip
METHOD: list[Told] = [
    ("hub", "method-called", {"request_id": "1"}), ("app", "method", {"name": "probe"}), ("hub", "method-answered", {"status": 200}),
]  # fmt: skip
CLOSING: list[Told] = [closing(), ("app", "closed", {}), EXIT]

COURSE: list[Told] = [
    HELLO, HOLD, OPEN, LOG, ("hub", "connect", {"token": {"left_s": 1799.4}}), CONNACK, *line("unknown", BAD), RELEASE, OPENED,
    *line("second-open", BAD), send(1), *arrives(1), sent(1), *C2D, *METHOD,
    HOLD, send(2), *arrives(2), *line("unknown", BAD), RELEASE, sent(2), CUT, STATUS, *CLOSING,
]  # fmt: skip
GREETING: list[Told] = [HELLO, *line("garbage", BAD), *line("unknown", BAD), closing(), EXIT]
WRONG_KEY: list[Told] = [HELLO, OPEN, REFUSED, *line("unknown", BAD), closing(), EXIT]
HANG_UP: list[Told] = [
    HELLO,
    OPEN,
    CONNACK,
    OPENED,
    HOLD,
    send(1),
    *arrives(1),
    closing(silently=True),
    ("app", "closed", {}),
    EXIT,
]


def act(told: Iterable[Told], name: ActName = "course", **changes: object) -> Act:
    """An act in which these things happened, a second apart."""
    events = tuple(Event(number, number * 1_000_000, *one) for number, one in enumerate(told))
    return Act(name, "" if name == "greeting" else "mqtt", events, **changes)  # type: ignore[arg-type] # fields by name


def without(told: Iterable[Told], *kinds: str) -> list[Told]:
    """All but the events of these kinds."""
    return [one for one in told if one[1] not in kinds]


def instead(told: Iterable[Told], old: Told, *new: Told) -> list[Told]:
    """`new` in the place of every `old`."""
    return [each for one in told for each in (new if one == old else (one,))]
