"""An adapter in, the same at other strengths out: its factors are scaled in place, and written under their own names."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from harness.engine.requests import EnginePair
from harness.engine.transformers.adapters import WEIGHTS, read_config, saved_tensors, tensors_in_memory
from harness.engine.transformers.engine import TorchEngine
from harness.models.files import has_tokenizer
from harness.models.reference import Adapter
from harness.training.edits.edit import Edit, groups_of
from harness.training.edits.formulas import interpolated
from harness.training.edits.kinds import Kind, linear_kind, role
from harness.training.edits.repairable import Repairable, itself
from harness.training.edits.written import copy_texts, with_rows, write_adapter_config

HEAD = "lm_head.weight"
EMBEDDINGS = ("embed_tokens.weight", "wte.weight", "embed_in.weight")
"""What a head that is tied to the embeddings is saved as."""


def repairable_adapter(
    source: Adapter, pair: EnginePair, allowed: tuple[str, ...] = ()
) -> AdapterAtStrengths | None:
    """The adapter at other strengths; None if it is of a kind that would have to be merged for that.

    Args:
        allowed: keys of its config that the installed peft need not know.

    Raises:
        ModelError: its files cannot be read.
    """
    config = read_config(source, allowed)
    kind = linear_kind(config)
    if kind is None:
        return None
    saved = saved_tensors(source)
    starts: dict[str, torch.Tensor] = {}
    for name, tensor in saved.items():
        if role(name, kind) == "whole":
            start = _of_base(name, tensor, source)
            if start is None:
                return None
            starts[name] = start
    return AdapterAtStrengths(source, pair, kind, saved, starts)


class AdapterAtStrengths(Repairable):
    """An adapter whose factors are scaled; what it saved whole is interpolated towards the base's."""

    form = "adapter"

    def __init__(
        self,
        source: Adapter,
        pair: EnginePair,
        kind: Kind,
        saved: dict[str, torch.Tensor],
        starts: dict[str, torch.Tensor],
    ) -> None:
        super().__init__(pair)
        self.source, self.kind, self.saved, self.starts = source, kind, saved, starts
        changing = {name: tensor for name, tensor in saved.items() if role(name, kind) != "fixed"}
        # The name of the module says the group, and the names of factors hide a matrix' dimensions.
        self.group = groups_of(
            {name: tensor.ndim if name in starts else 2 for name, tensor in changing.items()}
        )
        self.groups = tuple(dict.fromkeys(self.group.values()))

    @property
    def start(self) -> Any:
        return None  # the base, which is a part of the adapter's content

    def loaded(self) -> TorchEngine:
        return itself(self.tuned)

    def apply(self, edit: Edit) -> None:
        for name, tensor in self.tensors(edit).items():
            self._live[name].copy_(tensor)

    def tensors(self, edit: Edit) -> dict[str, torch.Tensor]:
        """The tensors of the file that change, as they are under an edit."""
        assert edit.pruning is None, "the product of two factors has no fewer values if they are pruned"
        strengths = edit.by_group
        return {name: self._changed(name, strengths[group]) for name, group in self.group.items()}

    def write(self, edit: Edit, folder: Path) -> None:
        write_adapter_config(self.source, folder)
        tensors = {name: tensor.contiguous() for name, tensor in (self.saved | self.tensors(edit)).items()}
        save_file(tensors, folder / WEIGHTS, metadata=self._metadata)
        if has_tokenizer(self.source.folder):
            copy_texts(self.source.folder, folder)

    def _changed(self, name: str, strength: float) -> torch.Tensor:
        saved = self.saved[name]
        if strength == 1:
            return saved
        precise = saved.to(torch.promote_types(saved.dtype, torch.float32))
        start = torch.full_like(precise, self.kind.rest)
        if name in self.starts:
            start = self.starts[name].to(precise)
        return interpolated(start, precise - start, strength).to(saved.dtype)

    @property
    def _metadata(self) -> dict[str, str]:
        path = self.source.folder / WEIGHTS
        if not path.is_file():  # pickled, which the user allowed
            return {"format": "pt"}
        with safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {"format": "pt"})

    @cached_property
    def _live(self) -> dict[str, torch.Tensor]:
        """The tensors in memory that change, by their names in the file."""
        engine = self.loaded()
        with engine.active():
            name = str(engine.model.active_adapter)
        found = tensors_in_memory(engine.model, name)
        return {key: found[key] for key in self.group}


def _of_base(name: str, tensor: torch.Tensor, source: Adapter) -> torch.Tensor | None:
    """The base's own tensor in place of one that the adapter saved whole; None if it is not in the base's files."""
    steps = [step for step in name.split(".") if step not in ("modules_to_save", "base_layer")]
    plain = ".".join(steps).removeprefix("base_model.model.")
    files = _files(source.base.folder)
    if plain not in files and plain.endswith(HEAD):
        plain = next((key for key in files if key.endswith(EMBEDDINGS)), plain)
    if plain not in files:
        return None
    with safe_open(files[plain], framework="pt") as opened:
        start = opened.get_tensor(plain)
    if start.shape[1:] != tensor.shape[1:]:
        return None
    return with_rows(start, tensor)


def _files(folder: Path) -> dict[str, Path]:
    """The file of each tensor of a full model in safetensors."""
    found: dict[str, Path] = {}
    for path in sorted(folder.glob("model*.safetensors")):
        with safe_open(path, framework="pt") as file:
            found.update(dict.fromkeys(file.keys(), path))
    return found
