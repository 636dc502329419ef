"""The emulated device: an SDK's behaviour, played from its profile over MQTT; without I/O, clock or chance of its own.

It takes the adapter protocol's commands and its transport's news, and gives back actions for the transport and events of the adapter
protocol. After every call, whoever drives it carries out `actions()`, reports `events()` and minds `next_deadline()`. Its states stand in
`phases`; what it does in them, wherever SDKs differ, in `profile.Emulation`.
"""

from collections.abc import Mapping
from random import Random
from typing import Literal

from harness.device import topics
from harness.device.actions import Action, Dial, Hangup, Write
from harness.device.credential import Credential
from harness.device.link import Link, connect_packet
from harness.device.opening import parse_open
from harness.device.outbox import Outbox
from harness.device.phases import ABSENT, ENDED, STANDING, Outcome, Phase, Purpose, Step, Timer, next_step
from harness.device.reports import Reports
from harness.device.retry import Retry
from harness.emulation import AppSignal
from harness.profile import Profile
from harness.protocol.mqtt.events import (
    Acknowledged,
    ClientEvent,
    Connected,
    ProtocolViolation,
    PublishReceived,
    Subscribed,
    Timeout,
)
from harness.protocol.mqtt.packets import ConnackCode, Publish

__all__ = ["Action", "Dial", "EmulatedDevice", "Hangup", "Phase", "Write"]

SETTLE_S = 5.0
"""How long a close command waits for outstanding PUBACKs: a device program lets its sends settle first."""
SOONEST_S = 0.001
"""A renewal that is already due happens so much later, as a timer in an SDK would fire: time passes between two of them."""


