"""Formulas are MathML that browsers know: all of them, with nothing of TeX left over."""

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
MATH = re.compile(r"<math .+?</math>", re.DOTALL)
NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"
# https://www.w3.org/TR/mathml-core/#mathml-elements-and-attributes
CORE = """
    math merror mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow ms mspace msqrt mstyle msub
    msubsup msup mtable mtd mtext mtr munder munderover semantics annotation
"""
LENGTH = re.compile(r"\d*\.?\d+(em|px|%)")
NOTEBOOKS = sorted([*ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("exercises/*.ipynb")])


def prose(notebook):
    cells = json.loads(notebook.read_text())["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_formula_is_mathml(site, notebook):
    html = (site / notebook.parent.name / f"{notebook.stem}.html").read_text()
    formulas = [ElementTree.fromstring(found) for found in MATH.findall(html)]
    blocks = sum(formula.get("display") == "block" for formula in formulas)
    text = re.sub(r"```.+?```|`[^`\n]+`", "", prose(notebook), flags=re.DOTALL)
    assert blocks == text.count("$$") / 2
    assert len(formulas) - blocks == re.sub(r"\$\$.+?\$\$", "", text, flags=re.DOTALL).count("$") / 2
    for formula in formulas:
        elements = list(formula.iter())
        assert {element.tag.removeprefix(NAMESPACE) for element in elements} <= set(CORE.split())
        assert not re.search(r"[\\$]", "".join(formula.itertext()))
        assert all(LENGTH.fullmatch(element.get("width", "1em")) for element in elements)


@pytest.fixture(scope="module")
def mathml():
    import importlib.util

    spec = importlib.util.spec_from_file_location("mathml", ROOT / "docs" / "extensions" / "mathml.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda tex: ElementTree.fromstring(module.mathml(tex, "inline"))


def forms(formula, sign):
    return [element.get("form") for element in formula.iter() if element.text == sign]


def test_bars_open_and_close_in_turn(mathml):
    assert forms(mathml(r"\lambda |w| + \lvert v \rvert"), "|") == ["prefix", "postfix"] * 2
    assert forms(mathml(r"\Bigl\lvert x \Bigr\rvert"), "|") == ["prefix", "postfix"]
    assert forms(mathml(r"\lVert y - Xw \rVert^2"), "‖") == ["prefix", "postfix"]


def test_a_minus_is_a_sign_after_a_relation_and_else_an_operation(mathml):
    assert forms(mathml(r"a = -b"), "−") == forms(mathml(r"(a,\; -b)"), "−") == ["prefix"]
    assert forms(mathml(r"a - b"), "−") == [None]


def test_a_function_is_set_off_on_its_left_only(mathml):
    (log,) = (element for element in mathml(r"s \log_2 s").iter() if element.text == "log")
    assert (log.get("lspace"), log.get("rspace")) == ("0.167em", "0em")
    assert "arg" in "".join(mathml(r"\arg\min_v").itertext())
