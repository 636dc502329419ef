"""The control packets of MQTT 3.1.1 as immutable values (section 3).

msgspec structures, because a frozen dataclass takes longer to build than the rest of the decoding together. Constructing
one checks nothing; `codec.encode` refuses what the protocol cannot express, and the decoder never produces it.
"""

from enum import IntEnum

from msgspec import Struct


class ConnackCode(IntEnum):
    """Return codes of a CONNACK (table 3.1)."""

    ACCEPTED = 0
    UNACCEPTABLE_PROTOCOL_VERSION = 1
    IDENTIFIER_REJECTED = 2
    SERVER_UNAVAILABLE = 3
    BAD_USER_NAME_OR_PASSWORD = 4
    NOT_AUTHORIZED = 5


SUBACK_FAILURE = 0x80
"""Return code of a refused filter in a SUBACK (section 3.9.3); the others are the granted QoS."""


class Will(Struct, frozen=True, gc=False):
    """The message a server publishes for a client that leaves without DISCONNECT (section 3.1.2.5)."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False


class Connect(Struct, frozen=True, gc=False):
    """Client's first packet (section 3.1); `keep_alive` in seconds, 0 for none. The password never shows in its repr."""

    client_id: str
    keep_alive: int = 60
    clean_session: bool = True
    username: str | None = None
    password: bytes | None = None
    will: Will | None = None

    def __repr__(self) -> str:
        password = None if self.password is None else "..."
        return (
            f"Connect(client_id={self.client_id!r}, keep_alive={self.keep_alive}, clean_session={self.clean_session}, "
            f"username={self.username!r}, password={password}, will={self.will!r})"
        )


class Connack(Struct, frozen=True, gc=False):
    """Server's answer to CONNECT (section 3.2); `return_code` is a `ConnackCode`."""

    return_code: int
    session_present: bool = False


class Publish(Struct, frozen=True, gc=False):
    """An application message (section 3.3); `packet_id` is None exactly with QoS 0."""

    topic: str
    payload: bytes
    qos: int = 0
    packet_id: int | None = None
    dup: bool = False
    retain: bool = False


class Puback(Struct, frozen=True, gc=False):
    """Answer to a PUBLISH with QoS 1 (section 3.4)."""

    packet_id: int


class Subscribe(Struct, frozen=True, gc=False):
    """Subscription request (section 3.8); `filters` holds (topic filter, requested QoS)."""

    packet_id: int
    filters: tuple[tuple[str, int], ...]


class Suback(Struct, frozen=True, gc=False):
    """Answer to SUBSCRIBE (section 3.9): per filter the granted QoS or `SUBACK_FAILURE`."""

    packet_id: int
    return_codes: tuple[int, ...]


class Unsubscribe(Struct, frozen=True, gc=False):
    """Request to end subscriptions (section 3.10)."""

    packet_id: int
    filters: tuple[str, ...]


class Unsuback(Struct, frozen=True, gc=False):
    """Answer to UNSUBSCRIBE (section 3.11)."""

    packet_id: int


class Pingreq(Struct, frozen=True, gc=False):
    """Sign of life (section 3.12)."""


class Pingresp(Struct, frozen=True, gc=False):
    """Answer to PINGREQ (section 3.13)."""


class Disconnect(Struct, frozen=True, gc=False):
    """Client's last packet (section 3.14)."""


Packet = (
    Connect | Connack | Publish | Puback | Subscribe | Suback | Unsubscribe | Unsuback | Pingreq | Pingresp | Disconnect
)
