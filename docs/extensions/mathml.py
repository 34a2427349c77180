"""Formulas as MathML, which browsers draw and screen readers speak: no script, and nothing to fetch."""

import re
from itertools import cycle

from docutils import nodes
from latex2mathml.converter import convert

SYNONYMS = {r"\arg\min": r"\argmin", r"\lvert": "|", r"\rvert": "|"}  # the left ones, or \bigl\lvert, it does not know
NEGATIVE_SPACE = '<mspace width="negativethinmathspace" />'  # from \!, which browsers do not know
NOT_STRETCHED = ' stretchy="false"'
WORD = re.compile(r"<m([io])>(\w{2,})</m\1>")
BAR = re.compile(r"<mo([^>]*)>(\||&#x0007C;|&#x02016;)</mo>")
SIGN = re.compile(r"(?<=&#x0003D;</mo>|&#x0002C;</mo>)((?:<mspace [^>]*/>)?)<mo>&#x02212;</mo>")


def mathml(tex, display):
    """The formula as a ``<math>`` element, mended where the converter knows less than TeX.

    A function's name (max, log) is set off from what stands before it. A bar opens or closes, in turn; as it comes it
    is spaced like a relation. A minus after = or a comma is a sign.
    """
    for unknown, known in SYNONYMS.items():
        tex = tex.replace(unknown, known)
    text = convert(tex, display=display).replace(NEGATIVE_SPACE, "")
    forms = cycle(["prefix", "postfix"])
    text = BAR.sub(lambda bar: f'<mo{bar[1] or NOT_STRETCHED} form="{next(forms)}">{bar[2]}</mo>', text)
    text = WORD.sub(r'<mo lspace="0.167em" rspace="0em">\2</mo>', text)
    return SIGN.sub(r'\1<mo form="prefix">&#x02212;</mo>', text)


def inline(writer, node):
    writer.body.append(mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def block(writer, node):
    writer.body.append(f'<div class="formula" tabindex="0">{mathml(node.astext(), "block")}</div>\n')
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
