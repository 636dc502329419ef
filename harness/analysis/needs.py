"""What a developer needs of a device, in figures that can be measured. A limit that is null, an empty choice and a wish that is not there ask nothing."""

from collections.abc import Mapping

import msgspec

__all__ = ["Needs"]


class Needs(msgspec.Struct, frozen=True):
    """Limits are the most there may be for one device in a day.

    `max_errors_per_day`: records of errors in the hub's log; `max_app_errors_per_day`: events with an exception that the application is shown;
    `max_reconnects_per_day`: connections that end because a token does; `max_away_s_per_day`: seconds without a connection because of them.
    `no_loss`: no message is lost, in either direction, in any scenario that was measured. `comes_back`: by itself, whatever ends the connection.
    `lifetime_s`: the token lifetime in seconds to go by; null leaves it to the SDK, or to the advice. `sdks`: names, or SDK@VERSION.
    """

    sdks: tuple[str, ...] = ()
    transports: tuple[str, ...] = ()
    lifetime_s: float | None = None
    max_errors_per_day: float | None = None
    max_app_errors_per_day: float | None = None
    max_reconnects_per_day: float | None = None
    max_away_s_per_day: float | None = None
    no_loss: bool = False
    comes_back: bool = False

    @property
    def limits(self) -> Mapping[str, float]:
        """The limits that are set, by the names of the figures they are about (`harness.analysis.prospect.Figures`)."""
        found = {
            "errors": self.max_errors_per_day,
            "app_errors": self.max_app_errors_per_day,
            "reconnects": self.max_reconnects_per_day,
            "away_s": self.max_away_s_per_day,
        }
        return {name: value for name, value in found.items() if value is not None}

    def wants(self, sdk: str, version: str, transport: str) -> bool:
        """Whether it is one of those that were asked about."""
        named = not self.sdks or bool({sdk, f"{sdk}@{version}"} & set(self.sdks))
        return named and (not self.transports or transport in self.transports)
