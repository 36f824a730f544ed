"""The Python API: names and shapes as they are promised, on the same scores and statistics as the gate."""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
import types

import numpy as np
import pytest

from harness import compare_forgetting, evaluate_general_qa, run_forgetting_checklist
from harness.api import shipped_suite
from harness.engine.functions import FunctionEngine
from harness.engine.pair import EnginePair
from harness.errors import EngineError, ModelError, NoEvidenceError, ScorerError, SuiteError
from harness.models.identity import weights_identity
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


def counts(evaluation):
    """What an evaluation counted, without its evidence."""
    return {key: evaluation[key] for key in ("correct", "total", "overall_accuracy", "by_category")}


def read_back(evaluation):
    """An evaluation from the file that it was stored in."""
    return json.loads(json.dumps(evaluation))


def asked_twice(before, after=None, n=30):
    """Two evaluations of n questions, of which the first so many are right before, and so many after."""
    questions = [{"question": f"Q{i}?", "answer": "yes"} for i in range(n)]
    known = {f"Q{i}?": i for i in range(n)}
    return [
        evaluate_general_qa(lambda prompt, right=right: "yes" if known[prompt] < right else "no", questions)
        for right in (before, before if after is None else after)
    ]


# evaluate_general_qa


def test_the_shape_of_an_evaluation():
    answers = {**GOOD, "What is 15 multiplied by 7?": "about 100"}
    evaluation = evaluate_general_qa(answers.__getitem__, QUESTIONS)
    assert counts(evaluation) == {
        "correct": 3,
        "total": 4,
        "overall_accuracy": 0.75,
        "by_category": {
            "geography": {"correct": 2, "total": 2, "accuracy": 1.0},
            "math": {"correct": 0, "total": 1, "accuracy": 0.0},
        },
    }
    assert evaluation.keys() == {*counts(evaluation), "evaluation_id", "right", "asked", "model"}
    ids = [item["question"] for item in QUESTIONS]
    assert evaluation["right"] == evaluation.right == dict(zip(ids, (True, True, False, True), strict=True))
    assert list(evaluation["asked"]["questions"]) == ids
    assert evaluation["model"] == {"label": "the given function"}


def test_an_evaluation_can_be_stored():
    evaluation = evaluate_general_qa(GOOD.__getitem__, QUESTIONS)
    assert read_back(evaluation) == evaluation


def test_each_evaluation_has_an_id_of_its_own():
    first, second = asked_twice(3)
    assert first["evaluation_id"] != second["evaluation_id"]
    assert {**first, "evaluation_id": ""} == {**second, "evaluation_id": ""}


ONE = {"id": "a", "question": "Q?", "answer": "yes"}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"question": "Q!"}, {}),
        ({"answer": "no"}, {}),
        ({"answer": ["yes", "no"]}, {}),
        ({}, {"score": "mentions"}),
        ({}, {"max_new_tokens": 3}),
    ],
)
def test_the_fingerprint_is_of_what_is_shown_and_how_it_is_judged(change, named):
    first = evaluate_general_qa(lambda prompt: "yes", [ONE])
    same = evaluate_general_qa(lambda prompt: "no", [{**ONE, "category": "c"}])
    other = evaluate_general_qa(lambda prompt: "yes", [{**ONE, **change}], **named)
    assert first["asked"] == same["asked"]
    assert first["asked"]["fingerprint"] != other["asked"]["fingerprint"]
    assert first["asked"]["questions"]["a"] != other["asked"]["questions"]["a"]


def test_the_order_of_questions_and_answers_does_not_matter():
    two = [{**ONE, "answer": ["yes", "no"]}, {**ONE, "id": "b"}]
    first = evaluate_general_qa(lambda prompt: "yes", two)
    second = evaluate_general_qa(lambda prompt: "yes", [two[1], {**ONE, "answer": ["no", "yes"]}])
    assert first["asked"] == second["asked"]


def test_an_engine_or_a_function_will_do():
    assert evaluate_general_qa(FunctionEngine(GOOD.__getitem__), QUESTIONS)["correct"] == 4
    assert evaluate_general_qa(GOOD.__getitem__, QUESTIONS)["correct"] == 4


LESSON = [
    {("correct_answer" if key == "answer" else key): value for key, value in item.items()}
    for item in QUESTIONS
]


def test_the_key_of_lessons_does_as_well():
    mine, lesson = (evaluate_general_qa(GOOD.__getitem__, questions) for questions in (QUESTIONS, LESSON))
    assert {**lesson, "evaluation_id": ""} == {**mine, "evaluation_id": ""}
    assert compare_forgetting(mine, lesson, threshold=0.10)["accuracy_drop"] == 0


