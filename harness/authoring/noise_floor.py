"""A Suite and equivalent conditions in, what a baseline can lose there and how noisy it is, out."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.engine.abilities import Batches
from harness.engine.batching import Budget
from harness.engine.estimate import estimated_tokens
from harness.engine.prompts import request
from harness.engine.requests import Answer, Engine, Progress
from harness.errors import EngineError
from harness.gate.cases import cases
from harness.scoring import Score, score
from harness.stats.paired import ROUNDING
from harness.stats.power import minimum_margin, probability_retained
from harness.suites.suite import EachGate, Gate, MarginGate, Probe, Suite
from harness.wording import count, percent

FLOOR = 1 / 3
CEILING = 0.95
"""Accuracies of the baseline under and over which a slice shows little."""

SMALLER = 4
"""The second condition's batches are smaller by this factor."""


@dataclass(frozen=True)
class Condition:
    """A way to ask the baseline that should make no difference, and the engine that asks so."""

    name: str
    engine: Engine


def equivalent_conditions(engine: Engine, suite: Suite) -> list[Condition]:
    """The engine as it is, and with batches so small that the suite takes several; one without batches is asked twice."""
    if not isinstance(engine, Batches):
        return [Condition("asked once", engine), Condition("asked again", engine)]
    whole = sum(estimated_tokens(request(suite, probe)) for probe in suite.probes)
    smaller = copy.copy(engine)
    smaller.budget = Budget(max(1, int(min(engine.budget.tokens, whole)) // SMALLER))
    return [Condition(f"batches of {asked.budget.tokens} tokens", asked) for asked in (engine, smaller)]


@dataclass(frozen=True)
class SliceCalibration:
    """What the baseline does on a slice and what that means for the gate over it. Rates are fractions.

    Attributes:
        accuracies: under each condition.
        noise_floor: the largest drop between two conditions.
        margin: of the gate over this slice; None where there is none, or it is over each probe.
        retained: the chance that an unchanged model is RETAINED under that margin, at the measured flip rate.
        suggested: the smallest margin, in whole points, at which that chance is at least 80 %; None if there is none.
        remarks: what is wrong with the slice or its gate.
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
    """What the baseline does on a suite.

    Attributes:
        flip_rate: the share of the probes that are right under one condition and wrong under another.
        reworded: how many answers differ between conditions, be they right or wrong.
        always, never, flipped: ids of the probes that are right under all conditions, none, and some.
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
    """Ask a suite under each condition, and compare.

    Args:
        counter: what to tell how far the asking under a condition is, for a label; None tells nobody.

    Raises:
        EngineError: the model cannot answer.
        NoEvidenceError: an answer is NaN or incomplete.
    """
    assert len(conditions) > 1, "one condition says nothing about noise"
    answers = [
        _ask(suite, one.engine, counter(f"{suite.name}, {one.name}") if counter else None)
        for one in conditions
    ]
    scores = [_judge(suite, answers[0], given, allow_code) for given in answers]
    right = {probe.id: [side[probe.id].right for side in scores] for probe in suite.probes}
    flipped = tuple(id for id, seen in right.items() if any(seen) and not all(seen))
    flip_rate = len(flipped) / len(suite.probes)
    shown = (len({side[probe.id].shown for side in scores}) for probe in suite.probes)
    return SuiteCalibration(
        suite=suite.name,
        model=conditions[0].engine.label,
        conditions=tuple(condition.name for condition in conditions),
        n=len(suite.probes),
        flip_rate=flip_rate,
        reworded=sum(different > 1 for different in shown),
        slices=tuple(_slices(suite, right, flip_rate)),
        always=tuple(id for id, seen in right.items() if all(seen)),
        never=tuple(id for id, seen in right.items() if not any(seen)),
        flipped=flipped,
    )


def _ask(suite: Suite, engine: Engine, progress: Progress | None) -> list[Answer]:
    requests = [request(suite, probe) for probe in suite.probes]
    place = f"{suite.span}: " if suite.span else ""
    if suite.task.answer not in engine.kinds:
        raise EngineError(
            f"{place}{engine.label}: cannot answer the suite '{suite.name}': "
            f"it has no 'answer: {suite.task.answer}'"
        )
    try:
        return list(engine.ask(requests, progress))
    except EngineError as error:
        raise EngineError(f"{place}the suite '{suite.name}' cannot be asked\n  {error.text}") from error


def _judge(
    suite: Suite, reference: Sequence[Answer], given: Sequence[Answer], allow_code: bool
) -> dict[str, Score]:
    """The scores of answers, by the probe's id; likelihoods are held against those of the first condition."""
    return {
        probe.id: score(probe, answer, before, allow_code=allow_code)
        for probe, answer, before in zip(suite.probes, given, reference, strict=True)
    }


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
        name, n, accuracies, noise_floor, margin, retained, suggested, tuple(remarks)
    )  # fmt: skip


def _accuracy_remarks(accuracy: float) -> Iterator[str]:
    if accuracy < FLOOR:
        yield f"floor: {percent(accuracy)} right; there is little to lose"
    if accuracy > CEILING:
        yield f"ceiling: {percent(accuracy)} right; so easy that a model may forget much and show nothing"


def _margin_remarks(
    n: int, accuracy: float, margin: float, suggested: float | None, retained: float
) -> Iterator[str]:
    if accuracy <= margin + ROUNDING:
        yield "VACUOUS: losing all that is right would be within the margin"
    if suggested is None:
        yield f"no margin lets {count(n, 'probe')} prove an unchanged model RETAINED"
    elif margin < suggested - ROUNDING:
        yield (
            f"the margin is too small for {count(n, 'probe')}: an unchanged model is RETAINED in "
            f"{percent(retained)} of runs"
        )
    if suggested is not None and margin < suggested and accuracy <= suggested + ROUNDING:
        yield "the suggested margin would be VACUOUS: it needs more probes, or easier ones"


def _each_remarks(gate: EachGate, right: Sequence[Sequence[bool]]) -> Iterator[str]:
    missed = sum(not any(seen) for seen in right)
    flipped = sum(any(seen) and not all(seen) for seen in right)
    probes = count(len(right), "probe")
    if gate.require == "pass":
        if wrong := missed + flipped:
            yield f"the baseline itself does not pass {wrong} of {probes}"
        return
    if missed == len(right):
        yield "VACUOUS: the baseline is right on no probe"
    elif missed:
        yield f"{missed} of {probes} have nothing to lose and will be skipped"
    if flipped:
        yield f"{flipped} of {probes} flip without any tuning: their gates would fail by chance"