class EmulatedDevice:
    """One client of the SDK that `profile` describes, over `transport`. All times are seconds since the Unix epoch.

    `random` decides what the SDK leaves to chance: the jitter of its retries.
    """

    def __init__(self, profile: Profile, transport: str, *, random: Random) -> None:
        self._profile, self._emulation, self._transport = profile, profile.emulation, transport
        self._signals = profile.emulation.signals
        self._reports = Reports(profile)
        self._retry = Retry(profile.emulation, random)
        self._link = Link(profile.emulation.farewell.over(transport))
        self._timers: dict[Timer, float] = {}
        self._phase, self._purpose = Phase.NEW, Purpose.OPEN
        self._renew_first = self._for_message = self._closing = False

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
                self._send(number, now)
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
        self._outbox = Outbox(self._opening.device_id, self._emulation.resends)
        self._credential = Credential(self._emulation, self._opening, now)
        self._arm_renewal(now)
        self._dial(now)
        if (notice := self._credential.notice_at()) is not None:
            self._timers[Timer.NOTICE] = notice
            self.on_time(now)

    def _send(self, number: int, now: float) -> None:
        self._outbox.add(number)
        if self._phase is Phase.READY:
            self._flush(now)
        elif self._phase is Phase.DOWN:
            self._stay_down(self._signals.send_impossible, now)
        elif self._phase is Phase.WAITING and self._retry.has_failed and self._message_rule() == "reconnects":
            self._dial(now, for_message=True)

    def _close(self, now: float) -> None:
        self._closing = True
        match self._phase:
            case Phase.NEW | Phase.WAITING | Phase.DOWN:
                self._closed(now)
            case Phase.READY | Phase.DRAINING:
                self._drain(SETTLE_S, now)
            case Phase.SUBSCRIBING:
                self._leave(now)
            case Phase.DIALLING | Phase.CONNECTING:
                self._enter(Phase.LEAVING)
                self._link.abort()

    def _closed(self, now: float) -> None:
        if self._phase is not Phase.NEW:
            self._reports.fail(self._outbox.give_up(), self._signals.send_cancelled, now)
        self._enter(Phase.CLOSED)
        self._timers.clear()
        self._reports.tell("closed", now)

    # The transport

    def connected(self, now: float) -> None:
        """The transport stands, up to where MQTT begins."""
        if self._phase is Phase.DIALLING:
            self._enter(Phase.CONNECTING)
            packet = connect_packet(self._emulation, self._opening, self._credential.text)
            self._link.connect(self._emulation, packet, self._outbox.session.ids, now)

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes from the hub."""
        self._link.receive(data, now)
        self._handle_events(now)

    def lost(self, how: str, now: float) -> None:
        """The transport is gone, or could not be had. `how` it went: by `rst`, or in one of the milder ways."""
        phase = self._phase
        self._link.lost()
        if phase in ABSENT:
            return
        self._outbox.connection_lost()
        self._timers.pop(Timer.RESEND, None)
        if self._closing:
            self._closed(now)
        elif phase in STANDING:
            told = self._transport in self._emulation.tells_reset
            self._dropped(now, reset=how == "rst" and told and phase is not Phase.BROKEN)
        elif phase is Phase.LEAVING:
            self._wait(self._emulation.renewal_delay_s, now)
        else:
            self._failed(Outcome.REFUSED if phase is Phase.REFUSED else Outcome.UNREACHABLE, now)

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
        elif timer is Timer.DRAINED:
            self._leave(now, acknowledged=False)
        elif timer is Timer.RESEND:
            self._resend(now)
        elif timer is Timer.NOTICE:
            self._reports.show(self._signals.token_required, now)
        else:
            self._renew(now)

    def _enter(self, phase: Phase) -> None:
        """Change the phase; the timers of the old one are void."""
        self._phase = phase
        self._timers.pop(Timer.ATTEMPT, None)
        self._timers.pop(Timer.DRAINED, None)

    # Renewal

    def _arm_renewal(self, now: float) -> None:
        self._timers.pop(Timer.RENEWAL, None)
        if (due := self._credential.renewal_at()) is not None:
            self._timers[Timer.RENEWAL] = max(due, now + SOONEST_S)

    def _renew(self, now: float) -> None:
        """The token is due. While it is away, an SDK that keeps its token renews it for later; others look when they are back.

        A renewal that still waits for its next attempt ends there: the SDK stops its timer, and starts another only when connected.
        """
        if self._phase is Phase.READY:
            self._reports.show(self._signals.leaving, now)
            self._purpose, self._renew_first = Purpose.RENEWAL, True
            self._drain(self._emulation.waits_for_acks_s, now)
        elif self._emulation.token_on_reconnect == "cached" and self._phase not in STANDING:  # noqa: S105 - no password
            self._credential.renew(now)
            self._arm_renewal(now)
            if self._purpose is Purpose.RENEWAL and self._phase is Phase.WAITING:
                self._give_up((), now)

    def _drain(self, seconds: float, now: float) -> None:
        """Leave once the outstanding PUBACKs are there, in `seconds` at the latest."""
        if self._outbox.is_settled or not seconds:
            self._leave(now)
        else:
            self._enter(Phase.DRAINING)
            self._timers[Timer.DRAINED] = now + seconds

    def _leave(self, now: float, *, acknowledged: bool = True) -> None:
        """Take leave of the hub; a renewal that waited for PUBACKs in vain does so without DISCONNECT."""
        if self._closing:
            self._reports.show(self._signals.closing, now)
        self._enter(Phase.LEAVING)
        if acknowledged or self._closing:
            self._link.leave()
        else:
            self._link.abort()

    # Coming and going

    def _dial(self, now: float, *, for_message: bool = False) -> None:
        if self._renew_first:
            self._credential.renew(now)
            self._arm_renewal(now)
        elif self._purpose in (Purpose.RESTORE, Purpose.MESSAGE):
            if self._purpose is Purpose.RESTORE and not self._retry.has_failed:
                self._reports.show(self._signals.returning, now)
            if self._credential.renew_for_reconnect(now):
                self._arm_renewal(now)
        self._renew_first, self._for_message = False, for_message
        self._enter(Phase.DIALLING)
        self._link.dial()

    def _accepted(self, now: float) -> None:
        if self._purpose is Purpose.OPEN:
            self._reports.show(self._signals.opened, now)
        self._outbox.free_packet_ids()
        if filters := self._filters():
            self._link.subscribe(filters, now)
            self._enter(Phase.SUBSCRIBING)
        else:
            self._ready(now)

    def _filters(self) -> tuple[tuple[str, int], ...]:
        """What to subscribe to on this connection, with its QoS."""
        again = self._emulation.resubscribes
        if self._purpose is not Purpose.OPEN and (
            again == "never" or (again == "after-drop" and self._purpose is Purpose.RENEWAL)
        ):
            return ()
        always, opening = self._emulation.always_subscribes, self._opening
        candidates = (
            ("twin" in always, topics.TWIN_FILTER, 1),
            ("c2d" in always or opening.c2d, topics.c2d_filter(opening.device_id), 1),
            (opening.methods, topics.METHOD_FILTER, self._emulation.methods_qos),
        )
        return tuple((name, qos) for wanted, name, qos in candidates if wanted)

    def _ready(self, now: float) -> None:
        self._enter(Phase.READY)
        self._retry.end()
        if self._purpose is Purpose.OPEN:
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
        self._flush(now)

    def _dropped(self, now: float, *, reset: bool) -> None:
        signals = self._signals
        expired = self._credential.is_expired(now)
        self._reports.show((reset and signals.reset) or (expired and signals.dropped_expired) or signals.dropped, now)
        wait = self._retry.begin(now)
        if self._purpose is not Purpose.OPEN:  # whatever the connection was for, now it is lost; an open goes on
            self._purpose, self._renew_first = Purpose.RESTORE, False
        if reset and self._emulation.after_reset == "gives-up" and self._purpose is not Purpose.OPEN:
            self._give_up((), now)
        elif self._is_needed():
            self._wait(wait, now)
        else:
            self._enter(Phase.DOWN)

    def _wait(self, seconds: float, now: float) -> None:
        if not seconds:
            self._dial(now)
            return
        self._enter(Phase.WAITING)
        self._timers[Timer.ATTEMPT] = now + seconds

    # Attempts that come to nothing

    def _failed(self, outcome: Outcome, now: float) -> None:
        signals, refused = self._signals, outcome is Outcome.REFUSED
        step = next_step(self._purpose, outcome, self._emulation, own_token=self._credential.is_own)
        if step is Step.OPEN_FAILS:
            self._give_up(signals.open_refused if refused else signals.open_unreachable, now)
            return
        if refused:
            self._show_refusal(now)
        if refused or signals.send_unreachable or step is Step.GIVE_UP:
            self._fail_with_attempt(signals.send_refused if refused else signals.send_unreachable, now)
        if step is Step.GIVE_UP:
            self._give_up(signals.gave_up, now)
        else:
            self._try_again(now)

    def _show_refusal(self, now: float) -> None:
        """What a message brought about, only that message shows."""
        if not self._for_message:
            at_renewal = self._purpose is Purpose.RENEWAL and self._signals.renewal_refused
            self._reports.show(at_renewal or self._signals.refused, now)

    def _fail_with_attempt(self, signals: tuple[AppSignal, ...], now: float) -> None:
        """Messages share the fate of the attempt, where a message can make the SDK try."""
        if self._message_rule() == "reconnects":
            self._reports.fail(self._outbox.give_up_waiting(), signals, now)

    def _try_again(self, now: float) -> None:
        if self._purpose is Purpose.RENEWAL and self._emulation.after_failed_renewal == "as-after-drop":
            self._purpose = Purpose.RESTORE
        if not self._is_needed():
            self._enter(Phase.DOWN)
        elif (wait := self._retry.again(now)) is None:
            self._give_up(self._signals.retries_ended, now)
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
        self._enter(Phase.DOWN)
        rule = self._message_rule() if self._purpose is Purpose.MESSAGE else "reconnects"
        if rule == "fails":
            self._reports.fail(self._outbox.give_up(), signals, now)
        elif rule == "reconnects" and self._outbox.is_waiting:
            self._dial(now, for_message=True)

    def _message_rule(self) -> Literal["reconnects", "queues", "fails"]:
        gave_up = self._purpose is Purpose.MESSAGE
        return self._emulation.send_after_giving_up if gave_up else self._emulation.send_while_down

    def _is_needed(self) -> bool:
        """Whether the SDK has a reason to be connected."""
        wanted = self._opening.c2d or self._opening.methods or self._purpose is Purpose.OPEN
        return self._emulation.reconnects == "always" or wanted or self._outbox.is_waiting

    # MQTT

    def _handle_events(self, now: float) -> None:
        for event in self._link.events():
            self._handle(event, now)

    def _handle(self, event: ClientEvent, now: float) -> None:
        match event:
            case Connected(ConnackCode.ACCEPTED):
                self._accepted(now)
            case Connected(code):
                self._enter(Phase.FAILED if code == ConnackCode.SERVER_UNAVAILABLE else Phase.REFUSED)
                self._link.close()
            case Subscribed() if self._phase is Phase.SUBSCRIBING:
                self._ready(now)
            case Acknowledged(packet_id):
                self._acknowledged(packet_id, now)
            case PublishReceived(packet):
                self._received(packet, now)
            case ProtocolViolation() | Timeout():
                self._enter(Phase.FAILED if self._phase is Phase.CONNECTING else Phase.BROKEN)
                self._link.abort()

    def _acknowledged(self, packet_id: int, now: float) -> None:
        number = self._outbox.acknowledge(packet_id)
        if number is not None:
            self._reports.tell("sent", now, id=number)
        if self._phase is Phase.DRAINING and self._outbox.is_settled:
            self._leave(now)
        elif self._phase is Phase.READY:
            self._flush(now)

    def _received(self, packet: Publish, now: float) -> None:
        if (found := topics.received_message_id(packet.topic, self._opening.device_id)) is not None:
            self._reports.tell("c2d", now, message_id=found[0], size=len(packet.payload))
        elif (call := topics.method_call(packet.topic)) is not None:
            self._reports.tell("method", now, name=call[0], request_id=call[1])
            self._link.publish(topics.method_response(call[1]), now)
        self._link.acknowledge(packet, now)

    def _resend(self, now: float) -> None:
        for packet in self._outbox.resend():
            self._link.publish(packet, now)
        self._link.write()

    def _flush(self, now: float) -> None:
        for packet in self._outbox.release():
            self._link.publish(packet, now)
        self._link.write()
