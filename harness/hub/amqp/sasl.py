"""The SASL mechanisms, of which only PLAIN says who the device is.

MSSBCBS and ANONYMOUS carry nothing: the device shows its token to `$cbs` later. EXTERNAL stands for a client certificate, which is
judged when the device opens its first link. PLAIN: user `{device}@sas.{hub}`, password the token, which cannot be renewed (IoT Hub documentation, "Control
access to IoT Hub with shared access signatures", "Protocol specifics"); `{hub}` may be the whole host name or its first label, and
some clients write `sas.root.`, which belongs to the users that are policies.
"""

import re

from harness.hub.credentials import Credentials, UserName, with_token

__all__ = ["read_plain"]

_USER = re.compile(r"(?P<device>.+)@sas\.(?:root\.)?(?P<hub>[^@]+)", re.DOTALL)


def read_plain(response: bytes | None, hub_name: str) -> Credentials:
    """The claims in an initial response (RFC 4616); nothing in it raises. The hub's first label stands for `hub_name`."""
    text = (response or b"").decode(errors="replace")
    _, _, rest = text.partition("\0")
    user, separator, password = rest.partition("\0")
    found = _USER.fullmatch(user)
    client_id, user_name = "", None
    if found is not None:
        hub, client_id = found["hub"].lower(), found["device"]
        user_name = UserName(hub_name if hub == hub_name.lower().partition(".")[0] else hub, client_id)
    return with_token(client_id, user_name, password) if separator else Credentials(client_id, user_name)
