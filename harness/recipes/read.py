"""A recipe file in, a Recipe out, or one RecipeError with everything wrong in the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
    """A recipe that has been read, with what it trains on; `general` is by the key that brings it (`replay`)."""

    path: Path
    written: RecipeFormat
    examples: tuple[Example, ...]
    general: Mapping[str, tuple[Example, ...]] = field(default_factory=dict)
    document: Document | None = field(default=None, compare=False, repr=False)

    @property
    def name(self) -> str:
        return self.written.recipe

    @property
    def content(self) -> dict[str, Any]:
        """All that the trained model depends on but its base, as JSON values: `recipe`, `examples` and `general`."""
        return {
            "recipe": self.written.content(),
            "examples": _pairs(self.examples),
            "general": {key: _pairs(examples) for key, examples in self.general.items()},
        }

    @property
    def target(self) -> Path | None:
        """The suite that measures what is learnt."""
        return self.path.parent / self.written.target if self.written.target else None

    def span(self, *place: str) -> Span:
        """Where a key of the recipe stands."""
        return self.document.span(place) if self.document else Span(self.path, 1, 1)


def _pairs(examples: Sequence[Example]) -> list[list[str]]:
    return [[example.prompt, example.answer] for example in examples]


def read_recipe(path: Path, reach: Reach = PROJECT) -> Recipe:
    """Read and check a recipe and its corpora.

    Args:
        reach: where its corpora and its target may lie.

    Raises:
        RecipeError: with every problem of the file and its corpora, each at its place.
    """
    try:
        document = read_document(path)
    except InputError as error:
        raise RecipeError(error.problems) from error
    if not isinstance(document.value, dict):
        span = document.span(())
        raise RecipeError([Problem(span, f"a recipe is a mapping of keys to values, saw {describe(document.value)}",
                                   "begin with 'recipe: name'")])  # fmt: skip
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


def read_recipes(paths: Sequence[Path], reach: Reach = PROJECT) -> list[Recipe]:
    """Read several recipes; raises RecipeError with everything wrong in all of them."""
    recipes: list[Recipe] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            recipes.append(read_recipe(path, reach))
        except RecipeError as error:
            problems += error.problems
    if problems:
        raise RecipeError(problems)
    return recipes


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
    place = document.span((key, "file"))
    try:
        path = reach.path(corpus.file, document.path, place)
        lines = list(numbered_lines(path))
    except InputError as error:
        problems += error.problems
        return ()
    except OSError as error:
        message = f"the file '{corpus.file}' cannot be read: {reason(error)}"
        problems.append(Problem(place, message, f"looked for {document.path.parent / corpus.file}"))
        return ()
    found, before = [], len(problems)
    for span, line in lines:
        try:
            example = _example(line, corpus.split)
        except ValueError as error:
            problems.append(Problem(span, str(error)))
        else:
            found += [example] if example is not None else []
        if len(problems) - before == MOST_ROW_PROBLEMS:
            problems.append(
                Problem(place, f"{MOST_ROW_PROBLEMS} problems in '{corpus.file}'; the rest was not read")
            )
            break
    if not found and not problems:
        which = f" with split '{corpus.split}'" if corpus.split else ""
        problems.append(Problem(place, f"the file '{corpus.file}' has no lines{which} to train on"))
    return tuple(found[: corpus.limit])


def _example(line: str, split: str | None) -> Example | None:
    """The example of a JSON line, None if it is of another split; raises ValueError with what is wrong with it."""
    value = json_object(line)
    if split is not None and value.get("split") != split:
        return None
    for key in ("prompt", "answer"):
        if not isinstance(value.get(key), str) or not value[key].strip():
            raise ValueError(f"'{key}' must be text that is not empty, saw {describe(value.get(key))}")
        try:
            whole_text(value[key])
        except ValueError as error:
            raise ValueError(f"'{key}' holds {error}") from error
    return Example(value["prompt"], value["answer"])


def base_reference(recipe: Recipe) -> str:
    """The base as a reference from the working folder; a relative path is meant from the recipe's folder."""
    base = recipe.written.base
    beside = recipe.path.parent / base
    return str(beside) if beside.is_dir() else base
