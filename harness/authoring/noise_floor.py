"""Ask a baseline the same suite under equivalent conditions: what it can lose, and how noisy it is."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.engine.abilities import Batches
from harness.engine.batching import Budget
from harness.engine.estimate import estimated_tokens
from harness.engine.prompts import request
from harness.engine.requests import Engine, Progress
from harness.evaluation.ask import Answered, ask
from harness.gate.cases import cases
from harness.stats.paired import ROUNDING
from harness.stats.power import minimum_margin, probability_retained
from harness.suites.suite import EachGate, Gate, MarginGate, Probe, Suite
from harness.wording import count, percent

FLOOR = 1 / 3
CEILING = 0.95
"""A baseline accuracy below FLOOR or above CEILING leaves little to measure."""

SMALLER = 4
"""How many times smaller the batches of the second condition are."""


@dataclass(frozen=True)
class Condition:
    """A way to ask the baseline that should make no difference, as an engine."""

    name: str
    engine: Engine


def equivalent_conditions(engine: Engine, suite: Suite) -> list[Condition]:
    """The engine with its own batches and with smaller ones, so that the suite takes several; or, without batches, twice."""
    if not isinstance(engine, Batches):
        return [Condition("asked once", engine), Condition("asked again", engine)]
    tokens = sum(estimated_tokens(request(suite, probe)) for probe in suite.probes)
    smaller = copy.copy(engine)
    smaller.budget = Budget(max(1, int(min(engine.budget.tokens, tokens)) // SMALLER))
    return [Condition(f"batches of {asked.budget.tokens} tokens", asked) for asked in (engine, smaller)]


@dataclass(frozen=True)
class SliceCalibration:
    """The baseline's accuracy on a slice, and its consequences for the gate over it. Rates are fractions.

    Attributes:
        accuracies: one for each condition.
        noise_floor: the largest drop between two conditions.
        margin: of the gate over this slice; None without a gate, or if the gate is over each probe.
        retained: the chance that an unchanged model is RETAINED under that margin, at the measured flip rate.
        suggested: the smallest margin, in whole points, at which that chance is at least 80 %; None if there is none.
        remarks: problems of the slice or its gate.
    """

    slice: str
    n: int
    accuracies: tuple[float, ...]
    noise_floor: float
    margin: float | None
    retained: float | None
    suggested: float | None
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class SuiteCalibration:
    """The baseline's answers to a suite, compared between conditions.

    Attributes:
        flip_rate: the share of probes that are right under one condition and wrong under another.
        reworded: how many answers differ between conditions, whether right or wrong.
        always, never, flipped: ids of the probes that are right under all, none, and some of the conditions.
    """

    suite: str
    model: str
    conditions: tuple[str, ...]
    n: int
    flip_rate: float
    reworded: int
    slices: tuple[SliceCalibration, ...]
    always: tuple[str, ...]
    never: tuple[str, ...]
    flipped: tuple[str, ...]


def measure(
    suite: Suite,
    conditions: Sequence[Condition],
    allow_code: bool = False,
    counter: Callable[[str], Progress] | None = None,
) -> SuiteCalibration:
    """Ask a suite under each condition, and compare; likelihoods are compared with those of the first condition.

    Args:
        counter: makes the progress callback for a label; None reports no progress.

    Raises:
        EngineError: the model cannot answer.
        NoEvidenceError: an answer is NaN or incomplete.
    """
    assert len(conditions) > 1, "one condition says nothing about noise"
    runs: list[Answered] = []
    for condition in conditions:
        engine = condition.engine
        progress = counter(f"{suite.name}, {condition.name}") if counter else None
        first = runs[0].answers if runs else None
        run = ask(engine, suite, suite.probes, baseline=first, progress=progress, allow_code=allow_code)
        runs.append(run)
    scores = {probe.id: [run.scores[probe.id] for run in runs] for probe in suite.probes}
    right = {id: [score.right for score in given] for id, given in scores.items()}
    flipped = tuple(id for id, seen in right.items() if any(seen) and not all(seen))
    flip_rate = len(flipped) / len(suite.probes)
    return SuiteCalibration(
        suite=suite.name,
        model=conditions[0].engine.label,
        conditions=tuple(condition.name for condition in conditions),
        n=len(suite.probes),
        flip_rate=flip_rate,
        reworded=sum(len({score.shown for score in given}) > 1 for given in scores.values()),
        slices=tuple(_slices(suite, right, flip_rate)),
        always=tuple(id for id, seen in right.items() if all(seen)),
        never=tuple(id for id, seen in right.items() if not any(seen)),
        flipped=flipped,
    )


def _slices(suite: Suite, right: Mapping[str, list[bool]], flip_rate: float) -> Iterator[SliceCalibration]:
    """The whole suite, its categories, and the gate over each probe if there is one."""
    gates: dict[str, Gate] = {}
    for case in cases(suite):
        gates.setdefault("each" if isinstance(case.gate, EachGate) else case.slice, case.gate)
    by_slice: dict[str, Sequence[Probe]] = {"all": suite.probes}
    by_slice |= {f"category[{category}]": members for category, members in suite.by_category().items()}
    if "each" in gates:
        by_slice["each"] = suite.probes
    for name, probes in by_slice.items():
        seen = [right[probe.id] for probe in probes]
        yield _slice(name, seen, gates.get(name), flip_rate, by_definition=suite.task.answer == "likelihood")


def _slice(
    name: str, right: Sequence[Sequence[bool]], gate: Gate | None, flip_rate: float, by_definition: bool
) -> SliceCalibration:
    n = len(right)
    accuracies = tuple(sum(side) / n for side in zip(*right, strict=True))
    noise_floor = max(accuracies) - min(accuracies)
    margin = suggested = retained = None
    remarks = [] if by_definition else list(_accuracy_remarks(min(accuracies)))
    if isinstance(gate, MarginGate):
        margin = gate.max_drop
        suggested = minimum_margin(n, flip_rate / 2, noise_floor)
        retained = probability_retained(n, margin, flip_rate / 2)
        remarks += _margin_remarks(n, min(accuracies), margin, suggested, retained)
    elif gate:
        remarks += _each_remarks(gate, right)
    return SliceCalibration(
        name, n, accuracies, noise_floor, margin, retained, suggested, remarks=tuple(remarks)
    )


def _accuracy_remarks(accuracy: float) -> Iterator[str]:
    if accuracy < FLOOR:
        yield f"floor: {percent(accuracy)} right; there is little to lose"
    if accuracy > CEILING:
        yield f"ceiling: {percent(accuracy)} right; so easy that a model may forget much unnoticed"


def _margin_remarks(
    n: int, accuracy: float, margin: float, suggested: float | None, retained: float
) -> Iterator[str]:
    if accuracy <= margin + ROUNDING:
        yield "VACUOUS: losing every right answer would be within the margin"
    if suggested is None:
        yield f"no margin lets {count(n, 'probe')} prove an unchanged model RETAINED"
    elif margin < suggested - ROUNDING:
        yield (
            f"the margin is too small for {count(n, 'probe')}: an unchanged model is RETAINED in "
            f"{percent(retained)} of runs"
        )
    if suggested is not None and margin < suggested and accuracy <= suggested + ROUNDING:
        yield "the suggested margin would be VACUOUS: add probes, or easier ones"


def _each_remarks(gate: EachGate, right: Sequence[Sequence[bool]]) -> Iterator[str]:
    missed = sum(not any(seen) for seen in right)
    flipped = sum(any(seen) and not all(seen) for seen in right)
    probes = count(len(right), "probe")
    if gate.require == "pass":
        if wrong := missed + flipped:
            yield f"the baseline itself fails {wrong} of {probes}"
        return
    if missed == len(right):
        yield "VACUOUS: the baseline is right on no probe"
    elif missed:
        yield f"{missed} of {probes} have nothing to lose and are skipped"
    if flipped:
        yield f"{flipped} of {probes} flip without any tuning: their gates fail by chance"
