"""The page as a file: what is in it, and that nothing in it can be taken for more than text."""

import base64
import hashlib
import json
import re
import zlib
from html.parser import HTMLParser
from typing import Any

import pytest
from support.analysis_logs import LogBuilder, header
from support.pages import EVIL, RUN, SCENARIOS, hostile_log, page_of_logs, usual_logs

from harness.analysis import RunFacts, analyse, chronicles
from harness.report.page import document, html_page
from harness.report.page.visible import visible


@pytest.fixture(scope="module")
def page() -> str:
    """The page of a few cells of every kind."""
    return page_of_logs(usual_logs())


class Elements(HTMLParser):
    """Every element with its attributes, and every text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One element."""
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """One text."""
        self.texts.append(data)

    def values(self, attribute: str) -> list[str]:
        """The values of an attribute, wherever it stands."""
        return [value for _, attributes in self.found if (value := attributes.get(attribute)) is not None]


def index(page: str) -> dict[str, Any]:
    """What the script reads."""
    found = re.search(r'<script type="application/json" id="index">(.*?)</script>', page)
    assert found
    read: dict[str, Any] = json.loads(found[1])
    return read


def unpacked(packed: str) -> Any:
    """What was packed."""
    return json.loads(zlib.decompress(base64.b64decode(packed), -zlib.MAX_WBITS))


def test_the_policy_allows_the_pages_own_script_and_style_alone(page: str) -> None:
    """By their hashes; nothing may be loaded."""
    policy = next(value for value in Elements(page).values("content") if "default-src" in value)
    assert policy.startswith("default-src 'none';")
    for tag in ("style", "script"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}';" in policy
    assert "unsafe" not in policy


def test_nothing_is_outside_the_file(page: str) -> None:
    """Every link leads to a part of the page."""
    elements = Elements(page)
    assert {value[0] for name in ("href", "src") for value in elements.values(name)} == {"#", "d"}
    assert [value for value in elements.values("href") if value.startswith("d")] == ["data:,"]
    assert not [
        name for _, attributes in elements.found for name in attributes if name == "style" or name.startswith("on")
    ]


def test_links_lead_to_what_is_there(page: str) -> None:
    """Cells by their names, parts by theirs; and a name stands once."""
    elements = Elements(page)
    names = elements.values("id")
    assert sorted(set(names)) == sorted(names)
    assert [value for value in elements.values("href") if value[0] == "#" and value[1:] not in names] == []
    assert "#cell=python-mqtt-renewal-real" in elements.values("href")


def test_everything_has_its_place(page: str) -> None:
    """Errors a day, advice, matrix, stories, pictures, commands, claims, provenance."""
    text = " ".join(Elements(page).texts)
    for part in (
        "errors a day",
        "A device that is refused and does not come back",
        "20261130T065317Z-a42130",
        "The hub let the device in, by its CONNECT",
        "harness compare --sdk python@1.0 --transport mqtt --scenario renewal --device real --lifetime 130",
        "recorded 2026-11-24: measured on another machine",
        "Java is not installed",
        "cells/node-amqp-renewal-real.jsonl",
        "documents silent",
        "s: 3 tokens, 3 stays at the hub",
    ):
        assert part in text


def test_the_logs_are_packed_in_the_order_of_the_cells(page: str) -> None:
    """Trace and the SDK's lines, with nothing but letters of base64 around them."""
    read = index(page)
    names = unpacked(read["names"])
    assert names[0] == "python-mqtt-renewal-real"
    traces, logs = (unpacked(read[part][0]) for part in ("trace", "log"))
    assert len(traces) == len(logs) == len(names)
    assert [row[2] for row in traces[0]["rows"]][:4] == ["adapter-started", "hello", "accepted", "tls"]
    assert read["html"] == []


def test_many_cells_are_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then their bodies stand with their logs, and the page says so."""
    monkeypatch.setattr(document, "MOST_BYTES_UNPACKED", 1000)
    page = page_of_logs(usual_logs())
    assert "<article" not in page
    assert "7 cells are packed" in page
    assert 'id="cell=python-mqtt-renewal-real"' in unpacked(index(page)["html"][0])[0]


def test_hostile_texts_stay_texts() -> None:
    """Whatever they hold, the page has the elements of a harmless one."""
    harmless = page_of_logs([hostile_log(n, ["ok"] * len(EVIL)) for n in range(2)])
    hostile = page_of_logs(
        [hostile_log(n) for n in (0, 4, 10)], RunFacts(EVIL[0], EVIL[1], "", EVIL[2], {EVIL[3]: EVIL[4]})
    )
    elements = Elements(hostile)
    assert {tag for tag, _ in elements.found} <= {tag for tag, _ in Elements(harmless).found}
    assert not [name for _, attributes in elements.found for name in attributes if name.startswith("on")]
    assert len(re.findall(r"<script\b", hostile)) == len(re.findall(r"</script>", hostile)) == 2
    assert {value[:1] for value in elements.values("href")} == {"#", "d"}
    assert "1337" not in hostile


def test_what_cannot_be_seen_is_shown_by_its_number() -> None:
    """Controls, and what turns the direction of a text; line breaks stay."""
    assert visible("a\x1b\u202e\x00\ufeff\ud800b\n\tc") == "a⟨U+001B⟩⟨U+202E⟩⟨U+0000⟩⟨U+FEFF⟩⟨U+D800⟩b\n\tc"
    assert visible("é ä 漢 🙂") == "é ä 漢 🙂"
    assert not set("\u202e\x1b\x00\u2066") & set(page_of_logs([hostile_log()]))


def test_what_is_missing_of_a_run_is_said() -> None:
    """At the top."""
    page = page_of_logs(usual_logs(), RUN, ["3 of the 9 planned cells never began."])
    assert page.index("3 of the 9 planned cells never began.") < page.index("<main>")


def test_a_cell_cut_short_is_marked() -> None:
    """It is told as far as it goes."""
    page = page_of_logs([LogBuilder(header(cell="one")).connect(60).log()])
    assert '<span class="ev bad">incomplete</span>' in page


def test_a_run_without_cells() -> None:
    """There is a page all the same."""
    assert "Nothing was observed that a number of errors could be made of." in page_of_logs([])


def test_what_is_left_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """And where it is missing."""
    monkeypatch.setattr("harness.analysis.chronicle.MOST_EVENTS", 10)
    monkeypatch.setattr("harness.analysis.chronicle.FEWEST_EVENTS", 10)
    page = page_of_logs(usual_logs())
    assert "what lies in the middle, quiet" in page
    first = unpacked(index(page)["trace"][0])[0]
    assert (len(first["rows"]), sum(first["gaps"].values())) == (10, 61)


def test_the_same_logs_make_the_same_page(page: str) -> None:
    """Byte for byte."""
    assert page_of_logs(usual_logs()) == page


def test_logs_are_linked_where_they_are_seen_from_the_page() -> None:
    """Elsewhere they are only named."""
    logs = usual_logs()[:1]
    rows = analyse(logs)
    files = {logs[0].header.cell: "cells/one.jsonl"}
    pages = [
        html_page(RUN, rows, chronicles(rows, logs, SCENARIOS), files=files, linked=linked) for linked in (True, False)
    ]
    assert ['<a href="cells/one.jsonl">' in page for page in pages] == [True, False]
