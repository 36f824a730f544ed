"""Suites that ask tasks of lm-evaluation-harness: what they ask, their gates, their scores, and what is refused."""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness.engine.prompts import request
from harness.engine.requests import (
    ChatText,
    ChoiceLogProbs,
    Continuations,
    Generate,
    Generated,
    Message,
    Plain,
    RollingLogLikelihood,
)
from harness.errors import NoEvidenceError, ScorerError, SuiteError
from harness.scoring import score
from harness.scoring.composed import recorded
from harness.suites.suite import MarginGate, RiseGate
from tests.support.task_files import suite_of, write_tasks

pytest.importorskip("lm_eval", reason="lm-eval is not installed")


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tasks(tmp_path_factory.mktemp("tasks"))


def first(suite):
    return request(suite, suite.probes[0])


SHOT = "Question: Which of the words is number {}, {}?\nAnswer: {}\n\n"
ASKED = "Question: Which of the words is number 0, red?\nAnswer:"


def test_choices_follow_the_prompt_with_its_shots(tasks):
    asked = first(suite_of(tasks, "choice.yaml"))
    assert isinstance(asked, Continuations)
    prompts, texts = zip(*asked.pairs, strict=True)
    assert texts == (" red", " blue", " south")
    assert len(set(prompts)) == 1
    assert prompts[0].text.endswith(ASKED)
    assert prompts[0].text.count("Question:") == 2
    assert suite_of(tasks, "choice.yaml, fewshot: 0").probes[0].item.prompts[0] == ASKED
    assert suite_of(tasks, "choice.yaml, fewshot: 3").probes[0].item.prompts[0].count("Question:") == 4


def test_each_prompt_has_its_continuation(tasks):
    asked = first(suite_of(tasks, "blanks.yaml"))
    assert asked == Continuations(
        tuple((Plain(word, may_cut=True), " was red.") for word in ("red", "blue", "south"))
    )


def test_choices_are_scored_without_a_prompt_too_where_the_metric_needs_it(tasks):
    asked = first(suite_of(tasks, "mutual.yaml"))
    assert [prompt.text for prompt, _ in asked.pairs][3:] == ["", "", ""]


def test_texts_are_written_up_to_what_ends_them(tasks):
    suite = suite_of(tasks, "written.yaml")
    assert first(suite) == Generate(Plain(ASKED, may_cut=True), 10, ("\n", "Question:"))
    assert suite.task.max_new_tokens == 10


def test_texts_are_measured_in_windows(tasks):
    suite = suite_of(tasks, "rolling.yaml")
    assert first(suite) == RollingLogLikelihood(suite.probes[0].text, windows=True)


def test_a_chat_goes_through_each_models_template(tasks):
    asked = first(suite_of(tasks, "written.yaml, chat: true, system: Be brief."))
    assert asked.prompt == ChatText((Message("system", "Be brief."), Message("user", ASKED)))
    shots = first(suite_of(tasks, "choice.yaml, chat: true"))
    roles = [message.role for message in shots.pairs[0][0].messages]
    assert (roles, shots.pairs[0][1]) == (["user", "assistant", "user"], "red")
    single = first(suite_of(tasks, "choice.yaml, chat: true, multiturn: false"))
    assert [message.role for message in single.pairs[0][0].messages] == ["user"]


def test_documents_become_probes(tasks):
    suite = suite_of(tasks, "choice.yaml, limit: 3")
    probe = suite.probes[1]
    assert [each.id for each in suite.probes] == ["choice-0", "choice-1", "choice-2"]
    assert (probe.choices, probe.answers, probe.category) == (("blue", "green", "cat"), ("green",), None) or (
        probe.answers == (" green",)
    )
    assert str(probe.span).endswith("suite.yaml:2:8")


@pytest.mark.parametrize(
    ("source", "gates"),
    [
        ("choice.yaml", [("all", MarginGate, 0.05)]),
        ("choice.yaml, margin: 0.2", [("all", MarginGate, 0.2)]),
        ("rolling.yaml", [("all", RiseGate, 0.05)]),
        ("group.yaml", [("all", MarginGate, 0.05), ("category", MarginGate, 0.15)]),
    ],
)
def test_the_gates_of_a_suite_that_names_none(tasks, source, gates):
    found = suite_of(tasks, source).gates
    margins = [gate.max_rise if isinstance(gate, RiseGate) else gate.max_drop for gate in found]
    assert margins == pytest.approx([margin for *_, margin in gates])
    assert [(gate.over, type(gate)) for gate in found] == [gate[:2] for gate in gates]


def test_a_group_has_a_category_for_each_task(tasks):
    suite = suite_of(tasks, "group.yaml, limit: 2")
    assert {name: len(probes) for name, probes in suite.by_category().items()} == {"choice": 2, "blanks": 2}


