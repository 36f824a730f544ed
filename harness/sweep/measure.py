"""A run of a ladder in, its row out: what the baseline answers, what a tuned model answers, and keys for both."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Protocol

from harness.digest import digest
from harness.engine.requests import Engine
from harness.errors import shown_path
from harness.evaluation.ask import ask, judged
from harness.evaluation.prompts import unused_arguments
from harness.evaluation.session import PairSession
from harness.progress import counter
from harness.recipes.read import Recipe
from harness.reporting.record import AnswerRow, gate_row
from harness.spelling import on_command_line
from harness.sweep.record import AskedRow, SeedRow, SuiteRow, SweepRecord
from harness.sweep.schedule import AskedSuite, Schedule


@dataclass(frozen=True)
class Tuned:
    """A trained model, ready to be asked; `seconds` of training is None where nobody knows it."""

    engine: Engine
    seconds: float | None
    notes: tuple[str, ...] = ()


class Models(Protocol):
    """Where the models of a ladder come from; each is in memory only while its context is open.

    `identity` stands for the base's content and for how models are run: what every answer depends on.
    """

    identity: str
    weights: str
    device: str
    dtype: str
    versions: dict[str, str]

    def baseline(self) -> AbstractContextManager[Engine]: ...

    def tuned(self, recipe: Recipe) -> AbstractContextManager[Tuned]: ...


@dataclass(frozen=True)
class Trial:
    """A recipe under one seed; `key` stands for all that its answers depend on."""

    recipe: Recipe
    key: str

    @property
    def name(self) -> str:
        return f"{self.recipe.name}, seed {self.recipe.written.seed}"


def trials_of(recipe: Recipe, seeds: Sequence[int], plan: Schedule, models: Models) -> list[Trial]:
    """The recipe under each seed; its own where the user names none."""
    written = recipe.written
    seeded = [
        replace(recipe, written=written.model_copy(update={"seed": seed}))
        for seed in seeds or (written.seed,)
    ]
    return [Trial(one, _run_key(one, plan, models)) for one in seeded]


def _run_key(recipe: Recipe, plan: Schedule, models: Models) -> str:
    return digest(
        models.identity,
        recipe.content,
        plan.target.content,
        [[one.suite.name, one.content] for one in plan.general],
    )


def baseline_rows(
    suites: Sequence[AskedSuite], models: Models, kept: Mapping[str, SuiteRow], allow_code: bool
) -> list[SuiteRow]:
    """Each suite with the baseline's answers, which are asked for once, ever."""
    keys = [digest(models.identity, one.content) for one in suites]
    rows = {key: kept[key] for key in keys if key in kept}
    if any(key not in rows for key in keys):
        with models.baseline() as engine:
            for one, key in zip(suites, keys, strict=True):
                if key not in rows:
                    rows[key] = _baseline_row(one, key, engine, allow_code)
    return [rows[key].model_copy(update=_heading(one)) for one, key in zip(suites, keys, strict=True)]


def _baseline_row(one: AskedSuite, key: str, engine: Engine, allow_code: bool) -> SuiteRow:
    unused_arguments(one.suite, engine)
    progress = counter(f"{one.suite.name}, baseline")
    answered = ask(engine, one.suite, one.probes, progress=progress, allow_code=allow_code)
    probes = [
        AskedRow(
            id=probe.id,
            category=probe.category,
            fields=dict(probe.fields) if probe.text is None else {"text": probe.text},
            expected=list(probe.answers),
            baseline=AnswerRow.of(answered.scores[probe.id]),
        )
        for probe in one.probes
    ]
    return SuiteRow(key=key, probes=probes, **_heading(one))


def _heading(one: AskedSuite) -> dict[str, Any]:
    """Suite metadata that does not affect answers: name, path, description, size."""
    path = shown_path(one.suite.path) if one.suite.path else ""
    return {"name": one.suite.name, "path": path, "about": one.suite.about, "of": len(one.suite.probes)}


def measure(run: Trial, plan: Schedule, record: SweepRecord, models: Models, allow_code: bool) -> SeedRow:
    """Train the recipe, and ask the tuned model everything.

    Raises:
        HarnessError: it cannot be trained, or cannot answer.
    """
    suites = (plan.target, *plan.general)
    session = PairSession(allow_code=allow_code, progress=lambda suite, side: counter(f"{suite}, {run.name}"))
    for asked, row in zip(suites, (record.target, *record.suites), strict=True):
        session.need_probes(asked.suite, asked.probes)
        answers = {probe.id: probe.baseline.raw() for probe in row.probes}
        session.know("baseline", {
            asked.suite.name: judged(asked.suite, asked.probes, answers, allow_code=allow_code)
        })  # fmt: skip
    with models.tuned(run.recipe) as tuned:
        began = time.monotonic()
        session.ask("tuned", tuned.engine)
        rows = {
            asked.suite.name: [
                AnswerRow.of(session.suites[asked.suite.name].scores["tuned"][probe.id])
                for probe in asked.probes
            ]
            for asked in suites
        }
        return SeedRow(
            seed=run.recipe.written.seed,
            key=run.key,
            seconds_training=tuned.seconds,
            seconds_asking=round(time.monotonic() - began, 1),
            target=rows.pop(plan.target.suite.name),
            suites=rows,
            gates=[gate_row(session.decide(case)) for asked in plan.general for case in asked.cases],
            notes=[on_command_line(note) for note in tuned.notes],
        )
