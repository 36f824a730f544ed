"""Nothing in, the tables of docs/statistics.md out: what `plan` computes, for suites of round sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.authoring.power_text import chance, in_points
from harness.gate.compare import comparison
from harness.gate.verdict import MARGIN, judge
from harness.reporting.explain import INTERVAL
from harness.stats.power import (
    FLIP_RATE,
    POWER,
    AnyLost,
    OverMargin,
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
EXAMPLES = (
    (5, 0, 0),
    (20, 0, 0),
    (30, 0, 0),
    (30, 3, 1),
    (30, 11, 1),
    (100, 4, 2),
    (250, 15, 5),
    (250, 40, 5),
)


def drops_seen() -> str:
    """n against flip rate: the smallest drop that the mid-p test finds."""
    heading = ("probes", *(f"{100 * rate:g} % flip" for rate in FLIP_RATES))
    return _table(
        heading,
        ((str(n), *(in_points(minimum_detectable_drop(n, rate / 2)) for rate in FLIP_RATES)) for n in SIZES),
    )


def probes_needed() -> str:
    """Drop against flip rate: the probes that find it."""
    heading = ("drop", *(f"{100 * rate:g} % flip" for rate in FLIP_RATES))
    return _table(
        heading,
        (
            (f"{points(drop)} points", *(_probes(drop, rate) for rate in FLIP_RATES))
            for drop in DROPS
        ),
    )  # fmt: skip


def gates() -> str:
    """n and margin: what a gate catches, and how often it is wrong about an unchanged model."""
    heading = (
        "probes",
        "margin",
        "catches",
        "false alarm",
        "retained",
        "strict catches",
        "strict false alarm",
    )
    return _table(heading, (_gate(n, margin) for n, margin in GATES), left=())


def each() -> str:
    """n against flip rate: the chance that a gate over each probe fails an unchanged model."""
    rates = FLIP_RATES[1:]
    heading = ("probes", *(f"{100 * rate:g} % flip" for rate in rates))
    return _table(
        heading,
        ((str(n), *(chance(power(n, 0.0, rate / 2, AnyLost())) for rate in rates)) for n in EACH_SIZES),
    )


def intervals() -> str:
    """Counts: the interval and its verdict."""
    heading = ("probes", "lost", "gained", "drop", INTERVAL, "verdict")
    return _table(heading, (_example(*counts) for counts in EXAMPLES), left=(5,))


def _probes(drop: float, flip_rate: float) -> str:
    needed = probes_for(drop, flip_rate / 2)
    return "-" if needed is None else f"{needed:,}"


def _gate(n: int, margin: float) -> tuple[str, ...]:
    gain_rate = FLIP_RATE / 2
    observed, strict = OverMargin(margin), OverMargin(margin, "fail")
    return (
        str(n),
        points(margin),
        in_points(minimum_detectable_drop(n, gain_rate, POWER, observed)),
        chance(power(n, 0.0, gain_rate, observed)),
        chance(probability_retained(n, margin, gain_rate)),
        in_points(minimum_detectable_drop(n, gain_rate, POWER, strict)),
        chance(power(n, 0.0, gain_rate, strict)),
    )


def _example(n: int, lost: int, gained: int) -> tuple[str, ...]:
    made = comparison(kept=n - lost - gained, lost=lost, gained=gained, missed=0)
    low, high = made.interval
    shown = f"{tenths(low)} to {tenths(high)}"
    return str(n), str(lost), str(gained), tenths(made.drop), shown, judge(made, MARGIN)


def _table(heading: Sequence[str], rows: Iterator[tuple[str, ...]], left: Sequence[int] = ()) -> str:
    return "\n".join(markdown([heading, *rows], left))
