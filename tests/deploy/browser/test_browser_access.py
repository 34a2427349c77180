"""The page for everybody: by keyboard and screen reader, in little light, in a narrow window."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsers import executable


def test_what_can_be_reached_has_a_name(page):
    nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    focusable = [
        (node["role"]["value"], node["name"]["value"])
        for node in nodes
        if any(p["name"] == "focusable" and p["value"]["value"] for p in node.get("properties", []))
        and node["role"]["value"] != "RootWebArea"
    ]
    assert len(focusable) > 12 and all(name for _, name in focusable)
    (pad,) = (name for role, name in focusable if role == "application")
    assert pad.startswith(("Test image", "Your drawing"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_against_it(page, scheme):
    page.emulate_media(color_scheme=scheme)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert "color-contrast" in {rule["id"] for rule in found.response["passes"]}
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(int(part) for part in re.findall(r"\d+", ground)[:3]) > 3 * 128) == (scheme == "light")


@pytest.mark.parametrize("width", [320, 640, 1400])
def test_no_window_is_too_narrow(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    over = "[...document.querySelectorAll('body *')].filter((e) => e.scrollWidth > e.clientWidth + 1 && e.clientWidth)"
    assert page.evaluate(f"{over}.map((e) => e.outerHTML.slice(0, 80))") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_a_browser_the_remedy_is_said(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(pytest.fail.Exception, match="apt-get install chromium"):
        executable()
