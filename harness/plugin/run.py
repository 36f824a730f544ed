"""The state of one run in one process: the models, what the selected cases need, and what was answered."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.engine.prompts import request, under
from harness.engine.requests import Answer, Engine
from harness.engine.settings import Settings
from harness.errors import HarnessError, shown_path
from harness.evaluation.ask import ask
from harness.evaluation.prompts import marks_reasoning, prompt_difference, unused_arguments
from harness.gate.cases import Case
from harness.gate.compare import Pair, pair
from harness.gate.evidence import cut, nothing_known
from harness.gate.verdict import Decision, Outcome, Policy, decide
from harness.models.identity import weights_identity
from harness.models.reference import Adapter, Source, SourcePair, find_pair, is_recipe
from harness.plugin.collect import CaseItem
from harness.plugin.engines import not_an_engine, was_given
from harness.plugin.junit import may_describe_cases
from harness.plugin.names import name_a_model, names_of, reach_of
from harness.plugin.options import RunOptions
from harness.plugin.progress import Progress
from harness.plugin.remembered import check_model, option_that_leaves_out, weights_of
from harness.reporting.record import ModelRow, gate_row, probe_row
from harness.scoring import Score
from harness.suites.arguments import read_arguments
from harness.suites.suite import Probe, Suite
from harness.versions import needed
from harness.visible import visible

if TYPE_CHECKING:
    from harness.engine.transformers.loading import EnginePair


class Run:
    """Loads each model once, asks each probe once, and decides each case."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.options = RunOptions.of(config)
        self.policy = Policy(self.options.strict, self.options.fail_on)  # type: ignore[arg-type]
        self.progress = Progress(config)
        self.sources: SourcePair | None = None
        self.engines: EnginePair | None = None
        self.needed: dict[Path | None, tuple[dict[str, Probe], set[str]]] = {}
        self.unknown: dict[Path | None, str | None] = {}
        self.asked: dict[str, Engine] = {}
        self.compared: set[Path | None] = set()
        self.scores: dict[tuple[str, Path | None], dict[str, Score]] = {}
        self.answers: dict[Path | None, dict[str, Answer]] = {}
        self.reported: set[tuple[str, str, bool]] = set()
        self.seconds_asking: dict[str, float] = {}
        self.notes: list[str] = []
        self.selected: list[Case] = []
        self.given: dict[str, dict[str, Any]] = {"template": {}, "thinking_tokens": {}}
        """By suite, what it was asked with."""
        self.other_fixtures: set[Any] = set()
        """Fixtures of the user's that have a name of ours and give something else."""
        self.untried: list[str] = []
        self.refused = ""
        self._identities: dict[Path, str] = {}

    # Models

    def prepare(self) -> None:
        """Find the models, or read the recipe, before anything is collected.

        Raises:
            pytest.UsageError: a reference leads nowhere.
        """
        model = self.options.model
        for option, value in (("model", model), ("baseline", self.options.baseline)):
            if value is not None and not value.strip():  # a variable of the shell that is not set
                name = names_of(self.config).best(option)
                raise pytest.UsageError(f"{name}: is empty\n  name a folder, a hub id or a fixture file")
        try:
            _ = self.settings
            if model is None:
                return
            if is_recipe(model):
                from harness.recipes.read import read_recipe

                read_recipe(Path(model), reach_of(self.config))
            else:
                self.sources = find_pair(model, self.options.baseline, self.options.allow_pickle)
        except HarnessError as error:
            raise pytest.UsageError(str(error)) from error
        self._check_memory()

    def engine(self, side: str) -> Engine:
        """The baseline or the tuned model, loaded with the other when first asked for."""
        if self.engines is None:
            with needed():
                engines = self._load()
            try:
                self._check_memory()
            except pytest.UsageError as error:  # which ends no session from within a test
                raise HarnessError(str(error)) from error
            self.engines = engines
            self.notes += self.engines.notes
        engine: Engine = getattr(self.engines, side)
        return engine

    def _check_memory(self) -> None:
        """Refuse to leave out what another model passed; until it is trained, a recipe is known by its name alone."""
        model, sources, weights = self.options.model, self.sources, None
        if model is None or option_that_leaves_out(self.config) is None:
            return
        if sources is not None:
            tuned = self._model_row(sources.tuned, model)
            weights = weights_of(tuned, self._model_row(sources.baseline, self.options.baseline))
        check_model(self.config, model, weights)

    @cached_property
    def settings(self) -> Settings:
        """How models are run; raises HarnessError where an argument of the chat template is none."""
        options = self.options
        return Settings(
            device=options.device,
            dtype=options.dtype,  # type: ignore[arg-type]
            batch_tokens=options.batch_tokens,
            template=options.template,  # type: ignore[arg-type]
            allow_remote_code=options.allow_remote_code,
            allow_pickle=options.allow_pickle,
            allow_keys=options.allow_keys,
            allow_conversion=options.allow_conversion,
            template_arguments=read_arguments(options.template_arguments),
            thinking_tokens=options.thinking_tokens,
        )

    def _load(self) -> EnginePair:
        options = self.options
        if options.model is None:
            raise HarnessError(f"no model to load\n{name_a_model(self.config)}")
        settings = self.settings
        if self.sources is None:
            from harness.recipes.diff import untried
            from harness.recipes.read import read_recipe
            from harness.training.train import trained_sources

            recipe = read_recipe(Path(options.model), reach_of(self.config))
            self.untried = untried(recipe.written)
            self.sources = trained_sources(
                recipe, options.baseline, settings, self.progress.say, self.progress.counter
            )
        from harness.engine.transformers.loading import load_pair

        asked = [
            request(under(case.suite, settings), probe) for case in self.selected for probe in case.probes
        ]
        return load_pair(self.sources, settings, self.progress.say, list(dict.fromkeys(asked)))

    # Asking

    def leave_out(self, path: Path, reason: str) -> None:
        """Say of a file in a folder that was asked for that it looks like a suite and was not read."""
        note = f"{shown_path(path)} looks like a suite and was not read: {reason}"
        if note not in self.notes and not self.options.paths.isdisjoint(path.parents):
            self.notes.append(note)

    def select(self, items: Sequence[pytest.Item]) -> None:
        """Note the probes that the selected cases need."""
        for item in items:
            if isinstance(item, CaseItem):
                case = item.case
                self.selected.append(case)
                probes, compared = self.needed.setdefault(case.suite.path, ({}, set()))
                probes.update({probe.id: probe for probe in case.probes})
                if not case.tuned_alone:
                    compared.update(probe.id for probe in case.probes)

    def decide(self, case: Case, baseline: Engine | None, tuned: Engine) -> Decision:
        """Ask what was not asked yet, and judge the case."""
        case = replace(case, suite=under(case.suite, self.settings))
        self._check_arguments(case.suite, [tuned] if baseline is None else [baseline, tuned])
        if baseline is not None:
            self._ask("baseline", baseline, case)
        asked = self._ask("tuned", tuned, case)
        if baseline is not None:
            self._compare_prompts(case.suite, baseline, tuned)
        if asked:
            self._note_cut(case.suite, compared=baseline is not None)
        pairs = self._pairs(case.suite, case.probes, compared=baseline is not None)
        return decide(case, pairs, self.policy, self._nothing_known(case))

    def _pairs(self, suite: Suite, probes: Sequence[Probe], compared: bool) -> list[Pair]:
        before = self.scores.get(("baseline", suite.path), {}) if compared else None
        return pair(probes, before, self.scores[("tuned", suite.path)])

    def _nothing_known(self, case: Case) -> str | None:
        """Why the baseline is not shown to know anything of the suite, from all that this run asks of it."""
        if case.tuned_alone:
            return None
        suite = case.suite
        if suite.path not in self.unknown:
            before = self.scores[("baseline", suite.path)]
            self.unknown[suite.path] = nothing_known(
                self._pairs(suite, [probe for probe in suite.probes if probe.id in before], compared=True)
            )
        return self.unknown[suite.path]

    def _ask(self, side: str, engine: Engine, case: Case) -> bool:
        """Ask one model all that the selected cases of the suite need of it; False if that was done before."""
        suite = case.suite
        scores = self.scores.setdefault((side, suite.path), {})
        if all(probe.id in scores for probe in case.probes):
            return False
        probes, compared = self.needed.get(suite.path, ({}, set()))
        wanted = {**probes, **{probe.id: probe for probe in case.probes}}
        missing = [
            probe
            for probe in suite.probes
            if probe.id in wanted
            and probe.id not in scores
            and (side == "tuned" or probe.id in compared or probe in case.probes)
        ]
        if not missing:
            return False
        if not isinstance(engine, Engine):  # a user's own fixture
            raise not_an_engine(f"gate_{side}", type(engine).__name__)
        self.asked[side] = engine
        began = time.monotonic()
        reference = self.answers.setdefault(suite.path, {})
        asked = ask(
            engine,
            suite,
            missing,
            baseline=None if side == "baseline" else reference,
            progress=self.progress.counter(f"{suite.name}, {side}"),
            allow_code=self.options.allow_code,
        )
        self.seconds_asking[suite.name] = self.seconds_asking.get(suite.name, 0.0) + time.monotonic() - began
        if side == "baseline":
            reference.update(asked.answers)
        scores.update(asked.scores)
        return True

    def _compare_prompts(self, suite: Suite, baseline: Engine, tuned: Engine) -> None:
        """Say out loud when the two sides are not shown the same."""
        if baseline is tuned or suite.path in self.compared:
            return
        self.compared.add(suite.path)
        asked = [probe for probe in suite.probes if probe.id in self.scores[("baseline", suite.path)]]
        if difference := prompt_difference(suite, asked, baseline, tuned):
            self.note(difference)

    def _check_arguments(self, suite: Suite, engines: Sequence[Engine]) -> None:
        """Say which arguments do nothing, and keep what is given for the record."""
        task = suite.task
        if task.template:
            self.given["template"][suite.name] = {name: json.loads(value) for name, value in task.template}
        if task.thinking_tokens is not None:
            self.given["thinking_tokens"][suite.name] = task.thinking_tokens
        notes = unused_arguments(suite, *engines)
        if self.options.thinking_tokens is not None and not any(map(marks_reasoning, engines)):
            notes.append("--thinking-tokens: no model of this run marks reasoning, so there is none to bound")
        for note in notes:
            self.note(note)

    def _note_cut(self, suite: Suite, compared: bool) -> None:
        """Say how many answers were cut off, where they are many."""
        asked = [probe for probe in suite.probes if probe.id in self.scores[("tuned", suite.path)]]
        before = self.scores.get(("baseline", suite.path), {})
        pairs = self._pairs(suite, [p for p in asked if not compared or p.id in before], compared)
        found = cut(pairs)
        if found.worth_a_warning:
            limit = f"max_new_tokens ({suite.task.max_new_tokens})"
            more = f"; {found.remedy}" if found.thinking_baseline + found.thinking_tuned else ""
            self.note(
                f"{suite.name}: {found.described(limit)}; a cut answer is judged by what is there of it{more}"
            )

    def note(self, text: str) -> None:
        """What the user should hear, once."""
        if text not in self.notes:
            self.notes.append(text)

    # Reports

    def properties(self, decision: Decision) -> list[tuple[str, object]]:
        """What JUnit and other reporters show of a case."""
        if not may_describe_cases(self.config):
            return []
        row = gate_row(decision).model_dump(exclude={"interval", "place"}, exclude_none=True)
        if decision.comparison:
            row["interval"] = "{:.4f} to {:.4f}".format(*decision.comparison.interval)
        return [
            (name, f"{value:.4f}" if isinstance(value, float) else visible(str(value)))
            for name, value in row.items()
        ]

    def take_report(
        self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
    ) -> dict[str, Any] | None:
        """What the controller should know of this phase of an item, as plain data; None if nothing.

        An input error stops the run: every further case would end in the same message. In the body of a
        user's own test it is that test's affair.
        """
        error = call.excinfo.value if call.excinfo else None
        if isinstance(item, CaseItem):
            return self._take_case(item, error, report)
        if isinstance(error, HarnessError) and call.when == "setup" and report.failed:
            return _stop(item, error)
        asks = call.when == "call" and was_given(item, "tuned")
        return {"own": True} if asks and report.outcome in ("passed", "failed") else None

    def _take_case(
        self, item: CaseItem, error: BaseException | None, report: pytest.TestReport
    ) -> dict[str, Any]:
        if report.when == "setup":
            item.decision = None  # of a run before, where a plugin runs a case again
        if hasattr(report, "wasxfail") and error is not None and not _may_be_excused(item, error):
            report.outcome = "failed"
            del report.wasxfail
        if isinstance(error, HarnessError) and report.failed:
            return _stop(item, error)
        if report.when == "teardown" or (report.passed and item.decision is None):
            return {}
        if item.decision is None:
            excused = "excused" if hasattr(report, "wasxfail") else "skipped"
            return {"ending": excused if report.skipped else "error"}
        outcome = _outcome(item.decision, report)
        return {"ending": outcome, **self._decided(item.decision, outcome)}

    def _decided(self, decision: Decision, outcome: Outcome) -> dict[str, Any]:
        suite = decision.case.suite.name
        seen = {(suite, one.probe.id, one.baseline is not None): one for one in decision.pairs}
        new = [one for key, one in seen.items() if key not in self.reported]
        self.reported.update(seen)
        return {
            "gate": gate_row(replace(decision, outcome=outcome)).model_dump(mode="json"),
            "probes": [probe_row(suite, one).model_dump(mode="json") for one in new],
            "run": self._provenance(),
        }

    def _provenance(self) -> dict[str, Any]:
        """Who was really asked: the models of the options, or the engines of a user's own fixtures."""
        known: dict[str, Any] = {"seconds_asking": dict(self.seconds_asking)}
        for side, option in (("baseline", self.options.baseline), ("tuned", self.options.model)):
            engine = self.asked.get(side)
            if engine is not None and engine is not getattr(self.engines, side, None):
                known[side] = _fixture_row(engine, side).model_dump(mode="json")
                if option is not None:
                    name = names_of(self.config).best("baseline" if side == "baseline" else "model")
                    self.note(
                        f"{name} {option} was not asked: the fixture '{side}' gives an engine of its own"
                    )
            elif self.engines and self.sources:
                known[side] = self._model_row(getattr(self.sources, side), option).model_dump(mode="json")
                known |= {"device": self.engines.device, "dtype": self.engines.dtype}
        return {**known, **self.given, "notes": list(self.notes), "untried": self.untried}

    def _model_row(self, source: Source, reference: str | None) -> ModelRow:
        base = source.base if isinstance(source, Adapter) else None
        return ModelRow(
            reference=reference or source.name,
            name=f"adapter on {base.name}" if base else source.name,
            weights=self._identity(source.folder),
            base_weights=self._identity(base.folder) if base else None,
        )

    def _identity(self, folder: Path) -> str:
        if folder not in self._identities:
            self._identities[folder] = weights_identity(folder)
        return self._identities[folder]


def _stop(item: pytest.Item, error: HarnessError) -> dict[str, Any]:
    item.session.shouldstop = "the models could not be asked; see the error above"
    return {"error": str(error)}


def _may_be_excused(item: CaseItem, error: BaseException) -> bool:
    """Whether xfail means this: it expects a gate to fail, and not that nothing could be asked."""
    failed = item.decision is not None and item.decision.outcome == "failed"
    return isinstance(error, pytest.xfail.Exception) or (failed and isinstance(error, pytest.fail.Exception))


def _outcome(decision: Decision, report: pytest.TestReport) -> Outcome:
    if report.skipped and hasattr(report, "wasxfail"):
        return "excused"
    return "failed" if report.failed else decision.outcome


def _fixture_row(engine: Engine, side: str) -> ModelRow:
    return ModelRow(reference=engine.label, name=f"from the fixture '{side}'", source="fixture")
