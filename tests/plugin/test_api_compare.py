"""The Python API: two evaluations compared, and what is no comparison."""

from __future__ import annotations

import json
import math
import shutil
import sys
import types

import numpy as np
import pytest

from harness import compare_forgetting, evaluate_general_qa
from harness.engine.functions import FunctionEngine
from harness.engine.requests import EnginePair
from harness.errors import NoEvidenceError
from harness.models.identity import weights_identity
from tests.support.evaluations import GOOD, ONE, QUESTIONS, asked_twice, counts, numbers, read_back

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
    assert (result["overall_accuracy_before"], result["accuracy_drop"]) == (1.0, 0.0)
    assert result["recommendation"] == (
        "Accuracy fell by 0 points, within the threshold of 10. Too few questions to be sure: the drop may be anything from "
        "-47.4 to 47.4 points. A threshold of 10 points takes 25 questions, and you asked 3. "
        "Not compared, because only one side has them: math (missing after)."
    )


def test_a_category_of_one_side_counts_on_neither():
    """It must not hide what fell: over A and B together accuracy is 50 % before and after."""
    before, after = numbers(50, 100, A=(50, 50), B=(0, 50)), numbers(25, 50, A=(25, 50))
    result = compare_forgetting(before, after)
    assert (result["overall_accuracy_before"], result["overall_accuracy_after"]) == (1.0, 0.5)
    assert result["catastrophic_forgetting_detected"] is True
    assert result["recommendation"].startswith("Accuracy fell by 50 points, over the threshold of 10: ")
    assert compare_forgetting(after, before)["overall_accuracy_after"] == 1.0


def test_answers_to_a_category_of_one_side_are_in_no_pair():
    questions = [
        {"question": f"Q{i}?", "answer": "yes", "category": "A" if i < 30 else "B"} for i in range(60)
    ]
    before = evaluate_general_qa(lambda prompt: "yes" if int(prompt[1:-1]) < 30 else "no", questions)
    after = evaluate_general_qa(lambda prompt: "yes" if int(prompt[1:-1]) < 15 else "no", questions[:30])
    result = compare_forgetting(before, after)
    assert (result["accuracy_drop"], result["verdict"]) == (0.5, "FORGOTTEN")
    assert result["missing_categories"] == {"B": "missing after"}


@pytest.mark.parametrize("stored", [False, True])
def test_two_evaluations_are_compared_in_pairs(stored):
    before, after = asked_twice(20, 3)
    result = compare_forgetting(*map(read_back, (before, after)) if stored else (before, after))
    assert result["verdict"] == "FORGOTTEN"
    assert result["interval"][0] < result["accuracy_drop"] < result["interval"][1]


def test_what_an_older_file_remembers_is_not_compared_in_pairs():
    before, after = map(counts, asked_twice(20, 3))
    result = compare_forgetting(before, after)
    assert result["catastrophic_forgetting_detected"]
    assert "verdict" not in result
    assert "verdict" not in compare_forgetting(before, asked_twice(20, 3)[1])


@pytest.mark.parametrize(
    ("n", "threshold", "verdict", "needed"),
    [(25, 0.10, "RETAINED", None), (24, 0.10, "INCONCLUSIVE", 25), (5, 0.10, "INCONCLUSIVE", 25),
     (11, 0.20, "RETAINED", None), (10, 0.20, "INCONCLUSIVE", 11), (51, 0.05, "INCONCLUSIVE", 52)],
)  # fmt: skip
def test_few_questions_are_said_to_be_few(n, threshold, verdict, needed):
    result = compare_forgetting(*asked_twice(n, n=n), threshold)
    assert result["verdict"] == verdict
    text = result["recommendation"]
    assert ("Too few questions to be sure: the drop may be anything from " in text) == bool(needed)
    told = f" A threshold of {100 * threshold:.0f} points takes {needed} questions, and you asked {n}."
    assert text.endswith(told) == bool(needed)


