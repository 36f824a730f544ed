"""A data file in, its rows out, each a mapping from columns to values, with its place: CSV, JSON Lines, Parquet."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from harness.documents.dataset import INSTALL, NESTED
from harness.documents.text_file import numbered_lines, read_bytes, read_text
from harness.documents.validate import describe
from harness.documents.written import number_as_written, whole_as_written
from harness.errors import InputError, Span, first_line, reason
from harness.limits import MOST_CELL_BYTES
from harness.wording import some

PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")
MOST_COLUMNS = 20
"""At most this many columns are named in a message."""


@dataclass(frozen=True)
class Row:
    """One row, and where it begins."""

    span: Span
    values: dict[str, Any]
    columns: Mapping[str, Any] = field(default_factory=dict)
    """The row of the data itself, if `values` were picked from it."""


def file_kind_problem(name: str) -> str | None:
    """What is wrong with the name of a data file, in upper or lower case; None if nothing."""
    suffix = Path(name).suffix.lower()
    if suffix in PACKED:
        return f"'{name}' is packed: unpack it first"
    return None if suffix in READERS else f"'{name}' is not a data file: its name must end in {', '.join(READERS)}"  # fmt: skip


def file_rows(path: Path) -> Iterator[Row]:
    """The rows of a file, read by the ending of its name, without blank lines.

    Raises:
        InputError: the file or one of its rows cannot be read.
    """
    try:
        yield from READERS[path.suffix.lower()](path)
    except FileNotFoundError as error:
        raise InputError.at(None, f"{path}: no such file") from error
    except OSError as error:
        raise InputError.at(None, f"{path}: cannot be read: {reason(error)}") from error


def shown_columns(columns: Mapping[str, Any]) -> str:
    """Which columns there are, for a message, and the likely fault where several were read as one."""
    names = [name if name == name.strip() and name else repr(name) for name in map(str, columns)]
    if len(names) == 1 and (found := re.search(r"[;\t|]", names[0])):
        return f"there is only '{names[0][:200]}'; are columns separated by {found[0]!r}? save the file with commas"
    return f"there are: {some([name[:60] for name in names], MOST_COLUMNS)}"


# JSON Lines


def json_object(line: str) -> dict[str, Any]:
    """The object of a JSON line, its numbers as they are written; raises ValueError with the fault."""
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
        [(key, _)] = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"repeated key '{key}'")
    return found


def _json_rows(path: Path) -> Iterator[Row]:
    for span, line in numbered_lines(path):
        try:
            yield Row(span, json_object(line))
        except ValueError as error:
            raise InputError.at(span, str(error)) from error


# CSV


def csv_rows(path: Path) -> Iterator[Row]:
    """The rows of a CSV file; raises OSError and InputError."""
    records = _csv_records(path)
    if not records:
        return
    span, columns = records[0]
    if len(set(columns)) < len(columns):
        raise InputError.at(span, "two columns have the same name", shown_columns(dict.fromkeys(columns)))
    for span, cells in records[1:]:
        if len(cells) != len(columns):
            raise InputError.at(
                span,
                f"expected {len(columns)} cells, as in the heading, saw {len(cells)}",
                'a cell with a comma in it needs quotes: "a, b"' if len(cells) > len(columns) else None,
            )
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
        raise InputError.at(Span(path, line, 1), f"not CSV: {error}") from error
    finally:
        csv.field_size_limit(before)
    return records


# Parquet, and the tables of data sets


def _parquet_rows(path: Path) -> Iterator[Row]:
    try:
        from pyarrow import ArrowException, BufferReader, parquet
    except ImportError as error:
        raise InputError.at(None, f"{path}: Parquet needs pyarrow", INSTALL) from error
    data = read_bytes(path)
    try:
        batches = parquet.ParquetFile(BufferReader(data)).iter_batches(batch_size=1000)
        yield from arrow_rows(path, batches)
    except (ArrowException, OSError) as error:
        raise InputError.at(None, f"{path}: not Parquet: {first_line(error)}") from error
    except (ValueError, OverflowError) as error:  # a time beyond Python's, text that is not UTF-8
        raise InputError.at(None, f"{path}: {first_line(error)}") from error


def arrow_rows(path: Path, batches: Iterator[Any]) -> Iterator[Row]:
    """The rows of record batches or tables, whose lines in `path` are their numbers.

    Raises:
        ValueError: two columns have one name, or the cells take more than MOST_CELL_BYTES.
        pyarrow.ArrowException: a cell cannot be read.
    """
    left, numbers = MOST_CELL_BYTES, count(1)
    for batch in batches:
        names = batch.schema.names
        if len(set(names)) < len(names):
            raise ValueError("two columns have the same name")
        columns = [_written_out(column) for column in batch.columns]
        left -= sum(column.nbytes for column in columns)
        if left < 0:
            raise ValueError(f"its cells take more than {MOST_CELL_BYTES // 2**20} MB; use a part of it")
        cells = [
            [_short(cell, column.type) for cell in column.to_pylist()]
            if "float" in str(column.type)
            else column.to_pylist()
            for column in columns
        ]
        for row, number in zip(zip(*cells, strict=True), numbers, strict=False):
            yield Row(Span(path, number, 1), dict(zip(names, row, strict=True)))


def _written_out(column: Any) -> Any:
    """A column with every cell in full, if its cells are indices into a list of values."""
    from pyarrow import types

    return column.cast(column.type.value_type) if types.is_dictionary(column.type) else column


def _short(value: Any, kind: Any) -> Any:
    """A number of 16 or 32 bits as the shortest one of 64 bits that rounds to it: 0.1, not 0.10000000149011612."""
    import numpy
    from pyarrow import types

    if value is None:
        return None
    if types.is_float32(kind):
        return float(str(numpy.float32(value)))
    if types.is_float16(kind):
        return float(str(numpy.float16(value)))
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return [_short(item, kind.value_type) for item in value]
    if types.is_struct(kind):
        return {field.name: _short(value[field.name], field.type) for field in kind}
    return value


READERS: Mapping[str, Callable[[Path], Iterator[Row]]] = {
    ".csv": csv_rows, ".jsonl": _json_rows, ".parquet": _parquet_rows,
}  # fmt: skip
