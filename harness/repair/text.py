"""The record of a repair in; its table and its result as lines for a terminal out."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from harness.repair.record import CandidateRow, EffectRow, RepairRecord, ended
from harness.reporting.explain import INTERVAL
from harness.sweep.text import WIDTH
from harness.tables import aligned
from harness.visible import visible_lines
from harness.wording import between, count, duration, percent, tenths

COLUMNS = ("gain", INTERVAL, "drop", INTERVAL, "lost", "gained", "gates failed")
"""The heading of `effect_cells`."""


def effect_cells(effect: EffectRow) -> tuple[str, ...]:
    """Gain, drop and their intervals, as text; "-" for what was not asked."""
    if effect.drop is None or effect.drop_interval is None:
        general: tuple[str, ...] = ("-", "-", "-", "-")
    else:
        general = (tenths(effect.drop), between(effect.drop_interval), str(effect.lost), str(effect.gained))
    return (tenths(effect.gain), between(effect.gain_interval), *general, str(len(effect.failed)))


def terminal_lines(record: RepairRecord, out: str) -> Iterator[str]:
    """The repair for a terminal.

    Args:
        out: the folder, as text.
    """
    for text in _terminal(record, out):
        yield from visible_lines(text)


def _terminal(record: RepairRecord, out: str) -> Iterator[str]:
    yield f"model    {record.model.reference} against {record.baseline.name}, on {record.device} in {record.dtype}"
    yield f"target   {record.target}"
    yield f"general  {', '.join(record.suites)}"
    yield from (f"note: {note}" for note in record.notes)
    yield ""
    rows = [
        ("tried on selection probes", *COLUMNS, ""),
        *(_cells(row, record) for row in record.candidates),
    ]
    if record.confirmed is not None:
        rows.append((f"{record.chosen}, confirmation", *effect_cells(record.confirmed.effect), ""))
    yield from aligned(rows, (0, len(rows[0]) - 1))
    yield ""
    for text in _result(record, out):
        yield from textwrap.wrap(
            text, WIDTH, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False
        )
    yield f"record: {out}/repair.json; picture: {out}/pareto.svg"


def _cells(row: CandidateRow, record: RepairRecord) -> tuple[str, ...]:
    merged = "" if row.form == record.candidates[0].form else " (merged)"
    return (f"{row.name}{merged}", *effect_cells(row.effect), ended(row.standing, row.effect, record.margin))


def _result(record: RepairRecord, out: str) -> Iterator[str]:
    if not record.complete:
        yield "The budget was used up before every candidate was tried."
    tried = f"{count(len(record.candidates), 'candidate')} in {duration(record.seconds)}"
    if record.confirmed is None or record.outcome not in ("repaired", "unchanged"):
        what = "Nothing could be decided" if record.outcome == "undecided" else "No repair was found"
        yield f"{what} ({tried}): {record.reason}."
        if record.outcome != "undecided":
            yield "No model was written. What is left is to train again, with a lower rate, with replay, or for fewer steps: python -m harness ladder."
        return
    effect = record.confirmed.effect
    if record.outcome == "unchanged":
        yield "Nothing to repair: the tuned model passes as it is, and is written as it is."
    lost = ""
    if effect.drop is not None and effect.drop_interval is not None:
        lost = (
            f", and {tenths(effect.drop)} points are lost over all suites ({INTERVAL} {between(effect.drop_interval)}: at most "
            f"{tenths(effect.drop_interval[1])})"
        )
    share = effect.gain / record.confirmed.tuned_gain if record.confirmed.tuned_gain > 0 else 1.0
    yield (
        f"Written to {out} ({tried}): {record.chosen}. On probes that had no part in the choice it gains {tenths(effect.gain)} points "
        f"({INTERVAL} {between(effect.gain_interval)}; {percent(share)} of what tuning gained there){lost}."
    )
    yield "It was loaded again, and gives the answers that were confirmed."
