"""Requests in, Answers out, from a model in vLLM: it reads the tokens that the engine transformers reads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from harness.engine.abilities import Done
from harness.engine.batching import Budget
from harness.engine.estimate import estimated
from harness.engine.pace import Pace, RunsOn
from harness.engine.requests import Generate, Likelihood, Request, Scored, UnansweredError, answer_from
from harness.engine.transformers.prompted import Prompted
from harness.engine.transformers.prompting import Pair, Prompting
from harness.engine.transformers.quiet import quiet
from harness.engine.transformers.shown import check_shown
from harness.engine.vllm.queue import Job, Queue
from harness.errors import EngineError
from harness.spelling import option
from harness.suites.format import AnswerKind

BUDGET = 1 << 20
"""Tokens that vLLM is given at a time, more than it computes at once."""


class VllmEngine(Prompted):
    """A causal language model that vLLM runs.

    Args:
        queue: the vLLM that holds it; two engines may share one.
        tokenizer: its chat template renders chat prompts.
        label: the name of the model in reports.
        ends: the tokens that end its turns.
        lora: vLLM's request for the adapter that acts; None for the base.
        parameters: the size of the model.

    Attributes:
        invariant: whether what else is in a batch changes no answer.
        device_kind: the type of the model's device, or the name of a GPU.
        dtype: the name of the one that the model computes in.
        runs_on: what its speed depends on.
    """

    kinds: frozenset[AnswerKind] = frozenset({"generate", "choose", "likelihood"})
    backend = "vllm"

    def __init__(
        self,
        queue: Queue,
        tokenizer: Any,
        label: str,
        ends: Sequence[int],
        lora: Any,
        budget: Budget,
        parameters: int,
    ) -> None:
        self.queue = queue
        self.tokenizer = tokenizer
        self.label = label
        self.lora = lora
        self.budget = budget
        self.pace = Pace()
        self.invariant = queue.library.invariant
        self.device_kind = queue.library.device_name
        config = queue.model_config
        self.dtype = str(config.dtype).removeprefix("torch.")
        self.runs_on = RunsOn(label, parameters, self.device_kind, self.dtype, self.backend)
        self.context = int(config.max_model_len)
        self.embeddings = int(config.get_vocab_size())
        # vLLM writes at least one token after whatever it reads, and reads the last of a row too
        self.prompting = Prompting(tokenizer, label, ends, self.context - 2)

    def stream(self, requests: Sequence[Request], done: Done) -> None:
        """Answer distinct requests, and pass the answers on as they come.

        Raises:
            EngineError: a prompt does not fit the model, or log-probabilities are NaN.
        """
        check_shown(self.prompting, requests, self.embeddings)
        self.pace.size += estimated(requests)
        self._write([request for request in requests if isinstance(request, Generate)], done)
        self._score([request for request in requests if not isinstance(request, Generate)], done)

    def likelihoods(self, row: list[int]) -> list[Likelihood]:
        """The likelihood of each token of a row but the first."""
        found: list[Likelihood] = []

        def took(tokens: list[int], known: list[Likelihood]) -> bool:
            found.extend(known)
            return False

        self._run([Job(row, 0, took)])
        return found

    def _run(self, jobs: Sequence[Job]) -> None:
        with quiet():
            self.queue.run(jobs, self.lora, self.budget.tokens, self.pace)

    def _write(self, requests: Sequence[Generate], done: Done) -> None:
        self._run([self._written(request, done) for request in requests])

    def _written(self, request: Generate, done: Done) -> Job:
        prompt = self.prompting.tokens(request)
        limits = self.prompting.limits(request, len(prompt), self.context)
        self._check_length(request, len(prompt) + limits.whole)
        answer = self.prompting.writing(request, limits)
        self.pace.read += len(prompt)

        def took(tokens: list[int], known: list[Likelihood]) -> bool:
            self._check_finite(request, known)
            self.pace.written += len(tokens)
            goes_on = all(map(answer.take, tokens))
            if not goes_on:
                done({request: answer.generated()}, 0)
            return goes_on

        return Job(prompt, limits.whole, took)

    def _score(self, requests: Sequence[Scored], done: Done) -> None:
        jobs: list[Job] = []
        for request in requests:
            pairs = self.prompting.pairs(request)
            found: dict[int, Likelihood] = {}
            jobs += [self._measured(request, pairs, index, found, done) for index in range(len(pairs))]
        self._run(jobs)

    def _measured(
        self, request: Scored, pairs: Sequence[Pair], index: int, found: dict[int, Likelihood], done: Done
    ) -> Job:
        """The job for one log-likelihood of a request; `found` has those of all its others that are known."""
        context, continuation = pairs[index]
        self._check_length(request, len(context) + len(continuation) + 1)
        self.pace.read += len(context) + len(continuation)

        def took(tokens: list[int], known: list[Likelihood]) -> bool:
            own = known[len(known) - len(continuation) :]
            self._check_finite(request, own)
            found[index] = (math.fsum(value for value, _ in own), all(written for _, written in own))
            if len(found) == len(pairs):
                likelihoods = [found[place] for place in range(len(pairs))]
                length = sum(len(rest) for _, rest in pairs)
                done({request: answer_from(request, likelihoods, length, self.embeddings)}, 0)
            return False

        return Job([*context, *continuation], 0, took)

    def _check_length(self, request: Request, length: int) -> None:
        if length > self.context:
            raise EngineError(
                f"{self.label}: a prompt and its answer take {length} tokens, and vllm reads {self.context}: "
                f"{self.prompting.shown(request)[-80:]!r}\n"
                f"  where the model itself reads more: {option('engine_args', 'max_model_len=N')}"
            )

    def _check_finite(self, request: Request, known: Sequence[Likelihood]) -> None:
        if not all(math.isfinite(value) for value, _ in known):
            raise UnansweredError(
                f"{self.label}: its logits are NaN or infinite in {self.dtype}, so its answers mean nothing\n"
                f"  the weights are damaged, or too large for the dtype: try {option('dtype', 'float32')}",
                request,
            )
