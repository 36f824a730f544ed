"""Make the tables of docs/statistics.md: the numbers of `plan`, for suites of round sizes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from scipy.special import gammaln, xlogy

from harness.authoring.gate_power import RISE_DEVIATION, probes_to_catch
from harness.authoring.power_text import chance, in_points
from harness.gate.compare import comparison
from harness.gate.decide import LEVEL
from harness.gate.policy import MAX_DROP_OVERALL
from harness.gate.rules import overall_rule, slice_rule
from harness.gate.verdict import MARGIN, judge
from harness.reporting.explain import INTERVAL
from harness.stats.checklist import chance_red, lost_by_majority
from harness.stats.paired import normal_quantile, tango_z
from harness.stats.paired_t import detectable_mean
from harness.stats.power import (
    FLIP_RATES,
    TUNING_FLIPS,
    OverMargin,
    minimum_detectable_drop,
    power,
    probability_retained,
)
from harness.tables import markdown
from harness.wording import points, tenths

CALIBRATION = Path(__file__).parents[2] / "docs" / "calibration.json"

ALL_FLIP_RATES = (0.0, *FLIP_RATES, 0.20)
SIZES = (100, 150, 250, 500, 1000, 2500)
DROPS = (0.04, 0.05, 0.06, 0.08, 0.10, 0.15)
TESTS = 60
"""About how many gates over slices a run over the shipped suites has."""
GATES = ((46, 0.15), (72, 0.15), (100, 0.10), (140, 0.075), (184, 0.05), (336, 0.05))
CRITICAL = 4
CHECKLISTS = (10, 21, 50, 100)
TEXTS = (10, 30, 44, 132)
COVERED = (30, 100, 200)
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


def overall_catches() -> str:
    """Probes and flip rate: the drop that the overall gate catches."""
    rule = overall_rule(MAX_DROP_OVERALL, strict=False)
    rows = (
        [f"{n:,}", *(in_points(minimum_detectable_drop(n, rate / 2, rule)) for rate in ALL_FLIP_RATES)]
        for n in SIZES
    )
    return _table(["probes", *_headings(ALL_FLIP_RATES)], rows)


def overall_needs() -> str:
    """Drop and flip rate: how many probes the overall gate needs to catch it."""
    rows = ([f"{points(drop)} points", *(_probes(drop, rate) for rate in ALL_FLIP_RATES)] for drop in DROPS)
    return _table(["drop", *_headings(ALL_FLIP_RATES)], rows)


def gates() -> str:
    """Probes and margin: the drop that the gate over a slice catches, and how often it is wrong where nothing was lost."""
    heading = f"probes, margin, catches alone, catches among {TESTS}, red at 5 %, red at 20 %, retained, red under strict"
    return _table(heading.split(", "), (_gate(n, margin) for n, margin in GATES))


def checklists() -> str:
    """Probes and flip rate: the chance that a checklist is red where nothing was lost; last, with no other words known."""
    rates = ALL_FLIP_RATES[1:]
    rows = (
        [str(n), *(chance(_checklist(n, rate, 4)) for rate in rates), chance(_checklist(n, TUNING_FLIPS, 2))]
        for n in CHECKLISTS
    )
    return _table(["probes", *_headings(rates), f"{100 * TUNING_FLIPS:g} % flip, 2 asks"], rows)


def rises() -> str:
    """Texts: the mean rise of bits per byte that a t test finds."""
    rows = (
        [
            str(n),
            *(
                f"{100 * detectable_mean(n, RISE_DEVIATION, level=level):.2f} %"
                for level in (LEVEL, LEVEL / TESTS)
            ),
        ]
        for n in TEXTS
    )
    return _table(["texts", "alone", f"among {TESTS}"], rows)


def coverage() -> str:
    """Probes: how often a bound of the interval holds, on average and at worst."""
    return _table(
        ["probes", "upper, mean", "upper, worst", "lower, mean", "lower, worst"],
        ([str(n), *map(tenths, _covered(n))] for n in COVERED),
    )


def calibration() -> str:
    """What `make calibrate` found of whole runs."""
    found = json.loads(CALIBRATION.read_text(encoding="utf-8"))
    tables = (
        f"{table['title']}{' (' + table['text'] + ')' if table['text'] else ''}:\n\n"
        f"{_table(table['heading'], table['rows'], left=(0,))}"
        for table in found["summary"]
    )
    links = (
        "`--strict` asks for proof that nothing was lost, and the smaller a margin, the less often a gate can give it. "
        "[All tables](calibration.md), by policy, number of probes, clusters and looks, are measured by `make calibrate`.\n\n"
        "![How often runs are red, before and now](calibration.svg)"
    )
    return "\n\n".join([*tables, links])


def intervals() -> str:
    """Counts: the interval and its verdict."""
    heading = ["probes", "lost", "gained", "drop", INTERVAL, "verdict"]
    return _table(heading, (_example(*counts) for counts in EXAMPLES), left=(5,))


def _headings(rates: Sequence[float]) -> list[str]:
    return [f"{100 * rate:g} % flip" for rate in rates]


def _probes(drop: float, flip_rate: float) -> str:
    needed = probes_to_catch(drop, flip_rate / 2, overall_rule(MAX_DROP_OVERALL, strict=False))
    return "-" if needed is None else f"{needed:,}"


def _gate(n: int, margin: float) -> list[str]:
    gain_rate = TUNING_FLIPS / 2
    alone, among = (slice_rule(margin, "confirmed", level) for level in (LEVEL, LEVEL / TESTS))
    return [
        str(n),
        points(margin),
        *(in_points(minimum_detectable_drop(n, gain_rate, rule)) for rule in (alone, among)),
        *(chance(power(n, 0.0, rate / 2, among)) for rate in (TUNING_FLIPS, 0.20)),
        chance(probability_retained(n, margin, gain_rate)),
        chance(power(n, 0.0, gain_rate, OverMargin(margin, "fail"))),
    ]


def _checklist(n: int, flip_rate: float, asks: int) -> float:
    """The chance of red where CRITICAL probes are critical and the baseline answers so many asks of each."""
    lost = lost_by_majority(asks, flip_rate / 2)
    return chance_red([lost] * CRITICAL, [lost] * (n - CRITICAL))


def _covered(n: int) -> tuple[float, float, float, float]:
    """How often each bound holds, over true drops of 0 to 30 points and rates of gains of up to 20 %."""
    lost, gained = np.indices((n + 1, n + 1))
    possible = lost + gained <= n
    b, c = lost[possible], gained[possible]  # shape (outcomes,)
    ways = gammaln(n + 1) - gammaln(b + 1) - gammaln(c + 1) - gammaln(n - b - c + 1)
    upper, lower = [], []
    for drop in np.linspace(0, 0.30, 31):
        z = tango_z(b, c, n, float(drop) + 1e-9)
        above, below = z >= -normal_quantile(), z <= normal_quantile()
        for gain_rate in np.linspace(0, 0.20, 21):
            rest = n - b - c
            log = (
                ways
                + xlogy(b, drop + gain_rate)
                + xlogy(c, gain_rate)
                + xlogy(rest, 1 - drop - 2 * gain_rate)
            )
            chances = np.exp(log)
            upper.append(float(chances[above].sum()))
            lower.append(float(chances[below].sum()))
    return float(np.mean(upper)), min(upper), float(np.mean(lower)), min(lower)


def _example(n: int, lost: int, gained: int) -> tuple[str, ...]:
    made = comparison(kept=n - lost - gained, lost=lost, gained=gained, missed=0)
    low, high = made.interval
    shown = f"{tenths(low)} to {tenths(high)}"
    return str(n), str(lost), str(gained), tenths(made.drop), shown, judge(made, MARGIN)


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]], left: Sequence[int] = ()) -> str:
    return "\n".join(markdown([heading, *rows], left))
