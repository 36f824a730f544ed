"""A GGUF file in, what llama.cpp computes with it out: tokens, the tokens that it writes, log-probabilities."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import groupby
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Lock
from typing import Any, TypeVar

from harness.engine.gguf.serving import RefusedError, Running, Serving
from harness.engine.gguf.tokenizer import UNREADABLE
from harness.engine.requests import Likelihood
from harness.errors import EngineError

T = TypeVar("T")

LENGTH = 2048
"""Tokens that a request may take before the server must start again with room for more."""

STEP = 256
"""The room is a multiple of it."""

GREEDY = {
    "temperature": 0, "samplers": ["temperature"], "repeat_penalty": 1, "presence_penalty": 0, "frequency_penalty": 0,
    "dry_multiplier": 0, "mirostat": 0, "logit_bias": [], "stop": [], "n_keep": 0, "ignore_eos": False,
}  # fmt: skip
"""A file may bring sampling settings of its own, so all are given."""

SURE = 1e9
"""Added to a logit, it makes a token certain to be written; log-probabilities are told as of before."""

AT_A_TIME = 64
"""Tokens that are written before it is seen whether they end an answer, or whether anyone still waits for it."""

FEW = 64
"""Likeliest tokens to look among first; to be told of all takes a second."""

LEAST = -104.0
"""What a log-probability is at least: the server tells one from a float32, in which smaller probabilities are 0."""


class Llama:
    """A model that is loaded for the first thing it is asked.

    Args:
        name: in errors.
        path: its file; the first of several shards.
        size: of its vocabulary.
        control: the tokens that are no text.
        plain: any token that is text by itself.
        check: raises EngineError if the file changed since it was found; called whenever it was loaded.

    Attributes:
        length: the most tokens that a request may take as it is loaded.
        reading, writing: the seconds of all requests, which are less by the clock where several are computed together.
    """

    def __init__(
        self,
        name: str,
        path: Path,
        running: Running,
        size: int,
        control: frozenset[int],
        plain: int,
        check: Callable[[], None],
    ) -> None:
        self.name = name
        self.path = path
        self.running = running
        self.size = size
        self.control = control
        self.plain = plain
        self.check = check
        self.length = 0
        self.slots = 0
        self.reading = self.writing = 0.0
        self._counting = Lock()
        self._lock = Lock()
        self._stop = Event()
        self._serving: Serving | None = None
        self._texts: dict[int, str] = {}

    def make_room(self, length: int) -> None:
        """Load the model, or load it again, if a request of so many tokens does not fit.

        Raises:
            ModelError: llama.cpp cannot load it.
            EngineError: its logits are no numbers, or the file changed.
        """
        with self._lock:
            if self.length >= length:
                return
            wanted = max(LENGTH, -(-length // STEP) * STEP)
            self._serving = None  # frees its memory first
            self.length, self.slots = 0, max(1, min(self.running.at_once, self.running.tokens // wanted))
            self._serving = Serving(self.name, self.path, self.running, self.slots, wanted)
            self.check()
            (told,) = self._told(0, [self.plain], 1, cached=False, logit_bias=[[self.plain, SURE]])
            self._likelihood(told)
            self.length = wanted

    def each(self, jobs: Sequence[Callable[[int], T]]) -> Iterator[tuple[int, T]]:
        """What each job gives, with its index, as they end. A job is called with the number of the slot that is its own."""
        free: SimpleQueue[int] = SimpleQueue()
        for slot in range(self.slots):
            free.put(slot)

        def work(job: Callable[[int], T]) -> T:
            slot = free.get()
            try:
                return job(slot)
            finally:
                free.put(slot)

        self._stop.clear()
        with ThreadPoolExecutor(self.slots) as pool:
            futures = {pool.submit(work, job): index for index, job in enumerate(jobs)}
            try:
                for future in as_completed(futures):
                    yield futures[future], future.result()
            except BaseException:
                self._stop.set()
                for future in futures:
                    future.cancel()
                raise

    # Text

    def tokenize(self, text: str, special: bool) -> list[int]:
        """The tokens of a text, with what the file wants before one if `special`; special tokens may be written in it."""
        self.make_room(1)
        body = {"content": text, "add_special": special, "parse_special": True}
        return [int(token) for token in self._post("/tokenize", body)["tokens"]]

    def text(self, tokens: Sequence[int]) -> str:
        """Tokens as text, special ones too; bytes that are no text become U+FFFD."""
        if len(tokens) != 1:
            return self._detokenized(tokens)
        if (token := tokens[0]) not in self._texts:
            self._texts[token] = self._detokenized(tokens)
        return self._texts[token]

    def _detokenized(self, tokens: Sequence[int]) -> str:
        self.make_room(1)
        return str(self._post("/detokenize", {"tokens": list(tokens)})["content"])

    # Computing

    def write(
        self, slot: int, prompt: Sequence[int], limit: int, stops: Sequence[str], take: Callable[[int], bool]
    ) -> bool:
        """Pass on the likeliest tokens after a prompt, until `take` wants no more, the model ends its turn, or there are `limit`.

        Args:
            stops: texts after which `take` will want no more.

        Returns whether the model ended its turn.
        """
        row, cached = list(prompt), False
        while limit > 0 and not self._stop.is_set():
            # Streamed, a token that is a part of a character would get lost.
            how = {"return_tokens": True, "stop": list(stops)}
            told = self._complete(slot, row, min(limit, AT_A_TIME), cached, **how)
            for token in told["tokens"]:
                if not take(int(token)):
                    return False
            if told["stop_type"] == "eos":
                return True
            if not told["tokens"]:
                raise EngineError(f"{self.name}: llama.cpp wrote nothing")
            row, limit, cached = row + told["tokens"], limit - len(told["tokens"]), True
        return False

    def likelihood(
        self, slot: int, context: Sequence[int], continuation: Sequence[int], again: bool
    ) -> Likelihood:
        """The log-probability of a continuation after a context.

        The model is made to write it, which tells how likely each token would have been.

        Args:
            again: whether the slot was just asked for another continuation of this context, which is not read again.
        """
        found: list[Likelihood] = []
        for run in self._runs(continuation):
            if self._stop.is_set():
                break
            before = [*context, *continuation[: len(found)]]
            told = self._run(slot, before, run, again or bool(found)) if len(run) > 1 else None
            for place, token in enumerate(run if told is None else ()):
                found.append(self._one(slot, [*before, *run[:place]], token, again or bool(found)))
            found += told or ()
        return sum(value for value, _ in found), all(likeliest for _, likeliest in found)

    def _runs(self, tokens: Sequence[int]) -> Iterator[list[int]]:
        """The tokens in runs that a grammar can tell, and the others one by one."""
        for alone, run in groupby(tokens, lambda token: token in self.control or self._is_part(token)):
            listed, size = list(run), 1 if alone else AT_A_TIME
            yield from (listed[begin : begin + size] for begin in range(0, len(listed), size))

    def _is_part(self, token: int) -> bool:
        """Whether a token is a part of a character."""
        return UNREADABLE in self.text([token])

    def _run(self, slot: int, before: list[int], run: list[int], cached: bool) -> list[Likelihood] | None:
        """Each token of a run, made to be written by a grammar; None if it was not."""
        grammar = "root ::= " + " ".join(f"<[{token}]>" for token in run)
        try:
            told = self._told(slot, before, len(run), cached, grammar=grammar)
        except RefusedError:
            return None
        return list(map(self._likelihood, told)) if [token["id"] for token in told] == run else None

    def _one(self, slot: int, before: list[int], token: int, cached: bool) -> Likelihood:
        """A single token, made to be written, or, if the server cannot tell of it then, looked up beside another."""
        if not self._is_part(token):
            told = self._told(slot, before, 1, cached, logit_bias=[[token, SURE]])
            if [written["id"] for written in told] == [token]:
                return self._likelihood(told[0])
        for many in (FEW, self.size):
            (written,) = self._told(slot, before, 1, cached, logit_bias=[[self.plain, SURE]], n_probs=many)
            likeliest = written["top_logprobs"]
            if (found := next((likely for likely in likeliest if likely["id"] == token), None)) is not None:
                return self._likelihood({**found, "top_logprobs": likeliest})
            cached = True
        raise EngineError(f"{self.name}: llama.cpp did not tell the probability of the token {token}")

    def _told(self, slot: int, prompt: list[int], limit: int, cached: bool, **how: Any) -> list[Any]:
        """What the server tells of each token that it is made to write."""
        told = self._complete(slot, prompt, limit, cached, **{"n_probs": 1, **how})
        found: list[Any] = told.get("completion_probabilities") or []
        return found

    def _complete(self, slot: int, prompt: list[int], limit: int, cached: bool, **how: Any) -> dict[str, Any]:
        body = {
            **GREEDY,
            "prompt": prompt,
            "n_predict": limit,
            "id_slot": slot,
            "cache_prompt": cached,
            **how,
        }
        told = self._post("/completion", body)
        with self._counting:
            self.reading += told["timings"]["prompt_ms"] / 1000
            self.writing += told["timings"]["predicted_ms"] / 1000
        return told

    def _likelihood(self, told: dict[str, Any]) -> Likelihood:
        value = told["logprob"]
        if not isinstance(value, float | int) or not math.isfinite(value):
            raise EngineError(f"{self.name}: its logits are no numbers, or infinite")
        return max(float(value), LEAST), told["top_logprobs"][0]["id"] == told["id"]

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        assert self._serving is not None, "make_room comes first"
        return self._serving.post(path, body)
