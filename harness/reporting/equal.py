"""The records of forms compared with the first one in, a table of them, and what differs and why, as lines of text out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.gate.compare import MOVED
from harness.reporting.equal_rows import AgreementRow, DifferenceRow, EqualRow
from harness.reporting.gate_lines import interval
from harness.reporting.in_short import flips_gate, named
from harness.reporting.measured import measured
from harness.reporting.rows import Record
from harness.tables import aligned
from harness.wording import count, one_line, points

VERDICTS = {"passed": "the same", "forgotten": "DIFFERS"}
"""What a form is, by the status of its record; anything else cannot be told."""

CANNOT_TELL = "cannot tell"

NEAR = 0.1
"""Nats between two words that rounding may turn over."""

SHOWN = 3
"""Differing answers that are quoted."""

HEADING = ("form", "same answers", "flips", "90 % interval", "drop", "nats a token", "verdict")


def forms_lines(records: Sequence[Record]) -> Iterator[str]:
    """The table of all forms, and a paragraph on each that differs."""
    first = records[0].run.baseline
    margins = next((margins for record in records if (margins := _margins(record))), "")
    yield f"against {named(first) if first else 'the first form'}{margins}"
    yield ""
    yield from aligned([HEADING, *map(_form, records)], left={0, 6})
    if any(
        row.same is None for record in records if record.run.equal for row in record.run.equal.suites.values()
    ):
        yield ""
        yield f"flips count texts too (bits that change by more than {points(MOVED)} %), same answers do not"
    for record in records:
        if record.run.equal is not None and (lines := list(equal_lines(record))):
            yield ""
            yield f"{record.run.tuned.reference if record.run.tuned else 'the form'}:"
            yield from (f"  {text}" for text in lines)


def equal_lines(record: Record) -> Iterator[str]:
    """How a form differs from the first, by suite and by answer, and why; nothing if no answer differs."""
    found = record.run.equal
    if found is None:
        return
    for name, row in found.suites.items():
        if not _is_same(row):
            yield f"{name}: {_suite(row)}"
    yield from (text for row in found.differences[:SHOWN] for text in _difference(row))
    if len(found.differences) > SHOWN:
        yield f"and {count(len(found.differences) - SHOWN, 'more answer')} that differ: the record has them"
    yield from _why(found)
    yield from (
        f"undecided: {row.undecided}" for row in record.gates if row.max_flips is not None and row.undecided
    )


def _why(found: EqualRow) -> Iterator[str]:
    for cause in found.causes:
        yield f"because {cause.seen}"
        yield f"  {cause.remedy}"
    if not found.causes and any(not _is_same(row) for row in found.suites.values()):
        yield "no usual cause was found: prompts, tokens, weights and configs are alike, as far as the forms show them"


def _is_same(row: AgreementRow) -> bool:
    return row.same in (None, row.probes) and (row.nats is None or row.nats[1] < 5e-5)


def _margins(record: Record) -> str:
    flips = flips_gate(record)
    if flips is None or flips.max_flips is None:
        return ""
    drop = record.run.max_drop_overall or 0.0
    return f": margins {points(flips.max_flips)} % of flips and {points(drop)} points of accuracy"


def _form(record: Record) -> tuple[str, ...]:
    found, flips, run = record.run.equal, flips_gate(record), record.run
    assert found is not None
    return (
        run.tuned.reference if run.tuned else "",
        f"{found.same:,} of {found.compared:,}" if found.compared else "-",
        f"{measured(flips).shown} of {flips.n:,}" if flips else "-",
        interval(flips) if flips else "-",
        _drop(record),
        "-" if found.nats is None else f"up to {found.nats:.4f}",
        VERDICTS.get(run.status, CANNOT_TELL),
    )


def _drop(record: Record) -> str:
    """The drop in accuracy: over all suites, or of the only one."""
    rows = [row for row in record.gates if row.max_drop is not None]
    rows = [row for row in rows if row.over == "overall"] or rows
    return points(rows[0].drop) if len(rows) == 1 and rows[0].drop is not None else "-"


def _suite(row: AgreementRow) -> str:
    parts = []
    if row.same is not None:
        parts.append(f"{row.same} of {count(row.probes, 'answer')} the same, {row.flips} flipped")
    elif row.flips:
        parts.append(
            f"the bits of {row.flips} of {count(row.probes, 'text')} change by more than {points(MOVED)} %"
        )
    if row.nats is not None:
        parts.append(
            f"log-probabilities differ by {row.nats[0]:.4f} nats a token (median), at most {row.nats[1]:.4f}"
        )
    return "; ".join(parts)


def _difference(row: DifferenceRow) -> Iterator[str]:
    first, other = (one_line(text, 40) if text else "nothing more" for text in (row.first, row.other))
    yield f"{row.suite} {row.id}: from {row.unit} {row.place} on, {first} became {other}{_closeness(row)}"


def _closeness(row: DifferenceRow) -> str:
    """How much likelier each form found its own words; nothing of words so unlike in length that the other's seem likelier."""
    gaps = (row.first_gap, row.other_gap)
    known = [abs(gap) for gap in gaps if gap is not None]
    if not known or any(gap is not None and gap < -NEAR for gap in gaps):
        return ""
    told = ["?" if gap is None else f"{gap:.3f}" for gap in gaps]
    how = "a near tie" if max(known) < NEAR else "no tie"
    return f" ({how}: in nats, the first form prefers its own by {told[0]}, this one by {told[1]})"
