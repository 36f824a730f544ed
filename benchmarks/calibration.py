"""How often a run over the shipped suites turns red, with and without a true drop, by several rules: simulated and enumerated.

python benchmarks/calibration.py [TRIALS] [SEED]

A trial draws what becomes of every probe: lost with the true drop and half the flip rate, gained with half the flip rate. A run
is red where any gate fails. The baseline is taken to know enough for no gate to be VACUOUS.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from harness.evaluation.sample import sampled
from harness.gate.cases import Case, cases
from harness.scoring import SCORERS
from harness.stats.multiple import holm
from harness.stats.paired import ROUNDING, least_to_retain, mid_p_values, tango_z
from harness.stats.power import AnyLost, Confirmed, OverMargin, power
from harness.suites.read import read_suite
from harness.suites.suite import MarginGate
from harness.tables import aligned

SUITES = Path(__file__).parents[1] / "suites"
FLIPS = (0.02, 0.05, 0.10, 0.20, 0.25)
DROPS = (0.03, 0.05)
HURT = 0.30
MARGIN_OVERALL, LEVEL_OVERALL, LEVEL = 0.03, 0.01, 0.05
KNOWN = 0.60
"""The baseline's accuracy, for the tests that need one."""

Counts = NDArray[np.int64]
Fails = NDArray[np.bool_]


@dataclass(frozen=True)
class Shape:
    """What a run asks.

    Attributes:
        cells: the probes of each suite and category, shape (cells,).
        of: which cells each gate is over, shape (gates, cells).
        margins: of each gate, shape (gates,), fractions.
        checklist: how many probes are cases of their own.
    """

    cells: Counts
    of: NDArray[np.int64]
    margins: NDArray[np.float64]
    checklist: int

    @property
    def n(self) -> Counts:
        """The probes of each gate."""
        return self.of @ self.cells

    @property
    def decides(self) -> Fails:
        """Whether RETAINED is possible at each gate."""
        return np.array([n >= (least_to_retain(m) or 0) for n, m in zip(self.n, self.margins, strict=True)])


@dataclass(frozen=True)
class Drawn:
    """What became of the probes in each trial: counts by cell, shape (trials, cells), and lost items of the checklist."""

    shape: Shape
    lost_cells: Counts
    gained_cells: Counts
    lost_items: Counts

    @property
    def lost(self) -> Counts:
        """By gate, shape (trials, gates)."""
        return self.lost_cells @ self.shape.of.T

    @property
    def gained(self) -> Counts:
        return self.gained_cells @ self.shape.of.T


def proposed_margin(case: Case) -> float:
    """5 points for a suite of 184 probes or more, 7.5 for a smaller one, 15 for a category."""
    if case.gate.over == "category":
        return 0.15
    return 0.05 if len(case.suite.probes) >= 184 else 0.075


def written_margin(case: Case) -> float:
    """What the suite says."""
    return case.gate.max_drop if isinstance(case.gate, MarginGate) else 0.0


def shape(n: int | None, margin: Callable[[Case], float] = written_margin) -> Shape:
    """The shape of a run over the shipped suites, or over a sample of `n` of their probes."""
    found = [case for path in sorted(SUITES.glob("*.yaml")) for case in cases(read_suite(path, SCORERS))]
    kept = list(sampled(found, n, seed=0))
    gates = [case for case in kept if isinstance(case.gate, MarginGate)]
    sizes = [_cells(case) for case in gates]
    whole = Counter[tuple[str, str | None]]()
    for size in sizes:
        whole |= size
    keys = list(whole)
    return Shape(
        np.array([whole[key] for key in keys]),
        np.array([[key in size for key in keys] for size in sizes], dtype=np.int64),
        np.array([margin(case) for case in gates]),
        len(kept) - len(gates),
    )


def _cells(case: Case) -> Counter[tuple[str, str | None]]:
    return Counter((case.suite.name, probe.category) for probe in case.probes)


