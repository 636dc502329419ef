"""Client certificates of scenarios, as a document says them: how the hub knows the device, and what is wrong with what it presents."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final, Literal

from harness.documents import Document, Problem
from harness.fault import Fault

__all__ = ["NO_AUTHORITIES", "CertificateSettings", "certificate_problems"]

NO_AUTHORITIES: Final = frozenset({"mqtt-ws", "amqp-ws", "https"})
"""The transports over which the hub takes no certificate of an authority (see `harness.hub.certificates`)."""

_OF_KIND: Final = {"thumbprint": "self-signed", "expired": "ca", "unknown-authority": "ca"}


class CertificateSettings(Document, frozen=True):
    """The certificate of a device whose scenario has `credential = "certificate"`.

    `kind`: the hub knows a `self-signed` one by its thumbprint, one of a `ca` by the authority that it leads to. `wrong`: nothing where it is left out;
    `thumbprint`: another certificate is registered; `expired`: since a day ago; `unknown-authority`: it leads to one that the hub does not trust.
    """

    kind: Literal["self-signed", "ca"]
    wrong: Literal["", "thumbprint", "expired", "unknown-authority"] = ""

    def is_refused(self, transports: Collection[str]) -> bool:
        """Whether the hub does not let such a device in, over all of `transports`."""
        return self.wrong != "" or (self.kind == "ca" and NO_AUTHORITIES.issuperset(transports))


def certificate_problems(
    certificate: CertificateSettings | None,
    *,
    credential: str,
    settings: str,
    faults: Sequence[Fault],
    transports: Collection[str],
) -> Iterator[Problem]:
    """What contradicts `certificate`, or the lack of it, in a scenario with this `credential`, these `settings` and `faults`, about `transports`."""
    if (credential == "certificate") != (certificate is not None):
        yield "certificate", 'goes with credential = "certificate", and only with it', "Set both or neither"
    if certificate is None:
        return
    kind = _OF_KIND.get(certificate.wrong, certificate.kind)
    if kind != certificate.kind:
        yield (
            "certificate.wrong",
            f"nobody asks a certificate of kind {certificate.kind} for that: wrong = {certificate.wrong!r}",
            f'Use kind = "{kind}", or drop it',
        )
    refused = NO_AUTHORITIES.intersection(transports)
    if certificate == CertificateSettings(kind="ca") and 0 < len(refused) < len(transports):
        yield (
            "transports",
            f"a certificate of an authority is refused over {', '.join(sorted(refused))}, and taken over the others",
            'Make it two scenarios: transports = ["mqtt", "amqp"], and the others',
        )
    if settings != "none":
        yield "settings", "are about tokens, of which there are none", 'Use settings = "none"'
    for index, fault in enumerate(faults):
        yield f"faults[{index}].at", f"{fault.at} belongs to a token, of which there is none", "Drop the fault"
