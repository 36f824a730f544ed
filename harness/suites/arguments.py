"""The arguments of a chat template as a user wrote them in, Arguments or the problem with them out."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.documents.document import document_of
from harness.documents.validate import describe
from harness.errors import HarnessError, InputError
from harness.spelling import option

Arguments = tuple[tuple[str, str], ...]
"""The arguments of a chat template beside the messages: each name and its value as JSON, sorted by name."""

GIVEN = frozenset({
    "messages", "tools", "documents", "conversation", "add_generation_prompt", "continue_final_message", "tokenize",
    "chat_template", "sanitize_control_tokens", "padding", "truncation", "max_length", "return_tensors", "return_dict",
    "return_assistant_tokens_mask", "tokenizer_kwargs",
})  # fmt: skip
"""Set for every chat, or reserved by transformers."""

OF_JINJA = frozenset({
    "range", "dict", "lipsum", "cycler", "joiner", "namespace", "raise_exception", "strftime_now", "loop", "self", "caller",
    "varargs", "kwargs", "true", "false", "none", "True", "False", "None",
})  # fmt: skip
"""Names with a meaning of their own in every template."""


def arguments_of(values: Mapping[str, Any]) -> Arguments:
    """Arguments with these names and values, which are valid."""
    return tuple(sorted((name, json.dumps(value, ensure_ascii=False)) for name, value in values.items()))


def argument_problem(name: str, value: Any) -> str | None:
    """The problem with an argument, or None."""
    if name in GIVEN:
        return f"'{name}' cannot be set: every chat is rendered with its own"
    if name in OF_JINJA or not name.isidentifier():
        return f"'{name}' cannot be the name of a chat template's argument"
    if not _is_value(value):
        return (
            f"the chat template's argument '{name}' must be text, a finite number, true, false, null or a list of these, "
            f"saw {describe(value)}"
        )
    return None


def read_arguments(written: Sequence[str]) -> Arguments:
    """The arguments of a command line, each `KEY=VALUE` with a value in YAML.

    Raises:
        HarnessError: one is invalid, or given twice.
    """
    values: dict[str, Any] = {}
    for argument in written:
        name, equals, text = argument.partition("=")
        if not equals or not name:
            raise HarnessError(
                f"{option('template_arg')} must be KEY=VALUE, saw {argument[:80]!r}\n"
                f"  as in: {option('template_arg', 'enable_thinking=false')}"
            )
        if name in values:
            raise HarnessError(f"{option('template_arg')} gives '{name}' twice")
        values[name] = _value(name, text)
    return checked_arguments(values)


def checked_arguments(values: Mapping[str, Any]) -> Arguments:
    """Arguments with these names and values; raises HarnessError if one is invalid."""
    for name, value in values.items():
        if problem := argument_problem(name, value):
            raise HarnessError(f"{option('template_arg')}: {problem}")
    return arguments_of(values)


def _value(name: str, text: str) -> Any:
    try:
        document = document_of(Path(name), text)
        if document.problems:
            raise InputError(document.problems)
    except InputError as error:
        message = (
            f"{option('template_arg')} {name}: {text[:80]!r} cannot be read: {error.problems[0].message}"
        )
        raise HarnessError(message) from error
    return document.value


def _is_value(value: Any) -> bool:
    if isinstance(value, list):
        return all(_is_value(item) for item in value)
    return isinstance(value, str | int | None) or (isinstance(value, float) and math.isfinite(value))
