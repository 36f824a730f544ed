"""A data file in, its rows out, each a mapping from columns to values, with its place: CSV, JSON, JSON Lines, Parquet."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from harness.documents.csv_file import csv_rows
from harness.documents.dataset import INSTALL, NESTED
from harness.documents.row import Row
from harness.documents.text_file import numbered_lines, read_bytes, read_text
from harness.documents.validate import describe
from harness.documents.written import number_as_written, whole_as_written
from harness.errors import InputError, Span, first_line, reason
from harness.limits import MOST_CELL_BYTES

PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")
SHEETS = (".xlsx", ".xls", ".ods", ".numbers")


def file_kind_problem(name: str) -> str | None:
    """What is wrong with the name of a data file, in upper or lower case; None if nothing."""
    suffix = Path(name).suffix.lower()
    if suffix in PACKED:
        return f"'{name}' is packed: unpack it first"
    if suffix in SHEETS:
        return f"'{name}' is a spreadsheet: save it as CSV"
    return None if suffix in READERS else f"'{name}' is not a data file: its name must end in {', '.join(READERS)}"  # fmt: skip


def file_rows(path: Path, notes: list[str]) -> Iterator[Row]:
    """The rows of a file, read by the ending of its name, without blank lines.

    Args:
        notes: takes what was guessed about the file.

    Raises:
        InputError: the file or one of its rows cannot be read.
    """
    try:
        yield from READERS[path.suffix.lower()](path, notes)
    except FileNotFoundError as error:
        raise InputError.at(None, f"{path}: no such file") from error
    except OSError as error:
        raise InputError.at(None, f"{path}: cannot be read: {reason(error)}") from error


# JSON


def json_object(line: str) -> dict[str, Any]:
    """The object of a JSON line, its numbers as they are written; raises ValueError with the fault."""
    try:
        value = _DECODER.decode(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error}") from error
    except RecursionError as error:
        raise ValueError(NESTED) from error
    return _an_object(value, "a line")


def _an_object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} must be a JSON object, saw {describe(value)}")
    return value


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        [(key, _)] = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"repeated key '{key}'")
    return found


_DECODER = json.JSONDecoder(
    parse_float=number_as_written, parse_int=whole_as_written, object_pairs_hook=_without_repeats
)


def _line_rows(path: Path, notes: list[str]) -> Iterator[Row]:
    for span, line in numbered_lines(path):
        try:
            yield Row(span, json_object(line))
        except ValueError as error:
            raise InputError.at(span, str(error)) from error


def _json_rows(path: Path, notes: list[str]) -> Iterator[Row]:
    """The objects of a list; or those that follow one another, as JSON Lines under another name."""
    text = read_text(path)
    listed = text.lstrip().startswith("[")
    place, counted, line, begin = _past("[" if listed else "", text, 0), 0, 1, 0
    while place < len(text) and not (listed and text[place] == "]"):
        line += text.count("\n", counted, place)
        begin = max(begin, text.rfind("\n", counted, place) + 1)
        span, counted = Span(path, line, place - begin + 1), place
        try:
            value, place = _DECODER.raw_decode(text, place)
            row = Row(span, _an_object(value, "an item" if listed else "the file"))
        except json.JSONDecodeError as error:
            raise InputError.at(Span(path, error.lineno, error.colno), f"not JSON: {error.msg}") from error
        except RecursionError as error:
            raise InputError.at(span, NESTED) from error
        except ValueError as error:
            raise InputError.at(span, str(error)) from error
        yield row
        place = _past("," if listed else "", text, place)
    if listed and text[place:].strip() != "]":
        raise InputError.at(Span(path, line, 1), "not JSON: the list is not closed, or goes on after its end")


def _past(sign: str, text: str, place: int) -> int:
    """The place after white space and after a sign, if it is there."""
    found = re.compile(rf"[ \t\r\n]*(?:{re.escape(sign)}[ \t\r\n]*)?").match(text, place)
    return found.end() if found else place


# Parquet, and the tables of data sets


def _parquet_rows(path: Path, notes: list[str]) -> Iterator[Row]:
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


def dataset_rows(path: Path, name: str, split: str, load: Callable[[], Any]) -> Iterator[Row]:
    """The rows of the table of a data set that `load` gives.

    Raises:
        InputError: it cannot be loaded.
    """
    try:
        yield from arrow_rows(path, load().with_format("arrow").iter(batch_size=1000))
    except ImportError as error:
        raise InputError.at(None, f"'{name}': data sets need the package 'datasets'", INSTALL) from error
    except InputError:
        raise
    except Exception as error:  # a data set's loader may raise anything
        message = f"the data set '{name}' cannot be loaded (split '{split}'): {type(error).__name__}: "
        raise InputError.at(None, message + first_line(error, 200)) from error


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


READERS: Mapping[str, Callable[[Path, list[str]], Iterator[Row]]] = {
    ".csv": csv_rows, ".tsv": csv_rows, ".json": _json_rows, ".jsonl": _line_rows, ".ndjson": _line_rows, ".parquet": _parquet_rows,
}  # fmt: skip