def test_chance_is_as_it_was_afterwards(tasks):
    random.seed(7)
    before = random.getstate()
    suite_of(tasks, "choice.yaml")
    assert random.getstate() == before


# Scores


def judged(suite, answer, probe=0):
    return score(suite.probes[probe], answer).right


@pytest.mark.parametrize(
    ("logprobs", "acc", "norm"),
    [((-1.0, -2.0, -3.0), True, True), ((-4.0, -3.9, -9.0), False, True)],
)
def test_the_metric_that_is_named_judges(tasks, logprobs, acc, norm):
    answer = ChoiceLogProbs(logprobs, (False,) * 3)
    assert judged(suite_of(tasks, "choice.yaml"), answer) is acc
    # per character of "red" and "blue"
    longer = suite_of(tasks, "choice.yaml, metric: acc_norm")
    assert judged(longer, ChoiceLogProbs((-3.0, -4.1, -9.0), (False,) * 3)) is True
    assert judged(longer, answer) is (norm if acc else False)


def test_filters_read_the_answer(tasks):
    whole, words = (suite_of(tasks, f"written.yaml, filter: {name}") for name in ("whole", "words"))
    assert [judged(suite, Generated(" RED!", 2)) for suite in (whole, words)] == [False, True]
    assert judged(suite_of(tasks, "written.yaml"), Generated("Red", 2)) is True


def test_the_metric_of_a_single_continuation_is_whether_it_would_be_written(tasks):
    suite = suite_of(tasks, "last-word.yaml")
    assert suite.probes[0].scorer.metric == "acc"
    assert [judged(suite, ChoiceLogProbs((-1.0,), (greedy,))) for greedy in (True, False)] == [True, False]


def test_a_threshold_makes_a_number_right_or_wrong(tasks):
    suite = suite_of(tasks, "last-word.yaml, metric: perplexity, threshold: -2.0")
    # the metric is lower where it is better, by the task
    assert [judged(suite, ChoiceLogProbs((value,), (False,))) for value in (-1.0, -3.0)] == [False, True]
    suite = suite_of(tasks, "last-word.yaml, metric: perplexity")
    with pytest.raises(
        ScorerError, match=r"'perplexity' is -1, neither right \(1\) nor wrong \(0\): .*'threshold: 0.5'"
    ):
        judged(suite, ChoiceLogProbs((-1.0,), (False,)))


def test_a_record_is_judged_by_the_task_that_it_names(tasks):
    probe = suite_of(tasks, "choice.yaml").probes[0]
    again = replace(probe, item=None, scorer=recorded(probe.scorer.name, probe.scorer.written()))
    assert score(again, ChoiceLogProbs((-1.0, -2.0, -3.0), (False,) * 3)).right


@pytest.mark.parametrize(
    "answer",
    [
        Generated("red", 1),
        ChoiceLogProbs((-1.0, -2.0, -3.0)),
        ChoiceLogProbs((float("nan"),) * 3, (False,) * 3),
    ],
)
def test_answers_that_are_no_evidence(tasks, answer):
    with pytest.raises(NoEvidenceError):
        judged(suite_of(tasks, "choice.yaml"), answer)


@pytest.mark.parametrize("metric", ["mcc", "f1"])
def test_the_measures_of_classes_judge_a_document_by_its_class(tmp_path, metric):
    path = write_tasks(tmp_path) / "choice.yaml"
    path.write_text(path.read_text().replace("{metric: acc,", f"{{metric: {metric},"))
    suite = suite_of(tmp_path, f"choice.yaml, metric: {metric}")
    answers = [
        ChoiceLogProbs(logprobs, (False,) * 3) for logprobs in ((-1.0, -2.0, -3.0), (-2.0, -1.0, -3.0))
    ]
    assert [judged(suite, answer) for answer in answers] == [True, False]


# Refused

ALLOW = "read it first, then allow it: allow_task_code=True"