@pytest.mark.parametrize("n", [1, 5, 24])
def test_gains_do_not_make_up_for_too_few_questions(n):
    """The interval of nothing but gains is within any margin, even that of five questions."""
    result = compare_forgetting(*asked_twice(n // 2 + 1, n, n=n))
    assert result["verdict"] == "INCONCLUSIVE"
    assert "Too few questions to be sure" in result["recommendation"]


def test_no_loss_at_all_cannot_be_shown():
    result = compare_forgetting(*asked_twice(10, 30), threshold=0)
    assert result["verdict"] == "INCONCLUSIVE"
    assert result["recommendation"].endswith(" No number of questions can show that nothing at all was lost.")


def test_a_model_that_knew_nothing_proves_nothing():
    result = compare_forgetting(*asked_twice(0))
    assert result["verdict"] == "VACUOUS"
    assert (
        "The model knew too little before for a drop over the threshold to be possible: this proves nothing."
        in (result["recommendation"])
    )


# What is no comparison

ITSELF = (
    "before and after are one evaluation: compared with itself, a model has lost nothing\n"
    "  evaluate the model before tuning and the tuned one, and compare the two"
)


def refusal(before, after):
    with pytest.raises(NoEvidenceError) as caught:
        compare_forgetting(before, after)
    return str(caught.value)


@pytest.mark.parametrize("change", [lambda it: it, read_back, dict])
def test_an_evaluation_against_itself(change):
    evaluation = asked_twice(20)[0]
    assert refusal(evaluation, change(evaluation)) == ITSELF
    assert refusal(change(evaluation), evaluation) == ITSELF


def test_one_file_read_twice():
    evaluation = asked_twice(20)[0]
    assert refusal(read_back(evaluation), read_back(evaluation)) == ITSELF


def test_a_dict_made_by_hand_against_itself():
    once = numbers(9, 10)
    assert refusal(once, once) == ITSELF
    assert compare_forgetting(once, numbers(9, 10))["accuracy_drop"] == 0


@pytest.fixture
def references(project, monkeypatch):
    """Folders that look like models, and answers for whatever is loaded from them."""

    def load_pair(pair, settings, say, asked):
        engine = FunctionEngine(GOOD.__getitem__, pair.tuned.name)
        return EnginePair(engine, engine)

    loading = types.SimpleNamespace(load_pair=load_pair)
    monkeypatch.setitem(sys.modules, "harness.engine.transformers.loading", loading)
    project.folders()
    for name, base in (("adapter", "base"), ("adapter2", "base"), ("elsewhere", "tuned")):
        project.write(f"{name}/adapter_config.json", json.dumps({"base_model_name_or_path": f"./{base}"}))
        project.write(f"{name}/adapter_model.safetensors", "adapter")
    return project


def test_who_was_asked_is_known_by_its_weights(references):
    who = {
        name: evaluate_general_qa(name, QUESTIONS)["model"]
        for name in ("base", "tuned", "adapter", "elsewhere")
    }
    assert who["base"] == {"label": "base", "weights": weights_identity(references.path / "base")}
    assert who["adapter"] == {
        "label": "adapter",
        "weights": weights_identity(references.path / "adapter"),
        "base_weights": who["base"]["weights"],
    }
    assert who["elsewhere"]["base_weights"] == who["tuned"]["weights"]
    assert len({model["weights"] for model in who.values()}) == 4  # a config names the base


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize(
    ("first", "second"), [("tuned", "tuned"), ("tuned", "copy"), ("adapter", "adapter2")]
)
def test_two_evaluations_of_the_same_weights(references, first, second, stored):
    shutil.copytree("tuned", "copy")
    before, after = (evaluate_general_qa(name, QUESTIONS) for name in (first, second))
    text = refusal(*map(read_back, (before, after)) if stored else (before, after))
    assert text == (
        f"before and after are of the same weights: '{first}' and '{second}' are one model, by the SHA-256 "
        f"{before['model']['weights'][:12]} of its files\n"
        "  evaluate the tuned model too: the folder that the training wrote, or its adapter's"
    )


@pytest.mark.parametrize(
    ("first", "second"), [("base", "tuned"), ("base", "adapter"), ("adapter", "elsewhere")]
)
def test_two_evaluations_of_other_weights(references, first, second):
    result = compare_forgetting(*(evaluate_general_qa(name, QUESTIONS) for name in (first, second)))
    assert result["accuracy_drop"] == 0


def test_weights_that_changed_under_one_name(references):
    before = evaluate_general_qa("tuned", QUESTIONS)
    references.write("tuned/model.safetensors", "trained on")
    assert compare_forgetting(before, evaluate_general_qa("tuned", QUESTIONS))["accuracy_drop"] == 0


DIFFERENT = "the two evaluations asked different questions"


SAME = "\n  ask both models the same questions"


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        (numbers(90, 100), numbers(45, 50), ": over all, 100 before and 50 after"),
        (numbers(9, 10, math=(5, 5), art=(4, 5)), numbers(9, 10, math=(4, 4), art=(5, 6)),
         ": over 'math', 5 before and 4 after"),
        (numbers(9, 10, math=(5, 5)), numbers(8, 9, math=(4, 4), art=(4, 5)), ": over 'math', 5 before and 4 after"),
        (numbers(9, 10, math=(5, 5)), {**numbers(9, 10, math=(5, 5)), "total": 11.0, "correct": 10},
         ": over all, 10 before and 11 after"),
        (numbers(9, 10, math=(5, 5), art=(2, 2)), numbers(9, 10, math=(5, 5), history=(1, 1)),
         ": over all others, 8 before and 9 after"),
    ],
)  # fmt: skip
def test_other_totals(before, after, text):
    assert refusal(before, after) == f"{DIFFERENT}{text}{SAME}"


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        (numbers(5, 5, A=(5, 5)), numbers(1, 5, B=(1, 5)),
         "the two evaluations have no question in common: before has 'A' alone"),
        ({"overall_accuracy": 0.5, "by_category": {"A": {"accuracy": 1.0}, "B": {"accuracy": 0.0}}}, numbers(5, 5, A=(5, 5)),
         "before: only this side has 'B', and without 'correct' of these and of all, nothing tells how it did on the others"),
    ],
)  # fmt: skip
def test_no_question_of_both(before, after, text):
    assert refusal(before, after) == text + SAME


