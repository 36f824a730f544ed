"""A baseline asked again under equivalent conditions in, what flips and what that does to gates out.

Conditions differ in the shapes of batches alone, so no difference between them is a loss. A gate whose margin such
differences reach would judge them in place of the tuned model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from math import comb, floor

from harness.engine.prompts import request
from harness.engine.requests import Engine, Progress, Side
from harness.engine.reshaped import smaller_batches
from harness.errors import HarnessError, Problem, listed
from harness.evaluation.ask import ask
from harness.evaluation.suite_run import SuiteRun
from harness.evaluation.word_order import WordOrder
from harness.gate.cases import Case
from harness.gate.compare import Pair, compare, rise
from harness.gate.verdict import shortfall
from harness.reporting.rows import NoiseRow
from harness.scoring.score import Score
from harness.spelling import option
from harness.stats.paired import ROUNDING
from harness.stats.power import noise_drop
from harness.stats.rates import wilson_interval
from harness.suites.suite import MarginGate, RiseGate
from harness.wording import count, percent, points

LEVEL = 0.05
"""How often an unchanged model may exceed what noise reaches."""

Scores = Mapping[str, Score]


@dataclass(frozen=True)
class Flips:
    """How answers differ between conditions.

    Attributes:
        ids: of the probes that are right under one condition and wrong under another.
        rate: the share of probes that differ between two conditions, the mean over all pairs of conditions.
        at_most: the upper bound of the rate, with 95 % confidence.
    """

    ids: tuple[str, ...]
    rate: float
    at_most: float


def flips(right: Mapping[str, Sequence[bool]]) -> Flips:
    """The flips of a suite.

    Args:
        right: by probe id, whether the answer was right under each of two or more conditions.

    Raises:
        NoEvidenceError: there are no probes.
    """
    differing = sum(sum(seen) * (len(seen) - sum(seen)) / comb(len(seen), 2) for seen in right.values())
    at_most = wilson_interval(differing, len(right))[1]
    ids = tuple(id for id, seen in right.items() if flipped(seen))
    return Flips(ids, differing / len(right), at_most)


def flipped(seen: Sequence[bool]) -> bool:
    """Whether answers to a probe were right at times and wrong at others."""
    return any(seen) and not all(seen)


def measured(
    run: SuiteRun,
    engine: Engine,
    more: int,
    *,
    progress: Callable[[str, Side], Progress] | None = None,
    word_order: WordOrder | None = None,
    allow_code: bool = False,
) -> NoiseRow:
    """Ask a baseline the probes that it was asked for gates again, `more` times; raises as `evaluation.ask`."""
    first = run.answered("baseline")
    probes = [probe for probe in run.suite.probes if probe.id in first.scores and probe.id in run.compared]
    requests = [request(run.suite, probe) for probe in probes]
    conditions: list[Scores] = [{probe.id: first.scores[probe.id] for probe in probes}]
    for step in range(1, more + 1):
        answered = ask(
            smaller_batches(engine, requests, step),
            run.suite,
            probes,
            baseline=first.answers,
            progress=progress(f"{run.suite.name}, noise {step} of {more}", "baseline") if progress else None,
            word_order=word_order,
            allow_code=allow_code,
        )
        conditions.append(answered.scores)
    size = {"conditions": len(conditions), "probes": len(probes)}
    if run.suite.is_of_texts:
        return NoiseRow(**size, reach=dict(_rises(run.gated.values(), conditions)))
    found = flips({probe.id: [scores[probe.id].right for scores in conditions] for probe in probes})
    return NoiseRow(
        **size,
        flipped=len(found.ids),
        flip_rate=found.rate,
        at_most=found.at_most,
        ids=list(found.ids),
        reach=dict(_drops(run.gated.values(), conditions[0], found.at_most)),
    )


def _drops(cases: Iterable[Case], scores: Scores, flip_rate: float) -> Iterator[tuple[str, float]]:
    """By slice that is large enough for its gate, the drop that noise reaches."""
    for case in cases:
        pairs = _pairs(case, scores, scores)
        if isinstance(case.gate, MarginGate) and pairs and not shortfall(compare(pairs), case.gate):
            # of the whole slice, even where asking stopped early: its margin is for that
            yield case.slice, noise_drop(len(case.probes), flip_rate, LEVEL)


def _rises(cases: Iterable[Case], conditions: Sequence[Scores]) -> Iterator[tuple[str, float]]:
    """The same of bits per byte: by slice, the largest upper bound of the mean rise from one condition to another."""
    for case in cases:
        given = [_pairs(case, *two) for two in permutations(conditions, 2)]
        if isinstance(case.gate, RiseGate) and len(given[0]) > 1:
            yield case.slice, max(rise(pairs).interval[1] for pairs in given)


def _pairs(case: Case, before: Scores, after: Scores) -> list[Pair]:
    return [Pair(probe, before[probe.id], after[probe.id]) for probe in case.probes if probe.id in before]


# Gates


def check_margins(runs: Iterable[SuiteRun]) -> None:
    """Check that every gate of suites whose noise was measured has a margin above it.

    Raises:
        HarnessError: some margins are at or below what noise reaches; lists all of them.
    """
    if problems := [problem for run in runs if run.noise for problem in _within_noise(run, run.noise)]:
        raise HarnessError(*listed(problems))


def _within_noise(run: SuiteRun, noise: NoiseRow) -> Iterator[Problem]:
    for case in run.gated.values():
        reached = noise.reach.get(case.slice, -1.0)
        match case.gate:
            case MarginGate(max_drop=margin) if margin <= reached + ROUNDING:
                yield _drop_within(case, margin, noise, reached)
            case RiseGate(max_rise=margin) if margin <= reached + ROUNDING:
                yield _rise_within(case, margin, noise, reached)


def _drop_within(case: Case, margin: float, noise: NoiseRow, reached: float) -> Problem:
    assert noise.flip_rate is not None
    assert noise.at_most is not None
    return Problem(
        case.span,
        f"{case.title}: a margin of {points(margin)} points is within the noise of the baseline, which alone drops "
        f"{count(len(case.probes), 'probe')} by up to {points(reached)} points in 95 % of runs: {noise.flipped} of its {noise.probes:,} answers "
        f"flipped over {noise.conditions} equal conditions ({percent(noise.flip_rate)}, at most {percent(noise.at_most)})",
        _remedy("max_drop", above(reached, 3)),
    )


def _rise_within(case: Case, margin: float, noise: NoiseRow, reached: float) -> Problem:
    return Problem(
        case.span,
        f"{case.title}: a margin of {100 * margin:.3g} % is within the noise of the baseline: between "
        f"{noise.conditions} equal conditions, the bits per byte of these {count(len(case.probes), 'text')} rise by up to "
        f"{100 * reached:.2g} % on average (with 95 % confidence)",
        _remedy("max_rise", above(reached, 5)),
    )


def _remedy(key: str, least: str) -> str:
    return (
        f"raise '{key}' to {least} or more, add probes, or run in another dtype: {option('dtype', 'float32')}"
    )


def above(reached: float, digits: int) -> str:
    """The least number of so many digits above a margin that noise reaches."""
    scale = 10**digits
    return f"{(floor(reached * scale + ROUNDING) + 1) / scale:.{digits}f}".rstrip("0")
