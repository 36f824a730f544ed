"""Runs in, how drop and accuracy went over them out: a table with bars for a terminal, or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from harness.reporting.history.file import KeptRun
from harness.reporting.only_accepted import by_acceptances
from harness.suites.suite import OVERALL
from harness.tables import aligned
from harness.visible import visible_json
from harness.wording import count, cut, points, tenths

WIDTH = 12
"""Characters of the longest bar."""

LEVELS, TYPED_LEVELS = "▁▂▃▄▅▆▇█", "_.:-=+*#"
BLOCK, TYPED_BLOCK = "█", "#"
LONGEST_NAME = 40

Gate = dict[str, Any]


def as_json(runs: Sequence[KeptRun]) -> str:
    """The runs as a list of objects, their gates as in a record."""
    return visible_json(json.dumps([asdict(run) for run in runs], indent=1, ensure_ascii=False))


def trend_lines(runs: Sequence[KeptRun], suite: str | None = None, unicode: bool = True) -> Iterator[str]:
    """A row for each run, then a line of marks for each suite.

    Args:
        suite: whose gate over all probes to show; None for the gate over all suites, or the only one of a run.
        unicode: whether the terminal has more letters than ASCII.
    """
    wholes = [_whole(run, suite) for run in runs]
    most = max((max(gate["drop"] or 0.0, 0.0) for gate in wholes if gate), default=0.0)
    block = BLOCK if unicode else TYPED_BLOCK
    heading: tuple[str, ...] = ("run", "began (UTC)", "tuned", "status", "n", "baseline", "tuned", "drop", "")
    rows = [_row(run, gate, most, block) for run, gate in zip(runs, wholes, strict=True)]
    over = [_over(gate) for gate in wholes]
    if len({name for name in over if name}) > 1:  # each row speaks for suites of its own
        heading, rows = (*heading, "over"), [(*row, name) for row, name in zip(rows, over, strict=True)]
    yield from aligned([heading, *rows], left={1, 2, 3, 8, 9})
    names = list(dict.fromkeys(gate["suite"] for run in runs for gate in run.gates if gate["over"] == "all"))
    names = names if suite is None else [suite]
    if len(runs) > 1 and names:
        yield ""
        levels = LEVELS if unicode else TYPED_LEVELS
        yield from aligned(
            [("suite", "drop", "last", "accuracy", "last"), *_suites(runs, names, levels)], left={0, 1, 3}
        )
        yield f"of {count(len(runs), 'run')} from the first to the last; drops from 0 to the largest, accuracies from 0 to 100 %"


def _whole(run: KeptRun, suite: str | None) -> Gate | None:
    """The gate that speaks for a run: over all suites, or over the only one."""
    if suite is not None:
        return _of_suite(run, suite)
    overall = next((gate for gate in run.gates if (gate["suite"], gate["slice"]) == (OVERALL, "all")), None)
    alone = [gate for gate in run.gates if gate["over"] == "all"]
    return overall or (alone[0] if len(alone) == 1 else None)


def _over(gate: Gate | None) -> str:
    """The suite that a row speaks for, or all of them."""
    if gate is None:
        return ""
    return "all suites" if gate["suite"] == OVERALL else cut(gate["suite"], LONGEST_NAME)


def _of_suite(run: KeptRun, suite: str) -> Gate | None:
    return next((gate for gate in run.gates if gate["suite"] == suite and gate["over"] == "all"), None)


def _row(run: KeptRun, gate: Gate | None, most: float, block: str) -> tuple[str, ...]:
    status = by_acceptances(run.status, (row["without_accepted"] for row in run.gates))
    head = (str(run.number), run.started[:16].replace("T", " "), cut(run.tuned, LONGEST_NAME), status)
    if gate is None:
        return (*head, "-", "-", "-", "-", "")
    if gate["rise"] is not None:
        return (*head, str(gate["n"]), "-", "-", f"{100 * gate['rise']:+z.1f} %", "")
    before, drop = gate["baseline_accuracy"], gate["drop"]
    bar = block * max(1, round(WIDTH * drop / most)) if drop and drop > 0 and most else ""
    return (
        *head,
        str(gate["n"]),
        "-" if before is None else tenths(before),
        tenths(gate["tuned_accuracy"]),
        "-" if drop is None else tenths(drop),
        bar,
    )


def _suites(runs: Sequence[KeptRun], names: Sequence[str], levels: str) -> Iterator[tuple[str, ...]]:
    for name in names:
        gates = [_of_suite(run, name) for run in runs]
        of_texts = any(gate and gate["rise"] is not None for gate in gates)
        drops = _values(gates, "rise" if of_texts else "drop")
        right = [None if of_texts else value for value in _values(gates, "tuned_accuracy")]
        most = max((drop for drop in drops if drop is not None), default=0.0)
        yield (
            name,
            _marks(drops, most, levels),
            _last(drops, " %" if of_texts else ""),
            _marks(right, 1.0, levels),
            _last(right, ""),
        )


def _values(gates: Sequence[Gate | None], key: str) -> list[float | None]:
    return [gate[key] if gate else None for gate in gates]


def _marks(values: Sequence[float | None], most: float, levels: str) -> str:
    """A mark for each value, the higher the larger; a blank where there is none."""
    return "".join(
        " " if value is None else levels[_level(value, most, len(levels))] for value in values
    ).rstrip()


def _level(value: float, most: float, levels: int) -> int:
    return 0 if most <= 0 else min(levels - 1, max(0, round(value / most * (levels - 1))))


def _last(values: Sequence[float | None], unit: str) -> str:
    known = [value for value in values if value is not None]
    return f"{points(known[-1])}{unit}" if known else "-"
