"""`python -m harness demo mechanism`: why tuning on one thing loses another, in a table, three lines and a plot."""

from __future__ import annotations

from pathlib import Path

from harness.errors import HarnessError, shown_path

ROW = "{:<12} {:>12} {:>12} {:>12} {:>12}"


def mechanism(out: Path) -> int:
    """Run both experiments, print what they came to, and write the plot to `out` (SVG).

    Raises:
        HarnessError: the plot cannot be written there.
    """
    from harness.reporting.curves import Panel, curves
    from harness.reporting.figures import svg
    from harness.training.mechanism import resting_place, single_weight, two_capabilities

    if out.suffix != ".svg":
        raise HarnessError(f"--out {out}: the plot is SVG\n  name a file that ends in .svg")
    ways = two_capabilities()
    print("A network learns A, then is tuned on B. One layer is shared, each has a head of its own.\n")
    print(ROW.format("tuned by", "loss A was", "loss A is", "times worse", "loss B is"))
    for way in ways:
        print(
            ROW.format(
                way.name,
                f"{way.loss_a[0]:.4f}",
                f"{way.loss_a[-1]:.4f}",
                f"{way.times_worse:.1f}",
                f"{way.loss_b[-1]:.4f}",
            )
        )
    free, held = single_weight(), single_weight(importance=10.0)
    print("\nOne weight that A wants at 1 and B at -2:")
    print(
        f"  tuned on B alone, it goes from 1 to {free.weights[-1]:.2f}, and the loss on A from 0 to {free.loss_a:.2f}."
    )
    print(
        f"  held by EWC with an importance of 10, it rests at {held.weights[-1]:.2f} (in theory {resting_place(10.0):.2f}): "
        f"the loss on A is {held.loss_a:.2f}, that on B {held.loss_b:.2f} instead of {free.loss_b:.2f}."
    )
    print(
        "  What two capabilities share can only serve both where they agree; EWC chooses a place in between."
    )
    panels = [Panel(f"{way.name}: A {way.times_worse:.1f} × worse", way.loss_a, way.loss_b) for way in ways]
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(
            svg(curves(panels, "loss on A, learnt before", "loss on B, tuned on")), encoding="utf-8"
        )
    except OSError as error:
        raise HarnessError(f"{out}: cannot be written: {error.strerror}") from error
    print(f"\nplot: {shown_path(out)}")
    return 0
