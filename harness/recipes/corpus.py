"""The corpus that a recipe names in, its examples out, and notes on what was guessed about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from harness.documents.data_file import dataset_rows, file_kind_problem, file_rows
from harness.documents.dataset import is_saved, load_dataset, load_saved, saved_splits
from harness.documents.row import Row, rename_columns, shown_columns
from harness.documents.within import Reach, is_there
from harness.errors import InputError, Problem, Span
from harness.limits import MOST_ROW_PROBLEMS, MOST_ROWS
from harness.recipes.examples import COLUMNS, PAIRS, Example, examples_of, layout_of, told
from harness.recipes.shapes import CorpusFormat
from harness.wording import some

KNOWN = "prompt and answer, prompt and completion, instruction and output, messages, or conversations"


@dataclass(frozen=True)
class Corpus:
    """The examples of a corpus, and what was guessed about it."""

    examples: tuple[Example, ...]
    notes: tuple[str, ...]


def read_corpus(corpus: CorpusFormat, recipe: Path, place: Span, reach: Reach) -> Corpus:
    """Read the examples that a recipe names.

    Args:
        place: where the recipe names them.

    Raises:
        InputError: with what is wrong with the data, each problem at its place.
    """
    notes: list[str] = []
    try:
        path = reach.path(corpus.file, recipe, place)
        if not is_there(path):
            message = f"the file '{corpus.file}' cannot be read: No such file"
            raise InputError.at(place, message, f"looked for {recipe.parent / corpus.file}")
        rows = list(islice(_rows(path, corpus, recipe, reach, notes), MOST_ROWS + 1))
        if len(rows) > MOST_ROWS:
            raise InputError.at(place, f"'{corpus.file}' has more than {MOST_ROWS:,} rows; use a part of it")
        rename_columns(rows, COLUMNS, path, notes)
        if not path.is_dir() or (is_saved(path) and not saved_splits(path)):
            rows = _of_split(rows, corpus, notes, place)
        if not rows:
            raise InputError.at(place, f"the file '{corpus.file}' has no rows to train on")
        examples = _examples(rows, corpus, notes, place)
    except InputError as error:
        raise InputError(
            replace(problem, span=problem.span or place) for problem in error.problems
        ) from error
    return Corpus(tuple(examples[: corpus.limit]), tuple(notes))


def _rows(path: Path, corpus: CorpusFormat, recipe: Path, reach: Reach, notes: list[str]) -> Iterator[Row]:
    if not path.is_dir():
        if wrong := file_kind_problem(corpus.file):
            raise InputError.at(None, wrong)
        return file_rows(path, notes)
    if not is_saved(path):
        split = corpus.split or "train"
        return dataset_rows(
            path, corpus.file, split, lambda: load_dataset(str(path), None, reach, recipe, split=split)
        )
    splits = saved_splits(path)
    only = "train" if "train" in splits or len(splits) != 1 else splits[0]
    split = corpus.split or only
    if splits and split not in splits:
        seen = f"no split '{split}'" if corpus.split else "several splits, and the recipe names none"
        raise InputError.at(None, f"'{corpus.file}' has {seen}", f"'split' is one of: {some(splits, 20)}")
    if len(splits) > 1 and corpus.split is None:
        notes.append(f"{path.name}: took the split 'train' of {some(splits, 20)}")
    return dataset_rows(path, corpus.file, split, lambda: load_saved(path, split, reach, recipe))


def _of_split(rows: list[Row], corpus: CorpusFormat, notes: list[str], place: Span) -> list[Row]:
    """The rows of the recipe's split, which is a column."""
    splits = list(dict.fromkeys(str(row.values["split"]) for row in rows if "split" in row.values))
    if corpus.split is None:
        if len(splits) > 1:
            notes.append(f"{corpus.file}: took the rows of every split: {some(splits, 20)}")
        return rows
    if rows and not splits:
        message = f"'{corpus.file}' has no column 'split'"
        raise InputError.at(place, message, "leave 'split' out of the recipe to train on all of its rows")
    found = [row for row in rows if row.values.get("split") == corpus.split]
    if not found:
        message = f"the file '{corpus.file}' has no lines with split '{corpus.split}' to train on"
        raise InputError.at(place, message, f"there are: {some(splits, 20)}" if splits else None)
    return found


def _examples(rows: Sequence[Row], corpus: CorpusFormat, notes: list[str], place: Span) -> list[Example]:
    answered = corpus.answered
    layout = layout_of(rows[0].values, answered) or (PAIRS[0] if "prompt" in rows[0].values else None)
    if layout is None:
        message = f"no columns to train on; {shown_columns(rows[0].values)}"
        raise InputError.at(rows[0].span, message, f"expected {KNOWN}")
    if said := told(layout, rows[0].values, answered):
        notes.append(f"{corpus.file}: {said}")
    examples: list[Example] = []
    faults: list[Problem] = []
    for row in rows:
        try:
            examples += examples_of(row.values, layout, answered)
        except ValueError as error:
            faults.append(Problem(row.span, str(error)))
        if len(faults) == MOST_ROW_PROBLEMS:
            rest = f"{MOST_ROW_PROBLEMS} problems in '{corpus.file}'; the rest was not read"
            faults.append(Problem(place, rest))
            break
    if faults:
        raise InputError(faults)
    return examples
