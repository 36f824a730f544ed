"""The record of a sweep in; a plot of gain against drop, with intervals and the Pareto front, out.

Names are in a column on the right, each tied to its point by a line, because good recipes lie close together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from harness.reporting.figures import INK, PAPER, QUIET, new_figure
from harness.sweep.record import MeasuredRow, RecipeRow, SweepRecord
from harness.visible import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 8.6
"""Inches."""

BEST, LESS, WORST = "#2f6fde", QUIET, "#c8503c"
"""The colours of ranked recipes, of those that learnt less, and of the reference."""

MARKERS = {"less": "^", "cannot be told": "D"}
"""By how the gain compares with the largest one; a circle for any other."""

LONGEST = 26
"""A longer name is cut."""

Entry = tuple[str, dict[str, Any]]
"""The meaning of a mark, and the mark as matplotlib's `Line2D` takes it."""


def pareto(record: SweepRecord) -> Figure | None:
    """The plot; None if nothing was measured."""
    rows = record.measured
    if not rows:
        return None
    height = max(4.4, 1.6 + 0.27 * len(rows))
    figure = new_figure(WIDTH, height)
    axes = figure.add_axes((0.085, 0.62 / height, 0.62, 1 - 1.12 / height))
    enough = None
    if record.unranked is None:
        enough = 100 * record.matched * max(measured.gain for _, measured in rows)
    _limits(axes, record, [measured for _, measured in rows], enough)
    _lines(axes, record, enough)
    for row, measured in rows:
        _point(axes, record, row, measured)
    _names(axes, record, rows, height)
    _legend(figure, record, height)
    return figure


def _limits(axes: Axes, record: SweepRecord, measured: Sequence[MeasuredRow], enough: float | None) -> None:
    """Room for every interval, for the gain that is enough (in points), for no drop at all and for the margin."""
    gains = [100 * value for row in measured for value in row.gain_interval]
    gains += [] if enough is None else [enough]
    drops = [0, 100 * record.margin, *(100 * value for row in measured for value in row.drop_interval)]
    set_up(axes, gains, drops)


def set_up(axes: Axes, gains: Sequence[float], drops: Sequence[float]) -> None:
    """Axes of gain and drop with room for these, in points."""
    for values, set_limits in ((gains, axes.set_xlim), (drops, axes.set_ylim)):
        low, high = min(values), max(values)
        room = 0.05 * max(high - low, 1)
        set_limits(low - room, high + room)
    axes.set_xlabel("gain on the target task, points (right is better)", color=INK)
    axes.set_ylabel("drop in general, points (low is better)", color=INK)
    plain(axes, "both")


def plain(axes: Axes, grid: Literal["both", "x", "y"]) -> None:
    """A faint grid, and a frame at the left and the bottom only."""
    axes.tick_params(colors=INK)
    axes.grid(visible=True, axis=grid, color=QUIET, alpha=0.18, linewidth=0.8)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(QUIET)


def _lines(axes: Axes, record: SweepRecord, enough: float | None) -> None:
    """Lines at no drop, at the margin, and at the gain that is `enough` for drops to be compared."""
    axes.axhline(0, color=QUIET, linewidth=1)
    axes.axhline(100 * record.margin, color=WORST, linewidth=1, linestyle=(0, (4, 3)))
    left = axes.get_xlim()[0]
    axes.annotate(
        f"margin {100 * record.margin:g}", (left, 100 * record.margin), (3, 3), textcoords="offset points",
        color=WORST, fontsize=8.5,
    )  # fmt: skip
    if enough is not None:
        axes.axvline(enough, color=QUIET, linewidth=1, linestyle=(0, (1, 2)))
        axes.annotate(
            f"{100 * record.matched:g} % of the best gain", (enough, axes.get_ylim()[1]), (0, 3),
            textcoords="offset points", color=QUIET, fontsize=8.5, ha="center", annotation_clip=False,
        )  # fmt: skip


def _colour(record: SweepRecord, row: RecipeRow) -> str:
    if row.name == record.reference:
        return WORST
    return LESS if row.learning == "less" else BEST