def test_categories_that_do_not_add_up():
    before = numbers(5, 10, A=(5, 5), B=(5, 5), C=(1, 1))
    assert refusal(before, numbers(5, 5, A=(5, 5))) == (
        "before: without 'B', 'C', -1 of 4 correct is no accuracy"
    )


def test_totals_that_one_side_does_not_say():
    assert compare_forgetting(numbers(90, 100), {"overall_accuracy": 0.8})["accuracy_drop"] > 0


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("change", [{"question": "Q?"}, {"answer": "no"}])
def test_other_questions_under_equal_ids(change, stored):
    questions = [{"id": id, "question": f"{id}?", "answer": "yes", "category": "c"} for id in "abc"]
    before = evaluate_general_qa(lambda prompt: "yes", questions)
    other = [questions[0], {**questions[1], **change}, questions[2]]
    after = evaluate_general_qa(lambda prompt: "yes", other)
    assert refusal(*map(read_back, (before, after)) if stored else (before, after)) == (
        f"{DIFFERENT} under the same id: 1, the first 'b'{SAME}: their wording, the task and the score too"
    )


def test_other_ids():
    before = evaluate_general_qa(lambda prompt: "yes", [{**ONE, "id": "a"}])
    after = evaluate_general_qa(lambda prompt: "yes", [{**ONE, "id": "b"}])
    text = f"{DIFFERENT}: 1 of 1 ids are of before alone, and 1 of 1 of after alone, such as 'a'{SAME}"
    assert refusal(before, after) == text
    asked = ({key: side[key] for key in ("overall_accuracy", "asked")} for side in (before, after))
    assert refusal(*asked) == text


