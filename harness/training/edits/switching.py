"""A tuned model and its baseline in memory in, contexts in which parts of what tuning changed are switched off, out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import torch
from peft import PeftModel
from peft.tuners.tuners_utils import BaseTunerLayer
from peft.utils.other import AuxiliaryTrainingWrapper

from harness.engine.transformers.engine import TorchEngine
from harness.errors import ModelError
from harness.training.edits.kinds import linear_kind, role
from harness.training.edits.parts import Part, parts_of
from harness.training.penalties.penalty import keeping_what_learns

Line = Sequence[tuple[torch.Tensor, torch.Tensor]]
"""Values of a model, each with what it is at the beginning of a line that ends where it is now."""


class Changes(Protocol):
    """What tuning changed in a model.

    `parts` are those that can be switched off, in the model's order; `rest` names the changed tensors that cannot; `learned` are
    the parameters of all parts. `starts` are values of as many of these as lie on a line from the baseline to the tuned model,
    with those at its beginning; empty where no line is known.
    """

    parts: tuple[Part, ...]
    rest: tuple[str, ...]
    learned: tuple[torch.nn.Parameter, ...]
    starts: Line

    def without(self, off: Collection[Part]) -> AbstractContextManager[None]:
        """Inside the block, these parts are as in the baseline; afterwards the model is what it was, bit by bit."""
        ...


@contextmanager
def on_the_way(changes: Changes, strength: float) -> Iterator[None]:
    """Inside the block, the model lies at `strength` on the line from the baseline, 0, to the tuned model, 1."""
    with _restored(value for value, _ in changes.starts):
        for value, start in changes.starts:
            value.data = torch.lerp(start.to(value.data), value.data, strength)
        yield


@contextmanager
def _restored(values: Iterable[torch.Tensor]) -> Iterator[None]:
    """Values that are replaced inside the block are what they were afterwards, bit by bit."""
    kept = [(value, value.data) for value in values]
    try:
        yield
    finally:
        for value, own in kept:
            value.data = own


def changes_of(baseline: TorchEngine, tuned: TorchEngine) -> Changes:
    """The changes of an adapter, or of a full model whose baseline is in memory beside it.

    Raises:
        ModelError: nothing that changed can be switched off, as where the two are of different architectures.
    """
    with tuned.active():
        adapter = str(tuned.model.active_adapter) if isinstance(tuned.model, PeftModel) else None
    found: _OfFullModel | _OfAdapter = (
        _OfFullModel(baseline, tuned) if adapter is None else _OfAdapter(tuned, adapter)
    )
    if not found.parts:
        raise ModelError(
            f"{tuned.label}: nothing in it can be switched off by itself\n"
            "  an adapter of layers (LoRA and its like), or a full model of its baseline's architecture, can be"
        )
    return found


class _OfAdapter:
    """Modules that peft put around those of the base, each of which can leave its adapter out."""

    def __init__(self, tuned: TorchEngine, adapter: str) -> None:
        self.model = tuned.model
        modules = {name: module for name, module in self.model.named_modules() if _adapts(module, adapter)}
        self.modules: Mapping[Part, list[Any]] = _by_part(modules)
        self.parts = tuple(self.modules)
        self.rest: tuple[str, ...] = ()
        learned = {
            id(value): (name, value)
            for module in modules.values()
            for name, value in module.named_parameters()
            if adapter in name.split(".")
        }
        self.learned = tuple(value for _, value in learned.values())
        config = self.model.peft_config[adapter]
        kind = linear_kind({**config.to_dict(), "peft_type": config.peft_type.value})
        self.starts: Line = [
            (value, torch.full_like(value, kind.rest))
            for name, value in learned.values()
            if kind is not None and role(name, kind) == "factor"
        ]

    @contextmanager
    def without(self, off: Collection[Part]) -> Iterator[None]:
        modules = [module for part in off for module in self.modules[part]]
        with keeping_what_learns(self.model):  # peft freezes what it switches off
            try:
                for module in modules:
                    module.enable_adapters(False)
                yield
            finally:
                for module in modules:
                    module.enable_adapters(True)


def _adapts(module: torch.nn.Module, adapter: str) -> bool:
    """Whether a module of peft has parameters of the adapter; another adapter on the same base has others."""
    if not isinstance(module, BaseTunerLayer | AuxiliaryTrainingWrapper):
        return False
    return any(adapter in name.split(".") for name, _ in module.named_parameters())


class _OfFullModel:
    """Parameters whose values differ from the baseline's, each of which can take those in its place."""

    def __init__(self, baseline: TorchEngine, tuned: TorchEngine) -> None:
        before, after = _tensors(baseline.model), _tensors(tuned.model)
        changed = {name: value for name, value in after.items() if not _equal(before.get(name), value)}
        fits = {name: value for name, value in changed.items() if _fits(before.get(name), value)}
        self.pairs = _by_part({name: (value, before[name]) for name, value in fits.items()})
        self.parts = tuple(self.pairs)
        self.rest = tuple(name for name in changed if name not in fits)
        self.learned = tuple(value for value in fits.values() if isinstance(value, torch.nn.Parameter))
        self.starts: Line = [(value, before[name].data) for name, value in fits.items()]

    @contextmanager
    def without(self, off: Collection[Part]) -> Iterator[None]:
        pairs = [pair for part in off for pair in self.pairs[part]]
        with _restored(value for value, _ in pairs):
            for value, before in pairs:
                value.data = before.data.to(value)  # no copy where device and dtype are the same
            yield


def _tensors(model: Any) -> dict[str, torch.Tensor]:
    """Parameters and buffers that are saved, tied ones once."""
    found: dict[int, tuple[str, torch.Tensor]] = {}
    for name, value in model.state_dict(keep_vars=True).items():
        found.setdefault(id(value), (name, value))
    return dict(found.values())


def _fits(before: torch.Tensor | None, after: torch.Tensor) -> bool:
    return before is not None and before.shape == after.shape


def _equal(before: torch.Tensor | None, after: torch.Tensor) -> bool:
    return before is not None and _fits(before, after) and torch.equal(before.to(after), after)


def _by_part(found: Mapping[str, Any]) -> dict[Part, list[Any]]:
    """What belongs to each part, in the model's order."""
    grouped: dict[Part, list[Any]] = {}
    for name, part in parts_of(found).items():
        grouped.setdefault(part, []).append(found[name])
    return grouped


def acting(
    engine: TorchEngine, changes: Changes, off: Collection[Part]
) -> Callable[[], AbstractContextManager[None]]:
    """A context in which the engine's model acts without some parts, in place of the engine's own `active`."""

    @contextmanager
    def active() -> Iterator[None]:
        with engine.active(), changes.without(off):
            yield

    return active