def draw(
    run: Shape, drop: float | NDArray[np.float64], flips: float, trials: int, random: np.random.Generator
) -> Drawn:
    """Trials of a run; `drop` is that of all probes, or of each cell."""
    lost_rate = np.broadcast_to(np.asarray(drop) + flips / 2, run.cells.shape)
    rates = np.stack([lost_rate, np.full_like(lost_rate, flips / 2), 1 - lost_rate - flips / 2], axis=-1)
    counts = random.multinomial(run.cells, rates, size=(trials, len(run.cells)))
    items = random.binomial(run.checklist, float(np.mean(lost_rate)), size=trials)
    return Drawn(run, counts[..., 0], counts[..., 1], items)


# Rules: what a run drew in, which gates fail out, shape (trials, gates).


def present(drawn: Drawn) -> Fails:
    return _each(drawn, lambda margin: OverMargin(margin))


def strict(drawn: Drawn) -> Fails:
    return _each(drawn, lambda margin: OverMargin(margin, "fail"))


def checklist(drawn: Drawn) -> Fails:
    return (drawn.lost_items > 0)[:, None]


def overall(drawn: Drawn) -> Fails:
    rule, n = Confirmed(MARGIN_OVERALL, LEVEL_OVERALL), int(drawn.shape.cells.sum())
    return rule.fails(drawn.lost_cells.sum(-1), drawn.gained_cells.sum(-1), n)[:, None]


def slices(drawn: Drawn) -> Fails:
    """Over the margin and confirmed by Holm's mid-p over the gates that can decide."""
    decides = drawn.shape.decides
    adjusted = np.ones(drawn.lost.shape)
    adjusted[:, decides] = holm(mid_p_values(drawn.lost[:, decides], drawn.gained[:, decides]))
    return _over(drawn) & (adjusted <= LEVEL)


def slices_of_all(drawn: Drawn) -> Fails:
    """The same, but Holm counts the gates that cannot decide too."""
    return _over(drawn) & (holm(mid_p_values(drawn.lost, drawn.gained)) <= LEVEL) & drawn.shape.decides


def forgotten_by_holm(drawn: Drawn) -> Fails:
    """The whole interval above the margin at Holm's level: for comparison."""
    columns = [
        1 - ndtr(tango_z(lost, gained, int(n), float(margin)))
        for lost, gained, n, margin in zip(
            drawn.lost.T, drawn.gained.T, drawn.shape.n, drawn.shape.margins, strict=True
        )
    ]
    return holm(np.stack(columns, axis=-1)) <= LEVEL


def threshold(drawn: Drawn) -> Fails:
    """The plain rule: any observed drop over the margin, whatever n."""
    return _over(drawn)


def unpaired(drawn: Drawn) -> Fails:
    """Two accuracies as if of other probes: a one-sided z test at 5 % that there is a drop."""
    drop = (drawn.lost - drawn.gained) / drawn.shape.n
    tuned = np.clip(KNOWN - drop, 0, 1)
    error = np.sqrt((KNOWN * (1 - KNOWN) + tuned * (1 - tuned)) / drawn.shape.n)
    return drop / error > 1.6448536


def _over(drawn: Drawn) -> Fails:
    found: Fails = (drawn.lost - drawn.gained) / drawn.shape.n > drawn.shape.margins + ROUNDING
    return found


def _each(drawn: Drawn, rule: Callable[[float], OverMargin]) -> Fails:
    return np.stack(
        [
            rule(float(margin)).fails(lost, gained, int(n))
            for lost, gained, n, margin in zip(
                drawn.lost.T, drawn.gained.T, drawn.shape.n, drawn.shape.margins, strict=True
            )
        ],
        axis=-1,
    )


RULES: dict[str, tuple[Callable[[Drawn], Fails], ...]] = {
    "present": (present,),
    "present + checklist": (present, checklist),
    "strict": (strict,),
    "strict + checklist": (strict, checklist),
    "overall": (overall,),
    "slices": (slices,),
    "overall + slices": (overall, slices),
    "the same, Holm over all": (overall, slices_of_all),
    "forgotten by Holm": (forgotten_by_holm,),
    "threshold": (threshold,),
    "unpaired": (unpaired,),
}


