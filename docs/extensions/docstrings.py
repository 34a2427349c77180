"""Docstrings as autodoc should show them.

An indented block at the beginning of one is a formula: it is kept as it was written, line by line. The fields of a
named tuple are explained where the tuple is; the sentences that Python gives them say nothing.
"""

import re

SECTION = re.compile(r"-{3,}$")  # the line below "Parameters"; from there on napoleon reads


def keep_formulas(app, what, name, obj, options, lines):
    before, shown = "", []
    for number, line in enumerate(lines):
        if SECTION.match(line):
            shown += lines[number:]
            break
        begins = line.startswith("    ") and not lines[number - 1].strip()
        if begins and not before.startswith(" ") and not before.endswith("::"):
            shown += [".. code-block:: none", ""]
        shown.append(line)
        before = line if line.strip() else before
    lines[:] = shown


def leave_out_fields(app, what, name, obj, skip, options):
    return True if (obj.__doc__ or "").startswith("Alias for field number") else None


def setup(app):
    app.connect("autodoc-process-docstring", keep_formulas, priority=400)  # napoleon, with 500, comes after it
    app.connect("autodoc-skip-member", leave_out_fields)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
