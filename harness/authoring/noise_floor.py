"""Ask a baseline the same suite under equivalent conditions: what it can lose, and how many answers flip without a loss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil

from harness.authoring.conditions import Condition
from harness.authoring.extent import extent, gated, not_gated
from harness.authoring.gate_power import RISE_DEVIATION
from harness.evaluation.ask import Answered, ask
from harness.evaluation.noise import flipped, flips
from harness.evaluation.word_order import WordOrder
from harness.gate.cases import cases
from harness.gate.rules import Extent
from harness.gate.verdict import LEAST_TEXTS
from harness.progress import ProgressFor
from harness.stats.clusters import FEW_CLUSTERS
from harness.stats.paired import ROUNDING, least_to_retain
from harness.stats.paired_t import detectable_mean, probability_within
from harness.stats.power import POWER, TUNING_FLIPS, NotRetained, minimum_margin, noise_drop, power
from harness.suites.suite import EachGate, Gate, MarginGate, Probe, RiseGate, Suite
from harness.wording import count, percent, points, tenths

FLOOR = 1 / 3
CEILING = 0.95
"""A baseline accuracy below FLOOR or above CEILING leaves little to measure."""


@dataclass(frozen=True)
class SliceCalibration:
    """The baseline's accuracy on a slice, and its consequences for the gate over it. Rates are fractions.

    Attributes:
        clusters: how many there are, if some have several probes; else None.
        accuracies: one for each condition.
        flips: how many of the probes flipped between conditions.
        noise: the drop that flips alone exceed in 5 % of runs, at the flip rate of the suite's margins.
        margin: of the gate over this slice; None without a gate, or if the gate is over each probe.
        of_texts: whether margins are rises of bits per byte; no flips bear on them.
        retained: the chance that a model that lost nothing is RETAINED under the gate, at that flip rate.
        suggested: the smallest margin, in whole points (for texts, tenths of a percent), at which that chance is at least 80 %,
            `max_loss` aside; None if there is none.
        remarks: problems of the slice or its gate.
    """

    slice: str
    n: int
    clusters: int | None
    accuracies: tuple[float, ...]
    flips: int
    noise: float
    margin: float | None = None
    of_texts: bool = False
    retained: float | None = None
    suggested: float | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class SuiteCalibration:
    """The baseline's answers to a suite, compared between conditions.

    Attributes:
        flip_rate: the share of probes that are right under one condition and wrong under another.
        flip_rate_at_most: its upper bound, with 95 % confidence.
        tuning_flips: the share that is assumed to flip under a fine-tune without a loss; margins are for the larger of both.
        reworded: how many answers differ between conditions, whether right or wrong.
        always, never, flipped: ids of the probes that are right under all, none, and some of the conditions.
    """

    suite: str
    model: str
    conditions: tuple[str, ...]
    n: int
    flip_rate: float
    flip_rate_at_most: float
    tuning_flips: float
    reworded: int
    slices: tuple[SliceCalibration, ...]
    always: tuple[str, ...]
    never: tuple[str, ...]
    flipped: tuple[str, ...]


def measure(
    suite: Suite,
    conditions: Sequence[Condition],
    allow_code: bool = False,
    counter: ProgressFor | None = None,
    tuning_flips: float = TUNING_FLIPS,
) -> SuiteCalibration:
    """Ask a suite under each condition, and compare; likelihoods are compared with those of the first condition.

    Args:
        counter: makes the progress callback for a label; None reports no progress.
        tuning_flips: the share of answers that a fine-tune without a loss is assumed to flip.

    Raises:
        EngineError: the model cannot answer.
        NoEvidenceError: an answer is NaN or incomplete.
    """
    assert len(conditions) > 1, "one condition says nothing about noise"
    word_order = WordOrder(conditions[0].engine)
    runs: list[Answered] = []
    for condition in conditions:
        run = ask(
            condition.engine,
            suite,
            suite.probes,
            baseline=runs[0].answers if runs else None,
            progress=counter(f"{suite.name}, {condition.name}") if counter else None,
            word_order=word_order,
            allow_code=allow_code,
        )
        runs.append(run)
    scores = {probe.id: [run.scores[probe.id] for run in runs] for probe in suite.probes}
    right = {id: [score.right for score in given] for id, given in scores.items()}
    found = flips(right)
    return SuiteCalibration(
        suite=suite.name,
        model=conditions[0].engine.label,
        conditions=tuple(condition.name for condition in conditions),
        n=len(suite.probes),
        flip_rate=found.rate,
        flip_rate_at_most=found.at_most,
        tuning_flips=tuning_flips,
        reworded=sum(len({score.shown for score in given}) > 1 for given in scores.values()),
        slices=tuple(_slices(suite, right, max(found.at_most, tuning_flips))),
        always=tuple(id for id, seen in right.items() if all(seen)),
        never=tuple(id for id, seen in right.items() if not any(seen)),
        flipped=found.ids,
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
        seen, size = [right[probe.id] for probe in probes], extent(probes)
        bare = _slice(name, seen, size, flip_rate, suite.is_of_texts)
        yield judged(bare, gates.get(name), seen, size, flip_rate)


def _slice(
    name: str, right: Sequence[Sequence[bool]], size: Extent, flip_rate: float, texts: bool
) -> SliceCalibration:
    """A slice without its gate."""
    accuracies = tuple(sum(side) / size.n for side in zip(*right, strict=True))
    return SliceCalibration(
        name,
        size.n,
        size.clusters,
        accuracies,
        flips=sum(map(flipped, right)),
        noise=noise_drop(size.n, flip_rate),
        remarks=() if texts else tuple(_accuracy_remarks(min(accuracies))),
    )


def judged(
    bare: SliceCalibration, gate: Gate | None, right: Sequence[Sequence[bool]], size: Extent, flip_rate: float
) -> SliceCalibration:
    """A slice with its gate."""
    match gate:
        case MarginGate():
            return _under_margin(bare, gate, min(map(sum, zip(*right, strict=True))), size, flip_rate)
        case RiseGate():
            return _under_rise(bare, gate)
        case EachGate():
            return replace(bare, remarks=(*bare.remarks, *_each_remarks(gate, right)))
    return bare


def _under_margin(
    bare: SliceCalibration, gate: MarginGate, known: int, size: Extent, flip_rate: float
) -> SliceCalibration:
    rule = NotRetained(gate.max_drop, gate.max_loss, known, size.quantile)
    found = replace(
        bare,
        margin=gate.max_drop,
        retained=1 - power(size.n, 0.0, flip_rate / 2, rule),
        suggested=minimum_margin(size.n, flip_rate / 2, bare.noise, size.quantile),
    )
    return replace(found, remarks=(*bare.remarks, *margin_remarks(found, gate, known, size, flip_rate)))


def _under_rise(bare: SliceCalibration, gate: RiseGate) -> SliceCalibration:
    found = replace(bare, margin=gate.max_rise, of_texts=True)
    if bare.n < LEAST_TEXTS:
        return replace(found, remarks=(*bare.remarks, not_gated(gate, Extent(bare.n))))
    suggested = ceil(1000 * detectable_mean(bare.n, RISE_DEVIATION) - 1e-6) / 1000
    retained = probability_within(bare.n, gate.max_rise, RISE_DEVIATION)
    remarks = bare.remarks
    if gate.max_rise < suggested - ROUNDING:
        remarks += (
            f"the margin is too small for {count(bare.n, 'text')}: without a loss it is RETAINED in {percent(retained)} of runs",
        )
    return replace(found, retained=retained, suggested=suggested, remarks=remarks)


def _accuracy_remarks(accuracy: float) -> Iterator[str]:
    if accuracy < FLOOR:
        yield f"floor: {percent(accuracy)} right; there is little to lose"
    if accuracy > CEILING:
        yield f"ceiling: {percent(accuracy)} right; so easy that a model may forget much unnoticed"


def margin_remarks(
    found: SliceCalibration, gate: MarginGate, known: int, size: Extent, flip_rate: float
) -> Iterator[str]:
    """What is wrong with a margin, the gravest alone."""
    accuracy, suggested = known / size.n, found.suggested
    least_known = least_to_retain(gate.max_loss, size.quantile) if gate.max_loss < 1 else None
    lacking = least_known is not None and known < least_known
    if size.clusters is not None and size.clusters < FEW_CLUSTERS:
        yield f"few templates: {count(size.clusters, 'cluster')} say little of how others would fare"
    if accuracy <= gate.max_drop + ROUNDING and (lacking or least_known is None):
        yield "VACUOUS: losing every right answer would be within the margin"
    elif not gated(gate, size):
        yield not_gated(gate, size)
    elif lacking:
        yield (
            f"not gated: the baseline knows {known} of {count(size.n, 'probe')}, and a loss of at most {points(gate.max_loss)} % "
            f"of that needs {least_known}"
        )
    elif gate.max_drop <= found.noise + ROUNDING:
        yield (
            f"the margin is within noise: at {percent(flip_rate)} flips and no loss, 5 % of runs drop by over "
            f"{tenths(found.noise)} points"
        )
    elif suggested is None or gate.max_drop < suggested - ROUNDING:
        yield (
            f"the margin is too small for {count(size.n, 'probe')}: at {percent(flip_rate)} flips and no loss it is RETAINED in "
            f"{percent(found.retained or 0.0)} of runs"
        )
    elif found.retained is not None and found.retained < POWER:
        yield (
            f"'max_loss' is too small for a baseline that knows {known}: at {percent(flip_rate)} flips and no loss it is RETAINED "
            f"in {percent(found.retained)} of runs"
        )
    if gate.max_loss * accuracy < gate.max_drop - ROUNDING and not lacking:
        yield (
            f"'max_loss' is the stricter margin: {points(gate.max_loss)} % of {percent(accuracy)} right are "
            f"{tenths(gate.max_loss * accuracy)} points"
        )
    if suggested is None:
        yield f"no margin lets {count(size.n, 'probe')} be RETAINED in {100 * POWER:.0f} % of runs"


def _each_remarks(gate: EachGate, right: Sequence[Sequence[bool]]) -> Iterator[str]:
    missed = sum(not any(seen) for seen in right)
    unsteady = sum(map(flipped, right))
    probes = count(len(right), "probe")
    if gate.require == "pass":
        if wrong := missed + unsteady:
            yield f"the baseline itself fails {wrong} of {probes}"
        return
    if missed == len(right):
        yield "VACUOUS: the baseline is right on no probe; ask what it can answer"
    elif missed:
        yield f"{missed} of {probes} have nothing to lose and are skipped"
    if unsteady:
        yield f"{unsteady} of {probes} flip without any tuning, and may be asked again for that alone"
