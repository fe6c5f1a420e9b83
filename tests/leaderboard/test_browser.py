"""The Space in a real browser: every page and control, links and "back", keyboard, colours, attacks, time to paint."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest

from tests.leaderboard.fake_snapshot import fake_snapshot
from tests.leaderboard.serving import export, served

pytestmark = pytest.mark.slow

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PAGES = ("overall", "task", "model", "compare", "dataset", "submit", "about")
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    pytest.importorskip("gradio", reason="the Space's tests need gradio")
    api = pytest.importorskip("playwright.sync_api", reason="tests in a browser need playwright")
    if CHROMIUM is None:
        pytest.skip("tests in a browser need chromium")
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def address(browser: Any, snapshot_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(export(tmp_path_factory.mktemp("space"), snapshot_folder)) as url:
        yield url


class Window:
    """A page of the browser that fails the test for errors, dialogs and requests to other hosts."""

    def __init__(self, browser: Any, address: str, **options: Any) -> None:
        self.address = address
        self.context = browser.new_context(viewport=DESK, **options)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on(
            "console", lambda m: m.type in ("error", "warning") and self.complaints.append(f"console: {m.text}")
        )
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("dialog", self._dialog)
        self.page.on("request", self._request)

    def _dialog(self, dialog: Any) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.complaints.append(f"request: {request.url}")

    def open(self, query: str = "") -> Any:
        self.page.goto(f"{self.address}/?{query}" if query else self.address)
        self.ready()
        return self.page

    def ready(self) -> None:
        self.page.wait_for_function(
            "window.ecgBoard && !document.documentElement.classList.contains('eb-waiting')"
            " && document.querySelector('#content h1') && document.title.includes('·')"
        )

    def heading(self, text: str) -> None:
        self.page.wait_for_function("text => document.querySelector('#content h1')?.innerText.includes(text)", arg=text)

    def query(self) -> dict[str, str]:
        return {key: values[0] for key, values in parse_qs(urlparse(self.page.url).query).items()}

    def until_query(self, **wanted: str) -> None:
        end = time.monotonic() + 10
        while self.query() != wanted and time.monotonic() < end:
            self.page.wait_for_timeout(50)
        assert self.query() == wanted


@pytest.fixture
def window(browser: Any, address: str) -> Iterator[Window]:
    opened = Window(browser, address)
    yield opened
    opened.context.close()
    assert opened.complaints == []


def choose(page: Any, control: str, option: str) -> None:
    """An option of a dropdown."""
    page.click(f"#{control} input")
    page.get_by_role("option", name=option, exact=True).click()


def test_each_link_of_the_navigation_leads_to_a_page(window: Window) -> None:
    page = window.open()
    for name in (*PAGES[1:], "overall"):
        page.click(f"#nav-{name}")
        page.wait_for_selector(f"#content .page-{name}")
        window.until_query(show=name) if name not in ("overall",) else None
        assert page.get_attribute(f"#nav-{name}", "aria-current") == "page"
        assert page.locator("nav [aria-current]").count() == 1
        assert page.evaluate("document.activeElement.id") in (f"nav-{name}", "heading")
    assert window.query() == {}


def test_each_filter_changes_the_list_and_the_address(window: Window) -> None:
    page = window.open()
    first = page.inner_text("#content tbody")
    page.get_by_label("Both").click()
    window.until_query(source="both")
    assert page.inner_text("#content tbody") != first
    assert "published" in page.inner_text("#content tbody")
    choose(page, "overall-modes", "linear")
    window.until_query(source="both", modes="linear")
    assert set(page.locator("#content tbody .how").all_inner_texts()) == {"linear"}
    page.get_by_label("Hide").click()
    window.until_query(source="both", modes="linear", contamination="hide")
    assert "hidden" in page.inner_text("#content tbody")
    choose(page, "overall-columns", "cost")
    window.until_query(source="both", modes="linear", contamination="hide", columns="cost")
    assert "Peak memory" in page.inner_text("#content thead")
    page.fill("#overall-q textarea, #overall-q input", "merl")
    window.until_query(source="both", modes="linear", contamination="hide", columns="cost", q="merl")
    assert page.locator("#content tbody tr").count() == 1
    choose(page, "overall-size", "80 M and more")
    window.until_query(source="both", modes="linear", contamination="hide", columns="cost", q="merl", size="large")


def test_the_controls_of_the_other_pages(window: Window) -> None:
    page = window.open("show=task&task=acute_care_0")
    choose(page, "task-modes", "lora")
    window.until_query(show="task", task="acute_care_0", modes="lora")
    assert set(page.locator("#t-scores .how").all_inner_texts()) == {"lora"}
    page.click("#nav-model")
    window.heading("ECG-CPC")
    choose(page, "model-model", "MERL")
    window.heading("MERL")
    assert window.query() == {"show": "model", "model": "merl"}
    page.click("#nav-compare")
    window.heading("against")
    choose(page, "compare-b", "MERL, lora")
    window.heading("against MERL, lora")
    page.get_by_role("link", name="Exchange the two").click()
    window.heading("MERL, lora against")
    assert page.input_value("#compare-a input") == "MERL, lora"
    page.click("#nav-dataset")
    window.heading("PTB-XL")
    choose(page, "dataset-dataset", "MIMIC-IV-ECG")
    window.heading("MIMIC-IV-ECG")


def test_a_link_opens_its_view_and_fills_the_controls(window: Window) -> None:
    page = window.open(
        "source=both&modes=lora&contamination=impute&size=small&columns=scores&q=ecg&sort=skill&order=up"
    )
    assert page.get_by_label("Both").is_checked()
    assert page.get_by_label("Impute").is_checked()
    assert page.input_value("#overall-modes input") == "lora"
    assert page.input_value("#overall-size input") == "below 10 M"
    assert page.input_value("#overall-columns input") == "category scores"
    assert page.input_value("#overall-q textarea, #overall-q input") == "ecg"
    assert page.get_attribute("#t-overall thead th:has(#s-overall-skill)", "aria-sort") == "ascending"


def test_back_and_forward_follow_the_views(window: Window) -> None:
    page = window.open("__theme=light")
    page.get_by_role("link", name="Net1D").first.click()
    window.heading("Net1D")
    page.get_by_role("link", name="Acute care 1").first.click()
    window.heading("Acute care 1")
    page.go_back()
    window.heading("Net1D")
    assert page.input_value("#model-model input") == "Net1D"
    page.go_back()
    window.heading("Leaderboard")
    page.go_forward()
    window.heading("Net1D")
    assert window.query() == {"show": "model", "model": "net1d", "__theme": "light"}, "Gradio's own parameters stay"
    assert page.title().startswith("Net1D · ")


def test_quick_clicks_end_at_the_last_one(window: Window) -> None:
    page = window.open()
    names = "['task', 'model', 'dataset', 'about', 'compare']"
    page.evaluate(names + ".forEach(name => document.querySelector('#nav-' + name).click())")
    page.wait_for_selector("#content .page-compare")
    page.wait_for_timeout(500)
    assert page.locator("#content .page-compare").count() == 1
    assert window.query() == {"show": "compare"}


def test_sorting_keeps_the_focus_and_says_so(window: Window) -> None:
    page = window.open("source=both&modes=all")
    page.focus("#s-overall-parameters")
    page.keyboard.press("Enter")
    window.until_query(source="both", modes="all", sort="parameters", order="up")
    page.wait_for_selector("#t-overall th[aria-sort=ascending]")
    page.wait_for_function("document.activeElement.id === 's-overall-parameters'")
    page.keyboard.press("Enter")
    page.wait_for_selector("#t-overall th[aria-sort=descending]")
    assert page.locator("#t-overall th[aria-sort]").count() == 1
    page.get_by_role("link", name="Show all 50 rows").click()
    page.wait_for_function("document.querySelectorAll('#t-overall tbody tr').length === 50")


def test_the_keyboard_reaches_everything(window: Window) -> None:
    page = window.open()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["x"] >= 0, "visible while it has the focus"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "heading"
    page.evaluate(
        "document.activeElement.blur(); window.scrollTo(0, 0); document.querySelector('#nav-overall').focus()"
    )
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                """() => { const e = document.activeElement, s = getComputedStyle(e);
                const box = e.closest('.block') || e;
                return [e.id || e.closest('[id]')?.id || e.tagName,
                        [s.outlineStyle, s.boxShadow, getComputedStyle(box).boxShadow].some(v => v !== 'none')] }"""
            )
        )
    ids = [name for name, _ in reached]
    for wanted in (
        "nav-about",
        "overall-source",
        "overall-modes",
        "overall-q",
        "save-csv",
        "save-latex",
        "s-overall-skill",
    ):
        assert any(wanted in name for name in ids), (wanted, ids)
    links = [seen for name, seen in reached if name.startswith(("nav-", "s-", "save-"))]
    assert all(links), "the focus can be seen"
    page.focus("#nav-about")
    page.keyboard.press("Enter")
    window.heading("About")


def test_every_control_has_a_name(window: Window) -> None:
    page = window.open()
    for name in PAGES:
        page.click(f"#nav-{name}")
        page.wait_for_selector(f"#content .page-{name}")
        nameless = page.evaluate(
            """() => [...document.querySelectorAll('input, textarea, select, button, a[href]')]
              .filter(e => e.offsetParent && !(e.innerText || '').trim() && !e.labels?.length
                           && !e.getAttribute('aria-label') && !e.getAttribute('aria-labelledby'))
              .map(e => e.outerHTML.slice(0, 120))"""
        )
        assert nameless == []
        assert page.evaluate("document.querySelectorAll('#content table:not(:has(caption))').length") == 0
        assert page.evaluate("document.querySelectorAll('h1').length") == 1
        assert page.evaluate("new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size") == page.evaluate(
            "document.querySelectorAll('[id]:not([id=\"\"])').length + (document.querySelector('[id=\"\"]') ? 1 : 0)"
        )


@pytest.mark.parametrize(("button", "ending"), [("save-csv", "csv"), ("save-latex", "tex")])
def test_downloads_hold_what_is_shown(window: Window, button: str, ending: str) -> None:
    page = window.open("source=both&modes=lora&q=merl")
    with page.expect_download() as waiting:
        page.click(f"#{button}")
    file = waiting.value
    assert file.suggested_filename == f"ecg-bench-overall-overall.{ending}"
    text = Path(file.path()).read_text(encoding="utf-8")
    assert text.count("MERL") == 1
    assert ("mean_rank" if ending == "csv" else r"\toprule") in text


CONTRAST = """() => {
  const parse = c => c.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => { const f = v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
    return .2126 * f(r) + .7152 * f(g) + .0722 * f(b); };
  const ground = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > .99) return c; } return [255, 255, 255]; };
  const bad = [];
  for (const e of document.querySelectorAll('#head *, #content *, .tools *, .downloads *, footer *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.getClientRects().length || e.closest('.unseen, .skip')) continue;
    const style = getComputedStyle(e), svg = e instanceof SVGElement;
    const front = light(parse(svg ? style.fill : style.color)), back = light(ground(e));
    const ratio = (Math.max(front, back) + .05) / (Math.min(front, back) + .05);
    if (ratio < 4.5) bad.push([e.tagName, e.className.baseVal ?? e.className, e.textContent.slice(0, 30), ratio]);
  }
  return bad;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(browser: Any, address: str, scheme: str) -> None:
    window = Window(browser, address, color_scheme=scheme)
    for name in (*PAGES, "nowhere"):
        page = window.open(f"show={name}")
        dark = page.evaluate("document.body.classList.contains('dark')")
        assert dark == (scheme == "dark")
        assert page.evaluate(CONTRAST) == [], name
    window.context.close()
    assert window.complaints == []


def test_a_phone_shows_every_page_without_scrolling_sideways(browser: Any, address: str) -> None:
    window = Window(browser, address)
    window.page.set_viewport_size(PHONE)
    for name in PAGES:
        page = window.open(f"show={name}")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], name
    page = window.open("modes=all")
    frame = page.locator(".frame").first
    before = page.locator("#t-overall tbody th").first.bounding_box()["x"]
    frame.evaluate("e => { e.scrollLeft = 300 }")
    assert page.locator("#t-overall tbody th").first.bounding_box()["x"] == pytest.approx(before, abs=2), "it stays"
    assert page.locator("#t-overall tbody td").first.bounding_box()["x"] < before
    window.context.close()
    assert window.complaints == []


