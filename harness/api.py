"""The gate for people who write their own tests: ask a model questions, compare two results, run a checklist.

The same engine, scores and statistics as `pytest suites/ --model REF`, behind plain dicts.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from importlib import resources
from numbers import Real
from pathlib import Path
from typing import Any, TypedDict

from pydantic import ValidationError

from harness.documents.validate import describe
from harness.documents.within import in_python
from harness.documents.written import HALF
from harness.engine.functions import FunctionEngine
from harness.engine.prompts import request, under
from harness.engine.requests import Engine
from harness.engine.settings import Settings
from harness.errors import EngineError, NoEvidenceError, ScorerError
from harness.evaluation.ask import ask
from harness.evaluation.permission import code_problem
from harness.evaluation.prompts import unused_arguments
from harness.gate.compare import Comparison, comparison
from harness.gate.verdict import judge
from harness.models.identity import weights_identity
from harness.models.reference import Adapter, Source, find_source
from harness.scoring import Score, load_scorers
from harness.stats.paired import ROUNDING, least_to_retain
from harness.suites.arguments import checked_arguments
from harness.suites.format import SEVERITIES, Severity
from harness.suites.questions import Questions, suite_of_questions
from harness.suites.read import read_suite
from harness.suites.scorer import Scorer
from harness.suites.suite import Probe, Suite
from harness.versions import needed
from harness.visible import visible
from harness.wording import points

MOST_QUESTIONS = 10**12
"""A larger count is none."""

DISAGREEMENT = 0.01
"""Between a stored rate and its counts; rates are often stored with two digits."""

ASK_BOTH = "ask both models the same questions"

Model = Any
"""A reference (`"./tuned"`), a function from prompt to text, an Engine, or a (model, tokenizer) pair."""


class CategoryResult(TypedDict):
    """How a model did in one category."""

    correct: int
    total: int
    accuracy: float


class Asked(TypedDict):
    """What was asked, as SHA-256 over what a model is shown and how its answer is judged: in all, and by question."""

    fingerprint: str
    questions: dict[str, str]


class Who(TypedDict, total=False):
    """Which model was asked: its label, and for a reference what its weights are, as SHA-256 over their files.

    `base_weights` is there for an adapter. A function, an Engine or a model in memory has its label alone.
    """

    label: str
    weights: str
    base_weights: str


class Evaluation(dict[str, Any]):
    """{"correct", "total", "overall_accuracy", "by_category": {name: {"correct", "total", "accuracy"}}}, and its evidence.

    The evidence is what tells one evaluation from another, and lets two be compared in pairs, read back from a file too:
    "evaluation_id"; "right": {question's id: bool}; "asked": {"fingerprint", "questions": {question's id: fingerprint}};
    "model": {"label", "weights", "base_weights"}, of which the last two are there where they are known.

    A plain dict, which JSON can hold.
    """

    @property
    def right(self) -> dict[str, bool]:
        """Whether each question was answered rightly, by its id."""
        found: dict[str, bool] = self["right"]
        return found


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
    tokenizer: Any = None,
    questions: Questions | str | Path | None = None,
    score: str = "contains",
    max_new_tokens: int = 50,
    *,
    allow_code: bool = False,
    allow_outside: bool = False,
    template_arguments: Mapping[str, Any] | None = None,
    thinking_tokens: int | None = None,
) -> Evaluation:
    """Ask a model questions and count the right answers, overall and by category.

        evaluate_general_qa("./tuned", questions)
        evaluate_general_qa(model, tokenizer, questions)

    Args:
        model: a reference such as "./tuned", a function from prompt to text, an Engine, or a (model, tokenizer) pair.
        tokenizer: that of a model in memory; for any other the questions may stand in its place.
        questions: dicts with `question`, `answer` or `correct_answer` (text, or a list of which any is right) and perhaps
            `category` and `id`; or lists of such dicts by category; or the path of a suite file; without it, the suite
            `general_qa` that ships. Dicts are asked through the chat template, or as they are where the model has none.
        score: for dicts, the score by which an answer is right.
        max_new_tokens: for dicts, the longest answer.
        allow_code: whether a score may run code that stands in an answer.
        allow_outside: whether a suite may take its probes from outside its folder and the working folder.
        template_arguments: what the chat template is given, such as {"enable_thinking": False}.
        thinking_tokens: the most tokens of reasoning before an answer, in addition to the answer's own.

    Returns:
        {"correct", "total", "overall_accuracy", "by_category": {name: {"correct", "total", "accuracy"}}}, and the
        evidence that `compare_forgetting` needs, under "evaluation_id", "right", "asked" and "model" (see Evaluation).

    Raises:
        NoEvidenceError: there are no questions, one has no question or answer, or the score cannot judge them.
        ScorerError: a score broke, or runs code and may not.
        SuiteError, ModelError, EngineError: as in a run of pytest.
        HarnessError: an argument of the template is none.
    """
    settings = Settings(
        template_arguments=checked_arguments(template_arguments or {}, "template_arguments"),
        thinking_tokens=thinking_tokens,
    )
    model, questions = _model_and_questions(model, tokenizer, questions)
    if questions is None or isinstance(questions, str | Path):
        path = Path(questions) if questions else shipped_suite("general_qa")
        suite = read_suite(path, load_scorers(), in_python(allow_outside))
    else:
        suite = suite_of_questions(questions, _scorer(score), max_new_tokens)
    _check_code(suite, allow_code)
    engine, who = _engine(model)
    if suite.path is None and _has_no_template(engine):
        suite = replace(suite, task=replace(suite.task, format="text"))
    suite = under(suite, settings)
    unused_arguments(suite, engine)
    return _evaluation(suite, ask(engine, suite, suite.probes, allow_code=allow_code).scores, who)


def compare_forgetting(
    before: Mapping[str, Any], after: Mapping[str, Any], threshold: float = 0.10
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
        NoEvidenceError: a side is no evaluation, is empty, has NaN or a count that is none; the threshold is no fraction; the questions
            differ, in their number or in what is asked under one id; both sides are one evaluation, or are of the same
            weights, which shows nothing of a tuned model.
    """
    if not _is_number(threshold) or not 0 <= threshold <= 1:
        raise NoEvidenceError(f"threshold must lie between 0 and 1, saw {_shown(threshold)}")
    _check_shape(before, "before")
    _check_shape(after, "after")
    _check_not_itself(before, after)
    first, second = _accuracy(before, "before"), _accuracy(after, "after")
    categories = _categories(before, "before"), _categories(after, "after")
    drop = first - second
    result: ForgettingResult = {
        "overall_accuracy_before": first,
        "overall_accuracy_after": second,
        "accuracy_drop": drop,
        "catastrophic_forgetting_detected": drop > threshold + ROUNDING,
        "category_drops": {},
    }
    for name in categories[0].keys() & categories[1].keys():
        result["category_drops"][name] = _accuracy(categories[0][name], f"before, {name}") - _accuracy(
            categories[1][name], f"after, {name}"
        )
    result["category_drops"] = dict(sorted(result["category_drops"].items(), key=lambda item: -item[1]))
    result["missing_categories"] = {
        **{name: "missing after" for name in categories[0] if name not in categories[1]},
        **{name: "missing before" for name in categories[1] if name not in categories[0]},
    }
    _check_questions(before, after, *categories)
    if paired := _paired(before, after, comparable=not result["missing_categories"]):
        result["interval"] = paired.interval
        result["verdict"] = judge(paired, threshold)
        if result["verdict"] == "RETAINED" and _too_few(paired.n, threshold):
            result["verdict"] = "INCONCLUSIVE"
    result["recommendation"] = _recommendation(result, threshold, paired.n if paired else None)
    return result


