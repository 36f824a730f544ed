"""Requests in, Answers out, from a model in a GGUF file that llama.cpp runs in this process."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path
from weakref import WeakValueDictionary

from harness.engine.abilities import Done
from harness.engine.gguf.files import Files, find_files
from harness.engine.gguf.tokenizer import GgufTokenizer
from harness.engine.pace import Pace, RunsOn
from harness.engine.requests import Generate, Likelihood, Request, Scored, answer_from
from harness.engine.settings import Settings
from harness.engine.transformers.marking import marks_of, template_of
from harness.engine.transformers.prompted import Prompted
from harness.engine.transformers.prompting import Pair, Prompting
from harness.engine.transformers.shown import check_lengths, check_shown
from harness.engine.transformers.tokenizing import bounded
from harness.engine.transformers.writing import Writing
from harness.errors import EngineError
from harness.models.digests import changed_since
from harness.models.reference import Endpoint
from harness.spelling import option
from harness.suites.format import AnswerKind
from harness.versions import installed_version, needs_extra

with needs_extra("gguf", "a GGUF file"):
    from harness.engine.gguf.llama import Llama
    from harness.engine.gguf.running import device_of, running

SPARE = 2
"""Tokens of the context that llama.cpp's server leaves free."""

_LOADED: WeakValueDictionary[object, Llama] = WeakValueDictionary()
"""Models by the digests of their files and how they are run: engines of the same file share one."""


def open_file(endpoint: Endpoint, settings: Settings) -> GgufEngine:
    """The engine of the file that a reference names.

    Raises:
        ModelError: it cannot be used, or not on this device.
    """
    return GgufEngine(find_files(endpoint.name, Path(endpoint.rest)), settings)


