"""`demo gate`: gate two fine-tunes of the embedded model with the shipped suites, and print a table of both."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from harness.errors import HarnessError
from harness.reporting.explain import shown_interval
from harness.reporting.record import FILE, read_record
from harness.reporting.rows import GateRow, Record
from harness.terminal import show
from harness.wording import percent, points

FIXTURES = ("careless", "careful")
PAGE = "page.html"
SUBSET = ("--suite", "general-qa", "--suite", "checklist", "--sample", "160")
"""A subset, for two cores; `pytest suites/ --model=REF` asks all suites in full."""

TABLE = "{:<22} {:>8} {:>8} {:>8}  {:<28} {:<14} {}"


def gate() -> int:
    """Gate both fixtures; 0 if the gate told them apart: the careless one forgot and is red, the careful one is green.

    Raises:
        HarnessError: the working folder has no suites and fixtures, or a run broke.
    """
    if not Path("suites").is_dir() or not Path("fixtures").is_dir():
        raise HarnessError("the demo gates fixtures/ with suites/; run it in a checkout")
    began = time.monotonic()
    records = [_gate(name) for name in FIXTURES]
    show()
    show(TABLE.format("fixture", "baseline", "tuned", "drop", "", "verdict", "gates failed"))
    for name, record in zip(FIXTURES, records, strict=True):
        show(_line(f"fixtures/{name}.yaml", _headline(record), record))
    seen = [(_headline(record).verdict, record.run.exit_status) for record in records]
    apart = [(verdict == "FORGOTTEN", code) for verdict, code in seen] == [(True, 1), (False, 0)]
    show(f"\nThe gate {'told' if apart else 'did NOT tell'} them apart.")
    if not apart:
        runs = "; ".join(
            f"{name} {verdict}, exit code {code}"
            for name, (verdict, code) in zip(FIXTURES, seen, strict=True)
        )
        show(f"  expected careless FORGOTTEN, exit code 1; careful not, exit code 0\n  saw {runs}")
    show(f"{time.monotonic() - began:.0f} s; records: reports/careless/{FILE}, reports/careful/{FILE}")
    show(f"What was forgotten, answer by answer: open reports/careless/{PAGE} in a browser")
    return 0 if apart else 1


def _gate(name: str) -> Record:
    report = Path("reports") / name
    written = ["--report", str(report), "--report-html", str(report / PAGE)]
    command = ["pytest", "suites/", "--model", f"fixtures/{name}.yaml", *SUBSET, *written]
    show(f"\n$ {' '.join(command)}")
    quiet = ["--tb=no", "--no-header", "-r", "N", "--disable-warnings"]
    finished = subprocess.run([sys.executable, "-m", *command, *quiet], check=False)
    if finished.returncode not in (0, 1) or not (report / FILE).is_file():
        raise HarnessError(f"the run broke: exit code {finished.returncode}")
    return read_record(report / FILE)


def _headline(record: Record) -> GateRow:
    """The row of the margin gate over its whole suite."""
    return next(row for row in record.gates if row.over == "all")


def _line(name: str, row: GateRow, record: Record) -> str:
    assert row.baseline_accuracy is not None
    assert row.drop is not None
    assert row.interval is not None
    decided = [gate for gate in record.gates if gate.outcome != "skipped"]
    failed = sum(gate.outcome == "failed" for gate in decided)
    return TABLE.format(
        name,
        percent(row.baseline_accuracy),
        percent(row.tuned_accuracy),
        points(row.drop),
        f"({shown_interval(row.interval)})",
        str(row.verdict),
        f"{failed} of {len(decided)}",
    )
