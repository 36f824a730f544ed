"""A probe as it is written in, a Probe or the problems with it out; and the score that a part of a suite names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from harness.documents.data_file import shown_columns
from harness.documents.document import Document, Place
from harness.documents.problems import Problems
from harness.documents.validate import Part, Shape, describe, validate
from harness.errors import LimitError, Problem, SuiteError
from harness.limits import MOST_ANSWERS
from harness.suites.format import GateFormat, ProbeFormat, SuiteFormat, TaskFormat, ThinkingFormat
from harness.suites.generate import GeneratorFormat
from harness.suites.scorer import Scorer
from harness.suites.severity import Severity
from harness.suites.source import SourceFormat
from harness.suites.suite import Probe, Task

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


class ProbeReader:
    """Checks probes of one document: a suite file, or a line of data. Collects problems for one report."""

    def __init__(
        self,
        document: Document,
        scorers: Mapping[str, type[Scorer]],
        problems: Problems | None = None,
    ) -> None:
        self.document = document
        self.scorers = scorers
        self.problems = Problems(document.problems) if problems is None else problems
        self.columns: Mapping[str, Any] = {}
        """What there is to be taken for a probe, in a line of data."""

    def problem(self, place: Place, message: str, hint: str | None = None) -> None:
        self.problems.add(Problem(self.document.span(place), message, hint))

    def valid(self, shape: type[M], data: Any, place: Place) -> M | None:
        value, problems = validate(shape, data, self.document, PARTS, place, hints=self.problems.few)
        self.problems.add(*problems)
        return value

    @contextmanager
    def bounded(self, place: Place) -> Iterator[None]:
        """Read no further where one thing takes more time or memory than it may: there may be thousands like it.

        Raises:
            SuiteError: with what was found before, too.
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
            self.problem(
                place, f"a score is a name, or a mapping of one name to its parameters, saw {describe(spec)}"
            )
            return None
        if name not in self.scorers:
            self.problem(
                (*place, name),
                f"unknown score '{name}'",
                self.problems.near(name, self.scorers) or f"there are: {', '.join(sorted(self.scorers))}",
            )
            return None
        kind = self.scorers[name]
        with self.bounded((*place, name)):
            scorer, problems = validate(
                kind,
                kind.parameters(parameters),
                self.document,
                {**PARTS, name: Part(f"the score '{name}'", kind), "": Part(f"the score '{name}'", kind)},
                (*place, name),
                hints=self.problems.few,
            )
        self.problems.add(*problems)
        if kind.judges != task.answer:
            self.problem(
                (*place, name),
                f"the score '{name}' judges 'answer: {kind.judges}', and the task says 'answer: {task.answer}'",
            )
            return None
        return scorer

    def probe(
        self,
        written: ProbeFormat,
        place: Place,
        task: Task,
        fields: tuple[str, ...] | None,
        default: Scorer | None,
        severity: Severity,
    ) -> Probe | None:
        if fields is not None:
            self.prompt_fields(written, place, fields)
        scorer = default
        if "score" in written.model_fields_set:
            scorer = self.scorer(written.score, (*place, "score"), task)
        elif default is None and ("score",) not in self.document.values:
            self.problem(place, f"no score for the probe '{written.id}'",
                         "give the suite a 'score', or the probe its own")  # fmt: skip
        answers = self.answers(written, place, task, scorer)
        if scorer is None:
            return None
        return Probe(
            id=written.id,
            scorer=scorer,
            fields={name: str((written.model_extra or {}).get(name)) for name in fields or ()},
            answers=answers,
            category=written.category,
            severity=written.severity or severity,
            choices=tuple(written.choices or ()),
            text=written.text,
            span=self.document.span(place),
        )

    def prompt_fields(self, written: ProbeFormat, place: Place, fields: tuple[str, ...]) -> None:
        extra = written.model_extra or {}
        reserved = list(ProbeFormat.model_fields)
        used = set(fields)
        for name in fields:
            if name not in extra:
                self.problem(
                    place, f"the prompt uses '{{{name}}}', which the probe '{written.id}' does not have"
                )
            elif not isinstance(extra[name], str) or not extra[name].strip():
                self.problem(
                    (*place, name), f"'{name}' must be text that is not empty, saw {describe(extra[name])}"
                )
        for name in extra:
            if name not in used:
                self.problem(
                    (*place, name),
                    f"unknown key '{name}' in a probe: the prompt does not use it",
                    self.problems.near(name, [*reserved, *fields]) or "use 'note' for remarks",
                )

    def answers(
        self, written: ProbeFormat, place: Place, task: Task, scorer: Scorer | None
    ) -> tuple[str, ...]:
        if (written.choices is None) == (task.answer == "choose"):
            self.problem(
                place if written.choices is None else (*place, "choices"),
                "a probe under 'answer: choose' needs 'choices'" if written.choices is None
                else f"'choices' has no meaning under 'answer: {task.answer}'",
            )  # fmt: skip
        if (written.text is None) == (task.answer == "likelihood"):
            self.problem(
                place if written.text is None else (*place, "text"),
                "a probe under 'answer: likelihood' needs 'text'" if written.text is None
                else f"'text' has no meaning under 'answer: {task.answer}'",
            )  # fmt: skip
        given = written.answer
        at: Place = (*place, "answer")
        if given is None and "answer" not in written.model_fields_set:
            if scorer is not None and scorer.expects == "required":
                self.problem(
                    place,
                    f"the probe '{written.id}' needs 'answer': the score '{scorer.name}' compares with it",
                    shown_columns(self.columns) if self.columns and "answer" not in self.columns else None,
                )
            return ()
        if scorer is not None and scorer.expects == "none":
            self.problem(at, f"'answer' has no meaning under the score '{scorer.name}'")
            return ()
        listed = given if isinstance(given, list) else [given]
        if not listed:
            self.problem(at, "'answer' must not be an empty list: nothing would be right")
        if len(listed) > MOST_ANSWERS:
            self.problem(
                at, f"{len(listed):,} answers, and a probe may have {MOST_ANSWERS:,}",
                "say what is right with a rule: the score 'regex' or 'check'",
            )  # fmt: skip
            return ()
        answers = []
        for index, answer in enumerate(listed):
            here = (*at, index) if isinstance(given, list) else at
            if not isinstance(answer, str):
                self.problem(here, f"an answer must be text, saw {describe(answer)}")
            elif not answer.strip():
                self.problem(here, "an answer must not be empty: it would match anything")
            elif scorer is not None and (wrong := self.wrong_answer(scorer, answer, here)):
                self.problem(here, wrong)
            else:
                answers.append(answer)
        if task.answer == "choose" and written.choices is not None:
            self.choices(written.choices, answers, place)
        return tuple(answers)

    def wrong_answer(self, scorer: Scorer, answer: str, place: Place) -> str | None:
        with self.bounded(place):
            return scorer.expected_problem(answer)

    def choices(self, choices: list[str], answers: list[str], place: Place) -> None:
        known = set(choices)
        if len(known) < len(choices):
            self.problem((*place, "choices"), "a choice stands twice")
        if len(choices) < 2:
            self.problem((*place, "choices"), "there must be at least two choices")
        for answer in answers:
            if answer not in known:
                self.problem((*place, "answer"), f"the answer {answer!r} is not one of the choices",
                             self.problems.near(answer, choices))  # fmt: skip
