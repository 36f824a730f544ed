"""Import a user's conftest.py for the scores and engines it registers; commands run no user code without `--conftest`."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from harness.errors import ScorerError, shown_path


def import_conftests(paths: Sequence[Path]) -> None:
    """Import each file as pytest would: under its own name, with its folder first on `sys.path`.

    Raises:
        ScorerError: a file is missing, or breaks.
    """
    for number, path in enumerate(paths):
        _import(path, f"forgetting_gate_conftest_{number}")


def _import(path: Path, name: str) -> None:
    path = path.absolute()
    if not path.is_file():
        raise ScorerError(
            f"{shown_path(path)}: no such file\n  --conftest takes the file that registers scores and engines"
        )
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ScorerError(f"{shown_path(path)}: not a Python file")
    sys.path.insert(0, str(path.parent))
    module = module_from_spec(spec)
    sys.modules[name] = module  # for annotations that are text
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise ScorerError(
            f"{_place(path, error)}: cannot be imported\n  {type(error).__name__}: {error}"
        ) from error


def _place(path: Path, error: BaseException) -> str:
    """The file, with the line that broke."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"{shown_path(path)}:{error.lineno}"
    lines = [step.lineno for step in traceback.extract_tb(error.__traceback__) if step.filename == str(path)]
    return f"{shown_path(path)}:{lines[-1]}" if lines else shown_path(path)
