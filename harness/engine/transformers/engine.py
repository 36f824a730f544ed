"""Requests in, Answers out, from a transformers model on this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch

from harness.engine.abilities import Done
from harness.engine.batching import Budget
from harness.engine.pace import Pace, RunsOn
from harness.engine.requests import (
    Answer,
    Generate,
    Likelihood,
    Request,
    Scored,
    UnansweredError,
    answer_from,
)
from harness.engine.transformers.adapters import adapter_tokens
from harness.engine.transformers.config import context_length, end_tokens
from harness.engine.transformers.device import device_name, dtype_name, free_memory, out_of_memory, unrounded
from harness.engine.transformers.forward import Forward, NotFinite, Way
from harness.engine.transformers.kind import Kind, longest_alike, way_of
from harness.engine.transformers.prompted import Prompted
from harness.engine.transformers.prompting import Pair, Prompting
from harness.engine.transformers.proof import logit_digits
from harness.engine.transformers.quiet import quiet
from harness.engine.transformers.shown import check_lengths, check_shown
from harness.errors import EngineError
from harness.spelling import option
from harness.suites.format import AnswerKind


class TorchEngine(Prompted):
    """A causal language model that answers requests in batches.

    Args:
        model: a transformers model, or a PeftModel, in evaluation mode.
        tokenizer: its tokenizer; its chat template renders chat prompts.
        label: the name of the model in reports.
        active: a context in which the model acts as this engine means it, as with its adapter switched off; so two
            engines can share one model.
        budget: the tokens a batch may hold; share one between models on one device.
        kind: how it is asked; `find_kind` finds it.
    """

    kinds: frozenset[AnswerKind] = frozenset({"generate", "choose", "likelihood"})
    backend = "transformers"

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        label: str,
        active: Callable[[], AbstractContextManager[Any]],
        budget: Budget,
        kind: Kind,
    ) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.label = label
        self.active = active
        self.budget = budget
        self.kind = kind
        self.pace = Pace()
        self.forward = Forward(model)
        self.context = context_length(self.forward.config)
        self._beside = longest_alike(self.forward.config)
        self.vocabulary = int(self.forward.config.vocab_size)
        self.prompting = Prompting(tokenizer, label, end_tokens(model, tokenizer), self.context)
        self.embeddings = len(model.get_input_embeddings().weight)
        # The tokenizer's padding token may be one that the model has no embedding for.
        padding = (tokenizer.pad_token_id, *self.prompting.end_tokens)
        known = range(self.embeddings)
        self.pad_token = next((token for token in padding if token is not None and token in known), 0)

    @property
    def dtype(self) -> str:
        """The name of the dtype that the model computes in."""
        return dtype_name(self.model)

    @property
    def digits(self) -> str | None:
        """Equal only for models that are one, as this engine means them now, with an adapter on or off; None if unknown."""
        adapters = getattr(self.model, "peft_config", None) or {}
        special = [token for config in adapters.values() for token in adapter_tokens(config.to_dict())]
        with self.active(), quiet(), unrounded():
            return logit_digits(self.model, self.tokenizer, special)

    @property
    def device_kind(self) -> str:
        """The type of the model's device, and the name of a GPU; not how many threads a CPU runs."""
        device = self.model.device
        return "cpu" if device.type == "cpu" else device_name(device)

    @property
    def runs_on(self) -> RunsOn:
        """What its speed depends on."""
        size = sum(weight.numel() for weight in self.model.parameters())
        return RunsOn(self.label, size, device_name(self.model.device), self.dtype, self.backend)

    def stream(self, requests: Sequence[Request], done: Done) -> None:
        """Answer distinct requests, and pass the answers on as they come.

        Raises:
            EngineError: a prompt does not fit the model, logits are NaN or infinite, or a single prompt exceeds the
                memory.
        """
        check_shown(self.prompting, requests, self.embeddings)
        with torch.inference_mode(), self.active(), quiet(), unrounded():
            self._write([request for request in requests if isinstance(request, Generate)], done)
            self._score([request for request in requests if not isinstance(request, Generate)], done)

    def _write(self, requests: Sequence[Generate], done: Done) -> None:
        prompts = [self.prompting.tokens(request) for request in requests]
        limits = [
            self.prompting.limits(request, len(tokens), self.context)
            for request, tokens in zip(requests, prompts, strict=True)
        ]
        lengths = [len(tokens) + limit.whole for tokens, limit in zip(prompts, limits, strict=True)]
        check_lengths(self.prompting, requests, lengths)
        self.pace.count(requests, prompts)
        left = set(range(len(requests)))

        def run(indices: Sequence[int], way: Way) -> None:
            answers = [self.prompting.writing(requests[i], limits[i]) for i in indices]

            def ended(places: Sequence[int]) -> None:
                left.difference_update(indices[place] for place in places)
                done({requests[indices[place]]: answers[place].generated() for place in places}, 0)

            way.write([prompts[i] for i in indices], answers, ended, self.pace)

        self._in_memory(left, requests, lengths, run)

    def _score(self, requests: Sequence[Scored], done: Done) -> None:
        """Log-likelihoods of all continuations."""
        pairs: list[Pair] = []
        rows: dict[Scored, range] = {}
        for request in requests:
            begin = len(pairs)
            pairs += self.prompting.pairs(request)
            rows[request] = range(begin, len(pairs))
        owners = [request for request, indices in rows.items() for _ in indices]
        lengths = [len(context) + len(continuation) for context, continuation in pairs]
        check_lengths(self.prompting, owners, lengths)
        self.pace.count(requests, [[*context, *continuation] for context, continuation in pairs])
        found: dict[int, Likelihood] = {}
        left = set(range(len(pairs)))

        def answer(request: Scored) -> Answer:
            tokens = sum(len(pairs[i][1]) for i in rows[request])
            return answer_from(request, [found[i] for i in rows[request]], tokens, self.vocabulary)

        def run(indices: Sequence[int], way: Way) -> None:
            def measured(values: Mapping[int, Likelihood]) -> None:
                found.update({indices[place]: value for place, value in values.items()})
                left.difference_update(found)
                owned = {owners[indices[place]] for place in values}
                done({owner: answer(owner) for owner in owned if found.keys() >= set(rows[owner])}, 0)

            way.likelihoods([pairs[i] for i in indices], measured, self.pace)

        self._in_memory(left, owners, lengths, run)

    def _in_memory(
        self,
        left: set[int],
        requests: Sequence[Request],
        lengths: Sequence[int],
        run: Callable[[Sequence[int], Way], None],
    ) -> None:
        """Run all rows that are left; where memory runs out, the rest again in smaller batches.

        Row i belongs to `requests[i]`, and has `lengths[i]` tokens.
        """
        while left:
            # Rows that must be read alone come last.
            indices = [i for i in sorted(left) if self._beside is None or lengths[i] <= self._beside]
            kind = self.kind if indices else "whole"
            indices = indices or sorted(left)
            try:
                run(indices, way_of(kind, self.forward, self.budget))
                assert left.isdisjoint(indices), "a way is done with all rows, or raises"
                continue
            except NotFinite as error:
                raise self._not_finite(requests[indices[error.row]]) from error
            except RuntimeError as error:
                if not out_of_memory(error):
                    raise
                if self.budget.tokens == 1:
                    raise EngineError(
                        f"{self.label}: a single prompt of {max(lengths[i] for i in left)} tokens does not fit the memory of "
                        f"{self.model.device}"
                    ) from error
            self.budget.halve()
            free_memory()

    def _not_finite(self, request: Request) -> EngineError:
        hint = "" if self.dtype == "float32" else f": try {option('dtype', 'float32')}"
        return UnansweredError(
            f"{self.label}: its logits are NaN or infinite in {self.dtype}, so its answers mean nothing\n"
            f"  the weights are damaged, or too large for the dtype{hint}",
            request,
        )
