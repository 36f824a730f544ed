"""A name and a few wishes in, a new suite file out, one that can be run and that `lint` finds nothing wrong with.

What is not said by an option is asked for, where there is someone to answer; else it has a default.
"""

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
from harness.cli.schema import schema_file
from harness.documents.validate import Like, literal_names
from harness.errors import HarnessError, did_you_mean
from harness.scoring import load_scorers
from harness.suites.detect import has_ending
from harness.suites.format import SEVERITIES, AnswerKind, Category, Name
from harness.suites.read import DEFAULT_SCORES, read_suite
from harness.terminal import say, show
from harness.writing import write_wanted

ANSWERS = literal_names(AnswerKind)


@dataclass(frozen=True)
class Wishes:
    """What is wanted of a new suite; None for what nobody has said."""

    name: str
    about: str | None = None
    severity: str | None = None
    answer: str | None = None
    score: str | None = None
    categories: tuple[str, ...] | None = None
    out: Path | None = None


def new(wishes: Wishes, force: bool = False) -> int:
    """Write a new suite; 0.

    Raises:
        HarnessError: a wish cannot be met, the file is there already, or an installed score cannot be loaded.
    """
    _check("NAME", wishes.name, _like(Name))
    path = wishes.out or Path("suites") / f"{wishes.name}.yaml"
    if not has_ending(path):
        raise HarnessError(f"{path}: a suite file ends in .yaml")
    if path.exists() and not force:
        raise HarnessError(f"{path}: is there already\n  choose another --out, or overwrite it with --force")
    wishes = _complete(wishes, ask if sys.stdin.isatty() else None)
    text = suite_text(wishes, path)
    write_wanted(path, text, "name another place: --out FILE")
    suite = read_suite(path, load_scorers())
    show(f"{path}: {len(suite.probes)} example probes to put yours in the place of")
    show(f"next: python -m harness preview {path}")
    return 0


def ask(question: str, default: str) -> str:
    """The answer of whoever sits at the terminal; raises HarnessError when they leave."""
    shown = f"{question} [{default}]: " if default else f"{question}: "
    try:
        return input(shown).strip() or default
    except EOFError as error:
        say("")
        raise HarnessError("nothing was written") from error


def _complete(wishes: Wishes, ask: Callable[[str, str], str] | None) -> Wishes:
    """The wishes with every gap filled, each checked, in the order in which they depend on each other."""

    def fill(
        given: str | None, option: str, question: str, default: str, check: Callable[[str, str], None]
    ) -> str:
        if given is not None or ask is None:
            value = default if given is None else given
            check(option, value)
            return value
        while True:
            value = ask(question, default)
            try:
                check(option, value)
            except HarnessError as error:
                say(str(error))
            else:
                return value

    about = fill(wishes.about, "--about", "What does it protect, in a sentence", "", _anything)
    severity = fill(
        wishes.severity,
        "--severity",
        f"How bad is a loss ({', '.join(SEVERITIES)})",
        "high",
        _one_of(SEVERITIES),
    )
    answer = fill(
        wishes.answer,
        "--answer",
        f"What does a model do ({', '.join(ANSWERS)})",
        "generate",
        _one_of(ANSWERS),
    )
    scores = scores_for(answer)
    score = scores[0]
    if wishes.score is not None or len(scores) > 1:
        score = fill(
            wishes.score,
            "--score",
            f"What makes an answer right ({', '.join(scores)})",
            score,
            _one_of(scores),
        )
    given = None if wishes.categories is None else ",".join(wishes.categories)
    categories = fill(given, "--categories", "Categories, with commas between them", "", _categories)
    return replace(
        wishes,
        about=about,
        severity=severity,
        answer=answer,
        score=score,
        categories=tuple(_listed(categories)),
    )


def scores_for(answer: str) -> tuple[str, ...]:
    """The scores that judge such answers and for which there are examples; the usual one first."""
    usual = DEFAULT_SCORES.get(answer, "mentions")
    known = load_scorers()
    names = sorted(name for name in PROBES if known[name].judges == answer)
    return (usual, *(name for name in names if name != usual))


def suite_text(wishes: Wishes, path: Path) -> str:
    """The text of the suite file that meets the wishes, all of which are filled in."""
    assert wishes.answer is not None
    assert wishes.score is not None
    return SUITE.format(
        hint=_hint(path),
        name=_plain(wishes.name),
        path=path.as_posix(),
        about=_quoted(wishes.about) if wishes.about else '""  # what it protects, in a sentence',
        severity=wishes.severity,
        task=TASKS[wishes.answer],
        score=WRITTEN_SCORES.get(wishes.score, f"score: {wishes.score}\n"),
        probes=_probes(wishes.score, wishes.categories or ()),
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


def _check(option: str, value: str, like: Like) -> None:
    if not re.fullmatch(like.pattern, value) or not value.isprintable():
        raise HarnessError(f"{option} must be {like.words}, saw {value!r}")


def _anything(option: str, value: str) -> None:
    """Any text will do."""


def _one_of(names: Sequence[str]) -> Callable[[str, str], None]:
    def check(option: str, value: str) -> None:
        if value not in names:
            near = did_you_mean(value, names)
            raise HarnessError(
                f"{option} must be one of {', '.join(names)}, saw {value!r}" + (f"\n  {near}" if near else "")
            )

    return check


def _categories(option: str, value: str) -> None:
    for name in _listed(value):
        _check(option, name, _like(Category))
