"""The options in, both models out: found before collection, loaded when the first case asks, described for the record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import pytest

from harness.engine.pair import EnginePair
from harness.engine.prompts import request, under
from harness.engine.registry import open_pair
from harness.engine.requests import Engine, Side
from harness.errors import HarnessError
from harness.evaluation.record import model_row
from harness.gate.cases import Case
from harness.models.reference import Model, ModelPair
from harness.plugin.names import name_a_model, names_of, reach_of
from harness.plugin.options import options_of
from harness.plugin.progress import Progress
from harness.plugin.remembered import check_model, option_that_leaves_out, weights_of
from harness.recipes.diff import untried
from harness.recipes.read import Recipe
from harness.reporting.record import ModelRow
from harness.training.references import find_models, trained
from harness.versions import needed


class Models:
    """The models of a run, each loaded once.

    Attributes:
        untried: what the recipe has not tried against forgetting, the least costly first.
    """

    def __init__(
        self, config: pytest.Config, progress: Progress, selected: Sequence[Case], note: Callable[[str], None]
    ) -> None:
        """`selected` may grow until the first model is asked for; `note` takes what the user should hear."""
        self.config = config
        self.options = options_of(config)
        self.progress = progress
        self.selected = selected
        self.note = note
        self.untried: list[str] = []
        self._found: ModelPair[Model, Model] | Recipe | None = None
        self._engines: EnginePair | None = None
        self._row = cache(model_row)  # which reads all weights

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
            settings = self.options.settings
            if model is None:
                return
            self._found = find_models(model, self.options.baseline, settings, reach_of(self.config))
        except HarnessError as error:
            raise pytest.UsageError(error.on_command_line) from error
        self._check_memory()

    def engine(self, side: Side) -> Engine:
        """The baseline or the tuned model, loaded with the other when first asked for."""
        if self._engines is None:
            with needed():
                engines = self._load()
            try:
                self._check_memory()
            except pytest.UsageError as error:  # which ends no session from within a test
                raise HarnessError(str(error)) from error
            self._engines = engines
            for text in engines.notes:
                self.note(text)
        return self._engines.of(side)

    def rows(self, asked: Mapping[Side, Engine]) -> dict[str, Any]:
        """Who was really asked, for the record: the models of the options, or the engines of a user's own fixtures."""
        known: dict[str, Any] = {"untried": self.untried}
        sides: Sequence[tuple[Side, str | None]] = (
            ("baseline", self.options.baseline),
            ("tuned", self.options.model),
        )
        for side, reference in sides:
            engine = asked.get(side)
            if engine is not None and not (self._engines and engine is self._engines.of(side)):
                known[side] = _fixture_row(engine, side).model_dump(mode="json")
                if reference is not None:
                    name = names_of(self.config).best("baseline" if side == "baseline" else "model")
                    self.note(
                        f"{name} {reference} was not asked: the fixture '{side}' gives an engine of its own"
                    )
            elif self._engines and isinstance(self._found, ModelPair):
                label = self._engines.of(side).label
                known[side] = self._row(self._found.of(side), reference, label).model_dump(mode="json")
                known |= {"device": self._engines.device, "dtype": self._engines.dtype}
        return known

    def _check_memory(self) -> None:
        """Refuse to leave out what another model passed; until it is trained, a recipe is known by its name alone."""
        model, found, weights = self.options.model, self._found, None
        if model is None or option_that_leaves_out(self.config) is None:
            return
        if isinstance(found, ModelPair):
            weights = weights_of(self._row(found.tuned), self._row(found.baseline))
        check_model(self.config, model, weights)

    def _load(self) -> EnginePair:
        options, say = self.options, self.progress.say
        if self._found is None:
            raise HarnessError(f"no model to load\n{name_a_model(self.config)}")
        if isinstance(self._found, Recipe):
            self.untried = untried(self._found.written)
        self._found = trained(self._found, options.baseline, options.settings, say, self.progress.counter)
        asked = [
            request(under(case.suite, options.settings), probe)
            for case in self.selected
            for probe in case.probes
        ]
        return open_pair(self._found, options.settings, say, list(dict.fromkeys(asked)))


def _fixture_row(engine: Engine, side: Side) -> ModelRow:
    return ModelRow(reference=engine.label, name=f"from the fixture '{side}'", source="fixture")
