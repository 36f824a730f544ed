"""The tokens of one answer in, one at a time; whether it goes on, and in the end the answer and its reasoning, out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.engine.requests import Ended, Generated, Reasoning
from harness.engine.stop_sequences import cut_at_stop
from harness.engine.transformers.reasoning import Mark, Marks, split

Decode = Callable[[Sequence[int], bool], str]
"""Tokens, and whether special tokens are left out -> text."""


@dataclass(frozen=True)
class Limits:
    """The most tokens of an answer, of the reasoning before it, and of both."""

    answer: int
    thinking: int
    whole: int


@dataclass(frozen=True)
class Ways:
    """How a model's answers are read, whatever they answer.

    Attributes:
        marks: how it marks reasoning.
        tokens: marks that are a token each, by its number: the mark, and whether it opens.
        spelled: marks that take several tokens: their text, the mark, and whether it opens.
        shown: special tokens that marks are made of, which are not left out of a text.
        passing: tokens that end a turn elsewhere, and only lead on to the answer where reasoning is written.
    """

    decode: Decode
    marks: Marks
    tokens: Mapping[int, tuple[Mark, bool]] = field(default_factory=dict)
    spelled: tuple[tuple[str, Mark, bool], ...] = ()
    shown: frozenset[int] = frozenset()
    passing: frozenset[int] = frozenset()

    def text(self, tokens: Sequence[int]) -> str:
        """Tokens as text: of special tokens, only those that marks are made of."""
        parts: list[str] = []
        run: list[int] = []
        for token in tokens:
            if token in self.shown:
                parts += [self.decode(run, True) if run else "", self.decode([token], False)]
                run = []
            else:
                run.append(token)
        return "".join([*parts, self.decode(run, True)])


class Writing:
    """An answer while it is written.

    Args:
        ends: the tokens that end it, and what that means; they are no part of it.
        stops: the texts that end it. In reasoning neither these, nor tokens that are such a text, end anything.
        inside: the mark by which the prompt began reasoning already.
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
        """Tokens of reasoning so far, its marks among them."""
        self.turned = 0
        """How many tokens there were when reasoning last began or ended."""
        self.lead = 0
        """Tokens since then that are not of the answer yet: white space, its header, the beginning of a mark."""

    def take(self, token: int) -> bool:
        """Take the next token; whether the answer goes on."""
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
        """What was written."""
        whole = split(self.ways.text(self.tokens), self.ways.marks, self.began)
        answer = cut_at_stop(whole.answer, list(self.stops))
        length = len(self.tokens) - self.thought - self.lead
        if not whole.reasoning and self.began is None:
            return Generated(answer, length, self.ended)
        return Generated(answer, length, self.ended, Reasoning(whole.reasoning, self.thought, whole.closed))

    def _may_go_on(self) -> bool:
        if len(self.tokens) >= self.limits.whole:
            return False
        if self.inside:
            return self.thought < self.limits.thinking
        return len(self.tokens) - self.thought - self.lead < self.limits.answer

    def _stopped(self) -> Ended | None:
        """Why the answer ends with what is there of it; the white space after reasoning is no part of it."""
        if not self.stops:
            return None
        text = self.ways.text(self.tokens[self.turned :])
        text = text.lstrip() if self.thought else text
        return next((why for stop, why in self.stops.items() if stop in text), None)

    def _turn(self, token: int) -> None:
        """Note whether reasoning begins or ends with this token."""
        mark, opens = self.ways.tokens.get(token) or self._spelled()
        if mark is None or (self.inside and (opens or mark != self.inside)):
            return
        if opens:
            self.thought += max(self._length_of(mark.opens) - 1, self.lead)
        elif not self.inside:  # an end that nothing began: what stands before it was reasoning
            self.thought += len(self.tokens) - self.turned
        self.inside = mark if opens else None
        self.turned, self.lead = len(self.tokens), 0

    def _spelled(self) -> tuple[Mark | None, bool]:
        """A mark of several tokens that is complete with the last one."""
        if not self.ways.spelled:
            return None, False
        longest = max(len(text) for text, _, _ in self.ways.spelled)
        text = self.ways.text(self.tokens[max(self.turned, len(self.tokens) - longest) :])
        return next(((mark, opens) for part, mark, opens in self.ways.spelled if part in text), (None, False))

    def _length_of(self, mark: str) -> int:
        """How many tokens it took to write the mark that the last one completed."""
        start = len(self.tokens) - 1
        while start > self.turned and mark not in self.ways.text(self.tokens[start:]):
            start -= 1
        return len(self.tokens) - start

    def _leads(self) -> bool:
        """Whether nothing of the answer has come since reasoning ended or might begin."""
        if self.lead < len(self.tokens) - self.turned - 1:
            return False
        text = self.ways.text(self.tokens[self.turned :]).strip()
        marks = self.ways.marks
        return any(one.startswith(text) for one in [marks.header, *(pair.opens for pair in marks.pairs)])
