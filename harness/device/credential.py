"""The token an emulated device shows the hub: which one, when it is made, when it is due for renewal.

    made            renewal point by the profile's law        se         se + grace
    |-------------------------|- - quantum - -|--------------|--------------|
                                         the SDK acts                  the hub cuts

A token the application supplied is never made anew; a profile may still have a law for it, because an SDK may count without looking
into the token (the C SDK does: it leaves at 80 % of the lifetime set and comes back with the same text). A device with a client certificate has no token,
and nothing happens to it.
"""

import math
from urllib.parse import quote

from harness import sas
from harness.device.opening import Opening
from harness.emulation import Emulation, Manners
from harness.errors import RemoteProtocolError
from harness.law import Law

__all__ = ["Credential"]

_PERCENT = 100


class Credential:
    """One client's token, whose `text` is empty where there is a certificate. All times are seconds since the Unix epoch."""

    def __init__(self, emulation: Emulation, manners: Manners, opening: Opening, now: float) -> None:
        self._emulation, self._manners, self._opening = emulation, manners, opening
        self._lifetime_s = opening.lifetime_s or emulation.default_lifetime_s
        self.is_own = opening.token is not None
        self.text = opening.token or ""
        self.renew(now)

    def renew(self, now: float) -> None:
        """Make a new token; one that the application supplied stays, but counts as new from here."""
        self._since = now
        if self._opening.key is not None and not self.is_own:
            resource = f"{self._opening.host}/devices/{self._opening.device_id}"
            if self._emulation.encodes_resource:
                resource = quote(resource, safe="")
            expiry = math.floor(now + self._lifetime_s + self._emulation.expiry_offset_s)
            self.text = sas.make_token(resource, self._opening.key, expiry)

    def supply(self, text: str, now: float) -> None:
        """The application supplies another token. Raises `ValueError`, which quotes no secret, where it is none."""
        try:
            sas.parse(text)
        except RemoteProtocolError as error:
            raise ValueError(f"the token supplied is none: {error}") from None
        self.is_own, self.text, self._since = True, text, now

    def renew_for_reconnect(self, now: float) -> bool:
        """Make a new token after a drop, if this SDK does; whether it does."""
        how = self._manners.token_on_reconnect
        renews = how == "fresh" or (how == "until-renewal-point" and now >= self._since + self._reuse_s())
        if renews:
            self.renew(now)
        return renews

    @property
    def lacks_a_field(self) -> bool:
        """Whether a token of the application's own is none because something is missing, which an SDK sees without a hub."""
        names = {field.partition("=")[0] for field in self.text.removeprefix(f"{sas.SCHEME} ").split("&")}
        return self.is_own and not {"sr", "sig", "se"} <= names

    def is_expired(self, now: float) -> bool:
        """Whether the token has ended."""
        return self._expiry() <= now

    def _expiry(self) -> float:
        """When the token ends; what is no token does not, nor does none at all."""
        try:
            return sas.parse(self.text).expiry
        except sas.MalformedTokenError:
            return math.inf

    def renewal_at(self) -> float | None:
        """When the SDK acts by itself to renew this token, or None."""
        point = _point(self._law(), self._lifetime_s)
        if point is None or not self.text:
            return None
        if self._manners.renewal_margin_whole_s:
            left = self._lifetime_s - point
            point = self._lifetime_s - math.floor(left / self._lifetime_s * (math.ceil(self._lifetime_s) - 1))
        return self._since + self._look(point)

    def notice_at(self) -> float | None:
        """When the application is asked for another token, or None."""
        if not self.is_own or self._manners.own_token_notice_s is None:
            return None
        return self._expiry() - self._manners.own_token_notice_s

    def _law(self) -> Law:
        manners, opening = self._manners, self._opening
        if self.is_own:
            return manners.own_token_renewal
        if opening.margin_s is not None and manners.margin_has_effect:
            return Law(law="margin", seconds=opening.margin_s)
        if opening.margin_percent is not None and manners.margin_has_effect:
            return Law(law="fraction", fraction=1 - opening.margin_percent / _PERCENT)
        return manners.renewal

    def _reuse_s(self) -> float:
        percent = self._opening.margin_percent
        fraction = self._manners.token_reuse_fraction if percent is None else 1 - percent / _PERCENT
        return fraction * self._lifetime_s

    def _look(self, point: float) -> float:
        """The first look at the clock that finds the point reached, or passed."""
        quantum = self._manners.renewal_quantum_s
        if not quantum:
            return point
        if self._manners.renewal_needs == "passed":
            return (math.floor(point / quantum) + 1) * quantum
        return math.ceil(point / quantum) * quantum


def _point(law: Law, lifetime_s: float) -> float | None:
    """Seconds after its making at which something happens to a token by the SDK's own act."""
    points = {
        "margin": lifetime_s - law.seconds,
        "fraction": lifetime_s * law.fraction,
        "lifespan": lifetime_s + law.seconds,
    }
    return points.get(law.law)
