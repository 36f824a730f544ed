"""A pair of engines in, the tuned model with parts of its changes switched off as engines out, with the answers of the store."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from copy import copy
from functools import cached_property
from typing import Any

from harness.engine.requests import Engine, EnginePair
from harness.engine.transformers.engine import TorchEngine
from harness.store.engine import StoredLocalEngine
from harness.training.edits.parts import Part
from harness.training.edits.repairable import itself
from harness.training.edits.switching import Changes, acting, changes_of


class EditedModels:
    """The tuned model of a pair, without parts of what tuning changed; loaded when the store cannot answer.

    Args:
        pair: two models on this disk, as `store.opening.open_pair` gives them.
    """

    def __init__(self, pair: EnginePair) -> None:
        self.pair = pair

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """What can be switched off, in the model's order; raises ModelError if nothing can."""
        return tuple(Part(layer, module) for layer, module in self._facts["parts"])

    @property
    def rest(self) -> tuple[str, ...]:
        """The names of changed tensors that cannot be switched off."""
        return tuple(self._facts["rest"])

    def without(self, off: Collection[Part]) -> Engine:
        """The tuned model without the changes of some parts."""
        if not off:
            return self.pair.tuned
        parts = sorted(set(off))
        label = f"{self.pair.tuned.label} without {len(parts)} of {len(self.parts)} parts"

        def opened() -> TorchEngine:
            engine = copy(self.tuned)
            engine.label, engine.active = label, acting(self.tuned, self.changes, parts)
            return engine

        stored = self.pair.tuned
        if not isinstance(stored, StoredLocalEngine):
            return opened()
        edit = {
            "off": [[part.layer, part.module] for part in parts],
            "as in": self._content(self.pair.baseline),
        }
        return stored.edited(opened, label, edit)

    # In memory

    @cached_property
    def tuned(self) -> TorchEngine:
        """The engine of the tuned model itself, loaded."""
        return itself(self.pair.tuned)

    @cached_property
    def changes(self) -> Changes:
        """What tuning changed, in memory."""
        return changes_of(itself(self.pair.baseline), self.tuned)

    def remembered(self, key: Sequence[Any], find: Callable[[], Any]) -> Any:
        """What was found of these two models under a key of JSON data before, or what `find` finds now; neither is None."""
        stored = self.pair.tuned
        if not isinstance(stored, StoredLocalEngine):
            return find()
        return stored.remember([*key, self._content(stored), self._content(self.pair.baseline)], find)

    @cached_property
    def _facts(self) -> dict[str, Any]:
        def find() -> dict[str, Any]:
            parts = [[part.layer, part.module] for part in self.changes.parts]
            return {"parts": parts, "rest": list(self.changes.rest)}

        found: dict[str, Any] = self.remembered(["parts"], find)
        return found

    @staticmethod
    def _content(engine: Engine) -> Any:
        return dict(engine.shelf.content) if isinstance(engine, StoredLocalEngine) else None
