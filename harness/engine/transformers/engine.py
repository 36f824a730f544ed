"""Requests in, Answers out, from a transformers model on this machine."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch

from harness.engine.batching import Budget, make_batches, run_halving
from harness.engine.requests import (
    Answer,
    ChoiceLogProbs,
    Generate,
    LogLikelihood,
    MultipleChoice,
    Progress,
    Prompt,
    Request,
    RollingLogLikelihood,
    UnansweredError,
)
from harness.engine.transformers.decoding import (
    NO_PREFIX,
    NotFinite,
    Prefix,
    greedy,
    pad_left,
    positions,
    read_prefix,
)
from harness.engine.transformers.prompting import Prompting
from harness.engine.transformers.quiet import quiet
from harness.engine.transformers.shown import check_shown
from harness.engine.transformers.writing import Writing
from harness.errors import EngineError
from harness.spelling import option
from harness.suites.format import AnswerKind

LOGITS_BYTES = 1 << 30
"""The most memory that the logits of one batch may take when log-probabilities are computed."""


class TorchEngine:
    """A causal language model that answers requests in batches.

    Args:
        model: a transformers model, or a PeftModel, in evaluation mode.
        tokenizer: its tokenizer; its chat template renders chat prompts.
        label: how reports call the model.
        active: opens the state in which the model is the one meant, as with its adapter switched off; two
            engines can so share one model.
        budget: the tokens a batch may hold; share one between models on one device.
        whole: read each row alone and whole at every step, without a cache: for adapters that act by where in the
            text they were invoked, which a shared beginning, padding or a single new token hides from them.
    """

    kinds: frozenset[AnswerKind] = frozenset({"generate", "choose", "likelihood"})

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        label: str,
        active: Callable[[], AbstractContextManager[Any]],
        budget: Budget,
        whole: bool = False,
    ) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.label = label
        self.active = active
        self.budget = budget
        self.whole = whole
        config = model.config.get_text_config()
        self.context = context_length(config)
        self.vocabulary = int(config.vocab_size)
        self.prompting = Prompting(tokenizer, label, end_tokens(model, tokenizer))
        self.end_tokens = self.prompting.end_tokens
        self.embeddings = int(model.get_input_embeddings().weight.shape[0])
        # A padding token may have been added that the model has no embedding for.
        known = [
            token
            for token in (tokenizer.pad_token_id, *self.end_tokens)
            if token is not None and 0 <= token < self.embeddings
        ]
        self.pad_token = known[0] if known else 0
        inner = model.get_base_model() if hasattr(model, "get_base_model") else model
        parameters = inspect.signature(inner.forward).parameters
        self.takes = {name for name in ("position_ids", "logits_to_keep") if name in parameters}

    def render(self, prompt: Prompt) -> str:
        """The text of a prompt; a chat goes through the chat template, up to where the answer begins.

        Raises:
            EngineError: the tokenizer has no chat template, or its template refuses the chat.
            ModelError: the template takes too much of time or memory.
        """
        return self.prompting.render(prompt)

    @property
    def template_names(self) -> frozenset[str] | None:
        """The names that the chat template takes from outside, arguments among them; None where there is none to look at."""
        return self.prompting.template.names if self.tokenizer.chat_template else None

    @property
    def marks_reasoning(self) -> bool:
        """Whether the chat template or the vocabulary marks what a model thinks before it answers."""
        return bool(self.prompting.marks)

    def tokens(self, prompt: Prompt, choosing: bool = False) -> list[int]:
        """The tokens that the model reads for a prompt, up to where it answers.

        Args:
            choosing: up to where a choice is scored, which in a chat is after any reasoning.
        """
        return self.prompting.tokens(MultipleChoice(prompt, ()) if choosing else Generate(prompt, 1))

    def reading(self, prompt: Prompt, choosing: bool = False) -> str:
        """The same as text, special tokens included."""
        return self.prompting.decode(self.tokens(prompt, choosing))

    def request_tokens(self, request: Request) -> list[list[int]]:
        """All that the model reads for a request, one row of tokens for each continuation."""
        return self.prompting.rows(request)

    def request_pieces(self, request: Request) -> list[str]:
        """The same as the tokenizer writes its tokens, so that two vocabularies can be compared."""
        rows = self.request_tokens(request)
        return [str(piece) for row in rows for piece in self.tokenizer.convert_ids_to_tokens(row)]

    def ask(self, requests: Sequence[Request], progress: Progress | None = None) -> list[Answer]:
        """Answer each request, in order; a request that stands twice is computed once.

        Raises:
            EngineError: a prompt does not fit the model, its logits are NaN, or one prompt alone is more
                than the memory holds.
        """
        distinct = list(dict.fromkeys(requests))
        answers: dict[Request, Answer] = {}

        def done(batch: dict[Request, Answer]) -> None:
            answers.update(batch)
            if progress:
                progress(len(answers), len(distinct))

        check_shown(self.prompting, distinct, self.embeddings)
        with torch.inference_mode(), self.active(), quiet():
            for most in sorted({r.max_new_tokens for r in distinct if isinstance(r, Generate)}, reverse=True):
                same = [r for r in distinct if isinstance(r, Generate) and r.max_new_tokens == most]
                self._generate_all(same, done)
            self._choose_all([r for r in distinct if isinstance(r, MultipleChoice)], done)
            self._measure_all([r for r in distinct if isinstance(r, RollingLogLikelihood)], done)
        return [answers[request] for request in requests]

    # Writing

    def _generate_all(self, requests: list[Generate], done: Callable[[dict[Request, Answer]], None]) -> None:
        prompts = [self.prompting.tokens(request) for request in requests]
        limits = [
            self.prompting.limits(request, len(tokens), self.context)
            for request, tokens in zip(requests, prompts, strict=True)
        ]
        lengths = [len(tokens) + limit.whole for tokens, limit in zip(prompts, limits, strict=True)]
        for request, length in zip(requests, lengths, strict=True):
            self._check_fits(length, request)
        prefix = NO_PREFIX if self.whole else read_prefix(self.model, prompts)

        def run(batch: Sequence[int]) -> list[Answer]:
            writings = [self.prompting.writing(requests[i], limits[i]) for i in batch]
            asked = [requests[i] for i in batch]
            return self._generate(prefix, [prompts[i][prefix.length :] for i in batch], asked, writings)

        for batch, answers in self._in_batches(lengths, self.budget.tokens, run):
            done({requests[i]: answer for i, answer in zip(batch, answers, strict=True)})

    def _generate(
        self,
        prefix: Prefix,
        prompts: Sequence[list[int]],
        requests: Sequence[Generate],
        writings: Sequence[Writing],
    ) -> list[Answer]:
        try:
            greedy(
                self.model,
                self._last_logits,
                prefix,
                prompts,
                writings,
                self.pad_token,
                compact=self.model.dtype == torch.float32,
                cached=not self.whole,
            )
        except NotFinite as error:
            raise self._not_finite(requests[error.row]) from error
        return [writing.generated() for writing in writings]

    def _last_logits(
        self, tokens: torch.Tensor, mask: torch.Tensor, place: torch.Tensor, cache: Any
    ) -> torch.Tensor:
        extra = {"use_cache": False} if cache is None else {"past_key_values": cache, "use_cache": True}
        return self._forward(tokens, mask, place, 1, **extra)[:, -1]

    def _forward(
        self, tokens: torch.Tensor, mask: torch.Tensor, place: torch.Tensor, keep: int, **extra: Any
    ) -> torch.Tensor:
        """Logits of the last `keep` positions, (rows, keep or more, vocabulary)."""
        if "position_ids" in self.takes:
            extra["position_ids"] = place
        if "logits_to_keep" in self.takes:
            extra["logits_to_keep"] = keep
        logits: torch.Tensor = self.model(input_ids=tokens, attention_mask=mask, **extra).logits
        return logits

    # Log-probabilities

    def _choose_all(
        self, requests: list[MultipleChoice], done: Callable[[dict[Request, Answer]], None]
    ) -> None:
        rows = [
            self.prompting.continuation(request, continuation)
            for request in requests
            for continuation in request.continuations
        ]
        places = [(request, i) for request in requests for i in range(len(request.continuations))]
        for (request, _), (context, continuation) in zip(places, rows, strict=True):
            self._check_fits(len(context) + len(continuation), request)
        prefix = NO_PREFIX if self.whole else read_prefix(self.model, [context for context, _ in rows])
        sums: dict[Request, list[float]] = {
            request: [0.0] * len(request.continuations) for request in requests
        }
        waiting = {request: len(request.continuations) for request in requests}

        def run(batch: Sequence[int]) -> list[float]:
            return self._logprobs(prefix, [rows[i] for i in batch], [places[i][0] for i in batch])

        lengths = [len(context) + len(continuation) for context, continuation in rows]
        for batch, logprobs in self._in_batches(lengths, self.budget.tokens, run):
            finished: dict[Request, Answer] = {}
            for index, logprob in zip(batch, logprobs, strict=True):
                request, position = places[index]
                sums[request][position] = logprob
                waiting[request] -= 1
                if not waiting[request]:
                    finished[request] = ChoiceLogProbs(tuple(sums[request]))
            done(finished)

    def _measure_all(
        self, requests: list[RollingLogLikelihood], done: Callable[[dict[Request, Answer]], None]
    ) -> None:
        rows = [self.prompting.measured(request) for request in requests]
        for request, (context, continuation) in zip(requests, rows, strict=True):
            self._check_fits(len(context) + len(continuation), request)

        def run(batch: Sequence[int]) -> list[float]:
            return self._logprobs(NO_PREFIX, [rows[i] for i in batch], [requests[i] for i in batch])

        lengths = [len(context) + len(continuation) for context, continuation in rows]
        budget = max(1, min(self.budget.tokens, LOGITS_BYTES // (4 * self.vocabulary)))
        for batch, logprobs in self._in_batches(lengths, budget, run):
            done({
                requests[i]: LogLikelihood(logprob, len(rows[i][1]), self.vocabulary)
                for i, logprob in zip(batch, logprobs, strict=True)
            })  # fmt: skip

    def _logprobs(
        self, prefix: Prefix, rows: Sequence[tuple[list[int], list[int]]], requests: Sequence[Request]
    ) -> list[float]:
        """log p(continuation | context) of each (context, continuation), in nats, summed in float32."""
        tokens, mask = pad_left(
            [[*context, *after][prefix.length : -1] for context, after in rows],
            self.pad_token,
            self.model.device,
            prefix.length,
        )
        keep = max(len(after) for _, after in rows)
        extra: dict[str, Any] = {"use_cache": False}
        if prefix.length:
            cache = prefix.expanded(self.model.config.get_text_config(), len(rows))
            extra = {"use_cache": True, "past_key_values": cache}
        logits = self._forward(tokens, mask, positions(mask, tokens.shape[1]), keep, **extra)
        sums, finite = [], []
        for row, (_, after) in enumerate(rows):
            targets = torch.tensor(after, device=logits.device)
            own = logits[row, -len(after) :].float()
            finite.append(torch.isfinite(own).all())
            sums.append(torch.log_softmax(own, dim=-1).gather(1, targets[:, None]).sum())
        values: list[float] = torch.stack(sums).tolist()
        for request, value, sound in zip(requests, values, torch.stack(finite).tolist(), strict=True):
            if not sound or not math.isfinite(value):
                raise self._not_finite(request)
        return values

    # Batches

    def _in_batches(
        self, lengths: Sequence[int], budget: int, run: Callable[[Sequence[int]], list[Any]]
    ) -> Any:
        for batch in [[i] for i in range(len(lengths))] if self.whole else make_batches(lengths, budget):
            try:
                yield batch, run_halving(batch, run, out_of_memory, self.budget, free_memory)
            except RuntimeError as error:
                if not out_of_memory(error):
                    raise
                raise EngineError(
                    f"{self.label}: a single prompt of {lengths[batch[0]]} tokens does not fit the memory of "
                    f"{self.model.device}"
                ) from error

    def _check_fits(self, length: int, request: Request) -> None:
        if self.context is not None and length > self.context:
            raise EngineError(
                f"{self.label}: a prompt and its answer take {length} tokens, and the model reads {self.context}: "
                f"{self.prompting.shown(request)[-80:]!r}"
            )

    def _not_finite(self, request: Request) -> EngineError:
        dtype = str(self.model.dtype).removeprefix("torch.")
        return UnansweredError(
            f"{self.label}: its logits are NaN or infinite in {dtype}, so its answers mean nothing\n"
            "  the weights are damaged, or too large for the dtype"
            + ("" if dtype == "float32" else f": try {option('dtype', 'float32')}"),
            request,
        )


def context_length(config: Any) -> int | None:
    """How many tokens a model reads: what its config says, or its original length times the factor of its positions."""
    length: int | None = getattr(config, "max_position_embeddings", None)
    rope = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None)
    if length is None or not isinstance(rope, dict):
        return length
    lengths = [length]
    for one in [
        rope,
        *(value for value in rope.values() if isinstance(value, dict)),
    ]:  # some by kind of layer
        factor, original = one.get("factor"), one.get("original_max_position_embeddings")
        if isinstance(factor, int | float):
            lengths.append(round(factor * (original or length)))
    return max(lengths)


def end_tokens(model: Any, tokenizer: Any) -> tuple[int, ...]:
    """The tokens that end a turn: those of the generation config and the tokenizer's own that the model can write."""
    listed = getattr(model.generation_config, "eos_token_id", None)
    found = [*(listed if isinstance(listed, list) else [listed]), tokenizer.eos_token_id]
    size = len(model.get_input_embeddings().weight)
    return tuple(dict.fromkeys(token for token in found if isinstance(token, int) and 0 <= token < size)) or (
        0,
    )


def out_of_memory(error: BaseException) -> bool:
    """Whether torch ran out of memory, on a GPU or in its CPU allocator."""
    return isinstance(error, torch.OutOfMemoryError) or "not enough memory" in str(error)


def free_memory() -> None:
    """Give cached blocks back to the device."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
