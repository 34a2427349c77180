"""The website as files: where its links lead, what it fetches, what its pictures say, and what is not in it."""

import importlib
import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parent.parent.parent
LESSONS = sorted(path.stem for path in ROOT.glob("notebooks/*.ipynb"))
NOT_FETCHED = {"index", "search", "next", "prev", "author"}  # relations of <link> that only lead elsewhere
SPACE = re.compile(r"\s+")


@dataclass
class Page(HTMLParser):
    ids: set = field(default_factory=set)
    links: list = field(default_factory=list)  # of <a>
    fetched: list = field(default_factory=list)
    pictures: list = field(default_factory=list)  # (src, alt)
    text: str = ""

    def __post_init__(self):
        super().__init__()

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.ids |= {attributes[key] for key in ("id", "name") if key in attributes}
        if tag == "a":
            self.links += [attributes["href"]] if "href" in attributes else []
        elif not (tag == "link" and attributes.get("rel") in NOT_FETCHED):
            self.fetched += [
                attributes[key] for key in ("src", "href", "data", "poster", "srcset") if key in attributes
            ]
        if tag == "img":
            self.pictures.append((attributes["src"], attributes.get("alt")))

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def pages(site):
    read = {}
    for file in site.rglob("*.html"):
        if "_static" not in file.parts:
            read[file] = page = Page()
            page.feed(file.read_text())
    return read


def test_every_link_leads_to_a_file_and_an_anchor_in_it(pages, site):
    broken = []
    for file, page in pages.items():
        for link in page.links + page.fetched:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            anchors = pages[target].ids | {""} if target in pages else {parts.fragment}
            if not target.is_file() or site.resolve() not in target.parents or unquote(parts.fragment) not in anchors:
                broken.append(f"{file.relative_to(site)}: {link}")
    assert len(pages) > 30 and broken == []


def test_nothing_is_fetched_from_elsewhere(pages, site):
    elsewhere = re.compile(r"^(\w+:)?//")
    assert [(file.name, link) for file, page in pages.items() for link in page.fetched if elsewhere.match(link)] == []
    styles = {file.name: file.read_text() for file in site.rglob("*.css")}
    assert "site.css" in styles
    addresses = {
        (name, address)
        for name, style in styles.items()
        for address in re.findall(r"(?:url\(|@import)\s*['\"]?([^'\")]+)", style)
    }
    assert [found for found in addresses if elsewhere.match(found[1])] == []


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_figure_of_a_lesson_is_there_and_says_what_the_prose_says(pages, site, lesson):
    cells = json.loads((ROOT / "notebooks" / f"{lesson}.ipynb").read_text())["cells"]
    figures = sum("image/png" in output.get("data", {}) for cell in cells for output in cell.get("outputs", []))
    page = pages[site / "notebooks" / f"{lesson}.html"]
    assert len(page.pictures) == figures >= 5
    prose = SPACE.sub(" ", page.text)
    for _source, alternative in page.pictures:
        assert len(alternative) > 40 and alternative[1:] in prose
    assert len({alternative for _source, alternative in page.pictures}) == figures


def test_every_other_picture_has_an_alternative_too(pages):
    assert all(alternative for page in pages.values() for _source, alternative in page.pictures)


def test_every_chapter_has_its_lesson_and_its_exercises_in_the_menu_in_order(pages, site):
    index = pages[site / "index.html"].links
    expected = [f"{folder}/{lesson}.html" for lesson in LESSONS for folder in ("notebooks", "exercises")]
    menu = [link for link in dict.fromkeys(index) if link.startswith(("notebooks/", "exercises/"))]
    assert menu == expected
    for number, lesson in zip((lesson[:2] for lesson in LESSONS), LESSONS, strict=True):
        assert f"../exercises/{lesson}.html" in pages[site / "notebooks" / f"{lesson}.html"].links, number


def test_no_solution_is_in_it(site):
    assert not (site / "solutions").exists()
    texts = {file: file.read_text() for file in site.rglob("*") if file.suffix in (".html", ".ipynb", ".txt", ".js")}
    assert {file.stem for file, text in texts.items() if "### BEGIN SOLUTION" in text} <= {"CONTRIBUTING"}


def test_no_path_of_this_machine_is_in_it(site):
    texts = {file: file.read_text() for file in site.rglob("*") if file.suffix in (".html", ".js", ".css")}
    assert [file for file, text in texts.items() if f"{ROOT}/" in text or f"{Path.home()}/" in text] == []


def floors():
    """The library's floors as the README's table has them."""
    table = (ROOT / "README.md").read_text().split("| floor | what it is for |")[1].split("\n\n")[0]
    return re.findall(r"`(\w+)`", "".join(line.split("|")[1] for line in table.splitlines()[2:]))


@pytest.mark.parametrize("floor", floors())
def test_every_public_function_and_class_of_a_floor_is_in_the_reference(pages, site, floor):
    module = importlib.import_module(f"course_lib.{floor}")
    described = pages[site / "docs" / "api" / f"{floor}.html"].ids
    public = {name: getattr(module, name) for name in module.__all__}
    ours = [name for name, value in public.items() if getattr(value, "__module__", "").startswith("course_lib")]
    assert ours and [name for name in ours if f"course_lib.{floor}.{name}" not in described] == []
