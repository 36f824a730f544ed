"""Requests in, Answers out, from a transformers model on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch

from harness.engine.batching import Budget, make_batches, run_halving
from harness.engine.estimate import Estimate, estimated
from harness.engine.pace import Pace, RunsOn
from harness.engine.requests import (
    Answer,
    ChoiceLogProbs,
    Continuations,
    Generate,
    LogLikelihood,
    MultipleChoice,
    Progress,
    Prompt,
    Request,
    RollingLogLikelihood,
    UnansweredError,
)
from harness.engine.transformers.config import context_length, end_tokens
from harness.engine.transformers.decoding import (
    NO_PREFIX,
    Forward,
    NotFinite,
    Prefix,
    greedy,
    log_likelihoods,
    read_prefix,
)
from harness.engine.transformers.device import device_name, free_memory, out_of_memory
from harness.engine.transformers.prompting import Pair, Prompting, Scored, may_be_cut
from harness.engine.transformers.quiet import quiet
from harness.engine.transformers.shown import check_shown
from harness.errors import EngineError
from harness.spelling import option
from harness.suites.format import AnswerKind

LOGITS_BYTES = 1 << 30
"""The most memory that the logits of one batch of texts may take."""

Done = Callable[[Mapping[Request, Answer], int], None]
"""Takes answers, and how many more of the present batch are complete."""
Run = Callable[[Sequence[int]], list[Any]]
"""Indices of rows -> the result of each."""


class TorchEngine:
    """A causal language model that answers requests in batches.

    Args:
        model: a transformers model, or a PeftModel, in evaluation mode.
        tokenizer: its tokenizer; its chat template renders chat prompts.
        label: the name of the model in reports.
        active: a context in which the model acts as this engine means it, as with its adapter switched off; so two
            engines can share one model.
        budget: the tokens a batch may hold; share one between models on one device.
        whole: read each row alone and from its beginning at every step, without a cache: for adapters that depend on
            where in the text they were invoked, which a shared beginning, padding or a single new token hides from them.
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
        self.pace = Pace()
        self.forward = Forward(model)
        self.context = context_length(self.forward.config)
        self.vocabulary = int(self.forward.config.vocab_size)
        self.prompting = Prompting(tokenizer, label, end_tokens(model, tokenizer), self.context)
        self.embeddings = len(model.get_input_embeddings().weight)
        # The tokenizer's padding token may be one that the model has no embedding for.
        padding = (tokenizer.pad_token_id, *self.prompting.end_tokens)
        known = range(self.embeddings)
        self.pad_token = next((token for token in padding if token is not None and token in known), 0)

    def render(self, prompt: Prompt) -> str:
        """The text of a prompt; a chat goes through the chat template, up to where the answer begins.

        Raises:
            EngineError: the tokenizer has no chat template, or its template refuses the chat.
            ModelError: the template exceeds its limits of time or memory.
        """
        return self.prompting.render(prompt)

    @property
    def template_names(self) -> frozenset[str] | None:
        """The variables that the chat template reads, arguments among them; None without a template."""
        return self.prompting.template.names if self.tokenizer.chat_template else None

    @property
    def dtype(self) -> str:
        """The name of the dtype that the model computes in."""
        return str(self.model.dtype).removeprefix("torch.")

    @property
    def device_kind(self) -> str:
        """The type of the model's device, and the name of a GPU; not how many threads a CPU runs."""
        device = self.model.device
        return "cpu" if device.type == "cpu" else device_name(device)

    @property
    def marks_reasoning(self) -> bool:
        """Whether the chat template or the vocabulary marks reasoning before an answer."""
        return bool(self.prompting.marks)

    @property
    def runs_on(self) -> RunsOn:
        """What its speed depends on."""
        size = sum(weight.numel() for weight in self.model.parameters())
        return RunsOn(self.label, size, device_name(self.model.device), self.dtype, "transformers")

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
        """All tokens that the model reads for a request, one row for each continuation."""
        return self.prompting.rows(request)

    def request_pieces(self, request: Request) -> list[str]:
        """The same as the tokenizer spells its tokens, so that two vocabularies can be compared."""
        rows = self.request_tokens(request)
        return [str(piece) for row in rows for piece in self.tokenizer.convert_ids_to_tokens(row)]

    def ask(self, requests: Sequence[Request], progress: Progress | None = None) -> list[Answer]:
        """Answer each request, in order; equal requests are computed once.

        Raises:
            EngineError: a prompt does not fit the model, logits are NaN or infinite, or a single prompt exceeds the
                memory.
        """
        distinct = list(dict.fromkeys(requests))
        answers: dict[Request, Answer] = {}

        def done(batch: Mapping[Request, Answer], underway: int = 0) -> None:
            answers.update(batch)
            if progress and distinct:
                progress(len(answers) + underway, len(distinct))

        done({})
        self.stream(distinct, done)
        return [answers[request] for request in requests]

    def stream(self, requests: Sequence[Request], done: Done) -> None:
        """Answer distinct requests, and pass the answers on batch by batch; raises as `ask`."""
        check_shown(self.prompting, requests, self.embeddings)
        with torch.inference_mode(), self.active(), quiet():
            for most in sorted({r.max_new_tokens for r in requests if isinstance(r, Generate)}, reverse=True):
                same = [r for r in requests if isinstance(r, Generate) and r.max_new_tokens == most]
                self._generate(same, done)
            self._score([r for r in requests if isinstance(r, MultipleChoice | Continuations)], done)
            # Of a text, the logits of every position are kept: (rows, width, vocabulary) in float32.
            most = max(1, LOGITS_BYTES // (4 * self.vocabulary))
            self._score([r for r in requests if isinstance(r, RollingLogLikelihood)], done, most)

    def _generate(self, requests: list[Generate], done: Done) -> None:
        prompts = [self.prompting.tokens(request) for request in requests]
        limits = [
            self.prompting.limits(request, len(tokens), self.context)
            for request, tokens in zip(requests, prompts, strict=True)
        ]
        lengths = [len(tokens) + limit.whole for tokens, limit in zip(prompts, limits, strict=True)]
        prefix = self._prefix(requests, lengths, prompts)

        def run(batch: Sequence[int]) -> list[Answer]:
            answers = [self.prompting.writing(requests[i], limits[i]) for i in batch]
            rows = [prompts[i][prefix.length :] for i in batch]
            compact = self.model.dtype == torch.float32
            size = sum((estimated(requests[i]) for i in batch), Estimate())
            watch = self.pace.watch(sum(len(prompts[i]) for i in batch), size)

            def stepped(writing: int, complete: int) -> None:
                watch(writing, complete)
                if complete < len(batch):  # the last comes with its answer
                    done({}, complete)

            greedy(
                self.forward, prefix, rows, answers, self.pad_token, compact, stepped, cached=not self.whole
            )
            return [answer.generated() for answer in answers]

        for batch, answers in self._in_batches(requests, lengths, self.budget.tokens, run):
            done({requests[i]: answer for i, answer in zip(batch, answers, strict=True)}, 0)

    def _score(
        self,
        requests: Sequence[Scored],
        done: Done,
        most: int | None = None,
    ) -> None:
        """Log-likelihoods of all continuations; `most` is a bound on the tokens of a batch besides the budget."""
        pairs: list[Pair] = []
        rows: dict[Scored, range] = {}
        for request in requests:
            begin = len(pairs)
            pairs += self.prompting.pairs(request)
            rows[request] = range(begin, len(pairs))
        owners = [request for request, indices in rows.items() for _ in indices]
        lengths = [len(context) + len(continuation) for context, continuation in pairs]
        prefix = self._prefix(owners, lengths, [context for context, _ in pairs])
        sizes = {owner: Estimate(estimated(owner).read / len(rows[owner]), 0, 1) for owner in owners}
        found: dict[int, tuple[float, bool]] = {}

        def run(batch: Sequence[int]) -> list[tuple[float, bool]]:
            size = sum((sizes[owners[i]] for i in batch), Estimate())
            stepped = self.pace.watch(sum(lengths[i] for i in batch), size)
            values = log_likelihoods(self.forward, prefix, [pairs[i] for i in batch], self.pad_token)
            stepped(0, len(batch))
            return values

        def scored(request: Scored) -> Answer:
            values, greedy = zip(*(found[i] for i in rows[request]), strict=True)
            if isinstance(request, RollingLogLikelihood):
                tokens = sum(len(pairs[i][1]) for i in rows[request])
                return LogLikelihood(sum(values), tokens, self.vocabulary)
            return ChoiceLogProbs(values, greedy if isinstance(request, Continuations) else ())

        budget = min(self.budget.tokens, most or self.budget.tokens)
        for batch, values in self._in_batches(owners, lengths, budget, run):
            found.update(zip(batch, values, strict=True))
            complete = [owner for owner in {owners[i] for i in batch} if found.keys() >= set(rows[owner])]
            done({request: scored(request) for request in complete}, 0)

    def _prefix(
        self, requests: Sequence[Request], lengths: Sequence[int], contexts: Sequence[list[int]]
    ) -> Prefix:
        """What all contexts begin with; raises EngineError where a row is longer than the model's context."""
        for request, length in zip(requests, lengths, strict=True):
            if (
                self.context is not None
                and length > self.context
                and not (may_be_cut(request) and not isinstance(request, Generate))
            ):
                raise EngineError(
                    f"{self.label}: a prompt and its answer take {length} tokens, and the model reads {self.context}: "
                    f"{self.prompting.shown(request)[-80:]!r}"
                )
        return NO_PREFIX if self.whole else read_prefix(self.model, contexts)

    def _in_batches(
        self, requests: Sequence[Request], lengths: Sequence[int], budget: int, run: Run
    ) -> Iterator[tuple[list[int], list[Any]]]:
        """Batches of row indices and what `run` makes of them; row i belongs to `requests[i]`."""

        def checked(batch: Sequence[int]) -> list[Any]:
            try:
                return run(batch)
            except NotFinite as error:
                raise self._not_finite(requests[batch[error.row]]) from error

        for batch in [[i] for i in range(len(lengths))] if self.whole else make_batches(lengths, budget):
            try:
                yield batch, run_halving(batch, checked, out_of_memory, self.budget, free_memory)
            except RuntimeError as error:
                if not out_of_memory(error):
                    raise
                raise EngineError(
                    f"{self.label}: a single prompt of {lengths[batch[0]]} tokens does not fit the memory of "
                    f"{self.model.device}"
                ) from error

    def _not_finite(self, request: Request) -> EngineError:
        hint = "" if self.dtype == "float32" else f": try {option('dtype', 'float32')}"
        return UnansweredError(
            f"{self.label}: its logits are NaN or infinite in {self.dtype}, so its answers mean nothing\n"
            f"  the weights are damaged, or too large for the dtype{hint}",
            request,
        )
