"""How far a ladder's statistics can be trusted: simulated ladders in, how often it ranks out, flatters or misses, out.

python benchmarks/ladder_statistics.py [TRIALS] [SEED]

Each rule is compared with the plain one in its place: a cut at nine tenths of the best gain; the least drop as it was
measured; Tango's interval of the mean counts over seeds. Models agree on probes as models of one base do: a probe's
difficulty, common to all, makes up AGREE of the latent variance.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from harness.gate.pooling import Unit, pool
from harness.reporting.rows import AnswerRow
from harness.stats.paired import tango_interval
from harness.sweep.ranking import RecipeResult, rank
from harness.sweep.record import AskedRow, SuiteRow
from harness.sweep.results import deciding
from harness.tables import aligned

AGREE = 0.6
RECIPES, SHARE = 7, 0.9
DROP, LOST, GAINED = 0.10, 0.15, 0.05
"""The true drop, and how often probes are lost and gained."""

Draws = NDArray[np.float64]
Right = NDArray[np.bool_]


def main(trials: int = 400, seed: int = 0) -> None:
    draws = np.random.default_rng(seed)
    print(f"{trials} ladders a line; rates in percent, drops in points\n")
    print(
        f"How often one of {RECIPES} recipes is ranked out for learning less than {100 * SHARE:.0f} % of the best"
    )
    _show(
        ("true gains", "probes", "by a cut", "by the interval", "the one with half: called less"),
        _ranked_out(trials, draws),
    )
    print(f"\nThe first of {RECIPES} recipes that all truly lose {100 * DROP:.0f} points")
    _show(
        ("probes", "its drop on all", "interval covers", "on the other half", "covers"),
        _winners(trials, draws),
    )
    print(
        "\nHow often a 90 % interval over seeds covers the true drop; SD of the true drops of seeds, in points"
    )
    _show(("seeds", "probes", "SD", "mean counts alone", "between seeds too", "width"), _seeds(trials, draws))


def _uniform(draws: np.random.Generator, models: int, probes: int) -> Draws:
    """Uniform numbers, shape (models, probes), that go together within a probe."""
    common, own = draws.standard_normal(probes), draws.standard_normal((models, probes))
    return np.asarray(ndtr(np.sqrt(AGREE) * common + np.sqrt(1 - AGREE) * own))


def _ranked_out(trials: int, draws: np.random.Generator) -> Iterator[tuple[str, ...]]:
    for gain in (0.3, 0.6, 0.8):
        for probes in (40, 73, 112):
            equal = [_learning(np.full(RECIPES, gain), probes, draws) for _ in range(trials)]
            one_half = np.full(RECIPES, gain)
            one_half[-1] /= 2
            half = [_learning(one_half, probes, draws) for _ in range(trials)]
            yield (
                f"{100 * gain:.0f}",
                str(probes),
                _percent([cut.any() for cut, _ in equal]),
                _percent([less.any() for _, less in equal]),
                _percent([less[-1] for _, less in half]),
            )


def _learning(gains: Draws, probes: int, draws: np.random.Generator) -> tuple[Right, Right]:
    """Which recipes a cut at the share ranks out, and which the interval does."""
    right = _uniform(draws, gains.size, probes) < gains[:, None]
    learnt = right.mean(axis=1)
    results = [
        RecipeResult(str(place), float(learnt[place]), (0.01, 1.0), 0.0, 0.0, [answers.tolist()])
        for place, answers in enumerate(right)
    ]
    less = {
        standing.result.name
        for standing in rank(results, _units(probes), SHARE)
        if standing.learning == "less"
    }
    return learnt < SHARE * learnt.max(), np.array([result.name in less for result in results])


def _winners(trials: int, draws: np.random.Generator) -> Iterator[tuple[str, ...]]:
    for probes in (112, 160, 336):
        decides = np.array(deciding([_suite(probes)]))
        on_all, on_half, all_covers, half_covers = [], [], [], []
        for _ in range(trials):
            right = _uniform(draws, RECIPES, probes)
            change = (right < LOST).astype(int) - (right > 1 - GAINED)
            first = change[np.argmin(change.mean(axis=1))]
            chosen = change[np.argmin(change[:, decides].mean(axis=1))][~decides]
            on_all.append(first.mean())
            on_half.append(chosen.mean())
            all_covers.append(_covers(first))
            half_covers.append(_covers(chosen))
        yield (
            str(probes),
            f"{100 * np.mean(on_all):.1f}",
            _percent(all_covers),
            f"{100 * np.mean(on_half):.1f}",
            _percent(half_covers),
        )


def _covers(change: NDArray[np.int_]) -> bool:
    low, high = tango_interval(int((change > 0).sum()), int((change < 0).sum()), change.size)
    return low <= DROP <= high


def _suite(probes: int) -> SuiteRow:
    rows = [
        AskedRow(
            id=str(place),
            category=str(place % 8),
            fields={},
            expected=[],
            baseline=AnswerRow(answer="", right=True),
        )
        for place in range(probes)
    ]
    return SuiteRow(name="general", path="", about="", key="", of=probes, probes=rows)


def _seeds(trials: int, draws: np.random.Generator) -> Iterator[tuple[str, ...]]:
    for seeds in (2, 3, 5):
        for probes in (112, 300):
            for spread in (0.0, 0.02, 0.05):
                alone, both, widths = [], [], []
                for _ in range(trials):
                    lost = LOST + spread * draws.standard_normal((seeds, 1))
                    value = _uniform(draws, seeds, probes)
                    # Lost probes were right before; of the rest those gained were wrong.
                    before, after = value <= 1 - GAINED, (value >= lost) | (value > 1 - GAINED)
                    pooled = pool(_units(probes), before.tolist(), after.tolist())
                    old = tango_interval(pooled.lost, pooled.gained, probes)
                    alone.append(old[0] <= DROP <= old[1])
                    both.append(pooled.interval[0] <= DROP <= pooled.interval[1])
                    widths.append(pooled.interval[1] - pooled.interval[0])
                yield (
                    str(seeds),
                    str(probes),
                    f"{100 * spread:.0f}",
                    _percent(alone),
                    _percent(both),
                    f"{100 * np.median(widths):.1f}",
                )


def _units(probes: int) -> list[Unit]:
    """Independent probes of one suite."""
    return [Unit("general")] * probes


def _percent(found: list[bool] | list[np.bool_]) -> str:
    return f"{100 * np.mean(found):.1f}"


def _show(heading: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> None:
    print("\n".join(aligned([heading, *rows])))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
