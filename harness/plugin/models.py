"""The options in, both models out: found before collection, loaded for the first case, described for the record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

import pytest

from harness.engine.functions import FunctionEngine
from harness.engine.place import known_places, places_of
from harness.engine.prompts import request, under
from harness.engine.requests import Engine, EnginePair, Side
from harness.engine.settings import changed
from harness.errors import HarnessError
from harness.evaluation.record import model_row
from harness.gate.cases import Case
from harness.models.identity import weights_identity
from harness.models.reference import Model, ModelPair
from harness.plugin.engines import IDLE
from harness.plugin.names import name_a_model, names_of, reach_of
from harness.plugin.options import RUN_OPTIONS
from harness.plugin.progress import Progress
from harness.recipes.diff import untried
from harness.recipes.read import Recipe
from harness.reporting.rows import ModelRow
from harness.store.given import check_apart
from harness.store.opening import keep_given, open_pair
from harness.training.references import find_models, trained
from harness.versions import needed


class Models:
    """The models of a run, each loaded once.

    Attributes:
        untried: mitigations that the recipe lacks, the least costly first.
    """

    def __init__(
        self, config: pytest.Config, progress: Progress, selected: Sequence[Case], note: Callable[[str], None]
    ) -> None:
        """`selected` may grow until the first model is loaded; `note` takes notes for the user."""
        self.config = config
        self.options = config.stash[RUN_OPTIONS]
        self.progress = progress
        self.selected = selected
        self.note = note
        self.untried: list[str] = []
        self._found: ModelPair[Model, Model] | Recipe | None = None
        self._engines: EnginePair | None = None
        self._stored: dict[int, tuple[Engine, Engine]] = {}
        self._apart: set[frozenset[int]] = set()
        """Engines that were found to ask different models, by their ids; a pair of references was checked as it was loaded."""
        self._row = partial(model_row, identity=cache(weights_identity))  # it reads all weights

    def prepare(self) -> None:
        """Find the models, or read the recipe, before anything is collected.

        Raises:
            HarnessError: a reference leads nowhere.
        """
        model, baseline, settings = self.options.model, self.options.baseline, self.options.settings
        for option, value in (("model", model), ("baseline", baseline)):
            if value is not None and not value.strip():  # an unset variable of the shell
                name = names_of(self.config).best(option)
                raise HarnessError(f"{name}: is empty\n  name a folder, a hub id or a recipe")
        if model is not None:
            self._found = find_models(model, baseline, settings, reach_of(self.config))

    def engine(self, side: Side) -> Engine:
        """The engine of one side, loaded with the other on first use; raises HarnessError."""
        if self._engines is None:
            with needed():
                self._engines = self._load()
            self._apart.add(frozenset((id(self._engines.baseline), id(self._engines.tuned))))
            if isinstance(self._found, ModelPair):
                # their hashes are of what was loaded, whatever is written there until the record is
                for model in (self._found.baseline, self._found.tuned):
                    self._row(model)
            for text in self._engines.notes:
                self.note(text)
        return self._engines.of(side)

    def stored(self, engine: Engine, beside: Mapping[Side, Engine]) -> Engine:
        """The engine with the answers that the store keeps, if it is a user's own and tells which model it asks.

        Args:
            beside: the engines of both sides of the same case, as far as they are known.

        Raises:
            EngineError: its identity is no text, or that of the other side.
        """
        if id(engine) not in self._stored:
            pair = keep_given(EnginePair(engine, engine), self.options.settings, self.progress.say)
            self._stored[id(engine)] = (engine, pair.tuned)  # the engine too, so that its id stays its own
            for text in pair.notes:
                self.note(text)
            idle = changed(self.options.settings, ["template_arguments"])
            if idle and isinstance(engine, FunctionEngine):
                self.note(
                    f"{idle}: does nothing for {engine.label}, a function that is given the prompt alone"
                )
        found = self._stored[id(engine)][1]
        for other in beside.values():
            if frozenset((id(other), id(found))) not in self._apart:
                check_apart(other, found)
                self._apart.add(frozenset((id(other), id(found))))
        return found

    def rows(self, asked: Mapping[Side, Engine]) -> dict[str, Any]:
        """The models that were asked, for the record: those of the options, or the engines of a user's own fixtures."""
        known: dict[str, Any] = {"untried": self.untried}
        elsewhere: list[Engine] = []
        references: dict[Side, str | None] = {"baseline": self.options.baseline, "tuned": self.options.model}
        for side, reference in references.items():
            engine = asked.get(side)
            if engine is not None and not (self._engines and engine is self._engines.of(side)):
                name = f"from the fixture '{side}'"
                row = ModelRow(reference=engine.label, name=name, source="fixture")
                elsewhere.append(engine)
                if reference is not None:
                    option = names_of(self.config).best("baseline" if side == "baseline" else "model")
                    self.note(
                        f"{option} {reference} was not asked: the fixture '{side}' gives its own engine"
                    )
            elif self._engines and isinstance(self._found, ModelPair):
                row = self._row(self._found.of(side), reference, self._engines.of(side).label)
                engines = known_places(self._engines)
                known |= {"device": engines.device, "dtype": engines.dtype}
            else:
                continue
            known[side] = row.model_dump(mode="json")
        if len(elsewhere) == 2 and (idle := changed(self.options.settings, IDLE)):
            self.note(f"{idle}: did nothing, for fixtures give both engines, which run as they were made")
        return {"device": places_of(elsewhere), **known} if elsewhere else known

    def _load(self) -> EnginePair:
        baseline, settings, say = self.options.baseline, self.options.settings, self.progress.say
        if self._found is None:
            raise HarnessError(f"no model to load\n{name_a_model(self.config)}")
        if isinstance(self._found, Recipe):
            self.untried = untried(self._found.written)
        self._found = trained(self._found, baseline, settings, say, self.progress.counter)
        probes = dict.fromkeys((case.suite.name, probe.id) for case in self.selected for probe in case.probes)
        suites = {case.suite.name: under(case.suite, settings) for case in self.selected if case.probes}
        asked = [
            request(suite, probe)
            for suite in suites.values()
            for probe in suite.probes
            if (suite.name, probe.id) in probes
        ]
        return open_pair(self._found, settings, say, list(dict.fromkeys(asked)))
