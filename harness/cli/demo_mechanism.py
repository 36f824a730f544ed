"""`demo mechanism`: why tuning on one task loses another, in a table, three lines and a plot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.options import NAME_ANOTHER
from harness.errors import HarnessError, shown_path
from harness.reporting.figures import png, svg
from harness.reporting.mechanism_plot import Panel, curves
from harness.terminal import show
from harness.writing import write_wanted

if TYPE_CHECKING:
    from harness.training.mechanism import Curve

ROW = "{:<12} {:>12} {:>12} {:>12} {:>12}"
KINDS = (".svg", ".png")


def mechanism(out: Path) -> int:
    """Run both experiments, print their results, and write the plot to `out` (SVG or PNG); 0.

    Raises:
        HarnessError: the plot cannot be written there.
    """
    from harness.training.mechanism import two_capabilities

    if out.suffix not in KINDS:
        raise HarnessError(f"--out {out}: the plot is SVG or PNG\n  name a file that ends in .svg or .png")
    ways = two_capabilities()
    _print_table(ways)
    _print_single_weight()
    _write(out, panels(ways))
    show(f"\nplot: {shown_path(out)}")
    return 0


def panels(ways: Sequence[Curve]) -> list[Panel]:
    """A panel for each way of tuning, with its final losses in the title."""
    return [
        Panel(
            f"{way.name}: A {way.times_worse:.1f} times worse\n"
            f"A {way.loss_a[0]:.4f} → {way.loss_a[-1]:.4f}, B {way.loss_b[-1]:.4f}",
            way.loss_a,
            way.loss_b,
        )
        for way in ways
    ]


def _print_table(ways: Sequence[Curve]) -> None:
    from harness.training.mechanism import AGGRESSIVE, LOW, STEPS

    show("A network learns A, then is tuned on B. They share one layer, and each has a head of its own.\n")
    show(ROW.format("tuned by", "loss A was", "loss A is", "times worse", "loss B is"))
    for way in ways:
        losses = [f"{loss:.4f}" for loss in (way.loss_a[0], way.loss_a[-1])]
        show(ROW.format(way.name, *losses, f"{way.times_worse:.1f}", f"{way.loss_b[-1]:.4f}"))
    early = round(STEPS * LOW / AGGRESSIVE)
    aggressive = next(way for way in ways if way.name == "aggressive")
    show(
        f"\nThe low rate learns B less: the aggressive one gets as far in {early} of its {STEPS} steps, "
        f"with A at {aggressive.loss_a[early]:.4f} and B at {aggressive.loss_b[early]:.4f}."
    )


def _print_single_weight() -> None:
    from harness.training.mechanism import resting_place, single_weight

    free, bound = single_weight(), single_weight(importance=10.0)
    show("\nOne weight that A wants at 1 and B at -2:")
    show(
        f"  tuned on B alone, it goes from 1 to {free.weights[-1]:.2f}, and the loss on A from 0 to {free.loss_a:.2f}."
    )
    show(
        f"  with EWC and an importance of 10, it rests at {bound.weights[-1]:.2f} (in theory {resting_place(10.0):.2f}): "
        f"the loss on A is {bound.loss_a:.2f}, that on B {bound.loss_b:.2f} instead of {free.loss_b:.2f}."
    )
    show("  A shared weight serves both tasks only where they agree; EWC settles in between.")


def _write(out: Path, drawn: Sequence[Panel]) -> None:
    figure = curves(drawn, "loss on A, learnt before", "loss on B, tuned on")
    content = png(figure) if out.suffix == ".png" else svg(figure)
    write_wanted(out, content, NAME_ANOTHER)
