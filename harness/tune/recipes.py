"""A base, a corpus and a target in, the recipes to try written as files out, in their order.

All are LoRA over every linear layer. The first two settle how much training the task takes; the others add a mitigation to
the gentlest that learnt enough.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harness.documents.within import Reach
from harness.recipes.advice import FEW_EXAMPLES, MANY_EPOCHS
from harness.recipes.read import Recipe, read_recipe
from harness.sweep.schedule import read_recipes
from harness.writing import write_whole

DOSES: Mapping[str, float] = {"lora": 2e-4, "lora-stronger": 5e-4}
"""The learning rates to try, gentlest first, by the name of their recipe."""

MITIGATIONS: Mapping[str, Mapping[str, Any]] = {
    "masked-kl": {"masked_kl": {"weight": 1.0}},
    "eaft": {"eaft": {}},
    "finch": {"finch": {}},
}
"""What is added to a recipe. The first costs a pass of the base over each batch, and kept by far the most where all were measured."""

REPLAYED = 0.25
"""The share of general examples under self-replay, where the user gives any."""

LEAST_STEPS = 200
BATCH = 4


@dataclass(frozen=True)
class Plan:
    """The recipes to try.

    Attributes:
        doses: without a mitigation, gentlest first.
        mitigated: by the name of a dose, that with one mitigation each, in the order in which to try them.
    """

    doses: tuple[Recipe, ...]
    mitigated: Mapping[str, tuple[Recipe, ...]]

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """All of them."""
        return (*self.doses, *(recipe for recipes in self.mitigated.values() for recipe in recipes))


def write_plan(
    folder: Path, base: str, corpus: Path, target: Path, general: Path | None, seed: int, reach: Reach
) -> Plan:
    """Write the recipes into a folder, and read them.

    Args:
        base: a folder, a hub id or `embedded`.
        general: questions that stand for what must be kept, for self-replay; None for no such recipe.

    Raises:
        RecipeError: the corpus or the general data cannot be read.
        OSError: the folder cannot be written.
    """
    data = {
        "base": str(Path(base).resolve()) if Path(base).is_dir() else base,
        "target": str(target.resolve()),
        "corpus": {"file": str(corpus.resolve())},
        "method": {"lora": {"r": 16, "alpha": 32, "target_modules": "all-linear"}},
        "batch": BATCH,
        "warmup": 0.1,
        "schedule": "cosine",
        "seed": seed,
        "steps": LEAST_STEPS,
    }
    mitigations = _mitigations(general)
    first, *_ = DOSES
    _write(folder, first, {**data, "learning_rate": DOSES[first]})
    examples = len(read_recipe(folder / f"{first}.yaml", reach).examples)  # errors of the corpus, once
    data["steps"] = steps_for(examples)
    names: dict[str, list[str]] = {}
    for dose, rate in DOSES.items():
        plain = {**data, "learning_rate": rate}
        _write(folder, dose, plain)
        names[dose] = [f"{dose}-{name}" for name in mitigations]
        for name, keys in mitigations.items():
            _write(folder, f"{dose}-{name}", {**plain, **keys})
    return _read(folder, names, reach)


def steps_for(examples: int) -> int:
    """How many updates a corpus takes: three epochs of a small one, one of a large one, and never so few that nothing is learnt."""
    epochs = MANY_EPOCHS if examples < FEW_EXAMPLES else 1
    return max(LEAST_STEPS, math.ceil(epochs * examples / BATCH))


def _mitigations(general: Path | None) -> dict[str, Mapping[str, Any]]:
    """Those to try, by name; self-replay, which kept most where it was measured, where there is data for it."""
    if general is None:
        return dict(MITIGATIONS)
    replay = {"file": str(general.resolve()), "fraction": REPLAYED, "answers": "baseline"}
    return {"self-replay": {"replay": replay}, **MITIGATIONS}


def _write(folder: Path, name: str, data: Mapping[str, Any]) -> None:
    text = yaml.safe_dump({"recipe": name, **data}, sort_keys=False, allow_unicode=True)
    write_whole(folder / f"{name}.yaml", text)


def _read(folder: Path, names: Mapping[str, Sequence[str]], reach: Reach) -> Plan:
    paths = [folder / f"{name}.yaml" for dose, mitigated in names.items() for name in (dose, *mitigated)]
    by_name = {recipe.name: recipe for recipe in read_recipes(paths, (), reach)}
    return Plan(
        tuple(by_name[dose] for dose in names),
        {dose: tuple(by_name[name] for name in mitigated) for dose, mitigated in names.items()},
    )
