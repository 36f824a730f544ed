"""The diagnosis of a run in, what a page shows of it out: bars of causes, and the words of its template."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.reporting.diagnosed import CAUSES, MEANINGS, WAYS, sentence
from harness.reporting.diagnosis_rows import Cause, DiagnosisRow
from harness.reporting.explain import INTERVAL
from harness.wording import between, percent


@dataclass(frozen=True)
class Part:
    """A cause's part of a bar: where it begins and how wide it is, in percent."""

    cause: Cause
    kind: str
    number: int
    start: float
    width: float


def shown(diagnosis: Mapping[str, DiagnosisRow]) -> dict[str, Any]:
    """The values of `diagnosed.html`: the suites, the one that lost most first, and the words for them."""
    return {
        "suites": dict(sorted(diagnosis.items(), key=lambda item: -item[1].lost)),
        "whole": _parts(together(diagnosis)),
        "parts": {name: _parts(_numbers(row)) for name, row in diagnosis.items()},
        "sentence": sentence,
        "meanings": MEANINGS,
        "ways": WAYS,
        "kinds": CAUSES,
        "interval": INTERVAL,
        "between": between,
        "percent": percent,
    }


def _numbers(row: DiagnosisRow) -> Counter[Cause]:
    return Counter({cause.cause: cause.probes for cause in row.causes})


def together(suites: Mapping[str, DiagnosisRow]) -> Counter[Cause]:
    """How many probes of all suites have each cause."""
    return sum(map(_numbers, suites.values()), Counter[Cause]())


def _parts(numbers: Counter[Cause]) -> list[Part]:
    """The parts of a bar, each cause in its own place of the order."""
    total, start, parts = numbers.total() or 1, 0.0, []
    for cause, kind in CAUSES.items():
        if number := numbers[cause]:
            width = 100 * number / total
            parts.append(Part(cause, kind, number, round(start, 3), round(width, 3)))
            start += width
    return parts
