"""A matplotlib Figure in, reproducible SVG or PNG out; matplotlib is imported only here, and only when it is needed."""

from __future__ import annotations

import io
import re
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#1f2430"
"""The colour of text and axes; on a page, the colour of the page's own text."""

PAPER = "#ffffff"
"""The colour of the background."""

QUIET = "#7a8190"
"""The colour of secondary elements, legible on white and on black."""


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of this size in inches, independent of pyplot and its global state."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), facecolor=PAPER)


def svg(figure: Figure) -> str:
    """The figure as an SVG document on white, with text as text and without a date."""
    import matplotlib

    written = io.StringIO()
    settings: dict[Any, Any] = {"svg.hashsalt": "forgetting-gate", "svg.fonttype": "none"}
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        # the reader's fonts draw the text, so glyphs that matplotlib's font lacks do not matter
        warnings.filterwarnings(
            "ignore", message="Glyph .* missing from|Matplotlib currently does not support"
        )
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    return written.getvalue()


def png(figure: Figure) -> bytes:
    """The figure as a PNG file at 144 dpi, without matplotlib's version."""
    written = io.BytesIO()
    figure.savefig(written, format="png", dpi=144, metadata={"Software": None})
    return written.getvalue()


def inline(document: str) -> str:
    """An SVG document as an element of an HTML page, in the page's text colour on its background `--page`."""
    element = document[document.index("<svg") :]
    element = re.sub(r"<metadata>.*?</metadata>", "", element, count=1, flags=re.DOTALL)
    return element.replace(INK, "currentColor").replace(PAPER, f"var(--page, {PAPER})").strip()
