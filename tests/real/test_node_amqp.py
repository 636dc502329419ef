"""The real azure-iot-device for Node.js over AMQP, and what connections that end by surprise do to it over every transport.

Three comparisons at once serve every test here; what is awaited longest, Node's 45 s in the dark, sets the pace. All is read from the
logs, and some of it held against what analysis made of them. What is expected was seen before this harness existed, with other tools.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from support.real_runs import (
    Key,
    after,
    classes,
    cut_of,
    finish,
    from_app,
    logs_of,
    of_kind,
    seconds,
    shown,
    start_comparison,
    values,
)

from harness.events import CellLog, Event

pytestmark = [pytest.mark.real_sdk(runtime="node"), pytest.mark.slow(seconds=75)]

AMQP = ("amqp", "amqp-ws")
MQTT = ("mqtt", "mqtt-ws")
ALL = (*MQTT, *AMQP)
QUICK = 904.0
"""A lifetime, in seconds: with the margin that nothing sets, 900 s, a renewal every 4 s."""
BUSY = """
schema = 1
id = "busy-renewal"
title = "Renewals in the middle of more traffic than usual"
credential = "key"
settings = "profile"
traffic = ["sending", "listening"]
[hub]
grace_s = 5.0
[intervals]
send_s = 0.1
c2d_s = 0.25
method_s = 0.25
[end]
after_s = 10.5
limit_s = 12.0
"""
Logs = Mapping[Key, CellLog]
Rows = Mapping[tuple[str, str], Mapping[str, Any]]

over_amqp = pytest.mark.parametrize("transport", AMQP)
over_all = pytest.mark.parametrize("transport", ALL)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Path]:
    """The runs' folders."""
    chosen: list[tuple[list[str], tuple[str, ...]]] = [
        (["expiry-close", "renewal-refused", "renewal"], ("--transport", ",".join(AMQP))),
        (["cut-idle", "cut-sending"], ("--transport", ",".join(ALL))),
        ([BUSY], ("--transport", ",".join(AMQP), "--lifetime", f"{QUICK:g}")),
    ]
    runs = []
    for scenarios, arguments in chosen:
        root = tmp_path_factory.mktemp("run")
        runs.append((start_comparison(root, scenarios, "--sdk", "node", *arguments), root))
    return [finish(run, root, 300) for run, root in runs]


@pytest.fixture(scope="module")
def logs(folders: Sequence[Path]) -> Logs:
    """The logs of all comparisons."""
    found: dict[Key, CellLog] = {}
    for folder in folders:
        found.update(logs_of(folder))
    return found


@pytest.fixture(scope="module")
def rows(folders: Sequence[Path]) -> Rows:
    """What analysis found, by transport and scenario."""
    read = [json.loads((folder / "findings.json").read_text())["rows"] for folder in folders]
    return {(row["transport"], row["scenario"]): row for found in read for row in found}


def renewals(log: CellLog) -> list[Event]:
    """The put-tokens after the first."""
    return of_kind(log, "put-token")[1:]


# Renewal.


@over_amqp
@pytest.mark.parametrize(("lifetime", "every"), [(910.0, 10), (940.0, 40)])
def test_it_renews_900_s_before_expiry(logs: Logs, transport: str, lifetime: float, every: int) -> None:
    """Where nothing sets a margin, whatever the lifetime."""
    log = logs[transport, "renewal", lifetime]
    asked, first, renewed = of_kind(log, "command")[0], of_kind(log, "put-token")[0], renewals(log)[0]
    assert seconds(asked, renewed) > every - 0.5  # its timer starts in between, at the first token's making
    assert seconds(first, renewed) < every + 1


@over_amqp
def test_a_renewal_is_a_token_put_on_the_links_that_are_there(logs: Logs, transport: str) -> None:
    """No detach, no new connection, no disconnect: until the device closes, only tokens come."""
    log = logs[transport, "busy-renewal", QUICK]
    closing = of_kind(log, "command")[-1]
    count = len(renewals(log))
    assert count >= 2
    assert values(of_kind(log, "put-token-answered"), "status") == [200] * (1 + count)
    assert values(of_kind(log, "put-token-answered"), "admitted") == [True, *[False] * count]
    assert len(of_kind(log, "accepted")) == 1
    ends = of_kind(log, "detach", "session-end", "disconnect", "cut", "closed")
    assert ends == after(closing, ends)


@over_amqp
def test_the_hubs_log_shows_nothing_of_a_renewal(logs: Logs, transport: str) -> None:
    """One connect, and one disconnect at the end, both informational."""
    records = [event.fields["record"] for event in of_kind(logs[transport, "busy-renewal", QUICK], "record")]
    named = [(record["operationName"], record["level"]) for record in records if isinstance(record, dict)]
    assert named == [("deviceConnect", "Information"), ("deviceDisconnect", "Information")]


@over_amqp
def test_the_application_sees_nothing_of_a_renewal(logs: Logs, transport: str) -> None:
    """`connect` at the beginning is the only event."""
    assert shown(logs[transport, "busy-renewal", QUICK]) == ["status", "closed"]


@over_amqp
def test_no_message_is_lost_in_a_renewal(logs: Logs, transport: str) -> None:
    """What was sent arrived once, in order, and was accepted."""
    log = logs[transport, "busy-renewal", QUICK]
    arrived = values(of_kind(log, "telemetry"), "message_id")
    assert arrived == [str(number) for number in range(1, len(arrived) + 1)]
    assert len(arrived) >= 60
    assert values(from_app(log, "sent"), "id") == [int(str(number)) for number in arrived]
    assert set(values(of_kind(log, "disposition"), "state")) == {"accepted"}


