"""The site as a reader sees it: every page from the disk in a real browser, without a network."""

import importlib.util
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.charts.site import build_site

EXAMPLES = Path(__file__).parents[1] / "unit" / "charts" / "example_frames.py"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DRAWN = "[...document.querySelectorAll('figure[data-chart]')].every(figure => figure.dataset.ready)"
SCREENS = [(1280, "light"), (1280, "dark"), (360, "light"), (360, "dark")]
pytestmark = pytest.mark.slow


def example_frames():
    module = importlib.util.module_from_spec(spec := importlib.util.spec_from_file_location("example_frames", EXAMPLES))
    spec.loader.exec_module(module)
    return module.example_frames()


@pytest.fixture(scope="module")
def site_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser") / "site"
    build_site(example_frames(), folder, code_version="0.1.0", as_built=datetime(2026, 10, 1, 6, tzinfo=UTC))
    return folder


@pytest.fixture(scope="module")
def chromium():
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        reason = "no Chromium in PATH: the pages were not opened"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


class Reader:
    """One browser page that writes down everything that goes wrong."""

    def __init__(self, browser, folder, *, width=1280, scheme="light"):
        self.folder = folder
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True, reduced_motion="reduce"
        )
        self.page = self.context.new_page()
        self.faults = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(f"page error: {error}"))
        self.page.on("requestfailed", lambda request: self.faults.append(f"failed: {request.url}"))
        self.page.on("request", self._request)

    def _console(self, message):
        if message.type in {"error", "warning"}:
            self.faults.append(f"{message.type}: {message.text}")

    def _request(self, request):
        if not request.url.startswith(("file://", "data:")):
            self.faults.append(f"request: {request.url}")

    def open(self, name, choices=""):
        self.page.goto(f"{(self.folder / name).as_uri()}{choices}")
        self.page.wait_for_function(DRAWN)
        return self.page

    def close(self):
        self.context.close()
        assert self.faults == []


@pytest.fixture
def reader(chromium, site_folder):
    opened = Reader(chromium, site_folder)
    yield opened
    opened.close()


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_every_page_opens_without_a_fault(chromium, site_folder, width, scheme):
    reader = Reader(chromium, site_folder, width=width, scheme=scheme)
    for path in sorted(site_folder.glob("*.html")):
        page = reader.open(path.name)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path.name} scrolls sideways"
        for figure in page.query_selector_all("figure[data-chart]"):
            assert figure.query_selector(".view svg"), f"{path.name}: nothing drawn"
            assert figure.get_attribute("data-ready") == scheme
    reader.close()


def test_a_click_on_the_legend_fades_the_others(reader):
    page = reader.open("accelerators.html")
    view = page.locator("#shipments .view svg")
    before = view.inner_html()
    view.get_by_text("Google", exact=True).click(force=True)  # its text takes no clicks, its entry does
    page.wait_for_function("document.querySelector('#shipments select').value === 'Google'")
    assert view.inner_html() != before
    assert "shipments=Google" in page.url


def test_the_menu_selects_what_the_legend_does(reader):
    page = reader.open("frontier.html")
    view = page.locator("#frontier_eci .view svg")
    before = view.inner_html()
    page.locator("#frontier_eci .controls select").select_option("o1")
    assert view.inner_html() != before
    page.locator("#frontier_eci .controls select").select_option("")
    assert "frontier_eci" not in page.url


def test_an_address_restores_theme_and_choice(reader):
    page = reader.open("frontier.html", "#theme=dark&frontier_eci=GPT-4")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert page.locator("#frontier_eci .controls select").input_value() == "GPT-4"


def test_hovering_a_price_names_model_provider_date_and_source(reader):
    page = reader.open("frontier.html")
    mark = page.locator("#frontier_eci .view svg .mark-symbol.role-mark path").last
    mark.scroll_into_view_if_needed()
    mark.hover(force=True)
    tooltip = page.locator("#vg-tooltip-element.visible")
    tooltip.wait_for()
    text = tooltip.inner_text()
    for word in ("AI model", "example-gpt", "Provider", "Date", "202", "Source"):
        assert word in text


def test_the_button_switches_the_look_and_remembers_it(reader):
    page = reader.open("index.html")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.click("#theme")
    page.wait_for_function("[...document.querySelectorAll('figure')].every(figure => figure.dataset.ready === 'dark')")
    assert page.evaluate(paper) != light
    assert "background-color: rgb(20, 24, 31)" in page.locator("#headline .view svg").first.get_attribute("style")
    assert "theme=dark" in page.url


def test_the_meter_menu_moves_the_prices(reader):
    page = reader.open("prices.html")
    view = page.locator("#list_prices .view svg")
    before = view.inner_html()
    page.locator("#list_prices select[name=meter]").select_option("output_usd_per_mtok")
    page.wait_for_function("location.hash.includes('list_prices.meter=output_usd_per_mtok')")
    assert view.inner_html() != before


def test_the_keyboard_reaches_content_and_controls(reader):
    page = reader.open("index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    seen = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.tagName"))
    assert {"A", "BUTTON", "SUMMARY", "DIV"} <= seen


def test_without_scripts_a_picture_stands_in(chromium, site_folder):
    context = chromium.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto((site_folder / "index.html").as_uri())
    picture = page.locator("#headline noscript img")
    assert picture.get_attribute("src") == "charts/headline.png"
    assert "GPT-4" in picture.get_attribute("alt")
    context.close()
