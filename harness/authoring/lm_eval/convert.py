"""Turn a task and its documents into a suite that asks and scores the same."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.authoring.lm_eval.data import Row, read_split
from harness.authoring.lm_eval.exact import exact_pattern
from harness.authoring.lm_eval.render import (
    RenderError,
    ShotSampler,
    asked,
    choices,
    described,
    shot,
    target,
)
from harness.authoring.lm_eval.task import LmEvalTask
from harness.authoring.lm_eval.write import Item, suite_text
from harness.documents.validate import describe
from harness.errors import InputError, Problem
from harness.limits import MOST_ANSWERS, MOST_NAME, MOST_PATTERN

MOST_PROBLEMS = 10
TARGET = "doc_to_target"


@dataclass(frozen=True)
class Imported:
    """The text of a suite file, its items, and notes for its reader."""

    name: str
    text: str
    items: tuple[Item, ...]
    notes: tuple[str, ...]


def convert(task: LmEvalTask, limit: int | None = None, category: str | None = None) -> Imported:
    """Make a suite of a task.

    Args:
        limit: take only the first so many documents.
        category: the column that gives each probe its category.

    Raises:
        InputError: the data cannot be read, or documents do not become probes.
    """
    docs = read_split(task.data, task.split)
    columns = ", ".join(docs[0])
    if category is not None and category not in docs[0]:
        message = f"the documents have no column '{category}' for categories"
        raise InputError([Problem(task.data.span, message, f"there are: {columns}")])
    items = _items(task, docs[:limit], category)
    notes = list(task.notes)
    if len(items) > 1 and len({item.prompt for item in items}) == 1:
        notes.append(f"every prompt is the same: is a column meant? there are: {columns}")
    if category is not None and (without := sum(item.category is None for item in items)):
        notes.append(f"{without} of {len(items)} documents have no category")
    name = re.sub(r"[\s\[\]:/\\]+", "-", task.name).strip("-")[:MOST_NAME] or "task"
    return Imported(name, suite_text(task, name, items, notes), tuple(items), tuple(notes))


def _items(task: LmEvalTask, docs: Sequence[Row], category: str | None) -> list[Item]:
    sampler = ShotSampler(task.shots, _pool(task))
    items, problems = [], []
    for index, doc in enumerate(docs):
        try:
            items.append(_item(task, index, doc, sampler, category))
        except RenderError as error:
            problems.append(Problem(task.document.span((error.key,)), f"document {index}: {error}"))
            if len(problems) == MOST_PROBLEMS:
                rest = f"{MOST_PROBLEMS} documents have problems; the rest were not checked"
                raise InputError([*problems, Problem(None, rest)]) from error
    if problems:
        raise InputError(problems)
    return items


def _pool(task: LmEvalTask) -> Sequence[Row]:
    """The documents that shots are drawn from."""
    if task.shots.n == 0:
        return []
    if task.shots.samples is not None:
        return task.shots.samples
    assert task.shots.split is not None, "a task without any split is refused"
    return read_split(task.data, task.shots.split)


def _item(task: LmEvalTask, index: int, doc: Row, sampler: ShotSampler, category: str | None) -> Item:
    _check_numbers(task, doc)
    shots = "".join(shot(task.shots, example, doc.keys()) for example in sampler.shots(doc))
    context = described(task.description, doc) + shots
    prompt = asked(task.wording, doc, doc.keys())
    if not prompt.strip():
        raise RenderError("doc_to_text", "an empty prompt: a suite must ask something")
    given, listed = target(task.wording, doc, doc.keys()), choices(task.wording, doc, doc.keys())
    named = _category(doc.get(category)) if category is not None else None
    if re.search("[\ud800-\udfff]", "".join([context, prompt, str(given), *(listed or ()), named or ""])):
        raise RenderError("doc_to_text", "half a surrogate pair is not text")
    if task.kind == "multiple_choice":
        assert listed is not None, "a multiple_choice task without 'doc_to_choice' is refused"
        prompt, shown = _divided(task, prompt, listed)
        return Item(index, context, prompt, _right_choices(given, listed, shown), shown, named)
    texts = _right_texts(given, listed)
    note = " | ".join(texts) if task.metric.ignore_punctuation or task.metric.ignore_numbers else None
    return Item(index, context, prompt, _patterns(task, texts), (), named, note)


def _check_numbers(task: LmEvalTask, doc: Row) -> None:
    """Refuse NaN and infinity in a column that the task uses: "nan" is not an answer."""
    used = " ".join(map(str, (task.description, *vars(task.wording).values())))
    for column, value in doc.items():
        if isinstance(value, float) and not math.isfinite(value) and column in used:
            raise RenderError(TARGET, f"the column '{column}' holds {value}, which is not a number")


def _category(value: Any) -> str | None:
    """A column's value as the name of a category; None if there is none."""
    if value is None:
        return None
    return re.sub(r"[\[\]:\s]+", " ", str(value)).strip()[:MOST_NAME].strip() or None


