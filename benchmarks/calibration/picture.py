"""Chances by flip rate and by drop in, a figure of two panels out, for pages of light and dark colours."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from benchmarks.calibration.policies import CURVE, CURVE_FLIPS, FLIPS
from harness.gate.decide import LEVEL
from harness.gate.policy import MAX_DROP_OVERALL
from harness.reporting.figures import INK, PAPER, QUIET, new_figure, svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BEFORE, NOW = "#c8591d", "#2f7fd0"
"""Legible on white and on black."""

DARK = {INK: "#e6e9ef", PAPER: "#0d1117"}


def figure(curves: Mapping[str, Mapping[str, Sequence[float]]]) -> Figure:
    """Two panels: red where nothing was lost, by flip rate; and where each probe's accuracy fell, by drop."""
    made = new_figure(9.6, 4.2)
    alarms, power = made.subplots(1, 2)
    _lines(alarms, [100 * flips for flips in FLIPS], curves["alarms"])
    alarms.axhline(100 * LEVEL, color=QUIET, linewidth=1, linestyle=":")
    alarms.annotate(f"{100 * LEVEL:g} %", (0.2, 100 * LEVEL + 1.5), color=QUIET, fontsize=9)
    _labels(alarms, "Red where nothing was lost", "answers that flip by chance, %")
    _lines(power, [100 * drop for drop in CURVE], curves["power"])
    margin = 100 * MAX_DROP_OVERALL
    power.axvline(margin, color=QUIET, linewidth=1, linestyle=":")
    power.annotate(f"{margin:g} points", (margin - 0.1, 96), color=QUIET, fontsize=9, ha="right")
    _labels(
        power,
        "Red where every probe lost as much",
        f"true drop, points ({100 * CURVE_FLIPS:g} % flips; no checklist)",
    )
    alarms.legend(frameon=False, fontsize=9, labelcolor=INK, loc="center right")
    made.tight_layout(w_pad=2.5)
    return made


def themed(document: str) -> str:
    """The figure's SVG, dark where the reader's system is."""
    style = "".join(
        f'[style*="{kind}: {light}"]{{{kind}:{dark}!important}}'
        for light, dark in DARK.items()
        for kind in ("fill", "stroke")
    )
    element = f"<style>@media (prefers-color-scheme: dark){{{style}}}</style>"
    return re.sub(r"(<svg\b[^>]*>)", lambda found: f"{found[1]}\n {element}", document, count=1)


def picture(curves: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """The SVG."""
    return themed(svg(figure(curves)))


def _lines(axes: Axes, x: Sequence[float], curves: Mapping[str, Sequence[float]]) -> None:
    for name, chances in curves.items():
        style: dict[str, Any] = {
            "color": NOW if name.endswith("now") else BEFORE,
            "linestyle": "--" if name.startswith("--") else "-",
        }
        axes.plot(
            x,
            [100 * chance for chance in chances],
            label=name,
            marker="o",
            markersize=4,
            linewidth=1.8,
            **style,
        )


def _labels(axes: Axes, title: str, below: str) -> None:
    axes.set_title(title, color=INK, fontsize=11, loc="left")
    axes.set_xlabel(below, color=INK, fontsize=10)
    axes.set_ylabel("% of runs", color=INK, fontsize=10)
    axes.set_ylim(-3, 103)
    axes.set_xlim(left=0)
    axes.set_facecolor(PAPER)
    axes.tick_params(colors=INK, labelsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(QUIET)
