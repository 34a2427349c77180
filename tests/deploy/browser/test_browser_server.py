"""Nothing leaves the server; what it cannot compare it refuses; what it brings along is what was published."""

import gzip
import hashlib
import re
from fractions import Fraction
from urllib.error import HTTPError
from urllib.request import urlopen

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from pages import IMAGES, row, served, text, visit

from course_lib import data, deploy
from course_lib.deploy.browser import Server, example
from course_lib.deploy.browser.about import about
from course_lib.deploy.browser.server import HERE, Resource


def test_no_request_leaves_the_server_and_nothing_is_complained_of(browser, compared):
    with served(compared.files) as server, served(compared.files[:1]) as other:
        page = visit(browser, server.address)
        assert len(page.requests) > 10 and all(url.startswith(server.address) for url in page.requests)
        assert page.complaints == []
        page.evaluate(f"fetch('{other.address}comparison.json').then(() => 'answered', () => 'refused')")
        assert any("Content Security Policy" in complaint for complaint in page.complaints)


def test_an_address_is_a_key_and_no_path(compared):
    with served(compared.files) as server:
        assert server.server_address[0] == "127.0.0.1"
        for path in ("file/2", "../server.py", "page/index.html", "%2e%2e/server.py", "litert/LICENSE"):
            with pytest.raises(HTTPError, match="404"):
                urlopen(server.address + path)


def test_a_browser_that_goes_away_is_no_error_and_another_one_is(compared, capsys):
    with Server(compared.files, IMAGES) as server:
        for error, said in [(BrokenPipeError(), ""), (KeyError("a mistake of ours"), "a mistake of ours")]:
            try:
                raise error
            except type(error):
                server.handle_error(None, ("127.0.0.1", 1))
            heard = capsys.readouterr().err
            assert said in heard and bool(said) == bool(heard)


def test_what_is_vendored_is_what_the_package_ships():
    expected = dict(reversed(line.split()) for line in (HERE / "litert" / "SHA256SUMS").read_text().splitlines())
    packed = {file.stem: gzip.decompress(file.read_bytes()) for file in (HERE / "litert").glob("*.gz")}
    assert {name: hashlib.sha256(content).hexdigest() for name, content in packed.items()} == expected
    assert packed["litert_wasm_compat_internal.wasm"].startswith(b"\0asm")


def test_one_file_alone_is_shown_without_a_comparison(browser, compared):
    with served(compared.files[1:], images=20) as server:
        page = visit(browser, server.address)
        assert text(page, "#figures thead th") == ["A"]
        assert page.evaluate("document.getElementById('agreement').hidden")
        assert re.fullmatch("A [A-Z].+", text(page, "#verdict")[0])


def test_a_file_beside_itself_agrees_with_itself(browser, compared):
    with served([compared.files[0]] * 2, images=20) as server:
        page = visit(browser, server.address)
        assert text(page, "#files bdi") == [str(compared.files[0])] * 2
        assert text(page, "#tally") == ["None gets a different one."]
        assert row(page, "Bytes")[2] == "no difference"


def test_a_file_that_the_browser_cannot_run_is_named(browser, compared):
    broken = Resource(b"not a model", "application/octet-stream")
    with served(compared.files, **{"/file/1": broken}) as server:
        page = visit(browser, server.address)
        assert text(page, "#status")[0].startswith(
            "Nothing can be compared: narrow.tflite cannot be run in a browser: "
        )


def file_of(tmp_path, *shapes, classes=10, dtype="float32"):
    inputs = [keras.Input(shape, dtype=dtype) for shape in shapes]
    flat = [keras.layers.Flatten()(keras.ops.cast(each, "float32")) for each in inputs]
    joined = keras.layers.Concatenate()(flat) if len(flat) > 1 else flat[0]
    return deploy.to_tflite(keras.Model(inputs, keras.layers.Dense(classes)(joined)), tmp_path / "bad.tflite")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: file_of(folder, (28, 28), (28, 28)), "2 inputs and 1 outputs"),
        (lambda folder: file_of(folder, (32, 32, 3)), r"input has the shape \(-1, 32, 32, 3\); give a file that"),
        (lambda folder: file_of(folder, (28, 28), classes=7), r"output has the shape \(-1, 7\)"),
        (lambda folder: file_of(folder, (28, 28), dtype="int32"), "input is int32; it must be one of float32, int8"),
    ],
    ids=["two inputs", "colour", "seven classes", "integers"],
)
def test_a_file_for_something_else_is_refused(tmp_path, make, message):
    with pytest.raises(ValueError, match=message):
        Server([make(tmp_path)])


@pytest.mark.parametrize(("count", "images"), [(0, 10), (3, 10), (1, 0), (1, 10_001), (1, 1.5)])
def test_a_wrong_number_is_refused(compared, count, images):
    with pytest.raises(ValueError, match=r"^(files|images) "):
        Server(compared.files[:1] * count, images)


def test_a_pixel_is_quantised_by_the_formula(compared):
    interpreter = Interpreter(str(compared.files[1]))
    scale, zero_point = interpreter.get_input_details()[0]["quantization"]
    exact = [round(Fraction(pixel, 255) / Fraction(scale)) + zero_point for pixel in range(256)]
    assert about(compared.files[1])["input"]["levels"] == [max(-128, min(127, q)) for q in exact]


def test_the_example_is_made_once_and_has_its_zeros(tmp_path, monkeypatch):
    small = data.Split(*(each[:1280] for each in data.fashion_mnist().train))
    monkeypatch.setattr(example, "fashion_mnist", lambda: data.Dataset(small, small, small))
    monkeypatch.setattr(example, "EPOCHS", 1)
    dense, pruned = example.example_files(tmp_path / "runs" / "demo")
    known = [about(file)["input"]["format"] for file in (dense, pruned)]
    assert known == ["float32", "int8"] and dense.stat().st_size > 3 * pruned.stat().st_size
    assert np.mean(kernel(pruned) == 0) > 0.9 and about(pruned)["gzip"] < pruned.stat().st_size / 3
    monkeypatch.setattr(example, "to_tflite", None)  # nothing is made again
    assert example.example_files(tmp_path / "runs" / "demo") == [dense, pruned]


def kernel(file):
    interpreter = Interpreter(str(file))
    (first,) = (each for each in interpreter.get_tensor_details() if tuple(each["shape"]) == (300, 784))
    return interpreter.get_tensor(first["index"])
