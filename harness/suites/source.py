"""A data file or a data set in, the rows that become probes out: CSV, JSON, Parquet, Hugging Face."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from harness.documents.row import Row, rename_columns, shown_columns
from harness.documents.validate import Shape, Text, describe
from harness.documents.within import Reach, is_there
from harness.documents.written import text_of
from harness.errors import InputError, Problem, Span
from harness.limits import MOST_ROW_PROBLEMS, MOST_ROWS
from harness.stats.sampling import stratified
from harness.wording import some

OPTIONAL = ("id", "category", "severity", "score")
"""The keys that a row may leave out, with an empty cell or null."""

KEYS = ("id", "category", "severity", "answer", "choices", "text")
"""The columns that are read without `fields`, beside those of the prompt."""

LISTS = ("answer", "choices")
"""The keys that may hold several texts, which a cell of CSV has between bars."""

_BAR = re.compile(r"(?<!\\)\|")


class SourceFormat(Shape):
    """Where probes are read from."""

    file: Text | None = Field(
        None, description="A .csv, .tsv, .json, .jsonl, .ndjson or .parquet file, from the suite's folder."
    )
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
            raise ValueError("'probes_from' must be a path, or have one of 'file' and 'dataset'")
        if self.file is not None:
            from harness.documents.data_file import file_kind_problem

            if wrong := file_kind_problem(self.file):
                raise ValueError(wrong)
            for key in {"config", "split"} & self.model_fields_set:
                raise ValueError(f"'{key}' belongs to a 'dataset', not to a 'file'")
        return self


def read_rows(
    source: SourceFormat, file: Path, fields: Sequence[str], reach: Reach, notes: list[str], bars: bool
) -> list[Row]:
    """The rows of a source as probes, whose values are the text of its cells.

    Args:
        file: the suite that names the source; relative paths start from its folder.
        fields: the prompt's; without `source.fields`, the columns with these names and KEYS are read.
        reach: where the data may be.
        notes: takes what was guessed about the data.
        bars: whether `|` separates the answers in a cell of CSV.

    Raises:
        InputError: the data cannot be read or is outside of `reach`, has no rows, lacks a column, or has a value
            without a text; with the file and line.
    """
    from harness.documents.data_file import file_rows

    path = file.parent / (source.file or source.dataset or "")
    start = Span(path, 1, 1)
    found = (
        file_rows(reach.path(source.file, file), notes) if source.file else _dataset_rows(source, file, reach)
    )
    rows = list(islice(found, MOST_ROWS + 1))
    if len(rows) > MOST_ROWS:
        raise InputError.at(start, f"more than {MOST_ROWS:,} rows; use a part of the data")
    if not rows:
        raise InputError.at(start, "no rows, so there is nothing to ask")
    rename_columns(rows, [*_columns_of(source, fields), *source.where], path, notes)
    _check_columns(rows[0].values, source, fields, start)
    if bars and path.suffix.lower() in (".csv", ".tsv"):
        _split_cells(rows, source, notes, path)
    probes = _probes(rows, source, (*KEYS, *fields))
    if not probes:
        wanted = ", ".join(f"{column}: {value}" for column, value in source.where.items())
        raise InputError.at(start, f"no rows with {wanted}, so there is nothing to ask")
    if source.sample is not None:
        return stratified(probes, lambda row: row.values.get("category"), source.sample, source.seed)
    return probes


# Columns


def _columns_of(source: SourceFormat, fields: Sequence[str]) -> list[str]:
    """The names of the columns that are read."""
    if not source.fields:
        return [*KEYS, "score", *fields]
    named = [[column] if isinstance(column, str) else column for column in source.fields.values()]
    return [column for columns in named for column in columns]


def _check_columns(
    columns: Mapping[str, Any], source: SourceFormat, fields: Sequence[str], start: Span
) -> None:
    """Raise InputError with each field of the prompt for which there is no column."""
    if source.fields:
        unnamed = [name for name in fields if name not in source.fields]
        where, what = None, "'fields' of 'probes_from' has no '{}', which the prompt uses"
        hint = f"add it: {{name}}: COLUMN; {shown_columns(columns)}"
    else:
        unnamed = [name for name in fields if name not in columns]
        every = ", ".join(f"{name}: COLUMN" for name in (*fields, "answer"))
        where, what = start, "no column '{}', which the prompt uses"
        hint = f"{shown_columns(columns)}; say which they are under 'probes_from': fields: {{{every}}}"
    if unnamed:
        problems = [Problem(where, what.format(name), hint.replace("{name}", name)) for name in unnamed]
        raise InputError(problems)


def _split_cells(rows: Sequence[Row], source: SourceFormat, notes: list[str], path: Path) -> None:
    r"""Split the cells of LISTS at each `|` that is not written `\|`, in place."""
    named = [source.fields.get(key) if source.fields else key for key in LISTS]
    columns = [column for column in named if isinstance(column, str)]
    example = None
    for row in rows:
        for column in columns:
            cell = row.values.get(column)
            if isinstance(cell, str) and "|" in cell:
                parts = [part.strip().replace("\\|", "|") for part in _BAR.split(cell)]
                row.values[column] = parts if len(parts) > 1 else parts[0]
                example = example or (parts if len(parts) > 1 else None)
    if example:
        shown = " or ".join(part[:30] for part in example[:3])
        notes.append(
            f"{path.name}: a | in a cell separates right answers ({shown}); write \\| for a bar itself"
        )


# Rows


def _probes(rows: Sequence[Row], source: SourceFormat, keys: Sequence[str]) -> list[Row]:
    """The rows that `where` selects, as probes; raises InputError with the first problems."""
    problems: list[Problem] = []
    found = []
    given = {"answer"} if "answer_index" in source.fields else set()
    for number, row in enumerate(rows, start=1):
        try:
            if _wanted(row.values, source.where):
                values = {"id": f"row-{number}", **_mapped(row.values, source, keys)}
                named = frozenset(source.fields or row.values) | given
                found.append(Row(row.span, values, row.values, named))
        except KeyError as error:
            problems.append(Problem(row.span, f"no column '{error.args[0]}'", shown_columns(row.values)))
            break  # the other rows lack it too
        except ValueError as error:
            problems.append(Problem(row.span, str(error)))
        if len(problems) == MOST_ROW_PROBLEMS:
            problems.append(Problem(None, f"{MOST_ROW_PROBLEMS} problems in the rows; the rest was not read"))
            break
    if problems:
        raise InputError(problems)
    return found


def _wanted(row: Mapping[str, Any], where: Mapping[str, Any]) -> bool:
    """Whether a row has the values of `where`. They are compared as text, which is all that CSV has."""
    return all(_compared(_column(row, column)) == str(value).lower() for column, value in where.items())


def _compared(value: Any) -> str:
    try:
        return str(text_of(value)).lower()
    except ValueError:  # such as null, which has no text
        return str(value).lower()


def _mapped(row: Mapping[str, Any], source: SourceFormat, keys: Sequence[str]) -> dict[str, Any]:
    """The keys of a probe with their values in a row; raises ValueError, KeyError."""
    named: Mapping[str, str | list[str]] = {key: key for key in keys if row.get(key, "") != ""}
    columns = source.fields or named
    values: dict[str, Any] = {}
    for key, column in columns.items():
        if key == "answer_index" and source.fields:
            continue
        if isinstance(column, list):
            values[key] = [_cell(row, key, name) for name in column]
        elif key not in OPTIONAL or _column(row, column) not in (None, ""):
            values[key] = _cell(row, key, column)
    index_column = source.fields.get("answer_index")
    if isinstance(index_column, str):
        values["answer"] = _chosen(values.get("choices"), _column(row, index_column), index_column)
    return values


def _cell(row: Mapping[str, Any], key: str, column: str) -> Any:
    """The value of a probe's key: a cell as text, or as it is for a score with parameters; raises ValueError, KeyError."""
    value = _column(row, column)
    if key == "score":
        return value
    try:
        return text_of(value)
    except ValueError as error:
        raise ValueError(f"the column '{column}' holds {error}") from error
    except RecursionError as error:
        raise ValueError(f"the column '{column}' holds lists that are nested too deeply") from error