def test_questions_by_category():
    by_category = {
        "geography": LESSON[:2],
        "math": [{"question": LESSON[2]["question"], "correct_answer": 105}],
    }
    result = evaluate_general_qa(GOOD.__getitem__, by_category)
    assert {name: found["total"] for name, found in result["by_category"].items()} == {
        "geography": 2,
        "math": 1,
    }


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("./tuned", object(), QUESTIONS), EngineError,
         "a tokenizer goes with a model in memory, and this one is a str\n  leave it out: evaluate_general_qa(model, questions)"),
        ((GOOD.__getitem__, QUESTIONS, "mentions"), NoEvidenceError,
         "questions were given twice\n  the score has a name: evaluate_general_qa(model, questions, score='mentions')"),
    ],
)  # fmt: skip
def test_arguments_in_places_of_others(arguments, error, message):
    with pytest.raises(error) as caught:
        evaluate_general_qa(*arguments)
    assert str(caught.value) == message


class Deaf(FunctionEngine):
    """An Engine of a user's own."""


@pytest.mark.parametrize(
    ("model", "options", "said"),
    [
        (GOOD.__getitem__, {"device": "cuda", "thinking_tokens": 9},
         "device, thinking_tokens: would do nothing here, for a function is given the prompt alone"),
        (GOOD.__getitem__, {"template_arguments": {"a": 1}},
         "template_arguments: would do nothing here, for a function is given the prompt alone"),
        (Deaf(GOOD.__getitem__), {"dtype": "bfloat16"}, "dtype: would do nothing here, for an Engine runs as it was made"),
        ((object(), object()), {"allow_pickle": True, "allow_keys": ["x"]},
         "allow_pickle, allow_keys: would do nothing here, for a model in memory runs as it was loaded"),
    ],
)  # fmt: skip
def test_options_that_would_do_nothing_are_refused(model, options, said):
    with pytest.raises(EngineError) as caught:
        evaluate_general_qa(model, QUESTIONS, **options)
    assert str(caught.value) == f"{said}\n  leave that out, or name the model by its reference"


def test_options_that_ask_for_nothing_are_none():
    plain = {"device": "auto", "allow_pickle": False, "thinking_tokens": None, "template_arguments": {}}
    assert evaluate_general_qa(GOOD.__getitem__, QUESTIONS, **plain)["correct"] == 4
    assert evaluate_general_qa(Deaf(GOOD.__getitem__), QUESTIONS, thinking_tokens=9)["correct"] == 4


def test_an_option_that_does_not_exist():
    with pytest.raises(
        TypeError, match=r"evaluate_general_qa\(\) got .* 'allow_pikle'; did you mean 'allow_pickle'\?"
    ):
        evaluate_general_qa(GOOD.__getitem__, QUESTIONS, allow_pikle=True)


def test_a_recipe_is_no_model_yet():
    with pytest.raises(ModelError, match=r"\Ar\.yaml: is a recipe, and a model is needed here\Z"):
        evaluate_general_qa("r.yaml", QUESTIONS)


def test_names_of_categories_are_not_obeyed():
    before, after = (numbers(n, 100, **{"c\x1b[2J\u202e": (n, 100)}) for n in (90, 40))
    assert "c\\u001b[2J\\u202e (50)" in compare_forgetting(before, after)["recommendation"]


def test_the_score_can_be_chosen():
    heart = [{"question": "Q?", "answer": "art"}]
    assert evaluate_general_qa(lambda prompt: "heart", heart)["correct"] == 1
    assert evaluate_general_qa(lambda prompt: "heart", heart, score="mentions")["correct"] == 0
    number = [{"question": "Q?", "answer": "4"}]
    assert evaluate_general_qa(lambda prompt: "2 + 2 = 4.0", number, score="number")["correct"] == 1


def test_a_suite_file_will_do(project):
    path = project.capability("[{over: all, max_drop: 0.1}]", {"a": (2, 1, 0, 0), "b": (1, 0, 0, 1)})
    assert counts(evaluate_general_qa(lambda prompt: "yes" if "kept" in prompt else "no", path)) == {
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
    "  allow it: allow_code=True (it runs confined: no network, no other process, no file but its own)"
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
    told = f" A threshold of {100 * threshold:.0f} points takes {needed} questions, and these are {n}."
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
    "before and after are one evaluation: what is held against itself has lost nothing\n"
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
    ],
)  # fmt: skip
def test_other_totals(before, after, text):
    assert refusal(before, after) == f"{DIFFERENT}{text}{SAME}"


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
    assert refusal(before, after) == f"{DIFFERENT}, so they cannot be compared in pairs{SAME}"


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
            r"half a surrogate pair is no character, saw the name '\ud83d'",
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
