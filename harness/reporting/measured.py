"""A Record in, the lines that say what its run did not measure out; none where every case was decided."""

from __future__ import annotations

from collections.abc import Iterator

from harness.reporting.record import CasesRow, Record
from harness.wording import count


def not_measured(record: Record) -> Iterator[str]:
    """How many cases were selected, and what came of them."""
    cases = record.run.cases
    all_decided = cases and cases.decided == cases.selected > 0
    if cases is None or (all_decided and not cases.left_out and not cases.own):
        return
    if record.gates:
        yield ""
        if not cases.decided:
            yield "no gate was decided, so this run says nothing of the model"
    yield "; ".join(_parts(cases))


def _parts(cases: CasesRow) -> Iterator[str]:
    endings = {
        "decided": cases.decided,
        "skipped": cases.skipped,
        "excused (xfail)": cases.excused,
        "ended in an error": cases.errors,
        "never asked": cases.never_asked,
    }
    came_to = ", ".join(f"{number:,} {ending}" for ending, number in endings.items() if number)
    yield f"{count(cases.selected, 'case')} selected" + (f": {came_to}" if came_to else "")
    if cases.left_out:
        yield f"{cases.left_out:,} left out"
    if cases.own:
        yield f"{count(cases.own, 'test')} of your own asked the tuned model"
