"""Cases of one gate in, what the gate can detect and how often it is wrong out: exact, by enumeration."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress
from math import ceil, sqrt
from operator import not_
from typing import Any, Literal

from scipy.special import ndtr, ndtri

from harness.authoring.extent import extent, gated, needed
from harness.gate.cases import Case, has_overall
from harness.gate.decide import LEVEL
from harness.gate.policy import overall_margin
from harness.gate.rules import Extent, overall_rule, slice_rule
from harness.stats.checklist import chance_red, lost_by_majority
from harness.stats.paired import least_to_retain, smallest
from harness.stats.paired_t import detectable_mean, probability_within
from harness.stats.power import (
    DROP_STEP,
    FLIP_RATES,
    POWER,
    TUNING_FLIPS,
    Confirmed,
    Rule,
    Significant,
    minimum_detectable_drop,
    power,
    probability_retained,
    probes_for,
)
from harness.suites.format import OnInconclusive
from harness.suites.suite import OVERALL, EachGate, MarginGate, Probe, RiseGate

DROP = 0.05
"""The drop, a fraction, for which `plan` says how many probes are missing: of the overall gate, and beyond the margin of a slice."""

RISE_DEVIATION = 0.02
"""The assumed standard deviation of the log ratios of texts' bits per byte: two texts in three rise within 2 % of the mean."""


@dataclass(frozen=True)
class Assumed:
    """What is assumed of a run.

    Attributes:
        flip_rate: the share of answers that flip where nothing was lost, half of them each way.
        design_effect: of slices with probes that go together; others have 1.
        strict: whether every gate must be RETAINED.
        max_drop_overall: the margin of the gate over all suites; None for 0.03 where there are several, and no such gate where
            there is one.
    """

    flip_rate: float = TUNING_FLIPS
    design_effect: float = 1.0
    strict: bool = False
    max_drop_overall: float | Literal["off"] | None = None

    @property
    def flip_rates(self) -> tuple[float, ...]:
        """The rates whose false alarms are shown side by side."""
        return tuple(sorted({*FLIP_RATES, self.flip_rate}))

    def each(self, chance: Callable[[float], float]) -> dict[float, float]:
        """A chance at each of these rates; `chance` takes the rate of gains."""
        return {rate: chance(rate / 2) for rate in self.flip_rates}


@dataclass(frozen=True, kw_only=True)
class GatePower:
    """The power of a gate over one slice. Drops and chances are fractions.

    Attributes:
        suite: "overall" for the gate over all suites.
        slice: "all", "category[math]", or "each" for all cases of a gate over each probe.
        cases: the number of pytest cases.
        clusters: how many there are, if some have several probes; else None.
        margin: the largest acceptable drop, or rise of bits per byte; None for a gate over each probe.
        of_texts: whether the margin, and what the gate catches, is a rise of bits per byte.
        gated: whether the gate can decide anything; `needed` is how many probes that takes.
        catches: the smallest true drop that fails the gate with 80 % power if no other slice is hurt; None if there is none.
        false_alarms: by flip rate, the chance that the gate fails where nothing was lost.
        opens: the same of its p-value alone, which opens Holm's procedure to the other gates; for another rule, of the gate.
        alone: the same of the gate if it were the only one of the run.
        retained: the chance that the gate is RETAINED there, rather than INCONCLUSIVE.
        more_probes: how many more probes make the slice gated, else catch 5 points beyond the margin (overall, 5 points), else,
            for a gate that fails unless RETAINED, retain it with 80 % power; None if no number does.
    """

    suite: str
    slice: str
    n: int
    cases: int = 1
    clusters: int | None = None
    margin: float | None = None
    of_texts: bool = False
    on_inconclusive: OnInconclusive | None = None
    gated: bool = True
    needed: int | None = None
    catches: float | None = None
    false_alarms: Mapping[float, float]
    opens: Mapping[float, float]
    alone: Mapping[float, float]
    retained: float | None = None
    more_probes: int | None = None


