"""What a device presents: the hub and the ids it names, the SDK it says it is, and its token. Reading only, no judgement.

User name: `{hub}/{device}[/{module}]/?api-version={v}[&DeviceClientType={sdk}][&model-id={dtmi}]` (IoT Hub documentation,
"Communicate with an IoT hub using the MQTT protocol"). Older clients leave the `?` out, or everything after the ids. Unknown
parameters are ignored, the first of a repeated one counts, ids are not percent-decoded. The password is the token.
"""

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from msgspec import Struct

from harness.hub.certificates import Certificate
from harness.protocol.mqtt.packets import Connect
from harness.sas import MalformedTokenError, Token, parse

__all__ = ["Credentials", "UserName", "read_credentials", "read_user_name", "with_token"]


@dataclass(frozen=True, slots=True)
class UserName:
    """A user name taken apart. `client_id` is what it says the client identifier has to be."""

    hub: str
    client_id: str
    api_version: str | None = None
    sdk_version: str | None = None


class Credentials(Struct, frozen=True, gc=False):
    """A device's claims. `user_name` is None if it names no hub and device, `token` if there is none or it is malformed.

    `problem`: why a password is no token, else empty. `certificate`: what the device proved in the TLS handshake, where it counts instead of a token, and
    `transport` then what it came by. `secrets`: the texts that must never be written, nor show in a repr.
    """

    client_id: str
    user_name: UserName | None
    token: Token | None = None
    problem: str = ""
    secrets: tuple[str, ...] = ()
    certificate: Certificate | None = None
    transport: str = ""

    def __repr__(self) -> str:
        return (
            f"Credentials(client_id={self.client_id!r}, user_name={self.user_name!r}, token={self.token!r}, "
            f"problem={self.problem!r})"
        )

    @property
    def has_password(self) -> bool:
        """Whether there was any password, good or bad."""
        return self.token is not None or bool(self.problem)

    @property
    def api_version(self) -> str | None:
        """The interface version the user name asks for."""
        return self.user_name.api_version if self.user_name else None

    @property
    def sdk_version(self) -> str | None:
        """The SDK by its own account (`DeviceClientType`)."""
        return self.user_name.sdk_version if self.user_name else None


def read_credentials(connect: Connect, certificate: Certificate | None = None, transport: str = "") -> Credentials:
    """Take a CONNECT apart; nothing in it raises. A `certificate` counts where there is no password: a device presents the one or the other."""
    user_name = read_user_name(connect.username or "")
    if connect.password is None:
        return Credentials(connect.client_id, user_name, certificate=certificate, transport=transport)
    return with_token(connect.client_id, user_name, connect.password.decode(errors="replace"))


def with_token(client_id: str, user_name: UserName | None, text: str) -> Credentials:
    """The claims of a device that presents `text` as its token."""
    try:
        token = parse(text)
    except MalformedTokenError as error:
        return Credentials(client_id, user_name, problem=str(error), secrets=(text,))
    return Credentials(client_id, user_name, token, secrets=(token.sig, token.signature))


@lru_cache(maxsize=64)
def read_user_name(text: str) -> UserName | None:
    """The parts of a user name, or None where hub or device is missing; remembered, since a device has one user name."""
    hub, _, rest = text.partition("/")
    device, _, rest = rest.partition("/")
    if not hub or not device:
        return None
    module = ""
    if rest and not _is_query(rest):
        module, _, rest = rest.partition("/")
    parameters = _parameters(rest)
    return UserName(
        hub.lower(),
        f"{device}/{module}" if module else device,
        parameters.get("api-version"),
        parameters.get("DeviceClientType"),
    )


def _is_query(rest: str) -> bool:
    return rest.startswith("?") or "=" in rest.partition("/")[0]


def _parameters(query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in query.removeprefix("?").split("&"):
        name, _, value = item.partition("=")
        found.setdefault(name, unquote(value))
    return found
