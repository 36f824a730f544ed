"""A data file or a data set in, rows as probes would have been written out: CSV, JSON Lines, Parquet, Hugging Face."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from harness.errors import InputError, Problem, Span
from harness.suites.sampling import stratified
from harness.suites.validate import Shape, Text, describe

FILE_KINDS = (".csv", ".jsonl", ".parquet")


class SourceFormat(Shape):
    """Where probes are read from."""

    file: Text | None = Field(None, description="A .csv, .jsonl or .parquet file, from the suite's folder.")
    dataset: Text | None = Field(None, description="A Hugging Face data set: a local folder or a hub id.")
    config: Text | None = Field(None, description="The data set's configuration.")
    split: Text = Field("test", description="The data set's split.")
    fields: dict[str, Text | list[Text]] = Field(
        default={},
        description="The column of each probe key: {question: q, answer: a}. `a.b` goes into nested columns, a list of "
        "columns gathers `choices`, and `answer_index` gives the answer as an index into them.",
    )
    where: dict[str, Text | int | bool] = Field(
        default={}, description="Only the rows with these values in these columns: {split: heldout}."
    )
    sample: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Only so many rows, stratified by category."
    )
    seed: int = Field(0, description="What the sample depends on.")

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.file is None) == (self.dataset is None):
            raise ValueError("'probes_from' is a path, or has one of 'file' and 'dataset'")
        if self.file is not None:
            if Path(self.file).suffix not in FILE_KINDS:
                raise ValueError(f"'{self.file}' is none of {', '.join(FILE_KINDS)}")
            for key in {"config", "split"} & self.model_fields_set:
                raise ValueError(f"'{key}' belongs to a 'dataset', not to a 'file'")
        return self


@dataclass(frozen=True)
class Row:
    """One row as a probe, and where it stands."""

    span: Span
    values: dict[str, Any]


def read_rows(source: SourceFormat, folder: Path, keys: tuple[str, ...]) -> list[Row]:
    """The rows of a source as probes.

    Args:
        folder: what relative paths start from.
        keys: the keys that a probe may have; without `fields`, the columns of these names are taken.

    Raises:
        InputError: the data cannot be read, has no rows, or lacks a column; with the file and line.
    """
    path = folder / (source.file or source.dataset or "")
    rows = list(_file_rows(path) if source.file else _dataset_rows(source, path))
    if not rows:
        raise InputError([Problem(Span(path, 1, 1), "no rows: nothing would be asked")])
    problems: list[Problem] = []
    found = []
    for number, row in enumerate(rows, start=1):
        try:
            if not _wanted(row.values, source.where):
                continue
            values = _mapped(row.values, source, keys)
        except KeyError as error:
            columns = ", ".join(map(str, row.values))
            problems.append(Problem(row.span, f"no column '{error.args[0]}'", f"there are: {columns}"))
            break  # the other rows lack it too
        except (ValueError, IndexError, TypeError) as error:
            problems.append(Problem(row.span, str(error)))
            continue
        found.append(Row(row.span, {"id": f"row-{number}", **values}))
    if problems:
        raise InputError(problems)
    if not found:
        wanted = ", ".join(f"{column}: {value}" for column, value in source.where.items())
        raise InputError([Problem(Span(path, 1, 1), f"no rows with {wanted}: nothing would be asked")])
    if source.sample is not None:
        return stratified(found, lambda row: row.values.get("category"), source.sample, source.seed)
    return found


def _wanted(row: dict[str, Any], where: Mapping[str, Any]) -> bool:
    """Whether a row has the values asked for; CSV has text alone, so values are compared as text is written."""
    return all(str(_column(row, column)).lower() == str(value).lower() for column, value in where.items())


def _mapped(row: dict[str, Any], source: SourceFormat, keys: tuple[str, ...]) -> dict[str, Any]:
    if not source.fields:
        return {key: row[key] for key in keys if row.get(key) not in (None, "")}
    values: dict[str, Any] = {}
    for key, column in source.fields.items():
        if key != "answer_index":
            values[key] = (
                _column(row, column) if isinstance(column, str) else [_column(row, one) for one in column]
            )
    index_column = source.fields.get("answer_index")
    if isinstance(index_column, str):
        choices, index = values.get("choices"), _column(row, index_column)
        if not isinstance(choices, list):
            raise ValueError("'answer_index' needs 'choices'")
        if isinstance(index, str) and index.strip().isdecimal():
            index = int(index)
        if not isinstance(index, int) or not 0 <= index < len(choices):
            raise ValueError(
                f"'{column}' must be an index into {len(choices)} choices, saw {describe(index)}"
            )
        values["answer"] = choices[index]
    return values


def _column(row: dict[str, Any], column: str) -> Any:
    if column in row:
        return _plain(row[column])
    value: Any = row
    for part in column.split("."):
        if not isinstance(value, dict) or part not in value:
            raise KeyError(column)
        value = value[part]
    return _plain(value)


def _plain(value: Any) -> Any:
    """Arrays, as Parquet has them, as lists."""
    return value.tolist() if hasattr(value, "tolist") else value


def _file_rows(path: Path) -> Iterator[Row]:
    if not path.is_file():
        raise InputError([Problem(None, f"{path}: no such file")])
    try:
        if path.suffix == ".parquet":
            yield from _parquet_rows(path)
        elif path.suffix == ".csv":
            yield from _csv_rows(path)
        else:
            yield from _json_rows(path)
    except UnicodeDecodeError as error:
        raise InputError([Problem(None, f"{path}: not UTF-8 text", "save the file as UTF-8")]) from error


def _csv_rows(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        try:
            if reader.fieldnames and len(set(reader.fieldnames)) < len(reader.fieldnames):
                raise InputError([Problem(Span(path, 1, 1), "two columns have the same name")])
            for row in reader:
                span = Span(path, reader.line_num, 1)
                if None in row or None in row.values():
                    raise InputError(
                        [
                            Problem(
                                span, f"not as many cells as the heading has: {len(reader.fieldnames or ())}"
                            )
                        ]
                    )
                yield Row(span, dict(row))
        except csv.Error as error:
            raise InputError([Problem(Span(path, reader.line_num or 1, 1), f"not CSV: {error}")]) from error


def _json_rows(path: Path) -> Iterator[Row]:
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").split("\n"), start=1):
        if not line.strip():
            continue
        span = Span(path, number, 1)
        try:
            value = json.loads(line)
        except ValueError as error:
            raise InputError([Problem(span, f"not JSON: {error}")]) from error
        if not isinstance(value, dict):
            raise InputError([Problem(span, f"a line must be a JSON object, saw {describe(value)}")])
        yield Row(span, value)


def _parquet_rows(path: Path) -> Iterator[Row]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise InputError(
            [Problem(None, f"{path}: Parquet needs pyarrow", "pip install 'forgetting-gate[data]'")]
        ) from error
    try:
        table = parquet.read_table(path).to_pylist()
    except (ArrowException, OSError) as error:
        raise InputError([Problem(None, f"{path}: not Parquet: {error}")]) from error
    for number, row in enumerate(table, start=1):
        yield Row(Span(path, number, 1), row)


def _dataset_rows(source: SourceFormat, path: Path) -> Iterator[Row]:
    try:
        import datasets
    except ImportError as error:
        raise InputError([Problem(None, f"'{source.dataset}': data sets need the package 'datasets'",
                                  "pip install 'forgetting-gate[data]'")]) from error  # fmt: skip
    name = str(path) if path.exists() else str(source.dataset)
    try:
        if (path / "dataset_info.json").is_file() or (path / "dataset_dict.json").is_file():
            loaded = datasets.load_from_disk(name)
            table = loaded[source.split] if isinstance(loaded, datasets.DatasetDict) else loaded
        else:
            table = datasets.load_dataset(name, source.config, split=source.split)
    except Exception as error:  # what a data set's loader raises is its own affair
        lines = str(error).strip().splitlines()
        raise InputError([Problem(None, f"the data set '{source.dataset}' cannot be loaded (split '{source.split}'): "
                                  f"{type(error).__name__}: {lines[0][:200] if lines else ''}")]) from error  # fmt: skip
    for number, row in enumerate(table, start=1):
        yield Row(Span(path, number, 1), dict(row))
