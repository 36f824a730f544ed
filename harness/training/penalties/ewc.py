"""A model and general data in, a penalty out that holds each weight by how much the data depends on it.

Elastic weight consolidation: L + (lambda / 2) sum_i F_i (theta_i - theta*_i)^2 (Kirkpatrick 2017, eq. 3).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from harness.errors import ModelError, NoEvidenceError, first_line
from harness.recipes.mitigations.ewc import EwcFormat
from harness.training.penalties.fisher import Batch, Variant, fisher_diagonal
from harness.training.penalties.penalty import Start, check_fit, copied, summed_distance, trainable
from harness.writing import system_fault, whole_file, write_fault, writing

KIND = "elastic weight consolidation, 1"
"""The kind that a saved file names in its metadata, and the version of its layout."""


def build(part: EwcFormat, start: Start) -> EWCRegularizer:
    """The penalty of a recipe's `ewc`; raises ModelError and NoEvidenceError as `update_fisher`."""
    regularizer = EWCRegularizer(start.model, part.importance, part.variant, start.recipe.written.seed)
    regularizer.update_fisher(start.model, _one_by_one(start))
    return regularizer


def _one_by_one(start: Start) -> Iterator[dict[str, Tensor]]:
    """Each row as a batch of its own, (1, tokens), which needs no padding."""
    on_progress = start.counter(f"{start.recipe.name}, Fisher information", "examples")
    for done, row in enumerate(start.rows, start=1):
        yield {name: value.to(start.model.device) for name, value in start.collator([row]).items()}
        on_progress(done, len(start.rows))


