"""The gate for people who write their own tests: ask a model questions, compare two results, run a checklist.

The same engine, scores and statistics as `pytest suites/ --model REF`, behind plain dicts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, TypedDict

from pydantic import ValidationError

from harness.engine.functions import FunctionEngine
from harness.engine.requests import Engine
from harness.errors import EngineError, NoEvidenceError, ScorerError
from harness.gate.asking import ask
from harness.gate.compare import Comparison, comparison
from harness.gate.verdict import ROUNDING, judge
from harness.reporting.wording import points
from harness.scoring import Score, load_scorers
from harness.suites.format import SEVERITIES, Severity
from harness.suites.read import read_suite
from harness.suites.scorer import Scorer
from harness.suites.suite import Probe, Suite, Task

DISAGREEMENT = 0.01
"""Between a stored rate and its counts; rates are often stored with two digits."""

Model = Any
"""A reference (`"./tuned"`), a function from prompt to text, an Engine, or a (model, tokenizer) pair."""


class CategoryResult(TypedDict):
    """How a model did in one category."""

    correct: int
    total: int
    accuracy: float


class Evaluation(dict[str, Any]):
    """{"correct", "total", "overall_accuracy", "by_category": {name: {"correct", "total", "accuracy"}}}.

    A plain dict for whoever stores it; while it lives, `right` says of each question whether it was right, so that
    two evaluations of the same questions can be compared in pairs.
    """

    right: dict[str, bool]


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


class Failure(TypedDict):
    """A check that a model did not pass."""

    test: str
    severity: Severity
    response: str


class ChecklistResult(TypedDict):
    """{"passed", "failed", "failures": [{"test", "severity", "response"}], "score"}."""

    passed: int
    failed: int
    failures: list[Failure]
    score: float


def evaluate_general_qa(
    model: Model,
    questions: Sequence[Mapping[str, Any]] | str | Path | None = None,
    score: str = "contains",
    max_new_tokens: int = 50,
    *,
    allow_code: bool = False,
) -> Evaluation:
    """Ask a model questions and count the right answers, overall and by category.

    Args:
        model: a reference such as "./tuned", a function from prompt to text, an Engine, or a (model, tokenizer) pair.
        questions: dicts with `question`, `answer` (text, or a list of which any is right) and perhaps `category`
            and `id`; or the path of a suite file; without it, the suite `general_qa` that ships.
        score: for dicts, the score by which an answer is right.
        max_new_tokens: for dicts, the longest answer.
        allow_code: whether a score may run code that stands in an answer.

    Returns:
        {"correct", "total", "overall_accuracy", "by_category": {name: {"correct", "total", "accuracy"}}}.

    Raises:
        NoEvidenceError: there are no questions, one has no question or answer, or the score cannot judge them.
        ScorerError: a score broke, or runs code and may not.
        SuiteError, ModelError, EngineError: as in a run of pytest.
    """
    if questions is None or isinstance(questions, str | Path):
        suite = read_suite(Path(questions) if questions else shipped_suite("general_qa"), load_scorers())
    else:
        suite = _suite_of(questions, score, max_new_tokens)
    return _evaluation(suite, _ask(model, suite, allow_code))


def compare_forgetting(
    before: Mapping[str, Any], after: Mapping[str, Any], threshold: float = 0.10
) -> ForgettingResult:
    """Compare two evaluations of the same questions.

    Args:
        before, after: what `evaluate_general_qa` returned, or the same shape read back from a file.
        threshold: the largest acceptable drop in overall accuracy, a fraction in [0, 1].

    Returns:
        Accuracies before and after, their drop (positive when worse), whether it is over the threshold, the drop by
        category, and what to do. A category that only one side has is in `missing_categories` and is named in the
        recommendation. Where both sides remember their single answers, `verdict` and `interval` say how sure it is.

    Raises:
        NoEvidenceError: a side is empty or has NaN, the threshold is no fraction, or the questions differ.
    """
    if not 0 <= threshold <= 1:
        raise NoEvidenceError(f"threshold must lie between 0 and 1, saw {threshold}")
    first, second = _accuracy(before, "before"), _accuracy(after, "after")
    drop = first - second
    result: ForgettingResult = {
        "overall_accuracy_before": first,
        "overall_accuracy_after": second,
        "accuracy_drop": drop,
        "catastrophic_forgetting_detected": drop > threshold + ROUNDING,
        "category_drops": {},
    }
    categories = before.get("by_category", {}), after.get("by_category", {})
    for name in categories[0].keys() & categories[1].keys():
        result["category_drops"][name] = _accuracy(categories[0][name], f"before, {name}") - _accuracy(
            categories[1][name], f"after, {name}"
        )
    result["category_drops"] = dict(sorted(result["category_drops"].items(), key=lambda item: -item[1]))
    result["missing_categories"] = {
        **{name: "missing after" for name in categories[0] if name not in categories[1]},
        **{name: "missing before" for name in categories[1] if name not in categories[0]},
    }
    if paired := _paired(before, after):
        result["interval"] = paired.interval
        result["verdict"] = judge(paired, threshold)
    result["recommendation"] = _recommendation(result, threshold)
    return result


def run_forgetting_checklist(
    generate_fn: Callable[[str], str], suite: str | Path | None = None, *, allow_code: bool = False
) -> ChecklistResult:
    """Run the checklist on one model, without a baseline.

    Args:
        generate_fn: takes a prompt and returns the model's answer.
        suite: the path of another checklist; without it, the one that ships.
        allow_code: whether a score may run code that stands in an answer.

    Returns:
        How many checks passed and failed, each failure with its severity and the answer, the most severe first, and
        the share that passed.

    Raises:
        SuiteError: the checklist cannot be read.
        EngineError: the function gave something other than text.
        ScorerError: a score broke, or runs code and may not.
    """
    checklist = read_suite(Path(suite) if suite else shipped_suite("checklist"), load_scorers())
    scores = _ask(FunctionEngine(generate_fn), checklist, allow_code)
    failed = sorted(
        (probe for probe in checklist.probes if not scores[probe.id].right),
        key=lambda probe: SEVERITIES.index(probe.severity),
    )
    passed = len(checklist.probes) - len(failed)
    return {
        "passed": passed,
        "failed": len(failed),
        "failures": [
            {"test": probe.id, "severity": probe.severity, "response": scores[probe.id].shown}
            for probe in failed
        ],
        "score": passed / len(checklist.probes),
    }


def shipped_suite(name: str) -> Path:
    """The path of a suite that ships with the harness."""
    packaged = Path(str(resources.files("harness"))) / "shipped" / f"{name}.yaml"
    return packaged if packaged.is_file() else Path(__file__).parents[1] / "suites" / f"{name}.yaml"


def _engine(model: Model) -> Engine:
    if isinstance(model, Engine):
        return model
    if isinstance(model, str | Path):
        from harness.engine.loading import load_reference

        return load_reference(str(model))
    if isinstance(model, tuple) and len(model) == 2:
        from harness.engine.loading import wrap

        return wrap(*model)
    if callable(model) and not hasattr(model, "generate"):
        return FunctionEngine(model)
    raise EngineError(
        f"a model is a reference, a function from prompt to text, an Engine or a (model, tokenizer) pair, "
        f"saw {type(model).__name__}"
    )


def _suite_of(questions: Sequence[Mapping[str, Any]], score_name: str, max_new_tokens: int) -> Suite:
    if not questions:
        raise NoEvidenceError("no questions: an accuracy of nothing would mean nothing")
    scorer = _scorer(score_name)
    probes = [_probe(index, item, scorer) for index, item in enumerate(questions)]
    if len({probe.id for probe in probes}) < len(probes):
        raise NoEvidenceError("two questions have the same id")
    return Suite("questions", (), tuple(probes), task=Task(max_new_tokens=max_new_tokens))


def _scorer(name: str) -> Scorer:
    known = load_scorers()
    if name not in known:
        raise NoEvidenceError(f"unknown score '{name}'; there are: {', '.join(sorted(known))}")
    try:
        return known[name]()
    except ValidationError as error:
        raise NoEvidenceError(
            f"the score '{name}' needs parameters\n  write the questions as a suite file, which gives them"
        ) from error


def _probe(index: int, item: Mapping[str, Any], scorer: Scorer) -> Probe:
    answers = item.get("answer")
    listed = [str(answer) for answer in (answers if isinstance(answers, list | tuple) else [answers])]
    question = item.get("question")
    if not isinstance(question, str) or not question.strip():
        raise NoEvidenceError(f"question {index} has no text under 'question'")
    missing = answers is None or (isinstance(answers, list | tuple) and None in answers)
    if missing or not listed or not all(answer.strip() for answer in listed):
        raise NoEvidenceError(
            f"question {index} ({question[:40]!r}) has no answer, or an empty one, which matches anything"
        )
    for answer in listed:
        if wrong := scorer.expected_problem(answer):
            raise NoEvidenceError(f"question {index} ({question[:40]!r}): {wrong}")
    category = item.get("category")
    return Probe(
        id=str(item.get("id", question)),
        scorer=scorer,
        fields={"question": question},
        answers=tuple(listed),
        category=None if category is None else str(category),
    )


def _ask(model: Model, suite: Suite, allow_code: bool) -> Mapping[str, Score]:
    """The scores of all probes of a suite; what may not be judged is refused before a model is loaded."""
    for probe in suite.probes:
        if probe.scorer.runs_code and not allow_code:
            place = f"{probe.span}: " if probe.span else ""
            raise ScorerError(
                f"{place}the suite '{suite.name}' runs code that a model wrote: the probe '{probe.id}' has "
                f"the score '{probe.scorer.name}'\n"
                "  allow it: allow_code=True (its time and memory are bounded, but that is no security boundary)"
            )
    return ask(_engine(model), suite, suite.probes, allow_code=allow_code).scores


def _evaluation(suite: Suite, scores: Mapping[str, Score]) -> Evaluation:
    by_category: dict[str, CategoryResult] = {}
    for name in suite.categories():
        by_category[name] = _result([scores[probe.id] for probe in suite.probes if probe.category == name])
    whole = _result(list(scores.values()))
    evaluation = Evaluation(
        correct=whole["correct"],
        total=whole["total"],
        overall_accuracy=whole["accuracy"],
        by_category=by_category,
    )
    evaluation.right = {id: one.right for id, one in scores.items()}
    return evaluation


def _result(scores: Sequence[Score]) -> CategoryResult:
    correct = sum(one.right for one in scores)
    return {"correct": correct, "total": len(scores), "accuracy": correct / len(scores)}


def _accuracy(result: Mapping[str, Any], side: str) -> float:
    """The accuracy of a result, which must agree with its counts where it has them; nothing at all is not 0."""
    correct, total = result.get("correct"), result.get("total")
    accuracy = result.get("overall_accuracy", result.get("accuracy"))
    if isinstance(total, int | float) and not total > 0:
        raise NoEvidenceError(f"{side}: no questions were asked, so there is no accuracy")
    if not isinstance(accuracy, int | float) or not 0 <= accuracy <= 1:
        raise NoEvidenceError(f"{side}: the accuracy must lie between 0 and 1, saw {accuracy}")
    if isinstance(correct, int) and isinstance(total, int) and abs(correct / total - accuracy) > DISAGREEMENT:
        raise NoEvidenceError(f"{side}: {correct} of {total} correct is no accuracy of {accuracy}")
    return float(accuracy)


def _paired(before: Mapping[str, Any], after: Mapping[str, Any]) -> Comparison | None:
    first, second = getattr(before, "right", None), getattr(after, "right", None)
    if first is None or second is None:
        return None
    if first.keys() != second.keys():
        if before["by_category"].keys() != after["by_category"].keys():
            return None  # a category is missing on one side, which the result says
        raise NoEvidenceError(
            "the two evaluations asked different questions, so they cannot be compared in pairs"
        )
    changes = [(first[id], second[id]) for id in first]
    return comparison(
        kept=changes.count((True, True)),
        lost=changes.count((True, False)),
        gained=changes.count((False, True)),
        missed=changes.count((False, False)),
    )


def _recommendation(result: ForgettingResult, threshold: float) -> str:
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
    return " ".join(parts)