@over_amqp
def test_what_the_cloud_wants_during_renewals_is_answered(logs: Logs, transport: str) -> None:
    """Every C2D message is completed, every direct method answered, in the order of their coming."""
    log = logs[transport, "busy-renewal", QUICK]
    queued, called = of_kind(log, "c2d-queued"), of_kind(log, "method-called")
    assert len(queued) >= 35
    assert values(of_kind(log, "c2d-acknowledged"), "message_id") == values(queued, "message_id")
    assert values(of_kind(log, "method-answered"), "request_id") == values(called, "request_id")
    assert of_kind(log, "c2d-returned", "method-failed") == []


# Expiry.


@over_amqp
def test_at_expiry_a_closed_connection_leaves_it_in_the_dark_for_45_s(logs: Logs, transport: str) -> None:
    """No event, no attempt; then a `disconnect`, and every message of that time has failed at once."""
    log = logs[transport, "expiry-close", None]
    cut = cut_of(log)
    assert cut.fields["close"] == "close"
    seen = after(cut, from_app(log, "status", "sent", "send_failed", "background_exception"))
    assert seconds(cut, seen[0]) == pytest.approx(45, abs=1)
    assert seconds(cut, after(cut, of_kind(log, "accepted"))[0]) >= 44
    disconnect = next(event for event in seen if event.kind == "status")
    assert (disconnect.fields["status"], classes(disconnect)[0]) == ("disconnect", "UnauthorizedError")
    failed = [event for event in seen if event.kind == "send_failed" and seconds(seen[0], event) < 0.9]
    assert len(failed) >= 40
    assert {classes(event)[0] for event in failed} == {"UnauthorizedError"}


# A refused renewal.


@over_amqp
def test_a_refused_renewal_ends_the_connection(logs: Logs, transport: str) -> None:
    """The device leaves by itself, the application is told, and the next message brings it back with a new token."""
    log = logs[transport, "renewal-refused", 910.0]
    refused = next(event for event in of_kind(log, "put-token-answered") if event.fields["status"] == 401)
    assert after(refused, of_kind(log, "disconnect"))
    told = after(refused, from_app(log, "status"))
    assert [event.fields["status"] for event in told[:2]] == ["disconnect", "connect"]
    assert classes(told[0])[0] == "UnauthorizedError"
    again = after(refused, of_kind(log, "put-token-answered"))
    assert (again[0].fields["status"], again[0].fields["admitted"]) == (200, True)


@over_amqp
def test_c2d_stays_dead_after_a_refused_renewal(logs: Logs, transport: str) -> None:
    """Telemetry flows again, and nobody attaches the C2D link: what is queued from then on waits for ever."""
    log = logs[transport, "renewal-refused", 910.0]
    *_, back = [event for event in of_kind(log, "put-token-answered") if event.fields["admitted"]]
    attached = [event for event in of_kind(log, "attach") if str(event.fields["address"]).endswith("/devicebound")]
    c2d = [event for event in attached if "/messages/" in str(event.fields["address"])]
    assert len(c2d) == 1
    assert seconds(c2d[0], back) > 5
    assert len(after(back, of_kind(log, "c2d-queued"))) >= 3
    assert after(back, of_kind(log, "c2d-sent")) == []
    assert len(after(back, of_kind(log, "telemetry"))) >= 5


# A connection that is cut.


@over_all
def test_an_idle_application_stays_offline_without_knowing_it(logs: Logs, transport: str) -> None:
    """After the FIN there is no event and no attempt, though its token would do."""
    log = logs[transport, "cut-idle", None]
    assert after(cut_of(log), of_kind(log, "accepted")) == []
    assert shown(log) == ["status", "closed"]


@over_all
def test_a_sending_one_is_back_with_its_next_message(logs: Logs, transport: str) -> None:
    """Not before it, and nothing fails."""
    log = logs[transport, "cut-sending", None]
    cut = cut_of(log)
    (back,) = after(cut, of_kind(log, "accepted"))
    sends = [event for event in of_kind(log, "command") if event.fields["cmd"] == "send"]
    assert 0 <= seconds(after(cut, sends)[0], back) < 0.5
    assert from_app(log, "send_failed") == []
    assert "disconnect" not in values(from_app(log, "status"), "status")


# What analysis makes of it.


@pytest.mark.parametrize(
    ("transports", "scenario", "kind", "observed"),
    [
        (AMQP, "renewal", "renewal-action", "in-band"),
        (AMQP, "renewal", "renewal-point-configurable", "configurable"),
        (AMQP, "renewal", "app-signature", "nothing"),
        (AMQP, "expiry-close", "unaware", r"45(\.[0-4])? s"),  # a busy machine is late
        (AMQP, "renewal-refused", "c2d-after-return", "dead"),
        (MQTT, "cut-idle", "return", "none"),
        (MQTT, "cut-sending", "return", "next-send"),
    ],
)
def test_the_findings_say_so(rows: Rows, transports: Sequence[str], scenario: str, kind: str, observed: str) -> None:
    """And confirm the profile's claim."""
    for transport in transports:
        (verdict,) = [one for one in rows[transport, scenario]["verdicts"] if one["kind"] == kind]
        assert re.fullmatch(observed, verdict["observed"]), verdict["observed"]
        assert verdict["verdict"] == "confirmed"


@over_amqp
def test_the_margin_of_900_s_is_found(rows: Rows, transport: str) -> None:
    """As the law of two lifetimes at which nothing set it."""
    fit = rows[transport, "renewal"]["law"]["fit"]
    assert fit["law"] == "margin"
    assert fit["low"] <= 900 <= fit["high"]


def test_no_exception_was_left_uncaught(logs: Logs) -> None:
    """Nothing that would have ended an application."""
    assert [event for log in logs.values() for event in of_kind(log, "background_exception")] == []
