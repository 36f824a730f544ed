"""A name and what else is wanted in, the text of a new suite out: one that can be run and that `lint` finds nothing wrong with."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path

import yaml

from harness.authoring.examples import PROBES, SUITE, TASKS, WRITTEN_SCORES
from harness.authoring.schemas import schema_file
from harness.documents.validate import Like, literal_names
from harness.errors import HarnessError, did_you_mean
from harness.scoring import load_scorers
from harness.spelling import option
from harness.suites.detect import has_ending
from harness.suites.format import AnswerKind, Category, Name
from harness.suites.read import DEFAULT_SCORES
from harness.suites.severity import SEVERITIES
from harness.terminal import say

ANSWERS = literal_names(AnswerKind)

Ask = Callable[[str, str], str]
"""Someone who answers: the question and what an empty answer means in, the answer out."""

Check = Callable[[str, str], None]
"""Where a value stands and the value in; raises HarnessError where it will not do."""


@dataclass(frozen=True)
class NewSuiteOptions:
    """What is wanted of a new suite; None for what nobody has said. Categories have commas between them."""

    name: str
    about: str | None = None
    severity: str | None = None
    answer: str | None = None
    score: str | None = None
    categories: str | None = None


def new_path(name: str, out: Path | None = None) -> Path:
    """Where a suite of this name is written; raises HarnessError for a name or a place that no suite can have."""
    _check("NAME", name, _like(Name))
    path = out or Path("suites") / f"{name}.yaml"
    if not has_ending(path):
        raise HarnessError(f"{path}: a suite file ends in .yaml")
    return path


def completed(options: NewSuiteOptions, ask: Ask | None) -> NewSuiteOptions:
    """The options with every gap filled, in the order in which they depend on each other: asked for, or else by default.

    Raises:
        HarnessError: one cannot have its value.
    """

    def fill(key: str, question: str, default: str, check: Check) -> str:
        given: str | None = getattr(options, key)
        if given is None and ask is not None:
            return _answer(ask, key, question, default, check)
        value = default if given is None else given
        check(option(key), value)
        return value

    about = fill("about", "What does it protect, in a sentence", "", _anything)
    severities, answers = ", ".join(SEVERITIES), ", ".join(ANSWERS)
    severity = fill("severity", f"How bad is a loss ({severities})", "high", _one_of(SEVERITIES))
    answer = fill("answer", f"What does a model do ({answers})", "generate", _one_of(ANSWERS))
    scores = scores_for(answer)
    score = scores[0]
    if options.score is not None or len(scores) > 1:
        score = fill("score", f"What makes an answer right ({', '.join(scores)})", score, _one_of(scores))
    categories = fill("categories", "Categories, with commas between them", "", _categories)
    return replace(options, about=about, severity=severity, answer=answer, score=score, categories=categories)


def _answer(ask: Ask, key: str, question: str, default: str, check: Check) -> str:
    """The first answer that will do."""
    while True:
        value = ask(question, default)
        try:
            check(option(key), value)
        except HarnessError as error:
            say(error.text)
        else:
            return value


def scores_for(answer: str) -> tuple[str, ...]:
    """The scores that judge such answers and for which there are examples; the usual one first."""
    usual = DEFAULT_SCORES.get(answer, "mentions")
    known = load_scorers()
    names = sorted(name for name in PROBES if known[name].judges == answer)
    return (usual, *(name for name in names if name != usual))


def suite_text(options: NewSuiteOptions, path: Path) -> str:
    """The text of the suite file that has the options, all of which are filled in."""
    assert options.answer is not None
    assert options.score is not None
    return SUITE.format(
        hint=_hint(path),
        name=_plain(options.name),
        path=path.as_posix(),
        about=_quoted(options.about) if options.about else '""  # what it protects, in a sentence',
        severity=options.severity,
        task=TASKS[options.answer],
        score=WRITTEN_SCORES.get(options.score, f"score: {options.score}\n"),
        probes=_probes(options.score, _listed(options.categories or "")),
    )


def _probes(score: str, categories: Sequence[str]) -> str:
    """Example probes, spread over the categories; a category for which none is left is a comment."""
    examples = PROBES[score]
    lines = []
    for number, (example, category) in enumerate(
        zip(examples, cycle(categories or [""]), strict=False), start=1
    ):
        place = f"category: {_plain(category)}, " if category else ""
        lines.append(f"  - {{id: example-{number}, {place}{example}}}\n")
    lines += [f"  # - {{id: ..., category: {_plain(name)}, ...}}\n" for name in categories[len(examples) :]]
    return "".join(lines)


def _hint(path: Path) -> str:
    """The line by which editors find the schema; nothing where there is none, or the suite is written elsewhere."""
    schema = schema_file("suite")
    if not schema.is_file() or not path.resolve().is_relative_to(Path.cwd()):
        return ""
    way = Path(os.path.relpath(schema.resolve(), path.parent.resolve())).as_posix()
    return f"# yaml-language-server: $schema={way}\n"


def _quoted(text: str) -> str:
    """Text as YAML reads it back, on one line."""
    return yaml.safe_dump(text, default_style='"', allow_unicode=True, width=sys.maxsize).strip()


def _plain(name: str) -> str:
    """A name without quotes where YAML reads it as text all the same."""
    plain = re.fullmatch(r"[A-Za-z][\w -]*", name) and name.lower() not in ("true", "false", "null")
    return name if plain else _quoted(name)


def _listed(categories: str) -> list[str]:
    return list(dict.fromkeys(name.strip() for name in categories.split(",") if name.strip()))


def _like(kind: object) -> Like:
    """What makes a name of this kind a good one."""
    return next(mark for mark in getattr(kind, "__metadata__", ()) if isinstance(mark, Like))


def _check(place: str, value: str, like: Like) -> None:
    if not re.fullmatch(like.pattern, value) or not value.isprintable():
        raise HarnessError(f"{place} must be {like.words}, saw {value!r}")


def _anything(place: str, value: str) -> None:
    """Any text will do."""


def _one_of(names: Sequence[str]) -> Check:
    def check(place: str, value: str) -> None:
        if value not in names:
            near = did_you_mean(value, names)
            raise HarnessError(
                f"{place} must be one of {', '.join(names)}, saw {value!r}" + (f"\n  {near}" if near else "")
            )

    return check


def _categories(place: str, value: str) -> None:
    for name in _listed(value):
        _check(place, name, _like(Category))
