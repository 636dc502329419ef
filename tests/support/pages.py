"""Pages of runs that were built by hand, and logs of hostile devices."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from support.analysis_logs import LogBuilder, early_renewal, header, renews_in_place, stale_token, waits_for_the_cut

from harness.analysis import RunFacts, analyse, chronicles
from harness.events import CellLog, Header
from harness.report.page import html_page
from harness.scenario import find_scenarios

__all__ = ["EVIL", "RECORDED", "RUN", "SCENARIOS", "hostile_log", "page_of_logs", "usual_logs"]

SCENARIOS = find_scenarios()

RUN = RunFacts("20261130T065317Z-a42130", "2026-11-30T06:53:17Z", "", "0.1.0", {"system": "Linux"})
RECORDED = {
    "kind": "recorded", "date": "2026-11-24", "sdk": "dotnet", "version": "1.42.3", "built": "a package", "runtime": ".NET 8", "hub": "a hub",
}  # fmt: skip
EVIL: Sequence[str] = (
    "<script>window.pwned = 1</script>",
    "</script><script>window.pwned = 2</script>",
    "</style><img src=x onerror='window.pwned = 3'>",
    "javascript:window.pwned=4",
    "\"><svg/onload=window.pwned=5><a href='javascript:window.pwned=6'>",
    "'onmouseover='window.pwned=7' x='",
    "]]><![CDATA[<script>window.pwned = 8</script>",
    "<!--<script>",
    "{{ 7 * 191 }}{% raw %}${7*191}",
    "\x1b[31mred\x1b]8;;http://example.invalid\x07link",
    "abc\u202etxt.exe",
    "\u2066\u2028\u2029\ufeff\x00\x08",
)
"""Texts that would do something to a page that took them for more than texts."""


@cache
def usual_logs() -> tuple[CellLog, ...]:
    """A cell each of: early renewals, renewals in place, waiting for the cut (recorded), an expired token, an emulated device."""
    return (
        early_renewal(head=_head("python", "mqtt", settings={"lifetime_s": 130.0})).log(),
        early_renewal(
            170.0, _head("python", "mqtt", "renewal", "-2", settings={"lifetime_s": 170.0, "index": 1})
        ).log(),
        renews_in_place(head=_head("node", "amqp", settings={"lifetime_s": 910.0})).log(),
        waits_for_the_cut(head=_head("dotnet", "mqtt", version="1.42.3", origin=RECORDED)).log(),
        waits_for_the_cut(head=_head("dotnet", "mqtt", device="emulated", version="1.42.3")).log(),
        stale_token(_head("python", "mqtt", "expiry")).log(),
        LogBuilder(_head("java", "mqtt")).end("environment", "Java is not installed (apt-get install)").log(),
    )


def _head(sdk: str, transport: str, scenario: str = "renewal", more: str = "", /, **changes: Any) -> Header:
    evidence = "recorded" if "origin" in changes else changes.get("device", "real")
    name = f"{sdk}-{transport}-{scenario}-{evidence}{more}"
    return header(scenario, cell=name, sdk=sdk, transport=transport, **changes)


def hostile_log(number: int = 0, texts: Sequence[str] = EVIL) -> CellLog:
    """A device that has only such texts to offer: as identities, errors, lines of its log, reasons, properties, names of fields."""
    name = texts[number % len(texts)]
    log = LogBuilder(header(cell=f"{name}-{number}", sdk=name, sdk_name=name, version=name))
    log.hello(name, version=name).connect(60).app("opened", settings={name: name})
    for text in texts:
        log.after(0.1).status(text, text, callback=text).failure("send_failed", text, id=1)
        log.emit("sdk-log", "line", text=f"ERROR {text}").hub("telemetry", message_id=text, properties={text: text})
        log.app("background_exception", error=[{"class": text, "message": text}])
        log.harness("note", text=text).emit("hub", text, **{text: text})
        log.hub("c2d-queued", message_id=text).hub("fault", action=text, at=text)
    log.cut(name, (name,)).connect(60)
    return log.after(3).close().end("finished", name).log()


def page_of_logs(logs: Sequence[CellLog], run: RunFacts = RUN, shortfalls: Sequence[str] = ()) -> str:
    """The page of these logs."""
    rows = analyse(logs)
    files = {log.header.cell: f"cells/{log.header.cell}.jsonl" for log in logs}
    return html_page(run, rows, chronicles(rows, logs, SCENARIOS), files=files, shortfalls=shortfalls)
