"""Applications that supply their own tokens, with the real SDKs that can take another one later: for Python, Node.js and Java.

The SDK for Java asks for a token whenever it needs one; no emulated device plays that.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.matrix,
    pytest.mark.real_sdk(runtime="node"),
    pytest.mark.real_sdk,
    pytest.mark.slow(seconds=50),
]

SCENARIOS = ("own-token-renewed", "own-token-asked", "own-token-late", "own-token-late-idle")
WAYS = (("python", "mqtt"), ("node", "mqtt"), ("node", "amqp"))
Rows = Mapping[tuple[str, str, str], Mapping[str, Any]]


def start(root: Path, device: str) -> subprocess.Popen[str]:
    """A comparison under way."""
    options = [
        "--sdk",
        "python,node,java" if device == "real" else "python,node",
        "--transport",
        "mqtt,amqp",
        "--scenario",
        ",".join(SCENARIOS),
        "--device",
        device,
    ]
    command = [sys.executable, "-m", "harness", "compare", *options, "--out", str(root / device)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def rows_of(run: subprocess.Popen[str], folder: Path) -> Rows:
    """Its rows by SDK, transport and scenario."""
    _, errors = run.communicate(timeout=180)
    assert run.returncode == 0, errors
    (findings,) = folder.glob("*/findings.json")
    return {(row["sdk"], row["transport"], row["scenario"]): row for row in json.loads(findings.read_bytes())["rows"]}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Rows]:
    """The real SDKs and the emulated devices, at the same time."""
    root = tmp_path_factory.mktemp("own-tokens")
    runs = {device: start(root, device) for device in ("real", "emulated")}
    return {device: rows_of(run, root / device) for device, run in runs.items()}


@pytest.fixture(scope="module")
def rows(both: Mapping[str, Rows]) -> Rows:
    """What the real SDKs did."""
    return both["real"]


@pytest.mark.parametrize("sdk", ["python", "node"])
def test_over_mqtt_a_new_token_needs_a_new_connection(rows: Rows, sdk: str) -> None:
    """The device leaves, and is back with it."""
    row = rows[sdk, "mqtt", "own-token-renewed"]
    assert (row["renewal"], row["renewals"], row["first"], row["lost"]) == ("reconnect", 2, ["device"], 0)


def test_node_reconnects_twice_for_each_token_over_mqtt(rows: Rows) -> None:
    """The second time with the token it has just come back with, which the row notes as being away besides."""
    (cell,) = rows["node", "mqtt", "own-token-renewed"]["cells"]
    again = [one for one in cell["absences"] if one["renewal"] is None]
    assert (len(cell["absences"]), len(again)) == (4, 2)
    assert [one["cause"] for one in again] == ["disconnect", "disconnect"]


def test_over_amqp_it_is_put_on_the_same_connection(rows: Rows) -> None:
    """And the application sees nothing."""
    row = rows["node", "amqp", "own-token-renewed"]
    assert (row["renewal"], row["renewals"], row["hub_log"], row["app"], row["lost"]) == ("in-band", 2, [], [], 0)


def test_python_asks_for_a_token_and_node_never_does(rows: Rows) -> None:
    """Two minutes before the end of the one it has."""
    asked = {way: rows[*way, "own-token-asked"]["renewals"] for way in WAYS}
    assert asked == {("python", "mqtt"): 1, ("node", "mqtt"): 0, ("node", "amqp"): 0}


@pytest.mark.parametrize(
    ("sdk", "transport", "returned"),
    [("python", "mqtt", "new-token"), ("node", "mqtt", "none"), ("node", "amqp", "new-token")],
)
def test_a_token_that_comes_after_the_cut(rows: Rows, sdk: str, transport: str, returned: str) -> None:
    """While the application is idle, it brings the device back at once, or never."""
    assert rows[sdk, transport, "own-token-late-idle"]["returned"] == returned


@pytest.mark.parametrize(("sdk", "transport"), WAYS)
def test_a_sending_application_is_back_after_a_late_token(rows: Rows, sdk: str, transport: str) -> None:
    """Six seconds after the cut, or, Node.js, with its next message, a second later at most."""
    row = rows[sdk, transport, "own-token-late"]
    (gap_ms,) = row["gap_ms"]
    assert (row["renewal"], row["lost"]) == ("hub-cut", 0)
    assert 6_000 < gap_ms < 8_000


@pytest.mark.real_sdk(runtime="java")
def test_java_takes_a_token_when_the_next_is_due(rows: Rows) -> None:
    """Over AMQP at 85 % of what is left of the one before, on the same connection; over MQTT when the hub has cut it."""
    amqp, mqtt = rows["java", "amqp", "own-token-renewed"], rows["java", "mqtt", "own-token-renewed"]
    assert (amqp["renewal"], amqp["renewals"], amqp["app"], amqp["lost"]) == ("in-band", 2, [], 0)
    assert (mqtt["renewal"], mqtt["first"]) == ("hub-cut", ["hub"])


@pytest.mark.real_sdk(runtime="java")
def test_java_is_back_over_mqtt_once_there_is_a_token(rows: Rows) -> None:
    """It goes on trying with the old one, and is told of each attempt."""
    row = rows["java", "mqtt", "own-token-late-idle"]
    assert (row["renewal"], row["recovery"]) == ("hub-cut", "retries")


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize(("sdk", "transport"), WAYS)
def test_the_emulated_device_plays_what_the_sdk_does(
    both: Mapping[str, Rows], sdk: str, transport: str, scenario: str
) -> None:
    """The hub's log, what the application is shown, who leaves first, what follows the cut, and what becomes of messages."""
    fields = ("renewal", "renewals", "first", "hub_log", "hub_levels", "recovery", "lost")
    real, played = both["real"][sdk, transport, scenario], both["emulated"][sdk, transport, scenario]
    assert {name: played[name] for name in fields} == {name: real[name] for name in fields}
