"""Render a document as lm-evaluation-harness shows it to a model: its templates and few-shot rules."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from random import Random
from typing import Any

from harness.authoring.lm_eval.data import Row
from harness.authoring.lm_eval.task import Shots, Wording
from harness.bounded.jinja import TemplateError, TemplateLimitError, render_template
from harness.documents.validate import describe

SHOT_SEED = 1234
"""The seed of the sampler `default`, unless lm-evaluation-harness is given another on its command line."""


class RenderError(ValueError):
    """A document that does not give what `key` of its task file asks for."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def fill(key: str, template: str, doc: Row) -> str:
    """Fill a Jinja template with a document's columns.

    Raises:
        RenderError: the template is invalid, uses an unknown column, or takes too much time or memory.
    """
    try:
        return render_template("task", template, doc)
    except TemplateLimitError as error:
        raise RenderError(key, f"'{key}' {error}") from error
    except TemplateError as error:
        raise RenderError(key, f"'{key}' cannot be filled: {error}") from error


def column_or_template(key: str, spec: str, doc: Row, columns: Collection[str]) -> Any:
    """The value of the column called `spec`, else `spec` as a template."""
    return doc.get(spec) if spec in columns else fill(key, spec, doc)


def question(wording: Wording, doc: Row, columns: Collection[str]) -> str:
    """`doc_to_text`.

    Raises:
        RenderError: it is not text, or it is a number although there are choices, which then belong in the prompt.
    """
    key = "doc_to_text"
    text = column_or_template(key, wording.text, doc, columns)
    if not isinstance(text, str):
        raise RenderError(key, f"'{key}' must give text, gave {describe(text)}")
    if text.isdigit() and wording.text not in columns and wording.choice is not None:
        raise RenderError(
            key,
            f"'{key}' gave the number {text}, which puts the choices into the prompt; a suite's come after it",
        )
    return text


def choices(wording: Wording, doc: Row, columns: Collection[str]) -> list[str] | None:
    """`doc_to_choice`; None without one.

    Raises:
        RenderError: it is not a list of text.
    """
    key, spec = "doc_to_choice", wording.choice
    if spec is None:
        return None
    given: Any = column_or_template(key, spec, doc, columns) if isinstance(spec, str) else spec
    listed = _literal(given) if isinstance(spec, str) and spec not in columns else given
    if not isinstance(listed, list | tuple) or not listed:
        raise RenderError(key, f"'{key}' must give a list, gave {describe(given)}")
    for choice in listed:
        if not isinstance(choice, str):
            raise RenderError(key, f"a choice must be text, saw {describe(choice)}")
    return list(listed)


def target(wording: Wording, doc: Row, columns: Collection[str]) -> Any:
    """`doc_to_target`: text, an index into the choices, or a list of either."""
    key, spec = "doc_to_target", wording.target
    if not isinstance(spec, str):
        return spec
    if spec in columns:
        return doc.get(spec)
    text = fill(key, spec, doc)
    listed = text[:1] == "[" and text[1:].endswith("]")
    indexed = text.isdigit() and wording.choice is not None
    value = _literal(text) if listed or indexed else None
    if indexed and value is None:
        raise RenderError(key, f"'{key}' gave {describe(text)}, which is not the index of a choice")
    return text if value is None else value


def _literal(text: str) -> Any:
    """The Python literal that a text is; None if it is not one."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def prefix(spec: str | None, doc: Row, columns: Collection[str]) -> str | None:
    """`gen_prefix`: the beginning of the answer, as part of the prompt."""
    if spec is None:
        return None
    text = column_or_template("gen_prefix", spec, doc, columns)
    if not isinstance(text, str | None):
        raise RenderError("gen_prefix", f"'gen_prefix' must give text, gave {describe(text)}")
    return text


def asked(wording: Wording, doc: Row, columns: Collection[str]) -> str:
    """A question with the beginning of its answer, without the delimiter that belongs to the answer."""
    text, begins = question(wording, doc, columns), prefix(wording.prefix, doc, columns)
    if not begins:
        return text
    return text + (wording.delimiter if _needs_delimiter(text, begins) else "") + begins


def shot(rule: Shots, doc: Row, columns: Collection[str]) -> str:
    """A few-shot example: question, answer and the delimiter after them.

    Raises:
        RenderError: its answer is not text.
    """
    wording = rule.wording
    text, begins = question(wording, doc, columns), prefix(wording.prefix, doc, columns)
    given, listed = target(wording, doc, columns), choices(wording, doc, columns)
    if given is None or given == "":
        return asked(wording, doc, columns)
    if listed and isinstance(given, int):
        if not -len(listed) <= given < len(listed):
            raise RenderError("doc_to_target", f"a shot's answer is choice {given} of {len(listed)}")
        answer: Any = listed[given]
    else:
        answer = (given[0] if given else None) if isinstance(given, list) else given
    if not isinstance(answer, str):
        raise RenderError("doc_to_target", f"a shot's answer must be text, saw {describe(answer)}")
    between = wording.delimiter if not begins or _needs_delimiter(text, begins) else ""
    return text + between + _joined(begins, answer) + rule.delimiter


def _needs_delimiter(text: str, after: str) -> bool:
    return text != "" and not (text[-1].isspace() or after[0].isspace())


def _joined(begins: str | None, answer: str) -> str:
    if not begins or not answer:
        return begins or answer
    return begins + (" " if _needs_delimiter(begins, answer) else "") + answer


class ShotSampler:
    """Draws the shots of one document after another, as lm-evaluation-harness does.

    All documents share one random stream under the sampler `default`, so they must come in order, from the first on.
    """

    def __init__(self, rule: Shots, pool: Sequence[Row]) -> None:
        self.rule = rule
        self.pool = pool
        self.random = Random(SHOT_SEED)

    def shots(self, doc: Row) -> Sequence[Row]:
        """The shots of `doc`.

        Raises:
            RenderError: there are too few documents to draw from.
        """
        rule = self.rule
        if rule.n == 0:
            return []
        if rule.sampler == "first_n":
            chosen = list(islice(self._others(self.pool, doc), rule.n))
        else:
            chosen = self._drawn(doc)
        if len(chosen) < rule.n:
            raise RenderError("num_fewshot", f"too few documents for {rule.n} shots: {len(self.pool)}")
        return chosen

    def _others(self, rows: Sequence[Row], doc: Row) -> Iterator[Row]:
        return (row for row in rows if not (self.rule.own_left_out and row == doc))

    def _drawn(self, doc: Row) -> list[Row]:
        n = self.rule.n
        drawn = n + self.rule.own_left_out  # one more, as the document itself may be among them
        if drawn > len(self.pool):
            return []
        chosen = list(self._others(self.random.sample(self.pool, drawn), doc))[:n]
        if len(chosen) == n:
            return chosen
        others = list(self._others(self.pool, doc))  # the document was drawn more than once
        return self.random.sample(others, n) if len(others) >= n else []


def described(description: str, doc: Row) -> str:
    """`description`, which precedes everything else."""
    return str(column_or_template("description", description, doc, doc)) if description else ""
