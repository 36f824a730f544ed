"""A recipe file in, a Recipe out, or one RecipeError with everything wrong in the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.documents.document import Document, read_document
from harness.documents.problems import Problems
from harness.documents.validate import no_mapping, validate
from harness.documents.within import PROJECT, Reach, is_there
from harness.errors import InputError, Problem, RecipeError, Span
from harness.models.reference import RecipeFile, by_form
from harness.recipes.corpus import Corpus, read_corpus
from harness.recipes.examples import Example
from harness.recipes.format import PARTS, RecipeFormat
from harness.recipes.shapes import CorpusFormat

SUITE = "gate a model with it: pytest FILE --model=REF; a recipe begins with 'recipe: name'"


@dataclass(frozen=True)
class Recipe:
    """A recipe with its data; `general` holds the general data by the key that brings it (`replay`)."""

    path: Path
    written: RecipeFormat
    examples: tuple[Example, ...]
    general: Mapping[str, tuple[Example, ...]]
    document: Document = field(compare=False, repr=False)
    notes: tuple[str, ...] = field(default=(), compare=False)
    """What was guessed about its data."""

    @property
    def name(self) -> str:
        return self.written.recipe

    @property
    def content(self) -> dict[str, Any]:
        """Everything that the trained model depends on except its base, as JSON: `recipe`, `examples` and `general`."""
        return {
            "recipe": self.written.content(),
            "examples": [example.content for example in self.examples],
            "general": {
                key: [example.content for example in examples] for key, examples in self.general.items()
            },
        }

    @property
    def target(self) -> Path | None:
        """The suite that measures the target task."""
        return self.path.parent / self.written.target if self.written.target else None

    def span(self, *place: str) -> Span:
        """The place of a key in the recipe's file."""
        return self.document.span(place)


def read_recipe(path: Path, reach: Reach = PROJECT) -> Recipe:
    """Read and check a recipe and its corpora.

    Args:
        reach: where its corpora and its target may be.

    Raises:
        RecipeError: with every problem of the file and its corpora, each at its place.
    """
    try:
        document = read_document(path)
    except InputError as error:
        raise RecipeError(error.problems) from error
    if not isinstance(document.value, dict):
        top = Problem(document.span(()), *no_mapping("recipe", document.value))
        raise RecipeError([*document.problems, top])
    if "suite" in document.value and "recipe" not in document.value:
        message = "this is a suite, which asks a model, and no recipe"
        raise RecipeError.at(document.span(("suite",)), message, SUITE)
    written, wrong = validate(RecipeFormat, document.value, document, PARTS)
    collected = Problems(document.problems, RecipeError, path, document.told)
    collected.add(*wrong)
    problems = list(collected)
    if written is None:
        raise RecipeError(problems)
    if isinstance(by_form(written.base), RecipeFile):
        problems.append(
            Problem(document.span(("base",)), "the base of a recipe must be a model, saw a fixture file")
        )
    for key, why in written.refused():
        message, _, told = why.partition("\n  ")
        problems.append(Problem(document.span((key,)), f"'{key}' {message}", told))
    parts = {"corpus": written.corpus, **written.general()}
    data = {key: _corpus(document, key, part, written.format, reach, problems) for key, part in parts.items()}
    if written.target:
        problems += _target_problems(path, written.target, document.span(("target",)), reach)
    if problems:
        raise RecipeError(problems)
    corpus, *_ = data.values()
    general = {key: data[key].examples for key in written.general()}
    notes = dict.fromkeys(note for part in data.values() for note in part.notes)
    return Recipe(path, written, corpus.examples, general, document, tuple(notes))


def read_all(paths: Sequence[Path], reach: Reach) -> tuple[list[Recipe], list[Problem]]:
    """The recipes that can be read, in order, and everything wrong in all of the files."""
    recipes: list[Recipe] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            recipes.append(read_recipe(path, reach))
        except RecipeError as error:
            problems += error.problems
    return recipes, problems


def _target_problems(path: Path, target: str, place: Span, reach: Reach) -> Sequence[Problem]:
    try:
        suite = reach.path(target, path, place)
    except InputError as error:
        return error.problems
    if is_there(suite) and suite.is_file():
        return []
    return [Problem(place, f"there is no suite '{target}'", f"looked for {suite}")]


def _corpus(
    document: Document, key: str, part: CorpusFormat, form: str, reach: Reach, problems: list[Problem]
) -> Corpus:
    """The corpus under `key`; adds everything wrong with it to `problems`."""
    place = document.span((key, "file"))
    try:
        corpus = read_corpus(part, document.path, place, reach)
    except InputError as error:
        problems += error.problems
        return Corpus((), ())
    if form == "text" and any(example.earlier for example in corpus.examples):
        message = f"'{part.file}' has conversations of more than a question and its answer"
        problems.append(Problem(place, message, "train on them under 'format: chat'"))
    return corpus


def base_reference(recipe: Recipe) -> str:
    """The base as a reference from the working folder; in a recipe, a relative path starts at the recipe's folder."""
    base = recipe.written.base
    beside = recipe.path.parent / base
    return str(beside) if beside.is_dir() else base
