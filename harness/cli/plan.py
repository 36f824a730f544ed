"""Suite files in, what their gates can and cannot see out: one line a gate and slice. No model is loaded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import groupby
from math import prod
from pathlib import Path

from harness.cli.lint import read_suites
from harness.engine.estimate import estimated_tokens
from harness.engine.planning import request
from harness.gate.cases import Case, cases
from harness.gate.compare import CONFIDENCE
from harness.reporting.table import aligned
from harness.reporting.wording import count, points
from harness.stats.power import (
    FLIP_RATE,
    POWER,
    SIGNIFICANT,
    AnyLost,
    OverMargin,
    Rule,
    chance_retained,
    power,
    probes_for,
    smallest_drop,
)
from harness.suites.suite import Gate, Suite

TOKENS_PER_SECOND = 400.0
DROP = 0.05
"""The drop, as a fraction, for which `plan` says how many probes are missing."""

COLUMNS = (
    "suite", "slice", "n", "margin", "catches", "false alarm", "retained", "sees", "by chance", "for 5", "cases",
    "tokens", "seconds",
)  # fmt: skip
LEFT = {0, 1}


@dataclass(frozen=True)
class GatePlan:
    """What a gate can see over one slice. Drops and chances are fractions; None where a number has no meaning.

    Attributes:
        slice: "all", "category[math]", or "each" for all the cases of a gate over each probe.
        cases: the pytest cases that it makes.
        catches: the smallest true drop that fails the gate with 80 % power.
        false_alarm: the chance that the gate fails an unchanged model.
        retained: the chance that an unchanged model is RETAINED, rather than INCONCLUSIVE.
        sees: the smallest true drop that a one-sided mid-p test at 5 % finds with 80 % power, whatever the margin.
        by_chance: the chance that this test accuses an unchanged model.
        more_probes: how many more probes would let it see 5 points; 0 if none are missing.
    """

    suite: str
    slice: str
    n: int
    cases: int
    margin: float | None
    on_inconclusive: str | None
    catches: float | None
    false_alarm: float
    retained: float | None
    sees: float | None
    by_chance: float | None
    more_probes: int | None


@dataclass(frozen=True)
class SuiteSize:
    """How much a suite asks of one model; `seconds` is an estimate at a stated rate."""

    suite: str
    probes: int
    cases: int
    tokens: int
    seconds: float


def plan(
    paths: Sequence[Path],
    flip_rate: float = FLIP_RATE,
    tokens_per_second: float = TOKENS_PER_SECOND,
    as_json: bool = False,
) -> int:
    """Print the plan of suites; 0.

    Raises:
        SuiteError: some of them cannot be read.
        InputError: a path is not there, or a folder has no suites.
    """
    suites = read_suites(paths)
    gates = [row for suite in suites for row in gate_plans(suite, flip_rate)]
    sizes = [suite_size(suite, tokens_per_second) for suite in suites]
    if as_json:
        print(json.dumps(_as_data(gates, sizes, flip_rate, tokens_per_second), indent=2))
        return 0
    print("\n".join(plan_lines(gates, sizes, flip_rate, tokens_per_second)))
    return 0


def gate_plans(suite: Suite, flip_rate: float = FLIP_RATE) -> Iterator[GatePlan]:
    """One plan a gate and slice, in the order of the file; the cases of a gate over each probe are one."""
    gain_rate = flip_rate / 2
    for gate, found in groupby(cases(suite), key=lambda case: case.gate):
        listed = list(found)
        if gate.over == "each":
            yield _plan_each(suite, gate, len(listed), gain_rate)
        else:
            yield from (_plan_slice(case, gain_rate) for case in listed)


def _plan_slice(case: Case, gain_rate: float) -> GatePlan:
    gate, n, rule = case.gate, len(case.probes), gate_rule(case.gate)
    assert gate.max_drop is not None, "the reader lets no such gate pass"
    needed = _probes_for(DROP, gain_rate)
    return GatePlan(
        suite=case.suite.name,
        slice=case.slice,
        n=n,
        cases=1,
        margin=gate.max_drop,
        on_inconclusive=gate.on_inconclusive,
        catches=_smallest_drop(n, gain_rate, rule),
        false_alarm=power(n, 0.0, gain_rate, rule),
        retained=chance_retained(n, gate.max_drop, gain_rate, CONFIDENCE),
        sees=_smallest_drop(n, gain_rate, SIGNIFICANT),
        by_chance=power(n, 0.0, gain_rate),
        more_probes=None if needed is None else max(0, needed - n),
    )


def _plan_each(suite: Suite, gate: Gate, n: int, gain_rate: float) -> GatePlan:
    rule = gate_rule(gate)
    return GatePlan(
        suite=suite.name,
        slice="each",
        n=n,
        cases=n,
        margin=None,
        on_inconclusive=None,
        catches=_smallest_drop(n, gain_rate, rule),
        false_alarm=power(n, 0.0, gain_rate, rule),
        retained=None,
        sees=None,
        by_chance=None,
        more_probes=None,
    )


def gate_rule(gate: Gate) -> Rule:
    """When a gate fails, as the verdicts have it, for arithmetic.

    What the baseline is right on is not known here: a gate that has nothing to lose is VACUOUS, which `calibrate`
    tells.
    """
    if gate.max_drop is None:
        return AnyLost()
    return OverMargin(gate.max_drop, gate.on_inconclusive, CONFIDENCE)


@lru_cache(maxsize=4096)
def _smallest_drop(n: int, gain_rate: float, rule: Rule) -> float | None:
    return smallest_drop(n, gain_rate, POWER, rule)


@lru_cache(maxsize=64)
def _probes_for(drop: float, gain_rate: float) -> int | None:
    return probes_for(drop, gain_rate) if drop + 2 * gain_rate <= 1 else None


def suite_size(suite: Suite, tokens_per_second: float = TOKENS_PER_SECOND) -> SuiteSize:
    """How much a suite asks of a model."""
    tokens = round(sum(estimated_tokens(request(suite, probe)) for probe in suite.probes))
    return SuiteSize(
        suite.name, len(suite.probes), sum(1 for _ in cases(suite)), tokens, tokens / tokens_per_second
    )


def any_false_alarm(gates: Sequence[GatePlan]) -> float:
    """At most how often at least one of the gates fails an unchanged model.

    As if all were independent. Gates that share probes tend to fail together, which only makes it rarer (all
    of them are monotone in what becomes of each probe: Harris's inequality).
    """
    return 1 - prod(1 - row.false_alarm for row in gates)


# Output


def _as_data(
    gates: Sequence[GatePlan], sizes: Sequence[SuiteSize], flip_rate: float, tokens_per_second: float
) -> dict[str, object]:
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
            "probes_for_5_points": _probes_for(DROP, flip_rate / 2),
        },
    }


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


def _cells(row: GatePlan, size: SuiteSize | None) -> tuple[str, ...]:
    return (
        row.suite,
        row.slice.removeprefix("category[").removesuffix("]"),
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
    return f"{100 * drop:.1f}" if drop else "any"


def chance(fraction: float | None) -> str:
    """A chance in percent, to one digit; never "0.0" for what can happen."""
    if fraction is None:
        return "-"
    if 0 < fraction < 0.0005:
        return "<0.1"
    if 0.9995 <= fraction < 1:
        return ">99.9"
    return f"{100 * fraction:.1f}"


def _more(row: GatePlan) -> str:
    if row.by_chance is None:
        return "-"
    if row.more_probes is None:
        return "none do"
    return f"+{row.more_probes}" if row.more_probes else "enough"


def _legend(flip_rate: float, tokens_per_second: float) -> Iterator[str]:
    needed = _probes_for(DROP, flip_rate / 2)
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
