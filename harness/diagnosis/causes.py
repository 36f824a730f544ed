"""A lost probe and what came of asking it otherwise in, its cause out. The rules are those of docs/diagnosis.md, in their order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.diagnosis.evidence import Found
from harness.diagnosis.form import Form, reply_of
from harness.diagnosis.tongue import tongue_of
from harness.engine.requests import Generated
from harness.reporting.diagnosis_rows import Cause, WayName
from harness.reporting.rows import AnswerRow, ProbeRow
from harness.reporting.standing_out import Reply
from harness.scoring.check import repeats
from harness.scoring.declining.stance import stance

LONG = 400
"""Characters of an answer that may be rambling."""

LONGER = 8
"""How many times as long as the baseline's it must be."""


@dataclass(frozen=True)
class Caused:
    """A lost probe, its cause, and what that rests on.

    Attributes:
        way: the way of asking that decided, with the tuned model's answer then; None if the lost answer itself did.
    """

    row: ProbeRow
    cause: Cause
    because: str
    way: WayName | None = None
    otherwise: str | None = None


def cause_of(row: ProbeRow, ways: Sequence[Found], form: Form) -> Caused:
    """The first cause whose rule holds.

    Args:
        ways: what came of asking the probes of its suite otherwise.
    """
    if row.tuned.kind != "generate" or row.baseline is None:
        return _by_asking(row, ways, form)
    after, before = row.tuned, row.baseline
    if stance(after.answer) == "refusal" and stance(before.answer) != "refusal":
        return Caused(row, "refuses", "it declines, and the baseline does not")
    if tongue := other_tongue(row, form):
        return Caused(row, "other language", f"it is in {tongue[0]}, not in {tongue[1]}")
    if rambling := _rambles(after, before, form):
        return Caused(row, "rambles or cuts off", rambling)
    if form.marks(after.answer) and (known := _known(row.id, ways)):
        return _otherwise(row, known, "format takeover", f"it has the form, and is right {HOW[known.way]}")
    return _by_asking(row, ways, form)


HOW: dict[WayName, str] = {
    "choices": "as a choice",
    "shots": "after examples",
    "restated": "under a plain system prompt",
    "begun": "once the answer is begun",
    "stripped": "once the form is taken off",
}
"""Each way, in words."""


def other_tongue(row: ProbeRow, form: Form) -> tuple[str, str] | None:
    """The language of the tuned model's answer and that of the baseline's, or of the question, if they are two."""
    assert row.baseline is not None
    after = form.prose(Reply.of(row.tuned).head)
    if repeats(after) or (tongue := tongue_of(after)) is None:
        return None
    asked = " ".join(row.fields.values())
    usual = tongue_of(Reply.of(row.baseline).head) or tongue_of(asked)
    return (tongue, usual) if usual and tongue != usual else None


def _rambles(after: AnswerRow, before: AnswerRow, form: Form) -> str:
    """Why an answer is blank, repeats itself or does not come to its end, while the baseline's does; empty if it does not.

    A form that leaves no room for a plain answer is long by itself.
    """
    head = Reply.of(after).head
    if not head:
        return "it says nothing"
    if form.holds(head):
        return ""
    if repeats(head) and not repeats(Reply.of(before).head):
        return "it goes round in circles"
    if after.ended == "limit" and before.ended != "limit":
        return "it is cut off, and the baseline's is not"
    long, usual = len(after.answer), len(before.answer)
    if long >= LONG and long >= LONGER * max(usual, 1):
        return f"it has {long:,} characters, the baseline's {usual:,}"
    return ""


def _by_asking(row: ProbeRow, ways: Sequence[Found], form: Form) -> Caused:
    """The cause that asking otherwise shows."""
    if known := _known(row.id, ways):
        because = f"it is right {HOW[known.way]}, but no form took over"
        return _otherwise(row, known, "undetermined", because)
    asked = [found for found in ways if row.id in found.lost]
    telling = [found for found in asked if _tells(found, row.id, form)]
    if any(found.way != "begun" for found in telling):  # a beginning may mislead by itself
        because = f"it is wrong {' and '.join(HOW[found.way] for found in telling)} too, where the baseline is right"
        return _otherwise(row, telling[0], "knowledge lost", because)
    if lucky := next((found for found in asked if found.tuned[row.id].right), None):
        return _otherwise(row, lucky, "undetermined", f"it is right {HOW[lucky.way]}, which luck may be")
    return Caused(row, "undetermined", "no other way of asking tells")


def _known(id: str, ways: Iterable[Found]) -> Found | None:
    """The first way in which the tuned model is right, where that is more than luck."""
    return next(
        (found for found in ways if id in found.lost and found.tuned[id].right and found.proves), None
    )


def _tells(found: Found, id: str, form: Form) -> bool:
    """Whether the baseline is right in this way, and the tuned model wrong, by an answer that is one."""
    if not found.tells or not found.baseline[id].right or found.tuned[id].right:
        return False
    answer = found.tuned[id].answer
    if not isinstance(answer, Generated):
        return True
    reply = reply_of(answer.text).head
    return bool(reply) and not form.holds(reply) and stance(reply) != "refusal" and not repeats(reply)


def _otherwise(row: ProbeRow, found: Found, cause: Cause, because: str) -> Caused:
    return Caused(row, cause, because, found.way, found.tuned[row.id].shown)
