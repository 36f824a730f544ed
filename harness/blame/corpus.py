"""A recipe or a data file in, the examples that a model was trained on out, and how they were shown to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.blame.questions import SEED
from harness.documents.within import Reach
from harness.errors import Span, shown_path
from harness.models.reference import RecipeFile, by_form
from harness.recipes.corpus import read_corpus
from harness.recipes.examples import Example
from harness.recipes.read import Recipe, read_recipe
from harness.recipes.shapes import CorpusFormat
from harness.stats.sampling import stratified


@dataclass(frozen=True)
class Corpus:
    """Examples with their places in the corpus, from 1; `form` is None where the model's tokenizer decides."""

    name: str
    of: int
    examples: tuple[tuple[int, Example], ...]
    form: Literal["chat", "text"] | None = None
    notes: tuple[str, ...] = ()


def find_corpus(given: Path | None, trained: Recipe | None, reach: Reach, most: int) -> Corpus | None:
    """The corpus that the user gave, else that of the recipe that the model is of; None without either.

    Args:
        most: how many examples to take, seeded, of a larger corpus.

    Raises:
        RecipeError, InputError: it cannot be read.
    """
    if given is not None and not isinstance(by_form(str(given)), RecipeFile):
        place = Span(given, 1, 1)
        read = read_corpus(CorpusFormat(file=given.name), given, place, reach)
        return _sampled(shown_path(given), read.examples, None, read.notes, most)
    recipe = trained if given is None else read_recipe(given, reach)
    if recipe is None:
        return None
    return _sampled(shown_path(recipe.path), recipe.examples, recipe.written.format, recipe.notes, most)


def _sampled(
    name: str,
    examples: tuple[Example, ...],
    form: Literal["chat", "text"] | None,
    notes: tuple[str, ...],
    most: int,
) -> Corpus:
    numbered = list(enumerate(examples, start=1))
    drawn = stratified(numbered, lambda each: None, most, SEED)
    return Corpus(name, len(examples), tuple(drawn), form, notes)
