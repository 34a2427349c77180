"""The page for everybody: by keyboard and screen reader, in little light, in a narrow window."""

import numpy as np
import pytest
from chromium import chromium


def test_what_can_be_reached_has_a_name(page):
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
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
def test_contrast_is_that_of_wcag_aa(page, scheme):
    page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    colours = page.run("""(() => {
        const context = document.createElement("canvas").getContext("2d");
        const rgb = (colour) => {
            context.fillStyle = colour;
            context.fillRect(0, 0, 1, 1);
            return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
        };
        const ground = (e) => { for (; e; e = e.parentElement) {
            const colour = getComputedStyle(e).backgroundColor;
            if (colour !== "rgba(0, 0, 0, 0)") return colour;
        } };
        const texts = [...document.querySelectorAll("main *")].filter((e) => e.innerText && !e.children.length);
        return texts.map((e) => [rgb(getComputedStyle(e).color), rgb(ground(e))]);
    })()""")
    assert len(colours) > 50
    for pair in colours:
        bright, dark = sorted(map(luminance, pair), reverse=True)
        assert (bright + 0.05) / (dark + 0.05) >= 4.5
    assert (luminance(colours[0][1]) > 0.5) == (scheme == "light")


def luminance(rgb):
    """WCAG 2.2, relative luminance."""
    channels = np.array(rgb) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("width", [320, 640, 1400])
def test_no_window_is_too_narrow(page, width):
    page.call("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False)
    over = "[...document.querySelectorAll('body *')].filter((e) => e.scrollWidth > e.clientWidth + 1 && e.clientWidth)"
    assert page.run(f"{over}.map((e) => e.outerHTML.slice(0, 80))") == []
    assert page.run("document.documentElement.scrollWidth") <= width
    page.call("Emulation.clearDeviceMetricsOverride")


def test_without_a_browser_the_remedy_is_said(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(pytest.fail.Exception, match="apt-get install chromium"), chromium():
        pass
