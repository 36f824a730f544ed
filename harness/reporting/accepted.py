"""A Record in, what was accepted of its losses out, in sentences: what counted as kept, and what did not, and why."""

from __future__ import annotations

from collections.abc import Iterator

from harness.reporting.in_short import gate_name
from harness.reporting.only_accepted import losses, only_because
from harness.reporting.rows import Record
from harness.reporting.run_rows import AcceptedRow, ModelRow
from harness.spelling import option

MOST = 10
"""Accepted losses, gates that they turned, and entries that do not count, written out of each."""

SHORT = 12
"""Characters of a hash that tell two models apart for a reader."""


def accepted_sentences(record: Record) -> Iterator[str]:
    """What a reader of any report must know of what was accepted; nothing if nothing was.

    Every gate that did not fail for it alone, each loss that counted as kept, and each that did not.
    """
    told = [(suite, row) for suite, rows in record.run.accepted.items() for row in rows]
    in_force = [item for item in told if item[1].standing == "in force"]
    if in_force:
        yield f"{losses(len(in_force))}; with {option('no_accepted')} they count"
    turned = [f"{gate_name(row)}: {why}" for row in record.gates if (why := only_because(row))]
    yield from _some(turned, "gates")
    yield from _some([_terms(suite, row) for suite, row in in_force], "losses")
    others = [
        f"{row.place}: {why}" if row.place else why
        for suite, row in told
        if (why := _why_not(row, f"{suite}::{row.probe}", record.run.baseline))
    ]
    yield from _some(others, "entries of accepted.yaml that do not count or are not needed")


def _some(lines: list[str], what: str) -> Iterator[str]:
    yield from lines[:MOST]
    if len(lines) > MOST:
        yield f"and {len(lines) - MOST:,} more {what}; record.json has all"


def _terms(suite: str, row: AcceptedRow) -> str:
    until = f" until {row.until}" if row.until else ""
    return f"{suite}::{row.probe}: accepted by {row.by}{until}: {row.because}"


def _why_not(row: AcceptedRow, id: str, baseline: ModelRow | None) -> str:
    match row.standing:
        case "expired":
            return f"the loss of {id} was accepted until {row.until}, so it counts again"
        case "another baseline":
            this = _named(baseline.reference, baseline.weights) if baseline else "unknown"
            return (
                f"the loss of {id} was accepted for the baseline {_named(row.baseline, row.weights)}, and this one is "
                f"{this}, so it counts"
            )
        case "asked otherwise":
            return f"{id} is asked otherwise than when its loss was accepted, so it counts"
        case "no such probe":
            return f"{id} was accepted, and the suite has no such probe"
        case "not lost":
            return f"{id} was not lost, so its entry can be removed"
    return ""


def _named(reference: str, weights: str | None) -> str:
    return f"{reference} ({weights[:SHORT]})" if weights else reference
