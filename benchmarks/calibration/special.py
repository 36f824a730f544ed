"""Gates that ask more than once: the checklist, by what was lost, and a comparison that stops early, by its looks."""

from __future__ import annotations

import numpy as np

from benchmarks.calibration.draw import Truth, draw
from benchmarks.calibration.policies import FLIPS, red
from benchmarks.calibration.rules import checklist, checklist_before
from benchmarks.calibration.shape import Array, Fails, shape, shipped
from benchmarks.tables import Table, percent
from harness.gate.cases import cases
from harness.stats.checklist import chance_red, lost_by_majority
from harness.stats.paired import ROUNDING, tango_z
from harness.stats.power import OverMargin, power
from harness.stats.sequential import LEVEL, betting_capital, boundaries, course, look_sizes
from harness.suites.suite import EachGate

SHARED = 0.3
"""The correlation of the asks of one item, where they do not flip independently."""

CORRELATED = 4
"""The column of that chance."""

SEQUENTIAL = ((336, 0.10), (184, 0.05), (46, 0.15))
SEQUENTIAL_FLIPS = 0.05
HOPELESS = 0.50


def by_items(trials: int, random: np.random.Generator) -> Table:
    """The shipped checklist: how often it is red, by flip rate and by what was lost for good."""
    run = shape([case for suite in shipped() for case in cases(suite) if isinstance(case.gate, EachGate)])
    critical = np.array([case.severity == "critical" for case in run.items])
    none = np.zeros(len(run.items))
    three, hard = none.copy(), none.copy()
    three[np.flatnonzero(~critical)[:3]] = 1
    hard[np.flatnonzero(critical)[:1]] = 1

    def enumerated(flips: float, lost: Array) -> float:
        chance = np.array(
            [
                lost_by_majority(int(asks), 1 - flips / 2 if gone else flips / 2)
                for asks, gone in zip(run.asks, lost, strict=True)
            ]
        )
        return chance_red(chance[critical], chance[~critical])

    rows = []
    for flips in FLIPS:
        same = draw(run, Truth(flips), trials, random)
        alike = draw(run, Truth(flips, same_words=SHARED**0.5), trials, random)
        lost = draw(run, Truth(flips, lost_items=three), trials, random)
        one = draw(run, Truth(flips, lost_items=hard), trials, random)
        chances = [
            red(same, (checklist_before,)), red(same, (checklist,)), enumerated(flips, none), red(alike, (checklist,)),
            red(lost, (checklist,)), enumerated(flips, three), red(one, (checklist,)), enumerated(flips, hard),
        ]  # fmt: skip
        rows.append([f"{100 * flips:g} %", *map(percent, chances)])
    heading = [
        "flips", "nothing lost: before", "now", "plan", f"asks correlate by {SHARED:g}", "three lost", "plan",
        "one critical lost", "plan",
    ]  # fmt: skip
    text = (
        f"{len(run.items)} items, {critical.sum()} of them critical, each asked {run.asks.min()} times in all if it is lost at first. "
        "Each ask flips by itself, half of the flips each way: so at 10 % flips an ask shows the truth in 95 %. The three "
        "lost items are not critical."
    )
    return Table("The checklist: red, in % of runs", text, heading, rows, ())


def by_looks(trials: int, random: np.random.Generator) -> Table:
    """A comparison that is looked at four times, against one look at the end."""
    gain = SEQUENTIAL_FLIPS / 2
    rows = []
    for n, margin in SEQUENTIAL:
        for drop in (0.0, margin, 2 * margin):
            found = course(look_sizes(n), margin, drop, gain)
            kept, lost, asked = _simulated(n, margin, drop, gain, trials, random)
            once = [
                1 - power(n, drop, gain, OverMargin(margin, "fail")),
                power(n, drop, gain, OverMargin(margin, "pass")),
            ]
            chances = [sum(found.retained), kept, once[0], sum(found.forgotten), lost, once[1]]
            asks = [f"{found.expected_n:.0f}", f"{asked:.0f}"]
            rows.append([f"{n}, margin {100 * margin:g}", f"{100 * drop:g}", *map(percent, chances), *asks])
    heading = "gate, true drop, RETAINED, simulated, one look, FORGOTTEN, simulated, one look, probes asked, simulated"
    text = (
        f"{100 * SEQUENTIAL_FLIPS:g} % flips. At a true drop of just the margin, each side may be wrong in {100 * LEVEL:g} % of runs, all looks "
        f"together. {_betting(trials, random)}"
    )
    return Table("Stopping early: chances in %", text, heading.split(", "), rows)


def _simulated(
    n: int, margin: float, drop: float, gain: float, trials: int, random: np.random.Generator
) -> tuple[float, float, float]:
    """How often it ends RETAINED and FORGOTTEN, and after how many probes on average."""
    looks = look_sizes(n)
    bounds = boundaries(tuple(look / n for look in looks))
    counts = np.zeros((trials, 2), dtype=np.int64)  # lost and gained
    verdict, ended, before = np.zeros(trials), np.full(trials, n), 0
    for look, bound in zip(looks, bounds, strict=True):
        rates = [drop + gain, gain, 1 - drop - 2 * gain]
        counts = counts + random.multinomial(look - before, rates, trials)[:, :2]
        z = tango_z(counts[:, 0], counts[:, 1], look, margin + ROUNDING)
        stops = (verdict == 0) & (np.abs(z) >= bound)
        verdict[stops], ended[stops], before = np.sign(z[stops]), look, look
    return float((verdict < 0).mean()), float((verdict > 0).mean()), float(ended.mean())


def _betting(trials: int, random: np.random.Generator) -> str:
    """What the bettor does where all is lost, and where the drop is just the margin."""
    n, margin = SEQUENTIAL[0]
    gain = SEQUENTIAL_FLIPS / 2

    def rich(drop: float) -> Fails:
        fate = random.random((trials, n))
        differences = (fate < drop + gain).astype(int) - (fate > 1 - gain)
        return betting_capital(differences, margin) >= 1 / LEVEL

    hopeless, fair = rich(HOPELESS), rich(margin)
    first = np.where(hopeless.any(1), hopeless.argmax(1) + 1, n)
    return (
        f"The bettor aborts {n} probes at margin {100 * margin:g} after a median of {np.median(first):.0f} where {100 * HOPELESS:g} "
        f"points are lost, and wrongly, at a drop of just the margin, in {percent(float(fair.any(1).mean()))} % of runs."
    )
