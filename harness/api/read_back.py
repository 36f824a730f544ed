"""An evaluation, perhaps read back from a file, in; its numbers, once they are shown to be some, out."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

from harness.documents.validate import describe
from harness.documents.written import HALF
from harness.errors import NoEvidenceError

MOST_QUESTIONS = 10**12
"""A larger count is none."""

DISAGREEMENT = 0.01
"""Between a stored rate and its counts; rates are often stored with two digits."""

Result = Mapping[str, Any]


def check_shape(evaluation: Any, side: str) -> None:
    """What was read back may be anything; raises NoEvidenceError for what no evaluation has."""
    if not isinstance(evaluation, Mapping):
        raise NoEvidenceError(
            f"{side}: must be what evaluate_general_qa returned, or that read back from JSON, saw {describe(evaluation)}"
        )
    for key in ("by_category", "right", "asked", "model"):
        if key in evaluation and not isinstance(evaluation[key], Mapping):
            held = "must hold a result for each category" if key == "by_category" else "must be a mapping"
            raise NoEvidenceError(f"{side}: '{key}' {held}, saw {describe(evaluation[key])}")
    for name in (*evaluation.get("by_category", ()), *evaluation.get("right", ())):
        if isinstance(name, str) and HALF.search(name):
            raise NoEvidenceError(
                f"{side}: half a surrogate pair is no character, saw the name {shown(ascii(name))}"
            )
    if not isinstance(evaluation.get("asked", {}).get("questions", {}), Mapping):
        raise NoEvidenceError(f"{side}: 'questions' under 'asked' must be a mapping")


def accuracy(result: Result, side: str) -> float:
    """The accuracy of a result, which must agree with its counts where it has them; nothing at all is not 0."""
    correct, total = count(result, "correct", side), count(result, "total", side)
    rate = result.get("overall_accuracy", result.get("accuracy"))
    if total == 0:
        raise NoEvidenceError(f"{side}: no questions were asked, so there is no accuracy")
    if not is_number(rate) or not 0 <= rate <= 1:
        raise NoEvidenceError(f"{side}: the accuracy must lie between 0 and 1, saw {shown(rate)}")
    if correct is not None and total is not None:
        if correct > total or abs(correct / total - rate) > DISAGREEMENT:
            raise NoEvidenceError(f"{side}: {correct} of {total} correct is no accuracy of {rate}")
    return float(rate)


def count(result: Result, key: str, side: str) -> int | None:
    """A number of questions; None where a result does not say it."""
    value = result.get(key)
    if value is None:
        return None
    if not is_number(value) or not 0 <= value <= MOST_QUESTIONS or value != int(value):
        raise NoEvidenceError(f"{side}: '{key}' must be a number of questions, saw {shown(value)}")
    return int(value)


def categories(evaluation: Result, side: str) -> Mapping[str, Result]:
    """The result of each category; none for an evaluation that does not say."""
    found: Mapping[str, Result] = evaluation.get("by_category", {})
    if not all(isinstance(result, Mapping) for result in found.values()):
        raise NoEvidenceError(f"{side}: 'by_category' must hold a result for each category")
    return found


def questions(result: Result) -> Result:
    """The fingerprint of each question, by its id; none for a result that does not say."""
    asked = result.get("asked")
    questions = asked.get("questions") if isinstance(asked, Mapping) else None
    return questions if isinstance(questions, Mapping) else {}


def single_answers(result: Result, side: str) -> Mapping[str, bool] | None:
    """Whether each question was answered rightly, by its id; None for a result that does not say."""
    right = result.get("right")
    if not isinstance(right, Mapping):
        return None
    if not all(isinstance(answer, bool) for answer in right.values()):
        raise NoEvidenceError(f"{side}: 'right' must say true or false of each question")
    correct, total = count(result, "correct", side), count(result, "total", side)
    if correct not in (None, sum(right.values())) or total not in (None, len(right)):
        raise NoEvidenceError(f"{side}: its single answers ('right') do not come to {correct} of {total}")
    return right


def is_number(value: Any) -> bool:
    """Whether it is a number of Python's or numpy's; True and False are none."""
    return isinstance(value, Real) and not isinstance(value, bool)


def shown(value: Any) -> str:
    """A wrong value for a message, which no value makes long."""
    try:
        text = str(value)
    except (ValueError, RecursionError):  # a number of more digits than Python writes
        text = f"a value of type {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:60]}..."