def gate_power(cases: Sequence[Case], assumed: Assumed, level: float) -> GatePower:
    """The power of a gate over one slice, or over all the probes that are cases of their own.

    Args:
        cases: one, but for a gate over `each` probe.
        level: at which a confirmed slice is tested.
    """
    case = cases[0]
    if isinstance(case.gate, EachGate):
        return _checklist(cases, case.gate, assumed)
    assert isinstance(case.gate, MarginGate | RiseGate), "the overall gate is over no cases"
    how = "fail" if assumed.strict else case.gate.on_inconclusive
    given: dict[str, Any] = {"suite": case.suite.name, "slice": case.slice, "on_inconclusive": how}
    size, of_texts = extent(case.probes, assumed.design_effect), isinstance(case.gate, RiseGate)
    margin = case.gate.max_rise if isinstance(case.gate, RiseGate) else case.gate.max_drop
    given["needed"] = needed(case.gate, size)
    if not gated(case.gate, size):
        return _not_gated(size, assumed, margin=margin, of_texts=of_texts, **given)
    if of_texts:
        return _texts(size.n, margin, assumed, level, **given)
    rules = _Rules(
        slice_rule(margin, how, level, size.quantile), slice_rule(margin, how, LEVEL, size.quantile)
    )
    return _margin(size, margin, rules, assumed, margin + DROP, **given)


def overall_power(cases: Sequence[Case], assumed: Assumed) -> GatePower | None:
    """The power of the gate over all suites; None where the run has no such gate.

    Only the totals of lost and gained probes count, so the enumeration is exact where all suites flip at one rate; under
    `strict`, the interval is that of one stratum.
    """
    margin = overall_margin(assumed.max_drop_overall)
    if margin is None or not has_overall(cases, of_one=assumed.max_drop_overall is not None):
        return None
    by_suite: dict[str, dict[str, Probe]] = {}
    for case in cases:
        if isinstance(case.gate, MarginGate):
            by_suite.setdefault(case.suite.name, {}).update({probe.id: probe for probe in case.probes})
    strata = [extent(list(probes.values()), assumed.design_effect) for probes in by_suite.values()]
    size = _together(strata)
    least = least_to_retain(margin, size.quantile)
    given: dict[str, Any] = {
        "suite": OVERALL,
        "slice": "all",
        "needed": least,
        "on_inconclusive": "fail" if assumed.strict else "confirmed",
    }
    if least is not None and size.n < least:
        return _not_gated(size, assumed, margin=margin, **given)
    rule = overall_rule(margin, assumed.strict, size.quantile)
    return _margin(size, margin, _Rules(rule, rule), assumed, max(DROP, margin), **given)


def _together(strata: Sequence[Extent]) -> Extent:
    n = sum(stratum.n for stratum in strata)
    effect = sum(stratum.n * stratum.design_effect for stratum in strata) / n
    if all(stratum.clusters is None for stratum in strata):
        return Extent(n)
    clusters = sum(stratum.clusters or stratum.n for stratum in strata)
    return Extent(n, clusters, effect)


@lru_cache(maxsize=256)
def probes_to_catch(drop: float, gain_rate: float, rule: Rule) -> int | None:
    """How many probes catch a drop, a fraction, with 80 % power; None if no number does."""
    return probes_for(drop, gain_rate, rule) if drop + 2 * gain_rate <= 1 else None


@dataclass(frozen=True)
class _Rules:
    """The rule of a gate at the level that it has in the run, and at the one that it would have alone."""

    rule: Rule
    alone: Rule

    @property
    def opens(self) -> Rule:
        if isinstance(self.rule, Confirmed) and self.rule != self.alone:
            return Significant(self.rule.level)
        return self.rule


@lru_cache(maxsize=256)
def probes_to_retain(margin: float, gain_rate: float, quantile: float | None) -> int | None:
    """How many probes find a model that lost nothing RETAINED with 80 % power; None if no number does."""

    def enough(n: int) -> bool:
        return probability_retained(n, margin, gain_rate, quantile) >= POWER

    return smallest(enough, 1, 20_000)


