"""A Jinja template of a stranger and its values in, its text out, in bounded time and memory.

A template is a program: it may loop forever, or ask for more memory than there is. Jinja's sandbox limits neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from harness.bounded.bounded import Bounded, EndedError
from harness.limits import MOST_OF_TEMPLATE, MOST_RENDERED

Dialect = Literal["chat", "task"]
"""The features of a template: those of transformers for chat templates, of lm-evaluation-harness for templates of tasks."""

JOBS = Bounded("harness.bounded.jinja_jobs")


class TemplateError(Exception):
    """A template that is invalid or fails, with its own message."""


class TemplateLimitError(Exception):
    """A template that takes more time, memory or text than it may; `str()` says which."""


@dataclass(frozen=True)
class Uses:
    """The variables that a template takes, and its literal texts without comments."""

    names: frozenset[str] = frozenset()
    texts: tuple[str, ...] = ()


def render_template(dialect: Dialect, template: str, values: Mapping[str, Any], today: str = "") -> str:
    """Render a template.

    Args:
        values: its variables; values that are not JSON become text.
        today: the day for a chat template, in ISO 8601.

    Raises:
        TemplateError: it is invalid or fails.
        TemplateLimitError: it takes too much time or memory, or renders too long a text.
    """
    answer = _done("render", dialect, template, values=dict(values), today=today)
    if answer["length"] > MOST_RENDERED:
        raise TemplateLimitError(
            f"renders {answer['length']:,} characters, more than the limit of {MOST_RENDERED:,}"
        )
    return str(answer["text"])


def template_uses(dialect: Dialect, template: str) -> Uses:
    """The variables and texts of a template; raises as `render_template` does."""
    answer = _done("uses", dialect, template)
    return Uses(frozenset(answer["names"]), tuple(answer["texts"]))


def _done(job: str, dialect: Dialect, template: str, **arguments: Any) -> dict[str, Any]:
    """The result of a job; raises as `render_template` does."""
    if len(template) > MOST_OF_TEMPLATE:
        raise TemplateLimitError(
            f"has {len(template):,} characters, more than the limit of {MOST_OF_TEMPLATE:,}"
        )
    try:
        answer: dict[str, Any] = JOBS.do(job, dialect=dialect, template=template, **arguments)
    except EndedError as error:
        raise TemplateLimitError(str(error)) from error
    if "error" in answer:
        raise TemplateError(answer["error"])
    return answer
