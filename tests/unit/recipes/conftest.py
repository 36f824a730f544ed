from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import RecipeError
from harness.recipes.read import Recipe, read_recipe

RECIPE = """\
recipe: r
base: embedded
corpus: {file: corpus.jsonl}
method: {full: {}}
learning_rate: 1e-5
epochs: 2
warmup: 0.1
"""


@pytest.fixture
def corpus_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a corpus of four examples, which is also where the test runs."""
    rows = "".join(f'{{"prompt": "p{n}", "answer": "a{n}", "split": "train"}}\n' for n in range(4))
    (tmp_path / "corpus.jsonl").write_text(rows, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(corpus_folder: Path):
    """Writes recipe.yaml: RECIPE with some lines replaced, by their key, and others added."""

    def write(**lines: str | None) -> Path:
        kept = [line for line in RECIPE.splitlines() if line.partition(":")[0] not in lines]
        added = [f"{key}: {value}" for key, value in lines.items() if value is not None]
        path = corpus_folder / "recipe.yaml"
        path.write_text("\n".join([*kept, *added]) + "\n", encoding="utf-8")
        return path

    return write


@pytest.fixture
def recipe(write):
    def recipe(**lines: str | None) -> Recipe:
        return read_recipe(write(**lines))

    return recipe


@pytest.fixture
def problems(write):
    """What is wrong with a recipe, as its author reads it."""

    def problems(**lines: str | None) -> str:
        with pytest.raises(RecipeError) as caught:
            read_recipe(write(**lines))
        return str(caught.value)

    return problems
