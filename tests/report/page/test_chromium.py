"""The page in a real browser: it shows something, obeys its address, runs no script but its own, and can be used by everybody."""

import asyncio
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.analysis_logs import LogBuilder, header
from support.chromium import Browser, Tab, a_browser
from support.pages import EVIL, hostile_log, page_of_logs, usual_logs
from support.plans import a_profile
from support.png import colours

from harness.device.environments import Environments, cache_folder
from harness.profile import AdapterProgram
from harness.report.page import document

pytestmark = [pytest.mark.slow(seconds=60), pytest.mark.browser]

AXE = Path(__file__).parents[2] / "support" / "axe"
INSTALL = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
PUBLISHED = Path(__file__).parents[3] / "results" / "published" / "index.html"
CELL = "#cell=python-mqtt-renewal-real"
SHOWN = "[...document.querySelectorAll('article.cell:not([hidden])')].map((one) => one.id)"
ENTRIES = "[...document.querySelectorAll('table.matrix .e')].filter((one) => one.checkVisibility()).map((one) => one.dataset.sdk)"
TRACE = "document.querySelector('article:not([hidden]) details[data-part=trace]')"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One for all."""
    with a_browser(tmp_path_factory.mktemp("chromium")) as started:
        yield started


@pytest.fixture
def tab(browser: Browser) -> Iterator[Tab]:
    """One for each test; whatever the page does in it, it asks nobody for anything."""
    with browser.tab() as opened:
        opened.media(prefers_color_scheme="light")
        yield opened
        assert opened.requests == []


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of a few cells."""
    return written(tmp_path_factory.mktemp("page"), page_of_logs(usual_logs()))


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with its cells packed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(document, "MOST_BYTES_UNPACKED", 0)
        return written(tmp_path_factory.mktemp("packed"), page_of_logs(usual_logs()))


def written(folder: Path, page: str) -> Path:
    """The page as a file."""
    file = folder / "page.html"
    file.write_text(page, encoding="utf-8")
    return file


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_not_empty(tab: Tab, page: Path, scheme: str) -> None:
    """In both schemes it has its ground, and many other colours on it; nothing is said against it."""
    tab.media(prefers_color_scheme=scheme)
    tab.open(page, CELL)
    tab.until(SHOWN + ".length === 1")
    seen = colours(tab.screenshot(), 3)
    assert len(seen) > 50
    ground = bytes(map(int, re.findall(r"\d+", tab.ask("getComputedStyle(document.body).backgroundColor"))))
    assert ground in seen
    assert (sum(ground) > 600) == (scheme == "light")
    assert tab.problems == []


def test_a_link_leads_to_a_cell(tab: Tab, page: Path) -> None:
    """It alone is shown, under its name, and has the focus."""
    tab.open(page, CELL)
    assert tab.until(SHOWN) == ["cell=python-mqtt-renewal-real"]
    tab.until("document.activeElement.closest('article') !== null")
    assert tab.ask("document.title").startswith("python-mqtt-renewal-real ·")


def test_a_link_to_no_cell_says_so(tab: Tab, page: Path) -> None:
    """In a line that is read out."""
    tab.open(page, "#cell=absent")
    assert tab.until("document.querySelector('[role=status]').textContent") == "There is no cell absent."


def test_a_link_that_is_damaged_says_so(tab: Tab, page: Path) -> None:
    """And nothing of it stays once it is left."""
    tab.open(page, "#cell=%")
    assert tab.until("document.querySelector('[role=status]').textContent") == "There is no cell %."
    tab.press("Escape", 27)
    tab.until("document.querySelector('[role=status]').textContent === ''")


def test_filters_stand_in_the_address(tab: Tab, page: Path) -> None:
    """What is chosen is in it, and what is in it is chosen."""
    tab.open(page)
    tab.ask("(() => { const one = document.querySelector('select[name=sdk]'); one.value = 'node';"
            " one.dispatchEvent(new Event('change', { bubbles: true })); })()")  # fmt: skip
    assert tab.ask("location.hash") == "#sdk=node"
    assert tab.ask(ENTRIES) == ["node"]
    tab.open(page, "#sdk=dotnet&device=recorded")
    assert tab.ask(ENTRIES) == ["dotnet"]
    assert tab.ask("document.querySelector('output').textContent") == "1 of 6 (dotnet, recorded)"
    tab.ask("document.querySelector('button[type=reset]').click()")
    assert len(tab.ask(ENTRIES)) == 6


