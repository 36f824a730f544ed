"""A recipe file in, a Recipe out, or one RecipeError with everything wrong in the file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from harness.errors import InputError, Problem, RecipeError, Span
from harness.models.reference import is_recipe
from harness.suites.document import Document, read_document
from harness.suites.format import Name
from harness.suites.validate import Part, Shape, Text, describe, validate

Share = Annotated[float, Field(ge=0, lt=1)]


class LoraFormat(Shape):
    """Low-rank adapters; the base weights stay as they are (Hu 2021)."""

    r: Annotated[int, Field(ge=1)] = 16
    alpha: Annotated[int, Field(ge=1)] = 32
    dropout: Share = 0.0
    target_modules: list[Text] = Field(default=["q_proj", "v_proj"], min_length=1)


class MethodFormat(Shape):
    """What is trained: `{lora: {...}}` or `{full: {}}`."""

    lora: LoraFormat | None = None
    full: dict[str, Any] | None = Field(None, max_length=0)

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.lora is None) == (self.full is None):
            raise ValueError("a method is one of 'lora' and 'full'")
        return self


class CorpusFormat(Shape):
    """Prompts and answers to train on: a JSON Lines file with `prompt` and `answer`."""

    file: Text
    split: Text | None = Field(None, description="Only the lines whose `split` is this.")
    limit: Annotated[int, Field(ge=1)] | None = Field(None, description="Only the first so many of these.")


class ReplayFormat(CorpusFormat):
    """General data mixed in, so that training on the narrow task does not overwrite the rest."""

    fraction: Annotated[float, Field(gt=0, lt=1)] = Field(0.1, description="Share of the mixed data, 0 to 1.")
    answers: Literal["corpus", "baseline"] = Field(
        "corpus", description="Whose answers: the file's, or the baseline's own (self-replay)."
    )
    max_new_tokens: Annotated[int, Field(ge=1)] = Field(64, description="The longest self-replayed answer.")


class RecipeFormat(Shape):
    """How a tuned model is trained."""

    recipe: Name = Field(description="The recipe's name.")
    about: str = ""
    base: Text = Field(description="The model to tune: a folder, a hub id, or `embedded`.")
    corpus: CorpusFormat
    method: MethodFormat
    replay: ReplayFormat | None = None
    learning_rate: Annotated[float, Field(gt=0, le=1)]
    epochs: Annotated[int, Field(ge=1)]
    batch: Annotated[int, Field(ge=1)] = 8
    accumulation: Annotated[int, Field(ge=1)] = 1
    warmup: Share = Field(0.0, description="Share of the steps in which the rate rises.")
    schedule: Literal["constant", "linear", "cosine"] = "linear"
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    seed: Annotated[int, Field(ge=0)] = 42


PARTS = {
    "": Part("a recipe", RecipeFormat),
    "corpus": Part("a corpus", CorpusFormat),
    "replay": Part("the replay", ReplayFormat),
    "method": Part("the method", MethodFormat),
    "lora": Part("lora", LoraFormat),
}


@dataclass(frozen=True)
class Example:
    """One prompt and the answer to learn."""

    prompt: str
    answer: str


@dataclass(frozen=True)
class Recipe:
    """A recipe that has been read, with what it trains on."""

    path: Path
    written: RecipeFormat
    examples: tuple[Example, ...]
    general: tuple[Example, ...] = ()

    @property
    def name(self) -> str:
        return self.written.recipe


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
    general = _examples(document, "replay", written.replay, problems) if written.replay else ()
    if problems:
        raise RecipeError(problems)
    return Recipe(path, written, examples, general)


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
