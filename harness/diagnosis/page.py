"""A diagnosis in, one self-contained page of HTML out, in the style of the gate's page. Answers are untrusted: the template escapes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from harness import __version__
from harness.reporting.diagnosis_rows import DiagnosisRow
from harness.reporting.html.diagnosis import shown, together
from harness.reporting.html.template import html_page
from harness.wording import count

TEMPLATES = Path(__file__).parent / "templates"


def page(
    models: str,
    started: str,
    command: Sequence[str],
    suites: Mapping[str, DiagnosisRow],
    notes: Sequence[str],
) -> str:
    """The page."""
    return html_page(
        "diagnosis.html",
        [TEMPLATES],
        title=_title(suites),
        models=models,
        started=started.replace("T", " ").replace("+00:00", " UTC"),
        command=" ".join(command),
        harness=__version__,
        notes=notes,
        diagnosis=shown(suites),
    )


def _title(suites: Mapping[str, DiagnosisRow]) -> str:
    """The most frequent cause of all: "Format takeover in 32 of 67 lost probes"."""
    numbers = together(suites)
    if not numbers:
        return "Nothing was lost"
    main = max(numbers, key=numbers.__getitem__)
    return f"{main.capitalize()} in {numbers[main]} of {count(sum(numbers.values()), 'lost probe')}"
