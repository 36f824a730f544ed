"""A tuned model in memory whose changes can be made smaller, in place, and exactly back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any

import torch

from harness.engine.requests import Engine, EnginePair
from harness.engine.transformers.engine import TorchEngine
from harness.errors import ModelError
from harness.spelling import option
from harness.store.engine import StoredLocalEngine
from harness.training.edits.edit import Edit, Form, evenly

RULE = 1
"""Raised whenever an edit comes to give another model."""


class Repairable(ABC):
    """The engines of a tuned model under edits: one model for all of them, which is under the edit that was last asked.

    Attributes:
        form: of the written model.
        baseline: the engine of the baseline, which no edit changes.
        groups: those whose strengths can change, in the model's order.
    """

    form: Form
    groups: tuple[str, ...]

    def __init__(self, pair: EnginePair) -> None:
        self.baseline = pair.baseline
        self.tuned = pair.tuned
        self._under: Edit | None = None
        """The edit of the model in memory; None if it is as it was loaded, or unknown."""
        self._touched = False

    @property
    def unchanged(self) -> Edit:
        """The tuned model as it is."""
        return evenly(self.groups, 1.0)

    def engine(self, edit: Edit) -> Engine:
        """The tuned model under an edit, with the answers of the store."""
        as_tuned = edit.is_none and self.form == "adapter"  # whose answers the gate keeps
        label = self.tuned.label if as_tuned else f"{self.tuned.label}, {edit}"

        def opened() -> TorchEngine:
            engine = copy(self.loaded())
            active, engine.label = engine.active, label

            @contextmanager
            def acting() -> Iterator[None]:
                self.enter(edit)
                with active():
                    yield

            engine.active = acting
            return engine

        if not isinstance(self.tuned, StoredLocalEngine):
            return opened()
        if as_tuned:
            engine = copy(self.tuned)
            engine.opened = opened
            return engine
        key = {**edit.data, "form": self.form, "rule": RULE, "start": self.start}
        return self.tuned.edited(opened, label, key)

    def enter(self, edit: Edit) -> None:
        """Bring the model in memory under an edit."""
        if self._under != edit:
            self._under, self._touched = None, True
            with torch.no_grad():
                self.apply(edit)
            self._under = edit

    @property
    @abstractmethod
    def start(self) -> Any:
        """What the result of an edit depends on besides the tuned model, as JSON data."""

    @abstractmethod
    def loaded(self) -> TorchEngine:
        """The engine of the tuned model itself, in memory."""

    @abstractmethod
    def apply(self, edit: Edit) -> None:
        """Change the model in memory, whatever edit it is under."""

    @abstractmethod
    def write(self, edit: Edit, folder: Path) -> None:
        """Write the model under an edit into an existing folder: weights, configs and tokenizer."""

    def restore(self) -> None:
        """Give the model in memory back what it was, bit by bit."""
        if self._touched:
            self.enter(self.unchanged)
            self._touched = False


def itself(engine: Engine) -> TorchEngine:
    """The engine that runs the model, behind a store; it is loaded now if it was not.

    Raises:
        ModelError: it runs in another process, as under vLLM.
    """
    found = engine.engine() if isinstance(engine, StoredLocalEngine) else engine
    if not isinstance(found, TorchEngine):
        raise ModelError(
            f"{engine.label}: its weights are not in this process, so that they cannot be changed\n"
            f"  ask it by transformers: {option('engine', 'transformers')}"
        )
    return found
