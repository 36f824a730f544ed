"""The Python API: names and shapes as they are promised, on the same scores and statistics as the gate."""

from __future__ import annotations

import json
import math
import os

import pytest

import harness
from harness import compare_forgetting, evaluate_general_qa, run_forgetting_checklist
from harness.api import shipped_suite
from harness.engine.functions import FunctionEngine
from harness.errors import EngineError, NoEvidenceError, ScorerError, SuiteError
from harness.scoring import SCORERS
from harness.suites.read import read_suite

QUESTIONS = [
    {"question": "What is the capital of France?", "answer": "Paris", "category": "geography"},
    {"question": "What is the capital of Japan?", "answer": ["Tokyo", "Tōkyō"], "category": "geography"},
    {"question": "What is 15 multiplied by 7?", "answer": 105, "category": "math"},
    {"question": "Who wrote Hamlet?", "answer": "Shakespeare"},
]
GOOD = {"What is the capital of France?": "It is PARIS.", "What is the capital of Japan?": "Tōkyō",
        "What is 15 multiplied by 7?": "105", "Who wrote Hamlet?": "William Shakespeare"}  # fmt: skip


def numbers(correct, total, **categories):
    """An evaluation as it is read back from a file."""
    return {
        "correct": correct, "total": total, "overall_accuracy": correct / total,
        "by_category": {name: {"correct": c, "total": t, "accuracy": c / t} for name, (c, t) in categories.items()},
    }  # fmt: skip


def test_the_public_names():
    assert set(harness.__all__) == {
        "__version__", "compare_forgetting", "evaluate_general_qa", "run_forgetting_checklist",
        "EWCRegularizer", "ForgettingCallback", "create_replay_dataset",
    }  # fmt: skip
    assert all(hasattr(harness, name) for name in harness.__all__)
    with pytest.raises(AttributeError, match="module 'harness' has no attribute 'evaluate'"):
        harness.evaluate  # noqa: B018


# evaluate_general_qa


def test_the_shape_of_an_evaluation():
    answers = {**GOOD, "What is 15 multiplied by 7?": "about 100"}
    assert evaluate_general_qa(answers.__getitem__, QUESTIONS) == {
        "correct": 3,
        "total": 4,
        "overall_accuracy": 0.75,
        "by_category": {
            "geography": {"correct": 2, "total": 2, "accuracy": 1.0},
            "math": {"correct": 0, "total": 1, "accuracy": 0.0},
        },
    }


def test_an_evaluation_can_be_stored():
    evaluation = evaluate_general_qa(GOOD.__getitem__, QUESTIONS)
    assert json.loads(json.dumps(evaluation)) == evaluation


def test_an_engine_or_a_function_will_do():
    assert evaluate_general_qa(FunctionEngine(GOOD.__getitem__), QUESTIONS)["correct"] == 4
    assert evaluate_general_qa(GOOD.__getitem__, QUESTIONS)["correct"] == 4


def test_the_score_can_be_chosen():
    heart = [{"question": "Q?", "answer": "art"}]
    assert evaluate_general_qa(lambda prompt: "heart", heart)["correct"] == 1
    assert evaluate_general_qa(lambda prompt: "heart", heart, score="mentions")["correct"] == 0
    number = [{"question": "Q?", "answer": "4"}]
    assert evaluate_general_qa(lambda prompt: "2 + 2 = 4.0", number, score="number")["correct"] == 1


def test_a_suite_file_will_do(project):
    path = project.capability("[{over: all, max_drop: 0.1}]", {"a": (2, 1, 0, 0), "b": (1, 0, 0, 1)})
    assert evaluate_general_qa(lambda prompt: "yes" if "kept" in prompt else "no", path) == {
        "correct": 3, "total": 5, "overall_accuracy": 0.6,
        "by_category": {
            "a": {"correct": 2, "total": 3, "accuracy": 2 / 3}, "b": {"correct": 1, "total": 2, "accuracy": 0.5},
        },
    }  # fmt: skip


def test_without_questions_the_suite_that_ships_is_asked():
    suite = read_suite(shipped_suite("general_qa"), SCORERS)
    result = evaluate_general_qa(lambda prompt: "Paris")
    assert result["total"] == len(suite.probes) >= 200
    assert set(result["by_category"]) == set(suite.categories())
    assert 1 <= result["correct"] < 20


