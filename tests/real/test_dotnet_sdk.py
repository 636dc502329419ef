"""The real Microsoft.Azure.Devices.Client, where .NET is: it does what was recorded of it on another machine.

One comparison serves every test here. Over WebSocket the SDK has to be led to port 443 itself, which not everybody may bind.
"""

from collections.abc import Mapping

import pytest
from support.real_runs import finish, start_comparison

from harness.analysis import CellFindings, analyse_cell
from harness.analysis.fidelity import differences
from harness.events import CellLog
from harness.recorded import bundled_recordings, read_recorded
from harness.runfolder import read_cells

pytestmark = [pytest.mark.real_sdk(runtime="dotnet"), pytest.mark.slow]

LIFETIME_S = 20.0


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, CellFindings]:
    """The cells of the renewals at the recorded lifetime, by transport."""
    root = tmp_path_factory.mktemp("dotnet")
    folder = finish(start_comparison(root, ["renewal"], "--sdk", "dotnet"), root, 600)
    logs = [log for log in read_cells(folder) if isinstance(log, CellLog)]
    chosen = [log for log in logs if log.header.settings["index"] == 0]
    return {log.header.transport: analyse_cell(log) for log in chosen}


@pytest.mark.parametrize("transport", ["mqtt", "mqtt-ws", "amqp", "amqp-ws"])
def test_it_does_what_was_recorded(measured: Mapping[str, CellFindings], transport: str) -> None:
    """Two renewals, as often as both were watched."""
    cell = measured[transport]
    if cell.status == "environment":
        pytest.skip(cell.reason)
    assert (cell.status, cell.version, cell.set_lifetime_s) == ("finished", "1.42.3", LIFETIME_S)
    (file,) = bundled_recordings().glob(f"dotnet-1.42.3-*/dotnet-1.42.3-{transport}-renewal.jsonl")
    found = differences(analyse_cell(read_recorded(file)), cell)
    assert [line for line in found if not line.startswith("renewals in place:")] == []
    assert len(cell.renewals) >= 2
    assert cell.messages.telemetry.lost == 0
