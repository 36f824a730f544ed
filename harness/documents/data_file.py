"""A data file in, its rows out, each a mapping from columns to values, with its place: CSV, JSON Lines, Parquet."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.documents.dataset import INSTALL, NESTED
from harness.documents.table import plain_rows
from harness.documents.text_file import numbered_lines, read_bytes, read_text
from harness.documents.validate import describe
from harness.documents.written import number_as_written, whole_as_written
from harness.errors import InputError, Problem, Span, first_line, reason
from harness.wording import some

PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")
MOST_COLUMNS = 20
"""So many columns are named in a message."""


@dataclass(frozen=True)
class Row:
    """One row, and where it begins."""

    span: Span
    values: dict[str, Any]
    columns: Mapping[str, Any] = field(default_factory=dict)
    """What the values were taken from, where they were."""


def file_kind_problem(name: str) -> str | None:
    """What is wrong with the name of a data file; upper and lower case are alike."""
    suffix = Path(name).suffix.lower()
    if suffix in PACKED:
        return f"'{name}' is packed: unpack it first"
    return None if suffix in READERS else f"'{name}' is none of {', '.join(READERS)}"


def file_rows(path: Path) -> Iterator[Row]:
    """The rows of a file whose name says its kind; blank lines are none.

    Raises:
        InputError: it cannot be read, or a row of it cannot.
    """
    try:
        yield from READERS[path.suffix.lower()](path)
    except FileNotFoundError as error:
        raise InputError([Problem(None, f"{path}: no such file")]) from error
    except OSError as error:
        raise InputError([Problem(None, f"{path}: cannot be read: {reason(error)}")]) from error


def shown_columns(columns: Mapping[str, Any]) -> str:
    """What columns there are, for a message; one that is several in truth is told as such."""
    names = [name if name == name.strip() and name else repr(name) for name in map(str, columns)]
    if len(names) == 1 and (found := re.search(r"[;\t|]", names[0])):
        return f"there is one: '{names[0][:200]}'; is it separated by {found[0]!r}? save it with commas"
    return f"there are: {some([name[:60] for name in names], MOST_COLUMNS)}"


def json_object(line: str) -> dict[str, Any]:
    """The object of a JSON line, its numbers as they are written; raises ValueError with what is wrong."""
    try:
        value = json.loads(
            line,
            parse_float=number_as_written,
            parse_int=whole_as_written,
            object_pairs_hook=_without_repeats,
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error}") from error
    except RecursionError as error:
        raise ValueError(NESTED) from error
    if not isinstance(value, dict):
        raise ValueError(f"a line must be a JSON object, saw {describe(value)}")
    return value


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        times = Counter(key for key, _ in pairs)
        raise ValueError(f"repeated key '{next(key for key, count in times.items() if count > 1)}'")
    return found


def _json_rows(path: Path) -> Iterator[Row]:
    for span, line in numbered_lines(path):
        try:
            yield Row(span, json_object(line))
        except ValueError as error:
            raise InputError([Problem(span, str(error))]) from error


def csv_rows(path: Path) -> Iterator[Row]:
    """The rows of a CSV file; raises OSError and InputError."""
    records = _csv_records(path)
    if not records:
        return
    span, columns = records[0]
    if len(set(columns)) < len(columns):
        raise InputError(
            [Problem(span, "two columns have the same name", shown_columns(dict.fromkeys(columns)))]
        )
    for span, cells in records[1:]:
        if len(cells) != len(columns):
            raise InputError([Problem(
                span, f"not as many cells as the heading has: {len(columns)}, saw {len(cells)}",
                'a cell with a comma in it needs quotes: "a, b"' if len(cells) > len(columns) else None,
            )])  # fmt: skip
        yield Row(span, dict(zip(columns, cells, strict=True)))


def _csv_records(path: Path) -> list[tuple[Span, list[str]]]:
    """The cells of each record that is not blank, with the line in which it begins."""
    text = read_text(path)
    before = csv.field_size_limit(max(len(text), 1))  # a setting of the whole process
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    records, line = [], 1
    try:
        for cells in reader:
            if cells:
                records.append((Span(path, line, 1), cells))
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError([Problem(Span(path, line, 1), f"not CSV: {error}")]) from error
    finally:
        csv.field_size_limit(before)
    return records


def _parquet_rows(path: Path) -> Iterator[Row]:
    try:
        from pyarrow import ArrowException, BufferReader, parquet
    except ImportError as error:
        raise InputError([Problem(None, f"{path}: Parquet needs pyarrow", INSTALL)]) from error
    data = read_bytes(path)
    try:
        batches = parquet.ParquetFile(BufferReader(data)).iter_batches(batch_size=1000)
        for number, row in enumerate(plain_rows(batches), start=1):
            yield Row(Span(path, number, 1), row)
    except (ArrowException, OSError) as error:
        raise InputError([Problem(None, f"{path}: not Parquet: {first_line(error)}")]) from error
    except (ValueError, OverflowError) as error:  # a time that Python has not, text that is not UTF-8
        raise InputError([Problem(None, f"{path}: {first_line(error)}")]) from error


READERS: Mapping[str, Callable[[Path], Iterator[Row]]] = {
    ".csv": csv_rows, ".jsonl": _json_rows, ".parquet": _parquet_rows,
}  # fmt: skip
