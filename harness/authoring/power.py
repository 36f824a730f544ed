"""Work out what the gates of a suite can detect, and how much the suite asks of a model; no model is loaded."""

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
    AnyLost,
    OverMargin,
    Rule,
    minimum_detectable_drop,
    power,
    probability_retained,
    probes_for,
)
from harness.suites.suite import EachGate, Gate, MarginGate, Suite

DROP = 0.05
"""The drop, a fraction, for which `plan` reports how many probes are missing."""


@dataclass(frozen=True, kw_only=True)
class GatePower:
    """The power of a gate over one slice. Drops and chances are fractions; only `catches` and `false_alarm` apply to
    a gate over each probe.

    Attributes:
        slice: "all", "category[math]", or "each" for all cases of a gate over each probe.
        cases: the number of pytest cases.
        catches: the smallest true drop that fails the gate with 80 % power; None if there is none.
        false_alarm: the chance that the gate fails an unchanged model.
        retained: the chance that an unchanged model is RETAINED rather than INCONCLUSIVE.
        sees: the minimum detectable drop: the smallest true drop that a one-sided mid-p test at 5 % finds with 80 %
            power, whatever the margin; None if there is none.
        by_chance: the chance that this test accuses an unchanged model.
        more_probes: how many more probes would detect 5 points; None if no number of them does.
    """

    suite: str
    slice: str
    n: int
    cases: int = 1
    margin: float | None = None
    on_inconclusive: str | None = None
    catches: float | None
    false_alarm: float
    retained: float | None = None
    sees: float | None = None
    by_chance: float | None = None
    more_probes: int | None = None


@dataclass(frozen=True)
class SuiteSize:
    """How much a suite asks of one model; `tokens` and `seconds` are estimates."""

    suite: str
    probes: int
    cases: int
    tokens: int
    seconds: float


def gate_powers(suite: Suite, flip_rate: float) -> Iterator[GatePower]:
    """The power of each gate over each slice, in the order of the file; the cases of a gate over each probe are one."""
    for gate, group in groupby(cases(suite), key=lambda case: case.gate):
        listed = list(group)
        if isinstance(gate, EachGate):
            yield _each_power(suite, gate, len(listed), flip_rate / 2)
        else:
            yield from (_slice_power(case, gate, flip_rate / 2) for case in listed)


def _slice_power(case: Case, gate: MarginGate, gain_rate: float) -> GatePower:
    n, rule = len(case.probes), gate_rule(gate)
    needed = probes_to_see(DROP, gain_rate)
    return GatePower(
        suite=case.suite.name,
        slice=case.slice,
        n=n,
        margin=gate.max_drop,
        on_inconclusive=gate.on_inconclusive,
        catches=minimum_detectable_drop(n, gain_rate, rule=rule),
        false_alarm=power(n, 0.0, gain_rate, rule),
        retained=probability_retained(n, gate.max_drop, gain_rate),
        sees=minimum_detectable_drop(n, gain_rate),
        by_chance=power(n, 0.0, gain_rate),
        more_probes=None if needed is None else max(0, needed - n),
    )


def _each_power(suite: Suite, gate: EachGate, n: int, gain_rate: float) -> GatePower:
    catches = minimum_detectable_drop(n, gain_rate, rule=gate_rule(gate))
    false_alarm = power(n, 0.0, gain_rate, gate_rule(gate))
    return GatePower(suite=suite.name, slice="each", n=n, cases=n, catches=catches, false_alarm=false_alarm)


def gate_rule(gate: Gate) -> Rule:
    """The rule by which a gate fails.

    It ignores what the baseline can do: a gate with nothing to lose is VACUOUS, which `calibrate` reports.
    """
    if isinstance(gate, EachGate):
        return AnyLost()
    return OverMargin(gate.max_drop, gate.on_inconclusive)


@lru_cache(maxsize=64)
def probes_to_see(drop: float, gain_rate: float) -> int | None:
    """How many probes detect a drop, a fraction, with 80 % power; None if no number does."""
    return probes_for(drop, gain_rate) if drop + 2 * gain_rate <= 1 else None


def suite_size(suite: Suite, tokens_per_second: float) -> SuiteSize:
    """How much a suite asks of a model."""
    tokens = round(sum(estimated_tokens(request(suite, probe)) for probe in suite.probes))
    n_cases = sum(1 for _ in cases(suite))
    return SuiteSize(suite.name, len(suite.probes), n_cases, tokens, tokens / tokens_per_second)


def any_false_alarm(gates: Sequence[GatePower]) -> float:
    """An upper bound on the chance that any of the gates fails an unchanged model.

    It is exact for independent gates. Gates that share probes tend to fail together, which makes a false alarm
    rarer: every gate is monotone in the outcome of each probe (Harris's inequality).
    """
    return 1 - prod(1 - gate.false_alarm for gate in gates)
