"""The score `number`: compares the last number in a text with the right one."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from harness.scoring.registry import scorer
from harness.suites.scorer import Scorer

_ORDINAL = re.compile(r"(?<![\d,])[\d,]++(?=(?:st|nd|rd|th)\b)")
_NUMBER = re.compile(
    r"(?<![\w.])[-+\u2212]?(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?(?!\d)|\.\d+)"
)
"""Both expressions take linear time: a model may write digits and commas without end."""


def numbers(text: str) -> list[float]:
    """The numbers in a text, in order: `1,000`, `-2.5`, `3e8` and the 5 of `5km` are one number each, `2nd` is none."""
    plain = re.sub(r"(?<=[-+\u2212])[$€£]", "", text)
    plain = re.sub(r"[$€£%°*_`]", " ", plain)
    plain = _ORDINAL.sub("x", plain)
    return [float(match.group().replace(",", "").replace("\u2212", "-")) for match in _NUMBER.finditer(plain)]


@scorer("number")
class Number(Scorer):
    """The last number of the text is the answer, give or take `tolerance` (absolute)."""

    tolerance: Annotated[float, Field(ge=0)] = Field(
        0.0, description="How far from the right number an answer may be, absolutely."
    )

    def expected_problem(self, expected: str) -> str | None:
        found = numbers(expected)
        if len(found) != 1 or not math.isfinite(found[0]):
            return f"an answer under 'number' must be one number, saw {expected!r}"
        return None

    def right(self, text: str, expected: Sequence[str]) -> bool:
        found = numbers(text)
        if not found:
            return False
        return any(
            math.isclose(found[-1], numbers(answer)[0], rel_tol=1e-9, abs_tol=self.tolerance)
            for answer in expected
        )
