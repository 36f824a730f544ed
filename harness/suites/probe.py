"""A probe as it is written in, a Probe or the problems with it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.documents.data_file import shown_columns
from harness.documents.document import Place
from harness.documents.validate import describe
from harness.limits import MOST_ANSWERS
from harness.suites.format import ONLY_FIELD, ProbeFormat
from harness.suites.parts import PartReader
from harness.suites.scorer import Scorer
from harness.suites.severity import Severity
from harness.suites.suite import Probe, Task


@dataclass(frozen=True)
class Setting:
    """The parts of a suite that its probes depend on."""

    task: Task
    fields: tuple[str, ...] | None
    """The prompt's; None if they are unknown."""
    scorer: Scorer | None
    """For probes without their own."""
    severity: Severity


class ProbeReader(PartReader):
    """Checks the probes of a document."""

    columns: Mapping[str, Any] = {}
    """The columns that a probe in a line of data can be picked from."""

    def probe(self, written: ProbeFormat, place: Place, setting: Setting) -> Probe | None:
        """The probe; None if no score is known that could judge it."""
        if setting.fields is not None:
            self.check_fields(written, place, setting.fields)
        scorer = setting.scorer
        if "score" in written.model_fields_set:
            scorer = self.scorer(written.score, (*place, "score"), setting.task)
        elif scorer is None and ("score",) not in self.document.values:
            hint = "give the suite a 'score', or the probe its own"
            self.problem(place, f"no score for the probe '{written.id}'", hint)
        answers = self.answers(written, place, setting.task, scorer)
        if scorer is None:
            return None
        return Probe(
            id=written.id,
            scorer=scorer,
            fields={name: str((written.model_extra or {}).get(name)) for name in setting.fields or ()},
            answers=answers,
            category=written.category,
            severity=written.severity or setting.severity,
            choices=tuple(written.choices or ()),
            text=written.text,
            cluster=written.cluster,
            also_ask=self.also_ask(written, place, setting.fields),
            lint_ignore=written.lint_ignore,
            span=self.document.span(place),
        )

    def check_fields(self, written: ProbeFormat, place: Place, fields: tuple[str, ...]) -> None:
        """Check that the probe has each field of the prompt, and no key that nothing uses."""
        extra = written.model_extra or {}
        used = set(fields)
        for name in fields:
            if name in extra:
                self.check_text(extra[name], (*place, name))
            else:
                message = f"the prompt uses '{{{name}}}', which the probe '{written.id}' does not have"
                self.problem(place, message)
        for name in extra:
            if name not in used:
                known = [*ProbeFormat.model_fields, *fields]
                hint = self.problems.near(name, known) or "use 'note' for remarks"
                message = f"unknown key '{name}' in a probe: the prompt does not use it"
                self.problem((*place, name), message, hint)

    def also_ask(
        self, written: ProbeFormat, place: Place, fields: tuple[str, ...] | None
    ) -> tuple[Mapping[str, str], ...]:
        """The fields of the prompt in the probe's other words."""
        if fields is None:  # so no key is known to be wrong
            return ()
        own = {name: str((written.model_extra or {}).get(name)) for name in fields}
        if written.also_ask and not own:
            self.problem((*place, "also_ask"), "'also_ask' has no meaning: the prompt has no fields")
            return ()
        given: list[Mapping[str, str]] = []
        for index, words in enumerate(written.also_ask or ()):
            here = (*place, "also_ask", index)
            if ONLY_FIELD in words:
                if len(own) > 1:
                    named = ", ".join(f"{name}: …" for name in own)
                    self.problem(here, f"the prompt has {len(own)} fields", f"write a mapping: {{{named}}}")
                    continue
                words = dict.fromkeys(own, words[ONLY_FIELD])
            for name in [name for name in words if name not in own]:
                message = f"the prompt does not use '{name}'"
                self.problem((*here, name), message, self.problems.near(name, own))
            if {**own, **words} == own:
                self.problem(here, "'also_ask' repeats the probe itself", "ask the same in other words")
            given.append({**own, **words})
        return tuple(given)

    def answers(
        self, written: ProbeFormat, place: Place, task: Task, scorer: Scorer | None
    ) -> tuple[str, ...]:
        """The right answers that the probe names, without those that cannot be right."""
        self.check_kind(written, place, task)
        at: Place = (*place, "answer")
        if "answer" not in written.model_fields_set:
            if scorer is not None and scorer.expects == "required":
                message = (
                    f"the probe '{written.id}' needs 'answer': the score '{scorer.name}' compares with it"
                )
                missing = self.columns and "answer" not in self.columns
                self.problem(place, message, shown_columns(self.columns) if missing else None)
            return ()
        if scorer is not None and scorer.expects == "none":
            self.problem(at, f"'answer' has no meaning under the score '{scorer.name}'")
            return ()
        given = written.answer
        listed = given if isinstance(given, list) else [given]
        if not listed:
            self.problem(at, "'answer' must not be an empty list: no answer would be right")
        if len(listed) > MOST_ANSWERS:
            self.problem(
                at,
                f"a probe may have at most {MOST_ANSWERS:,} answers, saw {len(listed):,}",
                "use a rule that says what is right: the score 'regex' or 'check'",
            )
            return ()
        answers = []
        for index, answer in enumerate(listed):
            here = (*at, index) if isinstance(given, list) else at
            if wrong := self.answer_problem(answer, here, scorer):
                self.problem(here, wrong)
            else:
                answers.append(answer)
        if task.answer == "choose" and written.choices is not None:
            self.check_choices(written.choices, answers, place)
        return tuple(answers)

    def check_kind(self, written: ProbeFormat, place: Place, task: Task) -> None:
        """Check the keys that only one kind of answer has, and needs."""
        for key, kind in (("choices", "choose"), ("text", "likelihood")):
            if getattr(written, key) is None:
                if task.answer == kind:
                    self.problem(place, f"a probe under 'answer: {kind}' needs '{key}'")
            elif task.answer != kind:
                self.problem((*place, key), f"'{key}' has no meaning under 'answer: {task.answer}'")

    def answer_problem(self, answer: Any, place: Place, scorer: Scorer | None) -> str | None:
        """Why an answer cannot be right; None if it can."""
        if not isinstance(answer, str):
            return f"an answer must be text, saw {describe(answer)}"
        if not answer.strip():
            return "an answer must not be empty: it would match anything"
        with self.bounded(place):
            return scorer.expected_problem(answer) if scorer is not None else None

    def check_choices(self, choices: list[str], answers: list[str], place: Place) -> None:
        known = set(choices)
        if len(known) < len(choices):
            self.problem((*place, "choices"), "two choices are the same")
        if len(choices) < 2:
            self.problem((*place, "choices"), "there must be at least two choices")
        for answer in answers:
            if answer not in known:
                hint = self.problems.near(answer, choices)
                self.problem((*place, "answer"), f"the answer {answer!r} is not one of the choices", hint)
