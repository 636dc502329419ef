"""Many real devices over AMQP at once, of two implementations: Node.js (rhea) and, where it is installed, uAMQP (C).

A minute instead of twenty seconds: HARNESS_FLEET_SECONDS=60.
"""

import asyncio
import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from support.fleet import Home, counted, fleet
from support.privileges import need_the_right

from harness.clock import RealClock
from harness.device.environments import Environments, cache_folder
from harness.hub.policy import Policy
from harness.profile import bundled_folder, load_profile

pytestmark = [pytest.mark.real_sdk(runtime="node"), pytest.mark.slow]

SECONDS = float(os.environ.get("HARNESS_FLEET_SECONDS", "20"))
SUPPORT = Path(__file__).parents[1] / "support"
POLICY = Policy(grace_s=1.0, skew_s=0.5)
LIFETIME_S, MARGIN_S = 6, 2


@pytest.fixture(scope="module")
def sdk() -> Path:
    """Where the SDK for Node.js is installed."""
    loaded = load_profile(bundled_folder() / "node")
    return asyncio.run(Environments(cache_folder(os.environ), print).prepare(loaded)).folder


async def run(command: list[str], folder: Path, job: object) -> Any:
    """Give a program its job; its answer."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    answer, _ = await asyncio.wait_for(process.communicate(json.dumps(job).encode()), SECONDS + 60)
    assert process.returncode == 0
    return json.loads(answer)


async def run_node(sdk: Path, homes: list[Home], transport: str, seconds: float) -> Any:
    """Devices on the SDK for Node.js."""
    job = {
        "transport": transport, "ca": homes[0].authority.ca_pem, "lifetime_s": LIFETIME_S, "margin_s": MARGIN_S,
        "seconds": seconds, "send_ms": 500, "connection_strings": [home.connection_string for home in homes],
    }  # fmt: skip
    return await run(["node", str(SUPPORT / "node_fleet.js")], sdk, job)


async def run_uamqp(folder: Path, home: Home, messages: int) -> Any:
    """A device on uAMQP."""
    (folder / "ca.pem").write_text(home.authority.ca_pem)
    job = {
        "address": home.reservation.address, "audience": home.audience, "device_id": home.device_id,
        "token": home.token(), "ca_file": str(folder / "ca.pem"), "messages": messages, "pause_s": 0.1,
    }  # fmt: skip
    return await run([sys.executable, str(SUPPORT / "uamqp_device.py")], folder, job)


def check_renewed(homes: list[Home], seconds: float, transport_ends: int = 0) -> None:
    """Every device stayed on one connection and renewed in time, in band."""
    seen = counted(homes)
    assert (seen["accepted"], seen["cut"], seen["disconnect"]) == (len(homes), transport_ends, len(homes))
    assert {status for home in homes for status in home.fields("put-token-answered", "status")} == {200}
    renewals = min(home.count("put-token") - 1 for home in homes)
    assert renewals >= seconds // (LIFETIME_S - MARGIN_S) - 1


@pytest.mark.parametrize("transport", ["amqp", "amqp-ws"])
def test_fifty_devices_with_tokens_of_six_seconds(sdk: Path, transport: str) -> None:
    """Each renews every four seconds: no error, no disconnect, no second connection, no message lost."""
    if transport == "amqp-ws":
        need_the_right()
    number = 50 if transport == "amqp" else 10
    seconds = SECONDS if transport == "amqp" else 10.0

    async def script() -> None:
        async with fleet(number, policy=POLICY) as homes:
            result = await run_node(sdk, homes, transport, seconds)
            assert result["events"] == []
            assert result["sent"] == counted(homes)["telemetry"] > number * seconds
            check_renewed(homes, seconds)

    asyncio.run(script())


def test_two_implementations_at_once(sdk: Path, tmp_path: Path) -> None:
    """Neither notices the other; C2D messages reach those that listen."""
    if importlib.util.find_spec("uamqp") is None:
        pytest.skip("uamqp, in the dependency group peers, is not installed")

    async def script() -> None:
        async with fleet(6, policy=POLICY) as homes:
            *of_node, of_uamqp = homes
            node = asyncio.create_task(run_node(sdk, of_node, "amqp", 10.0))
            uamqp = asyncio.create_task(run_uamqp(tmp_path, of_uamqp, 60))
            for number in range(1, 9):
                await asyncio.sleep(1)
                for home in of_node:
                    home.hub.send_c2d(str(number), b"{}", RealClock().now())
            told, accepted = await node, (await uamqp)["accepted"]
            assert told["events"] == []
            assert told["c2d"] == counted(of_node)["c2d-acknowledged"] == 8 * len(of_node)
            assert told["sent"] == counted(of_node)["telemetry"]
            check_renewed(of_node, 10.0)
            assert accepted == of_uamqp.count("telemetry") == 60
            assert of_uamqp.fields("amqp-open", "sasl") == ["MSSBCBS"]

    asyncio.run(script())
