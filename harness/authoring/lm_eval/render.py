"""A document in, the text that lm-evaluation-harness shows a model for it out: its templates and its few-shot rules."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from random import Random
from typing import Any

from harness.authoring.lm_eval.data import Row
from harness.authoring.lm_eval.task import Shots, Wording
from harness.bounded.jinja import TemplateError, TemplateLimitError, render_template
from harness.documents.validate import describe

SHOT_SEED = 1234
"""Of the sampler `default`, unless lm-evaluation-harness is told another on its command line."""


class RenderError(ValueError):
    """A document that does not become what its task needs; `key` of the task file is what asked for it."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def fill(key: str, template: str, doc: Row) -> str:
    """A Jinja template with a document's columns.

    Raises:
        RenderError: it is no template, it uses a column that is not there, or it takes too much of time or memory.
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
        RenderError: it is not text, or a number where there are choices, which then stand in the prompt.
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
    """`doc_to_choice`, None where there is none.

    Raises:
        RenderError: it is no list of text.
    """
    key, spec = "doc_to_choice", wording.choice
    if spec is None:
        return None
    if isinstance(spec, str) and spec not in columns:
        filled = fill(key, spec, doc)
        try:
            listed = ast.literal_eval(filled)
        except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
            raise RenderError(key, f"'{key}' must give a list, gave {describe(filled)}") from error
    else:
        listed = doc.get(spec) if isinstance(spec, str) else spec
    if not isinstance(listed, list | tuple) or not listed:
        raise RenderError(key, f"'{key}' must give a list, gave {describe(listed)}")
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
    listed = len(text) >= 2 and text[0] == "[" and text[-1] == "]"
    if not listed and not (text.isdigit() and wording.choice is not None):
        return text
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        if listed:
            return text
        raise RenderError(key, f"'{key}' gave {describe(text)}, which is no index of a choice") from error


def prefix(spec: str | None, doc: Row, columns: Collection[str]) -> str | None:
    """`gen_prefix`: how the answer begins, as part of the prompt."""
    if spec is None:
        return None
    text = column_or_template("gen_prefix", spec, doc, columns)
    if not isinstance(text, str | None):
        raise RenderError("gen_prefix", f"'gen_prefix' must give text, gave {describe(text)}")
    return text


def asked(wording: Wording, doc: Row, columns: Collection[str]) -> str:
    """A question up to where its answer begins, without the delimiter that belongs to the answer."""
    text, begins = question(wording, doc, columns), prefix(wording.prefix, doc, columns)
    if not begins:
        return text
    return text + (wording.delimiter if _needs_delimiter(text, begins) else "") + begins


def shot(wording: Wording, delimiter: str, doc: Row, columns: Collection[str]) -> str:
    """A few-shot example with its answer and the delimiter after it.

    Raises:
        RenderError: its answer is not text.
    """
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
    return text + between + _joined(begins, answer) + delimiter


def _needs_delimiter(text: str, after: str) -> bool:
    return text != "" and not (text[-1].isspace() or after[0].isspace())


def _joined(begins: str | None, answer: str) -> str:
    if not begins or not answer:
        return begins or answer
    return begins + (" " if _needs_delimiter(begins, answer) else "") + answer


class ShotSampler:
    """Chooses the shots of one document after another, as lm-evaluation-harness does.

    The sampler `default` goes on with the same random numbers, so documents must come in order and from the first.
    """

    def __init__(self, rule: Shots, pool: Sequence[Row]) -> None:
        self.rule = rule
        self.pool = pool
        self.random = Random(SHOT_SEED)

    def shots(self, doc: Row) -> Sequence[Row]:
        """The shots of `doc`.

        Raises:
            RenderError: there are not enough documents to choose from.
        """
        rule = self.rule
        if rule.n == 0:
            return []
        if rule.sampler == "first_n":
            chosen = list(islice((one for one in self.pool if not self._is_own(one, doc)), rule.n))
        else:
            chosen = self._drawn(doc)
        if len(chosen) < rule.n:
            raise RenderError(
                "num_fewshot", f"there are too few documents for {rule.n} shots: {len(self.pool)}"
            )
        return chosen

    def _is_own(self, one: Row, doc: Row) -> bool:
        return self.rule.own_left_out and one == doc

    def _drawn(self, doc: Row) -> list[Row]:
        n = self.rule.n
        drawn = n + self.rule.own_left_out  # one more, as the document itself may be among them
        if drawn > len(self.pool):
            return []
        chosen = [one for one in self.random.sample(self.pool, drawn) if not self._is_own(one, doc)][:n]
        if len(chosen) == n:
            return chosen
        others = [one for one in self.pool if not self._is_own(one, doc)]  # it was there more than once
        return self.random.sample(others, n) if len(others) >= n else []


def shot_texts(rule: Shots, docs: Sequence[Row], columns: Collection[str]) -> Iterator[str]:
    """Each shot of `docs` as text."""
    return (shot(rule.wording, rule.delimiter, doc, columns) for doc in docs)


def described(description: str, doc: Mapping[str, Any]) -> str:
    """`description`, which stands before everything."""
    if not description:
        return ""
    return str(doc[description] if description in doc else fill("description", description, doc)) or ""
