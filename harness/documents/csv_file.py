"""A CSV file as people save it in, its rows out: with commas, semicolons or tabs, in the encoding of their spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.documents.row import Row, shown_columns
from harness.documents.text_file import read_guessed
from harness.errors import InputError, Span

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}

_DECLARED = re.compile(r'"?sep=(.)"?\r?\n')
"""The first line by which a spreadsheet declares the separator."""

Record = tuple[Span, list[str]]
"""The cells of a record, and the line in which it begins."""


def csv_rows(path: Path, notes: list[str]) -> Iterator[Row]:
    """The rows of a CSV file. Its separator is the one that gives the heading the most columns; a `.tsv` has tabs.

    Args:
        notes: takes what was guessed.

    Raises:
        OSError, InputError: it cannot be read.
    """
    text, encoding = read_guessed(path)
    if encoding:
        notes.append(f"{path.name}: it is not UTF-8, and was read as {encoding}")
    separator, skipped = _separator(text, path)
    records = _records(path, text, separator)[skipped:]
    if not records:
        return
    if separator != "," and path.suffix.lower() != ".tsv":
        notes.append(f"{path.name}: its columns are separated by {SEPARATORS.get(separator, separator)}")
    columns, kept = _heading(*records[0], records[1:])
    for span, cells in records[1:]:
        row = _cells(span, cells, len(records[0][1]), separator)
        if any(map(str.strip, row)):
            yield Row(span, {column: row[place] for column, place in zip(columns, kept, strict=True)})


def _separator(text: str, path: Path) -> tuple[str, int]:
    """The separator, and how many records before the heading declare it."""
    if declared := _DECLARED.match(text):
        return declared[1], 1
    if path.suffix.lower() == ".tsv":
        return "\t", 0
    return max(SEPARATORS, key=lambda separator: _columns(text, separator)), 0  # the first of equals


def _columns(text: str, separator: str) -> int:
    """How many columns the heading has under a separator."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        return next((len(cells) for cells in reader if cells), 0)
    except csv.Error:
        return 0


def _records(path: Path, text: str, separator: str) -> list[Record]:
    """All records that are not blank."""
    before = csv.field_size_limit(max(len(text), 1))  # a setting of the whole process
    heading = re.split(r"[\r\n]", text.lstrip("\r\n"), maxsplit=1)[0]
    spaced = f"{separator} " in heading
    reader = csv.reader(
        io.StringIO(text, newline=""), strict=True, delimiter=separator, skipinitialspace=spaced
    )
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


def _heading(span: Span, heading: Sequence[str], records: Sequence[Record]) -> tuple[list[str], list[int]]:
    """The names of the columns and their places; a column without a name or a value is none."""
    names = [name.strip() for name in heading]
    unnamed = {place for place, name in enumerate(names) if not name}
    for _, cells in records if unnamed else ():
        unnamed -= {place for place in unnamed if place < len(cells) and cells[place].strip()}
    kept = [place for place in range(len(names)) if place not in unnamed]
    columns = [names[place] for place in kept]
    if len(set(columns)) < len(columns):
        [(name, _)] = Counter(columns).most_common(1)
        what = f"two columns have the same name '{name}'" if name else "two columns have no name"
        raise InputError.at(span, what, shown_columns(dict.fromkeys(columns)))
    return columns, kept


def _cells(span: Span, cells: list[str], columns: int, separator: str) -> list[str]:
    """The cells of a row, one for each column; raises InputError."""
    if len(cells) > columns and not any(map(str.strip, cells[columns:])):
        return cells[:columns]
    if len(cells) == columns or not any(map(str.strip, cells)):
        return cells + [""] * (columns - len(cells))
    name = SEPARATORS.get(separator, repr(separator)).removesuffix("s")
    raise InputError.at(
        span,
        f"expected {columns} cells, as in the heading, saw {len(cells)}",
        f'a cell with a {name} in it needs quotes: "a{separator} b"' if len(cells) > columns else None,
    )
