"""Cases and both engines in, Decisions out: each probe is asked once of each model, and a suite in one go.

pytest's plugin, the training callback, the sweep and the Python API all decide here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
    """One suite in a run: the ids of the probes that cases need, and what both models answered."""

    suite: Suite
    needed: set[str] = field(default_factory=set)
    compared: set[str] = field(default_factory=set)
    """Of those needed, the ones that the baseline is asked too."""
    answers: dict[Side, dict[str, Answer]] = field(default_factory=lambda: {"baseline": {}, "tuned": {}})
    scores: dict[Side, dict[str, Score]] = field(default_factory=lambda: {"baseline": {}, "tuned": {}})
    seconds: float = 0.0
    """How long both models were asked."""

    def need(self, case: Case) -> None:
        """Note the probes of a case."""
        ids = {probe.id for probe in case.probes}
        self.needed |= ids
        if not case.tuned_alone:
            self.compared |= ids

    def missing(self, side: Side) -> list[Probe]:
        """The probes that a model is still to be asked, in the order of the suite."""
        wanted = self.compared if side == "baseline" else self.needed
        return [
            probe for probe in self.suite.probes if probe.id in wanted and probe.id not in self.scores[side]
        ]

    def know(self, side: Side, answered: Answered) -> None:
        """Take what a model answered."""
        self.answers[side].update(answered.answers)
        self.scores[side].update(answered.scores)

    def pairs(self, probes: Iterable[Probe], compared: bool = True) -> list[Pair]:
        """Both scores of each probe; raises NoEvidenceError where one was not asked."""
        return pair(list(probes), self.scores["baseline"] if compared else None, self.scores["tuned"])

    def answered(self, side: Side) -> Answered:
        """What a model answered."""
        return Answered(self.answers[side], self.scores[side])

    @property
    def asked_of_both(self) -> list[Probe]:
        """The probes that both models answered."""
        return [
            probe for probe in self.suite.probes if all(probe.id in scores for scores in self.scores.values())
        ]


class PairSession:
    """Asks a baseline and a tuned model what cases need, and decides the cases.

    Args:
        settings: what the run gives over what suites say.
        progress: makes the callback for a suite that one side is asked.
        notes: takes what a user should hear, each once.
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
        self._unknown: dict[str, str | None] = {}
        self._prompts_compared: set[str] = set()

    def need(self, cases: Iterable[Case]) -> None:
        """Note the cases that will be decided, so that each suite is asked in one go."""
        for case in cases:
            self._run(case).need(case)

    def need_probes(self, suite: Suite, probes: Iterable[Probe]) -> None:
        """Note probes of a suite that both models are asked, whether a case needs them or not."""
        run = self.suites.setdefault(suite.name, SuiteRun(under(suite, self.settings)))
        ids = {probe.id for probe in probes}
        run.needed |= ids
        run.compared |= ids

    def know(self, side: Side, answered: Mapping[str, Answered]) -> None:
        """Take what a model answered before, by suite; it is not asked that again."""
        for name, answers in answered.items():
            self.suites[name].know(side, answers)

    def ask(self, side: Side, engine: Engine, suites: Iterable[str] | None = None) -> bool:
        """Ask a model all that cases need of these suites, or of all; False if it was asked all of it before.

        Raises:
            EngineError: it cannot answer.
            NoEvidenceError: nothing follows from its answers.
            ScorerError: a score broke, or runs code and may not.
        """
        asked = [self._ask(side, engine, self.suites[name]) for name in suites or self.suites]
        return any(asked)

    def ask_and_decide(self, case: Case, baseline: Engine | None, tuned: Engine) -> Decision:
        """Ask what was not asked yet, note what the user should hear of it, and decide; raises as `ask`."""
        run = self._run(case)
        run.need(case)
        self._check_arguments(run.suite, [tuned] if baseline is None else [baseline, tuned])
        if baseline is not None:
            self._ask("baseline", baseline, run)
        asked = self._ask("tuned", tuned, run)
        if baseline is not None and baseline is not tuned:
            self._compare_prompts(run, baseline, tuned)
        if asked:
            self._note_cut(run, compared=baseline is not None)
        return self.decide(case)

    def decide(self, case: Case) -> Decision:
        """Judge a case by what both models answered; raises NoEvidenceError where one was not asked."""
        run = self._run(case)
        pairs = run.pairs(case.probes, compared=not case.tuned_alone)
        unknown = None if case.tuned_alone else self._nothing_known(run)
        return decide(replace(case, suite=run.suite), pairs, self.policy, unknown)

    def note(self, text: str) -> None:
        """Keep what the user should hear, once."""
        if text not in self.notes:
            self.notes.append(text)

    @property
    def seconds_asking(self) -> dict[str, float]:
        """How long each suite took that was asked."""
        return {name: run.seconds for name, run in self.suites.items() if run.scores["tuned"]}

    @property
    def given(self) -> dict[str, dict[str, Any]]:
        """By suite, the arguments of chat templates and the room for reasoning that it is asked with, where there are any."""
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

    def _run(self, case: Case) -> SuiteRun:
        return self.suites.setdefault(case.suite.name, SuiteRun(under(case.suite, self.settings)))

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
        self._unknown.pop(run.suite.name, None)
        return True

    def _nothing_known(self, run: SuiteRun) -> str | None:
        """Why the baseline is not shown to know anything of a suite, from all that was asked of both models."""
        name = run.suite.name
        if name not in self._unknown:
            self._unknown[name] = nothing_known(run.pairs(run.asked_of_both))
        return self._unknown[name]

    # What a user should hear

    def _check_arguments(self, suite: Suite, engines: Sequence[Engine]) -> None:
        for note in unused_arguments(suite, *engines):
            self.note(note)
        if self.settings.thinking_tokens is not None and not any(map(marks_reasoning, engines)):
            self.note(
                f"{option('thinking_tokens')}: no model of this run marks reasoning, so there is none to bound"
            )

    def _compare_prompts(self, run: SuiteRun, baseline: Engine, tuned: Engine) -> None:
        """Say when the two models are not shown the same."""
        if run.suite.name in self._prompts_compared:
            return
        self._prompts_compared.add(run.suite.name)
        asked = [probe for probe in run.suite.probes if probe.id in run.scores["baseline"]]
        if difference := prompt_difference(run.suite, asked, baseline, tuned):
            self.note(difference)

    def _note_cut(self, run: SuiteRun, compared: bool) -> None:
        """Say how many answers were cut off, where they are many."""
        tuned = [probe for probe in run.suite.probes if probe.id in run.scores["tuned"]]
        found = cut(run.pairs(run.asked_of_both if compared else tuned, compared))
        if not found.worth_a_warning:
            return
        limit = f"max_new_tokens ({run.suite.task.max_new_tokens})"
        more = f"; {found.remedy}" if found.thinking_baseline + found.thinking_tuned else ""
        self.note(
            f"{run.suite.name}: {found.described(limit)}; a cut answer is judged by what is there of it{more}"
        )
