"""Requests in, Answers out, from a transformers model on this machine."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch

from harness.engine.batching import Budget, plan_batches, run_halving
from harness.engine.decoding import NO_PREFIX, Prefix, greedy, pad_left, positions, read_prefix
from harness.engine.quiet import quiet
from harness.engine.requests import (
    Answer,
    Choose,
    Chosen,
    Generate,
    Generated,
    Measure,
    Measured,
    Plain,
    Progress,
    Prompt,
    Request,
)
from harness.engine.stops import cut_at_stop
from harness.errors import EngineError
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
    """

    kinds: frozenset[AnswerKind] = frozenset({"generate", "choose", "likelihood"})

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        label: str,
        active: Callable[[], AbstractContextManager[Any]],
        budget: Budget,
        template_tokenizer: Any = None,
    ) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.label = label
        self.active = active
        self.budget = budget
        self.template_tokenizer = template_tokenizer or tokenizer
        config = model.config.get_text_config()
        self.context = getattr(config, "max_position_embeddings", None)
        self.vocabulary = int(config.vocab_size)
        self.end_tokens = end_tokens(model, tokenizer)
        self.pad_token = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else self.end_tokens[0]
        inner = model.get_base_model() if hasattr(model, "get_base_model") else model
        parameters = inspect.signature(inner.forward).parameters
        self.takes = {name for name in ("position_ids", "logits_to_keep") if name in parameters}

    def render(self, prompt: Prompt) -> str:
        """The text of a prompt; a chat goes through the chat template, up to where the answer begins.

        Raises:
            EngineError: the tokenizer has no chat template, or its template refuses the chat.
        """
        if isinstance(prompt, Plain):
            return prompt.text
        if not self.template_tokenizer.chat_template:
            raise EngineError(
                f"{self.label}: its tokenizer has no chat template, and the suite says 'format: chat'\n"
                "  write 'format: text' in the suite's task, or take the other model's template: --template"
            )
        messages = [{"role": turn.role, "content": turn.content} for turn in prompt.messages]
        try:
            return str(
                self.template_tokenizer.apply_chat_template(
                    messages, tokenize=False, add_generation_prompt=True
                )
            )
        except Exception as error:  # a template is a program of its author's and may raise anything
            raise EngineError(
                f"{self.label}: its chat template does not take this chat "
                f"({', '.join(turn.role for turn in prompt.messages)}): {error}"
            ) from error

    def tokens(self, prompt: Prompt) -> list[int]:
        """The tokens that the model reads for a prompt."""
        return self._prompt_tokens(prompt)

    def reading(self, prompt: Prompt) -> str:
        """What the model reads for a prompt, as text, special tokens included."""
        return str(self.tokenizer.decode(self.tokens(prompt), skip_special_tokens=False))

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

        with torch.inference_mode(), self.active(), quiet():
            lengths = {request.max_new_tokens for request in distinct if isinstance(request, Generate)}
            for new_tokens in sorted(lengths, reverse=True):
                same = [r for r in distinct if isinstance(r, Generate) and r.max_new_tokens == new_tokens]
                self._generate_all(same, new_tokens, done)
            self._choose_all([r for r in distinct if isinstance(r, Choose)], done)
            self._measure_all([r for r in distinct if isinstance(r, Measure)], done)
        return [answers[request] for request in requests]

    # Writing

    def _generate_all(
        self, requests: list[Generate], new_tokens: int, done: Callable[[dict[Request, Answer]], None]
    ) -> None:
        prompts = [self._prompt_tokens(request.prompt) for request in requests]
        for request, tokens in zip(requests, prompts, strict=True):
            self._check_fits(len(tokens) + new_tokens, request)
        prefix = read_prefix(self.model, prompts)

        def run(batch: Sequence[int]) -> list[Answer]:
            stops = [requests[i].stop for i in batch]
            return self._generate(prefix, [prompts[i][prefix.length :] for i in batch], stops, new_tokens)

        lengths = [len(tokens) + new_tokens for tokens in prompts]
        for batch, answers in self._in_batches(lengths, self.budget.tokens, run):
            done({requests[i]: answer for i, answer in zip(batch, answers, strict=True)})

    def _generate(
        self, prefix: Prefix, prompts: Sequence[list[int]], stops: Sequence[tuple[str, ...]], new_tokens: int
    ) -> list[Answer]:
        def stopped(row: int, tokens: Sequence[int]) -> bool:
            return bool(stops[row]) and any(stop in self._decode(tokens) for stop in stops[row])

        try:
            written = greedy(
                self.model,
                self._last_logits,
                prefix,
                prompts,
                new_tokens,
                frozenset(self.end_tokens),
                self.pad_token,
                stopped,
                compact=self.model.dtype == torch.float32,
            )
        except FloatingPointError as error:
            raise self._not_a_number() from error
        return [
            Generated(cut_at_stop(self._decode(tokens), stop), len(tokens))
            for tokens, stop in zip(written, stops, strict=True)
        ]

    def _last_logits(
        self, tokens: torch.Tensor, mask: torch.Tensor, place: torch.Tensor, cache: Any
    ) -> torch.Tensor:
        return self._forward(tokens, mask, place, 1, past_key_values=cache, use_cache=True)[:, -1]

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

    def _choose_all(self, requests: list[Choose], done: Callable[[dict[Request, Answer]], None]) -> None:
        rows = [
            self._continuation_tokens(request.prompt, continuation)
            for request in requests
            for continuation in request.continuations
        ]
        places = [(request, i) for request in requests for i in range(len(request.continuations))]
        for (request, _), (context, continuation) in zip(places, rows, strict=True):
            self._check_fits(len(context) + len(continuation), request)
        prefix = read_prefix(self.model, [context for context, _ in rows])
        sums: dict[Request, list[float]] = {
            request: [0.0] * len(request.continuations) for request in requests
        }
        waiting = {request: len(request.continuations) for request in requests}

        def run(batch: Sequence[int]) -> list[float]:
            return self._logprobs(prefix, [rows[i] for i in batch])

        lengths = [len(context) + len(continuation) for context, continuation in rows]
        for batch, logprobs in self._in_batches(lengths, self.budget.tokens, run):
            finished: dict[Request, Answer] = {}
            for index, logprob in zip(batch, logprobs, strict=True):
                request, position = places[index]
                sums[request][position] = logprob
                waiting[request] -= 1
                if not waiting[request]:
                    finished[request] = Chosen(tuple(sums[request]))
            done(finished)

    def _measure_all(self, requests: list[Measure], done: Callable[[dict[Request, Answer]], None]) -> None:
        texts = [self._encode(request.text, special=True) for request in requests]
        rows = [
            (tokens[:1], tokens[1:]) if self._has_start(tokens) else (self._start(), tokens)
            for tokens in texts
        ]
        for request, (context, continuation) in zip(requests, rows, strict=True):
            self._check_fits(len(context) + len(continuation), request)

        def run(batch: Sequence[int]) -> list[float]:
            return self._logprobs(NO_PREFIX, [rows[i] for i in batch])

        lengths = [len(context) + len(continuation) for context, continuation in rows]
        budget = max(1, min(self.budget.tokens, LOGITS_BYTES // (4 * self.vocabulary)))
        for batch, logprobs in self._in_batches(lengths, budget, run):
            done({
                requests[i]: Measured(logprob, len(rows[i][1]))
                for i, logprob in zip(batch, logprobs, strict=True)
            })  # fmt: skip

    def _logprobs(self, prefix: Prefix, rows: Sequence[tuple[list[int], list[int]]]) -> list[float]:
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
        sums = []
        for row, (_, after) in enumerate(rows):
            targets = torch.tensor(after, device=logits.device)
            chosen = torch.log_softmax(logits[row, -len(after) :].float(), dim=-1)
            sums.append(chosen.gather(1, targets[:, None]).sum())
        values: list[float] = torch.stack(sums).tolist()
        if not all(math.isfinite(value) for value in values):
            raise self._not_a_number()
        return values

    # Tokens

    def _encode(self, text: str, special: bool) -> list[int]:
        """The tokens of a text; if `special`, with what the tokenizer puts around one that does not begin itself."""
        tokens = list(self.tokenizer(text, add_special_tokens=special).input_ids)
        start = self.tokenizer.bos_token_id
        if special and start is not None and tokens[:2] == [start, start]:  # one of them is the text's own
            return self._encode(text, special=False)
        return tokens

    def _decode(self, tokens: Sequence[int]) -> str:
        return str(self.tokenizer.decode(tokens, skip_special_tokens=True))

    def _prompt_tokens(self, prompt: Prompt) -> list[int]:
        tokens = self._encode(self.render(prompt), special=isinstance(prompt, Plain))
        return tokens or self._start()

    def _continuation_tokens(self, prompt: Prompt, continuation: str) -> tuple[list[int], list[int]]:
        """Context and continuation, divided as lm-evaluation-harness does.

        White space at the end of the context belongs to the continuation, and both are tokenized as one text.
        """
        text = self.render(prompt)
        special = isinstance(prompt, Plain)
        context = text.rstrip()
        continuation = text[len(context) :] + continuation
        before = self._encode(context, special)
        whole = self._encode(context + continuation, special)
        if not before:
            before, whole = self._start(), [*self._start(), *whole]
        if len(whole) <= len(before):
            raise EngineError(f"{self.label}: the choice {continuation!r} adds no token to its prompt")
        return whole[: len(before)], whole[len(before) :]

    def _start(self) -> list[int]:
        start = self.tokenizer.bos_token_id
        return [start if start is not None else self.end_tokens[0]]

    def _has_start(self, tokens: list[int]) -> bool:
        return len(tokens) > 1 and tokens[:1] == self._start()

    def _in_batches(
        self, lengths: Sequence[int], budget: int, run: Callable[[Sequence[int]], list[Any]]
    ) -> Any:
        for batch in plan_batches(lengths, budget):
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
            shown = request.text if isinstance(request, Measure) else self.render(request.prompt)
            raise EngineError(
                f"{self.label}: a prompt and its answer take {length} tokens, and the model reads {self.context}: "
                f"{shown[-80:]!r}"
            )

    def _not_a_number(self) -> EngineError:
        return EngineError(
            f"{self.label}: its logits are NaN or infinite, so its answers mean nothing\n"
            "  the weights are damaged, or too large for the dtype: try --dtype float32"
        )


def end_tokens(model: Any, tokenizer: Any) -> tuple[int, ...]:
    """The tokens that end a turn: those of the generation config and the tokenizer's own."""
    listed = getattr(model.generation_config, "eos_token_id", None)
    found = [*(listed if isinstance(listed, list) else [listed]), tokenizer.eos_token_id]
    return tuple(dict.fromkeys(token for token in found if token is not None)) or (0,)


def out_of_memory(error: BaseException) -> bool:
    """Whether torch ran out of memory, on a GPU or in its CPU allocator."""
    return isinstance(error, torch.OutOfMemoryError) or "not enough memory" in str(error)


def free_memory() -> None:
    """Give cached blocks back to the device."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
