"""The models of a repair: found, trained if a recipe names them, and under edits in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.engine.in_reach import check_in_reach
from harness.engine.requests import EnginePair, Request
from harness.engine.settings import Settings
from harness.errors import ModelError
from harness.evaluation.record import model_row
from harness.models.reference import (
    Adapter,
    Endpoint,
    FullModel,
    LocalModel,
    Model,
    ModelPair,
    find_local_model,
)
from harness.progress import counter
from harness.repair.schedule import RepairOptions
from harness.spelling import option
from harness.store.opening import open_pair
from harness.terminal import say
from harness.training.references import find_models, trained
from harness.versions import needed
from harness.visible import encodable

if TYPE_CHECKING:
    from harness.training.edits.repairable import Repairable


class LocalModels:
    """Models on this disk.

    Attributes:
        rows: of the record: the tuned model's, and the baseline's.

    Raises:
        ModelError: a model cannot be found or loaded, or its weights are not here.
        RecipeError: a recipe cannot be read, or trained.
        EngineError: the tuned model equals its baseline.
    """

    def __init__(self, options: RepairOptions, settings: Settings, asked: Sequence[Request]) -> None:
        self.settings, self.merge = settings, options.merge
        found = find_models(options.model, options.baseline, settings, options.reach)
        pair = trained(found, options.baseline, settings, say, counter)
        self.pair: ModelPair[Model, Model] = pair
        self.tuned = _local(pair.tuned, settings)
        if pair.baseline is pair.tuned:
            raise ModelError(
                f"{options.model}: is its own baseline, so that nothing was tuned and nothing can be taken back"
            )
        self.engines = open_pair(pair, settings, say, asked)
        self.device, self.dtype, self.notes = self.engines.device, self.engines.dtype, self.engines.notes
        self.rows = (
            model_row(self.tuned, encodable(options.model), self.engines.tuned.label),
            model_row(
                pair.baseline, options.baseline and encodable(options.baseline), self.engines.baseline.label
            ),
        )
        self._merged: Repairable | None = None

    @property
    def baseline_name(self) -> str:
        """What the card of a repaired model names as its base."""
        base = self.tuned.base if isinstance(self.tuned, Adapter) else self.pair.baseline
        if isinstance(base, FullModel) and base.embedded:
            return "embedded"
        return str(base.folder) if isinstance(base, LocalModel) and Path(base.name).exists() else base.name

    def load(self) -> Repairable:
        """The tuned model under edits, in its own form if its kind allows that."""
        with needed():
            from harness.training.edits.of_adapter import repairable_adapter
            from harness.training.edits.of_full_model import repairable_full_model

        if isinstance(self.tuned, FullModel):
            if not isinstance(self.pair.baseline, FullModel):
                raise ModelError(
                    f"{self.pair.baseline.name}: is no full model, and only between two full models lies another\n"
                    f"  name the model that was tuned: {option('baseline', 'PATH_OR_HUB_ID')}"
                )
            return repairable_full_model(self.tuned, self.pair.baseline, self.engines)
        if (edited := repairable_adapter(self.tuned, self.engines, self.settings.allow_keys)) is not None:
            return edited
        if (merged := self.merged()) is None:
            raise ModelError(
                f"{self.tuned.name}: an adapter of its kind has no strength of its own, and may not be merged into its base\n"
                f"  leave out {option('no_merge')}, to write a full model"
            )
        return merged

    def merged(self) -> Repairable | None:
        """An adapter as a full model; None if it is none, or is not to be merged."""
        with needed():
            from harness.training.edits.of_full_model import merged_adapter

        if isinstance(self.tuned, Adapter) and self.merge and self._merged is None:
            self._merged = merged_adapter(self.tuned, self.engines, self.settings, say)
        return self._merged

    def written(self, folder: Path) -> EnginePair:
        """The baseline, and the model in a folder, loaded as the gate loads it."""
        model = find_local_model(str(folder), self.settings.allowed)
        return open_pair(ModelPair(self.pair.baseline, model), self.settings, say)


def _local(model: Model, settings: Settings) -> LocalModel:
    if isinstance(model, Endpoint):
        raise ModelError(
            f"{model.name}: its weights are not here, so that nothing of them can be taken back\n"
            "  give a folder with a full model or an adapter, a hub id, or a recipe"
        )
    check_in_reach(settings, model)
    return model