def run_forgetting_checklist(
    generate_fn: Callable[[str], str],
    suite: str | Path | None = None,
    *,
    allow_code: bool = False,
    allow_outside: bool = False,
) -> ChecklistResult:
    """Run the checklist on one model, without a baseline.

    Args:
        generate_fn: takes a prompt and returns the model's answer.
        suite: the path of another checklist; without it, the one that ships.
        allow_code: whether a score may run code that stands in an answer.
        allow_outside: whether the checklist may take its probes from outside its folder and the working folder.

    Returns:
        How many checks passed and failed, each failure with its severity and the answer, the most severe first, and
        the share that passed.

    Raises:
        SuiteError: the checklist cannot be read.
        EngineError: the function gave something other than text.
        ScorerError: a score broke, or runs code and may not.
    """
    path = Path(suite) if suite else shipped_suite("checklist")
    checklist = read_suite(path, load_scorers(), in_python(allow_outside))
    _check_code(checklist, allow_code)
    scores = ask(FunctionEngine(generate_fn), checklist, checklist.probes, allow_code=allow_code).scores
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


def _model_and_questions(
    model: Model, tokenizer: Any, questions: Questions | str | Path | None
) -> tuple[Model, Questions | str | Path | None]:
    """What was given first, with its tokenizer if there is one, and what is asked; raises HarnessError for neither."""
    if tokenizer is None:
        return model, questions
    if isinstance(tokenizer, str | Path | Iterable):
        if questions is None:
            return model, tokenizer
        raise NoEvidenceError(
            "questions were given twice\n  the score has a name: evaluate_general_qa(model, questions, score='mentions')"
        )
    if not hasattr(model, "generate") or isinstance(model, Engine):
        raise EngineError(
            f"a tokenizer goes with a model in memory, and this one is a {type(model).__name__}\n"
            "  leave it out: evaluate_general_qa(model, questions)"
        )
    return (model, tokenizer), questions


