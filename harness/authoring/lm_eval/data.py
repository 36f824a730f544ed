"""Read the documents of a task: the rows that `datasets.load_dataset` returns.

The package `datasets` reads them if it is installed. Otherwise JSON and CSV files are read here, and values that
`datasets` might convert to another type are refused rather than guessed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.authoring.lm_eval.task import DataSource
from harness.documents.data_file import csv_rows
from harness.documents.dataset import INSTALL, check_json, load_dataset
from harness.documents.text_file import read_text
from harness.documents.validate import describe
from harness.documents.within import is_address, is_there
from harness.errors import InputError, Problem, first_line, reason

Row = Mapping[str, Any]

NOT_TEXT = {
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
    "NULL", "NaN", "None", "n/a", "nan", "null",
}  # fmt: skip
"""Cells of a CSV file that mean a missing value."""


def read_split(source: DataSource, split: str) -> list[Row]:
    """The documents of one split, in order.

    Raises:
        InputError: the data is missing, cannot be read, has no such split, or needs `datasets`.
    """
    try:
        import datasets  # noqa: F401
    except ImportError:
        rows = _own_rows(source, split)
    else:
        rows = _rows(source, split)
    if not rows:
        raise _error(source, f"the split '{split}' has no documents")
    return rows


def _error(source: DataSource, message: str, hint: str | None = None) -> InputError:
    return InputError([Problem(source.span, message, hint)])


def _rows(source: DataSource, split: str) -> list[Row]:
    arguments = {key: value for key, value in source.arguments.items() if key != "trust_remote_code"}
    if "data_files" in arguments:
        arguments["data_files"] = _resolved(source, arguments["data_files"])
    folder = source.file.parent / source.path
    name = str(folder) if is_there(folder) and folder.is_dir() else source.path
    if is_there(Path(name)):
        source.reach.check(Path(name), source.file, source.path, source.span)
    try:
        loaded = load_dataset(name, source.name, source.reach, source.file, **arguments)
    except InputError as error:
        raise InputError(
            replace(problem, span=problem.span or source.span) for problem in error.problems
        ) from error
    except Exception as error:  # a data set's loader may raise anything
        message = (
            f"the data set '{source.path}' cannot be loaded: {type(error).__name__}: {first_line(error)}"
        )
        raise _error(source, message) from error
    if split not in loaded:
        raise _error(source, f"the data has no split '{split}'", f"there are: {', '.join(map(str, loaded))}")
    return [dict(row) for row in loaded[split]]


def _resolved(source: DataSource, files: Any) -> Any:
    """`data_files` with absolute local paths; relative ones start at the task file, or else the working folder.

    Raises:
        InputError: one leads outside.
    """
    match files:
        case Mapping():
            return {split: _resolved(source, listed) for split, listed in files.items()}
        case list():
            return [_resolved(source, name) for name in files]
    name, folder = str(files), source.file.parent
    if not is_there(folder / name) and is_there(Path(name)):
        folder = Path.cwd()
    source.reach.address(name, source.file, folder, source.span)
    return name if is_address(name) else str(folder / name)


# Without `datasets`


def _own_rows(source: DataSource, split: str) -> list[Row]:
    if source.path not in ("json", "csv") or set(source.arguments) != {"data_files"} or source.name:
        what = f"'dataset_path: {source.path}'"
        if source.path in ("json", "csv"):
            what += " with more than 'data_files'"
        raise _error(source, f"{what} needs the package 'datasets'", INSTALL)
    rows: list[Row] = []
    for path in _paths(source, split):
        try:
            rows += [row.values for row in csv_rows(path)] if source.path == "csv" else _json_rows(path)
        except OSError as error:
            raise _error(source, f"{path}: cannot be read: {reason(error)}") from error
        except ValueError as error:
            raise _error(source, f"{path}: not {source.path.upper()}: {error}") from error
    if source.path == "csv":
        rows = _with_numbers(rows)
    if unsure := _unsure(rows, text_only=source.path == "csv"):
        raise _error(source, f"the column '{unsure}' holds values whose type the package 'datasets' decides", INSTALL)  # fmt: skip
    columns = list(dict.fromkeys(key for row in rows for key in row))
    return [{column: row.get(column) for column in columns} for row in rows]


def _paths(source: DataSource, split: str) -> list[Path]:
    files = source.arguments["data_files"]
    by_split = files if isinstance(files, Mapping) else {"train": files}
    if split not in by_split:
        raise _error(
            source, f"the data has no split '{split}'", f"there are: {', '.join(map(str, by_split))}"
        )
    listed = by_split[split] if isinstance(by_split[split], list) else [by_split[split]]
    paths = []
    for name in listed:
        if not isinstance(name, str) or is_address(name) or re.search(r"[*?\[]", name):
            raise _error(source, f"{describe(name)} as a data file needs the package 'datasets'", INSTALL)
        path = Path(_resolved(source, name))
        if not is_there(path):
            raise _error(source, f"no data file '{name}' beside the task file")
        paths.append(path)
    return paths


def _json_rows(path: Path) -> list[Row]:
    """The objects of a JSON array or of JSON Lines; ValueError for anything else."""
    check_json(path)
    text = read_text(path)
    if text.lstrip().startswith("["):
        rows = json.loads(text)
    else:
        rows = [json.loads(line) for line in text.split("\n") if line.strip()]
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise ValueError(f"row {number} must be an object, saw {describe(row)}")
    return list(rows)


def _with_numbers(rows: Sequence[Row]) -> list[Row]:
    """The rows with columns of whole numbers converted; `_unsure` finds any other column that is not plain text."""
    integers = {
        column
        for column in (rows[0] if rows else ())
        if all(re.fullmatch(r"-?(0|[1-9][0-9]{0,17})", row[column]) for row in rows)
    }
    return [{key: int(text) if key in integers else text for key, text in row.items()} for row in rows]


def _unsure(rows: Sequence[Row], text_only: bool) -> str | None:
    """A column that `datasets`, which has one type a column, might convert; None if there is none."""
    places: dict[tuple[str, ...], list[Any]] = {}
    for row in rows:
        for place, value in _leaves(row, ()):
            places.setdefault(place, []).append(value)
    for (column, *_), values in places.items():
        kinds = {type(value) for value in values}
        shapes = {frozenset(value) for value in values if isinstance(value, dict)}
        texts = [value for value in values if isinstance(value, str)]
        dates = bool(texts) and all(re.match(r"\d{4}-\d{2}-\d{2}", text) for text in texts)
        if len(kinds) > 1 or len(shapes) > 1 or dates or (text_only and texts and not _plain(texts)):
            return column
    return None


def _leaves(value: Any, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value but null, with its place in the table; a row itself has none."""
    if place and value is not None:
        yield place, value
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, (*place, key))
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, (*place, "[]"))


def _plain(texts: Sequence[str]) -> bool:
    """Whether a column of a CSV file is text and nothing else."""
    return (
        NOT_TEXT.isdisjoint(texts)
        and not all(map(_is_number, texts))
        and not {text.lower() for text in texts} <= {"true", "false"}
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
