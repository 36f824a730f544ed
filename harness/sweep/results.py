"""Answers of a sweep in; its recipes measured and ranked, and the first of them on probes that did not choose it, out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress

import numpy as np

from harness.errors import NoEvidenceError
from harness.gate.compare import bits
from harness.gate.pooling import Pooled, pool
from harness.gate.verdict import MARGIN, judge
from harness.recipes.format import RecipeFormat
from harness.stats.paired_t import log_ratios
from harness.sweep.ranking import RecipeResult, Standing, pareto_optimal, rank, reference
from harness.sweep.record import (
    EffectRow,
    HeldOutRow,
    MeasuredRow,
    RecipeRow,
    SeedRow,
    SuiteRow,
    SweepRecord,
    check_reference,
)
from harness.sweep.schedule import SAMPLE_SEED, half_of


def recipe_row(
    path: str,
    recipe: RecipeFormat,
    seeds: Sequence[SeedRow],
    target: SuiteRow,
    suites: Sequence[SuiteRow],
    *,
    of: int,
    error: str | None = None,
) -> RecipeRow:
    """The row of a recipe: measured once it has `of` seeds, failed if it failed under any of them."""
    measured = _measured(seeds, target, suites) if error is None and len(seeds) == of else None
    return RecipeRow(
        name=recipe.recipe, path=path, recipe=recipe, seeds=list(seeds), error=error, measured=measured
    )


def measured_again(record: SweepRecord) -> SweepRecord:
    """The record with its numbers worked out anew from the answers, which may be those of an earlier version."""
    rows = [
        row.model_copy(update={"measured": _measured(row.seeds, record.target, record.suites)})
        if row.measured
        else row
        for row in record.rungs
    ]
    return record.model_copy(update={"rungs": rows})


def _measured(seeds: Sequence[SeedRow], target: SuiteRow, suites: Sequence[SuiteRow]) -> MeasuredRow:
    learnt = pool(
        target.units,
        [target.baseline] * len(seeds),
        [[answer.right for answer in seed.target] for seed in seeds],
    )
    general = compared(suites, None, seeds)
    low, high = learnt.interval
    return MeasuredRow(
        gain=-learnt.drop + 0.0,  # never -0.0
        gain_interval=(-high, -low),
        drop=general.drop,
        drop_interval=general.interval,
        verdict=judge(general, MARGIN),
        target=_effect(learnt),
        general=_effect(general),
        by_suite={suite.name: _effect(compared([suite], None, seeds)) for suite in pooled(suites)},
        rises={suite.name: _rise(suite, seeds) for suite in suites if suite.is_of_texts},
    )


def _rise(suite: SuiteRow, seeds: Sequence[SeedRow]) -> float:
    """The mean rise of the texts' bits per byte, over the seeds too."""
    before, *after = (
        [bits(answer.scored()) for answer in side]
        for side in ([probe.baseline for probe in suite.probes], *(seed.suites[suite.name] for seed in seeds))
    )
    return float(np.expm1(np.mean([log_ratios(before, side) for side in after])))


def compared(
    suites: Sequence[SuiteRow],
    before: Sequence[SeedRow] | None,
    after: Sequence[SeedRow],
    chosen: Sequence[bool] | None = None,
) -> Pooled:
    """Two recipes over the general suites that are pooled: `lost` are the probes that only the first has right.

    Args:
        before: the first recipe's models; None for the baseline.
        chosen: whether each probe counts, as `deciding` has them; None for all.
    """
    suites = pooled(suites)
    baseline = [right for suite in suites for right in suite.baseline]
    counts = [True] * len(baseline) if chosen is None else chosen
    first = [baseline] * len(after) if before is None else [seed.right(suites) for seed in before]
    second = [seed.right(suites) for seed in after]
    return pool(
        list(compress((unit for suite in suites for unit in suite.units), counts)),
        [list(compress(run, counts)) for run in first],
        [list(compress(run, counts)) for run in second],
    )


def pooled(suites: Sequence[SuiteRow]) -> list[SuiteRow]:
    """The suites whose probes are right or wrong; texts have a rise, and no part in a drop or a rank."""
    return [suite for suite in suites if not suite.is_of_texts]


def _effect(pooled: Pooled) -> EffectRow:
    return EffectRow.model_validate(pooled, from_attributes=True)


# Ranks


def ranked(record: SweepRecord) -> SweepRecord:
    """The record with its recipes in the order of their ranks, those without a measurement last; the reference chosen.

    Raises:
        HarnessError: the reference that was asked for is no recipe of this sweep.
    """
    check_reference(record.asked_for, record.planned)
    decides = deciding(record.suites)
    results = [_result(row, measured, record.suites, decides) for row, measured in record.measured]
    unranked = chosen = None
    try:
        standings = rank(results, record.target.units, record.matched)
        chosen = reference(standings).name
    except NoEvidenceError as error:
        unranked = error.on_command_line
        best = pareto_optimal(results)
        standings = [Standing(result, None, None, False, result.name in best) for result in results]
    if chosen and record.asked_for is not None:
        chosen = record.asked_for if record.asked_for in {result.name for result in results} else None
    rows = {row.name: row for row in record.rungs}
    placed = [
        rows.pop(standing.result.name).model_copy(
            update={
                "rank": standing.rank,
                "learning": standing.learning,
                "ranking_drop": standing.rank and standing.result.ranking_drop,
                "learnt": standing.learnt,
                "front": standing.pareto_optimal,
            }
        )
        for standing in standings
    ]
    return record.model_copy(
        update={
            "rungs": [*placed, *rows.values()],
            "unranked": unranked,
            "reference": chosen,
            "held_out": _held_out([row for row in placed if row.rank], record.suites, decides),
        }
    )


def deciding(suites: Sequence[SuiteRow]) -> list[bool]:
    """Whether each probe that is pooled, suite by suite, has a part in the order of the recipes: a stratified half has.

    The least of several drops understates the drop of its recipe, so the other half reports it. Each suite and category is
    halved, always in the same way; probes of a cluster stay together, or one half would tell of the other.
    """
    probes = [((suite.name, probe.id), probe) for suite in pooled(suites) for probe in suite.probes]
    half = half_of(dict(probes), SAMPLE_SEED)
    return [key in half for key, _ in probes]


def _result(
    row: RecipeRow, measured: MeasuredRow, suites: Sequence[SuiteRow], decides: Sequence[bool]
) -> RecipeResult:
    return RecipeResult(
        name=row.name,
        gain=measured.gain,
        gain_interval=measured.gain_interval,
        drop=measured.drop,
        ranking_drop=compared(suites, None, row.seeds, decides).drop,
        target=[[answer.right for answer in seed.target] for seed in row.seeds],
        seconds=row.seconds_training,
    )


def _held_out(
    rows: Sequence[RecipeRow], suites: Sequence[SuiteRow], decides: Sequence[bool]
) -> HeldOutRow | None:
    """The first of the ranked recipes; None if there is no other, or if all probes decide."""
    if len(rows) < 2 or all(decides):
        return None
    first, reports = rows[0].seeds, [not decided for decided in decides]
    general = compared(suites, None, first, reports)
    changes = {row.name: compared(suites, first, row.seeds, reports).interval for row in rows[1:]}
    alike = [name for name, (low, high) in changes.items() if low <= 0 <= high]
    return HeldOutRow(
        ranked_on=sum(decides), effect=_effect(general), verdict=judge(general, MARGIN), alike=alike
    )
