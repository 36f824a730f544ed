"""python -m benchmarks.speed.growth SUITE MODEL STORE

Prints as JSON how many seconds it takes to read a suite, to ask and score its probes, and to decide and record them.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from harness.engine.settings import Settings
from harness.evaluation.record import rows
from harness.evaluation.session import PairSession
from harness.gate.cases import cases
from harness.models.reference import find_pair
from harness.scoring import SCORERS
from harness.store.opening import open_pair
from harness.suites.read import read_suite

STEPS = ("collect", "ask", "judge")


def main(path: Path, model: str, store: str) -> None:
    engines = open_pair(find_pair(model, None), Settings(store=store))
    times = [time.perf_counter()]
    suite = read_suite(path, SCORERS)
    asked = list(cases(suite))
    times.append(time.perf_counter())
    session = PairSession()
    session.need(asked)
    session.ask_both(suite.name, engines.of)
    times.append(time.perf_counter())
    rows(session.decide(asked))
    times.append(time.perf_counter())
    print(json.dumps({"probes": len(suite.probes), **dict(zip(STEPS, differences(times), strict=True))}))


def differences(times: Sequence[float]) -> Iterator[float]:
    return (after - before for before, after in pairwise(times))


def write_suite(path: Path, probes: int) -> Path:
    """A suite of short questions, all different, and of one category for each hundred."""
    rows = (
        {
            "id": f"p{n}",
            "category": f"c{n // 100}",
            "question": f"What comes after {n}?",
            "answer": str(n + 1),
        }
        for n in range(probes)
    )
    path.with_suffix(".jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    suite = {
        "suite": path.stem,
        "task": {"max_new_tokens": 4},
        "score": "mentions",
        "gates": [{"over": "all", "max_drop": 0.05}, {"over": "category", "max_drop": 0.15}],
        "probes_from": path.with_suffix(".jsonl").name,
    }
    path.write_text(json.dumps(suite), encoding="utf-8")
    return path


def slope(sizes: Sequence[float], seconds: Sequence[float]) -> tuple[float, float]:
    """Seconds a probe, and seconds at none, of the line with the least squares of relative differences."""
    rise, start = np.polyfit(sizes, seconds, 1, w=[1 / second for second in seconds])
    return float(rise), float(start)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
