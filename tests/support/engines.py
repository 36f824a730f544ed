"""Engines: of a reference's model alone, one that measures texts too, and one whose wrong answers were cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.engine.functions import FunctionEngine
from harness.engine.requests import (
    Answer,
    Generated,
    LogLikelihood,
    Progress,
    Prompt,
    Request,
    RollingLogLikelihood,
)
from harness.engine.settings import Settings
from harness.engine.transformers.engine import TorchEngine
from harness.engine.transformers.loading import load_pair
from harness.models.reference import LocalPair, find_local_model


def load_reference(reference: str, settings: Settings = Settings()) -> TorchEngine:
    """The model on both sides of a pair; raises ModelError or EngineError."""
    model = find_local_model(reference, settings.allowed)
    engine = load_pair(LocalPair(model, model), settings).tuned
    assert isinstance(engine, TorchEngine)
    return engine


class Likely:
    """An engine that measures texts too: each has the same likelihood."""

    kinds = frozenset({"generate", "likelihood"})

    def __init__(self, engine: FunctionEngine, logprob: float = -10.0) -> None:
        self.engine, self.logprob, self.label = engine, logprob, engine.label

    def render(self, prompt: Prompt) -> str:
        return self.engine.render(prompt)

    def ask(self, requests: Sequence[Request], progress: Progress | None = None) -> list[Answer]:
        measured = LogLikelihood(self.logprob, 10)
        return [
            measured if isinstance(each, RollingLogLikelihood) else self.engine.ask([each])[0]
            for each in requests
        ]


class Cutting:
    """An engine whose wrong answers hit the token limit, by what it says of them."""

    kinds = frozenset({"generate"})

    def __init__(self, engine: FunctionEngine) -> None:
        self.engine, self.label = engine, engine.label

    def render(self, prompt: Prompt) -> str:
        return self.engine.render(prompt)

    def ask(self, requests: Sequence[Request], progress: Progress | None = None) -> list[Answer]:
        answers = self.engine.ask(requests)
        return [
            replace(each, ended="limit" if each.text == "wrong" else "turn")
            for each in answers
            if isinstance(each, Generated)
        ]
