"""Compare two evaluations over the questions of both: what was lost, and what to do about it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypedDict

from harness.api import read_back
from harness.api.read_back import Result, accuracy
from harness.errors import NoEvidenceError
from harness.gate.compare import Comparison, comparison
from harness.gate.verdict import MARGIN, judge
from harness.stats.paired import ROUNDING, least_to_retain
from harness.visible import visible
from harness.wording import points, some

ASK_BOTH = "ask both models the same questions"
DIFFERENT = "the two evaluations asked different questions"


class ForgettingResult(TypedDict, total=False):
    """What `compare_forgetting` returns; `verdict` and `interval` only if both evaluations have single answers."""

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
        before, after: what `evaluate_general_qa` returned, possibly read back from a file.
        threshold: the largest acceptable drop in overall accuracy, a fraction in [0, 1].

    Returns:
        Both accuracies, the drop (positive when worse), whether it is over the threshold, the drop by category, and a
        recommendation, all over the questions of both sides: `missing_categories` and the recommendation name the categories
        that only one side has, which do not count. If both sides have single answers ("right"), `verdict` and `interval` say
        how certain the drop is; RETAINED takes at least as many questions as a model that lost nothing needs: 25 for a
        threshold of 0.10.

    Raises:
        NoEvidenceError: a side is no evaluation, is empty, or has NaN or an invalid count; the threshold is no fraction;
            the questions of a category of both differ, in number, by id or under one id; no question is of both, or that
            cannot be told; both sides are the same evaluation or have the same weights, which says nothing about a tuned
            model.
    """
    if not read_back.is_number(threshold) or not 0 <= threshold <= 1:
        raise NoEvidenceError(f"threshold must lie between 0 and 1, saw {read_back.shown(threshold)}")
    read_back.check_shape(before, "before")
    read_back.check_shape(after, "after")
    _check_not_itself(before, after)
    accuracy(before, "before"), accuracy(after, "after")
    by_category = read_back.categories(before), read_back.categories(after)
    drops, missing = _drops(*by_category), _missing(*by_category)
    shared = _shared(before, after, missing)
    first, second = accuracy(shared[0], "before"), accuracy(shared[1], "after")
    drop = first - second
    result: ForgettingResult = {
        "overall_accuracy_before": first,
        "overall_accuracy_after": second,
        "accuracy_drop": drop,
        "catastrophic_forgetting_detected": drop > threshold + ROUNDING,
        "category_drops": drops,
        "missing_categories": missing,
    }
    if paired := _paired(before, after):
        result["interval"] = paired.interval
        result["verdict"] = judge(paired, threshold)
        if result["verdict"] == "RETAINED" and _too_few(paired.n, threshold):
            result["verdict"] = "INCONCLUSIVE"
    result["recommendation"] = _recommendation(result, threshold, paired.n if paired else 0)
    return result


def _drops(before: Mapping[str, Result], after: Mapping[str, Result]) -> dict[str, float]:
    """The drop in each category that both sides have, largest first."""
    drops = {
        name: accuracy(before[name], f"before, {name}") - accuracy(after[name], f"after, {name}")
        for name in before
        if name in after
    }
    return dict(sorted(drops.items(), key=lambda item: -item[1]))


def _missing(before: Mapping[str, Result], after: Mapping[str, Result]) -> dict[str, str]:
    """The categories that only one side has, and the side that lacks them."""
    return {
        **{name: "missing after" for name in before if name not in after},
        **{name: "missing before" for name in after if name not in before},
    }


def _check_not_itself(before: Result, after: Result) -> None:
    """Raise NoEvidenceError if both sides are one model, which cannot have forgotten anything."""
    id = before.get("evaluation_id")
    if before is after or (id and id == after.get("evaluation_id")):
        raise NoEvidenceError(
            "before and after are one evaluation: compared with itself, a model has lost nothing\n"
            "  evaluate the model before tuning and the tuned one, and compare the two"
        )
    first, second = before.get("model", {}), after.get("model", {})
    if first.get("weights") and all(first.get(key) == second.get(key) for key in ("weights", "base_weights")):
        raise NoEvidenceError(
            f"before and after are of the same weights: '{first.get('label')}' and '{second.get('label')}' are one model, "
            f"by the SHA-256 {str(first['weights'])[:12]} of its files\n"
            "  evaluate the tuned model too: the folder that the training wrote, or its adapter's"
        )
    if first.get("digits") and first["digits"] == second.get("digits"):
        raise NoEvidenceError(
            f"before and after are of the same model: '{first.get('label')}' and '{second.get('label')}' give the same "
            "log-probabilities\n"
            "  evaluate a model in memory before it is trained, or before peft puts an adapter into it, and again after"
        )