def _has_no_template(engine: Engine) -> bool:
    """Whether its tokenizer is known to have no chat template."""
    return not getattr(getattr(engine, "tokenizer", None), "chat_template", True)


def _engine(model: Model) -> tuple[Engine, Who]:
    """A model that can be asked, and who it is."""
    if isinstance(model, Engine):
        return model, {"label": str(model.label)}
    if isinstance(model, str | Path):
        with needed():
            from harness.engine.transformers.loading import load_reference

        source = find_source(str(model))
        engine = load_reference(str(model))
        return engine, _who(engine.label, source)
    if isinstance(model, tuple) and len(model) == 2:
        with needed():
            from harness.engine.transformers.loading import wrap

        wrapped = wrap(*model)
        return wrapped, {"label": wrapped.label}
    if callable(model) and not hasattr(model, "generate"):
        function = FunctionEngine(model)
        return function, {"label": function.label}
    raise EngineError(
        f"a model is a reference, a function from prompt to text, an Engine or a (model, tokenizer) pair, "
        f"saw {type(model).__name__}"
    )


def _who(label: str, source: Source) -> Who:
    who: Who = {"label": label}
    if weights := weights_identity(source.folder):
        who["weights"] = weights
    if isinstance(source, Adapter) and (base := weights_identity(source.base.folder)):
        who["base_weights"] = base
    return who


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


def _check_code(suite: Suite, allow_code: bool) -> None:
    """What may not be judged is refused before a model is loaded; raises ScorerError."""
    if problem := code_problem(suite, suite.probes, allow_code, "allow_code=True"):
        raise ScorerError(str(problem))


def _evaluation(suite: Suite, scores: Mapping[str, Score], who: Who) -> Evaluation:
    by_category: dict[str, CategoryResult] = {}
    for name, probes in suite.by_category().items():
        by_category[name] = _result([scores[probe.id] for probe in probes])
    whole = _result(list(scores.values()))
    return Evaluation(
        correct=whole["correct"],
        total=whole["total"],
        overall_accuracy=whole["accuracy"],
        by_category=by_category,
        evaluation_id=uuid.uuid4().hex,
        right={id: score.right for id, score in scores.items()},
        asked=_asked(suite),
        model=who,
    )


def _asked(suite: Suite) -> Asked:
    questions = {probe.id: _fingerprint(suite, probe) for probe in suite.probes}
    return {"fingerprint": _digest(sorted(questions.items())), "questions": questions}


def _fingerprint(suite: Suite, probe: Probe) -> str:
    """SHA-256 over what a model is shown for a probe and how its answer is judged, hexadecimal."""
    shown = request(suite, probe)
    asked = {"kind": type(shown).__name__, **asdict(shown)}
    # As they were before there were any, so that results of then can be compared with.
    if not suite.task.template and "prompt" in asked:
        asked["prompt"].pop("arguments", None)
    if suite.task.thinking_tokens is None:
        asked.pop("thinking_tokens", None)
    return _digest({
        "request": asked,
        "score": {probe.scorer.name: probe.scorer.written()},
        "answers": sorted(probe.answers),
    })  # fmt: skip


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _result(scores: Sequence[Score]) -> CategoryResult:
    correct = sum(one.right for one in scores)
    return {"correct": correct, "total": len(scores), "accuracy": correct / len(scores)}


def _check_shape(evaluation: Any, side: str) -> None:
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
                f"{side}: half a surrogate pair is no character, saw the name {_shown(ascii(name))}"
            )
    if not isinstance(evaluation.get("asked", {}).get("questions", {}), Mapping):
        raise NoEvidenceError(f"{side}: 'questions' under 'asked' must be a mapping")