class GgufEngine(Prompted):
    """A model in a GGUF file, which is loaded for the first request.

    Its chat template is the file's own, rendered as that of any model; llama.cpp makes the tokens.
    """

    kinds: frozenset[AnswerKind] = frozenset({"generate", "choose", "likelihood"})
    backend = "llama.cpp"

    def __init__(self, files: Files, settings: Settings) -> None:
        how = running(settings)
        digests = files.digests
        self.label = files.name
        self.context = files.metadata.context and files.metadata.context - SPARE
        self.tokenizer = GgufTokenizer(files.metadata, lambda: self.llama)
        vocabulary = (len(self.tokenizer.pieces), self.tokenizer.all_special_ids, self.tokenizer.plain)

        def check() -> None:
            if files.digests != digests:
                raise EngineError(changed_since(files.name))

        loaded = Llama(self.label, files.paths[0], how, *vocabulary, check)
        self.llama = _LOADED.setdefault((digests, how), loaded)
        self._told: int | None = None
        self.pace = Pace()
        self.runs_on = RunsOn(
            self.label, files.parameters, device_of(how), files.metadata.quantisation, self.backend
        )
        kind = self.runs_on.device.partition(",")[0]  # not how many threads a CPU runs
        split = "" if how.layers in (0, -1) else f" for {how.layers} layers"
        self.identity = f"xllamacpp {installed_version('xllamacpp')}, {kind}{split}, {how.at_once} at once, {' '.join(digests)}"

    @cached_property
    def prompting(self) -> Prompting:  # type: ignore[override]  # made when it is first needed
        """What the model reads for a request."""
        return Prompting(self.tokenizer, self.label, self.tokenizer.end_tokens, self.context)

    @cached_property
    def template_names(self) -> frozenset[str] | None:
        """The variables that the chat template reads, arguments among them; None without a template."""
        with bounded(self.label):
            return template_of(self.tokenizer).names if self.tokenizer.chat_template else None

    @cached_property
    def marks_reasoning(self) -> bool:
        """Whether the chat template or the vocabulary marks reasoning before an answer."""
        with bounded(self.label):
            return bool(marks_of(self.tokenizer, template_of(self.tokenizer)))

    def stream(self, requests: Sequence[Request], done: Done) -> None:
        """Answer distinct requests, and pass the answers on as they come.

        Raises:
            ModelError: llama.cpp cannot load the file.
            EngineError: a prompt does not fit the model, or its logits are no numbers.
        """
        check_shown(self.prompting, requests, len(self.tokenizer.pieces))
        self._write([request for request in requests if isinstance(request, Generate)], done)
        self._score([request for request in requests if not isinstance(request, Generate)], done)

    # Writing

    def _write(self, requests: Sequence[Generate], done: Done) -> None:
        prompts = [self.prompting.tokens(request) for request in requests]
        limits = [
            self.prompting.limits(request, len(tokens), self.context)
            for request, tokens in zip(requests, prompts, strict=True)
        ]
        answers = list(map(self.prompting.writing, requests, limits))
        self._make_room(
            requests, [len(tokens) + limit.whole for tokens, limit in zip(prompts, limits, strict=True)]
        )
        self.pace.count(requests, prompts)
        jobs = [partial(self._written, *given) for given in zip(requests, answers, prompts, strict=True)]
        before, began = (self.llama.reading, self.llama.writing), time.monotonic()
        for index, _ in self.llama.each(jobs):
            done({requests[index]: answers[index].generated()}, 0)
        spent = [
            now - then for now, then in zip((self.llama.reading, self.llama.writing), before, strict=True)
        ]
        share = spent[1] / sum(spent) if sum(spent) else 0.0
        seconds = time.monotonic() - began
        self.pace.writing += share * seconds
        self.pace.reading += (1 - share) * seconds
        self.pace.written += sum(len(answer.tokens) for answer in answers)

    def _written(self, request: Generate, answer: Writing, prompt: list[int], slot: int) -> None:
        # Inside reasoning, a stop text does not end an answer.
        stops = () if self.prompting.marks else request.stop
        if (
            self.llama.write(slot, prompt, answer.limits.whole, stops, answer.take)
            and answer.ended == "limit"
        ):
            # by a token that llama.cpp takes for the end, and that the file does not name
            answer.tokens.pop()
            answer.ended = "turn"

    # Scoring

    def _score(self, requests: Sequence[Scored], done: Done) -> None:
        """Log-likelihoods of all continuations."""
        pairs = [self.prompting.pairs(request) for request in requests]
        rows = [[*context, *continuation] for own in pairs for context, continuation in own]
        owners = [request for request, own in zip(requests, pairs, strict=True) for _ in own]
        self._make_room(owners, list(map(len, rows)))
        self.pace.count(requests, rows)
        with self.pace.while_reading():
            for index, found in self.llama.each([partial(self._scored, own) for own in pairs]):
                tokens = sum(len(rest) for _, rest in pairs[index])
                answer = answer_from(requests[index], found, tokens, len(self.tokenizer.pieces))
                done({requests[index]: answer}, 0)

    def _scored(self, pairs: Sequence[Pair], slot: int) -> list[Likelihood]:
        found = []
        before: list[int] | None = None
        for context, continuation in pairs:
            found.append(self.llama.likelihood(slot, context, continuation, again=context == before))
            before = context
        return found

    # Both

    def _make_room(self, requests: Sequence[Request], lengths: Sequence[int]) -> None:
        """Raises EngineError where a row is longer than the model's context."""
        check_lengths(self.prompting, requests, lengths)
        self.llama.make_room(max(lengths, default=1) + SPARE)

    # What it tells

    def told(self) -> list[str]:
        """A note if fewer requests are computed at once than were asked for; again only with another number."""
        wanted, slots, length = self.llama.running.at_once, self.llama.slots, self.llama.length
        if slots in (0, wanted, self._told):
            return []
        self._told = slots
        return [
            f"{self.label}: computes {slots} at once, not {wanted} ({option('engine_args', f'n_parallel={wanted}')}), for each may take "
            f"{length:,} tokens; room for all: {option('batch_tokens', str(wanted * length))}"
        ]