def test_filters_stay_when_a_cell_is_opened(tab: Tab, page: Path) -> None:
    """Both stand in the address; Escape goes back to the matrix."""
    tab.open(page, "#sdk=python")
    tab.ask("document.querySelector('a.e').click()")
    assert tab.ask("location.hash") == "#sdk=python&cell=python-mqtt-renewal-real"
    tab.until(SHOWN + ".length === 1")
    tab.press("Escape", 27)
    tab.until(SHOWN + ".length === 0")
    assert tab.ask("location.hash") == "#sdk=python"
    assert tab.ask("document.activeElement.className") == "e real"


def test_what_nothing_is_like_is_said(tab: Tab, page: Path) -> None:
    """With the way back; a name that nothing has chooses nothing."""
    tab.open(page, "#sdk=node&device=recorded")
    assert tab.ask("document.querySelector('output').textContent").startswith(
        "0 of 6 (node, recorded): nothing is like that."
    )
    tab.open(page, "#sdk=rust&device=recorded")
    assert tab.ask("document.querySelector('output').textContent") == "Nothing here is called rust. 1 of 6 (recorded)"
    assert tab.ask("document.querySelector('select[name=sdk]').value") == ""


def test_a_part_of_the_page_is_no_filter(tab: Tab, page: Path) -> None:
    """Whoever goes to it keeps what was chosen."""
    tab.open(page, "#sdk=node")
    tab.ask("document.querySelector('a[href=\"#documents\"]').click()")
    tab.until("location.hash === '#documents'")
    assert tab.ask(ENTRIES) == ["node"]


@pytest.mark.parametrize("width", [1280, 380])
def test_what_has_the_focus_is_not_under_the_heads(tab: Tab, width: int) -> None:
    """Whichever way somebody goes through the matrix by the keyboard (WCAG 2.2, 2.4.11)."""
    tab.media(width=width, height=800)
    tab.call("Emulation.setFocusEmulationEnabled", enabled=True)  # else nobody is told of the focus
    tab.open(PUBLISHED)
    hidden = """(async () => {
        const entries = [...document.querySelectorAll('table.matrix a.e')], under = [];
        document.querySelector('#matrix').scrollIntoView();
        for (const one of [...entries.slice(0, 60), ...entries.slice(0, 60).reverse()]) {
            one.focus();
            await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
            const box = one.getBoundingClientRect();
            if (document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)?.closest('th')) under.push(one.hash);
        }
        return under.length;
    })()"""
    assert tab.ask(hidden) == 0


def test_escape_moves_nobody_who_reads_elsewhere(tab: Tab, page: Path) -> None:
    """It closes the cell all the same."""
    tab.open(page, CELL)
    tab.until(SHOWN + ".length === 1")
    tab.ask("(document.querySelector('nav a').focus(), 0)")
    tab.press("Escape", 27)
    tab.until(SHOWN + ".length === 0")
    assert tab.ask("document.activeElement.tagName + document.activeElement.hash") == "A#errors"


def test_marks_are_drawn_where_they_belong(tab: Tab, tmp_path: Path) -> None:
    """Those of every kind: a symbol is around the place that its element names."""
    log = LogBuilder(header(cell="marks")).hello().accept().connect(60)
    log.at(3).emit("sdk-log", "line", text="WARNING low").at(5).status("changed").failure("send_failed", "E")
    log.at(8).hub("fault", at="renewal", action="refuse").refused(60).at(10).cut().at(12).connect(60).at(20).end()
    tab.open(written(tmp_path, page_of_logs([log.log()])), "#cell=marks")
    tab.until(SHOWN + ".length === 1")
    places = tab.ask("""JSON.stringify([...document.querySelectorAll('article svg.pic use')].map((one) => {
        const box = one.getBoundingClientRect(), svg = one.ownerSVGElement;
        const at = new DOMPoint(one.x.baseVal.value, one.y.baseVal.value).matrixTransform(svg.getScreenCTM());
        return [one.parentNode.className.baseVal, at.x - box.x, box.right - at.x, at.y - box.y, box.bottom - at.y, svg.getScreenCTM().a];
    }))""")
    told = {name: sides for name, *sides in json.loads(places)}
    assert {"m-warning", "m-told", "m-exception", "m-fault", "m-refused", "m-error", "m-record"} <= told.keys()
    for name, (*sides, scale) in told.items():
        assert all(-8 * scale <= side <= 8 * scale for side in sides), name


