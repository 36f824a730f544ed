"""The contract of scores that are made of others: `any`, `all` and `not`, whose pieces judge generated text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

from harness.documents.validate import Shape
from harness.suites.scorer import Expects, Scorer

MOST_NESTED = 10
"""How deep scores may be nested."""

MOST_PIECES = 100
"""How many pieces a score may have, those of its pieces included."""


class Piece(Shape):
    """A score within another, and its own right answers; without any, it has those of the probe."""

    scorer: Scorer
    answers: tuple[str, ...] = ()

    @property
    def expects(self) -> Expects:
        """Whether the piece must, may or must not have the probe's answers."""
        return "none" if self.answers else self.scorer.expects

    def right(self, text: str, expected: Sequence[str]) -> bool:
        """Whether a text is right by this piece.

        Raises:
            TypeError: the score returns neither True nor False.
        """
        return self._judged(self.scorer.right, text, expected)

    def may_be_right(self, text: str, expected: Sequence[str]) -> bool:
        """Whether a text may be right by this piece; raises what `right` raises."""
        return self._judged(self.scorer.may_be_right, text, expected)

    def _judged(
        self, judge: Callable[[str, Sequence[str]], bool], text: str, expected: Sequence[str]
    ) -> bool:
        right = judge(text, self._taken(expected))
        if not isinstance(right, bool):
            kind = type(right).__name__
            raise TypeError(f"the score '{self.scorer.name}' must return True or False, returned {kind}")
        return right

    def _taken(self, expected: Sequence[str]) -> Sequence[str]:
        """Its own answers, else those of the probe: a score that may do without takes those that can be right under it."""
        match self.expects:
            case "none":
                return self.answers
            case "optional":
                return [answer for answer in expected if self.scorer.expected_problem(answer) is None]
        return expected

    def why(self, text: str, expected: Sequence[str]) -> str:
        """The score's name and, if it says so, why a text is wrong by it."""
        why = self.scorer.why(text, self._taken(expected))
        return f"'{self.scorer.name}' is wrong{f', {why}' if why else ''}"

    def written(self) -> Any:
        """The piece as YAML has it."""
        parameters = self.scorer.written()
        return {
            self.scorer.name: {**parameters, "answer": list(self.answers)} if self.answers else parameters
        }


class Composed(Scorer):
    """A score that is made of others."""

    single: ClassVar[bool] = False
    """Whether it has one piece, written without a list."""

    pieces: tuple[Piece, ...]

    @property
    def expects(self) -> Expects:  # type: ignore[override]  # of all other scores it is known by their class
        found = {piece.expects for piece in self.pieces}
        ranked: tuple[Expects, ...] = ("required", "optional")
        return next((expects for expects in ranked if expects in found), "none")

    @property
    def runs_code(self) -> bool:  # type: ignore[override]
        return any(piece.scorer.runs_code for piece in self.pieces)

    @property
    def settles(self) -> bool:
        return all(piece.scorer.settles for piece in self.pieces)

    @property
    def asks_order(self) -> bool:
        return any(piece.scorer.asks_order for piece in self.pieces)

    @property
    def mixes_order(self) -> bool:
        """Whether the order of words counts for a piece and not for the score, so that the two cannot be judged together."""
        return False

    def refusal(self) -> str | None:
        return next(filter(None, (piece.scorer.refusal() for piece in self.pieces)), None)

    def written(self) -> Any:
        pieces = [piece.written() for piece in self.pieces]
        return pieces[0] if self.single else pieces

    def expected_problem(self, expected: str) -> str | None:
        """A problem of a piece that needs the probe's answers; else one of all pieces that may have them."""
        problems = [
            (piece.expects, piece.scorer.expected_problem(expected))
            for piece in self.pieces
            if piece.expects != "none"
        ]
        needed = [problem for expects, problem in problems if expects == "required" and problem]
        suits_none = all(problem for _, problem in problems)
        found = needed or [problem for _, problem in problems if problem and suits_none]
        return f"{found[0]}; a piece may have an 'answer' of its own" if found else None


def without_answer(kind: type[Scorer], parameters: Any) -> tuple[Any, Any]:
    """The parameters of a piece without its `answer`, and that; None if it has none, or the score has a parameter of that name."""
    fields = kind.model_fields.items()
    if (
        not isinstance(parameters, dict)
        or "answer" not in parameters
        or issubclass(kind, Composed)
        or kind.expects == "none"
        or "answer" in {info.alias or name for name, info in fields}
    ):
        return parameters, None
    return {name: value for name, value in parameters.items() if name != "answer"}, parameters["answer"]


def simple(scorer: Scorer) -> Iterator[Scorer]:
    """The scores that a score is made of, at any depth; itself if it has no pieces."""
    if isinstance(scorer, Composed):
        for piece in scorer.pieces:
            yield from simple(piece.scorer)
    else:
        yield scorer
