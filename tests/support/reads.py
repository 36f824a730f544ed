"""A model that knows some sentences: it finds their words likelier in that order than in any other, and says what it is told to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from harness.engine.functions import FunctionEngine
from harness.engine.requests import Answer, LogLikelihood, Progress, Request, RollingLogLikelihood
from harness.suites.format import AnswerKind


class Reads(FunctionEngine):
    """Measures a known sentence at one nat a word and all other texts at ten; `measured` are the texts of each call."""

    kinds: frozenset[AnswerKind] = frozenset({"generate", "likelihood"})

    def __init__(
        self, says: Callable[[str], str], known: Collection[str] = (), label: str = "scripted"
    ) -> None:
        super().__init__(says, label)
        self.known = known
        self.measured: list[list[str]] = []

    def ask(self, requests: Sequence[Request], progress: Progress | None = None) -> list[Answer]:
        texts = [request.text for request in requests if isinstance(request, RollingLogLikelihood)]
        if not texts:
            return super().ask(requests, progress)
        assert len(texts) == len(requests), "word order is measured by itself"
        self.measured.append(texts)
        return [self.likelihood(text) for text in texts]

    def likelihood(self, text: str) -> Answer:
        words = len(text.split())
        return LogLikelihood(-words * (1.0 if text in self.known else 10.0), words)
