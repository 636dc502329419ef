"""What to do, by cause and by what the hub said.

The remedies are those of "Troubleshoot Azure IoT Hub error codes" (400027, 401003, 404104, 409002 and others) and of the article on 401003
(2020-01-30): cause 1, a token that runs out and is replaced, needs none; cause 2, refused credentials, needs the one that belongs to the message.
"""

from typing import Final, Literal

__all__ = ["Cause", "remedy_of"]

Cause = Literal["renewal-noise", "clean-renewal", "refused", "network", "duplicate-identity", "nothing"]

_REMEDIES: Final[dict[Cause, str]] = {
    "renewal-noise": "No action is needed: the hub ends the connection when its token has run out, and the device comes back with a new one. "
    "Who wants fewer of these errors uses AMQP, where a token is renewed without disconnecting, or the SDK for C, which renews its token ahead.",
    "clean-renewal": "No action is needed: the device reconnects by itself to renew its token, and leaves no error.",
    "network": "Look at the network between device and hub, and at whether the application closes its connection before it ends. Do not raise "
    "the keep-alive interval; use the SDK's current version, and let it retry.",
    "duplicate-identity": "Let only one client connect with this identity: look for a second process, or a copied image or connection string. "
    "After a loss of the network it may be the device itself, coming back before the hub had noticed.",
    "nothing": "",
}
_STAYED_AWAY: Final = (
    "The token ran out, and no record shows the device coming back (one that does may be missing). An application that makes its own tokens has to "
    "hand over a new one in time; otherwise see whether the device still runs and whether its SDK has given up."
)
_CUTS_BESIDE: Final = (
    " Its cuts at the token's end (401003, or 404104 in their rhythm) are renewal noise, and not the network's."
)
_SERVICE: Final = "The service had a trouble of its own: retry with growing pauses, and look at Azure's status where many devices show it."
_TEXTS: Final = (
    (
        "authorization header missing",
        "The device showed no credential: give it a connection string, a token or a certificate.",
    ),
    (
        "does not contain the specified device",
        "Register the device at this hub, or correct the device id (capitals count) and the hub's name in its connection string.",
    ),
    (
        "does not allow access for",
        "Give the shared access policy the permission DeviceConnect, or use the device's own key; the token has to be made for this device.",
    ),
    (
        "thumbprint does not match",
        "Register the thumbprint of the device's certificate at the hub, or give the device the certificate that is registered.",
    ),
    (
        "authentication failed for this device",
        (
            "See that the key is the one in the registry, that token or certificate has not expired, that the token is well formed, that the device's "
            "clock is right to five minutes (NTP), and that its identity is enabled."
        ),
    ),
)
_CODES: Final = (
    ("400029", "The device asked for it by a test message of the service: take it out of the application."),
    ("400030", "The device asked for it by a test message of the service: take it out of the application."),
    ("401001", "Correct the hub's name in the connection string."),
    ("401", "See that key, token or certificate are those in the registry, and have not expired."),
    ("403001", "The hub is suspended: look at its subscription."),
    ("403002", "The hub's daily quota is used up: add units, or wait until midnight UTC."),
    ("403005", "Use fewer devices on one AMQP connection."),
    ("403012", "Enable the device's identity in the registry."),
    ("404001", "Register the device, or enable its identity."),
    ("404010", "Register the module."),
    ("429", "The hub is throttled: send and connect less often, with growing pauses after a refusal, or add units."),
)
_OTHERWISE: Final = "Look the code up in Troubleshoot Azure IoT Hub error codes."


def remedy_of(cause: Cause, code: str, message: str, *, was_cut: bool = False, stayed_away: bool = False) -> str:
    """The remedy; empty where there is nothing to remedy.

    `code` and `message` are those of the record that tells most; `was_cut`: some of its connections were, at the token's end;
    `stayed_away`: it is refused since its token ran out and no record shows it back.
    """
    if stayed_away:
        return _STAYED_AWAY
    if cause == "network":
        return (_REMEDIES[cause] if code == "404104" else _SERVICE) + (_CUTS_BESIDE if was_cut else "")
    if cause != "refused":
        return _REMEDIES[cause]
    said = message.lower()
    known = (remedy for text, remedy in _TEXTS if text in said)
    return next(known, None) or next((remedy for start, remedy in _CODES if code.startswith(start)), _OTHERWISE)
