"""The rows of probes in, what a page shows of each out, grouped by what became of them and by suite.

Long texts are cut: a page is to be read, and the record has them whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.engine.requests import Side
from harness.reporting.changes import CHANGES, Change, change_of
from harness.reporting.html.differences import Piece, differences
from harness.reporting.html.template import shown
from harness.reporting.rows import AgainRow, AnswerRow, ProbeRow
from harness.wording import count, cut

LONGEST = 3_000
"""Characters of an answer or a field."""

LONGEST_QUESTION = 120
MOST_EXPECTED = 12

ENDINGS = {"turn": "ended by itself", "stop": "ended by a stop text", "limit": "cut off by max_new_tokens"}


@dataclass(frozen=True)
class Text:
    """A text in pieces, and how many characters of it are left out."""

    pieces: Sequence[Piece]
    left_out: int


@dataclass(frozen=True)
class Said:
    """One model's answer."""

    side: Side
    right: bool
    text: Text
    note: str
    reasoning: Text | None


@dataclass(frozen=True)
class Choice:
    """A choice, whether it is a right answer, and how likely each model finds it, in nats."""

    text: str
    expected: bool
    baseline: str
    tuned: str


@dataclass(frozen=True)
class Attempt:
    """A further attempt at a lost probe."""

    fields: Sequence[tuple[str, Text]]
    said: Sequence[Said]


@dataclass(frozen=True)
class ProbeView:
    """What a page shows of a probe; `fields` are those that `question` does not show in full."""

    id: str
    category: str
    question: str
    fields: Sequence[tuple[str, Text]]
    expected: str
    why: str
    said: Sequence[Said]
    choices: Sequence[Choice]
    again: Sequence[Attempt]


@dataclass(frozen=True)
class Group:
    """The probes of a suite that changed alike."""

    suite: str
    probes: Sequence[ProbeView]

    @property
    def categories(self) -> str:
        """Their categories as the page shows them, as a JSON list for its script."""
        return json.dumps(sorted({shown(probe.category) for probe in self.probes if probe.category}))


@dataclass(frozen=True)
class Changed:
    """All probes that changed alike."""

    change: Change
    meaning: str
    groups: Sequence[Group]


def probes_by_change(probes: Sequence[ProbeRow]) -> list[Changed]:
    """All probes: the lost ones first; of each change, the suites with most of them first."""
    found: dict[Change, dict[str, list[ProbeRow]]] = {}
    for row in probes:
        found.setdefault(change_of(row), {}).setdefault(row.suite, []).append(row)
    return [
        Changed(change, meaning, _groups(found[change]))
        for change, meaning in CHANGES.items()
        if change in found
    ]


def _groups(by_suite: Mapping[str, Sequence[ProbeRow]]) -> list[Group]:
    most_first = sorted(by_suite.items(), key=lambda item: -len(item[1]))
    return [Group(suite, list(map(_view, rows))) for suite, rows in most_first]


def _view(row: ProbeRow) -> ProbeView:
    question = question_of(row.fields)
    return ProbeView(
        id=row.id,
        category=row.category or "",
        question=question,
        fields=[(name, _text(value)) for name, value in row.fields.items() if value != question],
        expected=_expected(row),
        why="; ".join(filter(None, [row.tuned.why, "a known loss, accepted" if row.accepted else ""])),
        said=_said(row.baseline, row.tuned),
        choices=list(_choices(row)),
        again=[_attempt(attempt, row.fields) for attempt in row.again],
    )


def question_of(fields: Mapping[str, str]) -> str:
    """The field that tells a probe from others, on one line."""
    text = fields.get("question") or next(reversed(list(fields.values())), "")
    return cut(" ".join(text[: 4 * LONGEST_QUESTION].split()), LONGEST_QUESTION)


def _text(text: str) -> Text:
    return Text([Piece(text[:LONGEST])], max(0, len(text) - LONGEST))


def _expected(row: ProbeRow) -> str:
    """The right answers, or the score and its parameters."""
    if not row.expected:
        parameters = json.dumps(row.scoring, ensure_ascii=False) if row.scoring else ""
        return cut(f"{row.score} {parameters}".strip(), LONGEST)
    shown = " or ".join(cut(answer, LONGEST // MOST_EXPECTED) for answer in row.expected[:MOST_EXPECTED])
    more = len(row.expected) - MOST_EXPECTED
    return f"{shown} or {more} more" if more > 0 else shown


def _said(baseline: AnswerRow | None, tuned: AnswerRow) -> list[Said]:
    if baseline is None:
        return [_answer("tuned", tuned, [Piece(tuned.answer[:LONGEST])])]
    first, second = differences(baseline.answer[:LONGEST], tuned.answer[:LONGEST])
    return [_answer("baseline", baseline, first), _answer("tuned", tuned, second)]


def _answer(side: Side, row: AnswerRow, pieces: Sequence[Piece]) -> Said:
    return Said(
        side=side,
        right=row.right,
        text=Text(pieces, max(0, len(row.answer) - LONGEST)),
        note=", ".join(_notes(row)),
        reasoning=None if row.reasoning is None else _text(row.reasoning),
    )


def _notes(row: AnswerRow) -> Iterator[str]:
    if row.tokens is not None:
        yield count(row.tokens, "token")
    if row.ended:
        yield ENDINGS[row.ended]
    if row.reasoning_tokens is not None:
        ending = "" if row.reasoning_ended else ", which do not end"
        yield f"after {count(row.reasoning_tokens, 'token')} of reasoning{ending}"


def _choices(row: ProbeRow) -> Iterator[Choice]:
    """The choices with both models' log-probabilities, where they are known."""
    logprobs = [
        side.logprobs if side and side.kind == "choose" else None for side in (row.baseline, row.tuned)
    ]
    if not any(logprobs):
        return
    for place, text in enumerate(row.choices):
        before, after = (f"{side[place]:z.2f}" if side and place < len(side) else "-" for side in logprobs)
        yield Choice(text[:LONGEST], text in row.expected, before, after)


def _attempt(attempt: AgainRow, fields: Mapping[str, str]) -> Attempt:
    """An attempt, with its fields where they are in other words."""
    other = attempt.fields if attempt.fields != fields else {}
    return Attempt(
        [(name, _text(value)) for name, value in other.items()], _said(attempt.baseline, attempt.tuned)
    )
