"""Show the power of a run's gates and the size of its suites, as a table or as data for JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from harness.authoring.gate_power import DROP, RISE_DEVIATION, Assumed, GatePower
from harness.authoring.power import RunPower, SuiteSize
from harness.gate.cases import shown_slice
from harness.gate.decide import LEVEL, LEVEL_OVERALL
from harness.spelling import on_command_line, option
from harness.stats.paired import CONFIDENCE
from harness.stats.power import POWER
from harness.suites.suite import OVERALL
from harness.tables import aligned
from harness.wording import count, duration, points, tenths

WIDTH = 150
"""Of the legend; the table is as wide as it has to be."""


def power_lines(found: RunPower) -> Iterator[str]:
    """The table: the overall gate, any gate of the run, then a line a gate and slice; and the meaning of its columns."""
    clustered = any(gate.clusters for gate in found.gates)
    rows = [_any_gate_cells(found)]
    if found.overall:
        rows.insert(0, _cells(found.overall, found.assumed))
    for size in found.sizes:
        of_suite = [gate for gate in found.gates if gate.suite == size.suite]
        for gate in of_suite:
            rows.append(_cells(gate, found.assumed) | (_size_cells(size) if gate is of_suite[0] else {}))
    columns = _columns(found.assumed, clustered)
    yield from aligned([columns, *([row.get(name, "") for name in columns] for row in rows)], {0, 1})
    yield ""
    yield from _legend(found, clustered)


def power_data(found: RunPower) -> dict[str, object]:
    """The same for JSON; rates are fractions."""
    assumed, totals = found.assumed, _totals(found)
    return {
        "flip_rate": assumed.flip_rate,
        "design_effect": assumed.design_effect,
        "strict": assumed.strict,
        "power": POWER,
        "level": LEVEL,
        "tests": found.tests,
        "confidence": CONFIDENCE,
        "tokens_per_second": float(f"{totals['tokens'] / totals['seconds']:.3g}")
        if totals["seconds"]
        else None,
        "speed": {"source": found.timing.source, "known": found.timing.known},
        "overall": None if found.overall is None else _gate_data(found.overall, assumed),
        "gates": [_gate_data(gate, assumed) for gate in found.gates],
        "suites": [asdict(size) for size in found.sizes],
        "total": {
            "suites": len(found.sizes),
            **totals,
            "any_false_alarm_at_most": found.false_alarm(assumed.flip_rate),
            "any_false_alarms_at_most": {f"{rate:g}": found.false_alarm(rate) for rate in assumed.flip_rates},
            "probes_for_5_points": found.probes_for_5_points,
        },
    }


def _gate_data(gate: GatePower, assumed: Assumed) -> dict[str, Any]:
    data = asdict(gate) | {"false_alarm": gate.false_alarms[assumed.flip_rate]}
    del data["opens"], data["alone"]
    return data | {"false_alarms": {f"{rate:g}": chance for rate, chance in gate.false_alarms.items()}}


def _columns(assumed: Assumed, clustered: bool) -> tuple[str, ...]:
    return (
        "suite", "slice", "n", *(["clusters"] if clustered else []), "margin", "catches",
        *map(_alarm, assumed.flip_rates), "retained", "more", "cases", "tokens", "seconds",
    )  # fmt: skip


def _alarm(flip_rate: float) -> str:
    return f"red at {100 * flip_rate:g} %"


def _totals(found: RunPower) -> dict[str, Any]:
    sizes = found.sizes
    totals = {
        name: sum(getattr(size, name) for size in sizes)
        for name in ("probes", "cases", "tokens", "seconds", "seconds_at_least")
    }
    return totals | {"cases": totals["cases"] + (found.overall is not None)}


def _any_gate_cells(found: RunPower) -> dict[str, str]:
    totals = _totals(found)
    return {
        "suite": "any gate",
        "slice": count(len(found.sizes), "suite"),
        "n": f"{totals['probes']:,}",
        **{_alarm(rate): chance(found.false_alarm(rate)) for rate in found.assumed.flip_rates},
        "cases": str(totals["cases"]),
        "tokens": f"{totals['tokens']:,}",
        "seconds": _seconds(totals["seconds_at_least"], totals["seconds"]),
    }


def _size_cells(size: SuiteSize) -> dict[str, str]:
    return {"tokens": f"{size.tokens:,}", "seconds": _seconds(size.seconds_at_least, size.seconds)}


def _seconds(least: float, most: float) -> str:
    shown = [f"{seconds:,.0f}" if seconds >= 0.5 or not seconds else "<1" for seconds in (least, most)]
    return " to ".join(dict.fromkeys(shown))


def _cells(gate: GatePower, assumed: Assumed) -> dict[str, str]:
    cells = {
        "suite": gate.suite,
        "slice": shown_slice(gate.slice),
        "n": f"{gate.n:,}",
        "clusters": "" if gate.clusters is None else f"{gate.clusters:,}",
        "margin": _margin(gate),
        "cases": str(gate.cases),
    }
    if not gate.gated:
        return cells | {"catches": "not gated", "more": _more(gate)}
    return cells | {
        "catches": in_points(gate.catches) + (" %" if gate.of_texts and gate.catches else ""),
        **{_alarm(rate): chance(gate.false_alarms[rate]) for rate in assumed.flip_rates},
        "retained": chance(gate.retained),
        "more": "-" if gate.slice == "each" or gate.of_texts else _more(gate),
    }


def _margin(gate: GatePower) -> str:
    if gate.margin is None:
        return "-"
    rule = "" if gate.on_inconclusive == "confirmed" else f" ({gate.on_inconclusive})"
    return points(gate.margin) + (" %" if gate.of_texts else "") + rule


def _more(gate: GatePower) -> str:
    if gate.more_probes is None:
        return "none do"
    return f"+{gate.more_probes:,}" if gate.more_probes else "enough"


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


def _legend(found: RunPower, clustered: bool) -> Iterator[str]:
    assumed = found.assumed
    yield from textwrap.wrap(
        "Enumerated exactly, for independent probes of which some flip by chance, half of them each way: "
        f"{100 * assumed.flip_rate:g} % unless stated. Drops and margins in points, chances in %.",
        WIDTH,
    )
    meanings = _meanings(found)
    if not clustered:
        del meanings["clusters"]
    width = max(map(len, meanings))
    for name, meaning in meanings.items():
        indent = " " * (width + 4)
        shown = on_command_line(f"  {name.ljust(width)}  {meaning}")
        yield from textwrap.wrap(shown, WIDTH, subsequent_indent=indent, break_on_hyphens=False)
    if lacking := _lacking(found):
        yield from textwrap.wrap(lacking, WIDTH)
    yield _whole_run(found)


def _whole_run(found: RunPower) -> str:
    """How long a run takes."""
    totals = _totals(found)
    times = dict.fromkeys(duration(2 * totals[name]) for name in ("seconds_at_least", "seconds"))
    known = "about " if found.timing.known else ""
    return f"A run asks both models: {known}{' to '.join(times)}, and loads them first."


def _meanings(found: RunPower) -> dict[str, str]:
    assumed = found.assumed
    listed = ", ".join(f"{100 * rate:g}" for rate in assumed.flip_rates)
    return {
        OVERALL: "all suites pooled: fails "
        + (
            "unless RETAINED"
            if assumed.strict
            else f"if the observed drop is over the margin and McNemar's mid-p at most {LEVEL_OVERALL:g}"
        ),
        "any gate": "how often any gate of the run fails where nothing was lost, at most",
        "clusters": "of probes that go together, by template or passage, and of single ones; "
        f"taken to have a design effect of {assumed.design_effect:g} ({option('design_effect')})",
        "margin": "the largest acceptable drop, or rise of bits per byte (%); in brackets the gate's rule, unless it is 'confirmed'",
        "catches": f"the smallest true drop that fails this gate in {100 * POWER:.0f} % of runs, {_how(found)}; for texts a mean "
        f"rise, if the texts' log ratios have a standard deviation of {RISE_DEVIATION:g}; under each, the share of probes lost for "
        "good",
        f"red at {listed} %": "how often this gate fails at such flips where nothing was lost; under each, asks are taken as "
        "independent",
        "retained": "how often it is RETAINED there, not merely INCONCLUSIVE",
        "not gated": "too few probes for any answers to be RETAINED: they count in their suite and overall",
        "more": _more_meaning(found),
        "tokens": "of one model, estimated from the words of its prompts and the longest answers",
        "seconds": f"of one model, {found.timing.source}",
        "max_loss": "makes gates stricter once the baseline's accuracy is known: see 'calibrate'",
    }


def _how(found: RunPower) -> str:
    if not found.tests:
        return "whatever the others show"
    return (
        f"if no other slice is hurt (mid-p at most {LEVEL:g} / {found.tests}, the strictest of Holm's levels)"
    )


def _more_meaning(found: RunPower) -> str:
    retained = f"to be RETAINED in {100 * POWER:.0f} % of runs where nothing was lost"
    if found.assumed.strict:
        return f"probes to add: to be gated, or {retained}"
    needed = found.probes_for_5_points
    overall = "which no number of probes does" if needed is None else f"which takes {count(needed, 'probe')}"
    return (
        f"probes to add: to be gated, or to catch {points(DROP)} points beyond the margin; overall, to catch {points(DROP)} points, "
        f"{overall}; under 'fail', {retained}"
    )


def _lacking(found: RunPower) -> str | None:
    """The suites in which no gate can decide anything."""
    deciding = {gate.suite for gate in found.gates if gate.gated}
    lacking = [size.suite for size in found.sizes if size.suite not in deciding]
    if not lacking:
        return None
    if found.overall and found.overall.gated:
        return f"Judged by the overall gate alone, none of their own can decide: {', '.join(lacking)}"
    if not deciding:
        return "Nothing in this run can be decided: it exits with 5, which is no pass."
    return f"Nothing can be decided about: {', '.join(lacking)}"
