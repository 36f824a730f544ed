"""Requests in, Answers out, from a transformers model on this machine."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch

from harness.engine.batching import Budget, plan_batches, run_halving
from harness.engine.decoding import NO_PREFIX, NotFinite, Prefix, greedy, pad_left, positions, read_prefix
from harness.engine.quiet import quiet
from harness.engine.requests import (
    Answer,
    Chat,
    Choose,
    Chosen,
    Ended,
    Generate,
    Generated,
    Measure,
    Measured,
    Plain,
    Progress,
    Prompt,
    Request,
    UnansweredError,
)
from harness.engine.stops import cut_at_stop
from harness.engine.tokenizing import encode, gives_back, holds, render, special_token, turn_end
from harness.errors import EngineError
from harness.suites.format import AnswerKind

LOST_AT_MOST = 0.05
"""The share of prompts of which a tokenizer may lose something, such as a rare character that it does not know."""

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
        self.turn_end = turn_end(tokenizer)
        self.end_tokens = tuple(dict.fromkeys([*end_tokens(model, tokenizer), *self.turn_end.tokens]))
        self.embeddings = int(model.get_input_embeddings().weight.shape[0])
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
        if not self.tokenizer.chat_template:
            raise EngineError(
                f"{self.label}: its tokenizer has no chat template, and the suite says 'format: chat'\n"
                "  write 'format: text' in the suite's task, or take the other model's template: --template"
            )
        messages = [{"role": turn.role, "content": turn.content} for turn in prompt.messages]
        try:
            return render(self.tokenizer, messages)
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
        return self._decode_all(self.tokens(prompt))

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

        self._check_prompts(distinct)
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
        prefix = NO_PREFIX if self.whole else read_prefix(self.model, prompts)

        def run(batch: Sequence[int]) -> list[Answer]:
            asked = [requests[i] for i in batch]
            return self._generate(prefix, [prompts[i][prefix.length :] for i in batch], asked, new_tokens)

        lengths = [len(tokens) + new_tokens for tokens in prompts]
        for batch, answers in self._in_batches(lengths, self.budget.tokens, run):
            done({requests[i]: answer for i, answer in zip(batch, answers, strict=True)})

    def _generate(
        self, prefix: Prefix, prompts: Sequence[list[int]], requests: Sequence[Generate], new_tokens: int
    ) -> list[Answer]:
        stops = [self._stops(request) for request in requests]

        def stopped(row: int, tokens: Sequence[int]) -> Ended | None:
            text = self._decode(tokens) if stops[row] else ""
            return next((why for stop, why in stops[row].items() if stop in text), None)

        try:
            written = greedy(
                self.model,
                self._last_logits,
                prefix,
                prompts,
                new_tokens,
                [self._ends(request) for request in requests],
                self.pad_token,
                stopped,
                compact=self.model.dtype == torch.float32,
                cached=not self.whole,
            )
        except NotFinite as error:
            raise self._not_finite(requests[error.row]) from error
        return [
            Generated(cut_at_stop(self._decode(row.tokens), list(stop)), len(row.tokens), row.ended)
            for row, stop in zip(written, stops, strict=True)
        ]

    def _ends(self, request: Generate) -> dict[int, Ended]:
        """The tokens that end an answer: those of a turn, and stop texts that are a token of their own."""
        ends: dict[int, Ended] = dict.fromkeys(self.end_tokens, "turn")
        for stop in request.stop:
            if (token := special_token(self.tokenizer, stop)) is not None:
                ends.setdefault(token, "stop")
        return ends

    def _stops(self, request: Generate) -> dict[str, Ended]:
        """The texts that end an answer: the request's, and, in a chat, what the template puts after a turn."""
        stops: dict[str, Ended] = dict.fromkeys(request.stop, "stop")
        if self.turn_end.text and isinstance(request.prompt, Chat):
            stops.setdefault(self.turn_end.text, "turn")
        return stops

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

    def _choose_all(self, requests: list[Choose], done: Callable[[dict[Request, Answer]], None]) -> None:
        rows = [
            self._continuation_tokens(request.prompt, continuation)
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
                    finished[request] = Chosen(tuple(sums[request]))
            done(finished)

    def _measure_all(self, requests: list[Measure], done: Callable[[dict[Request, Answer]], None]) -> None:
        rows = [self._text_tokens(request) for request in requests]
        for request, (context, continuation) in zip(requests, rows, strict=True):
            self._check_fits(len(context) + len(continuation), request)

        def run(batch: Sequence[int]) -> list[float]:
            return self._logprobs(NO_PREFIX, [rows[i] for i in batch], [requests[i] for i in batch])

        lengths = [len(context) + len(continuation) for context, continuation in rows]
        budget = max(1, min(self.budget.tokens, LOGITS_BYTES // (4 * self.vocabulary)))
        for batch, logprobs in self._in_batches(lengths, budget, run):
            done({
                requests[i]: Measured(logprob, len(rows[i][1]), self.vocabulary)
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

    # Tokens

    def request_tokens(self, request: Request) -> list[list[int]]:
        """All that the model reads for a request, one row of tokens for each continuation."""
        match request:
            case Generate():
                return [self._prompt_tokens(request.prompt)]
            case Choose():
                pairs = [self._continuation_tokens(request.prompt, one) for one in request.continuations]
            case Measure():
                pairs = [self._text_tokens(request)]
        return [[*context, *after] for context, after in pairs]

    def request_pieces(self, request: Request) -> list[str]:
        """The same as the tokenizer writes its tokens, so that two vocabularies can be compared."""
        rows = self.request_tokens(request)
        return [str(piece) for row in rows for piece in self.tokenizer.convert_ids_to_tokens(row)]

    def _check_prompts(self, requests: Sequence[Request]) -> None:
        """Prove that the model is shown what is asked.

        Raises:
            EngineError: two questions look the same to it, its tokenizer loses what is asked, or it makes tokens that the
                model has no embeddings for.
        """
        shown: dict[str, Prompt] = {}
        unseen: list[Generate | Choose] = []
        lost = []
        for request in requests:
            rows = self.request_tokens(request)
            if (highest := max(map(max, rows))) >= self.embeddings:
                raise EngineError(
                    f"{self.label}: its tokenizer makes the token {highest} ({self._decode_all([highest])!r}), and the model has "
                    f"embeddings for {self.embeddings}: they do not belong together"
                )
            if isinstance(request, Measure):
                text = request.text
            else:
                text = self.render(request.prompt)
                first = shown.setdefault(text, request.prompt)
                if first != request.prompt:
                    raise EngineError(
                        f"{self.label}: two different prompts are shown to it alike, so its chat template drops what is asked: "
                        f"{_last(first)!r:.80} and {_last(request.prompt)!r:.80} are both {text[-120:]!r}"
                    )
                if isinstance(request.prompt, Chat) and not holds(text, _last(request.prompt)):
                    unseen.append(request)
            if not gives_back(self.tokenizer, text, rows[0]):
                lost.append(text)
        if unseen and len(unseen) == sum(not isinstance(request, Measure) for request in requests):
            raise EngineError(
                f"{self.label}: its chat template shows it none of the questions: {_last(unseen[0].prompt)!r:.80} becomes "
                f"{self.render(unseen[0].prompt)[-120:]!r}"
            )
        if len(lost) > LOST_AT_MOST * len(requests):
            raise EngineError(
                f"{self.label}: its tokenizer does not give back {len(lost)} of the {len(requests)} prompts, so the model "
                f"cannot read them, the first {lost[0][-80:]!r}\n  is it the model's own, and whole?"
            )

    def _encode(self, text: str, special: bool) -> list[int]:
        return encode(self.tokenizer, text, special)

    def _decode_all(self, tokens: Sequence[int]) -> str:
        return str(self.tokenizer.decode(tokens, skip_special_tokens=False))

    def _text_tokens(self, request: Measure) -> tuple[list[int], list[int]]:
        """What a text begins with, and its tokens."""
        tokens = self._encode(request.text, special=True)
        return (tokens[:1], tokens[1:]) if self._has_start(tokens) else (self._start(), tokens)

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
        for batch in [[i] for i in range(len(lengths))] if self.whole else plan_batches(lengths, budget):
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

    def _not_finite(self, request: Request) -> EngineError:
        dtype = str(self.model.dtype).removeprefix("torch.")
        return UnansweredError(
            f"{self.label}: its logits are NaN or infinite in {dtype}, so its answers mean nothing\n"
            "  the weights are damaged, or too large for the dtype"
            + ("" if dtype == "float32" else ": try --dtype float32"),
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


def _last(prompt: Prompt) -> str:
    return prompt.messages[-1].content if isinstance(prompt, Chat) else prompt.text


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
