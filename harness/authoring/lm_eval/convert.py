"""A LmEvalTask and its documents in, the text of a suite that asks and scores the same out."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Sequence
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
    shot_texts,
    target,
)
from harness.authoring.lm_eval.task import LmEvalTask
from harness.authoring.lm_eval.write import Item, suite_text
from harness.documents.validate import describe
from harness.errors import InputError, Problem
from harness.limits import MOST_ANSWERS, MOST_NAME, MOST_PATTERN

MOST_PROBLEMS = 10


@dataclass(frozen=True)
class Imported:
    """The text of a suite file, what is in it, and what its reader should know."""

    name: str
    text: str
    items: tuple[Item, ...]
    notes: tuple[str, ...]


def convert(task: LmEvalTask, limit: int | None = None, category: str | None = None) -> Imported:
    """Make a suite of a task.

    Args:
        limit: only so many documents, the first.
        category: the column by which probes are put in categories.

    Raises:
        InputError: the data cannot be read, or documents do not become probes.
    """
    docs = read_split(task.data, task.split)
    if category is not None and category not in docs[0]:
        raise InputError([Problem(task.data.span, f"the documents have no column '{category}' for categories",
                                  f"there are: {', '.join(docs[0])}")])  # fmt: skip
    items = _items(task, docs[:limit], docs[0].keys(), category)
    notes = list(task.notes)
    if len(items) > 1 and len({item.prompt for item in items}) == 1:
        columns = ", ".join(docs[0])
        notes.append(f"every prompt is the same: is a column meant? there are: {columns}")
    if category is not None and (without := sum(item.category is None for item in items)):
        notes.append(f"{without} of {len(items)} documents have no category")
    name = re.sub(r"[\s\[\]:/\\]+", "-", task.name).strip("-")[:MOST_NAME] or "task"
    return Imported(name, suite_text(task, name, items, notes), tuple(items), tuple(notes))


def _items(
    task: LmEvalTask, docs: Sequence[Row], columns: Collection[str], category: str | None
) -> list[Item]:
    sampler = ShotSampler(task.shots, _pool(task))
    items, problems = [], []
    for index, doc in enumerate(docs):
        try:
            items.append(_item(task, index, doc, columns, sampler, category))
        except RenderError as error:
            place = task.document.span((error.key,))
            problems.append(Problem(place, f"document {index}: {error}"))
            if len(problems) == MOST_PROBLEMS:
                problems.append(
                    Problem(None, f"{MOST_PROBLEMS} documents with problems; the rest was not looked at")
                )
                break
    if problems:
        raise InputError(problems)
    return items


def _pool(task: LmEvalTask) -> Sequence[Row]:
    """The documents that shots are chosen from."""
    if task.shots.n == 0:
        return []
    if task.shots.samples is not None:
        return task.shots.samples
    assert task.shots.split is not None, "a task without any split is refused"
    return read_split(task.data, task.shots.split)


def _item(
    task: LmEvalTask,
    index: int,
    doc: Row,
    columns: Collection[str],
    sampler: ShotSampler,
    category: str | None,
) -> Item:
    _check_numbers(task, doc)
    shots = "".join(shot_texts(task.shots, sampler.shots(doc), columns))
    context = described(task.description, doc) + shots
    prompt = asked(task.wording, doc, columns)
    if not prompt.strip():
        raise RenderError("doc_to_text", "an empty prompt: a suite must ask something")
    given, listed = target(task.wording, doc, columns), choices(task.wording, doc, columns)
    named = _category(doc.get(category)) if category is not None else None
    if re.search("[\ud800-\udfff]", "".join([context, prompt, str(given), *(listed or ()), named or ""])):
        raise RenderError("doc_to_text", "half a surrogate pair is no text")
    if task.kind == "multiple_choice":
        assert listed is not None, "a multiple_choice task without 'doc_to_choice' is refused"
        prompt, shown = _divided(task, prompt, listed)
        return Item(index, context, prompt, _right_choices(given, listed, shown), shown, named)
    texts = _right_texts(given, listed)
    note = " | ".join(texts) if task.metric.ignore_punctuation or task.metric.ignore_numbers else None
    return Item(index, context, prompt, _patterns(task, texts), (), named, note)


def _check_numbers(task: LmEvalTask, doc: Row) -> None:
    """Refuse a document in which a column that the task uses is NaN or infinite: "nan" is no answer."""
    used = " ".join(map(str, (task.description, *vars(task.wording).values())))
    for column, value in doc.items():
        if isinstance(value, float) and not math.isfinite(value) and column in used:
            raise RenderError("doc_to_target", f"the column '{column}' holds {value}, which is no number")


def _category(value: Any) -> str | None:
    """A value of a column as the name of a category, or None."""
    if value is None:
        return None
    return re.sub(r"[\[\]:\s]+", " ", str(value)).strip()[:MOST_NAME].strip() or None


# Choices


def _divided(task: LmEvalTask, prompt: str, listed: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Prompt and choices such that the prompt, a space and a choice are what lm-evaluation-harness puts together.

    White space at the end of a prompt is scored with the choice by both, so a space may move from one to the other.
    """
    delimiter, body = task.wording.delimiter, prompt.rstrip()
    between = prompt[len(body) :] + delimiter
    if between.isspace() and between.endswith(" "):
        shown = tuple(listed)
        prompt = body + between[:-1]
    elif all((delimiter + choice).startswith(" ") for choice in listed) and task.metric.name == "acc":
        shown = tuple((delimiter + choice)[1:] for choice in listed)
    else:
        raise RenderError(
            "target_delimiter",
            f"a suite puts one space between prompt and choice; {delimiter!r} here, as 'target_delimiter', gives "
            f"{(prompt + delimiter + listed[0])[-20:]!r}"
            + (f", and '{task.metric.name}' counts the length of what stands after it" if task.metric.name != "acc" else ""),
        )  # fmt: skip
    if len(shown) < 2:
        raise RenderError("doc_to_choice", "there must be at least two choices")
    if blank := [choice for choice in shown if not choice.strip()]:
        raise RenderError("doc_to_choice", f"a choice must not be blank, saw {blank[0]!r}")
    if len(set(shown)) < len(shown):
        twice = next(choice for choice, times in Counter(shown).items() if times > 1)
        raise RenderError("doc_to_choice", f"the choice {twice!r} stands twice")
    return prompt, shown


