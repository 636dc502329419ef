"""The emulated device: an SDK's behaviour, played from its profile; without I/O, clock or chance of its own.

It takes the adapter protocol's commands and its transport's news, and gives back actions for the transport and events of the adapter
protocol. After every call, whoever drives it carries out `actions()`, reports `events()` and minds `next_deadline()`. Its states stand in
`phases`; what it does in them, wherever SDKs differ, in `emulation`; how it says so to the hub, in its `link`.
"""

from collections.abc import Mapping
from random import Random

from harness.device.actions import Action, Dial, Hangup, Write
from harness.device.credential import Credential
from harness.device.link import (
    Acknowledged,
    Admitted,
    Broken,
    Called,
    Ended,
    Ending,
    LinkEvent,
    Listening,
    Received,
    Refused,
    Rejected,
    Renewed,
    Unrenewed,
)
from harness.device.links import link_for
from harness.device.opening import parse_open
from harness.device.outbox import Outbox
from harness.device.phases import (
    ABSENT,
    ENDED,
    IN_USE,
    STANDING,
    Outcome,
    Phase,
    Purpose,
    Step,
    Timer,
    next_step,
)
from harness.device.reports import Reports
from harness.device.retry import Retry
from harness.device.ways import end_signals, failure_signals, message_rule, wishes, without_a_word
from harness.emulation import AppSignal
from harness.profile import Profile

__all__ = ["Action", "Dial", "EmulatedDevice", "Hangup", "Phase", "Write"]

SETTLE_S = 5.0
"""How long a close command waits for outstanding acknowledgements: a device program lets its sends settle first."""
SOONEST_S = 0.001
"""A renewal that is already due happens so much later, as a timer in an SDK would fire: time passes between two of them."""


