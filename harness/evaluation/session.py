"""Cases and both engines in, Decisions out; each model is asked each probe once, a suite at a time.

pytest's plugin, the training callback, the sweep and the Python API all decide here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from harness.engine.abilities import Tells
from harness.engine.prompts import request, under
from harness.engine.requests import Engine, Progress, Side
from harness.engine.reshaped import smaller_batches
from harness.engine.settings import Settings
from harness.engine.speeds import remember
from harness.evaluation.ask import Answered, Judging, ask
from harness.evaluation.noise import measured
from harness.evaluation.prompts import marks_reasoning, prompt_difference, unused_arguments
from harness.evaluation.sequential import ask_until_decided, sequential_case
from harness.evaluation.suite_run import SuiteRun, further_attempts
from harness.evaluation.suite_runs import Cuts, SuiteRuns
from harness.evaluation.word_order import WordOrder, asked_for
from harness.gate.cases import Case
from harness.gate.decide import Decision, decide
from harness.gate.finding import Finding, find
from harness.gate.overall import find_overall, of_forms
from harness.gate.policy import Policy
from harness.reporting.run_rows import ModelRow
from harness.spelling import option
from harness.suites.suite import EachGate, Probe, RiseGate, RunGate, SliceGate, Suite


class PairSession(SuiteRuns):
    """Asks a baseline and a tuned model what cases need, and decides the cases.

    Args:
        settings: the run's, which override what suites say of chat templates and reasoning.
        noise_floor: how many more times to ask the baseline under equivalent conditions.
        engine_flips: the share of answers that flip between two engines on one model; None if nobody measured it.
        sequential: the seed of the order in which to ask a suite until it is decided; None to ask all of it.
        by_rule: judge `fluent` scores by their rule alone, for the baseline is gone and cannot measure word order.
        progress: makes the callback for asking one side a suite.
        notes: collects notes for the user, each once.
        cuts: collects which answers were cut; sessions of several tuned models share it, and so one note on each suite.
        baseline: gives the row of the baseline, once it can be known; None to count no accepted loss as kept.
        forms: the models are two forms of one: a suite that neither knows decides nothing, and texts count, known or not.
    """

    def __init__(
        self,
        policy: Policy = Policy(),
        settings: Settings = Settings(),
        *,
        allow_code: bool = False,
        noise_floor: int = 0,
        engine_flips: float | None = None,
        sequential: int | None = None,
        by_rule: bool = False,
        progress: Callable[[str, Side], Progress] | None = None,
        notes: list[str] | None = None,
        cuts: Cuts | None = None,
        baseline: Callable[[], ModelRow | None] | None = None,
        forms: bool = False,
    ) -> None:
        self.forms = forms
        self.policy = policy
        self.settings = settings
        self.allow_code = allow_code
        self.noise_floor = noise_floor
        self.sequential = sequential
        self.by_rule = by_rule
        self.word_order: WordOrder | None = WordOrder(None) if by_rule else None
        """Measures by the engine of the baseline, once that is known."""
        self.progress = progress
        super().__init__(baseline, [] if notes is None else notes, {} if cuts is None else cuts, engine_flips)

    def need(self, cases: Iterable[Case]) -> None:
        """Announce the cases to decide, so that each suite is asked in one go."""
        for case in cases:
            if isinstance(case.gate, RunGate):
                continue
            run = self._run(case.suite)
            run.need(case.probes, compared=not case.tuned_alone)
            run.single_cases |= isinstance(case.gate, EachGate)
            if case.single:
                run.single.update(probe.id for probe in case.probes)
            elif isinstance(case.gate, SliceGate):
                run.gated[case.slice] = case

    def need_probes(self, suite: Suite, probes: Iterable[Probe]) -> None:
        """Announce probes of a suite to ask both models, whether or not a case needs them."""
        self._run(suite).need(probes, compared=True)

    def know(self, side: Side, answered: Mapping[str, Answered]) -> None:
        """Add earlier answers of a model, by suite; it is not asked those probes again."""
        for name, answers in answered.items():
            self.suites[name].know(side, answers)

    def ask(
        self,
        side: Side,
        engine: Engine,
        suites: Iterable[str] | None = None,
        baseline: Engine | None = None,
    ) -> None:
        """Ask a model what cases need and it was not asked before, of these suites or of all; raises as `evaluation.ask`.

        Where part of a suite does not show that the baseline knows anything of it, the baseline is asked more. The tuned
        model is asked again what a gate over `each` probe finds lost, if the baseline was asked ahead.

        Args:
            baseline: measures word order for `fluent` scores while the tuned model is asked; not needed with `by_rule`.
        """
        self._measure_by(engine if side == "baseline" else baseline)
        for name in suites or self.suites:
            run = self.suites[name]
            asked = self._ask(side, engine, run)
            if side == "tuned":
                self._ask_again(run, engine)
                if asked and not self.forms:
                    self.note_cut(run, engine.label)
            if side == "baseline" and run.compared and not self.forms:
                self._ask_rest(run, engine)

    def ask_ahead(self, baseline: Engine) -> None:
        """Ask the baseline further attempts at the single probes that it got right, before any is lost; raises as `ask`."""
        self._measure_by(baseline)
        for run in self.suites.values():
            scores = run.scores["baseline"]
            right = [probe for probe in run.suite.probes if probe.id in run.single and scores[probe.id].right]
            self._ask_attempts(run, baseline, right)

    def ask_both(self, name: str, engines: Callable[[Side], Engine]) -> None:
        """Ask both models what the cases of a suite need, and note what the user should know; raises as `ask`.

        What a gate over `each` probe finds lost is asked again, and how fast the models were is kept for `plan`. Where part of
        a suite does not show that the baseline knows anything of it, the baseline is asked more.
        """
        run = self.suites[name]
        sides: Sequence[Side] = ("baseline", "tuned") if run.compared else ("tuned",)
        pair = [engines(side) for side in sides]
        if run.compared:
            self.check_engines(pair[0], pair[-1], not self.forms, self.policy.max_flips)
        if asked_for(run.suite.probes):
            self._measure_by(engines("baseline"), run)
        self._check_arguments(run.suite, pair)
        self.judge_accepted(run)
        asked = self._ask_sides(run, dict(zip(sides, pair, strict=True)))
        if run.compared:
            self._measure_noise(run, pair[0])
            self._ask_again(run, pair[1], pair[0])
            self._ask_rest(run, pair[0])
            if pair[0] is not pair[1]:
                self._compare_prompts(run, *pair)
        if asked:
            self.note_cut(run, pair[-1].label)
            for engine in pair:
                remember(engine)

    def decide(self, cases: Sequence[Case]) -> list[Decision]:
        """Decide the cases of a run together by both models' answers; an overall gate pools all others.

        Raises:
            NoEvidenceError: a case was not asked.
            HarnessError: noise was measured, and reaches the margins of some cases.
        """
        self.check_decided({case.suite.name for case in cases})
        found = {
            position: self.find(case)
            for position, case in enumerate(cases)
            if not isinstance(case.gate, RunGate)
        }
        slices = list(found.values())
        findings = [found.get(position) or find_overall(case, slices) for position, case in enumerate(cases)]
        findings = list(map(of_forms, findings)) if self.forms else findings
        return decide(findings, self.policy)

    def find(self, case: Case) -> Finding:
        """What both models' answers show of a case; raises NoEvidenceError if one was not asked."""
        run = self._run(case.suite)
        self.judge_accepted(run)
        case = replace(case, suite=run.suite, probes=run.asked_of(case))
        pairs = run.pairs(case.probes, compared=not case.tuned_alone)
        alone = case.tuned_alone or (self.forms and isinstance(case.gate, RiseGate))
        unknown = None if alone else run.nothing_known
        again = run.again.get(case.probes[0].id, ()) if isinstance(case.gate, EachGate) else ()
        found = find(case, pairs, unknown, again, run.stop)
        return of_forms(found) if self.forms else found

    def _run(self, suite: Suite) -> SuiteRun:
        if suite.name not in self.suites:
            self.suites[suite.name] = SuiteRun(under(suite, self.settings))
        return self.suites[suite.name]

    def _ask_sides(self, run: SuiteRun, engines: Mapping[Side, Engine]) -> bool:
        """Ask the models what they were not asked, or as much of it as decides the suite; whether the tuned model was asked."""

        def further(probes: Sequence[Probe] | None = None) -> bool:
            return [self._ask(side, engine, run, probes) for side, engine in engines.items()][-1]

        case = None if self.sequential is None or run.stop else sequential_case(run)
        if self.sequential is None or case is None:
            return further()
        ask_until_decided(run, replace(case, suite=run.suite), self.sequential, further, self.policy.strict)
        return True

    def _ask(self, side: Side, engine: Engine, run: SuiteRun, among: Iterable[Probe] | None = None) -> bool:
        missing = run.missing(side, among)
        if not missing:
            return False
        with run.timed():
            answered = ask(
                engine,
                run.suite,
                missing,
                baseline=None if side == "baseline" else run.answers["baseline"],
                progress=self._shown(run.suite.name, side),
                **self._judging,
            )
        run.know(side, answered)
        for text in engine.told() if isinstance(engine, Tells) else ():
            self.note(f"{run.suite.name}: {text}")
        return True

    def _measure_noise(self, run: SuiteRun, baseline: Engine) -> None:
        """Ask the baseline again under equivalent conditions, once a suite, if the user wants that."""
        if not self.noise_floor or run.noise is not None:
            return
        with run.timed():
            run.noise = measured(run, baseline, self.noise_floor, progress=self.progress, **self._judging)

    def _ask_again(self, run: SuiteRun, tuned: Engine, baseline: Engine | None = None) -> None:
        """Ask what single probes lost again of both models, in the probes' other words and in batches that round otherwise.

        Args:
            baseline: None if it was asked ahead; what it was not asked then is not asked again.
        """
        lost = run.lost_singly
        if baseline is not None:
            self._ask_attempts(run, baseline, lost)
        again = [attempt for probe in lost for attempt in further_attempts(probe)]
        if probes := [attempt for attempt in again if attempt.id in run.attempts.scores]:
            run.pair_attempts(self._ask_otherwise("tuned", tuned, run, probes).scores)

    def _ask_attempts(self, run: SuiteRun, baseline: Engine, probes: Iterable[Probe]) -> None:
        attempts = [attempt for probe in probes for attempt in further_attempts(probe)]
        if missing := [attempt for attempt in attempts if attempt.id not in run.attempts.scores]:
            run.know_attempts(self._ask_otherwise("baseline", baseline, run, missing))

    def _ask_otherwise(self, side: Side, engine: Engine, run: SuiteRun, probes: Sequence[Probe]) -> Answered:
        before = None if side == "baseline" else run.attempts.answers
        shown = self._shown(f"{run.suite.name} again", side)
        with run.timed():
            reshaped = smaller_batches(engine, [request(run.suite, probe) for probe in probes])
            return ask(reshaped, run.suite, probes, baseline=before, progress=shown, **self._judging)

    def _ask_rest(self, run: SuiteRun, baseline: Engine) -> None:
        for probes in run.rest():
            with run.timed():
                shown = self._shown(f"{run.suite.name}, the rest", "baseline")
                run.know("baseline", ask(baseline, run.suite, probes, progress=shown, **self._judging))

    def _shown(self, work: str, side: Side) -> Progress | None:
        return self.progress(work, side) if self.progress else None

    @property
    def _judging(self) -> Judging:
        return {"word_order": self.word_order, "allow_code": self.allow_code}

    def _measure_by(self, baseline: Engine | None, run: SuiteRun | None = None) -> None:
        """Measure word order by this engine, which must be able to if the cases of a suite need it."""
        if not self.by_rule and (self.word_order is None or self.word_order.engine is not baseline):
            self.word_order = None if baseline is None else WordOrder(baseline)
        if self.word_order is not None and run is not None:
            self.word_order.check(run.suite, [probe for probe in run.suite.probes if probe.id in run.needed])

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
