"""What the page says of two files, held against LiteRT and NumPy in Python."""

import gzip
import re

import numpy as np
import pytest
from pages import IMAGES, drawn, row, text

from course_lib import data, deploy


def test_the_page_names_the_files_whatever_characters_they_have(page, compared):
    assert text(page, "#files bdi") == [compared.files[0].name, "narrow.tflite"]
    assert row(page, "Numbers in and out")[:2] == ["float32", "int8"]


def test_bytes_are_those_of_the_files(page, compared):
    contents = [file.read_bytes() for file in compared.files]
    for title, pack in [("Bytes", bytes), ("Bytes after gzip", lambda content: gzip.compress(content, 9, mtime=0))]:
        a, b = (len(pack(content)) for content in contents)
        *shown, against = row(page, title)
        assert shown == [f"{a:,}", f"{b:,}"] and against.endswith("× smaller")
        assert float(against.split("×")[0]) == pytest.approx(a / b, rel=0.05)


def test_every_image_gets_the_class_that_litert_gives_in_python(page, compared):
    steps = f"""(() => {{
        const next = document.getElementById("next");
        return Array.from({{ length: {IMAGES} }}, () => {{
            next.click();
            return [document.getElementById("picture").textContent, document.getElementById("verdict").textContent];
        }});
    }})()"""
    shown = page.evaluate(steps)
    order = np.roll(np.arange(IMAGES), -1)  # the page begins at image 0
    names = data.FASHION_MNIST_CLASSES
    assert [picture for picture, _ in shown] == [f"Test image {i}: {names[compared.y[i]]}" for i in order]
    verdicts = [re.fullmatch(r"A (.+) B (.+) ", verdict).groups() for _, verdict in shown]
    for said, expected in zip(zip(*verdicts, strict=True), compared.classes, strict=True):
        assert np.mean([name == names[c] for name, c in zip(said, expected[order], strict=True)]) >= 0.995


def test_accuracy_and_agreement_are_those_that_python_counts(page, compared):
    (a, b), y = compared.classes, compared.y
    right = [f"{100 * np.mean(each == y):.1f}%" for each in (a, b)]
    assert row(page, f"Right of {IMAGES} test images")[:2] == right
    changed = np.flatnonzero(a != b)
    assert len(changed) > 12  # enough that some wait behind the button
    assert text(page, "#share") == [
        f"{100 * np.mean(a == b):.1f}% of {IMAGES} test images get the same class from both files."
    ]
    only_a, only_b, neither = (np.sum(which[changed]) for which in (a == y, b == y, (a != y) & (b != y)))
    assert text(page, "#tally") == [
        f"{len(changed)} get different ones. Only A is right: {only_a}. Only B: {only_b}. Neither: {neither}."
    ]
    gallery = "[...document.querySelectorAll('#gallery button')].map((button) => Number(button.dataset.image))"
    assert page.evaluate(gallery) == list(changed[:12])
    page.evaluate("document.getElementById('all').click()")
    assert page.evaluate(gallery) == list(changed)


def test_a_picture_of_the_gallery_is_looked_at_closely(page, compared):
    i = np.flatnonzero(compared.classes[0] != compared.classes[1])[3]
    page.evaluate("document.querySelectorAll('#gallery button')[3].click()")
    assert text(page, "#picture")[0].startswith(f"Test image {i}: ")
    assert np.abs(drawn(page) - compared.x[i].squeeze()).max() < 0.01


def test_times_are_positive_and_the_clock_is_a_fine_one(page):
    median, p90 = row(page, "Time, median"), row(page, "Time, 90th percentile")
    micro = {"µs": 1, "ms": 1000}
    for m, p in zip(median[:2], p90[:2], strict=True):
        (low, unit), (high, other) = m.split(), p.split()
        assert 0 < float(low) * micro[unit] <= float(high) * micro[other]
    assert page.evaluate("crossOriginIsolated")


def test_the_answers_are_the_probabilities_of_the_file(page, compared):
    page.evaluate("document.getElementById('next').click()")
    (i,) = re.findall(r"image (\d+)", text(page, "#picture")[0])
    for m, file in enumerate(compared.files):
        outputs = deploy.predict(file, compared.x[int(i)][None])[0]
        shown = [int(cell.rstrip("%")) for cell in text(page, f"#answers tbody td:nth-child({m + 2})")]
        assert np.abs(shown - 100 * outputs).max() < 1


def test_quantiles_and_probabilities_are_those_of_numpy(page):
    numbers = np.random.default_rng(0).normal(size=37)
    for share in (0, 0.5, 0.9, 1):
        got = page.evaluate(f"import('./compare.js').then((m) => m.quantile({numbers.tolist()}, {share}))")
        assert got == pytest.approx(np.quantile(numbers, share))
    soft = np.exp(numbers) / np.exp(numbers).sum()
    assert page.evaluate(f"import('./compare.js').then((m) => m.probabilities({numbers.tolist()}))") == pytest.approx(
        soft
    )
    assert page.evaluate(f"import('./compare.js').then((m) => m.probabilities({soft.tolist()}))") == soft.tolist()
