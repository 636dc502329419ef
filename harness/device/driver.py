"""The one interface between a run and the device under test, whatever drives it: a real SDK's program or the emulated device.

A driver is told commands and reports events, both in the words of the adapter protocol, version 1 (docs/adapter-protocol.md).
Those words stand here. Reports come through callbacks, each with the harness's own time of arrival.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, Protocol

import msgspec

from harness.errors import AdapterError

__all__ = [
    "CAPABILITIES",
    "COMMANDS",
    "EVENTS",
    "PROTOCOL_VERSION",
    "Capability",
    "DeviceCallbacks",
    "DeviceDriver",
    "Hello",
]

PROTOCOL_VERSION: Final = 1

COMMANDS: Final = frozenset({"open", "send", "token", "close"})

Capability = Literal["lifetime", "margin", "margin-percent", "own-token", "token-update", "x509", "proxy", "twin"]
CAPABILITIES: Final = frozenset[Capability](
    ("lifetime", "margin", "margin-percent", "own-token", "token-update", "x509", "proxy", "twin")
)


class Hello(msgspec.Struct, frozen=True):
    """What a device program says of itself. `capabilities` may hold words this version does not know; they are ignored."""

    protocol: int
    sdk: str
    sdk_version: str
    runtime: str
    transports: tuple[str, ...]
    capabilities: tuple[str, ...]
    t: float

    def can(self, capability: Capability) -> bool:
        """Whether the program says that its SDK has this."""
        return capability in self.capabilities


class _ErrorLink(msgspec.Struct, frozen=True):
    class_: str = msgspec.field(name="class")
    message: str


_Chain = tuple[_ErrorLink, ...]


def _fields(**fields: object) -> type[msgspec.Struct]:
    return msgspec.defstruct("EventFields", [("t", float), *fields.items()], frozen=True)


# Every event of version 1, with the fields it cannot do without; what else it carries is kept as it is.
EVENTS: Final[Mapping[str, type[msgspec.Struct]]] = {
    "hello": Hello,
    "opened": _fields(settings=dict[str, object]),
    "open_failed": _fields(error=_Chain),
    "status": _fields(status=str),
    "sent": _fields(id=int),
    "send_failed": _fields(id=int, error=_Chain),
    "c2d": _fields(message_id=str | None),
    "c2d_failed": _fields(error=_Chain),
    "method": _fields(name=str),
    "method_failed": _fields(error=_Chain),
    "twin": _fields(),
    "token_required": _fields(),
    "token_updated": _fields(),
    "token_failed": _fields(error=_Chain),
    "background_exception": _fields(error=_Chain),
    "unobserved_task_exception": _fields(error=_Chain),
    "bad_command": _fields(),
    "closed": _fields(),
    "close_failed": _fields(error=_Chain),
}


@dataclass(frozen=True, slots=True)
class DeviceCallbacks:
    """What a driver calls, in the order in which things happened, from the event loop's thread; times in Unix seconds.

    `on_event`: one event of the protocol, `{"event": …, "t": device clock, …}`, `hello` included.
    `on_log`: one line of the SDK's own log. `on_noise`: one line on the protocol's channel that is no event.
    `on_exit`: the device's process is gone, with its exit code (negative: the signal that ended it). The emulated device has none.
    `on_failure`: the device can be used no further. At most once, after `start` returned; an earlier failure is raised by `start`.
    """

    on_event: Callable[[dict[str, object], float], None]
    on_log: Callable[[str, float], None]
    on_noise: Callable[[str, float], None]
    on_exit: Callable[[int, float], None]
    on_failure: Callable[[AdapterError, float], None]


class DeviceDriver(Protocol):
    """Drives one device under test through one cell: `start`, any number of `send`, `stop`."""

    async def start(self) -> None:
        """Make the device ready for commands; its `hello` has been reported when this returns.

        Raises:
            AdapterError: the device program crashed, hung or broke the protocol before it was ready.
            EnvironmentProblem: this machine cannot start it.
        """
        ...

    def send(self, command: Mapping[str, object]) -> None:
        """Hand the device one command, such as `{"cmd": "send", "id": 7}`; never blocks, dropped once the device failed."""
        ...

    async def stop(self) -> None:
        """Close the device and free all it holds, in bounded time. Never raises: what goes wrong is an `on_failure`."""
        ...
