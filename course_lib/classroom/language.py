"""The language of sentences shown to people.

``_("You have {points} points.").format(points=3)``: the translation where a catalogue is found, else the English.
Whole sentences with named placeholders, so that a translator may reorder them.
"""

import gettext
from pathlib import Path

__all__ = ["_"]

_ = gettext.translation("course", Path(__file__).parent / "locale", fallback=True).gettext
