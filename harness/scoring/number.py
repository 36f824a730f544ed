"""The score `number`: compares the number that a reply settles on with the right one."""

from __future__ import annotations

import math
import re
from bisect import bisect
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise, takewhile
from typing import Annotated, Literal

from pydantic import Field

from harness.normalise import Figure, answer_of, figures, plain
from harness.normalise.figures import enumerated
from harness.scoring.final import (
    ASKS,
    after_answer,
    before_reason,
    bold_parts,
    boxed_part,
    concludes,
    last_conclusion,
    main_clause,
    sentences,
    without_asides,
    without_retracted,
)  # fmt: skip
from harness.scoring.hedges import open_figures
from harness.scoring.negation import without_denied
from harness.scoring.reading import TextScorer
from harness.scoring.registry import scorer
from harness.wording import some

_SUBJECT = re.compile(
    r"\W*[$€£]?\S+ (?:is|are|was|equals) (?:the|a|what|how|because|right|correct|half)(?!\w)", re.IGNORECASE
)
_COPULA = re.compile(r"(?<!\w)(?:is|are|equals|makes)(?!\w)|[=\u2248]", re.IGNORECASE)
_INFERS = re.compile(r",? (?:so|therefore|thus|hence|then|which means)(?!\w)", re.IGNORECASE)
_CAUSE = re.compile(r"\W*(?:since|because|as|if)(?!\w)", re.IGNORECASE)
_COMPARES = re.compile(
    r",\s(?:\S{1,20}\s){0,4}(?:more|less|fewer|larger|smaller|higher|lower) than(?!\w)", re.IGNORECASE
)
_OPERATOR = re.compile(
    r"\s*(?:[-+*/\u00d7\u00f7\u22c5x^]|plus|minus|times|(?:multiplied|divided) by)\s*[$€£]?", re.IGNORECASE
)
_CHECKS = re.compile(
    r"\W*(?:(?:to|let's|let us|let me|we can|you can|i can|now|double)[ -]){0,3}(?:check(?:ing)?|verify(?:ing)?|proof|verification)(?!\w)",
    re.IGNORECASE,
)
_WHOLE = re.compile(r"(?<!\w)(?:out of|(?:of|from) the(?: \w{1,20})?) \W?\Z", re.IGNORECASE)
_TAKES = re.compile(
    r"(?<!\w)(?:there (?:are|is|were|was)|takes?|took|costs?|needs?|needed|requires?|pays?|paid|spends?|spent)"
    r"(?: \w{1,20}){0,4} [$€£]?\Z",
    re.IGNORECASE,
)
_FOR = re.compile(r"(?: \w{1,20}){0,4} (?:in|for|to (?!get|reach)\w{1,20}) (?:the |all )?")
_HEADS = re.compile(
    r"\W*(?:step|example|option|question|problem|part|method|case|exercise)(?!\w)", re.IGNORECASE
)
_ANOTHER = re.compile(
    rf"(?:^|(?<=[.!?]) )[*_# >]{{0,5}}(?:(?:{ASKS})(?: \d{{1,3}})?|(?:Example|Problem) (?!1\D)\d{{1,3}})\**(?:[:.)]|$)"
    r"|^[^.!?\n]{3,300}\?"
    r"|(?:^|(?<=[.!?]) )Here are (?:some |a few )?(?:other|more|similar|additional) (?:facts|examples|questions|problems)(?!\w)"
    r"|(?:^|(?<=[.!?]) )Similarly(?!\w)(?=(?:[^.!?\n]|[.!?](?=\S))*+[.!?]?\s*\Z)(?!.*(?<!\w)(?:so|total)(?!\w))",
    re.MULTILINE,
)
"""Where a line goes on with another question: its label, a question at its beginning, or "Similarly" in a last sentence that adds
nothing up."""

_EXPLAINS = re.compile(
    r"\W*(?:to|you (?:can|could|calculate|find|just|need|multiply|divide|add|subtract)|this is|this can|because|check|note|explanation|here's|here is|since|for example|remember|"
    r"it's because|that is because|we can check|proof|verification|fun fact|in other words|multiply|divide|hope|let me know|just)(?!\w)",
    re.IGNORECASE,
)
_PATTERN = re.compile(
    r"(?:the|this) (?:sequence|pattern|rule) (?:is|adds|(?:in|de)creases|goes|follows)|each (?:number|term) is",
    re.IGNORECASE,
)


def numbers(text: str, language: str = "en") -> list[float]:
    """The numbers in a text, in order: `1,000`, `-2.5`, `3e8`, `nine` and the 5 of `5km` are one each, `2nd` is none."""
    return [figure.value for figure in figures(plain(text), language)]


