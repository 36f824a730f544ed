"""Lost answers beside the baseline's in, the form that took over out: its beginning, its end, its shape, its words.

Nobody says what the form is: it is what many of the lost answers have and few of the baseline's to the same probes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from harness.reporting.rows import AnswerRow, ProbeRow
from harness.reporting.standing_out import FORMS, MOST_READ, SHARE, Reply, findings, told

LEAST = 3
"""Fewer lost answers show no form."""

MOST_WORDS = 8
"""Words that are named."""

MOST_FIELDS = 20
"""Fields of an answer that are read."""

SHAPES = ('are data sheets ("X: y")', "are lists", "are JSON", "hold a code block")
"""The forms of `standing_out` that leave room for no plain answer."""

_WORD = re.compile(r"[^\W\d_]{2,40}")
_BETWEEN = re.compile(r"[|;\n]")
_LABEL = re.compile(r"[ \t*_#>-]{0,8}[^\W\d_][\w -]{0,30}[*_]{0,2}:[*_]{0,2}(?=[ \t]|$)")
_SIGN = re.compile(r"[^\w\s.,!?'\"’()-]|\b[A-Z]{2,}\b|\d[.)]")
"""What plain prose does not begin or end with: a sign, a word in capitals, the number of an item."""


@dataclass(frozen=True)
class Form:
    """What lost answers have in common.

    Attributes:
        begins: texts that they begin with.
        ends: texts that they end with.
        shapes: of `SHAPES`, those that they have.
        words: words in many of them.
        replies: whole replies that come over and over; such a one is no form, for nothing of a question is in it.
        sentences: all of this, with counts, for people.
    """

    begins: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    shapes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    replies: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()

    def and_of(self, other: Form) -> Form:
        """Both forms: that of a suite, and that of the whole run, whose sentences are not repeated."""
        return Form(
            _joined(self.begins, other.begins),
            _joined(self.ends, other.ends),
            _joined(self.shapes, other.shapes),
            _joined(self.words, other.words),
            _joined(self.replies, other.replies),
            self.sentences,
        )

    def marks(self, text: str) -> bool:
        """Whether an answer has the form: its beginning, its end, its shape, or half of its words and at least two."""
        body = text.strip()
        if self.holds(text) or body.startswith(self.begins) or body.endswith(self.ends):
            return True
        if reply_of(text).head in self.replies:
            return False
        wanted = set(map(str.casefold, self.words))
        return len(wanted & _words(text)) >= max(2, len(wanted) / 2)

    def holds(self, text: str) -> bool:
        """Whether the form leaves no room for a plain answer: it has a shape, or begins or ends as no prose does."""
        reply, body = reply_of(text), text.strip()
        begins, ends = (tuple(filter(_SIGN.search, texts)) for texts in (self.begins, self.ends))
        return (
            any(FORMS[shape](reply) for shape in self.shapes)
            or body.startswith(begins)
            or body.endswith(ends)
        )

    def stripped(self, text: str) -> tuple[str, ...]:
        """What an answer with the form says without it: the text without its beginning and end, and each of its fields."""
        if not self.marks(text):
            return ()
        body = self._body(text)
        return tuple(
            dict.fromkeys(piece for piece in (body, *_fields(body)) if piece and piece != text.strip())
        )

    def prose(self, text: str) -> str:
        """An answer without the beginning, the end and the labels that leave no room for prose."""
        return ". ".join(_fields(self._body(text))) if self.holds(text) else text

    def _body(self, text: str) -> str:
        body = text[: 10 * MOST_READ].strip()
        begin = max(filter(body.startswith, self.begins), key=len, default="")
        end = max(filter(body.endswith, self.ends), key=len, default="")
        return body.removeprefix(begin).removesuffix(end).strip(" \t\n:|")


def form_of(lost: Sequence[ProbeRow]) -> Form:
    """The form of lost answers that were written; an empty one if there are few, or they have nothing in common."""
    found = findings(lost, LEAST)
    words = _words_in_common(lost)
    return Form(
        tuple(finding.piece for finding in found if finding.kind == "begin"),
        tuple(finding.piece for finding in found if finding.kind == "end"),
        tuple(finding.what for finding in found if finding.what in SHAPES),
        words,
        tuple(finding.piece for finding in found if finding.kind == "same"),
        tuple(told(finding, len(lost)) for finding in found),
    )


def _words_in_common(lost: Sequence[ProbeRow]) -> tuple[str, ...]:
    """Words in many of the lost answers and in few of the baseline's, as they are written most often."""
    if len(lost) < LEAST:
        return ()
    before = Counter(word for row in lost if row.baseline for word in _words(row.baseline.answer))
    spelt = Counter(word for row in lost for word in set(_WORD.findall(row.tuned.answer[:MOST_READ])))
    after = Counter(word for row in lost for word in _words(row.tuned.answer))
    clear = [
        word for word, times in after.items() if times >= LEAST and times - before[word] >= SHARE * len(lost)
    ]
    clear.sort(key=lambda word: (before[word] - after[word], word))
    usual: dict[str, str] = {}
    for spelling, _ in spelt.most_common():
        usual.setdefault(spelling.casefold(), spelling)
    return tuple(usual[word] for word in clear[:MOST_WORDS])


def _fields(body: str) -> list[str]:
    fields = _BETWEEN.split(body, maxsplit=MOST_FIELDS)[:MOST_FIELDS]
    return [field for written in fields if (field := _LABEL.sub("", written, count=1).strip())]


def _words(text: str) -> set[str]:
    return set(map(str.casefold, _WORD.findall(text[:MOST_READ])))


def reply_of(text: str) -> Reply:
    """A text as an answer that was not cut off."""
    return Reply.of(AnswerRow(answer=text, right=False))


def _joined(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*first, *second]))
