"""The start page: who gets it, what it says, and for whom it can be read."""

import json
import re
from types import SimpleNamespace
from urllib.request import urlopen

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsers import chromium
from lab import copy_of_the_course, lab

from course_lib.classroom import exercises
from course_lib.classroom.start import _load_jupyter_server_extension

BANK = {number: exercises.chapter(number) for number in exercises.chapters()}  # what the notebooks were made from
WORTH = {number: sum(exercise.points for exercise in declared) for number, declared in BANK.items()}
TOTAL = f"{len(BANK)} · points: {{}} of {sum(WORTH.values())}"
TASKS = f"Exercises of chapter 02: {{}} of {len(BANK['02'])} solved, {{}} of {WORTH['02']} points"
SHOWN_AGAIN = (
    "document.dispatchEvent(new Event('visibilitychange'))",
    "dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))",
)
WIDE = {"width": 1000, "height": 900}
READ_02 = {"format": 1, "read": ["01", "02"], "points": {"02.soft_threshold": 3, "02.lambda_max": 1}, "hints": {}}


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = copy_of_the_course(tmp_path_factory.mktemp("course"))
    with lab(folder, "--ServerApp.base_url=/user/ada/") as server:
        server.progress = folder / "progress.json"
        yield server


@pytest.fixture
def visit(browser, server):
    """``visit(progress, **options)``: the start page of somebody who has done that, and no earlier visitor's login."""
    opened = []

    def visit(progress=None, **options):
        server.progress.unlink(missing_ok=True)
        if progress is not None:
            server.progress.write_text(progress if isinstance(progress, str) else json.dumps(progress))
        opened.append(browser.new_context(**{"viewport": WIDE} | options))
        page = opened[-1].new_page()
        page.said, page.asked = [], []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(server.address)
        return page

    yield visit
    for context in opened:
        context.close()


def chapter(page, number):
    """The words of a chapter's part of the page."""
    return " ".join(page.locator("li", has_text=number).text_content().split())


def test_nobody_gets_it_without_the_token(server):
    assert urlopen(f"{server.base}course").url == f"{server.base}login?next=%2Fuser%2Fada%2Fcourse"


def test_on_the_first_day_it_points_to_the_first_lesson(visit, server):
    page = visit()
    assert f"Lessons read: 0 of {TOTAL.format(0)}" in page.inner_text("main")
    assert "Begin here" in page.inner_text(".next")
    assert page.get_attribute(".next a", "href") == "/user/ada/lab/tree/notebooks/01_why_prune.ipynb"
    assert chapter(page, "02").endswith("not started 40 minutes · " + TASKS.format(0, 0))
    assert page.reload().headers["cache-control"] == "no-store"  # nor does "back" show an older day


def test_it_tells_what_was_done_and_what_comes_next(visit):
    page = visit(READ_02)
    assert f"Lessons read: 2 of {TOTAL.format(4)}" in page.inner_text("main")
    assert page.inner_text(".next a") == "Exercises of chapter 01: Why prune?"
    assert chapter(page, "02").endswith("read 40 minutes · " + TASKS.format(1, 4))
    assert "not started" in chapter(page, "03")


def test_every_link_opens_what_it_names(visit, server):
    page = visit()
    links = {link.get_attribute("href") for link in page.locator("a").all()}
    assert len(links) == 2 * len(BANK) + 1  # lesson and exercises of each chapter, and JupyterLab
    for link in links:
        assert page.request.get(server.base.removesuffix("/user/ada/") + link).ok
        if "/tree/" in link:
            assert page.request.get(f"{server.base}api/contents/{link.partition('/tree/')[2]}?content=0").ok


@pytest.mark.parametrize("event", SHOWN_AGAIN)
def test_shown_again_it_is_up_to_date(visit, server, event):
    page = visit()
    server.progress.write_text(json.dumps(READ_02))
    page.evaluate(event)
    page.wait_for_selector("text=Lessons read: 2 of")
    assert page.said == []


def test_it_needs_no_network_and_no_script(visit, server):
    page = visit(READ_02, java_script_enabled=False)
    assert page.locator("li").count() == len(BANK) and page.inner_text(".next a").startswith("Exercises of chapter 01")
    assert page.asked and all(url.startswith(server.base) for url in page.asked) and page.said == []


def test_a_damaged_record_is_said_and_the_lessons_stay_within_reach(visit, server):
    page = visit("not JSON")
    assert page.locator("[role=alert]").inner_text().startswith(f"{server.progress} is damaged or not of this course.")
    assert page.locator("li").count() == len(BANK)
    assert server.progress.read_text() == "not JSON"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_against_it(visit, scheme, tmp_path):
    page = visit(READ_02, color_scheme=scheme)
    page.screenshot(path=tmp_path / f"start_{scheme}.png", full_page=True)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    ground = [int(part) for part in re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).background"))[:3]]
    assert (sum(ground) > 3 * 128) == (scheme == "light")


@pytest.mark.parametrize("width", [320, 640, 1400])
def test_no_window_is_too_narrow(visit, width, tmp_path):
    page = visit(READ_02, viewport={"width": width, "height": 800})
    page.screenshot(path=tmp_path / f"start_{width}.png", full_page=True)
    over = "[...document.querySelectorAll('main *')].filter((e) => e.getBoundingClientRect().right > innerWidth)"
    assert page.evaluate(f"{over}.map((e) => e.outerHTML.slice(0, 80))") == []
    out = """[...document.querySelectorAll('section *')].filter((e) =>
        e.getBoundingClientRect().right > e.closest('section').getBoundingClientRect().right)"""
    assert page.evaluate(f"{out}.map((e) => e.outerHTML.slice(0, 80))") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("root", ["elsewhere", "course/notebooks"])
def test_a_server_whose_root_is_not_the_course_goes_on_without_it(tmp_path, root):
    for folder in ("course/notebooks", "course/exercises", "elsewhere"):
        (tmp_path / folder).mkdir(parents=True)
    warned = []
    server = SimpleNamespace(root_dir=str(tmp_path / root), log=SimpleNamespace(warning=warned.append))
    _load_jupyter_server_extension(server)
    assert len(warned) == 1 and str(tmp_path / root) in warned[0]
