"""One gate alone: its false alarms, power and RETAINED by number of probes, by what the baseline knows, and by clusters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from benchmarks.calibration.draw import Drawn, Truth, draw
from benchmarks.calibration.rules import (
    Rule,
    forgotten_by_holm,
    retained,
    slices,
    standing,
    threshold,
    unpaired,
)
from benchmarks.calibration.shape import Shape, shape
from benchmarks.tables import Table, percent
from harness.gate.cases import cases
from harness.gate.decide import LEVEL
from harness.scoring import SCORERS
from harness.stats.paired import least_to_retain
from harness.stats.power import Confirmed, power, probability_retained
from harness.suites.suite import MarginGate, Probe, Suite

SIZES = (30, 60, 100, 184, 336)
MARGINS = (0.05, 0.075, 0.10, 0.15)
FLIPS = (0.05, 0.10)
ACCURACIES = (0.3, 0.6, 0.9)
LOSSES = ((46, 0.15, 0.35), (184, 0.05, 0.15))
"""Probes, margin, and the share of what the baseline knew that may be lost: of a category and of a suite."""

TEMPLATES = ((184, 1.0), (12, 3.0), (40, 1.5), (40, 3.0))
"""How many clusters, and their design effect; the second and third have the same correlation within one."""

CLUSTERED, CLUSTERED_MARGIN, CLUSTERED_FLIPS = 184, 0.05, 0.10


def one_gate(n: int, max_drop: float, max_loss: float = 1.0, clusters: int | None = None) -> Shape:
    """A gate over `n` probes, independent unless they come in clusters."""
    gate = MarginGate(over="all", max_drop=max_drop, max_loss=max_loss)
    scorer = SCORERS["mentions"]()
    probes = tuple(
        Probe(str(i), scorer, cluster=None if clusters is None else str(i % clusters)) for i in range(n)
    )
    return shape(list(cases(Suite("one", (gate,), probes))))


def by_size(trials: int, random: np.random.Generator) -> Iterator[Table]:
    """Every policy over n and margin, a table a flip rate."""
    heading = (
        "probes, margin, red: confirmed, plan, drop > threshold, unpaired z, strict, RETAINED, plan, "
        "lost 2 margins: confirmed, plan, drop > threshold, unpaired z, FORGOTTEN"
    )
    for flips in FLIPS:
        rows = [_by_size(n, margin, flips, trials, random) for n in SIZES for margin in MARGINS]
        yield Table(
            f"One gate over independent probes, {100 * flips:g} % flips: chances in %",
            "On the left nothing was lost; on the right the true drop is twice the margin. `plan` enumerates the rule to its left. "
            "Margins in points; '-': not gated.",
            heading.split(", "),
            rows,
            (),
        )


def _by_size(n: int, margin: float, flips: float, trials: int, random: np.random.Generator) -> list[str]:
    size = [str(n), f"{100 * margin:g}"]
    if n < (least_to_retain(margin) or 0):
        return [*size, *["-"] * 12]
    run = one_gate(n, margin)
    same, worse = (draw(run, Truth(flips, drop), trials, random) for drop in (0.0, 2 * margin))
    rule = Confirmed(margin, LEVEL)
    chances = [
        _often(same, slices),
        power(n, 0.0, flips / 2, rule),
        *(_often(same, of) for of in (threshold, unpaired)),
        1 - _often(same, retained),
        _often(same, retained),
        probability_retained(n, margin, flips / 2),
        _often(worse, slices),
        power(n, 2 * margin, flips / 2, rule),
        *(_often(worse, of) for of in (threshold, unpaired, forgotten_by_holm)),
    ]
    return [*size, *map(percent, chances)]


def _often(drawn: Drawn, rule: Rule) -> float:
    return float(rule(drawn).mean())


def by_accuracy(trials: int, random: np.random.Generator) -> Table:
    """What `max_loss` adds, by how much the baseline knows."""
    rows = []
    for n, margin, loss in LOSSES:
        for accuracy in ACCURACIES:
            for flips in FLIPS:
                runs = one_gate(n, margin), one_gate(n, margin, loss)
                same, worse = (
                    Truth(flips, 0.0, known=accuracy),
                    Truth(flips, 2 * loss * accuracy, known=accuracy),
                )
                drawn = [
                    (draw(run, truth, trials, random), rule)
                    for truth, rule in ((same, slices), (same, retained), (worse, slices))
                    for run in runs
                ]
                gated = float(standing(drawn[1][0]).tested.mean())
                rows.append(
                    [
                        f"{n}, margin {100 * margin:g}, max_loss {loss:g}", f"{100 * accuracy:g} %", f"{100 * flips:g} %",
                        percent(gated), *(percent(_often(*each)) for each in drawn),
                    ]
                )  # fmt: skip
    heading = (
        "gate, baseline right on, flips, gated, red: max_drop alone, with max_loss, RETAINED: max_drop alone, with max_loss, "
        "lost 2 max_loss: max_drop alone, with max_loss"
    )
    text = "At first nothing was lost; in the last two columns twice `max_loss` of what the baseline knew."
    gate, *others = heading.split(", ")
    return Table("A share of what the baseline knew: chances in %", text, [gate, *others], rows)


def by_clusters(trials: int, random: np.random.Generator) -> Table:
    """Probes that go together, taken as independent and as the gate takes them."""
    n, margin, flips = CLUSTERED, CLUSTERED_MARGIN, CLUSTERED_FLIPS
    rows = []
    for clusters, effect in TEMPLATES:
        run, plain = one_gate(n, margin, clusters=clusters), one_gate(n, margin)
        correlation = (effect - 1) / (n / clusters - 1) if clusters < n else 0.0
        chances = []
        for drop, rule in ((0.0, slices), (margin, retained), (2 * margin, slices)):
            drawn = draw(run, Truth(flips, drop, common=correlation**0.5), trials, random)
            chances += [_often(replace(drawn, shape=plain), rule), _often(drawn, rule)]
        rows.append([str(clusters), f"{effect:g}", f"{correlation:.2f}", *map(percent, chances)])
    heading = (
        "clusters, design effect, correlation within one, nothing lost, red: as independent, clustered, "
        "drop = margin, RETAINED: as independent, clustered, drop = 2 margins, red: as independent, clustered"
    )
    text = f"{n} probes, margin {100 * margin:g} points, {100 * flips:g} % flips. RETAINED is false there, and should be at most 5 %."
    columns = heading.replace(", red", " red").replace(", RETAINED", " RETAINED").split(", ")
    return Table("Probes that go together: chances in %", text, columns, rows, ())
