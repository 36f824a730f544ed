"""The shape of a recipe file: every key, what it may hold and what it means; those of mitigations come from their table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.documents.validate import Part, Shape
from harness.recipes.methods import METHODS, MethodFormat
from harness.recipes.mitigations import MITIGATIONS
from harness.recipes.plain import PlainRecipe, Task
from harness.recipes.shapes import CorpusFormat, GeneralFormat, Key, with_keys

KEYS: dict[str, Key[Any]] = {item.key.name: item.key for item in MITIGATIONS if item.key is not None}
"""The keys that mitigations bring, by their names."""

_ALWAYS_IN_CONTENT = {"replay", "ewc", "l2_sp", "distill"}
"""Without them the cache keys of models trained long ago would change."""

if TYPE_CHECKING:  # the keys of mitigations are read through them: EWC_KEY.of(recipe)
    Mitigated = Task
else:
    Mitigated = with_keys("Mitigated", Task, KEYS.values())


class RecipeFormat(PlainRecipe, Mitigated):  # pydantic orders keys from the last base to the first
    """How a tuned model is trained."""

    def general(self) -> dict[str, GeneralFormat]:
        """The parts that bring general data, by their keys."""
        parts = {name: key.of(self) for name, key in KEYS.items()}
        return {name: part for name, part in parts.items() if isinstance(part, GeneralFormat)}

    def content(self) -> dict[str, Any]:
        """All that the trained model depends on, as JSON values.

        A mitigation that is not used is left out, so that a new kind of mitigation changes no other recipe's content.
        """
        dumped = self.model_dump(mode="json", exclude={"about", "recipe", "target"})
        unused = {name for name, key in KEYS.items() if key.of(self) is None} - _ALWAYS_IN_CONTENT
        return {name: value for name, value in dumped.items() if name not in unused}


PARTS = {
    "": Part("a recipe", RecipeFormat),
    "corpus": Part("a corpus", CorpusFormat),
    "method": Part("the method", MethodFormat),
    **{
        key.name: Part(key.called or key.name, key.shape)
        for key in (*KEYS.values(), *(method.key for method in METHODS))
        if isinstance(key.shape, type) and issubclass(key.shape, Shape)
    },
}
