"""Write the text of a new suite: one that runs, and that `lint` finds nothing wrong with."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import get_args

from harness.authoring.examples import PROBES, SUITE, TASKS, TASKS_OF_SCORES, WRITTEN_SCORES
from harness.authoring.schemas import schema_file
from harness.documents.validate import Like
from harness.documents.yaml_lines import double_quoted
from harness.errors import HarnessError, InputError, Problem, did_you_mean
from harness.scoring import load_scorers
from harness.spelling import option
from harness.suites.detect import has_ending
from harness.suites.format import AnswerKind, Category, Name
from harness.suites.read import DEFAULT_SCORES
from harness.suites.severity import SEVERITIES
from harness.terminal import say

ANSWERS = get_args(AnswerKind)

Ask = Callable[[str, str], str]
"""Asks the author: a question and its default in, the answer out."""

Check = Callable[[str, str], None]
"""Checks a value: its option and the value in; raises HarnessError for an invalid one."""


@dataclass(frozen=True)
class NewSuiteOptions:
    """The options of a new suite; None for those not given. `categories` are separated by commas."""

    name: str
    about: str | None
    severity: str | None
    answer: str | None
    score: str | None
    categories: str | None


def new_path(name: str, out: Path | None) -> Path:
    """The path of a suite of this name; raises HarnessError for an invalid name or path."""
    _check("NAME", name, _like(Name))
    path = out or Path("suites") / f"{name}.yaml"
    if not has_ending(path):
        raise HarnessError(f"{path}: a suite file ends in .yaml")
    return path


def completed(options: NewSuiteOptions, ask: Ask | None) -> NewSuiteOptions:
    """The options with every gap filled, from the answers to questions or, without `ask`, by default.

    Raises:
        HarnessError: an option has an invalid value.
    """

    def fill(key: str, question: str, default: str, check: Check) -> str:
        given: str | None = getattr(options, key)
        if given is None and ask is not None:
            return _answer(ask, key, question, default, check)
        value = default if given is None else given
        check(option(key), value)
        return value

    def choose(key: str, question: str, names: Sequence[str], default: str) -> str:
        return fill(key, f"{question} ({', '.join(names)})", default, partial(_check_name, names))

    about = fill("about", "What does it protect, in a sentence", "", lambda key, value: None)
    severity = choose("severity", "How bad is a loss", SEVERITIES, "high")
    answer = choose("answer", "What does a model do", ANSWERS, "generate")
    scores = scores_for(answer)  # which depend on the answer
    score = scores[0]
    if options.score is not None or len(scores) > 1:
        score = choose("score", "What makes an answer right", scores, score)
    categories = fill("categories", "Categories, separated by commas", "", _check_categories)
    return replace(options, about=about, severity=severity, answer=answer, score=score, categories=categories)


def _answer(ask: Ask, key: str, question: str, default: str, check: Check) -> str:
    """The first valid answer."""
    while True:
        value = ask(question, default)
        try:
            check(option(key), value)
        except HarnessError as error:
            say(error.text)
        else:
            return value


def scores_for(answer: str) -> tuple[str, ...]:
    """The scores with examples that judge such answers; the default first."""
    default = DEFAULT_SCORES.get(answer, "mentions")
    known = load_scorers()
    names = [name for name in PROBES if known[name].judges == answer]
    return tuple(sorted(names, key=lambda name: (name != default, name)))


def suite_text(options: NewSuiteOptions, path: Path) -> str:
    """The text of a suite file with these options, all of them filled."""
    assert options.answer is not None
    assert options.score is not None
    return SUITE.format(
        hint=_hint(path),
        name=_plain(options.name),
        path=path.as_posix(),
        about=double_quoted(options.about) if options.about else '""  # what it protects, in a sentence',
        severity=options.severity,
        task=TASKS_OF_SCORES.get(options.score, TASKS[options.answer]),
        score=WRITTEN_SCORES.get(options.score, f"score: {options.score}\n"),
        probes=_probes(options.score, _listed(options.categories or "")),
    )


def _probes(score: str, categories: Sequence[str]) -> str:
    """Example probes, spread over the categories; a category without one is a comment."""
    examples = PROBES[score]
    places = [f"category: {_plain(name)}, " for name in categories]
    lines = [
        f"  - {{id: example-{number}, {place}{example}}}\n"
        for number, (example, place) in enumerate(zip(examples, cycle(places or [""]), strict=False), start=1)
    ]
    return "".join(lines + [f"  # - {{id: ..., {place}...}}\n" for place in places[len(examples) :]])


def _hint(path: Path) -> str:
    """The line that tells editors where the schema is; empty without a schema, or for a suite outside the working folder."""
    schema = schema_file("suite")
    if not schema.is_file() or not path.resolve().is_relative_to(Path.cwd()):
        return ""
    way = Path(os.path.relpath(schema.resolve(), path.parent.resolve())).as_posix()
    return f"# yaml-language-server: $schema={way}\n"


def _plain(name: str) -> str:
    """A name, without quotes if YAML still reads it as text."""
    plain = re.fullmatch(r"[A-Za-z][\w -]*", name) and name.lower() not in ("true", "false", "null")
    return name if plain else double_quoted(name)


def _listed(categories: str) -> list[str]:
    return list(dict.fromkeys(name.strip() for name in categories.split(",") if name.strip()))


def _like(kind: object) -> Like:
    """The pattern that names of this kind match."""
    return next(mark for mark in getattr(kind, "__metadata__", ()) if isinstance(mark, Like))


def _check(place: str, value: str, like: Like) -> None:
    if not re.fullmatch(like.pattern, value) or not value.isprintable():
        raise HarnessError(f"{place} must be {like.words}, saw {value!r}")


def _check_name(names: Sequence[str], place: str, value: str) -> None:
    if value not in names:
        message = f"{place} must be one of {', '.join(names)}, saw {value!r}"
        raise InputError([Problem(None, message, did_you_mean(value, names))])


def _check_categories(place: str, value: str) -> None:
    for name in _listed(value):
        _check(place, name, _like(Category))
