"""A full model and the one that it was tuned from in, what lies between them out; an adapter is merged for that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from harness.engine.requests import EnginePair
from harness.engine.settings import Settings
from harness.engine.transformers.engine import TorchEngine
from harness.engine.transformers.kind import find_kind
from harness.engine.transformers.loading import load_pair
from harness.engine.transformers.quiet import quiet
from harness.errors import ModelError
from harness.models.identity import weights_identity
from harness.models.reference import Adapter, FullModel, LocalPair
from harness.progress import Log
from harness.training.edits.edit import Edit, groups_of
from harness.training.edits.formulas import edited
from harness.training.edits.merging import merged_into_base
from harness.training.edits.repairable import Repairable, itself
from harness.training.edits.written import saved_dtype, with_rows, write_full


def repairable_full_model(tuned: FullModel, start: FullModel, pair: EnginePair) -> FullModelBetween:
    """A full model whose baseline `start` is in memory beside it.

    Raises:
        ModelError: the two are of different architectures, or nothing changed.
    """
    engine = itself(pair.tuned)
    return FullModelBetween(pair, engine, itself(pair.baseline).model, tuned.folder, tuned.folder, start)


def merged_adapter(source: Adapter, pair: EnginePair, settings: Settings, say: Log) -> FullModelBetween:
    """An adapter, merged into a copy of its base.

    Raises:
        ModelError: an adapter of its kind cannot be merged.
    """
    base = source.base
    start = itself(load_pair(LocalPair(base, base), settings, say).tuned)
    found = itself(load_pair(LocalPair(base, source), settings, say).tuned)
    model = merged_into_base(found)
    engine = TorchEngine(model, found.tokenizer, source.name, quiet, found.budget, find_kind(model))
    return FullModelBetween(pair, engine, start.model, base.folder, source.folder, base)


class FullModelBetween(Repairable):
    """A full model whose changed weights are set in place between those of its start and its own.

    Args:
        like, text: folders of a full model with its configs, and of its tokenizer, to be written along.
    """

    form = "full"

    def __init__(
        self, pair: EnginePair, engine: TorchEngine, start: Any, like: Path, text: Path, source: FullModel
    ) -> None:
        super().__init__(pair)
        self._engine, self.like, self.text, self.source = engine, like, text, source
        self.saved = saved_dtype(like)
        self.live = dict(engine.model.named_parameters())
        before = dict(start.named_parameters(remove_duplicate=False))
        if misfit := next(
            (name for name, value in self.live.items() if not _fits(before.get(name), value)), None
        ):
            raise ModelError(
                f"{self.tuned.label}: is of another architecture than {source.name}: '{misfit}' is not in both, or of another shape\n"
                "  nothing lies between two models of different architectures"
            )
        changed = {
            name: value.data
            for name, value in self.live.items()
            if not torch.equal(with_rows(before[name].data, value.data), value.data)
        }
        if not changed:
            raise ModelError(
                f"{self.tuned.label}: its weights are those of {source.name}, so there is nothing to repair"
            )
        # The starts are those of the model in memory beside it; the ends must be kept, for they are overwritten.
        self.starts = {name: before[name].data for name in changed}
        self.ends = {name: value.clone() for name, value in changed.items()}
        self.group = groups_of({name: value.ndim for name, value in changed.items()})
        self.groups = tuple(dict.fromkeys(self.group.values()))

    @property
    def start(self) -> Any:
        return weights_identity(self.source.folder)

    def loaded(self) -> TorchEngine:
        return self._engine

    def apply(self, edit: Edit) -> None:
        strengths = edit.by_group
        for name, group in self.group.items():
            start, end = with_rows(self.starts[name], self.ends[name]), self.ends[name]
            value = edited(start, end, strengths[group], edit.pruning, edit.keep)
            # As it will be when it was saved and loaded.
            self.live[name].copy_(value.to(self.saved) if self._is_lossless(end) else value)

    def write(self, edit: Edit, folder: Path) -> None:
        self.enter(edit)
        model = self._engine.model
        packed: dict[int, torch.Tensor] = {}  # tied tensors stay one
        state = {
            name: packed.setdefault(value.data_ptr(), self._packed(value.detach()))
            for name, value in model.state_dict().items()
        }
        with quiet():
            write_full(model, state, self.like, self.text, folder)

    def _packed(self, value: torch.Tensor) -> torch.Tensor:
        return value.to(self.saved) if self._is_lossless(value) else value

    def _is_lossless(self, value: torch.Tensor) -> bool:
        """Whether the saved dtype holds a tensor exactly."""
        if self.saved is None or not value.is_floating_point():
            return False
        return torch.equal(value.to(self.saved).to(value.dtype), value)


def _fits(start: torch.Tensor | None, end: torch.Tensor) -> bool:
    """Whether a tensor has the shape of its start, up to rows for tokens that were added."""
    return (
        start is not None
        and start.ndim == end.ndim
        and start.shape[1:] == end.shape[1:]
        and (start.ndim > 1 or start.shape == end.shape)
    )
