"""Figures of the lessons get their text alternative from the prose that follows each of them and begins "In words".

It is a paragraph of the lesson, or what a cell printed after its figure. Its beginning, whole sentences of more than a
hundred characters, becomes the picture's ``alt``; all of it stands below the picture, for everybody.
"""

import re

from docutils import nodes
from sphinx.util import logging

logger = logging.getLogger(__name__)
IN_WORDS = re.compile(r"In words[:,]\s+(?P<beginning>.{100,}?[.;](?=\s|$)|.+)", re.DOTALL)


def describe(app, doctree):
    undescribed = []
    for node in doctree.findall(lambda node: isinstance(node, nodes.image | nodes.paragraph | nodes.literal_block)):
        if isinstance(node, nodes.image):
            undescribed += [] if node.get("alt") else [node]
        elif found := IN_WORDS.match(node.astext()):
            alternative = " ".join(found["beginning"].split())
            for image in undescribed:
                image["alt"] = alternative[0].upper() + alternative[1:]
            undescribed = []
    for image in undescribed:
        logger.warning("A figure without prose after it that begins 'In words'.", location=image)


def setup(app):
    app.connect("doctree-read", describe)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
