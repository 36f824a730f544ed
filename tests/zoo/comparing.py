"""An architecture in, how the engine's answers differ from naive ones out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import get_args

import torch
from peft import LoraConfig, get_peft_model

from harness.engine.batching import Budget
from harness.engine.requests import Generated
from harness.engine.transformers.adapters import without_adapter
from harness.engine.transformers.engine import TorchEngine
from harness.engine.transformers.kind import Kind
from harness.engine.transformers.loading import wrap
from harness.engine.transformers.quiet import quiet
from tests.zoo.architectures import build, tokenizer
from tests.zoo.asking import BUDGETS, REQUESTS
from tests.zoo.naive import Naive, Reader, difference

KINDS: tuple[Kind, ...] = get_args(Kind)
"""From the fastest to the one that any model can be asked in."""


def adapter() -> LoraConfig:
    """An adapter on all linear layers but those that peft refuses in Mamba's; peft changes the config that it is given."""
    return LoraConfig(
        r=4, target_modules="all-linear", exclude_modules=["out_proj", "router"], task_type="CAUSAL_LM"
    )


@dataclass(frozen=True)
class Animal:
    """A model as an engine, and what it should answer."""

    engine: TorchEngine
    answers: list[Naive]

    def differences(self) -> list[str]:
        """What engines of the kind that it chose, and of each slower kind, answer in another way, in words."""
        slower = KINDS[KINDS.index(self.engine.kind) :]
        return [line for kind in slower for budget in BUDGETS for line in self._differences(kind, budget)]

    def _differences(self, kind: Kind, budget: int) -> list[str]:
        own = self.engine
        engine = TorchEngine(own.model, own.tokenizer, own.label, own.active, Budget(budget), kind)
        found = [difference(*pair) for pair in zip(self.answers, engine.ask(REQUESTS), strict=True)]
        return [
            f"{kind}, {budget} tokens: {request}: {text}"
            for request, text in zip(REQUESTS, found, strict=True)
            if text
        ]

    @property
    def varied(self) -> float:
        """The share of the texts that are not one repeated letter, and have no tie."""
        texts = [
            (naive.answer.text, naive.decided)
            for naive in self.answers
            if isinstance(naive.answer, Generated)
        ]
        return sum(len(set(text)) > 1 and decided for text, decided in texts) / len(texts)


@lru_cache(maxsize=1)
def animal(name: str) -> Animal:
    """The model of an architecture."""
    with quiet():
        model = build(name)
        reader = Reader(model, tokenizer())
        return Animal(wrap(model, tokenizer(), name), [reader.answer(request) for request in REQUESTS])


def pair(name: str) -> tuple[Animal, Animal]:
    """A baseline and an adapter on it, which share the model of an architecture."""
    with quiet(), torch.no_grad():
        model = get_peft_model(build(name), adapter())
        for parameter, value in model.named_parameters():
            if "lora_B" in parameter:
                value.normal_(0, 0.3)
        model.eval()
        reader = Reader(model, tokenizer())
        with without_adapter(model):
            baseline = [reader.answer(request) for request in REQUESTS]
        tuned = [reader.answer(request) for request in REQUESTS]
        return (
            Animal(wrap(model, tokenizer(), name, adapter=False), baseline),
            Animal(wrap(model, tokenizer(), name), tuned),
        )
