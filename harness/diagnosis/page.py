"""A diagnosis in, one self-contained page of HTML out, in the style of the gate's page. Answers are untrusted: the template escapes them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from harness.reporting.diagnosis_rows import DiagnosisRow
from harness.reporting.html.diagnosis import shown, together
from harness.reporting.html.template import html_page
from harness.wording import count

if TYPE_CHECKING:
    from harness.diagnosis.record import DiagnosisRecord

TEMPLATES = Path(__file__).parent / "templates"


def page(record: DiagnosisRecord) -> str:
    """The page."""
    return html_page(
        "diagnosis.html",
        [TEMPLATES],
        title=_title(record.suites),
        started=record.started.replace("T", " ").replace("+00:00", " UTC"),
        diagnosis=shown(record.suites),
        record=record,
    )


def _title(suites: Mapping[str, DiagnosisRow]) -> str:
    """The most frequent cause of all: "Format takeover in 32 of 67 lost probes"."""
    numbers = together(suites)
    if not numbers:
        return "Nothing was lost"
    main = max(numbers, key=numbers.__getitem__)
    return f"{main.capitalize()} in {numbers[main]} of {count(numbers.total(), 'lost probe')}"
