"""The name of a data set in, the data that `datasets` loads for it out, after a check of the files that it would read."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

from harness.documents.text_file import numbered_lines, read_text
from harness.documents.within import Reach, is_there
from harness.documents.written import whole_text
from harness.errors import InputError, Span, reason

INSTALL = "pip install 'forgetting-gate[data]'"
NESTED = "JSON that is nested too deeply"
JSON = (".json", ".jsonl", ".ndjson")
_OF_A_BUILDER = ("data_dir", "data_files", "cache_dir", "features", "revision", "token", "storage_options")


def load_dataset(name: str, config: str | None, reach: Reach, file: Path, **arguments: Any) -> Any:
    """The data set that `datasets.load_dataset` loads, if all files that it would read are within `reach`.

    Args:
        file: the file that names the data set.

    Raises:
        InputError: one of its files is outside, or could run code.
        ImportError: `datasets` is not installed.
        Exception: whatever the data set's loader raises.
    """
    import datasets

    if name == "pandas":
        raise InputError.at(
            None, "the loader 'pandas' reads pickles, which can run code", "save it as Parquet"
        )
    if isinstance(folder := arguments.get("data_dir"), str):
        reach.address(folder, file, Path.cwd())
    known = {key: value for key, value in arguments.items() if key in _OF_A_BUILDER}
    builder = datasets.load_dataset_builder(name, config, **known)  # finds the files and reads none
    for address in chain.from_iterable((builder.config.data_files or {}).values()):
        address = str(address)
        reach.address(address, file, Path.cwd())
        if address.lower().endswith(JSON) and is_there(Path(address)):
            check_json(Path(address))
    return datasets.load_dataset(name, config, **arguments)


def is_saved(folder: Path) -> bool:
    """Whether a folder holds a data set that `save_to_disk` wrote."""
    return any(is_there(folder / info) for info in ("dataset_info.json", "dataset_dict.json"))


def saved_splits(folder: Path) -> list[str]:
    """The splits of a data set that `save_to_disk` wrote; none of one that is a single table.

    Raises:
        InputError: it cannot be read.
    """
    listed = folder / "dataset_dict.json"
    if not is_there(listed):
        return []
    try:
        splits = json.loads(read_text(listed))["splits"]
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError.at(None, f"{listed}: does not list the splits of a data set") from error
    return [str(split) for split in splits] if isinstance(splits, list) else []


def load_saved(folder: Path, split: str, reach: Reach, file: Path) -> Any:
    """The table of a split that `save_to_disk` wrote.

    Raises as `load_dataset`.
    """
    import datasets

    loaded = datasets.load_from_disk(str(folder))
    table = loaded[split] if isinstance(loaded, datasets.DatasetDict) else loaded
    for part in table.cache_files:
        reach.check(Path(part["filename"]), file, part["filename"])
    return table


def check_json(path: Path) -> None:
    """Refuse JSON that makes `datasets` abort the process (depth, half a surrogate pair) or read a number that is none (NaN).

    Raises:
        InputError: with the row.
    """
    try:
        for span, line in numbered_lines(path):
            _check_values(line, span)
    except json.JSONDecodeError:  # not one value per line, but perhaps an array
        with suppress(json.JSONDecodeError):
            _check_values(read_text(path), Span(path, 1, 1))
    except OSError as error:
        raise InputError.at(None, f"{path}: cannot be read: {reason(error)}") from error


def _check_values(text: str, span: Span) -> None:
    try:
        values = json.loads(text, parse_constant=_refuse)
        whole_text(json.dumps(values, ensure_ascii=False))
    except json.JSONDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        why = str(error) if isinstance(error, ValueError) else NESTED
        raise InputError.at(span, why) from error


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a number")
