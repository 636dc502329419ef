"""Composite types of the transport, messaging and security parts as declarations; `schema` derives the codec from them.

Sections of the standard: performatives part 2, 2.7; error 2.8.14; delivery states part 3, 3.4; termini 3.5; SASL frames
part 5, 5.3.3. Defaults are the standard's; None stands for an absent field. Names, types, order and what is mandatory are
the standard's as well, with "_" for "-".

The garbage collector need not look at them: what they hold was there before them, so that no cycle leads through them.
"""

from enum import IntEnum
from typing import Annotated, TypeAlias

from msgspec import Struct

from harness.protocol.amqp import types as t
from harness.protocol.amqp.schema import (
    Anything,
    Binary,
    Boolean,
    Mapping,
    String,
    Symbol,
    SymbolMap,
    Symbols,
    Ubyte,
    Uint,
    Ulong,
    Ushort,
    composite,
    one_of,
)

SENDER, RECEIVER = False, True
"""Values of `role` (section 2.8.1)."""
NO_LIMIT = 0xFFFFFFFF


class SenderSettleMode(IntEnum):
    """Section 2.8.2: how the sender settles."""

    UNSETTLED = 0
    SETTLED = 1
    MIXED = 2


class ReceiverSettleMode(IntEnum):
    """Section 2.8.3: FIRST settles at once, SECOND after the sender has."""

    FIRST = 0
    SECOND = 1


class SaslCode(IntEnum):
    """Outcomes of the SASL exchange (section 5.3.3.6)."""

    OK = 0
    AUTH = 1
    SYS = 2
    SYS_PERM = 3
    SYS_TEMP = 4


@composite(0x1D, "amqp:error:list")
class Error(Struct, frozen=True, gc=False):
    """Why something ended."""

    condition: Symbol
    description: String | None = None
    info: SymbolMap | None = None


ErrorField: TypeAlias = Annotated[Error | t.Described, one_of("error", Error)]


@composite(0x23, "amqp:received:list")
class Received(Struct, frozen=True, gc=False):
    """Not terminal: so much of the message has arrived."""

    section_number: Uint
    section_offset: Ulong


@composite(0x24, "amqp:accepted:list")
class Accepted(Struct, frozen=True, gc=False):
    """The message was processed."""


@composite(0x25, "amqp:rejected:list")
class Rejected(Struct, frozen=True, gc=False):
    """The message is invalid and cannot be processed."""

    error: ErrorField | None = None


@composite(0x26, "amqp:released:list")
class Released(Struct, frozen=True, gc=False):
    """The message was not processed, and may be delivered again."""


@composite(0x27, "amqp:modified:list")
class Modified(Struct, frozen=True, gc=False):
    """As released, with changes to the message."""

    delivery_failed: Boolean | None = None
    undeliverable_here: Boolean | None = None
    message_annotations: SymbolMap | None = None


ACCEPTED = Accepted()
"""The outcome of nearly every message."""
DeliveryState: TypeAlias = Received | Accepted | Rejected | Released | Modified | t.Described
StateField: TypeAlias = Annotated[
    DeliveryState, one_of("delivery state", Received, Accepted, Rejected, Released, Modified)
]


@composite(0x28, "amqp:source:list")
class Source(Struct, frozen=True, gc=False):
    """Where messages of a link come from."""

    address: Anything | None = None
    durable: Uint = 0
    expiry_policy: Symbol = "session-end"
    timeout: Uint = 0
    dynamic: Boolean = False
    dynamic_node_properties: SymbolMap | None = None
    distribution_mode: Symbol | None = None
    filter: SymbolMap | None = None
    default_outcome: StateField | None = None
    outcomes: Symbols = ()
    capabilities: Symbols = ()


@composite(0x29, "amqp:target:list")
class Target(Struct, frozen=True, gc=False):
    """Where messages of a link go to."""

    address: Anything | None = None
    durable: Uint = 0
    expiry_policy: Symbol = "session-end"
    timeout: Uint = 0
    dynamic: Boolean = False
    dynamic_node_properties: SymbolMap | None = None
    capabilities: Symbols = ()


SourceField: TypeAlias = Annotated[Source | t.Described, one_of("source", Source)]
TargetField: TypeAlias = Annotated[Target | t.Described, one_of("target", Target)]


@composite(0x10, "amqp:open:list")
class Open(Struct, frozen=True, gc=False):
    """First frame of a connection (2.7.1); `idle_time_out` in milliseconds."""

    container_id: String
    hostname: String | None = None
    max_frame_size: Uint = NO_LIMIT
    channel_max: Ushort = 65_535
    idle_time_out: Uint | None = None
    outgoing_locales: Symbols = ()
    incoming_locales: Symbols = ()
    offered_capabilities: Symbols = ()
    desired_capabilities: Symbols = ()
    properties: SymbolMap | None = None


