"""The states of a connection and of what lives on it, and what may arrive in each.

A connection begins with protocol headers, and with SASL if the client asks for it:

    server  HEADER --AMQP--> FRAMES
            HEADER --SASL--> SASL_INIT --sasl-init--> SASL_DECISION --sasl_outcome()--> AMQP_HEADER --AMQP--> FRAMES
    client  HEADER --AMQP--> FRAMES
            HEADER --SASL--> SASL_MECHANISMS --sasl-mechanisms--> SASL_OUTCOME --sasl-outcome--> AMQP_HEADER --AMQP--> FRAMES

and every phase leads to CLOSED: by both CLOSE frames, a violation, a time limit, a refusal, or `abandon()`.

From FRAMES on, connections, sessions and links have two halves, ours and the peer's, and each passes from UNUSED to
ACTIVE (by OPEN, BEGIN, ATTACH) to ENDED (by CLOSE, END, DETACH) on its own. The pairs are the standard's states:

    ours, peer's     connection (2.4.6)    session (2.5.5)             link (2.6)
    unused, unused   HDR_EXCH              UNMAPPED                    detached
    active, unused   OPEN_SENT             BEGIN_SENT                  half attached by us
    unused, active   OPEN_RCVD             BEGIN_RCVD                  half attached by the peer
    active, active   OPENED                MAPPED                      attached
    ended,  active   CLOSE_SENT            END_SENT, DISCARDING        half detached by us, discarding
    active, ended    CLOSE_RCVD            END_RCVD                    half detached by the peer
    ended,  ended    END                   UNMAPPED                    detached

The tables below are the specification: what is not listed for the peer's half is a violation. Once our half has ended,
whatever arrives is dropped, except what ends the peer's.
"""

from collections.abc import Mapping
from enum import Enum

from msgspec import Struct

from harness.protocol.amqp.performatives import (
    Attach,
    Begin,
    Close,
    Detach,
    Disposition,
    End,
    Flow,
    Open,
    SaslInit,
    SaslMechanisms,
    SaslOutcome,
    Transfer,
)


class Phase(Enum):
    """What is read next; the value completes the sentence "X is not allowed ..."."""

    HEADER = "before the protocol header"
    SASL_INIT = "before sasl-init"
    SASL_DECISION = "between sasl-init and its outcome"
    SASL_MECHANISMS = "before sasl-mechanisms"
    SASL_OUTCOME = "before sasl-outcome"
    AMQP_HEADER = "between the SASL exchange and the AMQP header"
    FRAMES = "after the protocol header"
    CLOSED = "after the end"


class Half(Enum):
    """One side of a connection, session or link."""

    UNUSED = "before it has begun"
    ACTIVE = "while it is in use"
    ENDED = "after it has ended"


Allowed = Mapping[Half, frozenset[type[Struct]]]

SASL_READS: Mapping[Phase, frozenset[type[Struct]]] = {
    Phase.SASL_INIT: frozenset({SaslInit}),
    Phase.SASL_MECHANISMS: frozenset({SaslMechanisms}),
    Phase.SASL_OUTCOME: frozenset({SaslOutcome}),
}

CONNECTION_READS: Allowed = {
    Half.UNUSED: frozenset({Open}),
    Half.ACTIVE: frozenset({Begin, Attach, Flow, Transfer, Disposition, Detach, End, Close}),
    Half.ENDED: frozenset(),
}

SESSION_READS: Allowed = {
    Half.UNUSED: frozenset({Begin}),
    Half.ACTIVE: frozenset({Attach, Flow, Transfer, Disposition, Detach, End}),
}

LINK_READS: Allowed = {
    Half.UNUSED: frozenset({Attach}),
    Half.ACTIVE: frozenset({Flow, Transfer, Detach}),
}
