"""A recipe file in, a Recipe out, or one RecipeError with everything wrong in the file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import InputError, Problem, RecipeError, Span
from harness.models.reference import is_recipe
from harness.suites.document import Document, read_document
from harness.suites.validate import describe, validate
from harness.training.format import PARTS, CorpusFormat, RecipeFormat


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
    def target(self) -> Path | None:
        """The suite that measures what is learnt."""
        return self.path.parent / self.written.target if self.written.target else None

    def span(self, *place: str) -> Span:
        """Where a key of the recipe stands."""
        return self.document.span(place) if self.document else Span(self.path, 1, 1)


def read_recipe(path: Path) -> Recipe:
    """Read and check a recipe and its corpora.

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
    if is_recipe(written.base):
        problems.append(
            Problem(document.span(("base",)), "the base of a recipe must be a model, saw a fixture file")
        )
    examples = _examples(document, "corpus", written.corpus, problems)
    general = {key: _examples(document, key, part, problems) for key, part in written.general().items()}
    if written.target and not (path.parent / written.target).is_file():
        problems.append(
            Problem(
                document.span(("target",)),
                f"there is no suite '{written.target}'",
                f"looked for {path.parent / written.target}",
            )
        )
    if problems:
        raise RecipeError(problems)
    return Recipe(path, written, examples, general, document)


def _examples(
    document: Document, key: str, corpus: CorpusFormat, problems: list[Problem]
) -> tuple[Example, ...]:
    path = document.path.parent / corpus.file
    place = document.span((key, "file"))
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        problems.append(
            Problem(place, f"the file '{corpus.file}' cannot be read: {reason}", f"looked for {path}")
        )
        return ()
    found = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        example = _example(line, corpus.split)
        if isinstance(example, str):
            problems.append(Problem(Span(path, number, 1), example))
        elif example is not None:
            found.append(example)
    if not found and not problems:
        which = f" with split '{corpus.split}'" if corpus.split else ""
        problems.append(Problem(place, f"the file '{corpus.file}' has no lines{which} to train on"))
    return tuple(found[: corpus.limit])


def _example(line: str, split: str | None) -> Example | str | None:
    """The example of a JSON line, None if it is of another split, or what is wrong with it."""
    try:
        value = json.loads(line)
    except ValueError as error:
        return f"not JSON: {error}"
    if not isinstance(value, dict):
        return f"a line must be a JSON object, saw {describe(value)}"
    if split is not None and value.get("split") != split:
        return None
    for key in ("prompt", "answer"):
        if not isinstance(value.get(key), str) or not value[key].strip():
            return f"'{key}' must be text that is not empty, saw {describe(value.get(key))}"
    return Example(value["prompt"], value["answer"])


def base_reference(recipe: Recipe) -> str:
    """The base as a reference from the working folder; a relative path is meant from the recipe's folder."""
    base = recipe.written.base
    beside = recipe.path.parent / base
    return str(beside) if beside.is_dir() else base