def _chosen(choices: Any, index: Any, column: str) -> Any:
    """The choice at an index; raises ValueError."""
    if not isinstance(choices, list):
        raise ValueError("'answer_index' needs 'choices'")
    if isinstance(index, str) and re.fullmatch("[0-9]{1,9}", index.strip()):
        index = int(index)
    if not isinstance(index, int) or not 0 <= index < len(choices):
        raise ValueError(f"'{column}' must be an index into {len(choices)} choices, saw {describe(index)}")
    return choices[index]


def _column(row: Mapping[str, Any], column: str) -> Any:
    """The cell of a column, or of the nested column `a.b`; raises KeyError."""
    if column in row:
        return row[column]
    value: Any = row
    for part in column.split("."):
        if not isinstance(value, dict) or part not in value:
            raise KeyError(column)
        value = value[part]
    return value


def _dataset_rows(source: SourceFormat, file: Path, reach: Reach) -> Iterator[Row]:
    from harness.documents.data_file import dataset_rows
    from harness.documents.dataset import is_saved, load_dataset, load_saved, saved_splits

    name = str(source.dataset)
    path = file.parent / name
    if is_there(path):
        reach.path(name, file)
    if not is_saved(path):
        local = str(path) if is_there(path) else name
        yield from dataset_rows(
            path,
            name,
            source.split,
            lambda: load_dataset(local, source.config, reach, file, split=source.split),
        )
        return
    splits = saved_splits(path)
    if splits and source.split not in splits:
        message = f"'{name}' has no split '{source.split}'"
        raise InputError.at(None, message, f"'split' is one of: {some(splits, 20)}")
    yield from dataset_rows(path, name, source.split, lambda: load_saved(path, source.split, reach, file))
