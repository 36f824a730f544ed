"""Loss curves of both tasks in, a figure with a panel for each way of tuning out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.reporting.figures import INK, QUIET, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LOST, LEARNT = "#c8503c", "#2f6fde"
"""Distinguishable by the colour-blind; the second curve is dashed as well."""


@dataclass(frozen=True)
class Panel:
    """One way of tuning: its title, and both losses before the first step and after each."""

    title: str
    lost: Sequence[float]
    learnt: Sequence[float]


def curves(panels: Sequence[Panel], lost: str, learnt: str) -> Figure:
    """The plot, on a logarithmic axis; `lost` and `learnt` name the two curves."""
    figure = new_figure(2.7 * len(panels) + 0.6, 3.6)
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axis, panel in zip(axes, panels, strict=True):
        axis.plot(panel.lost, color=LOST, linewidth=1.8, label=lost)
        axis.plot(panel.learnt, color=LEARNT, linewidth=1.8, linestyle="--", label=learnt)
        axis.axhline(panel.lost[0], color=QUIET, linewidth=1.2, linestyle=":", label=f"{lost}: at first")
        axis.set_yscale("log")
        axis.set_title(panel.title, color=INK, fontsize=9.5)
        axis.set_xlabel("steps of tuning on B", color=INK)
        axis.tick_params(colors=INK)
        axis.grid(visible=True, color=QUIET, alpha=0.18, linewidth=0.8)
        for spine in axis.spines.values():
            spine.set_color(QUIET)
    axes[0].set_ylabel("loss, nats", color=INK)
    handles, labels = axes[0].get_legend_handles_labels()
    legend = figure.legend(handles, labels, loc="lower center", ncols=3, frameon=False)
    for text in legend.get_texts():
        text.set_color(INK)
    figure.tight_layout(rect=(0, 0.08, 1, 1))
    return figure
