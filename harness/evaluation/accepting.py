"""A record and the name of a probe that it lost in, the acceptance of that loss out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from harness.errors import HarnessError, NoEvidenceError, did_you_mean
from harness.reporting.rows import ProbeRow, Record
from harness.spelling import option
from harness.suites.acceptance import Acceptance
from harness.visible import visible
from harness.wording import count

NO_PATTERN = "name each probe by itself; nothing is accepted by pattern"

_NAME = re.compile(r"(?P<suite>.+?)::(?:probe\[(?P<slice>.+)\]|(?P<probe>.+))", re.DOTALL)


def accepted_loss(
    record: Record, name: str, *, because: str, by: str, on: date, until: date | None
) -> Acceptance:
    """The acceptance of one loss of a record.

    Args:
        name: SUITE::PROBE, or as pytest names its case: FILE::probe[PROBE].

    Raises:
        HarnessError: the record did not lose the probe.
        NoEvidenceError: the record does not say what was asked, or of which baseline.
    """
    row = _lost(record, name)
    baseline = record.run.baseline
    if baseline is None or row.asked is None:
        missing = "which baseline it is of" if baseline is None else "what the probe was asked"
        raise NoEvidenceError(f"the record does not say {missing}\n  run the gate again")
    if until is not None and until < on:
        raise HarnessError(
            f"{option('until', str(until))} is over already\n  name a day from {on} on, or leave it out"
        )
    return Acceptance(
        suite=row.suite,
        probe=row.id,
        because=because,
        by=by,
        on=on,
        until=until,
        baseline=baseline.reference,
        weights=baseline.weights,
        base_weights=baseline.base_weights,
        asked=row.asked,
    )


def _lost(record: Record, name: str) -> ProbeRow:
    """The row of the lost probe of this name."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise HarnessError(f"'{visible(name)}': names no probe\n  write SUITE::PROBE; {NO_PATTERN}")
    suite, id = _suite(record, found["suite"]), found["slice"] or found["probe"]
    rows = [row for row in record.probes if row.suite == suite]
    if not rows:
        names = sorted({row.suite for row in record.probes if row.change == "lost"})
        near = did_you_mean(suite, names) or f"lost probes are of: {', '.join(names) or 'no suite'}"
        raise HarnessError(f"'{visible(name)}': the record has no suite '{visible(suite)}'\n  {near}")
    lost = [row for row in rows if row.change == "lost"]
    row = next((row for row in rows if row.id == id), None)
    if row is None:
        raise HarnessError(
            f"'{visible(name)}': the record has no probe '{visible(id)}' of that suite\n  {_remedy(suite, id, lost)}"
        )
    if row.change != "lost":
        raise HarnessError(
            f"'{visible(name)}': {_not_lost(row)}, so there is no loss to accept\n  {_remedy(suite, id, lost)}"
        )
    return row


def _suite(record: Record, named: str) -> str:
    """The name of a suite, which may be given by its file."""
    return next((name for name, row in record.run.suites.items() if row.path == named), named)


def _not_lost(row: ProbeRow) -> str:
    if row.change is None:
        return "the tuned model alone was asked"
    return {
        "kept": "both models are right",
        "gained": "the tuned model is right",
        "missed": "the baseline was wrong too",
    }[row.change]


def _remedy(suite: str, id: str, lost: Sequence[ProbeRow]) -> str:
    if any(mark in id for mark in "*?"):
        return NO_PATTERN
    names = [row.id for row in lost]
    some = ", ".join(names[:3])
    more = f"{some}, ..." if len(names) > 3 else some
    all_lost = f"it lost {count(len(names), 'probe')}: {more}" if names else f"{suite} lost nothing"
    return did_you_mean(id, names) or visible(all_lost)
