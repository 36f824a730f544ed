"""A matplotlib Figure in, SVG text or a PNG file out: the same figure, the same bytes; matplotlib is imported only here and late."""

from __future__ import annotations

import io
import re
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#1f2430"
"""The colour of words and axes; on a page it becomes that of the page's own text."""

PAPER = "#ffffff"
"""The colour behind everything."""

QUIET = "#7a8190"
"""The colour of what should stand back; legible on white and on black."""


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of this size in inches, without pyplot and its global state."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), facecolor=PAPER)


def svg(figure: Figure) -> str:
    """The figure as an SVG document on white, with its words as text and no date in it."""
    import matplotlib

    written = io.StringIO()
    settings: dict[Any, Any] = {"svg.hashsalt": "forgetting-gate", "svg.fonttype": "none"}
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        # The reader's fonts draw the words, so it does not matter which glyphs matplotlib's own font lacks.
        warnings.filterwarnings(
            "ignore", message="Glyph .* missing from|Matplotlib currently does not support"
        )
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    return written.getvalue()


def png(figure: Figure) -> bytes:
    """The figure as a PNG file, 144 dots to the inch, without the drawing program's version."""
    written = io.BytesIO()
    figure.savefig(written, format="png", dpi=144, metadata={"Software": None})
    return written.getvalue()


def inline(document: str) -> str:
    """An SVG document as an element of an HTML page, in the page's own colours: its text's, and `--page` behind it."""
    element = document[document.index("<svg") :]
    element = re.sub(r"<metadata>.*?</metadata>", "", element, count=1, flags=re.DOTALL)
    return element.replace(INK, "currentColor").replace(PAPER, f"var(--page, {PAPER})").strip()