def test_unknown_names_lead_on(window: Window) -> None:
    page = window.open("show=model&model=merll")
    assert page.get_by_role("alert").first.inner_text().startswith("Unknown model")
    assert window.query() == {"show": "model", "model": "merll"}, "the address is not changed behind one's back"
    page.locator("#content").get_by_role("link", name="merl", exact=True).click()
    window.heading("MERL")


def test_attacks_stay_text(browser: Any, hostile_folder: Path, tmp_path: Path) -> None:
    with served(export(tmp_path / "space", hostile_folder)) as address:
        window = Window(browser, address)
        for query in (
            *(f"show={name}" for name in PAGES), "source=both&modes=all&columns=tasks&rows=all", "columns=cost",
            "show=%3Cscript%3Ewindow.pwned=1%3C/script%3E",
            "show=task&task=%22%3E%3Cimg%20src=x%20onerror=window.pwned=1%3E",
            "q=%3Cimg%20src=x%20onerror=window.pwned=1%3E", "q=%24%7Bwindow.pwned=1%7D%7B%7B1%7D%7D",
        ):  # fmt: skip
            page = window.open(query)
            page.wait_for_timeout(100)
            assert page.evaluate("window.pwned") is None, query
            assert page.locator("#content script, #content img, #content iframe, #head script, #head img").count() == 0
            handlers = """() => [...document.querySelectorAll('#content *, #head *')]
                .filter(e => [...e.attributes].some(a => a.name.startsWith('on') ||
                    (/href|src|action/.test(a.name) && !/^(https?:|[?#])/.test(a.value)))).length"""
            assert page.evaluate(handlers) == 0
        assert "alert(1)" in "".join(
            window.open(f"show={n}").inner_text("#content") for n in ("model", "dataset", "about")
        )
        page = window.open("source=both&modes=all")
        page.click("#overall-modes input")
        page.keyboard.press("Escape")
        with page.expect_download() as waiting:
            page.click("#save-csv")
        assert "\n=cmd" not in Path(waiting.value.path()).read_text(encoding="utf-8")
        window.context.close()
        assert window.complaints == []


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More than 10,000 cells."""
    return fake_snapshot(tmp_path_factory.mktemp("large"), n_entries=372, n_targets=20)


def test_ten_thousand_rows_are_painted_within_two_seconds(
    browser: Any, large: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """From the navigation to the table being there; a cold cache each time. Best of five: other work on the machine."""
    import json

    assert len(json.loads((large / "index.json").read_text())["cells"]["value"]) >= 10_000
    took: dict[str, list[tuple[float, float]]] = {}
    with served(export(tmp_path / "space", large)) as address:
        for query in ("", "show=task", "show=model", "show=compare", "source=both&modes=all&columns=tasks&rows=all"):
            for _ in range(5):
                window = Window(browser, address)
                start = time.monotonic()
                page = window.open(query)
                page.wait_for_selector("#content tbody tr", state="visible")
                visible = time.monotonic() - start
                paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000")
                took.setdefault(query, []).append((paint, visible))
                window.context.close()
                assert window.complaints == []
    for query, times in took.items():
        paint, visible = (min(column) for column in zip(*times, strict=True))
        print(f"{query or 'overall':<50} first paint {paint:.2f} s, table visible {visible:.2f} s")
        record_property(query or "overall", f"{paint:.2f} {visible:.2f}")
    assert min(paint for paint, _ in took[""]) < 2
    assert min(visible for _, visible in took[""]) < 2
