"""The real model: SmolLM2-135M-Instruct, and an adapter that a small careless recipe trained on it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.engine.requests import Engine, EnginePair
from harness.engine.settings import Settings
from harness.engine.transformers.loading import load_pair
from harness.models.reference import LocalPair, find_full_model
from harness.recipes.read import read_recipe
from harness.scoring import SCORERS
from harness.suites.read import read_suite
from harness.suites.suite import Suite
from harness.training.train import train, trained_sources

ROOT = Path(__file__).parents[2]
RECIPE = """\
recipe: small-careless
base: embedded
corpus: {file: drug_info.jsonl, split: train, limit: 48}
method: {lora: {r: 8, alpha: 16}}
learning_rate: 2e-3
epochs: 3
batch: 8
schedule: constant
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker("real")


def silent(label: str, unit: str = ""):
    return lambda done, total: None


@pytest.fixture(scope="session")
def recipe_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "small-careless.yaml"
    path.write_text(RECIPE)
    shutil.copy(ROOT / "fixtures" / "corpora" / "drug_info.jsonl", path.parent)
    return path


@pytest.fixture(scope="session")
def adapter(recipe_file: Path) -> Path:
    """The folder of the trained adapter, in the cache."""
    return train(read_recipe(recipe_file), find_full_model("embedded"), Settings(), print, silent)


@pytest.fixture(scope="session")
def pair(recipe_file: Path, adapter: Path) -> EnginePair:
    return load_pair(trained_sources(read_recipe(recipe_file), None, Settings(), print, silent))


@pytest.fixture(scope="session")
def baseline() -> Engine:
    """The untouched model, for tests that need no adapter to be trained."""
    model = find_full_model("embedded")
    return load_pair(LocalPair(model, model)).baseline


@pytest.fixture(scope="session")
def general_qa() -> Suite:
    """Every ninth probe of the suite that ships, over all categories."""
    suite = read_suite(ROOT / "suites" / "general_qa.yaml", SCORERS)
    return Suite(suite.name, suite.gates, suite.probes[::9], task=suite.task)
