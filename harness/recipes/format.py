"""The shape of a recipe file: every key, the values it takes and its meaning; mitigations bring keys of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field, create_model

from harness.documents.validate import Part, Shape
from harness.recipes import words
from harness.recipes.methods import FullFormat, LoraFormat, MethodFormat
from harness.recipes.mitigations import MITIGATIONS
from harness.recipes.mitigations.mitigation import Key, KeyedMitigation, PenaltyMitigation
from harness.recipes.plain import PlainRecipe, Task
from harness.recipes.shapes import CorpusFormat, GeneralFormat

KEYS: dict[str, Key[Any]] = {item.key.name: item.key for item in MITIGATIONS if item.key is not None}
"""The keys that mitigations bring, by their names."""

_ALWAYS_IN_CONTENT = {"replay", "ewc", "l2_sp", "distill"}
"""Without them the cache keys of models trained long ago would change."""

_FIELDS: dict[str, Any] = {
    name: (key.shape | None, Field(None, description=key.about)) for name, key in KEYS.items()
}


# pydantic orders keys from the last base to the first: those of mitigations stand after those of a Task.
class RecipeFormat(PlainRecipe, create_model("Mitigated", __base__=Task, **_FIELDS)):  # type: ignore[misc]
    """How a tuned model is trained."""

    def penalties(self) -> Iterator[tuple[PenaltyMitigation, Any]]:
        """The penalties of the recipe, each with the value of its key."""
        for mitigation in MITIGATIONS:
            if isinstance(mitigation, PenaltyMitigation) and (part := mitigation.key.of(self)) is not None:
                yield mitigation, part

    def refused(self) -> Iterator[tuple[str, str]]:
        """The keys of mitigations that the rest of the recipe does not go with, and why: what was seen, and what to do."""
        for mitigation in MITIGATIONS:
            if isinstance(mitigation, KeyedMitigation) and mitigation.key.of(self) is not None:
                if why := mitigation.refuses(self):
                    yield mitigation.key.name, why

    def general(self) -> dict[str, GeneralFormat]:
        """The parts that bring general data, by their keys."""
        parts = {name: key.of(self) for name, key in KEYS.items()}
        return {name: part for name, part in parts.items() if isinstance(part, GeneralFormat)}

    def content(self) -> dict[str, Any]:
        """Everything that the trained model depends on, as JSON values.

        A mitigation that is not used is left out, so that a new kind of mitigation changes no other recipe's content.
        """
        dumped = self.model_dump(mode="json", exclude={"about", "recipe", "target"})
        unused = {name for name, key in KEYS.items() if key.of(self) is None} - _ALWAYS_IN_CONTENT
        return {name: value for name, value in dumped.items() if name not in unused}


PARTS = {
    "": Part("a recipe", RecipeFormat, meanings=words.RECIPE, examples=words.RECIPES),
    "corpus": Part("a corpus", CorpusFormat, meanings=words.CORPUS, examples=words.CORPORA),
    "method": Part("the method", MethodFormat, meanings=words.METHOD, examples=words.METHODS),
    "lora": Part("lora", LoraFormat, meanings=words.LORA, examples=words.LORAS),
    "full": Part("full", FullFormat, examples=words.FULLS),
    **{
        key.name: Part(key.name, key.shape, meanings=words.OF_KEYS.get(key.name, words.CORPUS))
        for key in KEYS.values()
        if isinstance(key.shape, type) and issubclass(key.shape, Shape)
    },
}
