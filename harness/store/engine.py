"""An Engine around an Engine: it answers from the store what the store knows, and keeps what the model answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from typing import Any

from harness.digest import digest
from harness.engine.abilities import Done, Streams
from harness.engine.answers import as_answer, as_data, request_key
from harness.engine.batching import SHAPES, Budget
from harness.engine.pace import Pace, RunsOn
from harness.engine.requests import Answer, Engine, Progress, Prompt, Request
from harness.store.shelf import Shelf
from harness.suites.format import AnswerKind


class StoredEngine:
    """Answers as the engine that `opened` gives, which is opened for the first request that the store does not know.

    Args:
        opened: gives the engine itself, which is made once.
        shelf: where the answers of this model are kept.
    """

    def __init__(
        self, opened: Callable[[], Engine], shelf: Shelf, label: str, kinds: frozenset[AnswerKind]
    ) -> None:
        self.opened = opened
        self.shelf = shelf
        self.label = label
        self.kinds = kinds
        self._own_budget: Any = None

    def ask(self, requests: Sequence[Request], progress: Progress | None = None) -> list[Answer]:
        """Answer each request, in order; raises what the engine itself raises."""
        keys = self.keys(list(dict.fromkeys(requests)))
        kept = self.shelf.answers(list(keys.values()))
        known = {request: as_answer(kept[key]) for request, key in keys.items() if key in kept}

        def done(answers: Mapping[Request, Answer], underway: int = 0) -> None:
            if answers:
                self.shelf.keep(
                    {keys[request]: as_data(answers[request]) for request in self.lasting(answers)}
                )
                known.update(answers)
            if progress and keys:
                progress(len(known) + underway, len(keys))

        done({})
        if missing := [request for request in keys if request not in known]:
            self.ask_itself(missing, done)
        return [known[request] for request in requests]

    def ask_itself(self, requests: Sequence[Request], done: Done) -> None:
        """Ask the engine itself distinct requests; `done` takes the answers as they come, or all at once if it cannot."""
        engine = self.engine()
        if isinstance(engine, Streams):
            engine.stream(requests, done)
        else:
            done(dict(zip(requests, engine.ask(requests), strict=True)), 0)

    def render(self, prompt: Prompt) -> str:
        """The exact text that the model reads for a prompt."""
        return self.engine().render(prompt)

    def engine(self) -> Engine:
        """The engine itself, with the batches of this one."""
        engine = self._model()
        if self._other_batches:
            engine = copy(engine)
            engine.budget = self.budget  # type: ignore[attr-defined]
        return engine

    def _model(self) -> Engine:
        return self.opened()

    @property
    def _other_batches(self) -> bool:
        """Whether this engine was given batches other than the engine itself has."""
        return getattr(self, "budget", None) is not self._own_budget

    def keys(self, requests: Sequence[Request]) -> dict[Request, str]:
        """The key of each request; equal keys of a model have equal answers."""
        return {request: request_key(request) for request in requests}

    def lasting(self, answers: Mapping[Request, Answer]) -> Iterable[Request]:
        """The requests whose answers are kept."""
        return answers


class StoredLocalEngine(StoredEngine):
    """The same for a model on this disk, which need not be loaded to tell what it said of itself before.

    Args:
        facts: `label`, `kinds`, `budget` (in tokens), `template_names`, `marks_reasoning` and `runs_on` of the engine itself.
        exact: whether what else is in a batch changes an answer by no more than the last digits of a log-probability.
        text: equal for two models that read the same prompts the same way.
    """

    def __init__(
        self, opened: Callable[[], Any], shelf: Shelf, facts: Mapping[str, Any], exact: bool, text: str
    ) -> None:
        super().__init__(opened, shelf, str(facts["label"]), frozenset(facts["kinds"]))
        names = facts["template_names"]
        self.template_names = None if names is None else frozenset(names)
        self.marks_reasoning = bool(facts["marks_reasoning"])
        self.budget = self._own_budget = Budget(int(facts["budget"]))
        self.text_identity = text
        self.runs_on = RunsOn(**facts["runs_on"])
        self.backend = self.runs_on.engine
        self.pace = Pace()
        self._exact = exact

    def edited(self, opened: Callable[[], Any], label: str, edit: Any) -> StoredLocalEngine:
        """The engine of this model with a change in memory; its answers are kept apart.

        Args:
            opened: gives the engine of the changed model.
            edit: what was changed, as JSON data.
        """
        other = copy(self)
        other.opened, other.label, other.pace = opened, label, Pace()
        other.shelf = self.shelf.store.shelf(label, {**self.shelf.content, "edit": edit})
        return other

    def _model(self) -> Any:
        engine: Any = self.opened()
        self.pace = engine.pace
        return engine

    def keys(self, requests: Sequence[Request]) -> dict[Request, str]:
        """The key of each request; it tells the batches where these were chosen, or matter."""
        keys = super().keys(requests)
        batches: dict[str, Any] = {}
        if self._other_batches or not self._exact:
            batches["tokens"] = self.budget.tokens
        if not self._exact:
            batches["together"] = sorted(keys.values())
            batches["shapes"] = SHAPES
        if not batches:
            return keys
        whole = digest(batches)
        return {request: digest(key, whole) for request, key in keys.items()}

    def remember(self, key: Sequence[Any], find: Callable[[], Any]) -> Any:
        """What was found under a key of JSON data before, or what `find` finds now; neither is None."""
        store = self.shelf.store
        if (fact := store.fact(*key)) is None:
            fact = find()
            store.keep_fact(fact, *key)
        return fact

    def request_tokens(self, request: Request) -> list[list[int]]:
        """All tokens that the model reads for a request, one row for each continuation."""
        return self._model().request_tokens(request)  # type: ignore[no-any-return]

    def request_pieces(self, request: Request) -> list[str]:
        """The same as the tokenizer spells its tokens."""
        return self._model().request_pieces(request)  # type: ignore[no-any-return]

    def tokens(self, prompt: Prompt, choosing: bool = False) -> list[int]:
        """The tokens that the model reads for a prompt, up to where it answers."""
        return self._model().tokens(prompt, choosing)  # type: ignore[no-any-return]

    def reading(self, prompt: Prompt, choosing: bool = False) -> str:
        """The same as text, special tokens included."""
        return str(self._model().reading(prompt, choosing))
