"""A file in, its JSON object out: of limited size, and with values that every program reads alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

from harness.errors import ModelError, first_line

MOST_BYTES = 32 << 20
"""The index of a model with a trillion parameters has half of it."""


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file.

    Raises:
        ModelError: it cannot be read, is not a JSON object, or is larger than `MOST_BYTES`. NaN, infinities and lone
            surrogates are not JSON.
    """
    return _object(path, _no_constant)


def check_json(path: Path) -> None:
    """Check a file for another library, in which numbers may be infinite, as transformers writes them; raises ModelError."""
    _object(path, float)


def check_size(path: Path, most: int = MOST_BYTES) -> None:
    """Raise ModelError for a file that is too large for its kind."""
    if (size := path.stat().st_size) > most:
        raise ModelError(
            f"{path}: is {size / (1 << 20):.0f} MB, and at most {most >> 20} MB are read\n  is it really a model's {path.name}?"
        )


def _object(path: Path, constant: Any) -> dict[str, Any]:
    try:
        check_size(path)
        value = json.loads(path.read_text(encoding="utf-8"), parse_constant=constant)
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ModelError(f"{path}: cannot be read as JSON: it holds half a surrogate pair") from error
    except RecursionError as error:
        raise ModelError(f"{path}: cannot be read as JSON: its brackets are nested too deeply") from error
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read as JSON: {first_line(error)}") from error
    if not isinstance(value, dict):
        raise ModelError(f"{path}: is not a JSON object")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")
