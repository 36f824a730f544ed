"""A Jinja template and its values in, its text or its variables out: jobs for `harness.bounded.bounded`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache, wraps
from typing import Any

from jinja2 import Environment, StrictUndefined, Template, TemplateError, meta, nodes
from jinja2.ext import Extension
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedEnvironment

from harness.limits import MOST_RENDERED

MOST_SAID = 1000
"""Characters of an error message that are passed on."""

Job = Callable[..., dict[str, Any]]


def said(job: Job) -> Job:
    """A job that returns the message of an error instead of raising it, as a template may raise anything."""

    @wraps(job)
    def done(**arguments: Any) -> dict[str, Any]:
        try:
            return job(**arguments)
        except MemoryError:
            raise
        except Exception as error:
            return {"error": (str(error) or type(error).__name__)[:MOST_SAID]}

    return done


@said
def render(dialect: str, template: str, values: dict[str, Any], today: str) -> dict[str, Any]:
    """The text of a template, and its length; too long a text is left out.

    Args:
        today: the day that `strftime_now` of a chat template returns; "" for none.
    """
    if today:
        day = datetime.fromisoformat(today)
        values["strftime_now"] = day.strftime
    text = compiled(dialect, template).render(**values)
    return {"length": len(text), "text": text if len(text) <= MOST_RENDERED else ""}


@said
def uses(dialect: str, template: str) -> dict[str, Any]:
    """The variables that a template takes, and its literal texts without comments."""
    parsed = environment(dialect).parse(template)
    texts = [node.data for node in parsed.find_all(nodes.TemplateData)]
    texts += [node.value for node in parsed.find_all(nodes.Const) if isinstance(node.value, str)]
    return {"names": sorted(meta.find_undeclared_variables(parsed)), "texts": texts}


@lru_cache(maxsize=64)
def compiled(dialect: str, template: str) -> Template:
    """A template, ready to render."""
    return environment(dialect).from_string(template)


@lru_cache
def environment(dialect: str) -> Environment:
    """The environment of a dialect, as in the tool that its templates are written for: transformers or lm-eval."""
    if dialect == "chat":
        chat = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[Generation, "jinja2.ext.loopcontrols"]
        )
        chat.filters["tojson"] = tojson
        chat.globals["raise_exception"] = refuse
        return chat
    task = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
    task.filters["regex_replace"] = lambda text, pattern, new, count=0: re.sub(
        pattern, new, text, count=count
    )
    return task


class Generation(Extension):
    """The block `generation`, which marks text of the assistant and changes nothing."""

    tags = {"generation"}

    def parse(self, parser: Any) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("written"), [], [], body).set_lineno(line)

    def written(self, caller: Callable[[], str]) -> str:
        return caller()


def tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: Any = None,
    separators: Any = None,
    sort_keys: bool = False,
) -> str:
    """JSON without the HTML escapes of Jinja's own filter."""
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


def refuse(message: str) -> None:
    """`raise_exception` of chat templates."""
    raise TemplateError(message)


JOBS = {"render": render, "uses": uses}
