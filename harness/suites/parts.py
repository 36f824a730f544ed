"""The parts of a suite file by name, and the reader that all parts share: it checks a value and collects the problems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from harness.documents.document import Document, Place
from harness.documents.problems import Problems
from harness.documents.validate import Part, Shape, describe, validate
from harness.errors import LimitError, Problem, SuiteError
from harness.suites import words
from harness.suites.format import GateFormat, ProbeFormat, SuiteFormat, TaskFormat, ThinkingFormat
from harness.suites.generate import GeneratorFormat
from harness.suites.scorer import Scorer
from harness.suites.source import SourceFormat
from harness.suites.task_source_format import TaskSourceFormat

M = TypeVar("M", bound=Shape)

PARTS = {
    "": Part("a suite", SuiteFormat, meanings=words.SUITE, examples=words.SUITES),
    "task": Part("the task", TaskFormat, meanings=words.TASK, examples=words.TASKS),
    "gates": Part("a gate", GateFormat, meanings=words.GATE, examples=words.GATES),
    "probes": Part("a probe", ProbeFormat, meanings=words.PROBE, examples=words.PROBES),
    "shots": Part("a shot", examples=words.SHOTS),
    "generators": Part("a generator", GeneratorFormat),
    "draw": Part("the draws", examples=words.DRAWS),
    "probes_from": Part("'probes_from'", SourceFormat),
    "from": Part("'from'", TaskSourceFormat),
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

    def problem(
        self, place: Place, message: str, hint: str | None = None, *, alike: str | None = None
    ) -> None:
        """Note a problem; those that are `alike` are told as one."""
        self.problems.add(Problem(self.document.span(place), message, hint, alike))

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


def without_parts(data: dict[str, Any]) -> dict[str, Any]:
    """The top of a suite, with valid stand-ins for the parts that are checked one by one."""
    stand_ins = {
        "task": {},
        "gates": [{"over": "each"}],
        "probes": [{"id": "x"}],
        "generators": [{"count": 1, "probe": {"id": "x"}}],
    }
    fitting = {
        key: part for key, part in stand_ins.items() if data.get(key) and isinstance(data[key], type(part))
    }
    return data | fitting
