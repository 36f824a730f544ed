"""What the option `engine_args` was given in, arguments of an engine or the problem with them out.

What an engine takes is its own: vLLM's names are those of `vllm.LLM`. A value is JSON, or else text.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from harness.errors import HarnessError, ModelError, did_you_mean, first_line
from harness.spelling import option
from harness.suites.arguments import Arguments

PYTHON = {"True": True, "False": False, "None": None}
"""Values as Python writes them; JSON writes them small."""


def read_engine_args(written: Sequence[str]) -> Arguments:
    """The arguments of a command line, each `KEY=VALUE` or a JSON object of several.

    Raises:
        HarnessError: one cannot be read, or is given twice.
    """
    values: dict[str, Any] = {}
    for text in written:
        for name, value in (_object(text) if text.lstrip().startswith("{") else _one(text)).items():
            if name in values:
                raise HarnessError(f"{option('engine_args')} gives '{name}' twice")
            values[name] = value
    return engine_args_of(values)


def engine_args_of(values: Mapping[str, Any]) -> Arguments:
    """Arguments with these names and values; raises HarnessError for a value that is no JSON."""
    try:
        return tuple(sorted((name, json.dumps(value, allow_nan=False)) for name, value in values.items()))
    except (TypeError, ValueError) as error:
        raise HarnessError(
            f"{option('engine_args')}: values must be text, numbers, true, false, null, lists or objects: {first_line(error)}"
        ) from error


def engine_args(given: Arguments, known: Collection[str], engine: str) -> dict[str, Any]:
    """The arguments by name, as an engine takes them.

    Args:
        known: the names that it takes.
        engine: what it is called.

    Raises:
        ModelError: it does not take one of them.
    """
    for name, _ in given:
        if name not in known:
            hint = did_you_mean(name, known) or f"it takes {', '.join(sorted(known)[:12]) or 'none'}"
            raise ModelError(f"{option('engine_args', name)}: {engine} takes no such argument\n  {hint}")
    return {name: json.loads(value) for name, value in given}


def _one(text: str) -> dict[str, Any]:
    name, equals, value = text.partition("=")
    name = name.strip().lstrip("-").replace("-", "_")  # vLLM's command line writes --max-model-len
    if not equals or not name.isidentifier():
        raise HarnessError(
            f"{option('engine_args')} must be KEY=VALUE or a JSON object, saw {text[:80]!r}\n"
            f"  as in: {option('engine_args', 'max_model_len=4096')}"
        )
    if value in PYTHON:
        return {name: PYTHON[value]}
    try:
        return {name: json.loads(value)}
    except (ValueError, RecursionError):
        return {name: value}


def _object(text: str) -> dict[str, Any]:
    try:
        values: dict[str, Any] = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise HarnessError(
            f"{option('engine_args')}: {text[:80]!r} is no JSON object: {first_line(error)}"
        ) from error
    return values
