"""Work out what the gates of a run can detect, and how much it asks of a model; no model is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import prod

from harness.authoring.extent import number_of_tests
from harness.authoring.gate_power import (
    DROP,
    Assumed,
    GatePower,
    gate_power,
    overall_power,
    probes_to_catch,
)
from harness.engine.estimate import estimated
from harness.engine.prompts import request
from harness.engine.speeds import ASSUMED, Timing
from harness.evaluation.sample import sampled
from harness.gate.cases import Case, cases
from harness.gate.decide import LEVEL
from harness.gate.policy import MAX_DROP_OVERALL
from harness.gate.rules import overall_rule
from harness.suites.suite import EachGate, Suite


@dataclass(frozen=True)
class SuiteSize:
    """How much a suite asks of one model; `tokens` and `seconds` are estimates, the latter at the least and at the most."""

    suite: str
    probes: int
    cases: int
    tokens: int
    seconds: float
    seconds_at_least: float


@dataclass(frozen=True)
class RunPower:
    """The power of all gates of a run.

    Attributes:
        overall: None where no suite has probes that could be pooled.
        tests: how many slices share the run's level, by Holm's procedure.
        probes_for_5_points: how many probes the overall gate needs to catch a drop of 5 points, unless strict; None if no
            number will do.
        timing: the speed that the seconds are reckoned with.
    """

    assumed: Assumed
    overall: GatePower | None
    gates: tuple[GatePower, ...]
    sizes: tuple[SuiteSize, ...]
    tests: int
    probes_for_5_points: int | None
    timing: Timing = ASSUMED

    def false_alarm(self, flip_rate: float) -> float:
        """An upper bound on the chance that any gate fails where nothing was lost.

        Gates that share probes fail together more often than independent ones, which makes a false alarm rarer: every gate is
        monotone in the outcome of each probe (Harris's inequality). Of the confirmed slices, one fails only if the smallest
        p-value of all passes Holm's first step, be that slice over its margin or not; and only if one of them would fail by
        itself. The rarer of these counts.
        """
        confirmed = [gate for gate in self.gates if gate.on_inconclusive == "confirmed"]
        others = [gate for gate in (*self.gates, self.overall) if gate and gate not in confirmed]
        slices = min(
            _any(gate.opens[flip_rate] for gate in confirmed),
            _any(gate.alone[flip_rate] for gate in confirmed),
        )
        return _any([slices, *(gate.false_alarms[flip_rate] for gate in others)])


def _any(chances: Iterable[float]) -> float:
    return 1 - prod(1 - chance for chance in chances)


def run_power(
    suites: Sequence[Suite],
    assumed: Assumed,
    timing: Timing = ASSUMED,
    sample: int | None = None,
    seed: int = 0,
) -> RunPower:
    """The power of a run over suites, or over the same sample of their probes that the run draws."""
    asked = sampled((case for suite in suites for case in cases(suite)), sample, seed)
    n_tests = number_of_tests(asked, assumed.strict)
    level = LEVEL / max(1, n_tests)
    return RunPower(
        assumed,
        overall_power(asked, assumed),
        tuple(gate_power(listed, assumed, level) for listed in _by_gate(asked)),
        tuple(_sizes(asked, timing)),
        n_tests,
        probes_to_catch(DROP, assumed.flip_rate / 2, overall_rule(MAX_DROP_OVERALL, strict=False)),
        timing,
    )


def _by_gate(asked: Sequence[Case]) -> Iterator[list[Case]]:
    """The cases of each slice; those of a gate over each probe together."""
    for (_, gate), group in groupby(asked, key=lambda case: (case.suite.name, case.gate)):
        listed = list(group)
        yield from [listed] if isinstance(gate, EachGate) else ([case] for case in listed)


def _sizes(asked: Sequence[Case], timing: Timing) -> Iterator[SuiteSize]:
    for name, group in groupby(asked, key=lambda case: case.suite.name):
        listed = list(group)
        suite = listed[0].suite
        probes = {probe.id: probe for case in listed for probe in case.probes}
        size = estimated(request(suite, probe) for probe in probes.values())
        most, least = timing.slow.seconds(size), timing.fast.seconds(size)
        yield SuiteSize(name, len(probes), len(listed), round(size.tokens), most, least)
