"""Make the tables of docs/statistics.md: the numbers of `plan`, for suites of round sizes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.authoring.power_text import chance, in_points
from harness.gate.compare import comparison
from harness.gate.verdict import MARGIN, judge
from harness.reporting.explain import INTERVAL
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
from harness.tables import markdown
from harness.wording import points, tenths

FLIP_RATES = (0.0, 0.01, 0.02, 0.05, 0.10)
SIZES = (20, 30, 50, 100, 150, 250, 500, 1000)
DROPS = (0.02, 0.03, 0.05, 0.06, 0.10, 0.15, 0.20, 0.30)
GATES = ((20, 0.10), (30, 0.20), (50, 0.10), (50, 0.15), (100, 0.10), (150, 0.05), (250, 0.05), (250, 0.10), (500, 0.03))  # fmt: skip
EACH_SIZES = (1, 10, 20, 50, 100)
EXAMPLES = ((5, 0, 0), (20, 0, 0), (30, 0, 0), (30, 3, 1), (30, 11, 1), (100, 4, 2), (250, 15, 5), (250, 40, 5))  # fmt: skip


def drops_seen() -> str:
    """Probes and flip rate: the minimum detectable drop of the mid-p test."""
    rows = (
        [str(n), *(in_points(minimum_detectable_drop(n, rate / 2)) for rate in FLIP_RATES)] for n in SIZES
    )
    return _table(["probes", *_headings(FLIP_RATES)], rows)


def probes_needed() -> str:
    """Drop and flip rate: how many probes detect it."""
    rows = ([f"{points(drop)} points", *(_probes(drop, rate) for rate in FLIP_RATES)] for drop in DROPS)
    return _table(["drop", *_headings(FLIP_RATES)], rows)


def gates() -> str:
    """Probes and margin: the drop that a gate catches, and how often it is wrong about an unchanged model."""
    heading = "probes, margin, catches, false alarm, retained, strict catches, strict false alarm"
    return _table(heading.split(", "), (_gate(n, margin) for n, margin in GATES))


def each() -> str:
    """Probes and flip rate: the chance that a gate over each probe fails an unchanged model."""
    rates = FLIP_RATES[1:]
    rows = ([str(n), *(chance(power(n, 0.0, rate / 2, AnyLost())) for rate in rates)] for n in EACH_SIZES)
    return _table(["probes", *_headings(rates)], rows)


def intervals() -> str:
    """Counts: the interval and its verdict."""
    heading = ["probes", "lost", "gained", "drop", INTERVAL, "verdict"]
    return _table(heading, (_example(*counts) for counts in EXAMPLES), left=(5,))


def _headings(rates: Sequence[float]) -> list[str]:
    return [f"{100 * rate:g} % flip" for rate in rates]


def _probes(drop: float, flip_rate: float) -> str:
    needed = probes_for(drop, flip_rate / 2)
    return "-" if needed is None else f"{needed:,}"


def _gate(n: int, margin: float) -> list[str]:
    observed, strict = OverMargin(margin), OverMargin(margin, "fail")
    retained = chance(probability_retained(n, margin, FLIP_RATE / 2))
    return [str(n), points(margin), *_found(n, observed), retained, *_found(n, strict)]


def _found(n: int, rule: Rule) -> list[str]:
    """The drop that a rule catches, and its false alarms."""
    catches = minimum_detectable_drop(n, FLIP_RATE / 2, rule=rule)
    return [in_points(catches), chance(power(n, 0.0, FLIP_RATE / 2, rule))]


def _example(n: int, lost: int, gained: int) -> tuple[str, ...]:
    made = comparison(kept=n - lost - gained, lost=lost, gained=gained, missed=0)
    low, high = made.interval
    shown = f"{tenths(low)} to {tenths(high)}"
    return str(n), str(lost), str(gained), tenths(made.drop), shown, judge(made, MARGIN)


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]], left: Sequence[int] = ()) -> str:
    return "\n".join(markdown([heading, *rows], left))
