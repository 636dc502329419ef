"""How long the real SDKs wait for a CONNACK that was lost, and what it takes until they are back: the scenario `connack-lost` as it is bundled."""

from collections.abc import Mapping

import pytest
from support.real_runs import after, finish, from_app, of_kind, seconds, start_comparison

from harness.events import CellLog, Event
from harness.runfolder import read_cells

pytestmark = [pytest.mark.matrix, pytest.mark.slow(seconds=110)]

Logs = Mapping[str, CellLog]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Logs:
    """The logs by SDK."""
    root = tmp_path_factory.mktemp("run")
    run = start_comparison(root, ["connack-lost"], "--sdk", "python,node,java,c", "--transport", "mqtt")
    return {log.header.sdk: log for log in read_cells(finish(run, root, 300)) if isinstance(log, CellLog)}


def lost(log: CellLog) -> Event:
    """The CONNECT that got no answer."""
    (fault,) = of_kind(log, "fault")
    return fault


def next_connect(log: CellLog) -> Event:
    """The one after it."""
    return after(lost(log), [one for one in of_kind(log, "connect") if one.t > lost(log).t])[0]


@pytest.mark.real_sdk(runtime="c")
def test_c_takes_a_minute(logs: Logs) -> None:
    """Half of it for the CONNACK, half for one that it never asked for, on a connection that it has abandoned."""
    log = logs["c"]
    assert seconds(lost(log), next_connect(log)) == pytest.approx(62, abs=3)
    told = [str(event.fields["status"]) for event in after(lost(log), from_app(log, "status"))]
    assert told[-1] == "AUTHENTICATED"
    given_up = [event for event in of_kind(log, "line") if "timed out waiting for CONNACK" in str(event.fields["text"])]
    assert [round(seconds(lost(log), event) / 31) for event in given_up] == [1, 2]


@pytest.mark.parametrize(
    "sdk", [pytest.param(sdk, marks=pytest.mark.real_sdk(runtime=sdk)) for sdk in ("python", "node", "java")]
)
def test_the_others_wait_a_minute_for_it(logs: Logs, sdk: str) -> None:
    """And ask again then."""
    assert seconds(lost(logs[sdk]), next_connect(logs[sdk])) == pytest.approx(60, abs=12)
