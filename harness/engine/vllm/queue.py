"""Rows of tokens in, what vLLM computes of them out, as it comes: its own scheduler batches whatever it holds."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count
from typing import Any

from harness.engine.pace import Pace
from harness.engine.requests import Likelihood
from harness.engine.vllm.library import Library
from harness.errors import EngineError


@dataclass(frozen=True)
class Job:
    """A row of tokens for vLLM.

    Attributes:
        most: tokens to write after it; 0 to score the row itself.
        took: takes what came (new tokens, each with its log-probability; or the likelihoods of all tokens but the first);
            whether the job goes on.
    """

    tokens: list[int]
    most: int
    took: Callable[[list[int], list[Likelihood]], bool]

    @property
    def size(self) -> int:
        return len(self.tokens) + self.most


class Queue:
    """One `vllm.LLM`, asked through its engine, so that answers come as they are written and may end at any token."""

    def __init__(self, llm: Any, library: Library) -> None:
        self.library = library
        self.engine = llm.llm_engine
        self.model_config: Any = self.engine.model_config
        """vLLM's own description of the model."""
        self._names = map(str, count(1))

    def run(self, jobs: Iterable[Job], lora: Any, budget: int, pace: Pace) -> None:
        """Run jobs, at most `budget` tokens at a time, and no less than one job.

        Args:
            lora: vLLM's request for the adapter that acts; None for the base.
        """
        # those with a common beginning follow each other, so that it is still in the cache
        waiting = deque(sorted(jobs, key=lambda job: job.tokens))
        underway: dict[str, Job] = {}
        begun: set[str] = set()
        held = 0
        try:
            while waiting or underway:
                while waiting and (not underway or held + waiting[0].size <= budget):
                    job = waiting.popleft()
                    name = next(self._names)
                    self.engine.add_request(name, *self._request(job), lora_request=lora)
                    underway[name] = job
                    held += job.size
                began = time.monotonic()
                outputs = [output for output in self.engine.step() if output.request_id in underway]
                spent = time.monotonic() - began
                if outputs and all(output.request_id in begun for output in outputs):
                    pace.writing += spent
                else:
                    pace.reading += spent
                for output in outputs:
                    name, job = output.request_id, underway[output.request_id]
                    begun.add(name)
                    if job.took(*_came(job, output)):
                        if output.finished:
                            raise EngineError(
                                f"vllm ended a request itself: {output.outputs[0].finish_reason}"
                            )
                        continue
                    held -= underway.pop(name).size
                    begun.discard(name)
                    if not output.finished:
                        self.engine.abort_request([name])
        finally:
            if underway:
                self.engine.abort_request(list(underway))

    def _request(self, job: Job) -> tuple[Any, Any]:
        prompt = self.library.tokens_prompt(prompt_token_ids=job.tokens)
        scored = {"prompt_logprobs": 0} if not job.most else {"logprobs": 0}
        sampling = self.library.sampling(
            temperature=0.0,
            max_tokens=job.most or 1,
            ignore_eos=True,  # which tokens end an answer depends on where they stand
            detokenize=False,
            output_kind=self.library.delta,
            **scored,
        )
        [rendered] = self.engine.renderer.render_cmpl([prompt])
        return rendered, sampling


def _came(job: Job, output: Any) -> tuple[list[int], list[Likelihood]]:
    if job.most:
        written = output.outputs[0]
        tokens = list(written.token_ids)
        return tokens, _likelihoods(tokens, written.logprobs)
    tokens = job.tokens[1:]
    return tokens, _likelihoods(tokens, output.prompt_logprobs[1:])


def _likelihoods(tokens: list[int], logprobs: Any) -> list[Likelihood]:
    told = [known[token] for token, known in zip(tokens, logprobs, strict=True)]
    return [(float(likely.logprob), likely.rank == 1) for likely in told]
