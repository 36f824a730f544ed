"""A prompt with `{fields}` and the values of a probe in, the prompt's text out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
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
    return "".join(literal if name is None else literal + fields[name] for literal, name in _parts(template))


@lru_cache(maxsize=256)
def _parts(template: str) -> tuple[tuple[str, str | None], ...]:
    """The pieces of a template: a literal text and the field after it, if there is one."""
    return tuple((literal, name) for literal, name, _, _ in Formatter().parse(template))
