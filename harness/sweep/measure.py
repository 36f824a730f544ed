"""A trial of a sweep in, its row out: the answers of the baseline and of a tuned model, and keys for both."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Protocol

from harness.digest import digest
from harness.engine.requests import Engine
from harness.errors import shown_path
from harness.evaluation.ask import ask, judged
from harness.evaluation.prompts import unused_arguments
from harness.evaluation.session import PairSession
from harness.evaluation.word_order import WordOrder
from harness.gate.cases import with_overall
from harness.gate.compare import Pair
from harness.gate.evidence import Cut, cut, noted_cuts
from harness.progress import counter
from harness.recipes.read import Recipe
from harness.reporting.record import gate_row
from harness.reporting.rows import AnswerRow
from harness.spelling import on_command_line
from harness.sweep.record import AskedRow, SeedRow, SuiteRow, SweepRecord
from harness.sweep.schedule import AskedSuite, Schedule


@dataclass(frozen=True)
class Tuned:
    """A trained model, ready to be asked; `seconds` of training is None if unknown.

    `baseline` is in memory beside it: it measures word order where a score asks for that, and is asked again what gates over
    `each` probe find lost. Without it nothing is asked again.
    """

    engine: Engine
    seconds: float | None
    notes: tuple[str, ...] = ()
    baseline: Engine | None = None


class Models(Protocol):
    """The source of a sweep's models; each is in memory only while its context is open.

    `identity` covers the base's content and how models are run, on which every answer depends.
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
    """A recipe under one seed; `key` is that of everything that its answers depend on."""

    recipe: Recipe
    key: str

    @property
    def name(self) -> str:
        return f"{self.recipe.name}, seed {self.recipe.written.seed}"


def trials_of(recipe: Recipe, seeds: Sequence[int], schedule: Schedule, models: Models) -> list[Trial]:
    """The recipe under each seed; its own where the user names none."""
    seeded = [
        replace(recipe, written=recipe.written.model_copy(update={"seed": seed}))
        for seed in seeds or (recipe.written.seed,)
    ]
    target, general = schedule.target.content, [[each.suite.name, each.content] for each in schedule.general]
    return [Trial(each, digest(models.identity, each.content, target, general)) for each in seeded]


def baseline_rows(
    suites: Sequence[AskedSuite], models: Models, kept: Mapping[str, SuiteRow], allow_code: bool
) -> list[SuiteRow]:
    """Each suite with the baseline's answers; those in `kept`, by key, are not asked for again."""
    keys = [digest(models.identity, asked.content) for asked in suites]
    rows = {key: kept[key] for key in keys if key in kept}
    if missing := [(key, asked) for key, asked in zip(keys, suites, strict=True) if key not in rows]:
        with models.baseline() as engine:
            rows |= {key: _baseline_row(asked, key, engine, allow_code) for key, asked in missing}
    return [rows[key].model_copy(update=_heading(asked)) for key, asked in zip(keys, suites, strict=True)]


def _baseline_row(asked: AskedSuite, key: str, engine: Engine, allow_code: bool) -> SuiteRow:
    unused_arguments(asked.suite, engine)
    progress = counter(f"{asked.suite.name}, baseline")
    answered = ask(
        engine,
        asked.suite,
        asked.probes,
        progress=progress,
        word_order=WordOrder(engine),
        allow_code=allow_code,
    )
    probes = [
        AskedRow(
            id=probe.id,
            category=probe.category,
            cluster=probe.cluster,
            fields=dict(probe.fields) if probe.text is None else {"text": probe.text},
            expected=list(probe.answers),
            baseline=AnswerRow.of(answered.scores[probe.id]),
        )
        for probe in asked.probes
    ]
    return SuiteRow(key=key, probes=probes, **_heading(asked))


def _heading(asked: AskedSuite) -> dict[str, Any]:
    """Suite metadata that does not affect answers: name, path, description, size."""
    suite = asked.suite
    path = shown_path(suite.path) if suite.path else ""
    return {"name": suite.name, "path": path, "about": suite.about, "of": len(suite.probes)}


def measure(
    trial: Trial, schedule: Schedule, record: SweepRecord, models: Models, allow_code: bool
) -> SeedRow:
    """Train the recipe, and ask the tuned model everything.

    Raises:
        HarnessError: it cannot be trained, or cannot answer.
    """
    suites = (schedule.target, *schedule.general)
    session = PairSession(
        allow_code=allow_code, progress=lambda suite, side: counter(f"{suite}, {trial.name}")
    )
    for asked, row in zip(suites, (record.target, *record.suites), strict=True):
        session.need_probes(asked.suite, asked.probes)
        answers = {probe.id: probe.baseline.raw() for probe in row.probes}
        baseline = judged(asked.suite, asked.probes, answers, allow_code=allow_code)
        session.know("baseline", {asked.suite.name: baseline})
    cases = [case for asked in schedule.general for case in asked.cases]
    session.need(cases)
    with models.tuned(trial.recipe) as tuned:
        began = time.monotonic()
        _ask(session, tuned)
        rows = {
            asked.suite.name: [
                AnswerRow.of(session.suites[asked.suite.name].scores["tuned"][probe.id])
                for probe in asked.probes
            ]
            for asked in suites
        }
        return SeedRow(
            seed=trial.recipe.written.seed,
            key=trial.key,
            seconds_training=tuned.seconds,
            seconds_asking=round(time.monotonic() - began, 1),
            target=rows.pop(schedule.target.suite.name),
            suites=rows,
            gates=[
                gate_row(decision)
                for decision in session.decide(with_overall(cases, session.policy.max_drop_overall))
            ],
            notes=[on_command_line(note) for note in tuned.notes],
        )


def cut_notes(schedule: Schedule, record: SweepRecord) -> Iterator[str]:
    """A note on each suite of which many answers of the models so far were cut."""
    suites = zip((schedule.target, *schedule.general), (record.target, *record.suites), strict=True)
    for place, (asked, row) in enumerate(suites):
        cuts: dict[tuple[object, str], Cut] = {}
        for name, seed in ((recipe.name, seed) for recipe in record.rungs for seed in recipe.seeds):
            answers = seed.suites[row.name] if place else seed.target
            sides = zip(asked.probes, row.probes, answers, strict=True)
            pairs = [Pair(probe, before.baseline.scored(), after.scored()) for probe, before, after in sides]
            cuts[seed.seed, f"{name}, seed {seed.seed}"] = cut(pairs)
        if note := noted_cuts(asked.suite, cuts):
            yield note


def _ask(session: PairSession, tuned: Tuned) -> None:
    """Ask the tuned model everything, and both models again what single probes lost; raises as `evaluation.ask`."""
    session.ask("tuned", tuned.engine, baseline=tuned.baseline)
    if tuned.baseline is not None and any(run.lost_singly for run in session.suites.values()):
        session.ask_ahead(tuned.baseline)
        session.ask("tuned", tuned.engine, baseline=tuned.baseline)
