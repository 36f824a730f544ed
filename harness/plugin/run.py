"""The state of one run in one process: the models, what the selected cases need, and what was answered."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.engine.planning import prompt
from harness.engine.requests import Answer, Engine
from harness.engine.settings import Settings
from harness.errors import EngineError, HarnessError, shown_path
from harness.gate.asking import ask
from harness.gate.cases import Case
from harness.gate.compare import Pair, pair
from harness.gate.verdict import Decision, Policy, decide
from harness.models.identity import weights_identity
from harness.models.reference import Adapter, Source, SourcePair, find_pair, is_recipe
from harness.plugin.collect import CaseItem
from harness.plugin.options import RunOptions
from harness.plugin.progress import Progress
from harness.reporting.record import ModelRow, gate_row, probe_row
from harness.scoring import Score
from harness.suites.suite import Probe, Suite

if TYPE_CHECKING:
    from harness.engine.loading import EnginePair


class Run:
    """Loads each model once, asks each probe once, and decides each case."""

    def __init__(self, config: pytest.Config) -> None:
        self.options = RunOptions.of(config)
        self.policy = Policy(self.options.strict, self.options.fail_on)  # type: ignore[arg-type]
        self.progress = Progress(config)
        self.sources: SourcePair | None = None
        self.engines: EnginePair | None = None
        self.needed: dict[Path | None, tuple[dict[str, Probe], set[str]]] = {}
        self.each: dict[Path | None, list[str]] = {}
        self.scores: dict[tuple[str, Path | None], dict[str, Score]] = {}
        self.answers: dict[Path | None, dict[str, Answer]] = {}
        self.reported: set[tuple[str, str, bool]] = set()
        self.seconds_asking: dict[str, float] = {}
        self.notes: list[str] = []
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
        for option, value in (("--model", model), ("--baseline", self.options.baseline)):
            if value is not None and not value.strip():  # a variable of the shell that is not set
                raise pytest.UsageError(f"{option}: is empty\n  name a folder, a hub id or a fixture file")
        try:
            if model is None:
                return
            if is_recipe(model):
                from harness.training.recipe import read_recipe

                read_recipe(Path(model))
            else:
                self.sources = find_pair(model, self.options.baseline, self.options.allow_pickle)
        except HarnessError as error:
            raise pytest.UsageError(str(error)) from error

    def engine(self, side: str) -> Engine:
        """The baseline or the tuned model, loaded with the other when first asked for."""
        if self.engines is None:
            self.engines = self._load()
            self.notes += self.engines.notes
        engine: Engine = getattr(self.engines, side)
        return engine

    def _load(self) -> EnginePair:
        options = self.options
        if options.model is None:
            raise HarnessError("no model to load\n  name it: --model PATH_OR_HUB_ID")
        settings = Settings(
            device=options.device,
            dtype=options.dtype,  # type: ignore[arg-type]
            batch_tokens=options.batch_tokens,
            template=options.template,  # type: ignore[arg-type]
            allow_remote_code=options.allow_remote_code,
            allow_pickle=options.allow_pickle,
        )
        if self.sources is None:
            from harness.training.changes import untried
            from harness.training.recipe import read_recipe
            from harness.training.train import trained_sources

            recipe = read_recipe(Path(options.model))
            self.untried = untried(recipe.written)
            self.sources = trained_sources(
                recipe, options.baseline, settings, self.progress.say, self.progress.counter
            )
        from harness.engine.loading import load_pair

        return load_pair(self.sources, settings, self.progress.say)

    # Asking

    def leave_out(self, path: Path) -> None:
        """Say which YAML files beside the suites were not taken for suites."""
        self.notes.append(
            f"{shown_path(path)} is not a suite and was left out: it has neither 'gates:' nor 'probes:'"
        )

    def select(self, items: Sequence[pytest.Item]) -> None:
        """Note the probes that the selected cases need."""
        for item in items:
            if isinstance(item, CaseItem):
                case = item.case
                probes, compared = self.needed.setdefault(case.suite.path, ({}, set()))
                probes.update({probe.id: probe for probe in case.probes})
                if not case.tuned_alone:
                    compared.update(probe.id for probe in case.probes)
                    if case.gate.over == "each":
                        self.each.setdefault(case.suite.path, []).extend(probe.id for probe in case.probes)

    def decide(self, case: Case, baseline: Engine | None, tuned: Engine) -> Decision:
        """Ask what was not asked yet, and judge the case."""
        if baseline is not None:
            self._ask("baseline", baseline, case)
        self._ask("tuned", tuned, case)
        if baseline is not None:
            self._compare_rendering(case.suite, baseline, tuned)
        pairs = self._pairs(case.suite, case.probes, compared=baseline is not None)
        return decide(case, pairs, self.policy, all_missed=self._all_missed(case))

    def _pairs(self, suite: Suite, probes: Sequence[Probe], compared: bool) -> list[Pair]:
        before = self.scores.get(("baseline", suite.path), {}) if compared else None
        return pair(probes, before, self.scores[("tuned", suite.path)])

    def _all_missed(self, case: Case) -> bool:
        if case.gate.over != "each" or case.tuned_alone:
            return False
        before, after = (self.scores[(side, case.suite.path)] for side in ("baseline", "tuned"))
        ids = self.each.get(case.suite.path, [])
        return bool(ids) and not any(before[id].right or after[id].right for id in ids)

    def _ask(self, side: str, engine: Engine, case: Case) -> None:
        """Ask one model all that the selected cases of the suite need of it, unless that was done."""
        suite = case.suite
        scores = self.scores.setdefault((side, suite.path), {})
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
            return
        _check_engine(engine, side)
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

    def _compare_rendering(self, suite: Suite, baseline: Engine, tuned: Engine) -> None:
        """Say out loud when the two sides are not shown the same text."""
        if suite.task.answer == "likelihood" or not suite.probes:
            return
        shown = prompt(suite.task, suite.probes[0])
        before, after = baseline.render(shown), tuned.render(shown)
        note = "the two models are prompted differently: their chat templates differ; --template baseline (or tuned) asks both alike"
        if before != after and note not in self.notes:
            self.notes.append(note)

    # Reports

    def properties(self, decision: Decision) -> list[tuple[str, object]]:
        """What JUnit shows of a case."""
        row = gate_row(decision).model_dump(exclude={"interval", "place"}, exclude_none=True)
        if decision.comparison:
            row["interval"] = "{:.4f} to {:.4f}".format(*decision.comparison.interval)
        return [
            (name, f"{value:.4f}" if isinstance(value, float) else str(value)) for name, value in row.items()
        ]

    def take_report(
        self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
    ) -> dict[str, Any] | None:
        """What the controller should know of this phase of an item, as plain data; None if nothing.

        An input error stops the run: every further case would end in the same message. In the body of a
        user's own test it is that test's affair.
        """
        error = call.excinfo.value if call.excinfo else None
        ours = isinstance(item, CaseItem) or call.when == "setup"
        if isinstance(error, HarnessError) and ours and report.failed:
            item.session.shouldstop = "the models could not be asked; see the error above"
            return {"error": str(error)}
        if call.when != "call" or not isinstance(item, CaseItem) or item.decision is None:
            return None
        decision = item.decision
        suite = decision.case.suite.name
        seen = {(suite, one.probe.id, one.baseline is not None): one for one in decision.pairs}
        new = [one for key, one in seen.items() if key not in self.reported]
        self.reported.update(seen)
        return {
            "gate": gate_row(decision).model_dump(mode="json"),
            "probes": [probe_row(suite, one).model_dump(mode="json") for one in new],
            "run": self._provenance(),
        }

    def _provenance(self) -> dict[str, Any]:
        known: dict[str, Any] = {
            "notes": list(self.notes),
            "untried": self.untried,
            "seconds_asking": dict(self.seconds_asking),
        }
        if self.engines and self.sources:
            known |= {
                "device": self.engines.device,
                "dtype": self.engines.dtype,
                "baseline": self._model_row(self.sources.baseline, self.options.baseline),
                "tuned": self._model_row(self.sources.tuned, self.options.model),
            }
        return known

    def _model_row(self, source: Source, reference: str | None) -> dict[str, Any]:
        base = source.base if isinstance(source, Adapter) else None
        return ModelRow(
            reference=reference or source.name,
            name=f"adapter on {base.name}" if base else source.name,
            weights=self._identity(source.folder),
            base_weights=self._identity(base.folder) if base else None,
        ).model_dump(mode="json")

    def _identity(self, folder: Path) -> str:
        if folder not in self._identities:
            self._identities[folder] = weights_identity(folder)
        return self._identities[folder]


def _check_engine(engine: Engine, side: str) -> None:
    if not isinstance(engine, Engine):  # a user's own fixture
        raise EngineError(
            f"the fixture '{side}' must give an Engine, saw {type(engine).__name__}\n"
            "  wrap a function from prompt to text: harness.engine.functions.FunctionEngine(function)"
        )
