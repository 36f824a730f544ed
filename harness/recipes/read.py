"""A recipe file in, a Recipe out, or one RecipeError with everything wrong in the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any

from harness.documents.data_file import json_object
from harness.documents.document import Document, read_document
from harness.documents.text_file import numbered_lines
from harness.documents.validate import describe, validate
from harness.documents.within import PROJECT, Reach, is_there
from harness.documents.written import whole_text
from harness.errors import InputError, Problem, RecipeError, Span, reason
from harness.limits import MOST_ROW_PROBLEMS
from harness.models.reference import RecipeFile, by_form
from harness.recipes.format import PARTS, RecipeFormat
from harness.recipes.shapes import CorpusFormat


@dataclass(frozen=True)
class Example:
    """One prompt and the answer to learn."""

    prompt: str
    answer: str


@dataclass(frozen=True)
class Recipe:
    """A recipe with its data; `general` holds the general data by the key that brings it (`replay`)."""

    path: Path
    written: RecipeFormat
    examples: tuple[Example, ...]
    general: Mapping[str, tuple[Example, ...]]
    document: Document = field(compare=False, repr=False)

    @property
    def name(self) -> str:
        return self.written.recipe

    @property
    def content(self) -> dict[str, Any]:
        """Everything that the trained model depends on except its base, as JSON: `recipe`, `examples` and `general`."""
        return {
            "recipe": self.written.content(),
            "examples": list(map(astuple, self.examples)),
            "general": {key: list(map(astuple, examples)) for key, examples in self.general.items()},
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
        raise RecipeError.at(
            document.span(()),
            f"a recipe is a mapping of keys to values, saw {describe(document.value)}",
            "begin with 'recipe: name'",
        )
    written, problems = validate(RecipeFormat, document.value, document, PARTS)
    problems = [*document.problems, *problems]
    if written is None:
        raise RecipeError(problems)
    if isinstance(by_form(written.base), RecipeFile):
        problems.append(
            Problem(document.span(("base",)), "the base of a recipe must be a model, saw a fixture file")
        )
    examples = _examples(document, "corpus", written.corpus, reach, problems)
    general = {
        key: _examples(document, key, part, reach, problems) for key, part in written.general().items()
    }
    if written.target:
        problems += _target_problems(path, written.target, document.span(("target",)), reach)
    if problems:
        raise RecipeError(problems)
    return Recipe(path, written, examples, general, document)


def read_all(paths: Sequence[Path], reach: Reach = PROJECT) -> tuple[list[Recipe], list[Problem]]:
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


def _examples(
    document: Document, key: str, corpus: CorpusFormat, reach: Reach, problems: list[Problem]
) -> tuple[Example, ...]:
    """The examples of the corpus under `key`; adds everything wrong with it to `problems`."""
    place = document.span((key, "file"))
    try:
        lines = list(numbered_lines(reach.path(corpus.file, document.path, place)))
    except InputError as error:
        problems += error.problems
        return ()
    except OSError as error:
        message = f"the file '{corpus.file}' cannot be read: {reason(error)}"
        problems.append(Problem(place, message, f"looked for {document.path.parent / corpus.file}"))
        return ()
    examples: list[Example] = []
    faults: list[Problem] = []
    for span, line in lines:
        try:
            row = json_object(line)
            if corpus.split in (None, row.get("split")):
                examples.append(_example(row))
        except ValueError as error:
            faults.append(Problem(span, str(error)))
        if len(faults) == MOST_ROW_PROBLEMS:
            rest = f"{MOST_ROW_PROBLEMS} problems in '{corpus.file}'; the rest was not read"
            faults.append(Problem(place, rest))
            break
    if not examples and not faults:
        which = f" with split '{corpus.split}'" if corpus.split else ""
        faults.append(Problem(place, f"the file '{corpus.file}' has no lines{which} to train on"))
    problems += faults
    return tuple(examples[: corpus.limit])


def _example(row: dict[str, Any]) -> Example:
    """The example of a row; raises ValueError with what is wrong with it."""
    for key in ("prompt", "answer"):
        if not isinstance(row.get(key), str) or not row[key].strip():
            raise ValueError(f"'{key}' must be non-empty text, saw {describe(row.get(key))}")
        try:
            whole_text(row[key])
        except ValueError as error:
            raise ValueError(f"'{key}' holds {error}") from error
    return Example(row["prompt"], row["answer"])


def base_reference(recipe: Recipe) -> str:
    """The base as a reference from the working folder; in a recipe, a relative path starts at the recipe's folder."""
    base = recipe.written.base
    beside = recipe.path.parent / base
    return str(beside) if beside.is_dir() else base
