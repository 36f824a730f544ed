"""A row of data: its values by column and the place where it begins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import Span
from harness.wording import some

MOST_COLUMNS = 20
"""At most this many columns are named in a message."""


@dataclass(frozen=True)
class Row:
    """One row, and where it begins."""

    span: Span
    values: dict[str, Any]
    columns: Mapping[str, Any] = field(default_factory=dict)
    """The row of the data itself, if `values` were picked from it."""
    named: frozenset[str] = frozenset()
    """The keys that `values` may have: those that a column of the data stands for."""


def shown_columns(columns: Mapping[str, Any]) -> str:
    """Which columns there are, for a message, and the likely fault where several were read as one."""
    names = [name if name == name.strip() and name else repr(name) for name in map(str, columns)]
    if len(names) == 1 and "|" in names[0]:
        return f"there is only '{names[0][:200]}'; are columns separated by '|'? save the file with commas"
    return f"there are: {some([name[:60] for name in names], MOST_COLUMNS)}"


def rename_columns(rows: Sequence[Row], wanted: Iterable[str], path: Path, notes: list[str]) -> None:
    """Give columns in other case, or with spaces around them, the names by which they are wanted, in place, and note it."""
    names = _renaming(rows[0].values, dict.fromkeys(wanted)) if rows else {}
    for row in rows if names else ():
        for seen, name in names.items():
            if seen in row.values and name not in row.values:
                row.values[name] = row.values.pop(seen)
    if names:
        pairs = (f"'{seen[:60]}' as '{name}'" for seen, name in names.items())
        notes.append(f"{path.name}: took the column {', '.join(pairs)}")


def _renaming(columns: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, str]:
    """The columns that are meant by a wanted name in other case, or with spaces around it, and that name."""
    found: dict[str, str] = {}
    for name in wanted:
        alike = [column for column in columns if column.strip().casefold() == name.casefold()]
        if name not in columns and len(alike) == 1:
            found[alike[0]] = name
    return found
