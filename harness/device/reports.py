"""The events of the adapter protocol as an emulated device makes them."""

from collections.abc import Iterable

from harness.emulation import AppSignal
from harness.profile import Profile

__all__ = ["Reports"]

PROTOCOL_VERSION = 1
_CAPABILITIES = {"margin-s": ["margin"], "margin-percent": ["margin-percent"], "none": []}


class Reports:
    """Collects events; `t` is the moment the device was told, seconds since the Unix epoch."""

    def __init__(self, profile: Profile) -> None:
        capabilities = ["lifetime", *_CAPABILITIES[profile.emulation.margin_setting], "own-token"]
        capabilities += ["token-update", "x509"] if profile.emulation.takes_tokens else ["x509"]
        self._events: list[dict[str, object]] = [
            {
                "event": "hello", "protocol": PROTOCOL_VERSION, "sdk": profile.sdk, "sdk_version": profile.version,
                "runtime": "emulated", "transports": list(profile.transports), "capabilities": capabilities,
                "emulated": True,
            }
        ]  # fmt: skip

    def drain(self) -> list[dict[str, object]]:
        """The events since the last call, oldest first."""
        events, self._events = self._events, []
        return events

    def tell(self, event: str, now: float, **fields: object) -> None:
        """Report an event; fields that are None are left out."""
        told = {name: value for name, value in fields.items() if value is not None}
        self._events.append({"event": event, "t": now, **told})

    def show(self, signals: Iterable[AppSignal], now: float) -> None:
        """Report what a profile says the application is shown."""
        for signal in signals:
            self._show(signal, now, None)

    def fail(self, numbers: Iterable[int], signals: Iterable[AppSignal], now: float) -> None:
        """Report the end of messages; each ends in a `send_failed`, also where the profile has no words for it."""
        shown = list(signals)
        if not any(signal.event == "send_failed" for signal in shown):
            shown.insert(0, AppSignal(event="send_failed"))
        for number in numbers:
            for signal in shown:
                self._show(signal, now, number)

    def _show(self, signal: AppSignal, now: float, number: int | None) -> None:
        if signal.log:
            self.tell("sdk_log", now, text=signal.log, level=signal.level or None)
        if signal.event:
            chain = [{"class": link.class_, "message": link.message} for link in signal.error]
            if not chain and signal.event.endswith("_failed"):
                chain = [{"class": "unknown", "message": "the profile does not say"}]
            self.tell(
                signal.event, now,
                id=number if signal.event == "send_failed" else None,
                status=signal.status, reason=signal.reason, callback=signal.callback, error=chain or None,
            )  # fmt: skip
