"""What a device is told to open: the connection string by which it finds and convinces the hub, and its settings. Pure."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import msgspec

from harness.documents import CONNECTED
from harness.net.device_certificates import DeviceCertificate
from harness.own_token import Supply
from harness.plan import Cell
from harness.run.keys import Keys
from harness.run.traffic import METHOD
from harness.sas import make_token, parse

__all__ = ["Way", "make_own_token", "open_command"]

BY_CERTIFICATE = "x509=true"
"""Says that the device comes with a client certificate. Where the device is to come with nothing, there is none: nothing else that a connection string can hold needs no secret."""


@dataclass(frozen=True, slots=True)
class Way:
    """The way to the hub. `host` is the name the device believes in, `address` and `port` where it really is.

    `gateway`: the device is told the address as `GatewayHostName`. `hosts_file`: it resolves `host` by this file. `ca_file`: the authority it trusts, where it takes that from a file only. `proxy`: the HTTP proxy it has to go through, as (host, port).
    """

    host: str
    address: str
    port: int
    gateway: bool
    proxy: tuple[str, int] | None = None
    hosts_file: Path | None = None
    ca_file: Path | None = None

    def described(self) -> dict[str, object]:
        """As the cell's header tells it."""
        return {
            "how": "gateway" if self.gateway else "hosts-file" if self.hosts_file else "host-ip",
            "host": self.host,
            "address": self.address,
            "port": self.port,
            "via_proxy": self.proxy is not None,
        }


def open_command(
    cell: Cell, way: Way, keys: Keys, ca_pem: str, now: float, certificate: DeviceCertificate | None = None
) -> tuple[dict[str, object], tuple[str, ...]]:
    """The `open` command for this cell's device, whose id is the cell's and whose key is among `keys`, as of `now`; with a `certificate` it has no key.

    With it come the secrets that are made for it: the signature of a fixed token, as it is written there and decoded, or the certificate's key.
    """
    token, signatures = make_own_token(cell, way, keys, now)
    listening = "listening" in cell.scenario.traffic
    methods = listening and cell.transport in CONNECTED  # over HTTPS there are none
    settings = {name: value for name, value in msgspec.to_builtins(cell.settings).items() if value is not None}
    command = {
        "cmd": "open",
        "transport": cell.transport,
        "connection_string": _connection_string(cell, way, keys.device, token),
        "ca_pem": ca_pem,
        **(_certificate_fields(certificate, cell, way) if certificate else {}),
        "c2d": listening,
        "methods": methods,
        **({"method_names": [METHOD]} if methods else {}),
        **({"further_tokens": _when(cell.scenario.supply)} if cell.scenario.supply else {}),
        **settings,
        **({"proxy": {"host": way.proxy[0], "port": way.proxy[1]}} if way.proxy else {}),
    }
    return command, certificate.secrets if certificate else signatures


def _when(supply: Supply) -> str:
    return "asked" if supply.at == "asked" else "unasked"


def _certificate_fields(certificate: DeviceCertificate, cell: Cell, way: Way) -> dict[str, object]:
    shown = {"cert_pem": certificate.certificate, "key_pem": certificate.key}
    return {**shown, "host": way.host, "device_id": cell.id}


def _connection_string(cell: Cell, way: Way, key: str, token: str) -> str:
    if cell.scenario.credential in {"none", "certificate"}:
        credential = BY_CERTIFICATE
    else:
        credential = f"SharedAccessSignature={token}" if token else f"SharedAccessKey={key}"
    gateway = [f"GatewayHostName={way.address}"] if way.gateway else []
    return ";".join([f"HostName={way.host}", f"DeviceId={cell.id}", credential, *gateway])


def make_own_token(cell: Cell, way: Way, keys: Keys, now: float) -> tuple[str, tuple[str, ...]]:
    """A token that the application supplies, and its signature, as it is written there and decoded; empty texts where it has none.

    The application makes it by the clock of the device's process, which may be off.
    """
    scenario, making = cell.scenario, cell.scenario.token
    left_s = scenario.token_lifetime_s if making.over_s is None else -making.over_s
    if left_s is None:
        return "", ()
    key = keys.device if making.policy is None else keys.policies[making.policy]
    expiry = int(now + scenario.device.process_ahead_s + left_s)
    token = make_token(quote(f"{way.host}/devices/{cell.id}", safe=""), key, expiry, making.policy)
    parsed = parse(token)
    return _spoilt(token, making.form), (parsed.sig, parsed.signature)


def _spoilt(token: str, form: str) -> str:
    if form == "cut-off":
        return token.partition("&se=")[0]
    if form == "garbled":
        signature = parse(token).sig
        return token.replace(signature, signature.removesuffix("%3D"))
    return token
