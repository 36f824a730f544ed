"""GatePlans and SuiteSizes in, the table that a person reads of them out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby

from harness.authoring.power import DROP, GatePlan, SuiteSize, any_false_alarm, probes_to_see
from harness.gate.cases import shown_slice
from harness.stats.paired import CONFIDENCE
from harness.stats.power import POWER, SIGNIFICANT
from harness.tables import aligned
from harness.wording import count, points, tenths

COLUMNS = (
    "suite", "slice", "n", "margin", "catches", "false alarm", "retained", "sees", "by chance", "for 5", "cases",
    "tokens", "seconds",
)  # fmt: skip
LEFT = {0, 1}


def plan_lines(
    gates: Sequence[GatePlan], sizes: Sequence[SuiteSize], flip_rate: float, tokens_per_second: float
) -> Iterator[str]:
    """The table, a line a gate and slice and one of totals, and what its columns mean."""
    by_suite = {size.suite: size for size in sizes}
    cells: list[tuple[str, ...]] = [COLUMNS]
    for name, rows in groupby(gates, key=lambda row: row.suite):
        for place, row in enumerate(rows):
            cells.append(_cells(row, by_suite[name] if place == 0 else None))
    cells.append(_total_cells(gates, sizes))
    yield from aligned(cells, LEFT)
    yield ""
    yield from _legend(flip_rate, tokens_per_second)


def plan_data(
    gates: Sequence[GatePlan], sizes: Sequence[SuiteSize], flip_rate: float, tokens_per_second: float
) -> dict[str, object]:
    """The same for a program, as JSON can hold it; rates are fractions."""
    return {
        "flip_rate": flip_rate,
        "power": POWER,
        "level": SIGNIFICANT.level,
        "confidence": CONFIDENCE,
        "tokens_per_second": tokens_per_second,
        "gates": [asdict(row) for row in gates],
        "suites": [asdict(size) for size in sizes],
        "total": {
            "suites": len(sizes),
            "probes": sum(size.probes for size in sizes),
            "cases": sum(size.cases for size in sizes),
            "tokens": sum(size.tokens for size in sizes),
            "seconds": sum(size.seconds for size in sizes),
            "any_false_alarm_at_most": any_false_alarm(gates),
            "probes_for_5_points": probes_to_see(DROP, flip_rate / 2),
        },
    }


def _cells(row: GatePlan, size: SuiteSize | None) -> tuple[str, ...]:
    return (
        row.suite,
        shown_slice(row.slice),
        str(row.n),
        _margin(row),
        in_points(row.catches),
        chance(row.false_alarm),
        chance(row.retained),
        "-" if row.slice == "each" else in_points(row.sees),
        chance(row.by_chance),
        _more(row),
        str(row.cases),
        f"{size.tokens:,}" if size else "",
        f"{size.seconds:.0f}" if size else "",
    )


def _total_cells(gates: Sequence[GatePlan], sizes: Sequence[SuiteSize]) -> tuple[str, ...]:
    blank = ""
    return (
        "total",
        count(len(sizes), "suite"),
        f"{sum(size.probes for size in sizes):,}",
        blank,
        blank,
        f"at most {chance(any_false_alarm(gates))}",
        blank,
        blank,
        blank,
        blank,
        str(sum(size.cases for size in sizes)),
        f"{sum(size.tokens for size in sizes):,}",
        f"{sum(size.seconds for size in sizes):.0f}",
    )


def _margin(row: GatePlan) -> str:
    if row.margin is None:
        return "-"
    note = "" if row.on_inconclusive == "observed" else f" ({row.on_inconclusive})"
    return points(row.margin) + note


def in_points(drop: float | None) -> str:
    """The smallest drop that is found, in points; "nothing" where none is, "any" where even none at all is."""
    if drop is None:
        return "nothing"
    return tenths(drop) if drop else "any"


def chance(fraction: float | None) -> str:
    """A chance in percent, to one digit; never "0.0" for what can happen."""
    if fraction is None:
        return "-"
    if 0 < fraction < 0.0005:
        return "<0.1"
    if 0.9995 <= fraction < 1:
        return ">99.9"
    return tenths(fraction)


def _more(row: GatePlan) -> str:
    if row.by_chance is None:
        return "-"
    if row.more_probes is None:
        return "none do"
    return f"+{row.more_probes}" if row.more_probes else "enough"


def _legend(flip_rate: float, tokens_per_second: float) -> Iterator[str]:
    needed = probes_to_see(DROP, flip_rate / 2)
    probes = "no number of probes" if needed is None else count(needed, "probe")
    yield (
        f"Exact, supposing that {100 * flip_rate:g} % of the answers of an unchanged model flip by chance, "
        "half of them each way. Drops and margins in points, chances in %."
    )
    meanings = {
        "margin": "the largest acceptable drop; in brackets what becomes of an inconclusive interval, unless the "
        "observed drop decides",
        "catches": f"the smallest true drop that fails this gate in {100 * POWER:.0f} % of runs",
        "false alarm": "how often this gate fails an unchanged model; in the total, any of the gates",
        "retained": "how often an unchanged model is RETAINED, and not merely INCONCLUSIVE",
        "sees": f"the smallest true drop that a one-sided mid-p test finds in {100 * POWER:.0f} % of runs, whatever "
        "the margin",
        "by chance": "how often that test accuses an unchanged model",
        "for 5": f"how many more probes would see a drop of {points(DROP)} points; it takes {probes}",
        "tokens": "of one model, estimated from the words of its prompts and the longest answers",
        "seconds": f"of one model, estimated at {tokens_per_second:g} tokens a second",
    }
    width = max(map(len, meanings))
    for name, meaning in meanings.items():
        yield f"  {name.ljust(width)}  {meaning}"