def test_other_ids_beside_a_category_of_one_side():
    before = evaluate_general_qa(lambda prompt: "yes", {"A": [{**ONE, "id": "a"}], "B": [{**ONE, "id": "b"}]})
    after = evaluate_general_qa(lambda prompt: "yes", {"A": [{**ONE, "id": "c"}]})
    assert refusal(before, after) == (
        f"{DIFFERENT}: 2 of 2 ids are of before alone, and 1 of 1 of after alone, such as 'a'{SAME}"
    )


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"right": {"Q0?": 1}}, "after: 'right' must say true or false of each question"),
        ({"right": {"Q0?": True}}, "after: its single answers ('right') do not come to 20 of 30"),
        ({"correct": 21, "overall_accuracy": 0.7},
         "after: its single answers ('right') do not come to 21 of 30"),
    ],
)  # fmt: skip
def test_single_answers_that_were_tampered_with(change, text):
    before, after = asked_twice(20)
    assert refusal(before, {**after, **change}) == text


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
        ({"overall_accuracy": 0.9, "total": NAN}, "'total' must be a number of questions, saw nan"),
        ({"overall_accuracy": 0.9, "total": math.inf}, "'total' must be a number of questions, saw inf"),
        ({"overall_accuracy": 0.9, "total": -10}, "'total' must be a number of questions, saw -10"),
        ({"overall_accuracy": 0.9, "total": True}, "'total' must be a number of questions, saw True"),
        ({"overall_accuracy": 0.9, "total": "10"}, "'total' must be a number of questions, saw 10"),
        ({"overall_accuracy": 0.9, "total": 10.5}, "'total' must be a number of questions, saw 10.5"),
        (
            {"overall_accuracy": 0.9, "total": 10, "correct": NAN},
            "'correct' must be a number of questions, saw nan",
        ),
        (
            {"overall_accuracy": 0.0, "total": 200, "correct": -1},
            "'correct' must be a number of questions, saw -1",
        ),
        ({"overall_accuracy": 1.0, "total": 200, "correct": 201}, "201 of 200 correct is no accuracy of 1.0"),
        ({"overall_accuracy": True}, "the accuracy must lie between 0 and 1, saw True"),
        (
            {"overall_accuracy": 0.9, "by_category": {"math": 0.9}},
            "'by_category' must hold a result for each category",
        ),
        ({"overall_accuracy": 0.9, "total": 10, "correct": 1}, "1 of 10 correct is no accuracy of 0.9"),
        (None, "must be what evaluate_general_qa returned, or that read back from JSON, saw nothing"),
        ([0.9], "must be what evaluate_general_qa returned, or that read back from JSON, saw a list"),
        ({"overall_accuracy": 10**5000}, "between 0 and 1, saw a value of type int"),
        ({"overall_accuracy": 1.0, "total": 10**400}, "'total' must be a number of questions, saw 1000"),
        (
            {"overall_accuracy": 0.9, "by_category": None},
            "'by_category' must hold a result for each category, saw nothing",
        ),
        (
            {"overall_accuracy": 0.9, "by_category": {"a": None}},
            "'by_category' must hold a result for each category",
        ),
        (
            {"overall_accuracy": 0.9, "by_category": {"\ud83d": {"accuracy": 0.9}}},
            r"half a surrogate pair is not a character, saw the name '\ud83d'",
        ),
        ({"overall_accuracy": 0.9, "right": [True]}, "'right' must be a mapping, saw a list"),
        ({"overall_accuracy": 0.9, "model": "./tuned"}, "'model' must be a mapping, saw text './tuned'"),
        ({"overall_accuracy": 0.9, "asked": None}, "'asked' must be a mapping, saw nothing"),
        (
            {"overall_accuracy": 0.9, "asked": {"questions": ["a"]}},
            "'questions' under 'asked' must be a mapping",
        ),
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


def test_numbers_of_numpy_are_numbers():
    """Whoever stores rates by hand may well have them from there."""
    before = {"overall_accuracy": np.float32(0.9), "correct": np.int64(9), "total": np.int64(10)}
    after = {"overall_accuracy": np.float64(0.7), "correct": np.int32(7), "total": 10.0}
    assert compare_forgetting(before, after)["catastrophic_forgetting_detected"]
    with pytest.raises(NoEvidenceError, match="after: 'total' must be a number of questions, saw True"):
        compare_forgetting(before, {**after, "total": np.bool_(True)})


@pytest.mark.parametrize("threshold", [NAN, -0.1, 1.1, math.inf, True, False, "0.1", None])
def test_a_threshold_that_is_no_fraction(threshold):
    with pytest.raises(NoEvidenceError, match="threshold must lie between 0 and 1, saw"):
        compare_forgetting(numbers(9, 10), numbers(9, 10), threshold)
