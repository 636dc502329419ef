"""The emulated device's way to the hub: one transport after another, and a protocol on each. `MqttLink` and `AmqpLink` are the two there are.

The device asks and is told in words that know no protocol:

| the device asks | MQTT | AMQP |
|---|---|---|
| `dial`, then `connected` | CONNECT with the token | OPEN, BEGIN, the `$cbs` links, put-token |
| `authenticate` | - | another put-token where the connection stands |
| `listen` | SUBSCRIBE | ATTACH of the device's links |
| `send`, `resend` | PUBLISH | TRANSFER |
| `renew` | - | put-token on the connection in use |
| `leave` | DISCONNECT | DETACH, END, CLOSE |
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar, Literal, TypeAlias

from harness.device.actions import Action, Dial, Hangup, Write
from harness.device.opening import Opening
from harness.device.outbox import Resends
from harness.emulation import FarewellWay

__all__ = [
    "Acknowledged",
    "Admitted",
    "Broken",
    "Called",
    "Ended",
    "Ending",
    "Link",
    "LinkEvent",
    "Listening",
    "Received",
    "Refused",
    "Rejected",
    "Renewed",
    "Unrenewed",
    "Wish",
]

Wish: TypeAlias = Literal["c2d", "methods", "twin"]
"""What a device can listen for."""


class Ending(Enum):
    """How a standing connection ended."""

    DROP = auto()
    RESET = auto()
    DETACH = auto()
    CLOSE = auto()
    REFUSED_RENEWAL = auto()
    UNANSWERED_RENEWAL = auto()
    OWN_ACCORD = auto()


@dataclass(frozen=True, slots=True)
class Admitted:
    """The hub let the device in."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The hub did not. `passing`: for a reason that every SDK takes for passing. `wait_s`: the connection stands, try again on it after that."""

    passing: bool = False
    wait_s: float | None = None


@dataclass(frozen=True, slots=True)
class Listening:
    """What was asked for with `listen` is granted."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The hub has the message that was sent under `key`."""

    key: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """The hub does not take the message that was sent under `key`."""

    key: int


@dataclass(frozen=True, slots=True)
class Received:
    """A cloud-to-device message of `size` bytes; it is acknowledged afterwards."""

    message_id: str | None
    size: int


@dataclass(frozen=True, slots=True)
class Called:
    """A direct method; `reply_to` is the link's own, for `answer`."""

    name: str
    request_id: str
    reply_to: object


@dataclass(frozen=True, slots=True)
class Renewed:
    """The hub took the token of `renew`."""


@dataclass(frozen=True, slots=True)
class Unrenewed:
    """It did not, and the SDK goes on as if it had. `stops`: it renews no more on this connection."""

    stops: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """The connection is of no more use, and what this SDK makes of that.

    `then`: it comes back, comes back only to close itself, makes no attempt of its own, or is not heard of again at all. `wait_s`: the transport stands, and it comes
    back on it after so long. `stall_s`: it notices nothing for so long. `fails`: what was not sent yet fails. `forgets`: the application hears no more of it.
    """

    ending: Ending
    then: Literal["returns", "returns-and-ends", "gives-up", "falls-silent"] = "returns"
    wait_s: float | None = None
    stall_s: float = 0.0
    fails: bool = False
    forgets: bool = False


@dataclass(frozen=True, slots=True)
class Broken:
    """The hub broke the protocol or fell silent."""


LinkEvent: TypeAlias = (
    Admitted | Refused | Listening | Acknowledged | Rejected | Received | Called | Renewed | Unrenewed | Ended | Broken
)