class EWCRegularizer:
    """Holds the trainable parameters near theta*, their values at construction.

    Call `update_fisher` on the data to protect before training. Called again after a task, it protects that task
    too (online EWC, Schwarz 2018, with no decay): the Fisher informations add up and theta* becomes the present
    weights.

    A LoRA adapter begins with B = 0, where A has no gradient: its Fisher information is zero in A, so only B is held,
    and through it the change B A.

    Args:
        importance: lambda, at least 0.
        variant: whose labels the Fisher information takes; see `fisher_diagonal`.
        seed: of `sampled`.

    Raises:
        ModelError: no parameter is trainable, or the importance is negative, NaN or infinite.
    """

    def __init__(self, model: Any, importance: float, variant: Variant = "empirical", seed: int = 0) -> None:
        self.importance = _checked(importance, "importance of EWC")
        self.variant: Variant = variant
        self.seed = seed
        self.anchor = copied(trainable(model))
        self.fisher: dict[str, Tensor] | None = None

    def update_fisher(self, model: Any, dataloader: Iterable[Batch], num_batches: int | None = None) -> None:
        """Protect what `model` knows of the data; at most `num_batches` of its batches are used.

        Raises:
            ModelError, NoEvidenceError: as `fisher_diagonal`, or other parameters are trainable now than at
                construction; the earlier protection stays.
        """
        parameters = trainable(model)
        check_fit(self.anchor, parameters, "the model", exactly=True)
        fisher = fisher_diagonal(model, dataloader, self.variant, num_batches, self.seed)
        if self.fisher is not None:
            # Informations of independent data add up, as their log-likelihoods do.
            fisher = {name: value + self.fisher[name].to(value.device) for name, value in fisher.items()}
            self.anchor = copied(parameters)
        self.fisher = fisher

    def ewc_loss(self, model: Any) -> Tensor:
        """(lambda / 2) sum_i F_i (theta_i - theta*_i)^2: a float32 scalar on the model's device, in nats.

        Raises:
            NoEvidenceError: `update_fisher` was never called.
            ModelError: the model lacks parameters that are held.
        """
        distance = summed_distance(
            model, self.anchor, lambda now, start: (now - start).square(), self._known()
        )
        return self.importance / 2 * distance

    def loss(self, model: Any, step: int) -> Tensor:
        return self.ewc_loss(model)

    def _known(self) -> dict[str, Tensor]:
        if self.fisher is None:
            raise NoEvidenceError(
                "EWC has no Fisher information yet, so it would hold nothing\n  call update_fisher(model, dataloader) first"
            )
        return self.fisher

    def state_dict(self) -> dict[str, Any]:
        """`importance`, `variant`, `seed`, `anchor` (theta* by name) and `fisher` (F by name).

        Raises:
            NoEvidenceError: `update_fisher` was never called.
        """
        return {
            "importance": self.importance,
            "variant": self.variant,
            "seed": self.seed,
            "anchor": dict(self.anchor),
            "fisher": dict(self._known()),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the state that `state_dict` gave for the same parameters.

        Raises:
            ModelError: its names or shapes are not those of this one's model, or its Fisher information is NaN,
                infinite or negative; nothing is taken over.
        """
        if missing := sorted({"importance", "variant", "seed", "anchor", "fisher"} - state.keys()):
            raise ModelError(f"the saved state has no '{missing[0]}'")
        importance = _checked(state["importance"], "saved importance")
        for part, least, fault in (
            ("anchor", -math.inf, "NaN or infinite; train its model again"),
            ("fisher", 0.0, "NaN, infinite or negative; compute it again"),
        ):
            check_fit(self.anchor, state[part], f"the saved {part}", exactly=True)
            for name, value in state[part].items():
                if not bool((torch.isfinite(value) & (value >= least)).all()):
                    raise ModelError(f"the saved {part} of '{name}' is {fault}")
        self.importance, self.variant, self.seed = importance, state["variant"], state["seed"]
        devices = {name: value.device for name, value in self.anchor.items()}
        self.anchor = {name: state["anchor"][name].to(device, copy=True) for name, device in devices.items()}
        self.fisher = {
            name: state["fisher"][name].to(device, torch.float32, copy=True)
            for name, device in devices.items()
        }

    def save(self, path: Path | str) -> None:
        """Write one safetensors file, whole or not at all.

        Raises:
            NoEvidenceError: `update_fisher` was never called.
            HarnessError: the file cannot be written.
        """
        state = self.state_dict()
        tensors = {
            f"{part}.{name}": value.contiguous()
            for part in ("anchor", "fisher")
            for name, value in state[part].items()
        }
        settings = {key: state[key] for key in ("importance", "variant", "seed")}
        with (
            writing(f"{path}: cannot be written", "name another place", _unsaved),
            whole_file(Path(path)) as unfinished,
        ):
            save_file(tensors, unfinished, metadata={"kind": KIND, "settings": json.dumps(settings)})

    @classmethod
    def load(cls, path: Path | str, model: Any) -> EWCRegularizer:
        """Read what `save` wrote, for a model with the same trainable parameters.

        Raises:
            ModelError: the file cannot be read, is of another kind, or does not fit the model.
        """
        try:
            with safe_open(path, framework="pt") as file:
                metadata = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, no mapping
        except (OSError, SafetensorError) as error:
            raise ModelError(f"{path}: cannot be read as safetensors: {error}") from error
        if metadata.get("kind") != KIND:
            raise ModelError(f"{path}: expected a file of kind '{KIND}', saw {metadata.get('kind')!r}")
        try:
            state: dict[str, Any] = {**json.loads(metadata["settings"]), "anchor": {}, "fisher": {}}
            for key, value in tensors.items():
                part, _, name = key.partition(".")
                state[part][name] = value
            regularizer = cls(model, state["importance"])
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise ModelError(
                f"{path}: is not as it was saved: {type(error).__name__}: {first_line(error)}"
            ) from error
        try:
            regularizer.load_state_dict(state)
        except ModelError as error:
            raise ModelError(f"{path}: {error.text}") from error
        return regularizer


def _checked(importance: float, name: str) -> float:
    if not (math.isfinite(importance) and importance >= 0):
        raise ModelError(f"the {name} must be a number of at least 0, saw {importance}")
    return importance


def _unsaved(error: Exception) -> str | None:
    """Why nothing could be written, in words; safetensors raises errors of its own."""
    said = first_line(error) if isinstance(error, SafetensorError) else None
    return write_fault(error) or system_fault(error) or said