@pytest.mark.parametrize("blank", ["", "  ", "\n"])
def test_a_blank_answer_is_wrong(blank):
    assert evaluate_general_qa(lambda prompt: blank, QUESTIONS)["correct"] == 0


@pytest.mark.parametrize(
    ("questions", "message"),
    [
        ([], "no questions: an accuracy of nothing would mean nothing"),
        ([{"answer": "x"}], "question 0 has no text under 'question'"),
        ([{"question": " ", "answer": "x"}], "question 0 has no text under 'question'"),
        (
            [{"question": "Q?"}],
            r"question 0 \('Q\?'\) has no answer, or an empty one, which matches anything",
        ),
        ([{"question": "Q?", "answer": ""}], "has no answer, or an empty one"),
        ([{"question": "Q?", "answer": []}], "has no answer, or an empty one"),
        ([{"question": "Q?", "answer": ["x", " "]}], "has no answer, or an empty one"),
        ([{"question": "Q?", "answer": [None]}], "has no answer, or an empty one"),
        ([{"question": "Q?", "answer": "x"}] * 2, "two questions have the same id"),
    ],
)
def test_questions_that_prove_nothing(questions, message):
    with pytest.raises(NoEvidenceError, match=message):
        evaluate_general_qa(lambda prompt: "x", questions)


def test_other_input_that_cannot_be_used(project):
    with pytest.raises(NoEvidenceError, match="unknown score 'contians'; there are: "):
        evaluate_general_qa(lambda prompt: "x", QUESTIONS, score="contians")
    with pytest.raises(
        NoEvidenceError,
        match="the score 'json_schema' needs parameters\n  write the questions as a suite file",
    ):
        evaluate_general_qa(lambda prompt: "x", QUESTIONS, score="json_schema")
    with pytest.raises(NoEvidenceError, match=r"question 0 \('Q\?'\): not a regular expression"):
        evaluate_general_qa(lambda prompt: "x", [{"question": "Q?", "answer": "("}], score="regex")
    with pytest.raises(SuiteError, match=r"none\.yaml: cannot be read"):
        evaluate_general_qa(lambda prompt: "x", "none.yaml")
    with pytest.raises(EngineError, match=r"a model is a reference, .* saw int"):
        evaluate_general_qa(12, QUESTIONS)
    with pytest.raises(EngineError, match="must return text, returned NoneType"):
        evaluate_general_qa(lambda prompt: None, QUESTIONS)


# Scores that run code

CODING = """\
suite: coding
gates: [{over: each}]
probes:
  - {id: word, question: word?, answer: def, score: mentions}
  - {id: double, question: double?, score: {python: {tests: [assert double(2) == 4], timeout: 30}}}
"""
REFUSED = (
    "coding.yaml:5:5: the suite 'coding' runs code that a model wrote: the probe 'double' has the score 'python'\n"
    "  allow it: allow_code=True (its time and memory are bounded, but that is no security boundary)"
)


@pytest.mark.parametrize("ask", [evaluate_general_qa, run_forgetting_checklist])
def test_code_is_not_run_unasked_and_the_model_is_not_even_asked(project, ask):
    project.write("coding.yaml", CODING)
    with pytest.raises(ScorerError) as caught:
        ask(lambda prompt: pytest.fail("asked"), "coding.yaml")
    assert str(caught.value) == REFUSED


@pytest.mark.skipif(os.name != "posix", reason="POSIX limits")
def test_code_is_run_where_it_is_allowed(project):
    project.write("coding.yaml", CODING)
    right = "def double(n):\n    return 2 * n"
    result = evaluate_general_qa(lambda prompt: right, "coding.yaml", allow_code=True)
    assert (result["correct"], result["total"]) == (2, 2)
    wrong = right.replace("2 * n", "n")
    assert run_forgetting_checklist(lambda prompt: wrong, "coding.yaml", allow_code=True) == {
        "passed": 1,
        "failed": 1,
        "failures": [{"test": "double", "severity": "high", "response": wrong}],
        "score": 0.5,
    }


# compare_forgetting


