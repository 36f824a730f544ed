"""docs/recipes.md: every key of a recipe has an example that can be read, and the whole recipe is one."""

from __future__ import annotations

import re

import pytest
import yaml

from harness.recipes.format import PARTS, RecipeFormat
from tools.docs.format_tables import RECIPE_PARTS, part_schema
from tools.docs.recipe_examples import EXAMPLES

LEAST = {
    "recipe": {
        "recipe": "r",
        "base": "b",
        "corpus": {"file": "f"},
        "method": {"full": {}},
        "learning_rate": 1e-4,
        "epochs": 1,
    },
    "corpus": {"file": "f"},
    "replay": {"file": "f", "fraction": 0.2},
    "ewc": {"file": "f", "importance": 1},
    "distill": {"file": "f"},
}
"""What a part needs beside the key that is tried."""


def yaml_11(text):
    """The text with its numbers as YAML 1.1 reads them: 2.0e-4 for 2e-4."""
    return re.sub(r"\b(\d)e-(\d)", r"\1.0e-\2", text)


def keys():
    return [(part, key) for part, examples in EXAMPLES.items() for key in examples]


@pytest.mark.parametrize("part", RECIPE_PARTS)
def test_every_key_has_an_example(part):
    assert list(EXAMPLES[part]) == list(part_schema(f"recipe-{part}")["properties"])


@pytest.mark.parametrize(("part", "key"), keys())
def test_an_example_can_be_read(part, key):
    beside = dict(LEAST.get(part, {}))
    if key == "steps":
        del beside["epochs"]
    value = yaml.safe_load(yaml_11(EXAMPLES[part][key]))
    shape = PARTS["" if part == "recipe" else part].shape
    assert key in shape.model_validate({**beside, key: value}).model_fields_set


def test_every_part_has_a_table():
    assert {name for name in PARTS if name} | {"recipe"} == set(RECIPE_PARTS)


def test_the_whole_recipe_is_one(root):
    page = (root / "docs" / "recipes.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert RecipeFormat.model_validate(yaml.safe_load(yaml_11(text))).recipe == "lamps"
