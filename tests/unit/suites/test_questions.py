"""Questions as plain dicts: every shape in which tutorials and data frames have them, and what is said of the rest."""

from __future__ import annotations

import math
from collections import OrderedDict, UserDict
from types import MappingProxyType

import numpy as np
import pytest

from harness.errors import NoEvidenceError
from harness.scoring import SCORERS
from harness.suites.questions import suite_of_questions

FRANCE = {"question": "What is the capital of France?", "correct_answer": "Paris", "category": "geography"}


def read(questions, score="contains"):
    return suite_of_questions(questions, SCORERS[score](), 50)


def refusal(questions, score="contains"):
    with pytest.raises(NoEvidenceError) as caught:
        read(questions, score)
    return str(caught.value)


@pytest.mark.parametrize("key", ["answer", "correct_answer"])
def test_either_key_holds_the_answer(key):
    [probe] = read([{"question": "Q?", key: ["a", "b"]}]).probes
    assert (probe.id, probe.fields, probe.answers, probe.category) == (
        "Q?",
        {"question": "Q?"},
        ("a", "b"),
        None,
    )


@pytest.mark.parametrize(
    ("answer", "correct"),
    [
        ("Paris", "Paris"),
        ("Paris", ["Paris"]),
        (["a", "b"], ["b", "a"]),
        (7, "7"),
        (None, "Paris"),
        ("Paris", math.nan),
    ],
)
def test_both_keys_may_say_the_same(answer, correct):
    read([{"question": "Q?", "answer": answer, "correct_answer": correct}])


def test_two_answers_that_differ():
    assert refusal([{"question": "Q?", "answer": ["a", "b"], "correct_answer": "c"}]) == (
        "question 0 ('Q?'): 'answer' and 'correct_answer' differ: a or b, and c\n"
        "  give one of them; where several answers are right, a list"
    )


@pytest.mark.parametrize("kind", [dict, OrderedDict, UserDict, MappingProxyType])
def test_any_mapping_and_any_way_to_list_them(kind):
    whole = read([FRANCE])
    for questions in ([kind(FRANCE)], (kind(FRANCE),), iter([kind(FRANCE)]), kind(FRANCE)):
        assert read(questions) == whole
    without = {key: value for key, value in FRANCE.items() if key != "category"}
    for listed in ([kind(FRANCE)], [kind(without)], kind(without)):
        assert read(kind({"geography": listed})) == whole


def test_lists_by_category():
    suite = read(
        {
            "geography": [FRANCE],
            "math": [{"question": "7 x 15?", "answer": 105}, {"question": "1 + 1?", "answer": 2}],
        }
    )
    assert [(probe.category, probe.answers) for probe in suite.probes] == [
        ("geography", ("Paris",)), ("math", ("105",)), ("math", ("2",)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.00001, "0.00001"), (1234567890123.0, "1234567890123"), (np.int64(3), "3"), (np.float32(0.5), "0.5"),
     (True, "true"), (np.str_("x"), "x")],
)  # fmt: skip
def test_numbers_are_what_a_person_would_write(value, text):
    assert read([{"question": "Q?", "answer": value}]).probes[0].answers == (text,)
    assert read([{"question": "Q?", "answer": [value, "other"]}]).probes[0].answers == (text, "other")


def test_an_array_of_answers():
    assert read([{"question": "Q?", "answer": np.array(["a", "b"])}]).probes[0].answers == ("a", "b")


def test_what_a_data_frame_leaves_empty_is_not_there():
    [probe] = read([{**FRANCE, "category": math.nan, "id": np.float64("nan")}]).probes
    assert (probe.category, probe.id) == (None, FRANCE["question"])


NO_ANSWER = "has no answer, or an empty one, which matches anything"


@pytest.mark.parametrize(
    ("questions", "message"),
    [
        ([], "no questions: an accuracy of nothing would mean nothing"),
        ({}, "no questions: an accuracy of nothing would mean nothing"),
        (12, "questions must be a list of dicts, saw 12"),
        ([FRANCE, "Q?"], "question 1 must be a dict with 'question' and 'answer', saw text 'Q?'\n"
         "  of a DataFrame: frame.to_dict('records')"),
        ({"math": 3}, "questions by category: 'math' must hold a list of dicts, saw 3"),
        ({"math": "Q?"}, "questions by category: 'math' must hold a list of dicts, saw text 'Q?'"),
        ({"math": [FRANCE]}, "question 0 of 'math' ('What is the capital of France?'): its 'category' is 'geography', but it "
         "is listed under 'math'"),
        ([{"qestion": "Q?", "answer": "x"}], "question 0 has no text under 'question'\n"
         "  its keys: qestion, answer; 'qestion': did you mean 'question'?"),
        ([{}], "question 0 has no text under 'question'\n  its keys: none"),
        ([{"question": 3, "answer": "x"}], "question 0 has no text under 'question'"),
        ([FRANCE, {"question": "Q?", "correct_anwser": "x"}], f"question 1 ('Q?') {NO_ANSWER}\n"
         "  its keys: question, correct_anwser; 'correct_anwser': did you mean 'correct_answer'?"),
        ([{"question": "Q?", "answer": math.nan}], f"question 0 ('Q?') {NO_ANSWER}"),
        ([{"question": "Q?", "answer": ["x", math.nan]}], f"question 0 ('Q?') {NO_ANSWER}"),
        ([{"question": "Q?", "correct_answer": " "}], f"question 0 ('Q?') {NO_ANSWER}"),
        ([{"question": "Q?", "answer": math.inf}], "question 0 ('Q?'): 'answer' is infinity, which is not a number"),
        ([{"question": "Q?", "answer": {"a": 1}}], "question 0 ('Q?'): 'answer' must be text or a number, saw a mapping"),
        ([{"question": "Q?", "answer": "\ud83d"}],
         "question 0 ('Q?'): 'answer' is half a surrogate pair (\\ud83d), which is not a character"),
        ([FRANCE, FRANCE], "two questions have the same id: 'What is the capital of France?'\n"
         "  give each an 'id' of its own; without one, the question's text is its id"),
        ([{"\x1b[m\nquestion": "Q?"}], "question 0 has no text under 'question'\n"
         "  its keys: \\u001b[m\\nquestion; '\\u001b[m\\nquestion': did you mean 'question'?"),
    ],
)  # fmt: skip
def test_questions_that_prove_nothing(questions, message):
    assert refusal(questions) == message


def test_an_answer_that_the_score_cannot_judge():
    assert refusal([{"question": "Q?", "correct_answer": "("}], "regex").startswith(
        "question 0 ('Q?'): not a regular"
    )
