"""A device's requests to a hub over HTTPS, in whole messages: what the tests of `harness.hub.https` share."""

from support.hub_world import DEVICE, HUB_NAME, NOW, World, token

from harness.hub.base import HubConnection
from harness.hub.certificates import Certificate
from harness.protocol.http.client import HttpClient
from harness.protocol.http.messages import Request, Response

__all__ = ["DEVICEBOUND", "EVENTS", "Caller", "request"]

EVENTS = f"/devices/{DEVICE}/messages/events?api-version=2021-04-12"
DEVICEBOUND = f"/devices/{DEVICE}/messages/devicebound"
AGENT = "sdk/1.0"


def request(
    method: str = "POST", target: str = EVENTS, body: bytes = b"", *, sas: str | None = "", host: str = HUB_NAME,
    **headers: str,
) -> Request:  # fmt: skip
    """A request of the device; with a good token unless `sas` says otherwise, None being none at all."""
    authorization = {} if sas is None else {"authorization": sas or token()}
    fields = {"host": host, "user-agent": AGENT, **authorization, **headers}
    return Request(method, target, tuple((name.replace("_", "-"), value) for name, value in fields.items()), body)


class Caller:
    """One connection of the device."""

    def __init__(self, world: World, at: float = NOW, certificate: Certificate | None = None) -> None:
        before = world.accept("websocket", at=at)
        if certificate is not None:
            before.proven(certificate)
        self.hub_side: HubConnection = before.upgraded("", "/", at)
        self._client = HttpClient()

    def ask(self, what: Request, at: float = NOW) -> Response:
        """Make a request; its answer."""
        self.hub_side.receive(self._client.request(what), at)
        answer = self._client.receive(self.hub_side.data_to_send())
        assert answer is not None
        return answer

    def send(self, number: int, at: float = NOW, sas: str = "") -> int:
        """Send telemetry message `number`; the status."""
        return self.ask(request(sas=sas, iothub_messageid=str(number)), at).status

    def receive(self, at: float = NOW) -> Response:
        """Ask for a cloud-to-device message."""
        return self.ask(request("GET", DEVICEBOUND), at)
