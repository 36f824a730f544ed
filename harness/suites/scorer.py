"""The contract of a score with suites: its name in YAML, its parameters, the answers that it takes.

The scores themselves are in `harness.scoring`; the reader of suites gets them by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from harness.documents.validate import Shape
from harness.suites.format import AnswerKind

Expects = Literal["required", "optional", "none"]


class Scorer(Shape):
    """A rule that makes an answer right or wrong. Its fields are its parameters in YAML."""

    name: ClassVar[str]
    judges: ClassVar[AnswerKind] = "generate"
    expects: ClassVar[Expects] = "required"
    """Whether a probe must, may or must not name its right `answer`."""
    runs_code: ClassVar[bool] = False
    """Whether judging runs code that the model wrote, which the user must allow."""

    @classmethod
    def parameters(cls, written: Any) -> Any:
        """The value under the score's name in YAML, as values for the fields of this class."""
        return {} if written is None else written

    def refusal(self) -> str | None:
        """Why this score cannot judge on this machine, or None."""
        return None

    @property
    def settles(self) -> bool:
        """Whether a right answer stays right however it continues, so that cutting answers short never makes one right."""
        return False

    @property
    def asks_order(self) -> bool:
        """Whether the words of a right answer must also stand in their order, which the baseline's likelihood tells."""
        return False

    def written(self) -> Any:
        """The parameters as YAML has them, without defaults."""
        return self.model_dump(mode="json", exclude_none=True, exclude_defaults=True, by_alias=True)

    def expected_problem(self, expected: str) -> str | None:
        """Why `expected` cannot be a right answer under this score, or None."""
        return None

    def right(self, text: str, expected: Sequence[str]) -> bool:
        """Whether a generated `text`, which is never blank, is right; any of `expected` will do."""
        raise TypeError(f"the score '{self.name}' judges no generated text")

    def may_be_right(self, text: str, expected: Sequence[str]) -> bool:
        """Whether a text has a right answer, though it may deny it or leave it open: `not` takes no such text."""
        return self.right(text, expected)

    def why(self, text: str, expected: Sequence[str]) -> str | None:
        """Why a `text` that is not right is wrong, in a few words; None where the text itself shows it."""
        return None