@pytest.mark.parametrize(
    ("source", "more", "message"),
    [
        ("code.yaml", "", f"code.yaml:3:15: '!function own.keep' runs Python that comes with the task\n  {ALLOW}"),
        ("nothing.yaml", "", "nothing.yaml: cannot be read: No such file or directory"),
        ("choise", "", "suite.yaml:2:8: lm-evaluation-harness has no task 'choise'"),
        ("choice.yaml, metric: acc_nrm", "", "2:30: the task 'choice' has no metric 'acc_nrm'\n  did you mean 'acc_norm'?"),
        ("written.yaml, filter: last", "", "the task 'written' has no filter 'last'; there are: whole, words"),
        ("choice.yaml, multiturn: true", "", "'multiturn' has a meaning only with 'chat: true'"),
        ("choice.yaml, limit: 0", "", "'limit' must be at least 1, saw 0"),
        ("choice.yaml, limits: 3", "", "unknown key 'limits' in 'from'\n  did you mean 'limit'?"),
        ("choice.yaml", "score: mentions\n", "3:1: 'score' has no meaning beside 'from': the task fills it in"),
        ("choice.yaml, margin: 0.1", "gates: [{over: all, max_drop: 0.2}]\n", "'margin' has no meaning beside 'gates'"),
        ("choice.yaml", "gates: [{over: category, max_drop: 0.2}]\n", "but no probe has a category"),
        ("rolling.yaml", "gates: [{over: all, max_drop: 0.2}]\n", "'max_drop' cannot judge a likelihood"),
        ("../../etc/task.yaml", "", "'../../etc/task.yaml' leads outside"),
    ],
)  # fmt: skip
def test_what_a_suite_cannot_ask(tasks, source, more, message):
    with pytest.raises(SuiteError) as error:
        suite_of(tasks, source, more=more)
    assert message in str(error.value)


def test_code_of_a_task_runs_if_it_may(tasks):
    assert len(suite_of(tasks, "code.yaml", code=True).probes) == 12


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{metric: acc,", "{metric: ./evil,", "the metric './evil' is Python that is fetched from a hub"),
        ("{metric: acc,", "{metric: acc, hf_evaluate: true,", "the metric 'acc' is Python that is fetched from a hub"),
        ("num_fewshot: 1", "unsafe_code: true", "runs code that a model wrote, and is not confined"),
        ("doc_to_target: gold", "doc_to_target: !function own.keep", "'!function own.keep' runs Python"),
    ],
)  # fmt: skip
def test_what_else_runs_code(tmp_path, old, new, message):
    path = write_tasks(tmp_path) / "choice.yaml"
    path.write_text(path.read_text().replace(old, new))
    for source in ("choice.yaml", "group.yaml", "code.yaml"):
        with pytest.raises(SuiteError) as error:
            suite_of(tmp_path, source)
        assert message in str(error.value)
        assert "allow_task_code=True" in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("docs.jsonl", "gone.jsonl", "the data set 'json' cannot be loaded: FileNotFoundError"),
        ("dataset_path: json", "dataset_path: no-one/nothing", "the data set 'no-one/nothing' cannot be loaded: "),
        ("{{question}}", "{{ question.__class__.__mro__ }}", "lm-evaluation-harness cannot build 'choice.yaml'\n  it raised"),
        ("{{question}}", "{{ missing }}", "'missing' is undefined"),
        ("multiple_choice", "of_its_own", "Got invalid output_type 'of_its_own'"),
        ("{metric: acc, aggregation: mean, higher_is_better: true}", "{metric: brier_score}",
         "there are: acc_norm"),
    ],
)  # fmt: skip
def test_tasks_that_cannot_be_built(tmp_path, monkeypatch, old, new, message):
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    path = write_tasks(tmp_path) / "choice.yaml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(SuiteError) as error:
        suite_of(tmp_path, "choice.yaml, metric: brier_score" if "brier" in new else "choice.yaml")
    assert message in str(error.value)
    assert "Traceback" not in str(error.value)


def test_tasks_that_are_asked_in_several_ways(tmp_path):
    (write_tasks(tmp_path) / "group.yaml").write_text("group: mixed\ntask: [choice, written]\n")
    with pytest.raises(
        SuiteError, match=r"asked in several ways: 'choice' \(choose\) and 'written' \(generate\)"
    ):
        suite_of(tmp_path, "group.yaml")


def test_a_task_that_draws_its_answers_is_noted(tmp_path):
    path = write_tasks(tmp_path) / "written.yaml"
    path.write_text(path.read_text().replace("max_gen_toks: 10", "do_sample: true, temperature: 0.8"))
    [warning] = suite_of(tmp_path, "written.yaml").warnings
    assert "draws its answers by chance" in warning.message


def test_without_the_package(tasks, monkeypatch):
    monkeypatch.setattr("harness.lm_eval.build.find_spec", lambda name: None)
    with pytest.raises(SuiteError) as error:
        suite_of(tasks, "choice.yaml")
    assert str(error.value).endswith(
        "suite.yaml:2:8: tasks of lm-evaluation-harness need the package 'lm-eval'\n  pip install 'forgetting-gate[lm-eval]'"
    )


def test_the_package_is_as_it_was_afterwards(tasks):
    import datasets
    from lm_eval import utils

    before = datasets.load_dataset, utils.env
    suite_of(tasks, "choice.yaml")
    assert (datasets.load_dataset, utils.env) == before
    assert sys.modules["lm_eval"]
