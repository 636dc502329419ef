"""How the hub ends a connection, and what each reason for it leaves in the diagnostics."""

from collections.abc import Mapping
from typing import Final, Literal

from harness.fault_words import CloseMode
from harness.hub.diagnostics import BAD_REQUEST, CLOSED_REMOTELY, NOT_FOUND, THROTTLED, TOKEN_EXPIRED, Problem

__all__ = ["LINGER_S", "RECORDS", "Cause", "CloseMode", "TransportClose", "of_transport"]

LINGER_S: Final = 1.0
"""How long a device that took leave has to close the connection before the hub does (MQTT 3.1.1 section 3.14.4)."""

TransportClose = Literal["fin", "rst"]
"""`fin`: TLS close_notify, then FIN, after all data. `rst`: the connection is reset."""

Cause = Literal[
    "token-expired", "keep-alive", "takeover", "protocol", "connect-timeout", "refused", "fault", "hub-stopped",
    "key-rolled", "device-disabled", "device-deleted", "other-client", "throttled", "tokens-refused",
]  # fmt: skip

RECORDS: Final[Mapping[Cause, tuple[Problem | None, ...]]] = {
    "token-expired": (TOKEN_EXPIRED, CLOSED_REMOTELY),
    "keep-alive": (CLOSED_REMOTELY,),
    "takeover": (None,),
    "protocol": (BAD_REQUEST,),
    "connect-timeout": (),
    "refused": (),
    "fault": (CLOSED_REMOTELY,),
    "hub-stopped": (),
    "key-rolled": (TOKEN_EXPIRED, CLOSED_REMOTELY),
    "device-disabled": (NOT_FOUND, CLOSED_REMOTELY),
    "device-deleted": (NOT_FOUND, CLOSED_REMOTELY),
    "other-client": (None,),
    "throttled": (THROTTLED, CLOSED_REMOTELY),
    "tokens-refused": (BAD_REQUEST,),
}
"""None is the protocol's own code for a connection that another one took the device from. What a change of the identity leaves is not published."""


def of_transport(close: CloseMode | None) -> TransportClose:
    """What a protocol does that has no farewell of its own."""
    return "rst" if close == "rst" else "fin"
