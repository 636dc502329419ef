"""What an emulated device asks of whoever carries its bytes."""

from dataclasses import dataclass
from typing import Literal

from harness.emulation import FarewellWay

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
    """End the transport: with a farewell after what was written, or at once (`rst`). Answered by `lost`; also ends a dial under way."""

    how: FarewellWay | Literal["rst"]


Action = Dial | Write | Hangup
