"""A folder of the cache and what makes its model in, the model there out: made once, and again only if it is no longer whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

from harness.models.cache import keeping
from harness.models.identity import fault_of, kept_identities
from harness.progress import Log
from harness.writing import whole_folder, write_whole


def make_once(
    folder: Path,
    name: str,
    record: str,
    made: str,
    make: Callable[[Path], Mapping[str, Any]],
    log: Log,
    goes_on: Callable[[Path], bool] = lambda unfinished: False,
) -> bool:
    """Make a model in a folder of the cache, unless it is there, byte for byte; returns whether it was made now.

    A lock keeps other processes, such as xdist workers, from making it too. If it is there, nothing is written, for the cache may
    be read-only.

    Args:
        name: of the model, in messages.
        record, made: as in `fault_of`.
        make: fills a folder beside it; returns what else the record should say.
        goes_on: as in `whole_folder`.

    Raises:
        ModelError: the cache cannot be written.
    """
    if (fault := fault_of(folder, record, made)) is None:
        return False
    again = f", which must be {made} again ({fault})" if folder.exists() else ""
    with keeping(f"{name}{again}", folder.parent):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            if (fault := fault_of(folder, record, made)) is None:  # another process made it meanwhile
                return False
            if folder.exists():
                log(f"{name}: the model kept in {folder} is {made} again: {fault}")
            with whole_folder(folder, goes_on) as unfinished:
                told = {**make(unfinished), made: kept_identities(unfinished)}
                write_whole(unfinished / record, json.dumps(told, indent=1) + "\n")
    return True
