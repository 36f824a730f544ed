"""Suite files in, what their gates can and cannot see out: one line a gate and slice. No model is loaded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from harness.authoring.power import (
    DROP,
    TOKENS_PER_SECOND,
    GatePlan,
    SuiteSize,
    any_false_alarm,
    gate_plans,
    probes_to_see,
    suite_size,
)
from harness.authoring.power_text import plan_lines
from harness.documents.within import PROJECT, Reach
from harness.evaluation.suites import read_suites
from harness.gate.compare import CONFIDENCE
from harness.stats.power import FLIP_RATE, POWER, SIGNIFICANT
from harness.terminal import show


def plan(
    paths: Sequence[Path],
    flip_rate: float = FLIP_RATE,
    tokens_per_second: float = TOKENS_PER_SECOND,
    as_json: bool = False,
    reach: Reach = PROJECT,
) -> int:
    """Print the plan of suites; 0.

    Raises:
        SuiteError: some of them cannot be read.
        InputError: a folder has no suites.
    """
    suites = read_suites(paths, reach)
    gates = [row for suite in suites for row in gate_plans(suite, flip_rate)]
    sizes = [suite_size(suite, tokens_per_second) for suite in suites]
    if as_json:
        show(json.dumps(_as_data(gates, sizes, flip_rate, tokens_per_second), indent=2))
        return 0
    show("\n".join(plan_lines(gates, sizes, flip_rate, tokens_per_second)))
    return 0


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
            "probes_for_5_points": probes_to_see(DROP, flip_rate / 2),
        },
    }