class EmulatedDevice:
    """One client of the SDK that `profile` describes, over `transport`. All times are seconds since the Unix epoch.

    `random` decides what the SDK leaves to chance: the jitter of its retries.
    """

    def __init__(self, profile: Profile, transport: str, *, random: Random) -> None:
        self._profile, self._emulation, self._transport = profile, profile.emulation, transport
        self._manners = profile.emulation.over(transport)
        self._signals = self._manners.signals
        self._reports = Reports(profile)
        self._retry = Retry(self._manners, random)
        self._link = link_for(profile.emulation, transport, random)
        self._timers: dict[Timer, float] = {}
        self._phase, self._purpose = Phase.NEW, Purpose.OPEN
        self._ended: Ended | None = None
        self._renew_first = self._for_message = self._closing = False
        self._ends_after_return = self._unrenewed = self._silent = False
        self._token_returns = 0  # times it still has to come back with a token the application supplied

    @property
    def phase(self) -> Phase:
        """Where the device stands."""
        return self._phase

    def actions(self) -> list[Action]:
        """What the transport has to do, in order; drained."""
        return self._link.actions()

    def events(self) -> list[dict[str, object]]:
        """Events of the adapter protocol, `hello` first, and `sdk_log` with a line of the SDK's log; drained."""
        return self._reports.drain()

    # Commands

    def command(self, command: Mapping[str, object], now: float) -> None:
        """Carry out one command of the adapter protocol; what cannot be carried out becomes an event."""
        number = command.get("id")
        match command.get("cmd"):
            case "open" if self._phase is Phase.NEW:
                self._open(command, now)
            case "send" if self._takes_messages() and isinstance(number, int) and not isinstance(number, bool):
                self._send(number, command.get("properties"), now)
            case "token" if self._takes_messages() and isinstance(command.get("sas"), str):
                self._take_token(str(command["sas"]), now)
            case "close" if self._phase is not Phase.CLOSED and not self._closing:
                self._close(now)
            case name:
                self._reports.tell("bad_command", now, cmd=name if isinstance(name, str) else None)

    def _takes_messages(self) -> bool:
        return self._phase not in ENDED and not self._closing

    def _open(self, command: Mapping[str, object], now: float) -> None:
        try:
            self._opening = parse_open(command, self._profile, self._transport)
        except ValueError as error:
            self._reports.tell("open_failed", now, error=[{"class": "ValueError", "message": str(error)}])
            return
        self._outbox = Outbox(self._link.resends)
        self._credential = Credential(self._emulation, self._manners, self._opening, now)
        if unfit := self._unfit_token(now):
            self._reports.show(unfit, now)
            return
        self._arm_renewal(now)
        self._dial(now)
        self._arm_notice(now)

    def _unfit_token(self, now: float) -> tuple[AppSignal, ...]:
        """What an SDK says that looks into the application's token and does not go on with it."""
        if self._credential.lacks_a_field:
            return self._signals.token_incomplete
        return self._signals.token_over if self._credential.is_own and self._credential.is_expired(now) else ()

    def _send(self, number: int, properties: object, now: float) -> None:
        if self._silent:
            return
        self._outbox.add(number, properties if isinstance(properties, Mapping) else None)
        if self._phase is Phase.READY:
            self._flush(now)
        elif self._phase is Phase.DOWN:
            self._stay_down(self._signals.send_impossible, now)
        elif (
            self._phase is Phase.WAITING
            and self._retry.has_failed
            and message_rule(self._manners, self._purpose) == "reconnects"
        ):
            self._dial(now, for_message=True)

    def _close(self, now: float) -> None:
        self._closing = True
        match self._phase:
            case Phase.NEW | Phase.STALLED | Phase.WAITING | Phase.DOWN if not self._link.has_transport:
                self._closed(now)
            case Phase.READY | Phase.DRAINING:
                self._drain(SETTLE_S, now)
            case Phase.SUBSCRIBING | Phase.STALLED | Phase.WAITING | Phase.DOWN:
                self._leave(now)
            case Phase.DIALLING | Phase.CONNECTING:
                self._enter(Phase.LEAVING)
                self._link.abort()

    def _closed(self, now: float) -> None:
        if self._phase is not Phase.NEW:
            self._fail_all(self._signals.send_cancelled, now)
        self._enter(Phase.CLOSED)
        self._timers.clear()
        self._reports.tell("closed", now)

    # The transport

    def connected(self, now: float) -> None:
        """The transport stands, up to where MQTT or AMQP begins."""
        if self._phase is Phase.DIALLING:
            self._enter(Phase.CONNECTING)
            self._link.connected(self._opening, self._credential.text, now)

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes from the hub."""
        self._link.receive(data, now)
        self._handle_events(now)

    def lost(self, how: str, now: float) -> None:
        """The transport is gone, or could not be had. `how` it went: by `rst`, or in one of the milder ways."""
        phase, ended = self._phase, self._ended
        if self._link.lost() or phase in ABSENT:
            return
        self._ended = None
        self._lose_in_flight(now)
        self._timers.pop(Timer.RESEND, None)
        if self._closing:
            self._closed(now)
        elif phase in STANDING:
            seen = "fin" if phase is Phase.BROKEN else how  # one that the device ended itself is never a reset
            self._dropped(ended or without_a_word(self._manners, self._transport, seen), now)
        elif phase is Phase.LEAVING:
            self._wait(self._emulation.renewal_delay_s, now)
        else:
            outcomes = {Phase.REFUSED: Outcome.REFUSED, Phase.DIALLING: Outcome.NO_TRANSPORT}
            self._failed(outcomes.get(phase, Outcome.UNREACHABLE), now)

    # Time

    def next_deadline(self) -> float | None:
        """When `on_time` has something to do, or None for never."""
        deadlines = [*self._timers.values(), self._link.next_deadline()]
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def on_time(self, now: float) -> None:
        """Do what is due; earlier calls do nothing."""
        self._link.on_time(now)
        self._handle_events(now)
        for timer in Timer:
            if timer in self._timers and self._timers[timer] <= now:
                del self._timers[timer]
                self._ring(timer, now)

    def _ring(self, timer: Timer, now: float) -> None:
        if timer is Timer.ATTEMPT:
            self._dial(now)
        elif timer is Timer.TRANSPORT:
            self._link.abort()
        elif timer is Timer.DRAINED:
            self._leave(now, acknowledged=False)
        elif timer is Timer.STALL:
            self._see_the_end(now)
        elif timer is Timer.RESEND:
            self._resend(now)
        elif timer is Timer.NOTICE:
            self._reports.show(self._signals.token_required, now)
        else:
            self._renew(now)

    def _enter(self, phase: Phase) -> None:
        """Change the phase; the timers of the old one are void."""
        self._phase = phase
        for timer in (Timer.ATTEMPT, Timer.TRANSPORT, Timer.DRAINED, Timer.STALL):
            self._timers.pop(timer, None)

    # Renewal

    def _arm_renewal(self, now: float) -> None:
        self._timers.pop(Timer.RENEWAL, None)
        if (due := self._credential.renewal_at()) is not None:
            self._timers[Timer.RENEWAL] = max(due, now + SOONEST_S)

    def _renew(self, now: float) -> None:
        """The token is due. While it is away, an SDK that keeps its token renews it for later; others look when they are back.

        A renewal that still waits for its next attempt ends there: the SDK stops its timer, and starts another only when connected.
        """
        if self._phase is Phase.READY and self._link.renews_in_place:
            self._renew_in_place(now)
        elif self._phase is Phase.READY:
            self._renew_first = True
            self._leave_for_token(now)
        elif self._manners.token_on_reconnect == "cached" and self._phase not in STANDING:  # noqa: S105 - no password
            self._credential.renew(now)
            self._arm_renewal(now)
            if self._purpose is Purpose.RENEWAL and self._phase is Phase.WAITING:
                self._give_up((), now)

    def _arm_notice(self, now: float) -> None:
        """Have the application asked for another token when it is time, which may be at once."""
        if (notice := self._credential.notice_at()) is not None:
            self._timers[Timer.NOTICE] = notice
            self.on_time(now)

    def _take_token(self, text: str, now: float) -> None:
        """The application hands over another token of its own."""
        try:
            self._credential.supply(text, now)
        except ValueError as problem:
            self._reports.tell("token_failed", now, error=[{"class": "ValueError", "message": str(problem)}])
            return
        self._arm_renewal(now)
        self._arm_notice(now)
        if self._phase is Phase.READY and self._link.renews_in_place:
            self._token_returns = 1
            self._link.renew(text, now)
        elif self._phase is Phase.READY:
            self._token_returns = self._manners.own_token_returns
            self._leave_for_token(now)
        elif self._phase in (Phase.WAITING, Phase.DOWN) and self._manners.own_token_wakes:
            self._token_returns = 1
            self._purpose = Purpose.RESTORE
            self._dial(now)
        else:
            self._reports.tell("token_updated", now)

    def _leave_for_token(self, now: float) -> None:
        """Leave, to come back with the token there is."""
        self._reports.show(self._signals.leaving, now)
        self._purpose = Purpose.RENEWAL
        self._drain(self._emulation.waits_for_acks_s, now)

    def _back_with_token(self, now: float) -> None:
        """The hub took a token that the application may have supplied."""
        if self._token_returns == 1:
            self._reports.tell("token_updated", now)
        self._token_returns = max(self._token_returns - 1, 0)

    def _renew_in_place(self, now: float) -> None:
        """Show the hub another token; where the SDK still waits for an answer to the one before, it comes with that answer."""
        if self._link.is_renewing:
            return
        self._credential.renew(now)
        self._arm_renewal(now)
        self._link.renew(self._credential.text, now)

    def _renewed(self, now: float) -> None:
        self._unrenewed = False
        if Timer.RENEWAL not in self._timers:
            self._arm_renewal(now)
        self._reports.show(self._signals.renewed, now)
        self._back_with_token(now)

    def _drain(self, seconds: float, now: float) -> None:
        """Leave once the outstanding acknowledgements are there, in `seconds` at the latest."""
        if self._outbox.is_settled or not seconds:
            self._leave(now)
        else:
            self._enter(Phase.DRAINING)
            self._timers[Timer.DRAINED] = now + seconds

    def _leave(self, now: float, *, acknowledged: bool = True) -> None:
        """Take leave of the hub; a renewal that waited for PUBACKs in vain does so without DISCONNECT."""
        if self._closing:
            self._reports.show(self._signals.closing_unrenewed if self._unrenewed else (), now)
            self._reports.show(self._signals.closing, now)
        self._enter(Phase.LEAVING)
        if acknowledged or self._closing:
            self._link.leave(now)
        else:
            self._link.abort()

    # Coming and going

    def _dial(self, now: float, *, for_message: bool = False) -> None:
        """Begin an attempt: on the connection that stands, if there is one."""
        self._lose_in_flight(now)
        if self._renew_first:
            self._credential.renew(now)
            self._arm_renewal(now)
        elif self._purpose in (Purpose.RESTORE, Purpose.MESSAGE):
            if self._purpose is Purpose.RESTORE and not self._retry.has_failed:
                self._reports.show(self._signals.returning, now)
            if self._credential.renew_for_reconnect(now):
                self._arm_renewal(now)
        self._renew_first, self._for_message = False, for_message
        if self._link.stands:
            self._reports.show(self._signals.reauthenticating, now)
            self._enter(Phase.CONNECTING)
            self._link.authenticate(self._credential.text, now)
        else:
            self._enter(Phase.DIALLING)
            if (limit := self._manners.connect_timeout_s) is not None:
                self._timers[Timer.TRANSPORT] = now + limit
            self._link.dial()

    def _admitted(self, now: float) -> None:
        if self._purpose is Purpose.OPEN and not self._opening.certificate:
            self._reports.show(self._signals.opened, now)
        if self._link.listen(wishes(self._manners, self._opening, self._purpose), now):
            self._enter(Phase.SUBSCRIBING)
        else:
            self._ready(now)

    def _ready(self, now: float) -> None:
        self._enter(Phase.READY)
        self._retry.end()
        if self._purpose is Purpose.OPEN:
            if self._opening.certificate:  # only now: over AMQP, it was judged with the links
                self._reports.show(self._signals.opened, now)
            self._reports.tell("opened", now, settings=dict(self._opening.used))
        else:
            renewed = self._purpose is Purpose.RENEWAL
            self._reports.show(self._signals.renewed if renewed else self._signals.restored, now)
        self._purpose = Purpose.RESTORE
        if Timer.RENEWAL not in self._timers:
            self._arm_renewal(now)
        if self._emulation.resend_delay_s:
            self._timers[Timer.RESEND] = now + self._emulation.resend_delay_s
        else:
            self._resend(now)
        if self._ends_after_return:
            self._ends_after_return = False
            self._end(Ended(Ending.OWN_ACCORD, then="gives-up"), now)
        else:
            self._back_with_token(now)
            if self._token_returns:
                self._leave_for_token(now)
            else:
                self._flush(now)

    # The end of a connection

    def _end(self, ended: Ended, now: float) -> None:
        """The connection is of no more use: say what is to be said on it, or wait until the SDK sees it."""
        self._ended = ended
        if self._closing or (ended.wait_s is None and not ended.stall_s):
            self._enter(Phase.BROKEN)
            self._link.close(now)
        elif ended.stall_s:
            self._enter(Phase.STALLED)
            self._timers[Timer.STALL] = now + ended.stall_s
        else:
            self._see_the_end(now)

    def _see_the_end(self, now: float) -> None:
        ended, self._ended = self._ended, None
        assert ended is not None
        if ended.wait_s is None and self._link.has_transport:
            self._link.close(now)
        self._dropped(ended, now)

    def _dropped(self, ended: Ended, now: float) -> None:
        opening = self._purpose is Purpose.OPEN
        links_stay = ended.wait_s is not None and ended.ending is not Ending.DETACH
        if not links_stay:  # else acknowledgements may still come, until the next attempt
            self._lose_in_flight(now)
        if ended.then == "falls-silent":
            self._silent = True
            self._outbox.give_up()
            self._reports.show(self._signals.links_refused, now)
            self._rest(now)
            return
        if ended.forgets:
            self._outbox.give_up()
        elif ended.fails:
            self._fail_all(self._signals.send_lost, now)
        self._reports.show(end_signals(self._signals, ended.ending, expired=self._credential.is_expired(now)), now)
        wait = self._retry.begin(now)
        if not opening:  # whatever the connection was for, now it is lost; an open goes on
            self._purpose, self._renew_first = Purpose.RESTORE, False
            self._ends_after_return = ended.then == "returns-and-ends"
        if ended.then == "gives-up" and not opening:
            self._give_up((), now)
        elif self._is_needed():
            self._wait(wait if ended.wait_s is None else ended.wait_s, now)
        else:
            self._rest(now)

    def _lose_in_flight(self, now: float) -> None:
        """The connection that carried these messages is gone."""
        lost = self._outbox.connection_lost()
        if self._outbox.is_settled:
            self._link.forget()
        self._reports.fail(lost, self._signals.send_lost, now)

    def _fail_all(self, signals: tuple[AppSignal, ...], now: float) -> None:
        self._link.forget()
        self._reports.fail(self._outbox.give_up(), signals, now)

    def _rest(self, now: float) -> None:
        """Make no further attempt by itself, and need no connection."""
        self._enter(Phase.DOWN)
        if self._link.has_transport:
            self._link.close(now)

    def _wait(self, seconds: float, now: float) -> None:
        if not seconds:
            self._dial(now)
            return
        self._enter(Phase.WAITING)
        self._timers[Timer.ATTEMPT] = now + seconds

    # Attempts that come to nothing

    def _failed(self, outcome: Outcome, now: float, *, wait_s: float | None = None) -> None:
        """`wait_s`: until the next attempt, where the SDK makes it on the connection that stands."""
        signals, refused = self._signals, outcome is Outcome.REFUSED
        own_token = self._credential.is_own
        step = next_step(self._purpose, outcome, self._emulation, self._manners, own_token=own_token)
        if step is Step.OPEN_FAILS:
            by_links = self._opening.certificate and signals.links_refused
            self._give_up((by_links or signals.open_refused) if refused else signals.open_unreachable, now)
            return
        if not self._for_message:  # what a message brought about, only that message shows
            self._reports.show(failure_signals(signals, outcome, self._purpose), now)
        keeps = outcome is Outcome.NO_TRANSPORT and self._manners.send_without_transport == "retries"
        if refused or (signals.send_unreachable and not keeps) or step is Step.GIVE_UP:
            self._fail_with_attempt(signals.send_refused if refused else signals.send_unreachable, now)
        if step is Step.GIVE_UP:
            self._give_up(signals.gave_up, now)
        else:
            self._try_again(now, wait_s)

    def _fail_with_attempt(self, signals: tuple[AppSignal, ...], now: float) -> None:
        """Messages share the fate of the attempt, where a message can make the SDK try."""
        if message_rule(self._manners, self._purpose) == "reconnects":
            self._reports.fail(self._outbox.give_up_waiting(), signals, now)

    def _try_again(self, now: float, wait_s: float | None) -> None:
        signals = self._signals
        if self._purpose is Purpose.RENEWAL and self._emulation.after_failed_renewal == "as-after-drop":
            self._purpose = Purpose.RESTORE
        if not self._is_needed():
            self._rest(now)
        elif (wait := self._retry.again(now) if wait_s is None else wait_s) is None:
            in_open = self._purpose is Purpose.OPEN and signals.open_timed_out
            self._give_up(in_open or signals.retries_ended, now)
        else:
            self._wait(wait, now)

    def _give_up(self, signals: tuple[AppSignal, ...], now: float) -> None:
        """Make no further attempt; shown once, and not for every message that tries in vain afterwards."""
        if self._purpose is not Purpose.MESSAGE:
            self._reports.show(signals, now)
        self._purpose = Purpose.MESSAGE
        self._stay_down(self._signals.send_cancelled, now)

    def _stay_down(self, signals: tuple[AppSignal, ...], now: float) -> None:
        """Make no attempt of the SDK's own; only what its messages bring about. `signals`: for those that it does not take."""
        self._rest(now)
        rule = message_rule(self._manners, self._purpose) if self._purpose is Purpose.MESSAGE else "reconnects"
        if rule == "fails":
            self._fail_all(signals, now)
        elif rule == "reconnects" and self._outbox.is_waiting:
            self._dial(now, for_message=True)

    def _is_needed(self) -> bool:
        """Whether the SDK has a reason to be connected."""
        wanted = self._opening.c2d or self._opening.methods or self._purpose is Purpose.OPEN
        return self._manners.reconnects == "always" or wanted or self._outbox.is_waiting

    # What comes from the hub

    def _handle_events(self, now: float) -> None:
        for event in self._link.events(now):
            self._handle(event, now)

    def _handle(self, event: LinkEvent, now: float) -> None:
        match event:
            case Admitted():
                self._admitted(now)
            case Listening() if self._phase is Phase.SUBSCRIBING:
                self._ready(now)
            case Acknowledged(key):
                self._acknowledged(key, now)
            case Rejected(key):
                number = self._outbox.acknowledge(key)
                self._reports.fail([] if number is None else [number], (), now)
            case Received() | Called():
                self._incoming(event, now)
            case Renewed():
                self._renewed(now)
            case Unrenewed(stops):
                self._unrenewed = True
                if stops:
                    self._timers.pop(Timer.RENEWAL, None)
            case Refused() | Ended() | Broken():
                self._failed_by_hub(event, now)

    def _incoming(self, event: Received | Called, now: float) -> None:
        if isinstance(event, Received):
            self._reports.tell("c2d", now, message_id=event.message_id, size=event.size)
        else:
            self._reports.tell("method", now, name=event.name, request_id=event.request_id)
            self._link.answer(event, now)

    def _failed_by_hub(self, event: Refused | Ended | Broken, now: float) -> None:
        match event:
            case Refused(passing=True) | Ended() if self._phase is Phase.CONNECTING:
                self._enter(Phase.FAILED)
                self._link.close(now)
            case Refused(wait_s=None):
                self._enter(Phase.REFUSED)
                self._link.close(now)
            case Refused(wait_s=wait_s):
                self._failed(Outcome.REFUSED, now, wait_s=wait_s)
            case Ended() if self._phase in IN_USE:
                self._end(event, now)
            case Ended(wait_s=None):
                self._link.close(now)
            case Broken():
                if self._phase not in ABSENT:
                    self._enter(Phase.FAILED if self._phase is Phase.CONNECTING else Phase.BROKEN)
                self._link.abort()

    def _acknowledged(self, key: int, now: float) -> None:
        number = self._outbox.acknowledge(key)
        if number is not None:
            self._reports.tell("sent", now, id=number)
        if self._phase is Phase.DRAINING and self._outbox.is_settled:
            self._leave(now)
        elif self._phase is Phase.READY:
            self._flush(now)

    def _resend(self, now: float) -> None:
        self._link.resend(self._outbox.resend(), now)
        self._link.write()

    def _flush(self, now: float) -> None:
        while (number := self._outbox.next()) is not None:
            self._outbox.sent(self._link.send(number, now, self._outbox.properties(number)), number)
        self._link.write()
