"""Real SDKs when the hub restarts, or the network is gone: the bundled scenarios with shorter times, all cells side by side.

What is expected was seen with the bundled scenarios too.
"""

import json
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from support.real_runs import classes, finish, from_app, of_kind, seconds, start_comparison, values

from harness.events import CellLog, Event
from harness.runfolder import read_cells

pytestmark = [pytest.mark.matrix, pytest.mark.slow(seconds=40)]

Key = tuple[str, str, str]
"""SDK, transport, scenario."""
Logs = Mapping[Key, CellLog]
Rows = Mapping[Key, Mapping[str, Any]]
CELLS = (("python", "mqtt"), ("node", "mqtt"), ("node", "amqp"), ("java", "mqtt"), ("java", "amqp"), ("c", "mqtt"), ("c", "amqp"))  # fmt: skip
OUTAGE_S = {"hub-restart": 6.0, "hub-restart-idle": 6.0, "network-drop-unreachable": 9.0}


def over(*sdks: str) -> pytest.MarkDecorator:
    """One test for each of these SDKs, or all, over each of its transports."""
    return pytest.mark.parametrize(
        ("sdk", "transport"),
        [
            pytest.param(sdk, transport, marks=pytest.mark.real_sdk(runtime=sdk))
            for sdk, transport in CELLS
            if sdk in (sdks or sdk)
        ],
    )


def shortened(name: str) -> str:
    """A bundled scenario, its fault at 7 s and its end 14 s after it."""
    text = (resources.files("harness") / "scenarios" / f"{name}.toml").read_text(encoding="utf-8")
    for old, new in (("_s = 21.0", "_s = 15.0"), ("after_s = 20.0", "after_s = 14.0"), (f'id = "{name}"', f'id = "short-{name}"')):  # fmt: skip
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Path]:
    """The runs' folders."""
    chosen = [
        (("hub-restart", "network-drop-unreachable"), "python,node,java,c"),
        (("hub-restart-idle",), "python,node"),
    ]
    runs = []
    for names, sdks in chosen:
        root = tmp_path_factory.mktemp("run")
        scenarios = [shortened(name) for name in names]
        runs.append((start_comparison(root, scenarios, "--sdk", sdks, "--transport", "mqtt,amqp"), root))
    return [finish(run, root, 300) for run, root in runs]


@pytest.fixture(scope="module")
def logs(folders: Sequence[Path]) -> Logs:
    """The logs of both comparisons."""
    read = [log for folder in folders for log in read_cells(folder) if isinstance(log, CellLog)]
    return {
        (log.header.sdk, log.header.transport, str(log.header.scenario["id"]).removeprefix("short-")): log
        for log in read
    }


@pytest.fixture(scope="module")
def rows(folders: Sequence[Path]) -> Rows:
    """What analysis found."""
    read = [json.loads((folder / "findings.json").read_text())["rows"] for folder in folders]
    return {
        (row["sdk"], row["transport"], row["scenario"].removeprefix("short-")): row for found in read for row in found
    }


def began(log: CellLog) -> Event:
    """The moment in which everything fails."""
    (event,) = of_kind(log, "outage-began")
    return event


def failed_attempts(log: CellLog, status: str) -> list[float]:
    """When the application was told of `status`, in seconds since the outage began."""
    return [seconds(began(log), event) for event in from_app(log, "status") if event.fields["status"] == status and event.t > began(log).t]  # fmt: skip


@over()
@pytest.mark.parametrize("scenario", ["hub-restart", "network-drop-unreachable"])
def test_every_sdk_comes_back_and_loses_nothing(
    logs: Logs, rows: Rows, sdk: str, transport: str, scenario: str
) -> None:
    """Not before the hub can be reached again; what the hub had acknowledged is with it, and the application was told of the rest."""
    log, row = logs[sdk, transport, scenario], rows[sdk, transport, scenario]
    (ended,) = of_kind(log, "outage-ended")
    assert seconds(began(log), ended) == pytest.approx(OUTAGE_S[scenario], abs=0.5)
    assert [event for event in of_kind(log, "accepted") if began(log).t < event.t < ended.t] == []
    assert row["gap_ms"][0] / 1e3 > OUTAGE_S[scenario] - 0.01
    assert (row["lost"], row["hub_log"]) == (0, ["404104", "connect"])


@over("python")
def test_python_fails_each_message_that_finds_no_hub(logs: Logs, sdk: str, transport: str) -> None:
    """And tells what the socket said: refused at once, or no answer within five seconds."""
    refused, silent = logs[sdk, transport, "hub-restart"], logs[sdk, transport, "network-drop-unreachable"]
    first = from_app(refused, "send_failed")[0]
    assert classes(first)[-1] == "ConnectionRefusedError"
    failures = from_app(silent, "background_exception", "send_failed")[1:]
    assert classes(failures[0])[-1] == "TimeoutError"
    assert seconds(began(silent), failures[0]) == pytest.approx(5.0, abs=0.5)


@over("python")
def test_python_tries_again_after_ten_seconds(logs: Logs, sdk: str, transport: str) -> None:
    """Where no message makes it try earlier."""
    log = logs[sdk, transport, "hub-restart-idle"]
    assert seconds(began(log), of_kind(log, "accepted")[1]) == pytest.approx(10.0, abs=0.5)


@over("node")
def test_node_does_not_come_back_from_a_restart_while_it_is_idle(logs: Logs, sdk: str, transport: str) -> None:
    """And tells nobody."""
    log = logs[sdk, transport, "hub-restart-idle"]
    assert len(of_kind(log, "accepted")) == 1
    assert [event.kind for event in from_app(log, "status", "background_exception") if event.t > began(log).t and event.fields.get("status") != "disconnect"] == []  # fmt: skip


@over("node")
def test_node_keeps_messages_until_the_hub_is_back(logs: Logs, sdk: str, transport: str) -> None:
    """It goes on trying once a message has made it try, and fails none."""
    log = logs[sdk, transport, "hub-restart"]
    assert from_app(log, "send_failed") == []
    assert values(from_app(log, "status")[1:2], "status") == ["connect"]


@over("java")
def test_java_tells_of_the_drop_once_and_of_its_return(logs: Logs, sdk: str, transport: str) -> None:
    """Not of the attempts between."""
    for scenario in ("hub-restart", "network-drop-unreachable"):
        log = logs[sdk, transport, scenario]
        told = [event.fields["status"] for event in from_app(log, "status") if event.t > began(log).t]
        assert told[:2] == ["DISCONNECTED_RETRYING", "CONNECTED"]


@over("c")
def test_c_tells_of_every_attempt(logs: Logs, sdk: str, transport: str) -> None:
    """A refused one takes no time; one without an answer is given up after ten seconds, and the next finds the hub."""
    refused = failed_attempts(logs[sdk, transport, "hub-restart"], "UNAUTHENTICATED")
    assert len([at for at in refused if at < OUTAGE_S["hub-restart"]]) > 2
    silent = failed_attempts(logs[sdk, transport, "network-drop-unreachable"], "UNAUTHENTICATED")
    assert silent[:2] == [pytest.approx(0.0, abs=0.3), pytest.approx(10.0, abs=0.5)]
