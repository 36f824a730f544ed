"""The parts of a suite file by name, and the reader that all parts share: it checks a value and collects the problems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from harness.documents.document import Document, Place
from harness.documents.problems import Problems
from harness.documents.validate import Part, Shape, describe, validate
from harness.errors import LimitError, Problem, SuiteError
from harness.suites.format import GateFormat, ProbeFormat, SuiteFormat, TaskFormat, ThinkingFormat
from harness.suites.generate import GeneratorFormat
from harness.suites.scorer import Scorer
from harness.suites.source import SourceFormat
from harness.suites.suite import Task

M = TypeVar("M", bound=Shape)

PARTS = {
    "": Part("a suite", SuiteFormat),
    "task": Part("the task", TaskFormat),
    "gates": Part("a gate", GateFormat),
    "probes": Part("a probe", ProbeFormat),
    "shots": Part("a shot"),
    "generators": Part("a generator", GeneratorFormat),
    "draw": Part("the draws"),
    "probes_from": Part("'probes_from'", SourceFormat),
    "choices": Part("a choice"),
    "stop": Part("a stop text"),
    "template": Part("the template's arguments"),
    "thinking": Part("'thinking'", ThinkingFormat),
    "score": Part("the score"),
}


class PartReader:
    """Checks parts of one document: a suite file, or a line of data. Readers that share `problems` make one report."""

    def __init__(self, document: Document, scorers: Mapping[str, type[Scorer]], problems: Problems) -> None:
        self.document = document
        self.scorers = scorers
        self.problems = problems

    def problem(self, place: Place, message: str, hint: str | None = None) -> None:
        self.problems.add(Problem(self.document.span(place), message, hint))

    def valid(self, shape: type[M], data: Any, place: Place, parts: Mapping[str, Part] = PARTS) -> M | None:
        value, problems = validate(shape, data, self.document, parts, place, hints=self.problems.few)
        self.problems.add(*problems)
        return value

    def check_text(self, value: Any, place: Place) -> None:
        """Note a problem unless the value of a key is text with something in it."""
        if not isinstance(value, str) or not value.strip():
            self.problem(place, f"'{place[-1]}' must be non-empty text, saw {describe(value)}")

    @contextmanager
    def bounded(self, place: Place) -> Iterator[None]:
        """End the reading at the first value that takes too much time or memory: there may be thousands like it.

        Raises:
            SuiteError: with the problems found so far.
        """
        try:
            yield
        except LimitError as error:
            self.problem(place, error.message, error.hint)
            raise SuiteError(self.problems) from error

    def scorer(self, spec: Any, place: Place, task: Task) -> Scorer | None:
        """The scorer that `spec` names: `contains`, or `{number: {tolerance: 0.1}}`."""
        if isinstance(spec, str):
            name, parameters = spec, None
        elif isinstance(spec, dict) and len(spec) == 1:
            name, parameters = next(iter(spec.items()))
        else:
            expected = "a score must be a name, or a mapping of one name to its parameters"
            self.problem(place, f"{expected}, saw {describe(spec)}")
            return None
        place = (*place, name)
        if name not in self.scorers:
            hint = self.problems.near(name, self.scorers) or f"there are: {', '.join(sorted(self.scorers))}"
            self.problem(place, f"unknown score '{name}'", hint)
            return None
        kind = self.scorers[name]
        part = Part(f"the score '{name}'", kind)
        with self.bounded(place):
            scorer = self.valid(kind, kind.parameters(parameters), place, {**PARTS, name: part, "": part})
        if kind.judges != task.answer:
            needs = f"the score '{name}' judges 'answer: {kind.judges}'"
            self.problem(place, f"{needs}, but the task says 'answer: {task.answer}'")
            return None
        return scorer
