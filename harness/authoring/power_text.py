"""Show the power of gates and the size of suites, as a table or as data for JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from harness.authoring.power import DROP, GatePower, SuiteSize, any_false_alarm, probes_to_see
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


def power_lines(
    gates: Sequence[GatePower], sizes: Sequence[SuiteSize], flip_rate: float, tokens_per_second: float
) -> Iterator[str]:
    """The table, a line a gate and slice and one of totals, and the meaning of its columns."""
    rows: list[tuple[str, ...]] = [COLUMNS]
    for size in sizes:
        of_suite = [gate for gate in gates if gate.suite == size.suite]
        rows += [_cells(gate, size if gate is of_suite[0] else None) for gate in of_suite]
    yield from aligned([*rows, _total_cells(gates, sizes)], LEFT)
    yield ""
    yield from _legend(flip_rate, tokens_per_second)


def power_data(
    gates: Sequence[GatePower], sizes: Sequence[SuiteSize], flip_rate: float, tokens_per_second: float
) -> dict[str, object]:
    """The same for JSON; rates are fractions."""
    return {
        "flip_rate": flip_rate,
        "power": POWER,
        "level": SIGNIFICANT.level,
        "confidence": CONFIDENCE,
        "tokens_per_second": tokens_per_second,
        "gates": [asdict(gate) for gate in gates],
        "suites": [asdict(size) for size in sizes],
        "total": {
            "suites": len(sizes),
            **_totals(sizes),
            "any_false_alarm_at_most": any_false_alarm(gates),
            "probes_for_5_points": probes_to_see(DROP, flip_rate / 2),
        },
    }


def _totals(sizes: Sequence[SuiteSize]) -> dict[str, Any]:
    return {
        name: sum(getattr(size, name) for size in sizes) for name in ("probes", "cases", "tokens", "seconds")
    }


def _total_cells(gates: Sequence[GatePower], sizes: Sequence[SuiteSize]) -> tuple[str, ...]:
    totals = _totals(sizes)
    cells = {
        "suite": "total",
        "slice": count(len(sizes), "suite"),
        "n": f"{totals['probes']:,}",
        "false alarm": f"at most {chance(any_false_alarm(gates))}",
        "cases": str(totals["cases"]),
        "tokens": f"{totals['tokens']:,}",
        "seconds": f"{totals['seconds']:.0f}",
    }
    return tuple(cells.get(column, "") for column in COLUMNS)


def _cells(gate: GatePower, size: SuiteSize | None) -> tuple[str, ...]:
    each = gate.slice == "each"
    return (
        gate.suite,
        shown_slice(gate.slice),
        str(gate.n),
        _margin(gate),
        in_points(gate.catches),
        chance(gate.false_alarm),
        chance(gate.retained),
        "-" if each else in_points(gate.sees),
        chance(gate.by_chance),
        "-" if each else _more(gate.more_probes),
        str(gate.cases),
        f"{size.tokens:,}" if size else "",
        f"{size.seconds:.0f}" if size else "",
    )


def _margin(gate: GatePower) -> str:
    if gate.margin is None:
        return "-"
    return points(gate.margin) + ("" if gate.on_inconclusive == "observed" else f" ({gate.on_inconclusive})")


def _more(probes: int | None) -> str:
    if probes is None:
        return "none do"
    return f"+{probes}" if probes else "enough"


def in_points(drop: float | None) -> str:
    """The minimum detectable drop in points; "nothing" if there is none, "any" if the gate fails even without a drop."""
    if drop is None:
        return "nothing"
    return tenths(drop) if drop else "any"


def chance(fraction: float | None) -> str:
    """A chance in percent, to one digit; never "0.0" for something possible."""
    if fraction is None:
        return "-"
    if 0 < fraction < 0.0005:
        return "<0.1"
    if 0.9995 <= fraction < 1:
        return ">99.9"
    return tenths(fraction)


def _legend(flip_rate: float, tokens_per_second: float) -> Iterator[str]:
    needed = probes_to_see(DROP, flip_rate / 2)
    probes = "no number of probes" if needed is None else count(needed, "probe")
    yield (
        f"Exact, assuming that {100 * flip_rate:g} % of an unchanged model's answers flip by chance, half of them each "
        "way. Drops and margins in points, chances in %."
    )
    meanings = {
        "margin": "the largest acceptable drop; in brackets the rule for an inconclusive interval, unless the observed "
        "drop decides",
        "catches": f"the smallest true drop that fails this gate in {100 * POWER:.0f} % of runs",
        "false alarm": "how often this gate fails an unchanged model; in the total, any of the gates",
        "retained": "how often an unchanged model is RETAINED, not merely INCONCLUSIVE",
        "sees": f"the smallest true drop that a one-sided mid-p test finds in {100 * POWER:.0f} % of runs, whatever the "
        "margin",
        "by chance": "how often that test accuses an unchanged model",
        "for 5": f"how many more probes would detect a drop of {points(DROP)} points, which takes {probes}",
        "tokens": "of one model, estimated from the words of its prompts and the longest answers",
        "seconds": f"of one model, estimated at {tokens_per_second:g} tokens a second",
    }
    width = max(map(len, meanings))
    for name, meaning in meanings.items():
        yield f"  {name.ljust(width)}  {meaning}"
