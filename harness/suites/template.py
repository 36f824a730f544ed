"""A prompt with `{fields}` and the values of a probe in, the prompt's text out."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter


def template_fields(template: str) -> tuple[str, ...]:
    """The fields that `template` uses, each once, in order.

    Raises ValueError, with the remedy, for braces that are not a plain `{name}`.
    """
    names: dict[str, None] = {}
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        raise ValueError(f"{error}; write {{{{ and }}}} for braces that are text") from error
    for _, name, spec, conversion in parts:
        if name is None:
            continue
        if spec or conversion or not name.isidentifier():
            raise ValueError(
                f"'{{{name}}}' is not a plain field name; write {{{{ and }}}} for braces that are text"
            )
        names[name] = None
    return tuple(names)


def fill(template: str, fields: Mapping[str, str]) -> str:
    """`template` with every field replaced; braces in the values stay as they are."""
    return "".join(
        literal + (fields[name] if name is not None else "")
        for literal, name, _, _ in Formatter().parse(template)
    )