# Choices


def _divided(task: LmEvalTask, prompt: str, listed: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Divide the text into prompt and choices so that a space between them gives what lm-evaluation-harness scores.

    Both score white space at the end of a prompt with the choice, so a space may move from one to the other.
    """
    delimiter, body = task.wording.delimiter, prompt.rstrip()
    between = prompt[len(body) :] + delimiter
    if between.isspace() and between.endswith(" "):
        shown = tuple(listed)
        prompt = body + between[:-1]
    elif all((delimiter + choice).startswith(" ") for choice in listed) and task.metric.name == "acc":
        shown = tuple((delimiter + choice)[1:] for choice in listed)
    else:
        counts = f", and '{task.metric.name}' counts the length of the text after it"
        raise RenderError(
            "target_delimiter",
            f"a suite puts one space between prompt and choice; the 'target_delimiter' {delimiter!r} gives "
            f"{(prompt + delimiter + listed[0])[-20:]!r}{counts if task.metric.name != 'acc' else ''}",
        )
    if len(shown) < 2:
        raise RenderError("doc_to_choice", "there must be at least two choices")
    if blank := [choice for choice in shown if not choice.strip()]:
        raise RenderError("doc_to_choice", f"a choice must not be blank, saw {blank[0]!r}")
    if len(set(shown)) < len(shown):
        twice = next(choice for choice, times in Counter(shown).items() if times > 1)
        raise RenderError("doc_to_choice", f"the choice {twice!r} appears twice")
    return prompt, shown


def _right_choices(given: Any, listed: Sequence[str], shown: Sequence[str]) -> tuple[str, ...]:
    if isinstance(given, str):
        if given not in listed:
            raise RenderError(TARGET, f"the right answer {given!r} is not one of the choices")
        return (shown[listed.index(given)],)
    indices = given if isinstance(given, list) else [given]
    if not indices:
        raise RenderError(TARGET, "no right choice: the list is empty")
    for index in indices:
        if not isinstance(index, int):
            raise RenderError(TARGET, f"'{TARGET}' must give the index of a choice, gave {describe(index)}")
        if not 0 <= index < len(listed):
            last = len(listed) - 1
            raise RenderError(
                TARGET, f"the right answer is choice {int(index)}, but the choices are 0 to {last}"
            )
    return tuple(dict.fromkeys(shown[index] for index in indices))


# Texts


def _right_texts(given: Any, listed: Sequence[str] | None) -> tuple[str, ...]:
    if listed is not None:
        if not isinstance(given, int) or not -len(listed) <= given < len(listed):
            raise RenderError(TARGET, f"'{TARGET}' must give the index of a choice, gave {describe(given)}")
        return (listed[given],)
    if not isinstance(given, list):
        return (str(given),) if given is not None else ()
    for answer in given:
        if not isinstance(answer, str):
            raise RenderError(TARGET, f"a right answer must be text, saw {describe(answer)}")
    return tuple(given)


def _patterns(task: LmEvalTask, texts: Sequence[str]) -> tuple[str, ...]:
    if not texts:
        raise RenderError(TARGET, "no right answer")
    if len(texts) > MOST_ANSWERS:
        raise RenderError(TARGET, f"{len(texts):,} right answers, and a probe may have {MOST_ANSWERS:,}")
    patterns: dict[str, None] = {}
    for text in texts:
        pattern = exact_pattern(text, task.metric)
        if pattern is None:
            raise RenderError(TARGET, f"the metric compares nothing of the right answer {text!r}")
        if len(pattern) > MOST_PATTERN:
            raise RenderError(
                TARGET, f"a right answer of {len(text):,} characters is too long for an exact comparison"
            )
        patterns[pattern] = None
    return tuple(patterns)
