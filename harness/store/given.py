"""Engines that users' code gives in, the same out, with the answers that a store keeps of those that tell which model they ask."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from typing import Any

from harness.digest import digest
from harness.engine.abilities import NAMES, Done, Sourced, Streams, Tells
from harness.engine.answers import as_answer, as_data
from harness.engine.checked import checked
from harness.engine.functions import FunctionEngine
from harness.engine.place import place_of
from harness.engine.registry import take_after
from harness.engine.requests import Answer, ChoiceLogProbs, Engine, LogLikelihood, Request, check_answers
from harness.errors import EngineError
from harness.spelling import option
from harness.store.content import given_content
from harness.store.engine import StoredEngine
from harness.store.shelf import Shelf, Store

AT_ONCE = 256
"""The most requests that an engine is asked before their answers are kept, unless it tells its answers as they come."""

SHARED = (
    "peft puts an adapter into the base that it is given: load the base anew for the baseline, or save the adapter and name "
    "its folder"
)
"""What to do about two models in memory that are one."""


def kept(engine: Engine, store: Store | None) -> Engine:
    """The engine with the answers that a store keeps; the engine itself without a store or an identity.

    Raises:
        EngineError: its identity is no text.
    """
    identity = identity_of(engine)
    if store is None or identity is None or isinstance(engine, StoredEngine):
        return engine
    stored = GivenEngine(engine, store.shelf(engine.label, given_content(identity)))
    take_after(stored, engine)
    return stored


def identity_of(engine: Engine) -> str | None:
    """The identity of an engine; None if it tells none. Raises EngineError if that is no text."""
    identity = getattr(engine, "identity", None)
    if not isinstance(identity, str | None):
        raise EngineError(
            f"{engine.label}: its identity must be text, or None, saw {type(identity).__name__}"
        )
    return identity or None


def digits_of(engine: Engine) -> str | None:
    """What an engine's `digits` say: equal only for models that answer some prompts alike; None if it tells none."""
    # Python 3.11 would work them out for `isinstance` of a Protocol too.
    digits: str | None = getattr(engine, "digits", None)
    return digits


def sources_of(engine: Engine) -> frozenset[str]:
    """Where the model of an engine comes from; empty if it does not tell."""
    return engine.sources if isinstance(engine, Sourced) else frozenset()


def check_apart(baseline: Engine, tuned: Engine) -> None:
    """Refuse two engines that tell that they ask the same model.

    Raises:
        EngineError: they do, or their digits or the sources of their models are the same.
    """
    if baseline is tuned:
        return
    if (identity := identity_of(tuned)) and identity == identity_of(baseline):
        raise EngineError(
            f"{tuned.label}: its identity '{identity}' is that of the baseline, {baseline.label}, so nothing was tuned\n"
            f"  an identity names a model and its version; on purpose: {option('baseline', 'same')}, or one engine for both"
        )
    if shared := sources_of(tuned) & sources_of(baseline):
        raise EngineError(
            f"{tuned.label}: is the model of the baseline, {baseline.label}, by another name: both are {min(shared)}, so nothing "
            "was tuned\n"
            f"  see whether the server has the tuned model; on purpose: {option('baseline', 'same')}"
        )
    if (digits := digits_of(tuned)) and digits == digits_of(baseline):
        in_memory = getattr(tuned, "backend", None) == "transformers"
        raise EngineError(
            f"{tuned.label}: gives the same log-probabilities as the baseline, {baseline.label}, so nothing was tuned\n"
            f"  {SHARED if in_memory else 'see whether the adapter is loaded'}; on purpose: {option('baseline', 'same')}"
        )


class GivenEngine(StoredEngine):
    """A stored engine with all that the given one can tell, and with answers that are checked before they are kept."""

    def __init__(self, given: Engine, shelf: Shelf) -> None:
        super().__init__(lambda: given, shelf, given.label, given.kinds)
        self.device: str = place_of(given)
        for name in NAMES:
            if hasattr(given, name):
                setattr(self, name, getattr(given, name))
        self._own_budget = getattr(self, "budget", None)
        self._time = 0

    def anew(self, time: int) -> Engine:
        """The same, asked once more; those answers are kept apart."""
        other = copy(self)
        other._time = time
        take_after(other, self.opened())
        return other

    def keys(self, requests: Sequence[Request]) -> dict[Request, str]:
        """The key of each request; it tells how often the model was asked, and the batches if these were chosen."""
        keys = super().keys(requests)
        how: dict[str, Any] = {"time": self._time} if self._time else {}
        if self._other_batches:
            how["tokens"] = self.budget.tokens  # type: ignore[attr-defined]
        return {request: digest(key, how) for request, key in keys.items()} if how else keys

    def told(self) -> list[str]:
        """What happened while the given engine answered."""
        given = self.opened()
        return given.told() if isinstance(given, Tells) else []

    def ask_itself(self, requests: Sequence[Request], done: Done) -> None:
        """Ask the given engine; raises EngineError for answers that are not one to each request."""
        engine, left = self.engine(), set(requests)

        def came(answers: Mapping[Request, Answer], underway: int = 0) -> None:
            if answers.keys() - left:
                raise EngineError(f"{self.label}: gave answers to what it was not asked")
            left.difference_update(answers)
            done(answers, underway)

        if isinstance(engine, Streams):
            engine.stream(requests, came)
        else:
            for some in _parts(requests, 1 if isinstance(engine, FunctionEngine) else AT_ONCE):
                answers = engine.ask(some, lambda count, total: came({}, count))
                check_answers(self.label, answers, some)
                came(dict(zip(some, answers, strict=True)))
        if left:
            raise EngineError(
                f"{self.label}: gave {len(requests) - len(left)} answers to {len(requests)} requests"
            )

    def lasting(self, answers: Mapping[Request, Answer]) -> Iterator[Request]:
        """The requests with an answer that proves something, and can be read back as it is; others are asked again."""
        return (request for request, answer in answers.items() if _sound(request, answer) and _lasts(answer))


def _parts(requests: Sequence[Request], size: int) -> Iterator[Sequence[Request]]:
    return (requests[begin : begin + size] for begin in range(0, len(requests), size))


def _sound(request: Request, answer: Answer) -> bool:
    """Whether an answer is one to its request, with finite numbers."""
    try:
        checked("", [answer], [request])
    except EngineError:
        return False
    match answer:
        case ChoiceLogProbs(logprobs=logprobs):
            return all(map(math.isfinite, logprobs))
        case LogLikelihood(logprob=logprob, tokens=tokens):
            return tokens > 0 and math.isfinite(logprob) and logprob < 0
    return True


def _lasts(answer: Answer) -> bool:
    try:
        return as_answer(json.loads(json.dumps(as_data(answer)))) == answer
    except (TypeError, ValueError, AttributeError):  # of values that a user's code gave for text or numbers
        return False
