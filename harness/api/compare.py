"""Two evaluations of the same questions in, what was lost between them and what to do about it out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from harness.api.read_back import (
    Result,
    accuracy,
    categories,
    check_shape,
    count,
    is_number,
    questions,
    shown,
    single_answers,
)
from harness.errors import NoEvidenceError
from harness.gate.compare import Comparison, comparison
from harness.gate.verdict import MARGIN, judge
from harness.stats.paired import ROUNDING, least_to_retain
from harness.visible import visible
from harness.wording import points

ASK_BOTH = "ask both models the same questions"


class ForgettingResult(TypedDict, total=False):
    """What `compare_forgetting` returns; the last three only where they apply."""

    overall_accuracy_before: float
    overall_accuracy_after: float
    accuracy_drop: float
    catastrophic_forgetting_detected: bool
    category_drops: dict[str, float]
    recommendation: str
    missing_categories: dict[str, str]
    verdict: str
    interval: tuple[float, float]


def compare_forgetting(
    before: Mapping[str, Any], after: Mapping[str, Any], threshold: float = MARGIN
) -> ForgettingResult:
    """Compare two evaluations of the same questions, of a model before and after it was tuned.

    Args:
        before, after: what `evaluate_general_qa` returned, or the same shape read back from a file.
        threshold: the largest acceptable drop in overall accuracy, a fraction in [0, 1].

    Returns:
        Accuracies before and after, their drop (positive when worse), whether it is over the threshold, the drop by
        category, and what to do. A category that only one side has is in `missing_categories` and is named in the
        recommendation. Where both sides hold their single answers ("right"), `verdict` and `interval` say how sure it is;
        RETAINED takes as many questions as would show it of a model that lost nothing: 25 for a threshold of 0.10.

    Raises:
        NoEvidenceError: a side is no evaluation, is empty, has NaN or a count that is none; the threshold is no fraction;
            the questions differ, in their number or in what is asked under one id; both sides are one evaluation, or are
            of the same weights, which shows nothing of a tuned model.
    """
    if not is_number(threshold) or not 0 <= threshold <= 1:
        raise NoEvidenceError(f"threshold must lie between 0 and 1, saw {shown(threshold)}")
    check_shape(before, "before")
    check_shape(after, "after")
    _check_not_itself(before, after)
    first, second = accuracy(before, "before"), accuracy(after, "after")
    by_category = categories(before, "before"), categories(after, "after")
    drop = first - second
    result: ForgettingResult = {
        "overall_accuracy_before": first,
        "overall_accuracy_after": second,
        "accuracy_drop": drop,
        "catastrophic_forgetting_detected": drop > threshold + ROUNDING,
        "category_drops": _drops(*by_category),
        "missing_categories": _missing(*by_category),
    }
    _check_questions(before, after, *by_category)
    if paired := _paired(before, after, comparable=not result["missing_categories"]):
        result["interval"] = paired.interval
        result["verdict"] = judge(paired, threshold)
        if result["verdict"] == "RETAINED" and _too_few(paired.n, threshold):
            result["verdict"] = "INCONCLUSIVE"
    result["recommendation"] = _recommendation(result, threshold, paired.n if paired else None)
    return result


def _drops(before: Mapping[str, Result], after: Mapping[str, Result]) -> dict[str, float]:
    """The drop of each category that both sides have, the largest first."""
    drops = {
        name: accuracy(before[name], f"before, {name}") - accuracy(after[name], f"after, {name}")
        for name in before
        if name in after
    }
    return dict(sorted(drops.items(), key=lambda item: -item[1]))


def _missing(before: Mapping[str, Result], after: Mapping[str, Result]) -> dict[str, str]:
    """The categories that one side alone has, and which side lacks them."""
    return {
        **{name: "missing after" for name in before if name not in after},
        **{name: "missing before" for name in after if name not in before},
    }


def _check_not_itself(before: Result, after: Result) -> None:
    """A model that is held against itself has forgotten nothing, which shows nothing of a tuned one."""
    id = before.get("evaluation_id")
    if before is after or (id and id == after.get("evaluation_id")):
        raise NoEvidenceError(
            "before and after are one evaluation: what is held against itself has lost nothing\n"
            "  evaluate the model before tuning and the tuned one, and compare the two"
        )
    first, second = before.get("model"), after.get("model")
    if not isinstance(first, Mapping) or not isinstance(second, Mapping) or not first.get("weights"):
        return
    if all(first.get(key) == second.get(key) for key in ("weights", "base_weights")):
        raise NoEvidenceError(
            f"before and after are of the same weights: '{first.get('label')}' and '{second.get('label')}' are one model, "
            f"by the SHA-256 {str(first['weights'])[:12]} of its files\n"
            "  evaluate the tuned model too: the folder that the training wrote, or its adapter's"
        )


def _check_questions(
    before: Result, after: Result, first: Mapping[str, Result], second: Mapping[str, Result]
) -> None:
    """What both sides have must be as many questions, and the same; a category that only one has is told elsewhere.

    Args:
        first, second: the categories of both sides.
    """
    pairs = {f"'{name}'": (first[name], second[name]) for name in first if name in second}
    if first.keys() == second.keys():
        pairs["all"] = (before, after)
    for name, sides in pairs.items():
        totals = count(sides[0], "total", "before"), count(sides[1], "total", "after")
        if None not in totals and totals[0] != totals[1]:
            raise NoEvidenceError(
                f"the two evaluations asked different questions: over {name}, {totals[0]} before and {totals[1]} after\n"
                f"  {ASK_BOTH}"
            )
    asked = questions(before), questions(after)
    changed = [id for id in asked[0] if id in asked[1] and asked[0][id] != asked[1][id]]
    if changed:
        raise NoEvidenceError(
            f"the two evaluations asked different questions under the same id: {len(changed)}, the first '{changed[0]}'\n"
            f"  {ASK_BOTH}: their wording, the task and the score too"
        )


def _paired(before: Result, after: Result, comparable: bool) -> Comparison | None:
    """Question by question; None where a side does not say, or where a category is missing on one of them."""
    first, second = single_answers(before, "before"), single_answers(after, "after")
    if first is None or second is None or not comparable:
        return None
    if first.keys() != second.keys():
        raise NoEvidenceError(
            f"the two evaluations asked different questions, so they cannot be compared in pairs\n  {ASK_BOTH}"
        )
    changes = [(first[id], second[id]) for id in first]
    return comparison(
        kept=changes.count((True, True)),
        lost=changes.count((True, False)),
        gained=changes.count((False, True)),
        missed=changes.count((False, False)),
    )


def _too_few(n: int, threshold: float) -> bool:
    """Whether so many questions could not show of a model that lost nothing that it is within the threshold."""
    needed = least_to_retain(threshold)
    return needed is None or n < needed


def _recommendation(result: ForgettingResult, threshold: float, n: int | None) -> str:
    parts = []
    if result["catastrophic_forgetting_detected"]:
        parts.append(
            f"Accuracy fell by {points(result['accuracy_drop'])} points, over the threshold of {points(threshold)}: do not "
            "ship this model. Try, the least costly first: LoRA, a lower learning rate, fewer epochs, replay of "
            "general data, elastic weight consolidation."
        )
    else:
        parts.append(
            f"Accuracy fell by {points(max(result['accuracy_drop'], 0.0))} points, within the threshold of {points(threshold)}."
        )
    if result.get("verdict") == "INCONCLUSIVE":
        low, high = result["interval"]
        parts.append(
            f"Too few questions to be sure: the drop may be anything from {points(low)} to {points(high)} points."
        )
        if n is not None and _too_few(n, threshold):
            needed = least_to_retain(threshold)
            parts.append(
                "No number of questions can show that nothing at all was lost."
                if needed is None
                else f"A threshold of {points(threshold)} points takes {needed} questions, and these are {n}."
            )
    if result.get("verdict") == "VACUOUS":
        parts.append(
            "The model knew too little before for a drop over the threshold to be possible: this proves nothing."
        )
    if fell := [
        f"{name} ({points(drop)})"
        for name, drop in result["category_drops"].items()
        if drop > threshold + ROUNDING
    ]:
        parts.append(f"Categories that fell by more: {', '.join(fell)}.")
    if missing := result["missing_categories"]:
        parts.append(
            "Not compared, because only one side has them: "
            + ", ".join(f"{name} ({where})" for name, where in missing.items())
            + "."
        )
    return visible(" ".join(parts))
