"""The record of `blame` in, a picture out: the accuracy that comes back without each layer, and that is lost with it alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.blame.record import BlameRecord, EffectRow, GroupRow
from harness.blame.search import Way
from harness.reporting.figures import INK, QUIET, new_figure
from harness.sweep.pareto_plot import plain
from harness.visible import visible
from harness.wording import cut

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, PANEL, ROW = 8.6, 2.0, 0.28
"""Inches: of the figure, of the height of a panel of layers, and of a bar of a kind of module."""

LEFT, LEFT_OF_NAMES, RIGHT, TOP, BELOW = 0.62, 2.3, 0.15, 0.35, 0.62
"""Inches around the panels."""

BACK, LOST = "#2f6fde", "#c8503c"
"""The colours of what comes back, and of what is lost."""

WAYS: Sequence[tuple[str, str, Way]] = (
    ("lost with it alone", LOST, "alone"), ("comes back without it", BACK, "off"),
)  # fmt: skip
"""Both measures: their words, colours and names in the record."""

LONGEST = 30


def layers_plot(record: BlameRecord) -> Figure:
    """The picture; layers that were not told apart share one bar, as wide as they are many."""
    layers, modules = by_layer(record), by_module(record)
    bars = 2 * ROW * len(modules)
    height = TOP + (2 * (PANEL + BELOW) if layers else 0) + (bars + BELOW if modules else 0)
    figure = new_figure(WIDTH, height)
    top = height - TOP
    for place, (words, colour, way) in enumerate(WAYS if layers else ()):
        axes = figure.add_axes(_box(top - PANEL, PANEL, height, LEFT))
        _layers(axes, layers, (words, colour, way), record.whole)
        axes.set_xlabel("layer" if place else "", color=INK)
        top -= PANEL + BELOW
    if modules:
        axes = figure.add_axes(_box(top - bars, bars, height, LEFT_OF_NAMES))
        _modules(axes, modules, record.whole)
    return figure


def by_layer(record: BlameRecord) -> list[GroupRow]:
    """The smallest groups of whole layers that were measured, ascending."""
    rows = record.of_axis("layers")
    small = [row for row in rows if row.layers and (not row.halved or len(row.layers) == 1)]
    inside = [
        row for row in small if row.parent is None or len(record.groups[row.parent].layers) != 1
    ]  # not the modules of one layer
    return sorted(inside, key=lambda row: row.layers)


def by_module(record: BlameRecord) -> list[GroupRow]:
    """The smallest groups of kinds of module that were measured."""
    return [row for row in record.of_axis("modules") if not row.halved and row.parent is not None]


def _box(bottom: float, high: float, height: float, left: float) -> tuple[float, float, float, float]:
    """A panel in inches from the figure's lower left corner, as matplotlib's fractions."""
    return left / WIDTH, bottom / height, 1 - (left + RIGHT) / WIDTH, high / height


def _layers(axes: Axes, rows: Sequence[GroupRow], measure: tuple[str, str, Way], whole: EffectRow) -> None:
    from matplotlib.ticker import MaxNLocator

    words, colour, way = measure
    for row in rows:
        value, (low, high) = row.effect(way).value, row.effect(way).interval
        first, last = row.layers[0], row.layers[-1]
        middle = (first + last) / 2
        axes.bar([middle], [100 * value], width=last - first + 0.8, color=colour, alpha=0.75)
        axes.plot([middle, middle], [100 * low, 100 * high], color=INK, linewidth=1)
    ends = [row.layers[0] for row in rows] + [row.layers[-1] for row in rows]
    axes.set_xlim(min(ends) - 0.6, max(ends) + 0.6)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.axhline(100 * whole.value, color=QUIET, linewidth=1, linestyle=(0, (4, 3)))
    axes.set_ylabel("points", color=INK)
    axes.set_title(words, loc="left", fontsize=9.5, color=INK)
    axes.axhline(0, color=QUIET, linewidth=1)
    plain(axes, "y")


def _modules(axes: Axes, rows: Sequence[GroupRow], whole: EffectRow) -> None:
    for place, row in enumerate(rows):
        for shift, (_, colour, way) in zip((-0.19, 0.19), WAYS, strict=True):
            found = row.effect(way)
            at = place + shift
            axes.barh([at], [100 * found.value], height=0.34, color=colour, alpha=0.75)
            axes.plot([100 * end for end in found.interval], [at, at], color=INK, linewidth=1)
    axes.set_yticks(range(len(rows)), [cut(visible(row.name), LONGEST) for row in rows], parse_math=False)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.axvline(100 * whole.value, color=QUIET, linewidth=1, linestyle=(0, (4, 3)))
    axes.set_xlabel("points, by kind of module in all layers", color=INK)
    axes.axvline(0, color=QUIET, linewidth=1)
    plain(axes, "x")
