"""The record of a sequence in, a heat map of its matrix out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.reporting.figures import INK, new_figure
from harness.sequence.record import SequenceRecord
from harness.visible import visible
from harness.wording import cut, tenths

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CELL_WIDTH, CELL_HEIGHT, NAMES, TOP, BELOW = 1.15, 0.5, 2.2, 0.75, 0.15
"""Inches: of a cell, and around the map."""

DARK = 0.55
"""Accuracies above it have light text, for their cells are dark."""

LIGHT_TEXT, DARK_TEXT, FRAME = "#fffffe", "#1f2431", "#c8503c"
"""Colours of their own, which a page does not change: those of its text and background may be dark or light."""

LONGEST = 24


def heat_map(record: SequenceRecord) -> Figure:
    """The map: a row a step, a column a task; a frame marks each task as it was just learnt."""
    from matplotlib import colormaps
    from matplotlib.patches import Rectangle

    names = [cut(visible(task.name), LONGEST) for task in record.tasks]
    after = ["before any", *(f"after {name}" for name in names)][: len(record.steps)]
    width = NAMES + CELL_WIDTH * len(names) + 0.2
    height = TOP + CELL_HEIGHT * len(after) + BELOW
    figure = new_figure(width, height)
    axes = figure.add_axes(
        (NAMES / width, BELOW / height, CELL_WIDTH * len(names) / width, CELL_HEIGHT * len(after) / height)
    )
    # Rectangles, for a page may show no image: matplotlib's `imshow` writes one into its SVG.
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.set_ylim(len(after) - 0.5, -0.5)
    for place, step in enumerate(record.steps):
        for column, rate in enumerate(step.accuracy):
            learnt = place == column + 1
            cell = Rectangle(
                (column - 0.46, place - 0.44), 0.92, 0.88, facecolor=colormaps["Blues"](0.08 + 0.84 * rate.value),
                edgecolor=FRAME if learnt else "none", linewidth=2.2,
            )  # fmt: skip
            axes.add_patch(cell)
            colour = LIGHT_TEXT if rate.value > DARK else DARK_TEXT
            axes.text(column, place, tenths(rate.value), ha="center", va="center", color=colour, fontsize=10)
    axes.set_xticks(
        range(len(names)), [f"task {place + 1}\n{name}" for place, name in enumerate(names)], parse_math=False
    )
    axes.set_yticks(range(len(after)), after, parse_math=False)
    axes.xaxis.tick_top()
    axes.tick_params(colors=INK, length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return figure