def _point(axes: Axes, record: SweepRecord, row: RecipeRow, measured: MeasuredRow) -> None:
    gain, drop = measured.gain, measured.drop
    colour, marker = _colour(record, row), MARKERS.get(row.learning or "", "o")
    axes.errorbar(
        [100 * gain], [100 * drop],
        xerr=reach(gain, measured.gain_interval), yerr=reach(drop, measured.drop_interval),
        fmt="none", ecolor=colour, elinewidth=1, capsize=2, alpha=0.5, zorder=2,
    )  # fmt: skip
    axes.plot(
        [100 * gain], [100 * drop], linestyle="", marker=marker, markersize=8, color=colour,
        markerfacecolor=colour if row.front else PAPER, markeredgewidth=1.6, zorder=4 if row.front else 3,
    )  # fmt: skip


def reach(value: float, interval: tuple[float, float]) -> Any:
    """How far an interval reaches below and above its value, in points, in the form that errorbar takes."""
    return [[max(0.0, 100 * (value - interval[0]))], [max(0.0, 100 * (interval[1] - value))]]


def _names(
    axes: Axes, record: SweepRecord, rows: Sequence[tuple[RecipeRow, MeasuredRow]], height: float
) -> None:
    """A column of names at the right, in the order of the drops, with lines to the points."""
    low, high = axes.get_ylim()
    inner = height * axes.get_position().height
    by_drop = sorted(rows, key=lambda pair: pair[1].drop)
    wanted = [(100 * measured.drop - low) / (high - low) for _, measured in by_drop]
    for (row, measured), at in zip(by_drop, spread_out(wanted, 0.25 / inner), strict=True):
        colour = _colour(record, row)
        axes.annotate(
            "", (100 * measured.gain, 100 * measured.drop), (1.03, at), xycoords="data",
            textcoords="axes fraction", annotation_clip=False, zorder=2,
            arrowprops={"arrowstyle": "-", "color": colour, "alpha": 0.45, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 5},
        )  # fmt: skip
        name = visible(row.name)
        name = name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"
        place = "" if row.rank is None else f"{row.rank}  "
        axes.text(
            1.04, at, f"{place}{name}", transform=axes.transAxes, color=INK if colour == BEST else colour,
            fontsize=9.5, va="center", parse_math=False,
        )  # fmt: skip


def spread_out(wanted: Sequence[float], apart: float) -> list[float]:
    """Places in [0, 1] in the order of `wanted`, at least `apart` from each other and as near to it as that allows.

    `wanted` ascends. Places that are too near are moved apart around their mean, as blocks.
    """
    apart = min(apart, 1 / max(1, len(wanted) - 1)) if len(wanted) > 1 else 0.0
    blocks: list[list[float]] = []
    for value in wanted:
        blocks.append([value])
        while len(blocks) > 1 and _bottom(blocks[-1], apart) < _top(blocks[-2], apart) + apart - 1e-12:
            last = blocks.pop()
            blocks[-1] += last
    return [_bottom(block, apart) + apart * place for block in blocks for place in range(len(block))]


def _bottom(block: Sequence[float], apart: float) -> float:
    """Where a block begins: around the mean of what its members want, within [0, 1]."""
    reach = apart * (len(block) - 1)
    return min(max(sum(block) / len(block) - reach / 2, 0.0), 1.0 - reach)


def _top(block: Sequence[float], apart: float) -> float:
    return _bottom(block, apart) + apart * (len(block) - 1)


def _legend(figure: Figure, record: SweepRecord, height: float) -> None:
    """The meaning of the marks, above the plot; only the marks that occur."""
    learning = {row.learning for row, _ in record.measured}
    entries: list[Entry] = [
        ("Pareto front", {"marker": "o", "color": BEST, "markerfacecolor": BEST}),
        ("beaten by another", {"marker": "o", "color": BEST, "markerfacecolor": PAPER}),
    ]
    if "cannot be told" in learning:
        entries.append(
            ("learnt less?", {"marker": MARKERS["cannot be told"], "color": BEST, "markerfacecolor": PAPER})
        )
    if "less" in learning:
        entries.append(("learnt less", {"marker": MARKERS["less"], "color": LESS, "markerfacecolor": PAPER}))
    if record.reference is not None:
        entries.append(("reference", {"marker": "o", "color": WORST, "markerfacecolor": PAPER}))
    add_legend(figure, entries, height, 1.6)


def add_legend(figure: Figure, entries: Sequence[Entry], height: float, between: float) -> None:
    """Marks and their meanings in a line above a plot of this height, `between` them so many times the size of its letters."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], linestyle="", markersize=7, label=label, **style) for label, style in entries]
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.07, 1 - 0.02 / height), ncols=len(handles), frameon=False,
        labelcolor=INK, fontsize=9, handletextpad=0.2, columnspacing=between,
    )  # fmt: skip
