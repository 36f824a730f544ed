"""What a model wrote and the marks of its reasoning in, the answer and what was thought before it out.

Only what a model's template or vocabulary marks as reasoning is taken off; a text that merely looks like it is an answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

DEFAULT_TOKENS = 1024
"""What reasoning may take where a template marks it and nobody says how much: small models think for some hundred tokens."""


@dataclass(frozen=True)
class Mark:
    """The texts that reasoning begins and ends with."""

    opens: str
    closes: str


@dataclass(frozen=True)
class Marks:
    """How a model marks its reasoning.

    Attributes:
        pairs: what begins and ends it; empty for a model that has no such marks.
        header: what a template puts before an answer that nothing was thought for, such as the name of a channel.
        by_template: whether the chat template has them, so that the model is expected to think; else only the vocabulary.
    """

    pairs: tuple[Mark, ...] = ()
    header: str = ""
    by_template: bool = False

    def __bool__(self) -> bool:
        return bool(self.pairs)

    def opened_by(self, prompt: str) -> Mark | None:
        """The mark that a prompt ends with, so that what is written begins as reasoning; None if with none."""
        end = prompt.rstrip()
        return next((pair for pair in self.pairs if end.endswith(pair.opens)), None)

    def left_open(self, text: str) -> Mark | None:
        """The mark of the reasoning that begins last in a text and does not end in it; None if there is none."""
        open_ones = [pair for pair in self.pairs if text.rfind(pair.opens) > text.rfind(pair.closes)]
        return max(open_ones, key=lambda pair: text.rfind(pair.opens), default=None)

    def closed_by(self, prompt: str) -> bool:
        """Whether a prompt ends with reasoning that is over, such as the empty block by which a template forbids any."""
        end = prompt.rstrip()
        return any(end.endswith(pair.closes) for pair in self.pairs)


@dataclass(frozen=True)
class Split:
    """A text in two: `reasoning` with its marks, as it was written, and the `answer`; `closed` if all reasoning ended."""

    answer: str
    reasoning: str
    closed: bool


def split(text: str, marks: Marks, inside: Mark | None = None) -> Split:
    """Take reasoning off a text.

    A block may come again, and what opens one within another is part of it. What stands before an end that nothing began is
    reasoning too: templates take it off as such. Reasoning without an end goes to the end of the text.

    Args:
        inside: the mark by which the prompt began reasoning already.
    """
    answer: list[str] = []
    reasoning: list[str] = []
    at = 0
    while at < len(text) or inside:
        if inside:
            start = text.find(inside.closes, at)
            end = start + len(inside.closes) if start >= 0 else len(text)
            reasoning.append(text[at:end])
            if start < 0:
                return Split(_joined(answer), "".join(reasoning), closed=False)
            at, inside = end, None
            continue
        found = _any_mark(marks).search(text, at) if marks else None
        if found is None:
            answer.append(text[at:])
            break
        pair = next(pair for pair in marks.pairs if found[0] in (pair.opens, pair.closes))
        mark = pair if pair.opens == found[0] else None
        if mark:
            answer.append(text[at : found.start()])
            reasoning.append(found[0])
        else:
            reasoning.append(text[at : found.end()])
        at, inside = found.end(), mark
    if not reasoning:
        return Split(text.removeprefix(marks.header) if marks.header else text, "", closed=True)
    return Split(_joined(answer), "".join(reasoning), closed=True)


@lru_cache
def _any_mark(marks: Marks) -> re.Pattern[str]:
    """What begins or ends reasoning; of two that begin in one place, the longer."""
    parts = {part for mark in marks.pairs for part in (mark.opens, mark.closes)}
    return re.compile("|".join(map(re.escape, sorted(parts, key=lambda part: (-len(part), part)))))


def _joined(answer: list[str]) -> str:
    """The parts of an answer; the white space between reasoning and an answer is of neither."""
    return "".join(answer).lstrip()


# Marks

_NAME = r"(?:\w+:)?(?:think|thinking|thought|thoughts|reason|reasoning|reflection|scratchpad)"
_TAG = re.compile(
    rf"<(?P<slash1>/?)(?P<name1>{_NAME})>|\[(?P<slash2>/?)(?P<name2>{_NAME})\]|◁(?P<slash3>/?)(?P<name3>{_NAME})▷",
    re.IGNORECASE,
)
_BRACKETS = {"1": ("<", ">"), "2": ("[", "]"), "3": ("◁", "▷")}
_UNLIKE = (
    Mark("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    Mark("<|begin_of_thought|>", "<|end_of_thought|>"),
    Mark("<|START_THINKING|>", "<|END_THINKING|>"),
    Mark("<|channel>thought", "<channel|>"),
)
"""Marks of which one is not the other with a slash."""


def marks_in(texts: Iterable[str], both: bool = False) -> Iterator[Mark]:
    """The marks of reasoning that stand in texts, such as a template's or a vocabulary's.

    Args:
        both: only those of which both halves are there.
    """
    texts = list(texts)
    seen: dict[Mark, set[bool]] = {}
    for text in texts:
        for tag in _TAG.finditer(text):
            kind = next(kind for kind in _BRACKETS if tag[f"name{kind}"])
            left, right = _BRACKETS[kind]
            name = tag[f"name{kind}"]
            mark = Mark(f"{left}{name}{right}", f"{left}/{name}{right}")
            seen.setdefault(mark, set()).add(bool(tag[f"slash{kind}"]))
    yield from (mark for mark, halves in seen.items() if len(halves) == 2 or not both)
    for mark in _UNLIKE:
        opens, closes = (any(part in text for text in texts) for part in (mark.opens, mark.closes))
        if opens and (closes or not both):
            yield mark


def counterpart(opens: str) -> str | None:
    """What ends the reasoning that a tag begins; None for what is no such tag."""
    return next((mark.closes for mark in marks_in([opens]) if mark.opens == opens), None)