def _shown(value: Any) -> str:
    """A wrong value for a message, which no value makes long."""
    try:
        text = str(value)
    except (ValueError, RecursionError):  # a number of more digits than Python writes
        text = f"a value of type {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:60]}..."


def _check_not_itself(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
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


def _accuracy(result: Mapping[str, Any], side: str) -> float:
    """The accuracy of a result, which must agree with its counts where it has them; nothing at all is not 0."""
    correct, total = _count(result, "correct", side), _count(result, "total", side)
    accuracy = result.get("overall_accuracy", result.get("accuracy"))
    if total == 0:
        raise NoEvidenceError(f"{side}: no questions were asked, so there is no accuracy")
    if not _is_number(accuracy) or not 0 <= accuracy <= 1:
        raise NoEvidenceError(f"{side}: the accuracy must lie between 0 and 1, saw {_shown(accuracy)}")
    if correct is not None and total is not None:
        if correct > total or abs(correct / total - accuracy) > DISAGREEMENT:
            raise NoEvidenceError(f"{side}: {correct} of {total} correct is no accuracy of {accuracy}")
    return float(accuracy)


def _count(result: Mapping[str, Any], key: str, side: str) -> int | None:
    """A number of questions; None where a result does not say it."""
    value = result.get(key)
    if value is None:
        return None
    if not _is_number(value) or not 0 <= value <= MOST_QUESTIONS or value != int(value):
        raise NoEvidenceError(f"{side}: '{key}' must be a number of questions, saw {_shown(value)}")
    return int(value)


def _is_number(value: Any) -> bool:
    """Whether it is a number of Python's or numpy's; True and False are none."""
    return isinstance(value, Real) and not isinstance(value, bool)


def _categories(evaluation: Mapping[str, Any], side: str) -> Mapping[str, Mapping[str, Any]]:
    found: Mapping[str, Mapping[str, Any]] = evaluation.get("by_category", {})
    if not all(isinstance(result, Mapping) for result in found.values()):
        raise NoEvidenceError(f"{side}: 'by_category' must hold a result for each category")
    return found


def _check_questions(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    first: Mapping[str, Mapping[str, Any]],
    second: Mapping[str, Mapping[str, Any]],
) -> None:
    """What both sides have must be as many questions, and the same; a category that only one has is told elsewhere.

    Args:
        first, second: the categories of both sides.
    """
    pairs = {f"'{name}'": (first[name], second[name]) for name in first if name in second}
    if first.keys() == second.keys():
        pairs["all"] = (before, after)
    for name, sides in pairs.items():
        totals = _count(sides[0], "total", "before"), _count(sides[1], "total", "after")
        if None not in totals and totals[0] != totals[1]:
            raise NoEvidenceError(
                f"the two evaluations asked different questions: over {name}, {totals[0]} before and {totals[1]} after\n"
                f"  {ASK_BOTH}"
            )
    shown = _questions(before), _questions(after)
    changed = [id for id in shown[0] if id in shown[1] and shown[0][id] != shown[1][id]]
    if changed:
        raise NoEvidenceError(
            f"the two evaluations asked different questions under the same id: {len(changed)}, the first '{changed[0]}'\n"
            f"  {ASK_BOTH}: their wording, the task and the score too"
        )


def _questions(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fingerprint of each question, by its id; none for a result that does not say."""
    asked = result.get("asked")
    questions = asked.get("questions") if isinstance(asked, Mapping) else None
    return questions if isinstance(questions, Mapping) else {}


def _paired(before: Mapping[str, Any], after: Mapping[str, Any], comparable: bool) -> Comparison | None:
    """Question by question; None where a side does not say, or where a category is missing on one of them."""
    first, second = _single_answers(before, "before"), _single_answers(after, "after")
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


def _single_answers(result: Mapping[str, Any], side: str) -> Mapping[str, bool] | None:
    right = result.get("right")
    if not isinstance(right, Mapping):
        return None
    if not all(isinstance(answer, bool) for answer in right.values()):
        raise NoEvidenceError(f"{side}: 'right' must say true or false of each question")
    correct, total = _count(result, "correct", side), _count(result, "total", side)
    if correct not in (None, sum(right.values())) or total not in (None, len(right)):
        raise NoEvidenceError(f"{side}: its single answers ('right') do not come to {correct} of {total}")
    return right


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
