"""A learner's first day, in a real browser: read a lesson, get an exercise wrong, take a hint, get it right."""

import json
import re

import nbformat
from axe_playwright_python.sync_playwright import Axe
from browsers import chromium
from lab import copy_of_the_course, course, lab

LESSON, EXERCISES = "notebooks/02_l1_and_l2.ipynb", "exercises/02_l1_and_l2.ipynb"
WEIGHT_DECAY = 'def penalty_gradients(w, strength):\n    return {"L1": strength * np.sign(w), "L2": strength * w}'
RIGHT = WEIGHT_DECAY.replace('"L2": ', '"L2": 2 * ')
SLIDER = "application/vnd.jupyter.widget-view+json"
MINUTE = 60_000  # milliseconds


def test_a_learner_s_first_day(tmp_path):
    folder = copy_of_the_course(tmp_path)
    published = figures(folder / LESSON)
    with lab(folder) as server, chromium() as browser:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        start = context.new_page()
        start.goto(server.address)
        assert "not started" in part(start, "02")
        assert row(folder, "02")[-3:] == ["not started", "0 of 7", "0 of 17"]

        lesson = opened(start, "L1 and L2")
        lesson.wait_for_timeout(3000)  # whatever greets a newcomer has come up by then
        assert lesson.locator(".Toastify__toast, .jp-Dialog").count() == 0
        choose(lesson, "Run", "Run All Cells")
        lesson.get_by_text("Chapter 02 is read. Next: exercises/02_l1_and_l2.ipynb").wait_for(timeout=15 * MINUTE)
        save(lesson)
        assert figures(folder / LESSON) == published > 0
        lesson.locator(".jp-OutputArea-output img").last.scroll_into_view_if_needed()
        assert lesson.locator(".jp-OutputArea-output img").last.evaluate("(image) => image.naturalWidth") > 100
        for theme in themes(lesson):
            lesson.screenshot(path=tmp_path / f"lesson_{theme}.png")
        start.reload()
        assert "read" in part(start, "02").split() and "0 of 7 solved" in part(start, "02")

        task = opened(start, "Exercises of chapter 02")
        run(task, "import numpy as np")
        answer(task, WEIGHT_DECAY)
        feedback = task.locator(".jp-OutputArea-output [role=status]")
        feedback.get_by_text("Not yet right: Two pulls (0 of 2 points)").wait_for(timeout=MINUTE)
        assert "Your L2 is the slope of ½λw², the weight decay of many textbooks." in feedback.inner_text()
        look(task, tmp_path / "wrong")
        task.locator(".jp-MarkdownCell", has_text='Stuck? Run hint("02.penalty_gradients")').click()
        task.keyboard.press("b")
        task.keyboard.press("Enter")
        task.keyboard.insert_text('hint("02.penalty_gradients")')
        task.keyboard.press("Shift+Enter")
        task.get_by_text("Hint 1 of 2: Write down the slope of |w|").wait_for(timeout=MINUTE)
        answer(task, RIGHT)
        task.get_by_text("Passed: Two pulls (2 of 2 points)").wait_for(timeout=MINUTE)
        look(task, tmp_path / "right")
        answer(task, WEIGHT_DECAY)
        task.get_by_text("Your best attempt counts: 2 of 2 points.").wait_for(timeout=MINUTE)

        start.reload()
        assert part(start, "02").endswith("1 of 7 solved, 2 of 17 points")
        assert row(folder, "02")[-3:] == ["read", "1 of 7", "2 of 17"]
        assert json.loads((folder / "progress.json").read_text())["hints"] == {"02.penalty_gradients": 1}


def part(start, number):
    """What the start page says of a chapter."""
    return " ".join(start.locator("li", has_text=number).text_content().split())


def row(folder, number):
    """The cells of a chapter's row in the table of `course progress`."""
    (line,) = (line for line in course(folder, "progress").splitlines() if line.startswith(f"│ {number} "))
    return [cell.strip() for cell in line.strip("│").split("│")]


def opened(start, name):
    """The tab that a link of the start page opens, once its notebook and kernel are there."""
    with start.context.expect_page() as tab:
        start.get_by_role("link", name=name).click()
    tab.value.locator(".jp-NotebookPanel .jp-CodeCell").first.wait_for(timeout=MINUTE)
    tab.value.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=MINUTE)
    return tab.value


def choose(page, menu, *items):
    page.get_by_role("menuitem", name=menu, exact=True).click()
    for item in items:
        page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{item}$")).click()


def save(page):
    page.keyboard.press("Control+s")
    page.locator(".jp-mod-dirty").wait_for(state="detached", timeout=MINUTE)


def run(page, text):
    page.locator(".jp-CodeCell", has_text=text).first.locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")


def answer(page, code):
    """Write the answer in place of what stands in its cell; run it, and the check below it."""
    page.locator(".jp-CodeCell", has_text="def penalty_gradients").locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(code)
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("Shift+Enter")


def themes(page):
    """Both themes in turn, the light one last, as it was."""
    for theme in ("Dark", "Light"):
        choose(page, "Settings", "Theme", f"JupyterLab {theme}")
        page.locator(f"body[data-jp-theme-name='JupyterLab {theme}']").wait_for(state="attached")
        page.locator("#jupyterlab-splash").wait_for(state="detached")
        yield theme


def look(page, picture):
    """The feedback in both themes and in a narrow window: nothing for axe to find, and pictures for people."""
    for theme in themes(page):
        page.screenshot(path=f"{picture}_{theme}.png")
        found = Axe().run(page, context="[role=status]")
        assert found.violations_count == 0, found.generate_report()
    page.set_viewport_size({"width": 480, "height": 900})
    page.keyboard.press("Control+b")  # the file browser makes room
    page.locator("[role=status]").first.scroll_into_view_if_needed()
    page.screenshot(path=f"{picture}_narrow.png")
    page.keyboard.press("Control+b")
    page.set_viewport_size({"width": 1280, "height": 900})


def figures(notebook):
    """How many pictures the saved notebook shows, still or with a slider; no cell of it failed or was left out."""
    cells = [cell for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == [*range(1, len(cells) + 1)]
    outputs = [output for cell in cells for output in cell.outputs]
    assert "error" not in {output.output_type for output in outputs}
    return sum(bool({"image/png", SLIDER} & output.get("data", {}).keys()) for output in outputs)
