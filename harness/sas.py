"""Shared access signatures: parse the token of any SDK, sign one, verify one. Pure: no clock, no keys of its own.

    SharedAccessSignature sr={resource}&sig={signature}&se={expiry}[&skn={policy}]

The fields come in any order. The signature is the base64 of HMAC-SHA256, with the base64-decoded key, over `sr` and `se` exactly as
they stand in the token, with a line feed between them; in the token it is percent-encoded (IoT Hub documentation, "Control access to
IoT Hub with shared access signatures", "SAS token structure"). The SDKs write `sr` differently: Python and Node.js encode the whole
resource, .NET encodes the device id twice, Java leaves the slashes, C encodes nothing; `Token.scopes` reads them all.
"""

import base64
import hashlib
import hmac
import re
from binascii import a2b_base64
from functools import lru_cache
from urllib.parse import quote, unquote, unquote_to_bytes

from msgspec import Struct

from harness.errors import RemoteProtocolError

__all__ = ["SCHEME", "MalformedTokenError", "Scope", "Token", "covers", "decode_key", "make_token", "parse", "sign"]

SCHEME = "SharedAccessSignature"
MALFORMED = "Malformed signature"
MISSING = "Missing field: {name}"

Scope = tuple[str, ...]
"""A resource by its segments: (host in lower case, "devices", device id, …)."""

_URI_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")
_EXPIRY = re.compile(r"[0-9]{1,12}", re.ASCII)  # twelve digits reach beyond the year 9999
_DIGEST_LENGTH = 16


class MalformedTokenError(RemoteProtocolError):
    """The text is no token; the message is the one the service gives. It never quotes the text."""


class Token(Struct, frozen=True, gc=False):
    """A parsed token: its fields as they stand in it, and `signature`, which is `sig` percent-decoded. Neither shows in its repr."""

    resource: str
    sig: str
    signature: str
    expiry_text: str
    policy: str | None = None

    def __repr__(self) -> str:
        return f"Token(resource={self.resource!r}, expiry_text={self.expiry_text!r}, policy={self.policy!r})"

    @property
    def expiry(self) -> int:
        """`se`: seconds since the Unix epoch."""
        return int(self.expiry_text)

    @property
    def digest(self) -> str:
        """Tells tokens apart without giving one away: the first 16 hexadecimal digits of SHA-256 of the signature."""
        return hashlib.sha256(self.signature.encode()).hexdigest()[:_DIGEST_LENGTH]

    def verify(self, key: str) -> bool:
        """Whether `key` (base64) made the signature; compared as bytes, in constant time.

        Raises:
            ValueError: `key` is no base64.
        """
        return hmac.compare_digest(a2b_base64(self.signature), _mac(self.resource, self.expiry_text, key))

    def policy_name(self, device_id: str) -> str | None:
        """The policy the token names, or None if it is signed with the device's own key.

        The C SDK sends an empty `skn`, or the device id as `skn`; neither names a policy.
        """
        if not self.policy:
            return None
        name = unquote(self.policy)
        return None if name == device_id else name

    def scopes(self) -> tuple[Scope, ...]:
        """What `sr` may mean: as it stands, percent-decoded once, and with each segment decoded once more."""
        return _scopes(self.resource)


def parse(text: str) -> Token:
    """Read a token in the form of any SDK.

    Raises:
        MalformedTokenError: "Malformed signature", or "Missing field: " with the first of sig, se, sr that is absent.
    """
    parts = text.split()
    if len(parts) != 2 or parts[0] != SCHEME or len(text) != len(parts[0]) + 1 + len(parts[1]):  # noqa: PLR2004 - one space between them
        raise MalformedTokenError(MALFORMED)
    fields: dict[str, str] = {}
    for item in filter(None, parts[1].split("&")):
        name, _, value = item.partition("=")
        name = name.lower()
        if name in fields:
            raise MalformedTokenError(MALFORMED)
        fields[name] = value
    try:  # in the order in which the service looks for them
        sig, expiry, resource = fields["sig"], fields["se"], fields["sr"]
    except KeyError as error:
        raise MalformedTokenError(MISSING.format(name=error.args[0])) from None
    if not sig.isascii() or not _EXPIRY.fullmatch(expiry):
        raise MalformedTokenError(MALFORMED)
    signature = _unquoted(sig)
    if not _is_base64(signature):
        raise MalformedTokenError(MALFORMED)
    return Token(resource, sig, signature, expiry, fields.get("skn"))


def sign(resource: str, expiry: str, key: str) -> str:
    """The signature in base64, not percent-encoded, for `sr` and `se` as they stand in the token.

    Raises:
        ValueError: `key` is no base64.
    """
    return base64.b64encode(_mac(resource, expiry, key)).decode()


def make_token(resource: str, key: str, se: int, skn: str | None = None) -> str:
    """A token, its fields in the order of the Python and Node.js SDKs.

    Args:
        resource: becomes `sr` exactly as given; the caller encodes it the way its SDK does.
        key: base64.
        se: seconds since the Unix epoch.
        skn: name of the policy the key belongs to.

    Raises:
        ValueError: `key` is no base64.
    """
    signature = quote(sign(resource, str(se), key), safe="")
    policy = "" if skn is None else f"&skn={skn}"
    return f"{SCHEME} sr={resource}&sig={signature}&se={se}{policy}"


@lru_cache(maxsize=64)
def decode_key(key: str) -> bytes:
    """The bytes of a key; remembered, since whoever has one uses it for every token.

    Raises:
        ValueError: it is no base64.
    """
    try:
        return a2b_base64(key, strict_mode=True)
    except ValueError as error:
        raise ValueError(f"a key has to be base64: {error}") from None


def covers(scope: Scope, target: Scope) -> bool:
    """Whether `scope` is `target` or stands above it; whole segments count, so `/a/b` does not cover `/a/bc`."""
    return target[: len(scope)] == scope


def _mac(resource: str, expiry: str, key: str) -> bytes:
    return hmac.digest(decode_key(key), f"{resource}\n{expiry}".encode(), "sha256")


@lru_cache(maxsize=64)
def _scopes(resource: str) -> tuple[Scope, ...]:
    """Remembered, since the check asks more than once and a device puts the same resource into all its tokens."""
    raw = _segments(resource)
    once = _segments(unquote(resource))
    twice = tuple(map(unquote, once))
    return tuple(dict.fromkeys((raw, once, twice)))


def _segments(resource: str) -> Scope:
    """Host in lower case; a URI scheme, a closing slash and a trailing `api-version=…` say nothing about the scope."""
    host, *path = _URI_SCHEME.sub("", resource).split("/")
    if path and (not path[-1] or path[-1].startswith("api-version=")):
        path.pop()
    return (host.lower(), *path)


def _unquoted(sig: str) -> str:
    """A signature without its percent-encoding, of which base64 has three characters; what is none is decoded like anything else."""
    signature = sig.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=")
    if "%" not in signature:
        return signature
    return unquote_to_bytes(sig).decode(errors="replace")  # `unquote` would look for what is not ASCII


def _is_base64(text: str) -> bool:
    try:
        a2b_base64(text, strict_mode=True)
    except ValueError:
        return False
    return True
