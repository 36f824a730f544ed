"""A score as it is written in, a Scorer and right answers that suit it out, or the problems with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.documents.document import Place
from harness.documents.part import Part, plain_name
from harness.documents.validate import describe
from harness.errors import LimitError, what_was_raised
from harness.limits import MOST_ANSWERS
from harness.suites import words
from harness.suites.composed import MOST_NESTED, MOST_PIECES, Composed, Piece, without_answer
from harness.suites.parts import PARTS, PartReader
from harness.suites.scorer import Scorer
from harness.suites.suite import Task

NOTHING = ("null", "Null", "NULL", "~")
"""Words that are nothing for YAML."""


class ScoreReader(PartReader):
    """Checks the scores of a document."""

    pieces_left = MOST_PIECES
    """How many more pieces the score that is being read may have."""

    def scorer(self, spec: Any, place: Place, task: Task) -> Scorer | None:
        """The scorer that `spec` names: `contains`, `{number: {tolerance: 0.1}}`, or `{any: [...]}` of such."""
        self.pieces_left = MOST_PIECES
        return self._scorer(spec, place, task, 0)

    def _scorer(self, spec: Any, place: Place, task: Task, depth: int) -> Scorer | None:
        if isinstance(spec, str):
            name, parameters = spec, None
        elif isinstance(spec, dict) and len(spec) == 1:
            name, parameters = next(iter(spec.items()))
        else:
            self.problem(place, *_no_score(spec))
            return None
        place = (*place, name)
        if name not in self.scorers:
            meant = words.SCORES.get(plain_name(name))
            near = (
                f"did you mean '{meant}'?"
                if meant in self.scorers
                else self.problems.near(name, self.scorers)
            )
            hint = near or f"there are: {', '.join(sorted(self.scorers))}"
            self.problem(place, f"unknown score '{name}'", hint)
            return None
        kind = self.scorers[name]
        if issubclass(kind, Composed) and kind.judges == task.answer:
            return self._composed(kind, parameters, place, task, depth)
        own = ("answer",) if depth and kind.expects != "none" else ()
        part = Part(f"the score '{name}'", kind, own)
        scorer = None
        if not issubclass(kind, Composed):
            with self.bounded(place):
                scorer = self.valid(kind, kind.parameters(parameters), place, {**PARTS, name: part, "": part})
        if kind.judges != task.answer:
            needs = f"the score '{name}' judges 'answer: {kind.judges}'"
            self.problem(place, f"{needs}, but the task says 'answer: {task.answer}'")
            return None
        return scorer

    # Scores made of others

    def _composed(
        self, kind: type[Composed], written: Any, place: Place, task: Task, depth: int
    ) -> Scorer | None:
        """A score whose pieces are all valid, or None."""
        wanted = "one score" if kind.single else "a non-empty list of scores"
        if isinstance(written, list) is kind.single or not written:
            hint = "for none of several write 'not: {any: [...]}'" if kind.single else None
            self.problem(place, f"'{kind.name}' must be {wanted}, saw {describe(written)}", hint)
            return None
        listed = [written] if kind.single else written
        self.pieces_left -= len(listed)
        if self.pieces_left < 0 or depth >= MOST_NESTED:
            least = f"at most {MOST_PIECES} pieces, and be nested at most {MOST_NESTED} deep"
            self.problem(
                place, f"a score may have {least}", "use a rule that says the same: 'regex' or 'check'"
            )
            self.pieces_left = min(self.pieces_left, 0)
            return None
        places = [place if kind.single else (*place, index) for index in range(len(listed))]
        pieces = [self._piece(spec, at, task, depth + 1) for spec, at in zip(listed, places, strict=True)]
        known = [piece for piece in pieces if piece is not None]
        if len(known) < len(pieces):
            return None
        scorer = kind(pieces=tuple(known))
        if scorer.mixes_order:
            hint = "write it beside: 'all: [{check: {fluent: true, min_words: 5}}, ...]'"
            self.problem(place, f"'fluent' cannot be asked of some pieces of '{kind.name}'", hint)
        return scorer

    def _piece(self, spec: Any, place: Place, task: Task, depth: int) -> Piece | None:
        """A score within another, with its own answers if it has any."""
        own, at = None, place
        if isinstance(spec, dict) and len(spec) == 1:
            name, parameters = next(iter(spec.items()))
            if name in self.scorers:
                rest, own = without_answer(self.scorers[name], parameters)
                spec, at = {name: rest}, (*place, name, "answer")
        scorer = self._scorer(spec, place, task, depth)
        if scorer is None or own is None:
            return None if scorer is None else Piece(scorer=scorer)
        answers = tuple(self.right_answers(own, at, scorer))
        return Piece(scorer=scorer, answers=answers) if answers else None

    # Right answers

    def right_answers(self, given: Any, place: Place, scorer: Scorer | None) -> Iterator[str]:
        """The answers that can be right, of one or a list of them."""
        listed = given if isinstance(given, list) else [given]
        if not listed:
            self.problem(place, "'answer' must not be an empty list: no answer would be right")
        if len(listed) > MOST_ANSWERS:
            self.problem(
                place,
                f"a probe may have at most {MOST_ANSWERS:,} answers, saw {len(listed):,}",
                "use a rule that says what is right: the score 'regex' or 'check'",
            )
            return
        for index, answer in enumerate(listed):
            here = (*place, index) if isinstance(given, list) else place
            if wrong := self.answer_problem(answer, here, scorer):
                self.problem(here, wrong, self.answer_hint(answer, here))
            else:
                yield answer

    def answer_hint(self, answer: Any, place: Place) -> str | None:
        """What an answer that is no text may have been meant to be."""
        if answer is None:
            words = self.document.rest(self.document.values.get(place)).split()
            if words and (word := words[0].strip(",}]")) in NOTHING:
                return f'to mean the text write: answer: "{word}"'
            return "write it behind 'answer: '"
        from harness.documents.remedies import corrected, json_meant, text_meant

        text = text_meant(self.document, place, answer) or json_meant(self.document, place, answer)
        if text is None:
            return None
        key, value = self.document.keys.get(place), self.document.values.get(place)
        below = key is not None and value is not None and key.line < value.line
        line = f"answer: {text}" if below else corrected(self.document, place, text)
        return f"a text like this needs quotes; write: {line}"

    def answer_problem(self, answer: Any, place: Place, scorer: Scorer | None) -> str | None:
        """Why an answer cannot be right; None if it can."""
        if not isinstance(answer, str):
            return f"an answer must be text, saw {describe(answer)}"
        if not answer.strip():
            return "an answer must not be empty: it would match anything"
        with self.bounded(place):
            return _expected_problem(scorer, answer) if scorer is not None else None


def _expected_problem(scorer: Scorer, answer: str) -> str | None:
    """What a score objects to in an answer, or how its own code broke on that."""
    try:
        return scorer.expected_problem(answer)
    except LimitError:
        raise
    except Exception as error:
        return f"the score '{scorer.name}' cannot tell whether {answer[:100]!r} can be right: {what_was_raised(error)}"


def _no_score(spec: Any) -> tuple[str, str | None]:
    """Why a value is no score, and what was meant by several names."""
    expected = "a score must be a name, or a mapping of one name to its parameters"
    if isinstance(spec, dict) and len(spec) > 1 and next(iter(spec.values())) is None:
        name, *rest = spec
        return (
            f"{expected}, saw {describe(spec)}",
            f"its parameters belong to it: {name}: {{{', '.join(f'{key}: {spec[key]}' for key in rest)}}}",
        )
    several = isinstance(spec, dict | list) and len(spec) > 1
    hint = "for several write 'any: [...]' or 'all: [...]'" if several else None
    return f"{expected}, saw {describe(spec)}", hint
