"""Client certificates of scenarios, as a document says them: how the hub knows the device, and what is wrong with what it presents."""

from collections.abc import Iterator, Sequence
from typing import Final, Literal

from harness.documents import Document, Problem
from harness.fault import Fault

__all__ = ["CertificateSettings", "certificate_problems"]

_OF_KIND: Final = {"thumbprint": "self-signed", "expired": "ca", "unknown-authority": "ca"}


class CertificateSettings(Document, frozen=True):
    """The certificate of a device whose scenario has `credential = "certificate"`.

    `kind`: the hub knows a `self-signed` one by its thumbprint, one of a `ca` by the authority that it leads to. `wrong`: nothing where it is left out;
    `thumbprint`: another certificate is registered; `expired`: since a day ago; `unknown-authority`: it leads to one that the hub does not trust.
    """

    kind: Literal["self-signed", "ca"]
    wrong: Literal["", "thumbprint", "expired", "unknown-authority"] = ""


def certificate_problems(
    certificate: CertificateSettings | None, *, credential: str, settings: str, faults: Sequence[Fault]
) -> Iterator[Problem]:
    """What contradicts `certificate`, or the lack of it, in a scenario with this `credential`, these `settings` and `faults`."""
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
    if settings != "none":
        yield "settings", "are about tokens, of which there are none", 'Use settings = "none"'
    for index, fault in enumerate(faults):
        yield f"faults[{index}].at", f"{fault.at} belongs to a token, of which there is none", "Drop the fault"
