"""A probe as it is written in, a Probe or the problems with it out."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

from harness.documents.document import Place
from harness.documents.row import shown_columns
from harness.errors import Problem, Span
from harness.suites.format import ONLY_FIELD, ProbeFormat
from harness.suites.misnamed import misnamed, unused_hint
from harness.suites.score import ScoreReader
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
    needs_score: bool = True
    """Whether a probe without a score of its own has none."""


class ProbeReader(ScoreReader):
    """Checks the probes of a document."""

    columns: Mapping[str, Any] = {}
    """The columns that a probe in a line of data can be picked from."""
    meant: Mapping[str, str | None] = {}
    """The keys of a probe that nothing uses, each with the one that is meant, if that is clear."""
    named: Set[str] = frozenset()
    """The keys of a probe that a column stands for."""

    def probe(self, written: ProbeFormat, place: Place, setting: Setting) -> Probe | None:
        """The probe; None if no score is known that could judge it."""
        self.meant = misnamed(written, setting.fields or ())
        if setting.fields is not None:
            self.check_fields(written, place, setting.fields, setting.task.prompt)
        scorer = setting.scorer
        if "score" in written.model_fields_set:
            scorer = self.scorer(written.score, (*place, "score"), setting.task)
        elif scorer is None and setting.needs_score and not self.means("score"):
            hint = "give the suite a 'score', such as 'score: mentions', or the probe its own"
            self.problem(place, f"no score for the probe '{written.id}'", hint, alike="no score")
        answers = self.answers(written, place, setting.task, scorer)
        if scorer is None:
            return None
        fields = {name: str((written.model_extra or {}).get(name)) for name in setting.fields or ()}
        known = setting.fields is not None  # else no key is known to be wrong
        return Probe(
            id=written.id,
            scorer=scorer,
            fields=fields,
            answers=answers,
            category=written.category,
            severity=written.severity or setting.severity,
            choices=tuple(written.choices or ()),
            text=written.text,
            cluster=written.cluster,
            also_ask=self.also_ask(written, place, fields) if known else (),
            lint_ignore=written.lint_ignore,
            span=self.document.span(place),
        )

    def means(self, key: str) -> bool:
        """Whether the probe has a key under another name, which is a problem already."""
        return key in self.meant.values()

    def check_fields(self, written: ProbeFormat, place: Place, fields: tuple[str, ...], prompt: str) -> None:
        """Check that the probe has each field of the prompt, and no key that nothing uses."""
        extra = written.model_extra or {}
        for name in fields:
            if name in extra:
                self.check_text(extra[name], (*place, name))
            elif not self.means(name):
                message = f"the prompt uses '{{{name}}}', which the probe '{written.id}' does not have"
                self.problem(place, message, alike=f"no {name}")
        for name in self.meant:
            message = f"unknown key '{name}' in a probe: the prompt does not use it"
            few = self.problems.few
            hint = unused_hint(name, written, self.document, place, fields, prompt) if few else None
            self.problem((*place, name), message, hint, alike=message)

    def also_ask(
        self, written: ProbeFormat, place: Place, own: Mapping[str, str]
    ) -> tuple[Mapping[str, str], ...]:
        """The fields of the prompt in the probe's other words."""
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
            if scorer is not None and scorer.expects == "required" and not self.means("answer"):
                if self.lacks("answer"):
                    self.lacking("answer", f"which the score '{scorer.name}' compares with")
                else:
                    message = (
                        f"the probe '{written.id}' needs 'answer': the score '{scorer.name}' compares with it"
                    )
                    self.problem(place, message, alike="no answer")
            return ()
        if scorer is not None and scorer.expects == "none":
            self.problem(at, f"'answer' has no meaning under the score '{scorer.name}'")
            return ()
        answers = list(self.right_answers(written.answer, at, scorer))
        if task.answer == "choose" and written.choices is not None:
            self.check_choices(written.choices, answers, place)
        return tuple(answers)

    def check_kind(self, written: ProbeFormat, place: Place, task: Task) -> None:
        """Check the keys that only one kind of answer has, and needs."""
        for key, kind in (("choices", "choose"), ("text", "likelihood")):
            if getattr(written, key) is None:
                if task.answer == kind and self.lacks(key):
                    self.lacking(key, f"which 'answer: {kind}' needs")
                elif task.answer == kind and not self.means(key):
                    self.problem(place, f"a probe under 'answer: {kind}' needs '{key}'", alike=f"no {key}")
            elif task.answer != kind:
                message = f"'{key}' has no meaning under 'answer: {task.answer}'"
                self.problem((*place, key), message, f"write 'answer: {kind}' in the task", alike=message)

    def lacks(self, key: str) -> bool:
        """Whether the data, and so each of its rows, has no column for a key."""
        return bool(self.columns) and key not in self.named

    def lacking(self, key: str, why: str) -> None:
        """Note once that the data has no column for a key."""
        hint = f"{shown_columns(self.columns)}; say which one it is under 'fields' of 'probes_from': {{{key}: COLUMN}}"
        self.problems.add(Problem(Span(self.document.path, 1, 1), f"no column '{key}', {why}", hint))

    def check_choices(self, choices: list[str], answers: list[str], place: Place) -> None:
        known = set(choices)
        if len(known) < len(choices):
            self.problem((*place, "choices"), "two choices are the same")
        if len(choices) < 2:
            self.problem((*place, "choices"), "there must be at least two choices")
        if len(known) > 1 and known <= set(answers):
            self.problem((*place, "answer"), "every choice is a right answer: none would be wrong")
        for answer in answers:
            if answer not in known:
                hint = _by_number(answer, choices) or self.problems.near(answer, choices)
                self.problem((*place, "answer"), f"the answer {answer!r} is not one of the choices", hint)


def _by_number(answer: str, choices: list[str]) -> str | None:
    """The choice that a letter or a number stands for."""
    if len(answer) != 1 or not answer.isalnum():
        return None
    at = int(answer) - 1 if answer.isdecimal() else ascii_uppercase.find(answer.upper())
    return f"write the choice itself: answer: {choices[at]}" if 0 <= at < len(choices) else None
