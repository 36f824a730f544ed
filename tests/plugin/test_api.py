"""The Python API: evaluations and the checklist, with names and shapes as they are promised, on the same scores as the gate."""

from __future__ import annotations

import os
from inspect import signature
from pathlib import Path

import pytest

from harness import (
    InputError,
    compare_forgetting,
    compare_forms,
    evaluate_general_qa,
    run_forgetting_checklist,
    run_gate,
)
from harness.api import shipped_suite
from harness.engine.functions import FunctionEngine
from harness.engine.settings import PairOptions
from harness.errors import EngineError, HarnessError, ModelError, NoEvidenceError, ScorerError, SuiteError
from harness.evaluation.arguments import paths_of
from harness.plugin.option_list import OPTIONS
from harness.scoring import SCORERS
from harness.suites.read import read_suite
from tests.support.evaluations import GOOD, ONE, QUESTIONS, asked_twice, counts, numbers, read_back
from tests.support.suites import suite_text

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
         "allow_pickle=True, allow_keys: would do nothing here, for a model in memory runs as it was loaded"),
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


# run_gate


def yes(prompt: str) -> str:
    return "yes"


@pytest.fixture
def suites(project) -> None:
    project.write("suites/coding.yaml", CODING)
    project.write(
        "suites/kept.yaml",
        "suite: kept\nscore: mentions\ngates: [{over: each}]\nprobes: [{id: a, question: A?, answer: yes}]\n",
    )


def test_of_a_folder_suites_that_run_code_are_left_out_with_a_note(suites):
    record = run_gate(yes, "suites", yes)
    assert [(row.suite, row.outcome) for row in record.gates] == [("kept", "passed")]
    assert record.run.exit_status == 0
    assert len(record.run.notes) == 1
    assert record.run.notes[0].startswith("coding: left out, because it runs code that a model wrote; ")
    assert "allow_code=True" in record.run.notes[0]


@pytest.mark.parametrize("paths", ["suites/coding.yaml", ["suites/coding.yaml", "suites/kept.yaml"]])
def test_a_suite_that_is_named_and_runs_code_is_refused(suites, paths):
    with pytest.raises(InputError, match="the suite 'coding' runs code that a model wrote"):
        run_gate(yes, paths, yes)


def test_how_it_ended_and_over_what(project, suites):
    project.capability("[{over: all, max_drop: 0.10}]", (0, 60, 0, 0))
    run = run_gate(lambda prompt: "No idea.", "general.yaml", yes, sample=50, seed=3).run
    assert (run.status, run.exit_status, run.sample, run.sample_seed) == ("forgotten", 1, 50, 3)
    assert run.started <= (run.ended or "")
    assert run.suites["general"].probes == 60
    assert run.observed == [
        '50 of 50 lost answers are "No idea."; of the baseline\'s to the same probes, none'
    ]
    assert run_gate(yes, "general.yaml", yes).run.status == "passed"
    assert run_gate(yes, "general.yaml", yes, sample=2).run.status == "nothing decided"


def test_models_in_memory_are_named_by_their_labels(suites):
    run = run_gate(FunctionEngine(yes, "mine"), "suites/kept.yaml", yes).run
    assert (run.tuned.reference, run.tuned.name, run.tuned.source) == ("mine", "mine", "fixture")
    assert (run.baseline.name, run.baseline.weights) == ("the given function", None)


def test_a_model_in_memory_needs_a_baseline(suites):
    with pytest.raises(NoEvidenceError, match=r"unknown\n  give the model before tuning: baseline=\.\.\."):
        run_gate(yes, "suites/kept.yaml")


@pytest.mark.parametrize(
    "options", [{"engine": "vllm"}, {"template": "baseline"}, {"allow_conversion": True}]
)
def test_options_that_act_on_neither_model_of_a_gate_are_refused(tmp_path, options):
    (tmp_path / "s.yaml").write_text(suite_text("s", 40), encoding="utf-8")
    with pytest.raises(EngineError, match=f"^{next(iter(options))}(=True)?: would do nothing here"):
        run_gate(GOOD.get, tmp_path / "s.yaml", GOOD.get, **options)


IN_PYTHON = {
    "no_accepted": "accepted", "sample_seed": "seed", "suite": "suites", "allow_key": "allow_keys", "template_arg": "template_arguments",
    "no_store": "store",
}  # fmt: skip
IN_PYTEST_ALONE = {
    "report", "report_html", "report_markdown", "history", "only_lost", "lm_eval", "lm_eval_fewshot", "lm_eval_limit", "lm_eval_margin",
}  # fmt: skip
"""Options that write files or that choose what pytest collects."""


def test_an_option_of_pytest_is_an_argument():
    options = {IN_PYTHON.get(option.key, option.key) for option in OPTIONS}
    arguments = {*signature(run_gate).parameters, *PairOptions.__annotations__} - {"options"}
    assert options - IN_PYTEST_ALONE == arguments


def test_suites_that_ship_go_by_name_where_no_file_has_it(project):
    [shipped] = paths_of("general-qa")
    assert shipped == shipped_suite("general_qa")
    assert paths_of(["none", Path("a.yaml")]) == [Path("none"), Path("a.yaml")]
    (project.path / "general-qa").mkdir()
    assert paths_of("general-qa") == [Path("general-qa")]


