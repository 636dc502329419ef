"""Many cells' hubs in one process, as a run of many cells has them, and what they saw."""

import base64
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import quote

from support.net_world import Watched

from harness.clock import RealClock
from harness.hub.hub import Hub
from harness.hub.identity import Identity
from harness.hub.policy import Policy
from harness.net.addresses import AddressPool, Reservation
from harness.net.certificates import Authority, make_authority
from harness.net.listeners import CellServer
from harness.net.stream import Limits
from harness.sas import make_token

HUB_NAME = "fleet-hub.azure-devices.net"
KEY = base64.b64encode(bytes(range(32))).decode()


class Home(Watched):
    """One device's hub: where it is, and what happened there."""

    def __init__(self, device_id: str, reservation: Reservation, authority: Authority, policy: Policy) -> None:
        super().__init__()
        self.device_id, self.reservation, self.authority = device_id, reservation, authority
        self.events: list[tuple[str, dict[str, object]]] = []
        names = frozenset({reservation.address})
        self.hub = Hub(Identity(HUB_NAME, device_id, KEY, KEY), policy, emit=self._emit, names=names)
        self.server: CellServer

    @property
    def connection_string(self) -> str:
        """For an SDK that owns the key."""
        gateway = self.reservation.address
        return f"HostName={HUB_NAME};DeviceId={self.device_id};SharedAccessKey={KEY};GatewayHostName={gateway}"

    @property
    def audience(self) -> str:
        """The resource of a token."""
        return f"{HUB_NAME}/devices/{self.device_id}"

    def token(self, lifetime_s: float = 3600.0) -> str:
        """A token for the device."""
        return make_token(quote(self.audience, safe=""), KEY, int(time.time() + lifetime_s))

    def count(self, kind: str) -> int:
        """How often something happened."""
        return sum(name == kind for name, _ in self.events)

    def fields(self, kind: str, field: str) -> list[object]:
        """One field of all events of a kind."""
        return [fields[field] for name, fields in self.events if name == kind]

    def _emit(self, kind: str, _now: float, /, **fields: object) -> None:
        self.events.append((kind, fields))
        self.touch()


def counted(homes: list[Home]) -> Counter[str]:
    """How often things happened, in all."""
    return Counter(kind for home in homes for kind, _ in home.events)


@asynccontextmanager
async def fleet(
    number: int, *, policy: Policy | None = None, authority: Authority | None = None, limits: Limits | None = None
) -> AsyncIterator[list[Home]]:
    """Serve so many devices, each at an address of its own."""
    pool, authority = AddressPool(), authority or make_authority()
    async with AsyncExitStack() as undo:
        homes = []
        for index in range(number):
            home = Home(f"device-{index}", await pool.acquire(), authority, policy or Policy())
            home.server = await CellServer.start(
                home.hub, authority, home.reservation, RealClock(), names=[HUB_NAME], limits=limits
            )
            undo.push_async_callback(home.server.stop)
            homes.append(home)
        yield homes
