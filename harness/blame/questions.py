"""Both models' answers in, the probes to ask again out: some that were lost, and some that were kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.blame.search import Outcome, Strata
from harness.engine.requests import Engine
from harness.errors import HarnessError
from harness.evaluation.ask import ask
from harness.evaluation.suite_run import SuiteRun
from harness.evaluation.word_order import WordOrder
from harness.spelling import option
from harness.stats.sampling import stratified
from harness.suites.suite import Probe

SEED = 0
"""Of everything that is drawn."""

LOST = 2 / 3
"""The share of the probes asked again that were lost, if so many were; the others were kept."""


LEAST = 2
"""The probes that a changed model is asked at least: a lost and a kept one."""


@dataclass(frozen=True)
class Question:
    """A probe of a suite."""

    suite: str
    probe: Probe

    @property
    def cluster(self) -> str | None:
        """The name of its cluster among those of all suites; None if it is on its own."""
        return f"{self.suite}: {self.probe.cluster}" if self.probe.cluster else None


@dataclass(frozen=True)
class Questions:
    """The probes that every changed model is asked, and of how many they are a sample."""

    runs: Mapping[str, SuiteRun]
    lost: tuple[Question, ...]
    kept: tuple[Question, ...]
    strata: Strata

    def outcome(self, engine: Engine, baseline: Engine, allow_code: bool) -> Outcome:
        """What a changed model has right; raises as `evaluation.ask`."""
        right: dict[tuple[str, str], bool] = {}
        for name, run in self.runs.items():
            ids = {each.probe.id for each in (*self.lost, *self.kept) if each.suite == name}
            probes = [probe for probe in run.suite.probes if probe.id in ids]
            if not probes:
                continue
            answered = ask(
                engine,
                run.suite,
                probes,
                baseline=run.answers["baseline"],
                word_order=WordOrder(baseline),
                allow_code=allow_code,
            )
            right |= {(name, id): score.right for id, score in answered.scores.items()}
        lost, kept = (
            tuple(right[each.suite, each.probe.id] for each in side) for side in (self.lost, self.kept)
        )
        return Outcome(lost, kept)

    @property
    def known(self) -> Outcome:
        """The outcome of the tuned model itself, which was asked already."""
        return Outcome((False,) * len(self.lost), (True,) * len(self.kept))


def check_again(most: int) -> None:
    """Refuse a number of probes by which parts cannot be judged; raises HarnessError."""
    if most < LEAST:
        raise HarnessError(
            f"{option('again', str(most))}: a changed model must be asked a probe that was lost and one that was kept, which it "
            f"may break\n  ask {LEAST} or more"
        )


def questions_of(runs: Mapping[str, SuiteRun], most: int) -> Questions:
    """At most `most` probes that the baseline has right, seeded and spread over suites and categories; see `check_again`."""
    pairs = [(name, pair) for name, run in runs.items() for pair in run.pairs(run.asked_of_both)]
    lost, kept = (
        [Question(name, pair.probe) for name, pair in pairs if pair.change == change]
        for change in ("lost", "kept")
    )
    first = _drawn(lost, max(1, round(LOST * most)))
    second = _drawn(kept, most - max(len(first), round(LOST * most)))
    clusters = [each.cluster for each in first], [each.cluster for each in second]
    return Questions(runs, first, second, Strata(len(lost), len(kept), clusters))


def _drawn(questions: Sequence[Question], n: int) -> tuple[Question, ...]:
    return tuple(stratified(questions, lambda each: (each.suite, each.probe.category), n, SEED))