@composite(0x11, "amqp:begin:list")
class Begin(Struct, frozen=True, gc=False):
    """First frame of a session (2.7.2); with `remote_channel` it answers one."""

    remote_channel: Ushort | None
    next_outgoing_id: Uint
    incoming_window: Uint
    outgoing_window: Uint
    handle_max: Uint = NO_LIMIT
    offered_capabilities: Symbols = ()
    desired_capabilities: Symbols = ()
    properties: SymbolMap | None = None


@composite(0x12, "amqp:attach:list")
class Attach(Struct, frozen=True, gc=False):
    """First frame of a link (2.7.3)."""

    name: String
    handle: Uint
    role: Boolean
    snd_settle_mode: Ubyte = SenderSettleMode.MIXED
    rcv_settle_mode: Ubyte = ReceiverSettleMode.FIRST
    source: SourceField | None = None
    target: TargetField | None = None
    unsettled: Mapping | None = None
    incomplete_unsettled: Boolean = False
    initial_delivery_count: Uint | None = None
    max_message_size: Ulong | None = None
    offered_capabilities: Symbols = ()
    desired_capabilities: Symbols = ()
    properties: SymbolMap | None = None


@composite(0x13, "amqp:flow:list")
class Flow(Struct, frozen=True, gc=False):
    """Windows of the session, and with `handle` the credit of a link (2.7.4)."""

    next_incoming_id: Uint | None
    incoming_window: Uint
    next_outgoing_id: Uint
    outgoing_window: Uint
    handle: Uint | None = None
    delivery_count: Uint | None = None
    link_credit: Uint | None = None
    available: Uint | None = None
    drain: Boolean = False
    echo: Boolean = False
    properties: SymbolMap | None = None


@composite(0x14, "amqp:transfer:list")
class Transfer(Struct, frozen=True, gc=False):
    """A message, or a part of one (2.7.5)."""

    handle: Uint
    delivery_id: Uint | None = None
    delivery_tag: Binary | None = None
    message_format: Uint | None = None
    settled: Boolean | None = None
    more: Boolean = False
    rcv_settle_mode: Ubyte | None = None
    state: StateField | None = None
    resume: Boolean = False
    aborted: Boolean = False
    batchable: Boolean = False


@composite(0x15, "amqp:disposition:list")
class Disposition(Struct, frozen=True, gc=False):
    """What became of deliveries `first` to `last` (2.7.6); `role` is that of who sends this."""

    role: Boolean
    first: Uint
    last: Uint | None = None
    settled: Boolean = False
    state: StateField | None = None
    batchable: Boolean = False


@composite(0x16, "amqp:detach:list")
class Detach(Struct, frozen=True, gc=False):
    """Last frame of a link (2.7.7)."""

    handle: Uint
    closed: Boolean = False
    error: ErrorField | None = None


@composite(0x17, "amqp:end:list")
class End(Struct, frozen=True, gc=False):
    """Last frame of a session (2.7.8)."""

    error: ErrorField | None = None


@composite(0x18, "amqp:close:list")
class Close(Struct, frozen=True, gc=False):
    """Last frame of a connection (2.7.9)."""

    error: ErrorField | None = None


@composite(0x40, "amqp:sasl-mechanisms:list")
class SaslMechanisms(Struct, frozen=True, gc=False):
    """What the server offers (5.3.3.1)."""

    sasl_server_mechanisms: Symbols


@composite(0x41, "amqp:sasl-init:list")
class SaslInit(Struct, frozen=True, gc=False):
    """What the client chooses (5.3.3.2). The response, which may be a password, never shows in its repr."""

    mechanism: Symbol
    initial_response: Binary | None = None
    hostname: String | None = None

    def __repr__(self) -> str:
        response = None if self.initial_response is None else "..."
        return f"SaslInit(mechanism={self.mechanism!r}, initial_response={response}, hostname={self.hostname!r})"


@composite(0x44, "amqp:sasl-outcome:list")
class SaslOutcome(Struct, frozen=True, gc=False):
    """How the exchange ended (5.3.3.6); `code` is a `SaslCode`."""

    code: Ubyte
    additional_data: Binary | None = None


Performative: TypeAlias = Open | Begin | Attach | Flow | Transfer | Disposition | Detach | End | Close
SaslFrame: TypeAlias = SaslMechanisms | SaslInit | SaslOutcome
