"""Cases and both engines in, Decisions out; each model is asked each probe once, a suite at a time.

pytest's plugin, the training callback, the sweep and the Python API all decide here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from harness.engine.prompts import under
from harness.engine.requests import Answer, Engine, Progress, Side
from harness.engine.settings import Settings
from harness.evaluation.ask import Answered, ask
from harness.evaluation.prompts import marks_reasoning, prompt_difference, unused_arguments
from harness.gate.cases import Case
from harness.gate.compare import Pair, pair
from harness.gate.evidence import cut, nothing_known
from harness.gate.verdict import Decision, Policy, decide
from harness.scoring.score import Score
from harness.spelling import option
from harness.suites.suite import Probe, Suite


@dataclass
class SuiteRun:
    """One suite in a run: the ids of the probes that cases need, and both models' answers."""

    suite: Suite
    needed: set[str] = field(default_factory=set)
    compared: set[str] = field(default_factory=set)
    """Those of `needed` that the baseline is asked too."""
    answers: dict[Side, dict[str, Answer]] = field(default_factory=lambda: {"baseline": {}, "tuned": {}})
    scores: dict[Side, dict[str, Score]] = field(default_factory=lambda: {"baseline": {}, "tuned": {}})
    seconds: float = 0.0
    """Spent asking both models."""
    prompts_compared: bool = False

    def need(self, probes: Iterable[Probe], compared: bool) -> None:
        """Add probes for the tuned model, and for the baseline too if they are `compared`."""
        ids = {probe.id for probe in probes}
        self.needed |= ids
        if compared:
            self.compared |= ids

    def missing(self, side: Side) -> list[Probe]:
        """The probes that a model has not been asked yet, in the order of the suite."""
        wanted = self.compared if side == "baseline" else self.needed
        return [
            probe for probe in self.suite.probes if probe.id in wanted and probe.id not in self.scores[side]
        ]

    def has(self, side: Side, probes: Iterable[Probe]) -> bool:
        """Whether a model answered these probes."""
        return all(probe.id in self.scores[side] for probe in probes)

    def know(self, side: Side, answered: Answered) -> None:
        """Add answers of a model."""
        self.answers[side].update(answered.answers)
        self.scores[side].update(answered.scores)
        vars(self).pop("nothing_known", None)  # it depends on all answers

    def pairs(self, probes: Iterable[Probe], compared: bool = True) -> list[Pair]:
        """Both scores of each probe; raises NoEvidenceError if one was not asked."""
        return pair(list(probes), self.scores["baseline"] if compared else None, self.scores["tuned"])

    def answered(self, side: Side) -> Answered:
        """All answers of a model."""
        return Answered(self.answers[side], self.scores[side])

    @property
    def asked_of_both(self) -> list[Probe]:
        """The probes that both models answered."""
        return [
            probe for probe in self.suite.probes if all(probe.id in scores for scores in self.scores.values())
        ]

    @cached_property
    def nothing_known(self) -> str | None:
        """Why the baseline's answers do not show that it knows anything of the suite; None if they do."""
        return nothing_known(self.pairs(self.asked_of_both))


