"""Pictures drawn on the page are what was drawn, and get the classes that LiteRT gives in Python."""

import re

import numpy as np
from pages import drawn, text

from course_lib import data, deploy


def answers(page, compared):
    shown = re.fullmatch(r"A (.+) B (.+)", text(page, "#verdict")[0]).groups()
    pixels = np.rint(255 * drawn(page)) / 255
    outputs = [deploy.predict(file, pixels[None, ..., None])[0] for file in compared.files]
    return shown, tuple(data.FASHION_MNIST_CLASSES[each.argmax()] for each in outputs)


def test_a_drawing_with_the_pointer_is_classified_as_in_python(page, compared):
    page.evaluate("document.getElementById('clear').click()")
    assert not drawn(page).any()
    page.evaluate("document.getElementById('pad').scrollIntoView({block: 'center'})")
    box = page.locator("#pad").bounding_box()
    at = lambda x, y: (box["x"] + box["width"] * x / 28, box["y"] + box["height"] * y / 28)  # noqa: E731
    page.mouse.move(*at(10, 4))
    page.mouse.down()
    for x, y in [(10, 24), (18, 24), (18, 4)]:
        page.mouse.move(*at(x, y))
    page.mouse.up()
    page.mouse.move(*at(2, 2))
    ink = drawn(page)
    assert ink[4:24, 10].min() == 1 and ink[24, 10:18].min() == 1 and ink[4:24, 18].min() == 1
    assert not ink[:, :8].any() and not ink[4:22, 13:16].any()
    assert text(page, "#picture") == ["Your drawing"]
    shown, expected = answers(page, compared)
    assert shown == expected


def test_a_drawing_with_the_keyboard_too(page, compared):
    page.evaluate("document.getElementById('pad').focus()")
    page.keyboard.press("Delete")
    page.evaluate("document.getElementById('pad').blur()")  # takes the mark of the brush away
    assert not drawn(page).any()
    page.evaluate("document.getElementById('pad').focus()")
    for _ in range(30):
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowLeft")
    for _ in range(5):
        page.keyboard.press("Shift+ArrowRight")
    page.evaluate("document.getElementById('pad').blur()")
    ink = drawn(page)
    assert ink[0, :6].min() == 1 and not ink[3:].any() and not ink[:, 9:].any()
    shown, expected = answers(page, compared)
    assert shown == expected
