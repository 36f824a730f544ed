"""A model's text and its marks of reasoning in, the answer and the reasoning out.

Only what the model's own template or vocabulary marks is taken for reasoning; other text that looks like it is an answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

DEFAULT_TOKENS = 1024
"""The limit of reasoning if a template marks it and nobody sets one; small models reason for some hundred tokens."""

SILENT = ("enable_thinking", "false")
"""The template argument that makes many templates write an empty block of reasoning."""


@dataclass(frozen=True)
class Mark:
    """The texts that reasoning begins and ends with."""

    opens: str
    closes: str


@dataclass(frozen=True)
class Marks:
    """How a model marks its reasoning.

    Attributes:
        pairs: the texts that begin and end it; empty for a model without any.
        header: what a template writes before an answer without reasoning, such as the name of a channel.
        by_template: whether the chat template has the marks, so that reasoning is expected; else only the vocabulary has.
    """

    pairs: tuple[Mark, ...] = ()
    header: str = ""
    by_template: bool = False

    def __bool__(self) -> bool:
        return bool(self.pairs)

    def opened_by(self, prompt: str) -> Mark | None:
        """The mark whose beginning ends a prompt, so that the model starts by reasoning; None without one."""
        end = prompt.rstrip()
        return next((pair for pair in self.pairs if end.endswith(pair.opens)), None)

    def left_open(self, text: str) -> Mark | None:
        """The mark of the last block of reasoning that a text does not close; None without one."""
        unclosed = [pair for pair in self.pairs if text.rfind(pair.opens) > text.rfind(pair.closes)]
        return max(unclosed, key=lambda pair: text.rfind(pair.opens), default=None)

    def closed_by(self, prompt: str) -> bool:
        """Whether a prompt ends with closed reasoning, such as the empty block by which a template suppresses it."""
        end = prompt.rstrip()
        return any(end.endswith(pair.closes) for pair in self.pairs)


@dataclass(frozen=True)
class Split:
    """A text in two: the `answer`, and the `reasoning` verbatim with its marks; `closed` if all of it ended."""

    answer: str
    reasoning: str
    closed: bool


def split(text: str, marks: Marks, inside: Mark | None = None) -> Split:
    """Separate reasoning from a text.

    There may be several blocks; the beginning of a block inside another is part of it. Text before an end without a
    beginning is reasoning too, as templates treat it. Reasoning without an end goes to the end of the text.

    Args:
        inside: the mark of the reasoning that the prompt began.
    """
    answer: list[str] = []
    reasoning: list[str] = []
    at = 0  # everything before it is in one of the two
    while at < len(text) or inside:
        if inside:
            start = text.find(inside.closes, at)
            end = start + len(inside.closes) if start >= 0 else len(text)
            reasoning.append(text[at:end])
            if start < 0:
                break
            at, inside = end, None
            continue
        match = _any_mark(marks).search(text, at) if marks else None
        if match is None:
            answer.append(text[at:])
            break
        inside = next((pair for pair in marks.pairs if pair.opens == match[0]), None)
        if inside:
            answer.append(text[at : match.start()])
            reasoning.append(match[0])
        else:
            reasoning.append(text[at : match.end()])
        at = match.end()
    if not reasoning:
        return Split(text.removeprefix(marks.header), "", closed=True)
    # White space between reasoning and answer belongs to neither.
    return Split("".join(answer).lstrip(), "".join(reasoning), closed=inside is None)


@lru_cache
def _any_mark(marks: Marks) -> re.Pattern[str]:
    """A pattern of all beginnings and ends of reasoning, the longer first."""
    parts = {part for mark in marks.pairs for part in (mark.opens, mark.closes)}
    return re.compile("|".join(map(re.escape, sorted(parts, key=lambda part: (-len(part), part)))))


# Marks

_NAME = r"(?:\w+:)?(?:think|thinking|thought|thoughts|reason|reasoning|reflection|scratchpad)"
_TAG = re.compile(rf"(?P<left>[<\[◁])(?P<slash>/?)(?P<name>{_NAME})(?P<right>[>\]▷])", re.IGNORECASE)
_BRACKETS = {"<": ">", "[": "]", "◁": "▷"}
_UNLIKE = (
    Mark("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    Mark("<|begin_of_thought|>", "<|end_of_thought|>"),
    Mark("<|START_THINKING|>", "<|END_THINKING|>"),
    Mark("<|channel>thought", "<channel|>"),
)
"""Marks whose end is not their beginning with a slash."""


def marks_in(texts: Iterable[str], both: bool = False) -> Iterator[Mark]:
    """The marks of reasoning in texts, such as those of a template or a vocabulary.

    Args:
        both: only marks of which both halves occur.
    """
    texts = list(texts)
    seen: dict[Mark, set[bool]] = {}
    for text in texts:
        for tag in _TAG.finditer(text):
            left, slash, name, right = tag.groups()
            if right == _BRACKETS[left]:
                mark = Mark(f"{left}{name}{right}", f"{left}/{name}{right}")
                seen.setdefault(mark, set()).add(bool(slash))
    yield from (mark for mark, halves in seen.items() if len(halves) == 2 or not both)
    for mark in _UNLIKE:
        opens, closes = (any(part in text for text in texts) for part in (mark.opens, mark.closes))
        if opens and (closes or not both):
            yield mark


def counterpart(opens: str) -> str | None:
    """The end of the reasoning that a tag begins; None for other text."""
    return next((mark.closes for mark in marks_in([opens]) if mark.opens == opens), None)
