"""A Jinja template of another's and its values in, its text out, in bounded time and memory.

A template is a program: it may loop for ever, or ask for more memory than there is, and Jinja's sandbox bounds neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from harness.bounded.bounded import Bounded, EndedError
from harness.limits import MOST_OF_TEMPLATE, MOST_RENDERED

Dialect = Literal["chat", "task"]
"""What a template may use: chat templates as transformers has it, templates of tasks as lm-evaluation-harness has it."""

JOBS = Bounded("harness.bounded.jinja_jobs")


class TemplateError(Exception):
    """A template that gives no text, with what it says itself; or that is none."""


class TemplateLimitError(Exception):
    """A template that takes more than it may; `str()` says of what."""


@dataclass(frozen=True)
class Uses:
    """What stands in a template: the names that it takes from outside, and its texts, but for comments."""

    names: frozenset[str] = frozenset()
    texts: tuple[str, ...] = ()


def render_template(dialect: Dialect, template: str, values: Mapping[str, Any], today: str = "") -> str:
    """The text that a template gives.

    Args:
        values: what it may use; what JSON does not know becomes text.
        today: the day that a chat template is shown, as ISO 8601 has it.

    Raises:
        TemplateError: it gives none.
        TemplateLimitError: it takes too much of time or memory.
    """
    answer = _done("render", dialect, template, values=dict(values), today=today)
    if answer["length"] > MOST_RENDERED:
        raise TemplateLimitError(
            f"gives a text of {answer['length']:,} characters, and a text may have {MOST_RENDERED:,}"
        )
    return str(answer["text"])


def template_uses(dialect: Dialect, template: str) -> Uses:
    """What stands in a template; raises as `render_template` does."""
    answer = _done("uses", dialect, template)
    return Uses(frozenset(answer["names"]), tuple(answer["texts"]))


def _done(job: str, dialect: Dialect, template: str, **arguments: Any) -> dict[str, Any]:
    """What a job gives for a template; raises as `render_template` does."""
    try:
        answer: dict[str, Any] = JOBS.do(job, dialect=dialect, template=_checked(template), **arguments)
    except EndedError as error:
        raise TemplateLimitError(str(error)) from error
    if "error" in answer:
        raise TemplateError(answer["error"])
    return answer


def _checked(template: str) -> str:
    if len(template) > MOST_OF_TEMPLATE:
        raise TemplateLimitError(
            f"has {len(template):,} characters, and a template may have {MOST_OF_TEMPLATE:,}"
        )
    return template