def _shared(before: Result, after: Result, missing: Collection[str]) -> tuple[Result, Result]:
    """Both sides without the categories that only one of them has.

    Raises:
        NoEvidenceError: they still differ, nothing is left, or that cannot be told.
    """
    first, second = read_back.categories(before), read_back.categories(after)
    alone = missing if first and second else ()  # a side without any does not tell which it lacks
    shared = (
        _without(before, [name for name in first if name in alone], "before"),
        _without(after, [name for name in second if name in alone], "after"),
    )
    pairs = {f"'{name}'": (first[name], second[name]) for name in first if name in second}
    for name, sides in {**pairs, "all others" if alone else "all": shared}.items():
        totals = read_back.count(sides[0], "total", "before"), read_back.count(sides[1], "total", "after")
        if None not in totals and totals[0] != totals[1]:
            raise NoEvidenceError(
                f"{DIFFERENT}: over {name}, {totals[0]} before and {totals[1]} after\n  {ASK_BOTH}"
            )
    _check_ids(before, after, (_left_out(before, shared[0]), _left_out(after, shared[1])))
    return shared


def _without(evaluation: Result, alone: Sequence[str], side: str) -> Result:
    """The result outside of some categories; raises NoEvidenceError if nothing is left, or it cannot be told."""
    if not alone:
        return evaluation
    listed, left = some([f"'{name}'" for name in alone], 5), dict[str, Any]()
    results = [evaluation, *(read_back.categories(evaluation)[name] for name in alone)]
    for key in ("correct", "total"):
        numbers = [read_back.count(result, key, side) for result in results]
        known = [number for number in numbers if number is not None]
        if len(known) < len(numbers):
            raise NoEvidenceError(
                f"{side}: only this side has {listed}, and without '{key}' of these and of all, nothing tells how it did on "
                f"the others\n  {ASK_BOTH}"
            )
        left[key] = known[0] - sum(known[1:])
    if left["total"] == 0:
        raise NoEvidenceError(
            f"the two evaluations have no question in common: {side} has {listed} alone\n  {ASK_BOTH}"
        )
    if not 0 <= left["correct"] <= left["total"]:
        raise NoEvidenceError(
            f"{side}: without {listed}, {left['correct']} of {left['total']} correct is no accuracy"
        )
    return {**left, "accuracy": left["correct"] / left["total"]}


def _left_out(evaluation: Result, shared: Result) -> int:
    """How many questions of a side do not count."""
    return int(evaluation.get("total") or 0) - int(shared.get("total") or 0)


def _check_ids(before: Result, after: Result, left_out: tuple[int, int]) -> None:
    """Raise NoEvidenceError if ids that both sides have tell that other questions differ than those left out."""
    asked = read_back.questions(before), read_back.questions(after)
    if changed := [id for id in asked[0] if id in asked[1] and asked[0][id] != asked[1][id]]:
        raise NoEvidenceError(
            f"{DIFFERENT} under the same id: {len(changed)}, the first '{changed[0]}'\n"
            f"  {ASK_BOTH}: their wording, the task and the score too"
        )
    right = read_back.single_answers(before, "before"), read_back.single_answers(after, "after")
    for first, second in (asked, right):
        if not first or not second:
            continue
        lost, new = [id for id in first if id not in second], [id for id in second if id not in first]
        if (len(lost), len(new)) != left_out:
            raise NoEvidenceError(
                f"{DIFFERENT}: {len(lost)} of {len(first)} ids are of before alone, and {len(new)} of {len(second)} of after "
                f"alone, such as '{(lost + new)[0]}'\n  {ASK_BOTH}"
            )


def _paired(before: Result, after: Result) -> Comparison | None:
    """The comparison in pairs, over the questions of both; None if a side lacks single answers."""
    first, second = read_back.single_answers(before, "before"), read_back.single_answers(after, "after")
    if not first or not second:
        return None
    changes = [(first[id], second[id]) for id in first if id in second]
    return comparison(
        kept=changes.count((True, True)),
        lost=changes.count((True, False)),
        gained=changes.count((False, True)),
        missed=changes.count((False, False)),
    )


def _too_few(n: int, threshold: float) -> bool:
    """Whether `n` questions are too few to show that a model which lost nothing is within the threshold."""
    needed = least_to_retain(threshold)
    return needed is None or n < needed


def _recommendation(result: ForgettingResult, threshold: float, n: int) -> str:
    over = result["catastrophic_forgetting_detected"]
    parts = [
        f"Accuracy fell by {points(max(result['accuracy_drop'], 0.0))} points, {'over' if over else 'within'} the threshold "
        f"of {points(threshold)}{': do not ship this model' if over else ''}."
    ]
    if over:
        parts.append(
            "Try, the least costly first: LoRA, a lower learning rate, fewer epochs, replay of general data, elastic weight "
            "consolidation."
        )
    if result.get("verdict") == "INCONCLUSIVE":
        low, high = result["interval"]
        parts.append(
            f"Too few questions to be sure: the drop may be anything from {points(low)} to {points(high)} points."
        )
        if _too_few(n, threshold):
            needed = least_to_retain(threshold)
            parts.append(
                "No number of questions can show that nothing at all was lost."
                if needed is None
                else f"A threshold of {points(threshold)} points takes {needed} questions, and you asked {n}."
            )
    if result.get("verdict") == "VACUOUS":
        parts.append(
            "The model knew too little before for a drop over the threshold to be possible: this proves nothing. Ask what it "
            "can answer; what only a tuned model knows is compared with the release that knew it."
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
