"""The record of a repair in; a plot of gain against drop on the selection probes, and of the confirmed result, out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.repair.record import CandidateRow, EffectRow, RepairRecord
from harness.reporting.figures import INK, PAPER, QUIET, new_figure
from harness.sweep.pareto_plot import Entry, add_legend, reach, set_up, spread_out
from harness.sweep.ranking import pareto_front
from harness.visible import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 8.6
"""Inches."""

GOOD, CONFIRMED, BAD = "#2f6fde", "#1d8a5b", "#c8503c"
LONGEST = 36
"""A longer name is cut."""


def pareto(record: RepairRecord) -> Figure | None:
    """The plot; None if no drop was measured."""
    rows = [row for row in record.candidates if row.effect.drop is not None]
    if not rows:
        return None
    height = max(4.4, 1.6 + 0.25 * len(rows))
    figure = new_figure(WIDTH, height)
    axes = figure.add_axes((0.085, 0.62 / height, 0.56, 1 - 1.12 / height))
    front = pareto_front(
        {row.name: (row.effect.gain, row.effect.drop) for row in rows if row.effect.drop is not None}
    )
    confirmed = None if record.confirmed is None else record.confirmed.effect
    _axes(axes, record, [row.effect for row in rows], confirmed)
    for row in rows:
        colour = GOOD if row.standing == "passes" else BAD if row is record.candidates[0] else QUIET
        _point(axes, row.effect, colour, filled=row.name in front)
    if confirmed is not None and confirmed.drop is not None:
        _point(axes, confirmed, CONFIRMED, filled=True, marker="D")
    _names(axes, record, rows, height)
    _legend(figure, height, confirmed is not None)
    return figure


def _axes(
    axes: Axes, record: RepairRecord, effects: Sequence[EffectRow], confirmed: EffectRow | None
) -> None:
    shown = [*effects, confirmed] if confirmed is not None else effects
    gains = [100 * bound for effect in shown for bound in effect.gain_interval]
    drops = [100 * bound for effect in shown for bound in effect.drop_interval or ()]
    set_up(axes, [0, *gains], [0, 100 * record.margin, *drops])
    axes.axhline(0, color=QUIET, linewidth=1)
    axes.axhline(100 * record.margin, color=BAD, linewidth=1, linestyle=(0, (4, 3)))


def _point(axes: Axes, effect: EffectRow, colour: str, *, filled: bool, marker: str = "o") -> None:
    assert effect.drop is not None, "only what was measured is drawn"
    assert effect.drop_interval is not None, "a drop has an interval"
    axes.errorbar(
        [100 * effect.gain], [100 * effect.drop],
        xerr=reach(effect.gain, effect.gain_interval), yerr=reach(effect.drop, effect.drop_interval),
        fmt="none", ecolor=colour, elinewidth=1, capsize=2, alpha=0.4, zorder=2,
    )  # fmt: skip
    axes.plot(
        [100 * effect.gain], [100 * effect.drop], linestyle="", marker=marker, markersize=8, color=colour,
        markerfacecolor=colour if filled else PAPER, markeredgewidth=1.6, zorder=4,
    )  # fmt: skip


def _names(axes: Axes, record: RepairRecord, rows: Sequence[CandidateRow], height: float) -> None:
    """A column of names at the right, in the order of the drops, with lines to the points."""
    low, high = axes.get_ylim()
    inner = height * axes.get_position().height
    by_drop = sorted(rows, key=lambda row: row.effect.drop or 0.0)
    wanted = [(100 * (row.effect.drop or 0.0) - low) / (high - low) for row in by_drop]
    for row, at in zip(by_drop, spread_out(wanted, 0.23 / inner), strict=True):
        chosen = row.name == record.chosen
        axes.annotate(
            "", (100 * row.effect.gain, 100 * (row.effect.drop or 0.0)), (1.03, at), xycoords="data",
            textcoords="axes fraction", annotation_clip=False, zorder=1,
            arrowprops={"arrowstyle": "-", "color": QUIET, "alpha": 0.4, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 5},
        )  # fmt: skip
        name = visible(row.name)
        name = name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"
        axes.text(
            1.04, at, f"{name}{'  (chosen)' if chosen else ''}", transform=axes.transAxes, color=CONFIRMED if chosen else INK,
            fontsize=9, va="center", parse_math=False,
        )  # fmt: skip


def _legend(figure: Figure, height: float, confirmed: bool) -> None:
    """The meaning of the marks, above the plot."""
    entries: list[Entry] = [
        ("passes", {"marker": "o", "color": GOOD, "markerfacecolor": PAPER}),
        ("does not", {"marker": "o", "color": QUIET, "markerfacecolor": PAPER}),
        ("as tuned", {"marker": "o", "color": BAD, "markerfacecolor": PAPER}),
        ("filled: Pareto front", {"marker": "o", "color": GOOD, "markerfacecolor": GOOD}),
    ]
    if confirmed:
        entries.append(
            ("confirmed on other probes", {"marker": "D", "color": CONFIRMED, "markerfacecolor": CONFIRMED})
        )
    add_legend(figure, entries, height, 1.4)
