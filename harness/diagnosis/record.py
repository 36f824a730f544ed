"""A diagnosis as a versioned JSON document, `diagnosis.json`, and as a page beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from harness.diagnosis.page import page
from harness.reporting.diagnosis_rows import DiagnosisRow
from harness.reporting.record import write_json
from harness.reporting.row import Row
from harness.visible import encodable_data
from harness.writing import write_whole, writing_report

FILE, PAGE = "diagnosis.json", "diagnosis.html"


class DiagnosisRecord(Row):
    """The diagnosis of a run."""

    version: Literal[1] = 1
    """Of this format. Keys may be added to it; none is renamed."""
    harness: str
    """The gate's version."""
    started: str
    """When it began, in UTC (ISO 8601)."""
    command: list[str]
    """The arguments of the command."""
    models: str
    """The tuned model and the baseline."""
    suites: dict[str, DiagnosisRow]
    """Why probes were lost, by suite."""
    notes: list[str]
    """What the user should know."""


def write_diagnosis(record: DiagnosisRecord, folder: Path) -> tuple[Path, Path]:
    """Write both files, each whole or not at all; returns their paths; raises HarnessError."""
    record = DiagnosisRecord.model_validate(encodable_data(record.model_dump(mode="json")))
    made = page(record)
    with writing_report(folder):
        write_json(folder / FILE, record)
        write_whole(folder / PAGE, made)
    return folder / FILE, folder / PAGE
