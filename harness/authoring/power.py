"""A Suite in, what its gates can and cannot see, and how much it asks of a model, out: arithmetic, no model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from math import prod

from harness.engine.estimate import estimated_tokens
from harness.engine.prompts import request
from harness.gate.cases import Case, cases
from harness.stats.power import (
    FLIP_RATE,
    AnyLost,
    OverMargin,
    Rule,
    minimum_detectable_drop,
    power,
    probability_retained,
    probes_for,
)
from harness.suites.suite import EachGate, Gate, MarginGate, Suite

TOKENS_PER_SECOND = 400.0
DROP = 0.05
"""The drop, as a fraction, for which `plan` says how many probes are missing."""


@dataclass(frozen=True)
class GatePlan:
    """What a gate can see over one slice. Drops and chances are fractions; None where a number has no meaning.

    Attributes:
        slice: "all", "category[math]", or "each" for all the cases of a gate over each probe.
        cases: the pytest cases that it makes.
        catches: the smallest true drop that fails the gate with 80 % power.
        false_alarm: the chance that the gate fails an unchanged model.
        retained: the chance that an unchanged model is RETAINED, rather than INCONCLUSIVE.
        sees: the minimum detectable drop: the smallest true one that a one-sided mid-p test at 5 % finds with 80 %
            power, whatever the margin.
        by_chance: the chance that this test accuses an unchanged model.
        more_probes: how many more probes would let it see 5 points; 0 if none are missing.
    """

    suite: str
    slice: str
    n: int
    cases: int
    margin: float | None
    on_inconclusive: str | None
    catches: float | None
    false_alarm: float
    retained: float | None
    sees: float | None
    by_chance: float | None
    more_probes: int | None


@dataclass(frozen=True)
class SuiteSize:
    """How much a suite asks of one model; `seconds` is an estimate at a stated rate."""

    suite: str
    probes: int
    cases: int
    tokens: int
    seconds: float


def gate_plans(suite: Suite, flip_rate: float = FLIP_RATE) -> Iterator[GatePlan]:
    """One plan a gate and slice, in the order of the file; the cases of a gate over each probe are one."""
    gain_rate = flip_rate / 2
    for gate, found in groupby(cases(suite), key=lambda case: case.gate):
        listed = list(found)
        if isinstance(gate, EachGate):
            yield _plan_each(suite, gate, len(listed), gain_rate)
        else:
            yield from (_plan_slice(case, gate, gain_rate) for case in listed)


def _plan_slice(case: Case, gate: MarginGate, gain_rate: float) -> GatePlan:
    n, rule = len(case.probes), gate_rule(gate)
    needed = probes_to_see(DROP, gain_rate)
    return GatePlan(
        suite=case.suite.name,
        slice=case.slice,
        n=n,
        cases=1,
        margin=gate.max_drop,
        on_inconclusive=gate.on_inconclusive,
        catches=minimum_detectable_drop(n, gain_rate, rule=rule),
        false_alarm=power(n, 0.0, gain_rate, rule),
        retained=probability_retained(n, gate.max_drop, gain_rate),
        sees=minimum_detectable_drop(n, gain_rate),
        by_chance=power(n, 0.0, gain_rate),
        more_probes=None if needed is None else max(0, needed - n),
    )


def _plan_each(suite: Suite, gate: EachGate, n: int, gain_rate: float) -> GatePlan:
    rule = gate_rule(gate)
    return GatePlan(
        suite=suite.name,
        slice="each",
        n=n,
        cases=n,
        margin=None,
        on_inconclusive=None,
        catches=minimum_detectable_drop(n, gain_rate, rule=rule),
        false_alarm=power(n, 0.0, gain_rate, rule),
        retained=None,
        sees=None,
        by_chance=None,
        more_probes=None,
    )


def gate_rule(gate: Gate) -> Rule:
    """When a gate fails, as the verdicts have it, for arithmetic.

    What the baseline is right on is not known here: a gate that has nothing to lose is VACUOUS, which `calibrate`
    tells.
    """
    if isinstance(gate, EachGate):
        return AnyLost()
    return OverMargin(gate.max_drop, gate.on_inconclusive)


@lru_cache(maxsize=64)
def probes_to_see(drop: float, gain_rate: float) -> int | None:
    """The probes that find a drop, a fraction, with 80 % power; None where no number of them does."""
    return probes_for(drop, gain_rate) if drop + 2 * gain_rate <= 1 else None


def suite_size(suite: Suite, tokens_per_second: float = TOKENS_PER_SECOND) -> SuiteSize:
    """How much a suite asks of a model."""
    tokens = round(sum(estimated_tokens(request(suite, probe)) for probe in suite.probes))
    return SuiteSize(
        suite.name, len(suite.probes), sum(1 for _ in cases(suite)), tokens, tokens / tokens_per_second
    )


def any_false_alarm(gates: Sequence[GatePlan]) -> float:
    """At most how often at least one of the gates fails an unchanged model.

    As if all were independent. Gates that share probes tend to fail together, which only makes it rarer (all
    of them are monotone in what becomes of each probe: Harris's inequality).
    """
    return 1 - prod(1 - row.false_alarm for row in gates)
