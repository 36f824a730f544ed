"""Suites in, what one model reads and writes for them in tokens out, as `plan` counts them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from harness.engine.estimate import Estimate, estimated
from harness.engine.prompts import request
from harness.engine.requests import Continuations, Generate, MultipleChoice, Request
from harness.engine.speeds import ASSUMED
from harness.suites.suite import Suite

TEMPLATE = ASSUMED.slow.more
"""Tokens of a chat template in each prompt, as `plan` reckons before anything was measured."""


@dataclass(frozen=True)
class Work:
    """What one model reads and writes in a run, in tokens.

    Attributes:
        in_full: of all rows, each read from its first token.
        tree: the same, but what rows have in common is read once.
        read: what vLLM reads: before it writes, as a tree; choices and texts, in full.
        answers: texts to write; `written` are their tokens, at most, and `longest` those of the longest.
        context: of a prompt and its answer, on average.
    """

    probes: float = 0
    in_full: float = 0.0
    tree: float = 0.0
    read: float = 0.0
    answers: float = 0
    written: float = 0.0
    longest: int = 0
    context: float = 0.0

    def __add__(self, other: Work) -> Work:
        answers = self.answers + other.answers
        context = self.answers * self.context + other.answers * other.context
        return Work(
            self.probes + other.probes,
            self.in_full + other.in_full,
            self.tree + other.tree,
            self.read + other.read,
            answers,
            self.written + other.written,
            max(self.longest, other.longest),
            context / answers if answers else 0.0,
        )

    def of(self, probes: int) -> Work:
        """As much for each of so many probes."""
        names = ("in_full", "tree", "read", "answers", "written")
        more = {name: getattr(self, name) * probes / self.probes for name in names}
        return replace(self, probes=probes, **more)


def work_by_kind(suites: Iterable[Suite]) -> dict[str, Work]:
    """The work of suites by kind of request; what suites have in common is not shared."""
    found: dict[str, Work] = {}
    for suite in suites:
        kinds: dict[str, list[Request]] = {}
        for asked in (request(suite, probe) for probe in suite.probes):
            kinds.setdefault(_kind(asked), []).append(asked)
        for kind, requests in kinds.items():
            found[kind] = found.get(kind, Work()) + work_of(requests)
    return found


def work_of(requests: Sequence[Request]) -> Work:
    """The work of requests of one kind."""
    tree = estimated(requests)
    in_full = sum(_read(estimated([row])) for asked in requests for row in _rows(asked))
    written = [asked.max_new_tokens for asked in requests if isinstance(asked, Generate)]
    return Work(
        probes=len(requests),
        in_full=in_full,
        tree=_read(tree),
        read=_read(tree) if written else in_full,
        answers=len(written),
        written=tree.written,
        longest=max(written, default=0),
        context=(in_full + tree.written) / len(written) if written else 0.0,
    )


def _kind(asked: Request) -> str:
    match asked:
        case Generate():
            return "generate"
        case MultipleChoice() | Continuations():
            return "choose"
        case _:
            return "likelihood"


def _read(size: Estimate) -> float:
    return size.read + TEMPLATE * size.prompts


def _rows(asked: Request) -> list[Request]:
    """A request for each text that is read."""
    match asked:
        case MultipleChoice(prompt, continuations):
            return [MultipleChoice(prompt, (continuation,)) for continuation in continuations]
        case Continuations(pairs):
            return [Continuations((pair,)) for pair in pairs]
        case _:
            return [asked]
