"""A schedule and its models in, the answers before any task and after each out: rows of a matrix, and gates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from harness.engine.requests import EnginePair
from harness.evaluation.ask import Answered
from harness.evaluation.session import PairSession
from harness.evaluation.suite_runs import Cuts
from harness.gate.cases import with_overall
from harness.gate.decide import Decision
from harness.progress import counter
from harness.recipes.read import Recipe
from harness.sequence.schedule import Schedule


class Models(Protocol):
    """The source of a sequence's models, each trained from the last; one pair is in memory while its context is open."""

    def train(self, recipe: Recipe) -> float | None:
        """Train the recipe on the last model; the seconds of training, None if unknown."""
        ...

    def pair(self) -> AbstractContextManager[EnginePair]:
        """The base and the last model; before any training, the base as both."""
        ...


@dataclass(frozen=True)
class Step:
    """A model's answers to all suites, by name, and how the gates of the general ones were decided against the base.

    `recipe` is the one that was trained last; None before any. `notes` are those of all steps so far.
    """

    recipe: Recipe | None
    answered: Mapping[str, Answered]
    decisions: tuple[Decision, ...] = ()
    seconds: float | None = None
    device: str | None = None
    dtype: str | None = None
    notes: tuple[str, ...] = ()


def steps(schedule: Schedule, models: Models, allow_code: bool) -> Iterator[Step]:
    """The base, and the model after each recipe in order; raises what training and asking raise."""
    before = _base(schedule, models, allow_code)
    yield before
    told, notes, cuts = before.notes, list[str](), Cuts()
    for recipe in schedule.recipes:
        seconds = models.train(recipe)
        session = _session(schedule, allow_code, f"after {recipe.name}", notes, cuts)
        session.know("baseline", before.answered)
        with models.pair() as pair:
            session.ask("tuned", pair.tuned, baseline=pair.baseline)
            cases = [case for asked in schedule.general for case in asked.cases]
            decided = session.decide(with_overall(cases, session.policy.max_drop_overall)) if cases else []
            answered = {name: run.answered("tuned") for name, run in session.suites.items()}
            told = (*told, *pair.notes)
            yield Step(
                recipe,
                answered,
                tuple(decided),
                seconds,
                pair.device,
                pair.dtype,
                (*told, *notes),
            )


def _base(schedule: Schedule, models: Models, allow_code: bool) -> Step:
    session = _session(schedule, allow_code, "before any", [], {})
    with models.pair() as pair:
        session.ask("baseline", pair.baseline)
        session.ask_ahead(pair.baseline)  # for the probes that a later model may lose singly
        answered = {name: run.answered("baseline") for name, run in session.suites.items()}
        return Step(None, answered, device=pair.device, dtype=pair.dtype, notes=tuple(pair.notes))


def _session(schedule: Schedule, allow_code: bool, who: str, notes: list[str], cuts: Cuts) -> PairSession:
    session = PairSession(
        allow_code=allow_code,
        progress=lambda suite, side: counter(f"{suite}, {who}"),
        notes=notes,
        cuts=cuts,
    )
    for asked in (*schedule.tasks, *schedule.general):
        session.need_probes(asked.suite, asked.probes)
    for asked in schedule.general:
        session.need(asked.cases)
    return session
