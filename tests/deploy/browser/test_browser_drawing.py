"""Pictures drawn on the page are what was drawn, and get the classes that LiteRT gives in Python."""

import re

import numpy as np
from pages import drawn, text

from course_lib import data, deploy


def answers(tab, compared):
    shown = re.fullmatch(r"A (.+) B (.+)", text(tab, "#verdict")[0]).groups()
    pixels = np.rint(255 * drawn(tab)) / 255
    outputs = [deploy.predict(file, pixels[None, ..., None])[0] for file in compared.files]
    return shown, tuple(data.FASHION_MNIST_CLASSES[each.argmax()] for each in outputs)


def test_a_drawing_with_the_pointer_is_classified_as_in_python(page, compared):
    page.run("document.getElementById('clear').click()")
    assert not drawn(page).any()
    page.run("document.getElementById('pad').scrollIntoView({block: 'center'})")
    box = page.run("document.getElementById('pad').getBoundingClientRect().toJSON()")
    at = lambda x, y: {"x": box["x"] + box["width"] * x / 28, "y": box["y"] + box["height"] * y / 28}  # noqa: E731
    mouse = {"button": "left", "clickCount": 1}
    page.call("Input.dispatchMouseEvent", type="mousePressed", **at(10, 4), buttons=1, **mouse)
    for x, y in [(10, 24), (18, 24), (18, 4)]:
        page.call("Input.dispatchMouseEvent", type="mouseMoved", **at(x, y), buttons=1, **mouse)
    page.call("Input.dispatchMouseEvent", type="mouseReleased", **at(18, 4), **mouse)
    page.call("Input.dispatchMouseEvent", type="mouseMoved", **at(2, 2), buttons=0)
    ink = drawn(page)
    assert ink[4:24, 10].min() == 1 and ink[24, 10:18].min() == 1 and ink[4:24, 18].min() == 1
    assert not ink[:, :8].any() and not ink[4:22, 13:16].any()
    assert text(page, "#picture") == ["Your drawing"]
    shown, expected = answers(page, compared)
    assert shown == expected


def press(tab, key, code=0, shift=False):
    event = {"key": key, "windowsVirtualKeyCode": code, "modifiers": 8 * shift}
    tab.call("Input.dispatchKeyEvent", type="keyDown", **event)
    tab.call("Input.dispatchKeyEvent", type="keyUp", **event)


def test_a_drawing_with_the_keyboard_too(page, compared):
    page.run("document.getElementById('pad').focus()")
    press(page, "Delete", 46)
    page.run("document.getElementById('pad').blur()")  # takes the mark of the brush away
    assert not drawn(page).any()
    page.run("document.getElementById('pad').focus()")
    for _ in range(30):
        press(page, "ArrowUp", 38)
        press(page, "ArrowLeft", 37)
    for _ in range(5):
        press(page, "ArrowRight", 39, shift=True)
    page.run("document.getElementById('pad').blur()")
    ink = drawn(page)
    assert ink[0, :6].min() == 1 and not ink[3:].any() and not ink[:, 9:].any()
    shown, expected = answers(page, compared)
    assert shown == expected
