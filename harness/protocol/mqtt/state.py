"""The states of one network connection, and what may arrive in each.

The two roles pass through mirror images of the same life (MQTT 3.1.1 sections 3.1 and 3.2):

    server   AWAIT_CONNECT --CONNECT--> CONNECT_RECEIVED --accept()--> CONNECTED --DISCONNECT--> CLOSED
    client   AWAIT_CONNECT --connect()--> CONNECT_SENT --CONNACK 0--> CONNECTED --disconnect()--> CLOSED

and every state leads to CLOSED: by a violation, a time limit, a refusal, or `close()`. The tables below are the
specification: a packet that is not listed for the state is a violation. An empty row in CONNECT_RECEIVED is not one:
a client need not wait for the CONNACK before it goes on (section 3.1.4), so what it sends meanwhile stays unread.
"""

from collections.abc import Mapping
from enum import StrEnum

from harness.protocol.mqtt.packets import (
    Connack,
    Connect,
    Disconnect,
    Packet,
    Pingreq,
    Pingresp,
    Puback,
    Publish,
    Suback,
    Subscribe,
    Unsuback,
    Unsubscribe,
)


class State(StrEnum):
    """Where a connection stands; the value completes the sentence "X is not allowed ..."."""

    AWAIT_CONNECT = "before CONNECT"
    CONNECT_RECEIVED = "between CONNECT and its answer"
    CONNECT_SENT = "before CONNACK"
    CONNECTED = "on an accepted connection"
    CLOSED = "after the end"


Allowed = Mapping[State, frozenset[type[Packet]]]

SERVER_READS: Allowed = {
    State.AWAIT_CONNECT: frozenset({Connect}),
    State.CONNECT_RECEIVED: frozenset(),
    State.CONNECTED: frozenset({Publish, Puback, Subscribe, Unsubscribe, Pingreq, Disconnect}),
    State.CLOSED: frozenset(),
}

CLIENT_READS: Allowed = {
    State.AWAIT_CONNECT: frozenset(),
    State.CONNECT_SENT: frozenset({Connack}),
    State.CONNECTED: frozenset({Publish, Puback, Suback, Unsuback, Pingresp}),
    State.CLOSED: frozenset(),
}
