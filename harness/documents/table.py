"""Columns as Arrow holds them in, rows of plain values out: what a Parquet file or a data set has in its cells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.limits import MOST_CELL_BYTES


def plain_rows(batches: Iterator[Any]) -> Iterator[dict[str, Any]]:
    """The rows of record batches or tables.

    Raises:
        ValueError: two columns have one name, or there is more in them than MOST_CELL_BYTES.
        pyarrow.ArrowException: a cell cannot be read.
    """
    left = MOST_CELL_BYTES
    for batch in batches:
        names = batch.schema.names
        if len(set(names)) < len(names):
            raise ValueError("two columns have the same name")
        columns = [_written_out(column) for column in batch.columns]
        left -= sum(column.nbytes for column in columns)
        if left < 0:
            raise ValueError(f"its cells take more than {MOST_CELL_BYTES // 2**20} MB; take a part of it")
        cells = [
            [_short(cell, column.type) for cell in column.to_pylist()]
            if "float" in str(column.type)
            else column.to_pylist()
            for column in columns
        ]
        yield from (dict(zip(names, row, strict=True)) for row in zip(*cells, strict=True))


def _written_out(column: Any) -> Any:
    """A column with each of its cells in full, where it only refers to a list of values."""
    from pyarrow import types

    return column.cast(column.type.value_type) if types.is_dictionary(column.type) else column


def _short(value: Any, kind: Any) -> Any:
    """A number of 16 or 32 bits as the shortest one of 64 bits that means it: 0.1 and not 0.10000000149011612."""
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