def _right_choices(given: Any, listed: Sequence[str], shown: Sequence[str]) -> tuple[str, ...]:
    key = "doc_to_target"
    several = given if isinstance(given, list) else [given]
    if not several:
        raise RenderError(key, "no right choice: the list of them is empty")
    answers = []
    for one in several:
        if isinstance(one, str) and not isinstance(given, list):
            if one not in listed:
                raise RenderError(key, f"the right answer {one!r} is not one of the choices")
            answers.append(shown[listed.index(one)])
        elif isinstance(one, int):
            if not 0 <= one < len(listed):
                raise RenderError(
                    key, f"the right answer is choice {int(one)}, and they are 0 to {len(listed) - 1}"
                )
            answers.append(shown[one])
        else:
            raise RenderError(key, f"'{key}' must give the index of a choice, gave {describe(one)}")
    return tuple(dict.fromkeys(answers))


# Texts


def _right_texts(given: Any, listed: Sequence[str] | None) -> tuple[str, ...]:
    key = "doc_to_target"
    if listed is not None:
        if not isinstance(given, int) or not -len(listed) <= given < len(listed):
            raise RenderError(key, f"'{key}' must give the index of a choice, gave {describe(given)}")
        return (listed[given],)
    if isinstance(given, list):
        for one in given:
            if not isinstance(one, str):
                raise RenderError(key, f"a right answer must be text, saw {describe(one)}")
        return tuple(given)
    return (str(given),) if given is not None else ()


def _patterns(task: LmEvalTask, texts: Sequence[str]) -> tuple[str, ...]:
    if not texts:
        raise RenderError("doc_to_target", "no right answer")
    patterns = []
    for text in texts:
        pattern = exact_pattern(text, task.metric)
        if pattern is None:
            raise RenderError(
                "doc_to_target", f"the right answer {text!r} is empty where the metric compares it"
            )
        if len(pattern) > MOST_PATTERN:
            raise RenderError(
                "doc_to_target",
                f"a right answer of {len(text):,} characters is too long to be compared exactly",
            )
        patterns.append(pattern)
    if len(patterns) > MOST_ANSWERS:
        raise RenderError(
            "doc_to_target", f"{len(patterns):,} right answers, and a probe may have {MOST_ANSWERS:,}"
        )
    return tuple(dict.fromkeys(patterns))
