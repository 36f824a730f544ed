"""Whole runs over the shipped suites: how often each policy fails one, with and without a loss, and what `plan` predicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.calibration import rules
from benchmarks.calibration.draw import Drawn, Truth, draw
from benchmarks.calibration.rules import Rule
from benchmarks.calibration.shape import Shape, run_shape, shipped
from benchmarks.tables import Table, percent
from harness.authoring.gate_power import Assumed
from harness.authoring.power import RunPower, run_power
from harness.gate.decide import LEVEL
from harness.gate.policy import MAX_DROP_OVERALL
from harness.gate.rules import overall_rule, slice_rule
from harness.stats.power import power

FLIPS = (0.02, 0.05, 0.10, 0.20, 0.25)
DROPS = (0.03, 0.05)
HURT = 0.30
SAMPLE = 300
CURVE = (0.0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08)
CURVE_FLIPS = 0.10

NOW = (rules.overall, rules.slices, rules.checklist)
BEFORE = (rules.before, rules.checklist_before)
STRICT = (rules.strict_overall, rules.strict_slices, rules.strict_checklist)
STRICT_BEFORE = (rules.strict_before, rules.checklist_before)

POLICIES: dict[str, tuple[Rule, ...]] = {
    "whole run, before": BEFORE,
    "whole run, now": NOW,
    "whole run, before, --strict": STRICT_BEFORE,
    "whole run, now, --strict": STRICT,
    "whole run, now, all gates `observed`": (rules.overall, rules.observed, rules.checklist),
    "checklist, before": (rules.checklist_before,),
    "checklist, now": (rules.checklist,),
    "slices, before": (rules.before,),
    "slices, before, small ones gated too": (rules.before_with_small,),
    "slices, before, --strict": (rules.strict_before,),
    "slices, now": (rules.slices,),
    "slices, now, --strict": (rules.strict_slices,),
    "slices, now, `observed`": (rules.observed,),
    "overall": (rules.overall,),
    "overall and slices": (rules.overall, rules.slices),
    "FORGOTTEN under Holm alone": (rules.forgotten_by_holm,),
    "plain drop > threshold": (rules.threshold,),
    "unpaired z test, each slice at 5 %": (rules.unpaired,),
}
"""By name, the rules any of which fails a run."""

Chances = dict[str, float]


@dataclass(frozen=True)
class Runs:
    """The chances of red of one kind of run, by flip rate and policy.

    Attributes:
        unchanged, category: without a loss, and with one category hurt.
        broad: by drop.
        curve: by drop, at one flip rate.
        planned: an upper bound of false alarms, with and without `--strict`.
    """

    shape: Shape
    unchanged: dict[float, Chances]
    broad: dict[float, dict[float, Chances]]
    category: dict[float, Chances]
    curve: dict[float, Chances]
    planned: dict[tuple[float, bool], RunPower]


def red(drawn: Drawn, policy: Sequence[Rule]) -> float:
    """The share of runs in which any gate fails."""
    return float(np.concatenate([rule(drawn) for rule in policy], axis=1).any(axis=1).mean())


def simulate(n: int | None, trials: int, random: np.random.Generator) -> Runs:
    """A full run, or one over a sample of `n` probes."""
    run = run_shape(n)

    def chances(flips: float, drop: float) -> Chances:
        drawn = draw(run, Truth(flips, drop, lost_items=drop), trials, random)
        return {name: red(drawn, policy) for name, policy in POLICIES.items()}

    return Runs(
        run,
        {flips: chances(flips, 0.0) for flips in FLIPS},
        {drop: {flips: chances(flips, drop) for flips in FLIPS} for drop in DROPS},
        {flips: _category(run, flips, trials, random) for flips in FLIPS},
        {drop: chances(CURVE_FLIPS, drop) for drop in CURVE},
        {
            (flips, strict): run_power(shipped(), Assumed(flips, strict=strict), sample=n)
            for flips in FLIPS
            for strict in (False, True)
        },
    )


def _category(run: Shape, flips: float, trials: int, random: np.random.Generator) -> Chances:
    """Of runs in which one category alone is hurt, over all categories alike; and how often its own gate fails."""
    places = [place for place, case in enumerate(run.margins) if case.gate.over == "category"]
    own = {"its own gate, now": rules.slices, "its own gate, before": rules.before}
    found: dict[str, list[float]] = {name: [] for name in (*POLICIES, *own)}
    each = -(-trials // len(places))
    for place in places:
        drop = HURT * run.gates.of[[place]].toarray()[0]
        drawn = draw(run, Truth(flips, drop), each, random)
        for name, policy in POLICIES.items():
            found[name].append(red(drawn, policy))
        for name, rule in own.items():
            found[name].append(float(rule(drawn)[:, place].mean()))
    return {name: float(np.mean(values)) for name, values in found.items()}


def enumerated(runs: Runs, drop: float) -> dict[float, Chances]:
    """By flip rate, what `plan` enumerates: with a loss, of its rules; without one, of its own report."""
    found: dict[float, Chances] = {}
    for flips in FLIPS:
        plan, strict = runs.planned[flips, False], runs.planned[flips, True]
        if drop:
            level = LEVEL / max(1, plan.tests)
            each = [
                power(gate.n, drop, flips / 2, slice_rule(gate.margin or 0.0, "confirmed", level))
                for gate in plan.gates
                if gate.on_inconclusive == "confirmed" and gate.gated and not gate.of_texts
            ]
            assert plan.overall is not None, "several suites are pooled"
            n = plan.overall.n
            found[flips] = {
                "plan: overall": power(n, drop, flips / 2, overall_rule(MAX_DROP_OVERALL, strict=False)),
                "plan: any slice at Holm's strictest level, at least": max(each, default=0.0),
            }
            continue
        found[flips] = {
            "plan: whole run, at most": plan.false_alarm(flips),
            "plan: whole run, --strict, without `max_loss`": strict.false_alarm(flips),
            "plan: overall": plan.overall.false_alarms[flips] if plan.overall else 0.0,
            "plan: checklist": next(gate for gate in plan.gates if gate.slice == "each").false_alarms[flips],
        }
    return found


def tables(runs: Runs, title: str) -> list[Table]:
    """A line a policy, a column a flip rate, a table a truth."""
    size = runs.shape
    decides = runs.planned[FLIPS[0], False].tests
    text = (
        f"{title}: {len(size.probes):,} probes of {len(size.strata.bounds)} suites in {len(size.margins)} slices, "
        f"{len(size.texts)} texts in {len(size.rises)}, and {len(size.items)} items; {decides} slices are gated. "
    )
    found = [
        _by_flips(
            f"{title}, nothing lost: red, in % of runs", text, _merged(runs.unchanged, enumerated(runs, 0.0))
        )
    ]
    for drop, by_flips in runs.broad.items():
        name = f"{title}, every probe's accuracy {100 * drop:g} points down: red, in % of runs"
        found.append(_by_flips(name, "", _merged(by_flips, enumerated(runs, drop))))
    name = f"{title}, one category {100 * HURT:g} points down: red, in % of runs"
    found.append(_by_flips(name, "Each category in turn; the checklist loses nothing.", runs.category))
    return found


def _merged(one: dict[float, Chances], other: dict[float, Chances]) -> dict[float, Chances]:
    return {flips: one[flips] | other[flips] for flips in one}


def _by_flips(title: str, text: str, chances: dict[float, Chances]) -> Table:
    names = next(iter(chances.values()))
    rows = [[name, *(percent(chances[flips][name]) for flips in chances)] for name in names]
    return Table(title, text, ["policy", *(f"{100 * flips:g} % flip" for flips in chances)], rows)


def summary(full: Runs, sample: Runs, correlated: Sequence[str]) -> list[Table]:
    """The two tables of docs/statistics.md.

    Args:
        correlated: the last row of the first: the checklist where asks of an item correlate.
    """
    alarms = [
        (full, "full run, before", "whole run, before"),
        (full, "full run, now", "whole run, now"),
        (full, "full run, now: at most, by `plan`", "plan: whole run, at most"),
        (full, "`--strict`, before", "whole run, before, --strict"),
        (full, "`--strict`, now", "whole run, now, --strict"),
        (sample, f"`--sample {SAMPLE}`, before", "whole run, before"),
        (sample, f"`--sample {SAMPLE}`, now", "whole run, now"),
        (full, "checklist alone, before", "checklist, before"),
        (full, "checklist alone, now", "checklist, now"),
    ]
    merged = {id(runs): _merged(runs.unchanged, enumerated(runs, 0.0)) for runs in (full, sample)}
    rows = [
        [shown, *(percent(merged[id(runs)][flips][name]) for flips in FLIPS[:4])]
        for runs, shown, name in alarms
    ]
    rows.append([*correlated])
    heading = ["run", *(f"{100 * flips:g} % flip" for flips in FLIPS[:4])]
    text = "before: margins of 10 and 20 points, each gate decided alone by its observed drop"
    first = Table("Red where nothing was lost, in % of runs", text, heading, rows)
    truths = [(f"every probe {100 * drop:g} points down", full.broad[drop]) for drop in DROPS] + [
        (f"one category {100 * HURT:g} points down", full.category)
    ]
    named = {
        "before": "slices, before",
        "overall gate": "overall",
        "slices": "slices, now",
        "both": "overall and slices",
        "plain drop > threshold": "plain drop > threshold",
    }
    rows = [
        [f"{truth}, {100 * flips:g} % flip", *(percent(found[flips][name]) for name in named.values())]
        for truth, found in truths
        for flips in (0.05, 0.10)
    ]
    text = "without the checklist, and texts lose nothing"
    second = Table("Red where something was lost, in % of full runs", text, ["loss", *named], rows)
    return [first, second]


def curves(full: Runs, sample: Runs) -> dict[str, dict[str, list[float]]]:
    """What the picture draws, fractions: by flip rate, how often runs are red where nothing was lost; by broad drop, how often
    their gates over many probes are red.
    """
    runs = {"full run": full, f"--sample {SAMPLE}": sample}
    return {
        "alarms": {
            f"{kind}, {when}": [round(found.unchanged[flips][f"whole run, {when}"], 4) for flips in FLIPS]
            for kind, found in runs.items()
            for when in ("before", "now")
        },
        "power": {
            f"{kind}, {when}": [round(found.curve[drop][policy], 4) for drop in CURVE]
            for kind, found in runs.items()
            for when, policy in (("before", "slices, before"), ("now", "overall and slices"))
        },
    }
