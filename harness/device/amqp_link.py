"""The emulated device's link over AMQP 1.0: one `Conversation` on each transport."""

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping
from random import Random

from harness.device.amqp_conversation import Conversation
from harness.device.amqp_words import Words
from harness.device.link import Called, Link, LinkEvent, Wish
from harness.device.opening import Opening
from harness.emulation import AmqpEmulation, Emulation, FarewellWay

__all__ = ["AmqpLink"]


class AmqpLink(Link):
    """What was in flight on one connection is not known on the next; keys count through all of them."""

    renews_in_place = True

    def __init__(self, emulation: Emulation, amqp: AmqpEmulation, farewell: FarewellWay, random: Random) -> None:
        super().__init__(farewell, amqp.resends)
        self._emulation, self._amqp, self._random = emulation, amqp, random
        self._keys = itertools.count(1)
        self._talk: Conversation | None = None

    @property
    def stands(self) -> bool:
        """Whether another put-token can be sent on this connection."""
        return self._talk is not None and self._talk.stands

    @property
    def is_renewing(self) -> bool:
        """Whether the answer to a renewal is awaited."""
        return self._talk is not None and self._talk.is_renewing

    def connected(self, opening: Opening, token: str, now: float) -> None:
        """Send the headers, OPEN and BEGIN; the rest follows as the hub answers."""
        words = Words(self._emulation, self._amqp, opening, self._random)
        self._talk = Conversation(self._amqp, words, opening.host, now, certificate=opening.certificate)
        self._talk.authenticate(token, now)
        self.write()

    def authenticate(self, token: str, now: float) -> None:
        """Detach what is left of the device's links and send put-token."""
        if self._talk is not None:
            self._talk.authenticate(token, now)
            self.write()

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes."""
        if self._talk is not None:
            self._talk.connection.receive(data, now)

    def next_deadline(self) -> float | None:
        """When a heartbeat is due, or an answer overdue."""
        return None if self._talk is None else self._talk.next_deadline()

    def on_time(self, now: float) -> None:
        """Send a heartbeat, or stop waiting."""
        if self._talk is not None:
            self._talk.on_time(now)

    def events(self, now: float) -> Iterator[LinkEvent]:
        """What happened; the hub's answer to a leave-taking ends the transport."""
        talk = self._talk
        if talk is None:
            return
        for event in talk.events(now):
            yield event
            if talk is not self._talk:
                return
        if talk.has_left:
            self._hang_up(self._farewell)
        self.write()

    def listen(self, wishes: Collection[Wish], now: float) -> bool:
        """Attach the device's links."""
        return self._talk is not None and self._talk.listen(wishes, now)

    def send(self, number: int, now: float, properties: Mapping[str, str] | None = None) -> int:  # noqa: ARG002 - nothing is due after a transfer
        """Send the message on the telemetry link."""
        key = next(self._keys)
        if self._talk is not None:
            self._talk.send(number, key, properties or {})
        return key

    def resend(self, keys: Iterable[int], now: float) -> None:
        """Nothing comes again as it was."""

    def forget(self) -> None:
        """Nothing is remembered from one connection to the next."""

    def answer(self, call: Called, now: float) -> None:  # noqa: ARG002 - nothing is due after an answer
        """Send the answer to a direct method."""
        if self._talk is not None:
            self._talk.answer(call)

    def renew(self, token: str, now: float) -> None:
        """Send put-token on the links in use."""
        if self._talk is not None:
            self._talk.renew(token, now)
            self.write()

    def leave(self, now: float) -> None:
        """Detach, end and close; the transport ends when the hub has answered, or at once where the SDK does not wait or nothing was begun."""
        if self._talk is not None and not self._departing:
            self._departing = True
            if self._talk.leave(now):
                self.write()
                return
        self._hang_up(self._farewell)

    def close(self, now: float) -> None:
        """Take leave, as far as the connection still carries it."""
        self.leave(now)

    def _data_to_send(self) -> bytes:
        return b"" if self._talk is None else self._talk.connection.data_to_send()

    def _forget_connection(self) -> None:
        self._talk = None