def test_a_trace_is_unpacked_when_it_is_opened(tab: Tab, page: Path) -> None:
    """Every event of it, which can be searched."""
    tab.open(page, CELL)
    tab.until(SHOWN + ".length === 1")
    tab.ask(f"({TRACE}.open = true, 0)")
    tab.until(f"{TRACE}.querySelector('tbody tr') !== null")
    rows = f"[...{TRACE}.querySelectorAll('tbody tr')].filter((one) => one.checkVisibility()).map((one) => one.cells[3].textContent)"
    assert tab.ask(rows)[:5] == ["adapter-started", "hello", "accepted", "tls", "connect"]
    tab.ask(
        f"(() => {{ const one = {TRACE}.querySelector('input'); one.value = 'CONNACK'; one.dispatchEvent(new Event('input')); }})()"
    )
    assert set(tab.ask(rows)) == {"connack"}


def test_packed_cells_are_shown_all_the_same(tab: Tab, packed: Path) -> None:
    """One when it is asked for, all when they are."""
    tab.open(packed, CELL)
    assert tab.until(SHOWN + ".length === 1 && " + SHOWN) == ["cell=python-mqtt-renewal-real"]
    assert "The hub let the device in" in tab.ask("document.querySelector('article').innerText")
    tab.ask("document.querySelector('#unpack').click()")
    tab.until("document.querySelectorAll('article').length === 7 && !document.querySelector('#unpack')")
    assert tab.problems == []


def test_the_browsers_search_finds_cells_that_are_not_shown(tab: Tab, page: Path) -> None:
    """Their text is there; the browser opens one that holds what is looked for."""
    tab.open(page)
    hidden = "document.querySelector('article.cell')"
    assert tab.ask(f"{hidden}.getAttribute('hidden')") == "until-found"
    tab.ask(f"{hidden}.dispatchEvent(new Event('beforematch', {{ bubbles: true }}))")
    assert tab.ask("location.hash") == CELL


def test_without_a_script_everything_but_the_logs_can_be_read(tab: Tab, page: Path) -> None:
    """Every cell stands in the page, and a link leads to it."""
    tab.open(page, CELL, script=False)
    assert tab.ask("[...document.querySelectorAll('article')].every((one) => one.checkVisibility())")
    assert tab.ask("document.querySelector(':target').id") == CELL[1:]
    assert tab.ask("document.querySelector('.filters').checkVisibility()") is False


def test_what_is_printed_has_every_cell(tab: Tab, page: Path) -> None:
    """In a medium without filters."""
    tab.open(page)
    tab.media(media="print")
    assert tab.ask("[...document.querySelectorAll('article')].every((one) => one.offsetHeight > 200)")
    assert tab.ask("document.querySelector('.filters label, .filters button').checkVisibility()") is False
    assert len(re.findall(rb"/Type\s*/Page\b", tab.printed())) > 2


def test_the_whole_matrix_is_on_paper(tab: Tab) -> None:
    """Every entry lies within the sheet, each with its SDK and transport; what is not on paper is said."""
    tab.media(media="print", width=1032)
    tab.open(PUBLISHED)
    lying = "[...document.querySelectorAll('.matrix .e')].filter((one) => one.checkVisibility() && one.getBoundingClientRect().right <= innerWidth)"
    assert tab.ask(f"{lying}.length") == tab.ask("document.querySelectorAll('.matrix .e').length") > 200
    assert tab.ask("document.documentElement.scrollWidth") <= 1032
    label = tab.ask("getComputedStyle(document.querySelector('.matrix .e'), '::before').content")
    assert label.replace('"', "").split() == ["c", "mqtt"]
    assert tab.ask("document.querySelector('.on-paper').checkVisibility()")


def test_words_without_a_blank_widen_nothing(tab: Tab, tmp_path: Path) -> None:
    """Wherever a log may bring them."""
    long = "x" * 20_000
    head = header(cell=long[:200], sdk_name=long, claims=())
    log = (
        LogBuilder(head)
        .connect(60)
        .at(5)
        .harness("note", text=long)
        .failure("send_failed", long)
        .at(9)
        .end(reason=long)
    )
    tab.media(width=1280)
    tab.open(written(tmp_path, page_of_logs([log.log()])))
    tab.ask("document.querySelector('table.matrix a.e').click()")
    tab.until(SHOWN + ".length === 1")
    assert tab.ask("document.documentElement.scrollWidth") <= 1280


