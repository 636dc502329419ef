"""The emulated device over HTTPS: an SDK's behaviour, played from its profile; without I/O or clock of its own.

It is driven like `EmulatedDevice`, and is another machine, since there is nothing to connect, to renew or to return to: it makes one request after the
other, each with a token, and a transport is no more than what carries them.

    command -> queue -> [no transport: Dial] -> request -> answer -> event

| job | request | done when answered | else |
|---|---|---|---|
| send | POST of a message | `sent` | `send_failed`, or tried again |
| receive | GET, every `poll_s` | `c2d`, and a job to complete it; another job to receive | the next poll |
| complete | DELETE | - | - |

Opening takes no request: what is wrong with the credentials, the first message shows, unless the SDK sees it for itself.
"""

import string
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote

from harness.device.actions import Action, Dial, Hangup, Write
from harness.device.credential import Credential
from harness.device.opening import Opening, parse_open
from harness.device.reports import Reports
from harness.emulation import AppSignal, HttpsEmulation
from harness.errors import RemoteProtocolError
from harness.profile import Profile
from harness.protocol.http.client import HttpClient
from harness.protocol.http.messages import Headers, Request, Response

__all__ = ["HttpsDevice"]

SETTLE_S: Final = 5.0
"""How long a close command waits for the requests under way: a device program lets its sends settle first."""
TRANSPORT: Final = "https"
_OK, _NOT_FOUND, _REFUSALS = 200, 404, frozenset({401, 403, 404})
_GOOD: Final = range(200, 300)
_HEADER_NAME: Final = "!#$&'*+-.^_`|~"  # beside letters and digits (RFC 9110 section 5.6.2)
_HEADER_VALUE: Final = string.punctuation.replace("%", "")


@dataclass(frozen=True, slots=True)
class Job:
    """Something to ask of the hub: to take message `number` with these `headers`, to give one, or to be done with the one locked by `lock`."""

    kind: Literal["send", "receive", "complete"]
    number: int = 0
    lock: str = ""
    headers: Headers = ()