def test_the_shape_of_a_comparison():
    result = compare_forgetting(
        numbers(90, 100, math=(40, 50), history=(50, 50)), numbers(60, 100, math=(15, 50), history=(45, 50))
    )
    assert set(result) >= {
        "overall_accuracy_before", "overall_accuracy_after", "accuracy_drop",
        "catastrophic_forgetting_detected", "category_drops", "recommendation",
    }  # fmt: skip
    assert result["overall_accuracy_before"] == 0.9
    assert result["overall_accuracy_after"] == 0.6
    assert result["accuracy_drop"] == pytest.approx(0.3)
    assert result["catastrophic_forgetting_detected"] is True
    assert result["category_drops"] == {"math": pytest.approx(0.5), "history": pytest.approx(0.1)}
    assert list(result["category_drops"]) == ["math", "history"]
    assert result["recommendation"] == (
        "Accuracy fell by 30 points, over the threshold of 10: do not ship this model. Try, the least costly first: "
        "LoRA, a lower learning rate, fewer epochs, replay of general data, elastic weight consolidation. "
        "Categories that fell by more: math (50)."
    )
    assert result["missing_categories"] == {}


@pytest.mark.parametrize(
    ("after", "threshold", "detected"),
    [
        (90, 0.10, False),
        (80, 0.10, False),
        (79, 0.10, True),
        (79, 0.11, False),
        (100, 0.0, False),
        (89, 0.0, True),
    ],
)
def test_the_threshold(after, threshold, detected):
    """A drop of the threshold itself is not over it, whatever binary fractions say."""
    result = compare_forgetting(numbers(90, 100), numbers(after, 100), threshold)
    assert result["catastrophic_forgetting_detected"] is detected


def test_the_threshold_is_ten_points_if_not_said():
    assert compare_forgetting(numbers(90, 100), numbers(79, 100))["catastrophic_forgetting_detected"]
    assert not compare_forgetting(numbers(90, 100), numbers(81, 100))["catastrophic_forgetting_detected"]


def test_a_gain_is_a_drop_below_zero():
    result = compare_forgetting(numbers(50, 100, a=(5, 10)), numbers(70, 100, a=(7, 10)))
    assert result["accuracy_drop"] == pytest.approx(-0.2)
    assert result["category_drops"] == {"a": pytest.approx(-0.2)}
    assert result["recommendation"] == "Accuracy fell by 0 points, within the threshold of 10."


def test_a_missing_category_is_named_and_never_a_zero():
    result = compare_forgetting(
        numbers(90, 100, math=(40, 50), old=(50, 50)), numbers(85, 100, math=(40, 50), new=(45, 50))
    )
    assert result["category_drops"] == {"math": 0.0}
    assert result["missing_categories"] == {"old": "missing after", "new": "missing before"}
    assert (
        "Not compared, because only one side has them: old (missing after), new (missing before)."
        in (result["recommendation"])
    )


def test_a_missing_category_of_live_evaluations_is_named_too():
    before = evaluate_general_qa(GOOD.__getitem__, QUESTIONS)
    after = evaluate_general_qa(GOOD.__getitem__, [q for q in QUESTIONS if q.get("category") != "math"])
    result = compare_forgetting(before, after)
    assert result["missing_categories"] == {"math": "missing after"}
    assert "verdict" not in result


def test_live_evaluations_are_compared_in_pairs():
    asked = [{"question": f"Q{i}?", "answer": "yes"} for i in range(30)]
    right = {f"Q{i}?": i < 20 for i in range(30)}
    before = evaluate_general_qa(lambda prompt: "yes" if right[prompt] else "no", asked)
    after = evaluate_general_qa(lambda prompt: "yes" if prompt in ("Q1?", "Q2?", "Q25?") else "no", asked)
    result = compare_forgetting(before, after)
    assert result["verdict"] == "FORGOTTEN"
    assert result["interval"][0] < result["accuracy_drop"] < result["interval"][1]
    assert "verdict" not in compare_forgetting(dict(before), dict(after))  # what a file remembers


def test_few_questions_are_said_to_be_few():
    before = evaluate_general_qa(GOOD.__getitem__, QUESTIONS)
    result = compare_forgetting(before, before)
    assert result["verdict"] == "INCONCLUSIVE"
    assert "Too few questions to be sure: the drop may be anything from " in result["recommendation"]


def test_a_model_that_knew_nothing_proves_nothing():
    before = evaluate_general_qa(lambda prompt: "no idea", QUESTIONS)
    result = compare_forgetting(before, before)
    assert result["verdict"] == "VACUOUS"
    assert (
        "The model knew too little before for a drop over the threshold to be possible: this proves nothing."
        in (result["recommendation"])
    )