class PairSession:
    """Asks a baseline and a tuned model what cases need, and decides the cases.

    Args:
        settings: the run's, which override what suites say of chat templates and reasoning.
        progress: makes the callback for asking one side a suite.
        notes: collects notes for the user, each once.
    """

    def __init__(
        self,
        policy: Policy = Policy(),
        settings: Settings = Settings(),
        *,
        allow_code: bool = False,
        progress: Callable[[str, Side], Progress] | None = None,
        notes: list[str] | None = None,
    ) -> None:
        self.policy = policy
        self.settings = settings
        self.allow_code = allow_code
        self.progress = progress
        self.suites: dict[str, SuiteRun] = {}
        self.notes: list[str] = [] if notes is None else notes

    def need(self, cases: Iterable[Case]) -> None:
        """Announce the cases to decide, so that each suite is asked in one go."""
        for case in cases:
            self._run(case.suite).need(case.probes, compared=not case.tuned_alone)

    def need_probes(self, suite: Suite, probes: Iterable[Probe]) -> None:
        """Announce probes of a suite to ask both models, whether or not a case needs them."""
        self._run(suite).need(probes, compared=True)

    def know(self, side: Side, answered: Mapping[str, Answered]) -> None:
        """Add earlier answers of a model, by suite; it is not asked those probes again."""
        for name, answers in answered.items():
            self.suites[name].know(side, answers)

    def ask(self, side: Side, engine: Engine, suites: Iterable[str] | None = None) -> None:
        """Ask a model what cases need and it was not asked before, of these suites or of all; raises as `evaluation.ask`."""
        for name in suites or self.suites:
            self._ask(side, engine, self.suites[name])

    def ask_and_decide(self, case: Case, baseline: Engine | None, tuned: Engine) -> Decision:
        """Ask what was not asked yet, note what the user should know, and decide; raises as `ask`."""
        self.need([case])
        run = self._run(case.suite)
        self._check_arguments(run.suite, [tuned] if baseline is None else [baseline, tuned])
        # Cases may be as many as probes: only one that lacks an answer looks through its suite.
        if baseline is not None and not run.has("baseline", case.probes):
            self._ask("baseline", baseline, run)
        asked = not run.has("tuned", case.probes) and self._ask("tuned", tuned, run)
        if baseline is not None and baseline is not tuned:
            self._compare_prompts(run, baseline, tuned)
        if asked:
            self._note_cut(run, compared=baseline is not None)
        return self.decide(case)

    def decide(self, case: Case) -> Decision:
        """Decide a case by both models' answers; raises NoEvidenceError if one was not asked."""
        run = self._run(case.suite)
        pairs = run.pairs(case.probes, compared=not case.tuned_alone)
        unknown = None if case.tuned_alone else run.nothing_known
        return decide(replace(case, suite=run.suite), pairs, self.policy, unknown)

    def note(self, text: str) -> None:
        """Keep a note for the user, once."""
        if text not in self.notes:
            self.notes.append(text)

    @property
    def seconds_asking(self) -> dict[str, float]:
        """Seconds spent asking, by suite."""
        return {name: run.seconds for name, run in self.suites.items() if run.scores["tuned"]}

    @property
    def given(self) -> dict[str, dict[str, Any]]:
        """By suite, the chat template arguments and the tokens of reasoning it was asked with, where it has any."""
        tasks = {name: run.suite.task for name, run in self.suites.items() if run.scores["tuned"]}
        return {
            "template": {
                name: {key: json.loads(value) for key, value in task.template}
                for name, task in tasks.items()
                if task.template
            },
            "thinking_tokens": {
                name: task.thinking_tokens for name, task in tasks.items() if task.thinking_tokens is not None
            },
        }

    def _run(self, suite: Suite) -> SuiteRun:
        if suite.name not in self.suites:
            self.suites[suite.name] = SuiteRun(under(suite, self.settings))
        return self.suites[suite.name]

    def _ask(self, side: Side, engine: Engine, run: SuiteRun) -> bool:
        missing = run.missing(side)
        if not missing:
            return False
        began = time.monotonic()
        answered = ask(
            engine,
            run.suite,
            missing,
            baseline=None if side == "baseline" else run.answers["baseline"],
            progress=self.progress(run.suite.name, side) if self.progress else None,
            allow_code=self.allow_code,
        )
        run.seconds += time.monotonic() - began
        run.know(side, answered)
        return True

    # Notes

    def _check_arguments(self, suite: Suite, engines: Sequence[Engine]) -> None:
        for note in unused_arguments(suite, *engines):
            self.note(note)
        if self.settings.thinking_tokens is not None and not any(map(marks_reasoning, engines)):
            self.note(
                f"{option('thinking_tokens')}: no model of this run marks reasoning, so there is nothing to limit"
            )

    def _compare_prompts(self, run: SuiteRun, baseline: Engine, tuned: Engine) -> None:
        """Note it, once a suite, if the two models are shown different prompts."""
        if run.prompts_compared:
            return
        run.prompts_compared = True
        asked = [probe for probe in run.suite.probes if probe.id in run.scores["baseline"]]
        if difference := prompt_difference(run.suite, asked, baseline, tuned):
            self.note(difference)

    def _note_cut(self, run: SuiteRun, compared: bool) -> None:
        """Note how many answers were cut off, if many were."""
        tuned = [probe for probe in run.suite.probes if probe.id in run.scores["tuned"]]
        cuts = cut(run.pairs(run.asked_of_both if compared else tuned, compared))
        if not cuts.worth_a_warning:
            return
        limit = f"max_new_tokens ({run.suite.task.max_new_tokens})"
        more = f"; {cuts.remedy}" if cuts.thinking_baseline + cuts.thinking_tuned else ""
        self.note(
            f"{run.suite.name}: {cuts.described(limit)}; a cut answer is judged as far as it goes{more}"
        )
