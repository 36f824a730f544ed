"""The tokens of one answer in, one at a time; whether it goes on, and finally the answer and its reasoning, out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from harness.engine.requests import Ended, Generated, Reasoning, cut_at_stop
from harness.engine.transformers.reasoning import Mark, Marks, split

Decode = Callable[[Sequence[int], bool], str]
"""Tokens, and whether to omit special tokens -> text."""


@dataclass(frozen=True)
class Limits:
    """The most tokens of an answer, of the reasoning before it, and of both."""

    answer: int
    thinking: int
    whole: int


@dataclass(frozen=True)
class Ways:
    """How to read a model's answers to any request.

    Attributes:
        marks: its marks of reasoning.
        tokens: halves of marks that are one token, by its id: the mark, and whether this half opens it.
        spelled: halves of marks that take several tokens: their text, the mark, and whether this half opens it.
        shown: special tokens that occur in marks, and are therefore kept in texts.
        passing: tokens that end a turn, but inside reasoning only lead on to the answer.
    """

    decode: Decode
    marks: Marks
    tokens: Mapping[int, tuple[Mark, bool]] = field(default_factory=dict)
    spelled: tuple[tuple[str, Mark, bool], ...] = ()
    shown: frozenset[int] = frozenset()
    passing: frozenset[int] = frozenset()

    def text(self, tokens: Sequence[int]) -> str:
        """Tokens as text, with those special tokens that occur in marks."""
        runs = groupby(tokens, self.shown.__contains__)
        return "".join(
            "".join(self.decode([token], False) for token in run) if shown else self.decode(list(run), True)
            for shown, run in runs
        )


class Writing:
    """An answer while it is written.

    Args:
        ends: the tokens that end it, and why; they are not part of it.
        stops: the texts that end it, and why. Inside reasoning they do not, as text or as tokens.
        inside: the mark of the reasoning that the prompt began.
    """

    def __init__(
        self,
        ways: Ways,
        limits: Limits,
        ends: Mapping[int, Ended],
        stops: Mapping[str, Ended],
        inside: Mark | None = None,
    ) -> None:
        self.ways = ways
        self.limits = limits
        self.ends = ends
        self.stops = stops
        self.began = self.inside = inside
        self.tokens: list[int] = []
        self.ended: Ended = "limit"
        self.thought = 0
        """Tokens of reasoning so far, including its marks."""
        self.turned = 0
        """The number of tokens when reasoning last began or ended."""
        self.lead = 0
        """Tokens since then that are not part of the answer: white space, its header, the beginning of a mark."""

    def take(self, token: int) -> bool:
        """Take the next token; returns whether the answer goes on."""
        why = self.ends.get(token)
        if why is not None and not (self.inside and (why == "stop" or token in self.ways.passing)):
            self.ended = why
            return False
        self.tokens.append(token)
        before = self.inside
        if self.ways.marks:
            self._turn(token)
        if before or self.inside:
            self.thought += 1
        elif self.ways.marks and self._leads():
            self.lead += 1
        if not (before or self.inside) and (why := self._stopped()) is not None:
            self.ended = why
            return False
        return self._may_go_on()

    def generated(self) -> Generated:
        """The answer as far as it was written."""
        parts = split(self.ways.text(self.tokens), self.ways.marks, self.began)
        answer = cut_at_stop(parts.answer, self.stops)
        reasoning = None
        if parts.reasoning or self.began:
            reasoning = Reasoning(parts.reasoning, self.thought, parts.closed)
        return Generated(answer, len(self.tokens) - self.thought - self.lead, self.ended, reasoning)

    def _may_go_on(self) -> bool:
        if len(self.tokens) >= self.limits.whole:
            return False
        if self.inside:
            return self.thought < self.limits.thinking
        return len(self.tokens) - self.thought - self.lead < self.limits.answer

    def _stopped(self) -> Ended | None:
        """Why the answer ends here, if it does; white space after reasoning is not part of it."""
        if not self.stops:
            return None
        text = self.ways.text(self.tokens[self.turned :])
        if self.thought:
            text = text.lstrip()
        return next((why for stop, why in self.stops.items() if stop in text), None)

    def _turn(self, token: int) -> None:
        """Note whether reasoning begins or ends with this token."""
        mark, opens = self.ways.tokens.get(token) or self._spelled()
        if mark is None or (self.inside and (opens or mark != self.inside)):
            return
        if opens:
            self.thought += max(self._length_of(mark.opens) - 1, self.lead)
        elif not self.inside:  # an end without a beginning: the text before it was reasoning
            self.thought += len(self.tokens) - self.turned
        self.inside = mark if opens else None
        self.turned, self.lead = len(self.tokens), 0

    def _spelled(self) -> tuple[Mark | None, bool]:
        """The mark of several tokens that the last token completes, and whether it opens."""
        if not self.ways.spelled:
            return None, False
        longest = max(len(text) for text, _, _ in self.ways.spelled)
        text = self.ways.text(self.tokens[max(self.turned, len(self.tokens) - longest) :])
        return next(((mark, opens) for part, mark, opens in self.ways.spelled if part in text), (None, False))

    def _length_of(self, mark: str) -> int:
        """The number of tokens of the mark that the last token completed."""
        start = len(self.tokens) - 1
        while start > self.turned and mark not in self.ways.text(self.tokens[start:]):
            start -= 1
        return len(self.tokens) - start

    def _leads(self) -> bool:
        """Whether the answer has not begun since reasoning last ended: so far there may only be a header or a mark."""
        if self.lead < len(self.tokens) - self.turned - 1:
            return False
        text = self.ways.text(self.tokens[self.turned :]).strip()
        marks = self.ways.marks
        return any(start.startswith(text) for start in [marks.header, *(pair.opens for pair in marks.pairs)])