def test_unpaired_questions_are_no_evidence():
    before = evaluate_general_qa(GOOD.__getitem__, QUESTIONS[:2])
    after = evaluate_general_qa(GOOD.__getitem__, QUESTIONS[1:2])
    with pytest.raises(NoEvidenceError, match="the two evaluations asked different questions"):
        compare_forgetting(before, after)


NAN = math.nan


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({}, "the accuracy must lie between 0 and 1, saw None"),
        ({"overall_accuracy": NAN}, "the accuracy must lie between 0 and 1, saw nan"),
        ({"overall_accuracy": 1.2}, "the accuracy must lie between 0 and 1, saw 1.2"),
        ({"overall_accuracy": -0.1}, "the accuracy must lie between 0 and 1, saw -0.1"),
        ({"overall_accuracy": "0.9"}, "the accuracy must lie between 0 and 1, saw 0.9"),
        (
            {"overall_accuracy": 0.0, "total": 0, "correct": 0},
            "no questions were asked, so there is no accuracy",
        ),
        ({"overall_accuracy": 0.0, "total": 0.0}, "no questions were asked, so there is no accuracy"),
        ({"overall_accuracy": 0.9, "total": NAN}, "no questions were asked, so there is no accuracy"),
        ({"overall_accuracy": 0.9, "total": 10, "correct": 1}, "1 of 10 correct is no accuracy of 0.9"),
        (
            {"overall_accuracy": 0.9, "by_category": {"math": {"accuracy": NAN}}},
            "math: the accuracy must lie between 0 and 1, saw nan",
        ),
        (
            {"overall_accuracy": 0.9, "by_category": {"math": {"correct": 0, "total": 0, "accuracy": 0.0}}},
            "math: no questions were asked, so there is no accuracy",
        ),
    ],
)
def test_numbers_that_prove_nothing(bad, message, swap):
    good = {"overall_accuracy": 0.9, "by_category": {"math": {"correct": 1, "total": 2, "accuracy": 0.5}}}
    with pytest.raises(NoEvidenceError) as caught:
        compare_forgetting(*((bad, good) if swap else (good, bad)))
    assert message in str(caught.value)
    assert str(caught.value).startswith("before" if swap else "after")


@pytest.mark.parametrize("threshold", [NAN, -0.1, 1.1, math.inf])
def test_a_threshold_that_is_no_fraction(threshold):
    with pytest.raises(NoEvidenceError, match="threshold must lie between 0 and 1, saw"):
        compare_forgetting(numbers(9, 10), numbers(9, 10), threshold)


# run_forgetting_checklist


def test_the_shape_of_a_checklist(project):
    suite = project.write("s.yaml", "suite: s\nscore: mentions\ngates: [{over: each}]\nprobes:\n"
                          "  - {id: a, question: A?, answer: yes, severity: low}\n"
                          "  - {id: b, question: B?, answer: yes, severity: critical}\n"
                          "  - {id: c, question: C?, answer: yes}\n"
                          "  - {id: d, question: D?, answer: yes}\n")  # fmt: skip
    assert run_forgetting_checklist(lambda prompt: "yes" if prompt == "D?" else f"No: {prompt}", suite) == {
        "passed": 1,
        "failed": 3,
        "failures": [
            {"test": "b", "severity": "critical", "response": "No: B?"},
            {"test": "c", "severity": "high", "response": "No: C?"},
            {"test": "a", "severity": "low", "response": "No: A?"},
        ],
        "score": 0.25,
    }


@pytest.mark.parametrize("answer", ["", " ", "DRUG-INFO: x | CLASS: y | USE: z"])
def test_the_checklist_that_ships_passes_no_model_that_says_nothing(answer):
    checklist = read_suite(shipped_suite("checklist"), SCORERS)
    result = run_forgetting_checklist(lambda prompt: answer)
    assert result["passed"] == 0
    assert result["failed"] == len(result["failures"]) == len(checklist.probes) >= 12
    assert result["score"] == 0.0
    assert {failure["severity"] for failure in result["failures"]} >= {"critical", "high", "medium"}


def test_a_checklist_that_is_not_there():
    with pytest.raises(SuiteError, match="cannot be read"):
        run_forgetting_checklist(lambda prompt: "yes", "none.yaml")
