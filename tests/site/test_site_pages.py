"""The website as it is used: in a browser that reaches nothing else."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsers import chromium

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Of the reference two pages, which have all that the others have.
PAGES = "*.html", "notebooks/*.html", "exercises/*.html", "docs/*.html", "docs/api/index.html", "docs/api/deploy.html"
# Code has thousands of words in a dozen colours. On a page one word of each is enough, and takes seconds less.
ONE_OF_EACH_COLOUR = """() => {
  const seen = new Set();
  for (const word of document.querySelectorAll(".highlight span"))
    seen.has(word.className) ? word.replaceWith(word.textContent) : seen.add(word.className);
}"""


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser, served):
    """A page of a reader who wants nothing to move; what it asked for and did not get is in ``page.missed``."""
    context = browser.new_context(viewport={"width": 1200, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.missed = []
    page.on("request", lambda request: page.missed.append(request.url) if not request.url.startswith(served) else None)
    page.on("requestfailed", lambda request: page.missed.append(request.url))
    page.on("response", lambda response: page.missed.append(response.url) if response.status >= 400 else None)
    yield page
    context.close()


def violations(page, rules):
    # What passes is thousands of elements, and to load the styles once more is of no use here.
    options = {"runOnly": rules, "resultTypes": ["violations"], "preload": False}
    found = Axe().run(page, options=options).response["violations"]
    return [(each["id"], node["target"], node["failureSummary"]) for each in found for node in each["nodes"]]


def test_every_page_can_be_read_by_everybody_and_reaches_nothing_else(page, site, served):
    faults = {}
    for file in (file for pattern in PAGES for file in sorted(site.glob(pattern))):
        page.emulate_media(color_scheme="light")
        page.goto(f"{served}{file.relative_to(site)}")
        page.evaluate(ONE_OF_EACH_COLOUR)
        found = violations(page, WCAG)
        page.emulate_media(color_scheme="dark")
        page.wait_for_selector("html[data-theme=dark]")
        found += violations(page, ["color-contrast"])
        if found:
            faults[str(file.relative_to(site))] = found
    assert faults == {}
    assert [url for url in page.missed if not url.endswith("/favicon.ico")] == []


def test_axe_finds_what_is_wrong(page, served):
    page.goto(f"{served}index.html")
    page.evaluate("document.querySelector('article p').style.color = '#ddd'")
    page.evaluate("document.querySelector('article img').removeAttribute('alt')")
    assert {rule for rule, *_ in violations(page, WCAG)} == {"image-alt", "color-contrast"}


def test_the_search_finds_the_lesson(page, served):
    page.goto(f"{served}search.html?q=soft+threshold")
    page.wait_for_selector("#search-results li a")
    page.wait_for_function("document.querySelector('.search-summary, #search-results p').textContent.includes('found')")
    found = page.locator("#search-results li > a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert any("notebooks/02_l1_and_l2.html" in link for link in found), found


def test_on_a_telephone_nothing_is_wider_than_the_screen(page, served):
    page.set_viewport_size({"width": 400, "height": 800})
    for name in ("index", "notebooks/01_why_prune", "notebooks/03_magnitude_pruning", "docs/glossary"):
        page.goto(f"{served}{name}.html")
        assert page.evaluate("document.documentElement.scrollWidth") <= 400, name