def test_a_narrow_window_scrolls_its_tables_and_nothing_else(tab: Tab, page: Path) -> None:
    """The page itself is as wide as the window."""
    tab.media(width=380, height=700)
    tab.open(page, CELL)
    tab.until(SHOWN + ".length === 1")
    assert tab.ask("document.documentElement.scrollWidth") <= 380


@pytest.mark.parametrize("cells_packed", [False, True])
def test_hostile_texts_run_nothing(
    tab: Tab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, cells_packed: bool
) -> None:
    """Not where they stand in the page, nor where the script puts them; and the page stays whole."""
    if cells_packed:
        monkeypatch.setattr(document, "MOST_BYTES_UNPACKED", 0)
    file = written(tmp_path, page_of_logs([hostile_log(number) for number in range(len(EVIL))]))
    tab.open(file)
    count = tab.ask("document.querySelectorAll('table.matrix a.e').length")
    assert count == len(EVIL)
    for number in range(count):
        tab.ask(f"document.querySelectorAll('table.matrix a.e')[{number}].click()")
        tab.until(SHOWN + ".length === 1")
        tab.until(f"document.querySelector('article:not([hidden])').dataset.number === '{number}'")
        tab.ask("document.querySelectorAll('article:not([hidden]) details').forEach((one) => { one.open = true; })")
        tab.until("document.querySelectorAll('article:not([hidden]) details tbody').length === 2")
    for name in json.loads(tab.ask("JSON.stringify([...document.querySelectorAll('select')].map((one) => one.name))")):
        select = f"document.querySelector('select[name={name}]')"
        for option in range(tab.ask(f"{select}.length")):
            tab.ask(
                f"({select}.selectedIndex = {option}, {select}.dispatchEvent(new Event('change', {{ bubbles: true }})))"
            )
    assert tab.ask("window.pwned") is None
    assert tab.ask("document.querySelectorAll('script').length") == 2
    assert tab.ask("document.querySelectorAll('img, iframe, object, embed, a:not([href^=\"#\"])').length") == 0
    assert tab.ask("/[\\u202e\\u2066\\u001b\\u3164]/.test(document.body.innerText)") is False
    assert tab.ask("document.querySelector('#reading').checkVisibility()")
    assert tab.problems == []


@pytest.fixture(scope="module")
def axe() -> str:
    """axe-core, installed below the cache the first time, as an SDK is."""
    program = AdapterProgram(
        ("node", "node_modules/axe-core/axe.min.js"), runtime="node", transports=("mqtt",), install=INSTALL
    )
    made = asyncio.run(
        Environments(cache_folder(os.environ), print).prepare(a_profile("axe", adapter=program, folder=AXE))
    )
    return (made.folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def judged(tab: Tab, axe: str) -> list[str]:
    """What axe-core finds: every rule of WCAG 2.2 AA, and of good practice, that is broken."""
    tab.ask(f"{axe}; 0")
    found: dict[str, Any] = json.loads(
        tab.ask(
            "axe.run().then((found) => JSON.stringify({ violations: found.violations, passes: found.passes.length }))"
        )
    )
    assert found["passes"] > 20
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


@pytest.mark.real_sdk(runtime="node")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 380])
def test_axe_finds_nothing(tab: Tab, page: Path, axe: str, scheme: str, width: int) -> None:
    """With a cell, its trace and its log open."""
    tab.media(prefers_color_scheme=scheme, width=width)
    tab.call("Page.setBypassCSP", enabled=True)
    tab.open(page, CELL)
    tab.until(SHOWN + ".length === 1")
    tab.ask(f"({TRACE}.open = true, 0)")
    tab.until(f"{TRACE}.querySelector('tbody tr') !== null")
    assert judged(tab, axe) == []


@pytest.mark.real_sdk(runtime="node")
@pytest.mark.parametrize("width", [1280, 380])
def test_axe_finds_nothing_on_the_published_page(tab: Tab, axe: str, width: int) -> None:
    """Which has every scenario, and cells that were packed."""
    tab.media(prefers_color_scheme="dark", width=width)
    tab.call("Page.setBypassCSP", enabled=True)
    tab.open(PUBLISHED)
    tab.ask("document.querySelector('table.matrix a.e').click()")
    tab.until(SHOWN + ".length === 1")
    assert judged(tab, axe) == []
