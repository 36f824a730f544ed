"""Read an evaluation that may come from a file: anything in, its numbers out, or a NoEvidenceError that says what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

from harness.documents.validate import describe
from harness.documents.written import HALF
from harness.errors import NoEvidenceError

MOST_QUESTIONS = 10**12
"""Larger counts are refused."""

DISAGREEMENT = 0.01
"""Tolerance between a stored rate and its counts: rates are often stored with two digits."""

Result = Mapping[str, Any]


def check_shape(evaluation: Any, side: str) -> None:
    """Raise NoEvidenceError for a value that does not have the shape of an evaluation."""
    if not isinstance(evaluation, Mapping):
        raise NoEvidenceError(
            f"{side}: must be what evaluate_general_qa returned, or that read back from JSON, saw {describe(evaluation)}"
        )
    for key in ("by_category", "right", "asked", "model"):
        if key in evaluation and not isinstance(evaluation[key], Mapping):
            expected = "must hold a result for each category" if key == "by_category" else "must be a mapping"
            raise NoEvidenceError(f"{side}: '{key}' {expected}, saw {describe(evaluation[key])}")
    if not all(isinstance(result, Mapping) for result in categories(evaluation).values()):
        raise NoEvidenceError(f"{side}: 'by_category' must hold a result for each category")
    for name in (*evaluation.get("by_category", ()), *evaluation.get("right", ())):
        if isinstance(name, str) and HALF.search(name):
            raise NoEvidenceError(
                f"{side}: half a surrogate pair is not a character, saw the name {shown(ascii(name))}"
            )
    if not isinstance(evaluation.get("asked", {}).get("questions", {}), Mapping):
        raise NoEvidenceError(f"{side}: 'questions' under 'asked' must be a mapping")


def accuracy(result: Result, side: str) -> float:
    """The accuracy of a result, which must agree with its counts if it has any; no questions means no accuracy, not 0."""
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
    """A number of questions; None if the result does not have it."""
    value = result.get(key)
    if value is None:
        return None
    if not is_number(value) or not 0 <= value <= MOST_QUESTIONS or value != int(value):
        raise NoEvidenceError(f"{side}: '{key}' must be a number of questions, saw {shown(value)}")
    return int(value)


def categories(evaluation: Result) -> Mapping[str, Result]:
    """The results by category, if the evaluation has any."""
    results: Mapping[str, Result] = evaluation.get("by_category", {})
    return results


def questions(evaluation: Result) -> Mapping[str, str]:
    """The fingerprints by question id, if the evaluation has any."""
    fingerprints: Mapping[str, str] = evaluation.get("asked", {}).get("questions", {})
    return fingerprints


def single_answers(evaluation: Result, side: str) -> Mapping[str, bool] | None:
    """Whether each answer was right, by question id; None if the evaluation does not say."""
    right: Mapping[str, bool] | None = evaluation.get("right")
    if right is None:
        return None
    if not all(isinstance(answer, bool) for answer in right.values()):
        raise NoEvidenceError(f"{side}: 'right' must say true or false of each question")
    correct, total = count(evaluation, "correct", side), count(evaluation, "total", side)
    if correct not in (None, sum(right.values())) or total not in (None, len(right)):
        raise NoEvidenceError(f"{side}: its single answers ('right') do not come to {correct} of {total}")
    return right


def is_number(value: Any) -> bool:
    """Whether the value is a number of Python or NumPy; True and False are not."""
    return isinstance(value, Real) and not isinstance(value, bool)


def shown(value: Any) -> str:
    """A wrong value, shortened for a message."""
    try:
        text = str(value)
    except (ValueError, RecursionError):  # more digits than Python converts
        text = f"a value of type {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:60]}..."
