"""The way to the hub where port 443 may not be bound."""

import asyncio

import pytest
from support.plans import a_cell, a_profile, program

from harness.clock import RealClock
from harness.errors import EnvironmentProblem
from harness.events import Recorder
from harness.net.addresses import PORTS, AddressPool, Reservation
from harness.plan import Cell
from harness.run.keys import Keys
from harness.run.opening import Way
from harness.run.stage import Staging

SPOKEN = ("mqtt", "mqtt-ws", "https")


def way_of(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> Way:
    """The way to the hub of a cell, on a machine that lends another port than 443."""

    async def acquire(pool: AddressPool) -> Reservation:
        return Reservation("127.64.0.9", {}, {**PORTS, "websocket": 40_443}, lambda: None)

    async def found() -> Way:
        staging = Staging(RealClock(), 1)
        async with staging.stage(cell, Keys.draw(cell.scenario.device), Recorder(lambda _: None, started=0.0)) as stage:
            return stage.way

    monkeypatch.setattr(AddressPool, "acquire", acquire)
    return asyncio.run(found())


def a_real_cell(transport: str, **adapter: object) -> Cell:
    """A cell of a real SDK."""
    speaks = program("{python}", "polite.py", transports=SPOKEN, **adapter)
    return a_cell(a_profile(adapter=speaks, transports=SPOKEN), transport=transport)


@pytest.mark.parametrize(("proxy", "transport"), [(True, "mqtt-ws"), (True, "https"), (("mqtt-ws",), "mqtt-ws")])
def test_the_sdks_own_proxy_option_leads_there(monkeypatch: pytest.MonkeyPatch, proxy: object, transport: str) -> None:
    """To a proxy of ours."""
    assert way_of(a_real_cell(transport, proxy=proxy), monkeypatch).proxy is not None


@pytest.mark.parametrize(("proxy", "transport"), [(False, "mqtt-ws"), (("mqtt-ws",), "https")])
def test_an_sdk_without_such_an_option(monkeypatch: pytest.MonkeyPatch, proxy: object, transport: str) -> None:
    """Is not tried: it would dial a port on which nobody listens."""
    with pytest.raises(EnvironmentProblem, match=f"port 443 may not be bound here and SDK one takes no proxy over {transport};"):  # fmt: skip
        way_of(a_real_cell(transport, proxy=proxy), monkeypatch)


def test_other_ports_need_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody may bind them."""
    assert way_of(a_real_cell("mqtt"), monkeypatch).proxy is None