def test_suites_may_be_any_iterable(project):
    for name in ("a", "b"):
        project.write(f"few/{name}.yaml", suite_text(name, 2))
    files = [project.path / "few" / f"{name}.yaml" for name in ("a", "b")]
    listed, drawn = run_gate(yes, files, yes).run, run_gate(yes, iter(files), yes).run
    assert listed.named == drawn.named == ["a", "b"]
    assert listed.exit_status == drawn.exit_status


def test_answers_that_are_all_the_same_are_noted_where_nothing_tells_two_functions_apart(project):
    project.capability("[{over: all, max_drop: 0.10}]", (30, 0, 0, 0))
    (note,) = run_gate(yes, "general.yaml", lambda prompt: "yes").run.notes
    assert note == (
        "all 30 answers are the same text on both sides, and nothing proves that two models gave them: see which model each "
        "function asks"
    )
    assert run_gate(yes, "general.yaml", yes).run.notes == []  # on purpose
    assert run_gate(yes, "general.yaml", lambda prompt: "yes", sample=19).run.notes == []
    assert run_gate(yes, "general.yaml", lambda prompt: "yes!").run.notes == []


def test_notes_on_suites_are_notes_of_the_run(project):
    path = project.capability("[{over: all, max_drop: 0.1}]", (60, 0, 0, 0))
    project.write("build/general.yaml", path.read_text() + "# old\n")
    record = run_gate(lambda prompt: "yes!", ".", lambda prompt: "yes")
    note = "build/general.yaml was not read: it has the same suite as general.yaml, but differs"
    assert record.run.notes == [note]


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ({"sample": 30.5}, "sample must be at least 1 probe, or None for all, saw 30.5"),
        ({"sample": "30"}, "sample must be at least 1 probe, or None for all, saw text '30'"),
        ({"sample": True}, "sample must be at least 1 probe, or None for all, saw true"),
        ({"sample": 0}, "sample must be at least 1 probe, or None for all, saw 0"),
        ({"seed": "x"}, "seed must be a whole number, saw text 'x'"),
        ({"noise_floor": "1"}, "noise_floor must be 0 or more, saw text '1'"),
        ({"noise_floor": 1.5}, "noise_floor must be 0 or more, saw 1.5"),
        ({"engine_flips": "0.1"}, "engine_flips must be a share from 0 to 1, or None, saw text '0.1'"),
        ({"max_drop_overall": 3}, "max_drop_overall must be a fraction such as 0.03, or 'off', saw 3"),
        ({"max_drop_overall": True}, "max_drop_overall must be a fraction such as 0.03, or 'off', saw true"),
        ({"max_flips": 1}, "max_flips must be a fraction such as 0.05, or None, saw 1"),
        ({"max_flips": "off"}, "max_flips must be a fraction such as 0.05, or None, saw text 'off'"),
        ({"strict": "no"}, "strict must be True or False, saw text 'no'"),
        ({"allow_code": 1}, "allow_code must be True or False, saw 1"),
        ({"suites": None}, "suites must be paths of suite files or of folders, saw nothing"),
        ({"suites": ["a.yaml", 3]}, "suites must be paths of suite files or of folders, saw 3"),
    ],
)
def test_arguments_of_the_wrong_kind(argument, said):
    with pytest.raises(HarnessError) as caught:
        run_gate(lambda prompt: pytest.fail("asked"), **{"suites": "s.yaml", "baseline": yes, **argument})
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: compare_forms("./adapter", "s.yaml"),
         'forms must be a list of models, such as ["./adapter", "./merged"], saw text \'./adapter\''),
        (lambda: compare_forms([yes, yes], "s.yaml", sample="9"), "sample must be at least 1 probe, or None for all, saw text '9'"),
        (lambda: compare_forms([yes, yes], "s.yaml", allow_code="no"), "allow_code must be True or False, saw text 'no'"),
        (lambda: evaluate_general_qa(yes, QUESTIONS, max_new_tokens=0), "max_new_tokens must be a whole number of at least 1, saw 0"),
        (lambda: evaluate_general_qa(yes, QUESTIONS, allow_code="no"), "allow_code must be True or False, saw text 'no'"),
        (lambda: run_forgetting_checklist("yes"), "generate_fn must be a function from prompt to text, saw text 'yes'"),
        (lambda: run_forgetting_checklist(yes, allow_code=None), "allow_code must be True or False, saw nothing"),
    ],
)  # fmt: skip
def test_arguments_of_the_wrong_kind_elsewhere(call, said):
    with pytest.raises(HarnessError) as caught:
        call()
    assert str(caught.value) == said


def test_an_option_of_pairs_is_none_of_one_model():
    with pytest.raises(TypeError, match="unexpected keyword argument 'allow_conversion'"):
        evaluate_general_qa(GOOD.__getitem__, QUESTIONS, allow_conversion=True)
    with pytest.raises(HarnessError, match="template must be own, baseline or tuned, saw"):
        run_gate("a", "b", template="both")
