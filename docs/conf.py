"""The website, `make site`. Lessons are shown as they were executed and committed; nothing is executed here.

Sphinx reads the repository's own folder, so that a link between lessons, exercises and guides is that of the files.
"""

import sys
from pathlib import Path

from ipython_pygments_lexers import IPython3Lexer

from course_lib import quiet

sys.path.insert(0, str(Path(__file__).parent / "extensions"))
quiet.tensorflow()  # autodoc imports the library

project = "Pruning neural networks"
copyright = "the authors, MIT licence"
language = "en"
extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon", "myst_nb"]
extensions += ["docstrings", "mathml", "text_alternatives", "timings"]  # docs/extensions
include_patterns = ["index.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/**", "notebooks/*", "exercises/*"]
exclude_patterns = [".*", "**/.ipynb_checkpoints", "build", "dist", "release", "runs", "site"]
highlight_language = "none"  # a fenced block that names no language is no Python

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"
nb_ipywidgets_js = {}  # a widget's scripts would come from the network; lessons hold pictures in their place

autodoc_inherit_docstrings = False  # Keras documents its callbacks itself
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True  # as the code has them, not as this machine has: folders
autodoc_typehints = "none"  # the docstrings have the types, with shapes and units
napoleon_google_docstring = False
napoleon_use_rtype = False

html_title = project
html_theme = "sphinx_book_theme"
html_theme_options = {
    "footer_content_items": ["copyright.html"],
    "navbar_persistent": [],  # the search field is in the menu
    "show_navbar_depth": 1,
    "use_fullscreen_button": False,
}
html_context = {"default_mode": "auto"}
html_sidebars = {"**": ["navbar-logo.html", "search-button-field.html", "menu.html"]}
html_math_renderer = "mathml"
html_static_path = ["static"]
templates_path = ["templates"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_use_index = False  # the search finds more
html_domain_indices = False


def setup(app):
    app.add_lexer("python", IPython3Lexer)  # a block of Python may hold a notebook's commands, such as %pip