def red(drawn: Drawn, rules: Sequence[Callable[[Drawn], Fails]]) -> float:
    """The share of trials in which any gate fails."""
    return float(np.concatenate([rule(drawn) for rule in rules], axis=1).any(axis=1).mean())


def categories(run: Shape, flips: float, trials: int, random: np.random.Generator) -> dict[str, float]:
    """How often a run is red in which one category alone is down, over all categories; and how often its own gate is."""
    single = np.flatnonzero(run.of.sum(1) == 1)
    found: dict[str, list[float]] = {}
    for gate in single:
        drawn = draw(run, HURT * run.of[gate], flips, max(100, trials // len(single)), random)
        for name, rules in RULES.items():
            found.setdefault(name, []).append(red(drawn, rules))
        for own in (present, slices, forgotten_by_holm):
            found.setdefault(f"own gate, {own.__name__}", []).append(float(own(drawn)[:, gate].mean()))
    return {name: float(np.mean(values)) for name, values in found.items()}


def enumerated(run: Shape, drop: float, flips: float) -> dict[str, float]:
    """The same by enumeration, as if gates were independent: for false alarms, at most so often."""

    def any_of(chances: list[float]) -> float:
        return 1 - float(np.prod([1 - chance for chance in chances]))

    sizes = [(int(n), float(margin)) for n, margin in zip(run.n, run.margins, strict=True)]
    deciding = [size for size, decides in zip(sizes, run.decides, strict=True) if decides]
    gain = flips / 2
    return {
        "present": any_of([power(n, drop, gain, OverMargin(m)) for n, m in sizes]),
        "strict": any_of([power(n, drop, gain, OverMargin(m, "fail")) for n, m in sizes]),
        "checklist": power(run.checklist, drop, gain, AnyLost()),
        "overall": power(int(run.cells.sum()), drop, gain, Confirmed(MARGIN_OVERALL, LEVEL_OVERALL)),
        "slices, Bonferroni": any_of(
            [power(n, drop, gain, Confirmed(m, LEVEL / len(deciding))) for n, m in deciding]
        ),
    }


def table(run: Shape, trials: int, random: np.random.Generator) -> list[tuple[str, ...]]:
    """A line a rule, a column a truth; in % of trials."""
    columns: list[tuple[str, dict[str, float]]] = []
    for drop in (0.0, *DROPS):
        for flips in FLIPS:
            drawn = draw(run, drop, flips, trials, random)
            cell = {name: red(drawn, rules) for name, rules in RULES.items()}
            cell |= {f"enumerated: {name}": value for name, value in enumerated(run, drop, flips).items()}
            columns.append((f"{100 * drop:g}/{100 * flips:g}", cell))
    columns += [
        (f"one {100 * HURT:g}/{100 * flips:g}", categories(run, flips, trials, random)) for flips in FLIPS
    ]
    names = dict.fromkeys(name for _, cell in columns for name in cell)
    return [
        ("drop/flips", *(title for title, _ in columns)),
        *((name, *(f"{100 * c[name]:.1f}" if name in c else "" for _, c in columns)) for name in names),
    ]


def main(trials: int, seed: int) -> None:
    """Print the tables."""
    began = time.monotonic()
    for n, margin in product((None, 300), (written_margin, proposed_margin)):
        run = shape(n, margin)
        print(
            f"{'Full run' if n is None else f'--sample {n}'}, {margin.__name__}: {run.cells.sum()} probes in {len(run.cells)} categories, "
            f"{len(run.margins)} gates, of which {run.decides.sum()} can decide, and {run.checklist} items; {trials} trials a cell"
        )
        print("\n".join(aligned(table(run, trials, np.random.default_rng(seed)), {0})), end="\n\n")
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main(*(int(value) for value in (sys.argv[1:] + ["4000", "1"][len(sys.argv) - 1 :])))