class Link(ABC):
    """Turns what the device does into actions for its transport; what it does without one goes nowhere.

    `farewell`: how a transport ends that the device does not abort. `resends`: what becomes of messages in flight when a connection is
    lost, in the words of `outbox`. Times are seconds since the Unix epoch.
    """

    renews_in_place: ClassVar[bool]

    def __init__(self, farewell: FarewellWay, resends: Resends) -> None:
        self._farewell: FarewellWay = farewell
        self.resends: Resends = resends
        self._actions: list[Action] = []
        self._up = self._departing = self._hung_up = self._redials = False

    def actions(self) -> list[Action]:
        """What the transport has to do, in order; drained."""
        actions, self._actions = self._actions, []
        return actions

    # The transport

    @property
    def has_transport(self) -> bool:
        """Whether there is one, or one is asked for; one that the device has done with counts until it is gone."""
        return self._up

    def dial(self) -> None:
        """Ask for a transport, as soon as the one before is gone."""
        if self._up:
            self._redials = True
        else:
            self._up = True
            self._actions.append(Dial())

    def abort(self) -> None:
        """End the transport, or the wait for one, without a farewell; nothing is read any more."""
        self._redials = False
        self._hang_up("rst")

    def lost(self) -> bool:
        """The transport is gone. True: it was one that the device had done with, and the one that it waits for comes now."""
        redials = self._redials
        self._up = self._departing = self._hung_up = self._redials = False
        self._forget_connection()
        if redials:
            self.dial()
        return redials

    def write(self) -> None:
        """Hand over the bytes queued so far."""
        if data := self._data_to_send():
            self._actions.append(Write(data))

    def _hang_up(self, how: FarewellWay | Literal["rst"]) -> None:
        self.write()
        self._forget_connection()
        self._departing = True
        if self._up and not self._hung_up:
            self._hung_up = True
            self._actions.append(Hangup(how))

    @property
    @abstractmethod
    def stands(self) -> bool:
        """Whether there is a connection on which the device can authenticate again."""

    @abstractmethod
    def connected(self, opening: Opening, token: str, now: float) -> None:
        """The transport stands: begin, and authenticate."""

    @abstractmethod
    def authenticate(self, token: str, now: float) -> None:
        """Authenticate again, where the connection stands."""

    @abstractmethod
    def receive(self, data: bytes, now: float) -> None:
        """Take bytes; ignored where nothing is read any more."""

    @abstractmethod
    def next_deadline(self) -> float | None:
        """When `on_time` has something to do, or None."""

    @abstractmethod
    def on_time(self, now: float) -> None:
        """Show that we are alive, or stop waiting, if it is time."""

    @abstractmethod
    def events(self, now: float) -> Iterator[LinkEvent]:
        """What happened, oldest first, as long as the transport is not hung up; then writes the answers."""

    @abstractmethod
    def leave(self, now: float) -> None:
        """Take leave of the hub and end the transport."""

    @abstractmethod
    def close(self, now: float) -> None:
        """End the transport after a refusal, or after the hub's own end."""

    # Messages and tokens

    @abstractmethod
    def listen(self, wishes: Collection[Wish], now: float) -> bool:
        """Enable `wishes` and whatever else the SDK uses from the start; whether `Listening` will follow."""

    @abstractmethod
    def send(self, number: int, now: float, properties: Mapping[str, str] | None = None) -> int:
        """Send the message of this number, with these application properties; the key under which it is acknowledged, fresh among those in flight."""

    @abstractmethod
    def resend(self, keys: Iterable[int], now: float) -> None:
        """Send again, as what they were, those of `keys` that were in flight when an earlier connection ended."""

    @abstractmethod
    def forget(self) -> None:
        """Nobody waits any more for what was in flight."""

    @abstractmethod
    def answer(self, call: Called, now: float) -> None:
        """Answer a direct method: status 200 and an empty object."""

    @property
    @abstractmethod
    def is_renewing(self) -> bool:
        """Whether the SDK waits for the answer to `renew`, and shows no other token before."""

    @abstractmethod
    def renew(self, token: str, now: float) -> None:
        """Show another token on the connection in use; `Renewed`, `Unrenewed` or `Ended` may follow."""

    @abstractmethod
    def _data_to_send(self) -> bytes:
        """The bytes queued so far."""

    @abstractmethod
    def _forget_connection(self) -> None:
        """Nothing is read any more."""
