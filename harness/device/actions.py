"""What an emulated device asks of whoever carries its bytes."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Action", "Dial", "Hangup", "Write"]


@dataclass(frozen=True, slots=True)
class Dial:
    """Open a transport to the hub; answered by `connected`, or by `lost` where it cannot be had."""


@dataclass(frozen=True, slots=True)
class Write:
    """Send these bytes on the transport."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Hangup:
    """End the transport, after what was written (`fin`) or at once (`rst`); answered by `lost`. Also ends a dial under way."""

    how: Literal["fin", "rst"]


Action = Dial | Write | Hangup
