"""harness.protocol.amqp.performatives: the declarations against the standard."""

import pytest
from hypothesis import given
from msgspec import Struct
from support.amqp_strategies import performatives, sasl_frames

from harness.protocol.amqp import types as t
from harness.protocol.amqp.decoding import decode_all
from harness.protocol.amqp.performatives import (
    Accepted,
    Attach,
    Begin,
    Close,
    Detach,
    Disposition,
    End,
    Error,
    Flow,
    Modified,
    Open,
    Received,
    Rejected,
    Released,
    SaslInit,
    SaslMechanisms,
    SaslOutcome,
    Source,
    Target,
    Transfer,
)
from harness.protocol.amqp.schema import BY_CLASS, compose, encode_composite

# Descriptor, fields in order ("!" mandatory) as the standard has them: part 2, 2.7 and 2.8.14; part 3, 3.4 and 3.5; part 5, 5.3.3.
STANDARD: dict[type[Struct], tuple[int, str, str]] = {
    Open: (
        0x10,
        "amqp:open:list",
        (
            "container-id! hostname max-frame-size channel-max idle-time-out outgoing-locales incoming-locales "
            "offered-capabilities desired-capabilities properties"
        ),
    ),
    Begin: (
        0x11,
        "amqp:begin:list",
        (
            "remote-channel next-outgoing-id! incoming-window! outgoing-window! handle-max offered-capabilities "
            "desired-capabilities properties"
        ),
    ),
    Attach: (
        0x12,
        "amqp:attach:list",
        (
            "name! handle! role! snd-settle-mode rcv-settle-mode source target unsettled incomplete-unsettled "
            "initial-delivery-count max-message-size offered-capabilities desired-capabilities properties"
        ),
    ),
    Flow: (
        0x13,
        "amqp:flow:list",
        (
            "next-incoming-id incoming-window! next-outgoing-id! outgoing-window! handle delivery-count link-credit "
            "available drain echo properties"
        ),
    ),
    Transfer: (
        0x14,
        "amqp:transfer:list",
        "handle! delivery-id delivery-tag message-format settled more rcv-settle-mode state resume aborted batchable",
    ),
    Disposition: (0x15, "amqp:disposition:list", "role! first! last settled state batchable"),
    Detach: (0x16, "amqp:detach:list", "handle! closed error"),
    End: (0x17, "amqp:end:list", "error"),
    Close: (0x18, "amqp:close:list", "error"),
    Error: (0x1D, "amqp:error:list", "condition! description info"),
    Received: (0x23, "amqp:received:list", "section-number! section-offset!"),
    Accepted: (0x24, "amqp:accepted:list", ""),
    Rejected: (0x25, "amqp:rejected:list", "error"),
    Released: (0x26, "amqp:released:list", ""),
    Modified: (0x27, "amqp:modified:list", "delivery-failed undeliverable-here message-annotations"),
    Source: (
        0x28,
        "amqp:source:list",
        (
            "address durable expiry-policy timeout dynamic dynamic-node-properties distribution-mode filter "
            "default-outcome outcomes capabilities"
        ),
    ),
    Target: (
        0x29,
        "amqp:target:list",
        "address durable expiry-policy timeout dynamic dynamic-node-properties capabilities",
    ),
    SaslMechanisms: (0x40, "amqp:sasl-mechanisms:list", "sasl-server-mechanisms!"),
    SaslInit: (0x41, "amqp:sasl-init:list", "mechanism! initial-response hostname"),
    SaslOutcome: (0x44, "amqp:sasl-outcome:list", "code! additional-data"),
}


@pytest.mark.parametrize("cls", STANDARD)
def test_declarations(cls: type[Struct]) -> None:
    """Descriptors, names, order, and what is mandatory."""
    schema = BY_CLASS[cls]
    fields = " ".join(row.name.replace("_", "-") + ("!" if row.mandatory else "") for row in schema.fields)
    assert (schema.code, schema.name, fields) == STANDARD[cls]


VECTORS: dict[str, tuple[Struct, str]] = {
    "OPEN": (
        Open("c", "h", 65_536, 8_191, 240_000),
        "00 53 10 c0 14 05 a10163 a10168 7000010000 601fff 700003a980",
    ),
    "BEGIN, the hub's": (
        Begin(0, 1, 5_000, 5_000, 262_143),
        "00 53 11 c0 15 05 600000 5201 7000001388 7000001388 700003ffff",
    ),
    "ATTACH of a receiver": (
        Attach("n", 0, True, source=Source("$cbs"), target=Target("cbs")),
        "00 53 12 c0 1f 07 a1016e 43 41 40 40 005328c00701a10424636273 005329c00601a103636273",
    ),
    "FLOW": (
        Flow(1, 5_000, 1, 5_000, 0, 0, 100),
        "00 53 13 c0 13 07 5201 7000001388 5201 7000001388 43 43 5264",
    ),
    "TRANSFER": (Transfer(1, 0, b"\x00", 0, False), "00 53 14 c0 09 05 5201 43 a00100 43 42"),
    "DISPOSITION": (
        Disposition(True, 7, settled=True, state=Accepted()),
        "00 53 15 c0 0a 05 41 5207 40 41 005324 45",
    ),
    "DETACH with an error": (
        Detach(0, True, Error("amqp:unauthorized-access", "Token Invalid.")),
        "00 53 16 c0 33 03 43 41 00531d c02b02 a318616d71703a756e617574686f72697a65642d616363657373 a10e546f6b656e20496e76616c69642e",
    ),
    "END": (End(), "00 53 17 45"),
    "CLOSE": (Close(), "00 53 18 45"),
    "sasl-mechanisms with one": (SaslMechanisms(("MSSBCBS",)), "00 53 40 c0 10 01 e00d01b3000000074d535342434253"),
    "sasl-init": (SaslInit("ANONYMOUS"), "00 53 41 c0 0c 01 a309414e4f4e594d4f5553"),
    "sasl-outcome": (SaslOutcome(0), "00 53 44 c0 03 01 5000"),
}


@pytest.mark.parametrize(("value", "packed"), VECTORS.values(), ids=VECTORS.keys())
def test_vectors(value: Struct, packed: str) -> None:
    """Encoded by hand."""
    raw = bytes.fromhex(packed)
    assert (encode_composite(value), compose(decode_all(raw))) == (raw, value)


@given(performatives | sasl_frames)
def test_round_trip(value: Struct) -> None:
    """What is encoded comes out again."""
    assert compose(decode_all(encode_composite(value))) == value


def test_a_transaction_is_decoded() -> None:
    """A coordinator as target and a transactional state stay described values, for the owner to refuse."""
    coordinator = t.Described(t.ULong(0x30), [])
    attach = Attach("t", 0, False, target=coordinator, initial_delivery_count=0)
    assert compose(decode_all(encode_composite(attach))) == attach


def test_secrets_do_not_show() -> None:
    """The initial response of PLAIN is a token."""
    assert repr(SaslInit("PLAIN", b"\0user\0secret", "h")) == (
        "SaslInit(mechanism='PLAIN', initial_response=..., hostname='h')"
    )
    assert "initial_response=None" in repr(SaslInit("ANONYMOUS"))