class HttpsDevice:
    """One client of the SDK that `profile` describes; it has to say how over HTTPS. All times are seconds since the Unix epoch."""

    def __init__(self, profile: Profile, manners: HttpsEmulation) -> None:
        self._profile, self._emulation, self._manners = profile, profile.emulation, manners
        self._reports = Reports(profile)
        self._actions: list[Action] = []
        self._jobs: deque[Job] = deque()
        self._current: Job | None = None
        self._http: HttpClient | None = None  # on a transport that stands
        self._dialling = self._hung_up = False
        self._open = self._closing = self._closed = False
        self._poll_at: float | None = None
        self._settle_at: float | None = None
        self._repeat_at: float | None = None
        self._opening: Opening

    def actions(self) -> list[Action]:
        """What the transport has to do, in order; drained."""
        actions, self._actions = self._actions, []
        return actions

    def events(self) -> list[dict[str, object]]:
        """Events of the adapter protocol, `hello` first, and `sdk_log` with a line of the SDK's log; drained."""
        return self._reports.drain()

    # Commands

    def command(self, command: Mapping[str, object], now: float) -> None:
        """Carry out one command of the adapter protocol; what cannot be carried out becomes an event."""
        number = command.get("id")
        match command.get("cmd"):
            case "open" if not self._open and not self._closed:
                self._begin(command, now)
            case "send" if self._takes_messages() and isinstance(number, int) and not isinstance(number, bool):
                self._ask(Job("send", number, headers=_application(command.get("properties"))), now)
            case "close" if not self._closing:
                self._close(now)
            case name:
                self._reports.tell("bad_command", now, cmd=name if isinstance(name, str) else None)

    def _takes_messages(self) -> bool:
        return self._open and not self._closing

    def _begin(self, command: Mapping[str, object], now: float) -> None:
        try:
            self._opening = parse_open(command, self._profile, TRANSPORT)
        except ValueError as error:
            self._reports.tell("open_failed", now, error=[{"class": "ValueError", "message": str(error)}])
            return
        self._credential = Credential(self._emulation, self._manners, self._opening, now)
        if self._credential.lacks_a_field and (unfit := self._manners.signals.token_incomplete):
            self._reports.show(unfit, now)
            return
        self._open = True
        self._reports.show(self._manners.signals.opened, now)
        self._reports.tell("opened", now, settings=dict(self._opening.used))
        if self._opening.c2d or "c2d" in self._manners.always_subscribes:
            self._poll_at = now + self._manners.poll_s

    def _close(self, now: float) -> None:
        self._closing, self._poll_at = True, None
        self._jobs = deque(job for job in self._jobs if job.kind != "receive")
        self._settle_at = now + SETTLE_S
        self._finish(now)

    def _finish(self, now: float) -> None:
        """Close, once nothing is under way any more."""
        if not self._closing or self._closed or self._current is not None or self._jobs:
            return
        if self._http is not None or self._dialling:
            self._hang_up("close-notify")
        else:
            self._closed, self._settle_at = True, None
            self._reports.show(self._manners.signals.closing if self._open else (), now)
            self._reports.tell("closed", now)

    # The transport

    def connected(self, now: float) -> None:
        """The transport stands, TLS included."""
        if self._dialling:
            self._dialling, self._http = False, HttpClient()
            self._go_on(now)

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes from the hub."""
        if self._http is None:
            return
        try:
            answer = self._http.receive(data)
        except RemoteProtocolError:
            self._hang_up("rst")
            return
        job = self._current
        if answer is None or job is None:
            return
        self._current = None
        if self._http.over or not self._manners.keeps_connection:
            self._hang_up("close-notify")
        self._answered(job, answer, now)
        self._go_on(now)

    def lost(self, how: str, now: float) -> None:  # noqa: ARG002 - all ways are the same to a request
        """The transport is gone, or could not be had: so is the request that it carried, or was to carry."""
        dialled, self._dialling, self._http, self._hung_up = self._dialling, False, None, False
        job, self._current = self._current, None
        if job is None and dialled and self._jobs:
            job = self._jobs.popleft()
        if job is not None:
            signals = self._manners.signals
            self._fail(job, signals.send_unreachable if dialled else signals.send_lost, now)
        self._go_on(now)

    def _hang_up(self, how: Literal["close-notify", "rst"]) -> None:
        if not self._hung_up:
            self._hung_up = True
            self._actions.append(Hangup(how))

    # Time

    def next_deadline(self) -> float | None:
        """When `on_time` has something to do, or None for never."""
        return min((at for at in (self._poll_at, self._settle_at, self._repeat_at) if at is not None), default=None)

    def on_time(self, now: float) -> None:
        """Do what is due; earlier calls do nothing."""
        if self._poll_at is not None and self._poll_at <= now:
            self._poll_at = now + self._manners.poll_s
            if not any(job.kind == "receive" for job in (self._current, *self._jobs) if job is not None):
                self._ask(Job("receive"), now)
        if self._repeat_at is not None and self._repeat_at <= now:
            self._repeat_at = None
            self._go_on(now)
        if self._settle_at is not None and self._settle_at <= now:
            self._settle_at = self._repeat_at = None
            for job in (self._current, *self._jobs):
                if job is not None:
                    self._fail(job, self._manners.signals.send_cancelled, now)
            self._current = None
            self._jobs.clear()
            self._finish(now)

    # Requests

    def _ask(self, job: Job, now: float) -> None:
        self._jobs.append(job)
        self._go_on(now)

    def _go_on(self, now: float) -> None:
        """Make the next request, on the transport that stands or on one that is asked for."""
        if self._hung_up or self._current is not None or self._repeat_at is not None:
            return
        if not self._jobs:
            self._finish(now)
        elif self._http is not None:
            self._current = self._jobs.popleft()
            self._actions.append(Write(self._http.request(self._request(self._current, now))))
        elif not self._dialling:
            self._dialling = True
            self._actions.append(Dial())

    def _request(self, job: Job, now: float) -> Request:
        """The request, with the token that this SDK shows now."""
        due = self._credential.renewal_at()
        if self._manners.token == "each-request" or (due is not None and due <= now):  # noqa: S105 - no password
            self._credential.renew(now)
        token = self._credential.text
        headers = (
            ("host", self._opening.host),
            *((("authorization", token),) if token else ()),
            ("user-agent", self._emulation.user_agent),
        )
        path = f"/devices/{quote(self._opening.device_id, safe='')}/messages"
        version = f"?api-version={self._emulation.api_version}"
        if job.kind == "send":
            about = (*headers, ("iothub-messageid", str(job.number)), *job.headers)
            return Request("POST", f"{path}/events{version}", about, b'{"id":%d}' % job.number)
        if job.kind == "receive":
            return Request("GET", f"{path}/devicebound{version}", headers)
        return Request("DELETE", f"{path}/devicebound/{quote(job.lock, safe='')}{version}", headers)

    def _answered(self, job: Job, answer: Response, now: float) -> None:
        if answer.status in _REFUSALS:
            self._refused(job, answer.status == _NOT_FOUND, now)
        elif answer.status not in _GOOD:
            self._fail(job, (), now)
        elif job.kind == "send":
            self._reports.tell("sent", now, id=job.number)
        elif job.kind == "receive" and answer.status == _OK:
            message_id = answer.header("iothub-messageid")
            self._reports.tell("c2d", now, message_id=message_id, size=len(answer.body))
            self._jobs.append(Job("complete", lock=(answer.header("etag") or "").strip('"')))
            if not self._closing:
                self._jobs.append(Job("receive"))

    def _refused(self, job: Job, not_found: bool, now: float) -> None:  # noqa: FBT001 - one of two
        signals, again_s = self._manners.signals, self._manners.repeats_refused_s
        if job.kind != "send":
            self._reports.show(signals.receive_refused if job.kind == "receive" else (), now)
        elif again_s is None:
            self._fail(job, (not_found and signals.send_not_found) or signals.send_refused, now)
        else:
            self._reports.show((not_found and signals.not_found) or signals.refused, now)
            self._jobs.appendleft(job)
            self._repeat_at = now + again_s

    def _fail(self, job: Job, signals: tuple[AppSignal, ...], now: float) -> None:
        """Only of a message is the application told."""
        if job.kind == "send":
            self._reports.fail([job.number], signals, now)


def _application(properties: object) -> Headers:
    """Application properties as headers; what cannot stand in one is percent-encoded."""
    given = properties if isinstance(properties, Mapping) else {}
    return tuple(
        (f"iothub-app-{quote(name, safe=_HEADER_NAME)}", quote(value, safe=_HEADER_VALUE))
        for name, value in given.items()
    )
