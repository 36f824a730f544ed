"""How bad a loss is: the severities of gates and probes, which are also pytest markers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

Severity = Literal["critical", "high", "medium", "low"]

SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""Most severe first."""

MEANINGS: Mapping[Severity, str] = {
    "critical": "a gate whose failure no release survives",
    "high": "a gate whose failure users would notice at once",
    "medium": "a gate whose failure some users would notice",
    "low": "a gate whose failure is worth knowing",
}
