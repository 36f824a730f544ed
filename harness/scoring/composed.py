"""Scores made of others: any, all, not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import ValidationError, field_validator

from harness.errors import ScorerError, did_you_mean
from harness.scoring.registry import load_scorers, scorer
from harness.suites.composed import Composed, Piece, without_answer
from harness.suites.scorer import Scorer
from harness.suites.task_score import TASK_SCORES


class OfPieces(Composed):
    """A score whose pieces are read by the reader of suites, or here from a record."""

    @classmethod
    def parameters(cls, written: Any) -> Any:
        return {"pieces": [written] if cls.single else written}

    @field_validator("pieces", mode="before")
    @classmethod
    def _read_back(cls, pieces: Any) -> Any:
        listed = pieces if isinstance(pieces, list | tuple) else ()
        if not listed:
            raise ValueError(f"the score '{cls.name}' needs pieces")
        return tuple(piece if isinstance(piece, Piece) else _piece(piece) for piece in listed)


@scorer("any")
class AnyOf(OfPieces):
    """One of the scores in a list judges the answer right.

    A piece is a score as a suite has it, with an `answer` of its own among its parameters if that is not the probe's.
    """

    def right(self, text: str, expected: Sequence[str]) -> bool:
        return any(piece.right(text, expected) for piece in self.pieces)

    def may_be_right(self, text: str, expected: Sequence[str]) -> bool:
        return any(piece.may_be_right(text, expected) for piece in self.pieces)

    def why(self, text: str, expected: Sequence[str]) -> str | None:
        return "; ".join(piece.why(text, expected) for piece in self.pieces)

    @property
    def mixes_order(self) -> bool:
        return len({piece.scorer.asks_order for piece in self.pieces}) > 1


@scorer("all")
class AllOf(OfPieces):
    """Each of the scores in a list judges the answer right."""

    def right(self, text: str, expected: Sequence[str]) -> bool:
        return all(piece.right(text, expected) for piece in self.pieces)

    def may_be_right(self, text: str, expected: Sequence[str]) -> bool:
        return all(piece.may_be_right(text, expected) for piece in self.pieces)

    def why(self, text: str, expected: Sequence[str]) -> str | None:
        return next(
            (piece.why(text, expected) for piece in self.pieces if not piece.right(text, expected)), None
        )


@scorer("not")
class Not(OfPieces):
    """The score finds no right answer, not even one that the text denies or leaves open, as in "not Paris" and "5 or 6"."""

    single: ClassVar[bool] = True

    @property
    def settles(self) -> bool:
        return False

    def right(self, text: str, expected: Sequence[str]) -> bool:
        return not self.pieces[0].may_be_right(text, expected)

    def may_be_right(self, text: str, expected: Sequence[str]) -> bool:
        return not self.pieces[0].right(text, expected)

    def why(self, text: str, expected: Sequence[str]) -> str | None:
        piece = self.pieces[0]
        return f"'{piece.scorer.name}' {'is' if piece.right(text, expected) else 'may be'} right"

    @property
    def mixes_order(self) -> bool:
        return self.asks_order


def recorded(name: str, written: Any, of: str = "") -> Scorer:
    """The score of this name with parameters from a record.

    Args:
        of: whose it is, for messages.

    Raises:
        ScorerError: no score has the name, or it does not take the parameters.
    """
    known = {**load_scorers(), **TASK_SCORES}
    if name not in known:
        hint = "a score that a conftest.py registers is known once that file is imported"
        raise ScorerError(f"unknown score '{name}'{of}\n  {did_you_mean(name, known) or hint}")
    kind = known[name]
    try:
        return kind.model_validate(kind.parameters(written))
    except ValidationError as error:
        raise ScorerError(f"the score '{name}'{of} does not take the recorded parameters") from error


def _piece(written: Any) -> Piece:
    """A piece of a record."""
    if not isinstance(written, Mapping) or len(written) != 1:
        raise ValueError("a piece must be a mapping of one name to its parameters")
    name, parameters = next(iter(written.items()))
    kind = load_scorers().get(str(name))
    rest, answers = (parameters, None) if kind is None else without_answer(kind, parameters)
    return Piece(scorer=recorded(str(name), rest), answers=tuple(answers or ()))
