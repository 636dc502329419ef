"""No key and no signature reaches a file: looked for in every file of a run, in every form in which a text can hold it."""

import asyncio
import base64
import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from support.plans import a_cell, a_profile, a_scenario, program

import harness.run.cell
from harness.cli.results import derive, keep
from harness.clock import RealClock
from harness.redaction import Redactor
from harness.run.executor import run_cells
from harness.run.opening import make_own_token, open_command
from harness.run.stage import open_staging
from harness.runfolder import RunFolder, RunRecord
from harness.scenario import End, Scenario

pytestmark = pytest.mark.slow

SHORT = a_scenario(end=End(renewals=1, after_s=0.3, limit_s=5.0))
TOKEN = a_scenario("expiry", token_lifetime_s=2.0, end=End(after_s=0.5, limit_s=5.0))
CERTIFICATE = a_scenario("x509-thumbprint", end=End(after_s=0.5, limit_s=5.0))
SUPPLIED = a_scenario("own-token-renewed", token_lifetime_s=1.0, end=End(renewals=1, after_s=1.0, limit_s=3.0))


def refused(name: str) -> Scenario:
    """A scenario in which the device is refused, for no longer than it takes."""
    return a_scenario(name, end=End(first_refusals=1, after_s=0.3, limit_s=5.0))


def forms(secret: str) -> Iterator[str]:
    """How `secret` can stand in a longer text; made here anew, so that a mistake of the redaction is not made twice."""
    yield from (
        secret,
        quote(secret, safe=""),
        quote(secret, safe="").lower(),
        secret.encode().hex(),
        secret.encode().hex().upper(),
    )
    yield from (
        secret.rstrip("="),
        secret.replace("+", "-").replace("/", "_"),
        secret.replace("+", "\\\\u002B").replace("/", "\\\\/"),
    )
    with contextlib.suppress(ValueError):
        yield base64.b64decode(secret, validate=True).hex()
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + secret.encode() + b"\0\0\0").decode()
        yield encoded[before + 1 : (before + len(secret)) * 4 // 3 - 1]


def test_no_secret_is_in_any_file_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even when a device program shouts its connection string. The secrets are those that the hub and the devices were given."""
    secrets: set[str] = set()

    class Listening(Redactor):
        def add(self, secret: str) -> None:
            secrets.add(secret)
            super().add(secret)

    def seen_by_the_device(*arguments: Any) -> Any:
        command, signatures = open_command(*arguments)
        if "key_pem" in command:  # each line, without those that every key begins and ends with
            secrets.update(line for line in str(command["key_pem"]).splitlines() if "-----" not in line)
        found = re.findall(r"(?:SharedAccessKey|sig)=([^;&]+)", str(command["connection_string"]))
        secrets.update(form for secret in found for form in (secret, unquote(secret)))
        return command, signatures

    def supplied(*arguments: Any) -> Any:
        token, signatures = make_own_token(*arguments)
        found = re.findall(r"sig=([^;&]+)", token)
        secrets.update(form for secret in found for form in (secret, unquote(secret)))
        return token, signatures

    monkeypatch.setattr(harness.run.cell, "Redactor", Listening)
    monkeypatch.setattr(harness.run.cell, "make_own_token", supplied)
    monkeypatch.setattr(harness.run.cell, "open_command", seen_by_the_device)
    leaky = a_profile("leaky", adapter=program("{python}", "leaks_secrets.py"))
    cells = [
        a_cell(scenario=SHORT, id="renewing", awaited_renewals=1),
        a_cell(scenario=SHORT, id="renewing-ws", transport="mqtt-ws", awaited_renewals=1),
        a_cell(scenario=TOKEN, id="with-a-token"),
        a_cell(scenario=SUPPLIED, id="with-tokens", awaited_renewals=1),
        a_cell(scenario=refused("rule-not-allowed"), id="with-a-policys-token"),
        a_cell(scenario=refused("malformed-token"), id="with-a-spoilt-token"),
        a_cell(scenario=refused("wrong-key"), id="with-another-key"),
        a_cell(leaky, SHORT, id="leaking-a-key"),
        a_cell(leaky, SUPPLIED, id="leaking-tokens"),
        a_cell(leaky, TOKEN, id="leaking-a-token"),
        a_cell(scenario=CERTIFICATE, id="with-a-certificate", transport="mqtt-ws"),
        a_cell(leaky, CERTIFICATE, id="leaking-a-private-key"),
    ]
    record = RunRecord(format=1, run="r", started="", status="running", cells=tuple(cell.id for cell in cells))
    folder = RunFolder.create(tmp_path, record)

    async def measure() -> None:
        clock = RealClock()
        async with open_staging(clock, 1) as staging:
            await run_cells(cells, folder, staging, clock, jobs=9, on_end=lambda _: None)

    asyncio.run(measure())
    keep(derive(folder.path), folder.path)
    assert len(secrets) >= 2 * 7, "two keys' worth of nothing would prove nothing"
    texts = {path: path.read_text() for path in folder.path.rglob("*") if path.is_file()}
    found = {
        (path.name, form)
        for path, text in texts.items()
        for secret in secrets
        for form in forms(secret)
        if form in text
    }
    assert not found
    assert any("leak" in path.name and "noise" in text for path, text in texts.items()), "the leaks were tried"
    assert all(
        "token-supplied" in texts[folder.path / "cells" / f"{name}.jsonl"] for name in ("with-tokens", "leaking-tokens")
    )