def _margin(
    size: Extent, margin: float, rules: _Rules, assumed: Assumed, drop: float, **given: Any
) -> GatePower:
    """The power of a gate over counts; `drop` is the one that `more_probes` catch."""
    n, gain_rate, rule = size.effective, assumed.flip_rate / 2, rules.rule
    if given["on_inconclusive"] == "fail":
        enough = probes_to_retain(margin, gain_rate, size.quantile)
    else:
        enough = probes_to_catch(drop, gain_rate, rule)

    def alarms(rule: Rule) -> dict[float, float]:
        return assumed.each(lambda gain_rate: power(n, 0.0, gain_rate, rule))

    return GatePower(
        **given,
        n=size.n,
        clusters=size.clusters,
        margin=margin,
        catches=minimum_detectable_drop(n, gain_rate, rule),
        false_alarms=alarms(rule),
        opens=alarms(rules.opens),
        alone=alarms(rules.alone),
        retained=probability_retained(n, margin, gain_rate, size.quantile),
        more_probes=None if enough is None else max(0, ceil(enough * size.design_effect) - size.n),
    )


def _not_gated(size: Extent, assumed: Assumed, needed: int, **given: Any) -> GatePower:
    never = assumed.each(lambda gain_rate: 0.0)
    return GatePower(
        **given, n=size.n, clusters=size.clusters, gated=False, needed=needed, false_alarms=never, opens=never,
        alone=never, more_probes=needed - size.n,
    )  # fmt: skip


def _texts(n: int, margin: float, assumed: Assumed, level: float, **given: Any) -> GatePower:
    """The power of a gate over the mean log ratio of `n` texts, whose spread is assumed: no answer flips."""
    error = RISE_DEVIATION / sqrt(n)
    retained = probability_within(n, margin, RISE_DEVIATION)
    by_chance = float(ndtr(-margin / error))  # that the observed mean is over the margin
    over = margin + float(ndtri(POWER)) * error
    confirmed = given["on_inconclusive"] == "confirmed"
    catches, alone = {
        "confirmed": (max(over, detectable_mean(n, RISE_DEVIATION, POWER, level)), min(by_chance, LEVEL)),
        "observed": (over, by_chance),
        "fail": (max(0.0, margin - detectable_mean(n, RISE_DEVIATION, 1 - POWER)), 1 - retained),
        "pass": (margin + detectable_mean(n, RISE_DEVIATION), by_chance),
    }[given["on_inconclusive"]]
    alarms = [min(alone, level), level, alone] if confirmed else [alone] * 3
    false_alarms, opens, alone_ = (dict.fromkeys(assumed.flip_rates, alarm) for alarm in alarms)
    return GatePower(
        **given, n=n, margin=margin, of_texts=True, catches=catches, retained=retained,
        false_alarms=false_alarms, opens=opens, alone=alone_,
    )  # fmt: skip


def _checklist(cases: Sequence[Case], gate: EachGate, assumed: Assumed) -> GatePower:
    """The power of a gate over each probe; what it catches is the share of its probes that are lost for good."""
    probes = [probe for case in cases for probe in case.probes]
    judged_alone = gate.require == "pass"

    def red(gain_rate: float, drop: float = 0.0) -> float:
        def lost(probe: Probe) -> float:
            asks = 1 if judged_alone else 2 + len(probe.also_ask)
            return drop + (1 - drop) * lost_by_majority(asks, gain_rate)

        strict = judged_alone or assumed.strict or len(probes) == 1
        hard = [strict or probe.severity == "critical" for probe in probes]
        chances = list(map(lost, probes))
        return chance_red(compress(chances, hard), compress(chances, map(not_, hard)))

    alarms = assumed.each(red)
    steps = round(1 / DROP_STEP)
    step = smallest(lambda step: red(assumed.flip_rate / 2, min(1.0, step / steps)) >= POWER, 1, 2 * steps)
    catches = None if step is None else min(1.0, step / steps)
    return GatePower(
        suite=cases[0].suite.name, slice="each", n=len(probes), cases=len(probes), catches=catches,
        false_alarms=alarms, opens=alarms, alone=alarms,
    )  # fmt: skip