@scorer("number")
class Number(TextScorer):
    """The number that the text settles on is the answer, give or take `tolerance` (absolute).

    Numbers may be written in digits (`1,000`, `1 000`, `2,5`, `-42`, `$5`, `24m²`, `25%`, `1/2`), in words (`twenty-four`,
    `12 thousand`, `1.5 million`, `11K`, `two and a half`) and in LaTeX. `25%` is 0.25 as well. What follows another question,
    checks the result, goes before "Wait, no" or says when and why ("8 are left after 12 fly away") does not count.
    """

    tolerance: Annotated[float, Field(ge=0)] = Field(
        0.0, description="How far from the right number an answer may be, absolutely."
    )
    final: Literal["auto", "last_number", "after_answer", "boxed"] = Field(
        "auto",
        description="Which number counts. boxed: the last in the last \\boxed{}; after_answer: after the last 'answer is', "
        "'answer:' or '####', the first, or the one after '='; last_number: the last; auto: boxed if there is any, else "
        "after_answer, else the only one in bold, else the one that the reply opens with and only explains ('7, because 5 x 7 = "
        "35'), else the one in its last conclusion, brackets and '35 = 5 x 7' minded.",
    )

    def expected_problem(self, expected: str) -> str | None:
        found = numbers(expected, self.language)
        if len(found) != 1 or not math.isfinite(found[0]):
            return f"an answer under 'number' must be one number, saw {expected!r}"
        return None

    def right(self, text: str, expected: Sequence[str]) -> bool:
        found = self.figure(text)
        return found is not None and self._equals(found, expected)

    def may_be_right(self, text: str, expected: Sequence[str]) -> bool:
        return any(self._equals(found, expected) for found in figures(self.reading(text), self.language))

    def _equals(self, found: Figure, expected: Sequence[str]) -> bool:
        values = (found.value, found.value / 100) if found.percent else (found.value,)
        return any(
            math.isclose(value, numbers(answer, self.language)[0], rel_tol=1e-9, abs_tol=self.tolerance)
            for answer in expected
            for value in values
        )

    def why(self, text: str, expected: Sequence[str]) -> str | None:
        seen = [f"{figure.value:.15g}" for figure in figures(self.reading(text), self.language)]
        if not seen:
            return "it has no number"
        taken, among = self.figure(text), f" of the numbers {some(seen, 8)}" if len(seen) > 1 else ""
        if taken is None:
            return f"final: {self.final}: there is no such number{among}"
        if math.isnan(taken.value):
            return f"it leaves open which{among}"
        return f"took {taken.value:.15g}{'%' if taken.percent else ''}{among}"

    def figure(self, text: str) -> Figure | None:
        """The number that a reply settles on, or None."""
        text = self._own(answer_of(text))
        text = without_retracted(text, figures(text, self.language))
        read = without_denied(self.reading(text).replace("=>", "->"), self.language)  # an arrow, and no "="
        finds = {
            "boxed": lambda: self._last(boxed_part(text) or ""),
            "after_answer": lambda: self._stated(after_answer(read) or ""),
            "bold": lambda: self._bold(text),
            "opening": lambda: self._opening(self._outside(read)),
            "conclusion": lambda: self._conclusion(self._outside(read)),
            "last_number": lambda: self._last(read),
        }
        pieces = finds if self.final == "auto" else [self.final]
        return next((found for piece in pieces if (found := finds[piece]()) is not None), None)

    def _figures(self, text: str) -> Sequence[Figure]:
        """The numbers of a text; NaN for those that it leaves open, as in "5 or 6"."""
        found = figures(text, self.language)
        left_open = open_figures(text, found, self.language)
        return [
            replace(figure, value=math.nan) if place in left_open else figure
            for place, figure in enumerate(found)
        ]

    def _own(self, text: str) -> str:
        """A raw text up to another question, which is one with a number, or a label, after which its result never comes back."""
        found = figures(text, self.language)
        last_places = {figure.value: figure.start for figure in found}
        ends = [figure.end for figure in found]
        for another in _ANOTHER.finditer(text):
            before, within = bisect(ends, another.start()), bisect(ends, another.end())
            asks = within > before or not another.group().endswith("?")
            if before and asks and last_places[found[before - 1].value] < another.start():
                return text[: another.start()]
        return text

    def _outside(self, text: str) -> str:
        """A text without its asides, if there is a number outside of them."""
        return without_asides(text, lambda outside: bool(self._figures(outside)))

    def _last(self, text: str) -> Figure | None:
        return self._picked(text, -1)

    def _picked(self, text: str, place: int) -> Figure | None:
        """The first (0) or last (-1) number of a text; NaN if it is the first of an enumeration."""
        found = self._figures(text)
        if not found:
            return None
        is_listed = place == 0 and 0 in enumerated(text, found)
        return replace(found[place], value=math.nan) if is_listed else found[place]

    def _stated(self, text: str) -> Figure | None:
        """The number that a piece of text states: what an expression equals, else the first that is no operand of one."""
        head = self._outside(before_reason(text) or text)
        if (compares := _COMPARES.search(head)) and self._figures(head[: compares.start()]):
            head = head[: compares.start()]
        left, equals, right = head.rpartition("=")
        if equals and len(self._figures(right)) > 1 and len(self._figures(left)) == 1:  # 35 = 5 x 7
            return self._picked(left, 0)
        return self._picked(right if equals and self._figures(right) else self._result(head), 0)

    def _result(self, text: str) -> str:
        """A text without the expression at its beginning: "11" of "15 minus 4 is 11"."""
        found = self._figures(text)
        operators = takewhile(
            lambda pair: _OPERATOR.fullmatch(text, pair[0].end, pair[1].start), pairwise(found)
        )
        return text[max((second.end for _, second in operators), default=0) :]

    def _bold(self, text: str) -> Figure | None:
        """The only number that is in bold with at most a unit."""
        found = [
            self._figures(piece)
            for piece in bold_parts(text)
            if len(piece.split()) <= 4 and ":" not in piece and not _HEADS.match(piece)
        ]
        values = [pieces[0] for pieces in found if len(pieces) == 1]
        return values[0] if values and len({figure.value for figure in values}) == 1 else None

    def _opening(self, text: str) -> Figure | None:
        """The number with which a reply opens, if what follows only explains it."""
        parts = sentences(text)
        place = next((place for place, sentence in enumerate(parts) if self._figures(sentence)), None)
        if place is None:
            return None
        first, rest = parts[place], parts[place + 1 :]
        reasoned = before_reason(first)
        if reasoned and (said := self._said(reasoned)):
            return said
        found = self._figures(first)
        opens = found[0].start <= 2
        is_operand = _OPERATOR.match("".join(rest[:1])) is not None
        bare = opens and len(found) == 1 and len(first.split()) <= 4 and not is_operand
        only = not any(map(self._figures, rest))
        subject = opens and "=" not in first and only and _SUBJECT.match(first) is not None
        return found[0] if bare or subject else self._explained(first, rest)

    def _explained(self, first: str, rest: Sequence[str]) -> Figure | None:
        """The number of a first sentence that the sentences after it explain."""
        if not rest or concludes(" ".join(rest)):
            return None
        is_pattern = _PATTERN.match(rest[0]) and sum(len(self._figures(sentence)) for sentence in rest) <= 1
        if not is_pattern and not _EXPLAINS.match(rest[0]):
            return None
        return self._said(first) if _COPULA.search(first) else None

    def _said(self, text: str) -> Figure | None:
        """The only number after the last "is" or "=" of a text, or in all of it if there is none, but for wholes."""
        copula = max((found.end() for found in _COPULA.finditer(text)), default=0)
        found = self._parts(text)
        found = [figure for figure in found if figure.start >= copula] or found
        return found[0] if len(found) == 1 else None

    def _conclusion(self, text: str) -> Figure | None:
        """The number of the last sentence that begins with so or therefore, else of the last that has any."""
        parts = [part for part in self._unchecked(sentences(text)) if self._figures(part)]
        parts = [part for part in parts if not part.endswith("?")] or parts
        if not parts:
            return None
        place = last_conclusion(parts)
        sentence = parts[-1 if place is None else place]
        if "=" in sentence:
            return self._inferred(sentence) or self._stated(sentence)
        compares = _COMPARES.search(sentence)
        head = self._last(sentence[: compares.start()]) if compares else None
        return head or self._parts(main_clause(sentence, self._figures))[-1]

    def _inferred(self, sentence: str) -> Figure | None:
        """The number that a sentence infers from its equation: 36 of "36 + 23 = 59, so the number is 36"."""
        after = sentence.rpartition("=")[2]
        infers = _INFERS.search(after) or (_CAUSE.match(sentence) and re.search(r",\s", after))
        clause = after[infers.end() :] if infers else ""
        copulas = list(_COPULA.finditer(clause))
        end = copulas[0].end() if len(copulas) == 1 else len(clause)
        found = [figure for figure in self._figures(clause) if figure.start >= end]
        return found[0] if len(found) == 1 and not re.search(r"\w", clause[end : found[0].start]) else None

    def _parts(self, sentence: str) -> list[Figure]:
        """The numbers of a sentence but for wholes, the 50 of "42 of the 50", the 6 of "there are 42 days in 6 weeks" and "pay 42 for 6"."""
        found = self._figures(sentence)

        def is_whole(first: Figure, second: Figure) -> bool:
            between = first.end, second.start
            return _WHOLE.search(sentence, *between) is not None or (
                _FOR.fullmatch(sentence, *between) is not None
                and _TAKES.search(sentence, max(0, first.start - 100), first.start) is not None
            )

        wholes = {second for first, second in pairwise(found) if is_whole(first, second)}
        return [figure for figure in found if figure not in wholes]

    def _unchecked(self, parts: Sequence[str]) -> Sequence[str]:
        """The sentences before the one that begins to check the result, unless a later one concludes."""
        checks = next((place for place, part in enumerate(parts) if _CHECKS.match(part)), len(parts))
        settled = any(map(self._figures, parts[:checks])) and last_conclusion(parts[checks:]) is None
        return parts[:checks] if settled else parts
