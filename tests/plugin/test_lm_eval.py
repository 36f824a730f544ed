"""`--lm-eval`: tasks of lm-evaluation-harness as cases with gates, through runs, records and workers."""

from __future__ import annotations

import pytest

from harness.cli.main import main
from tests.support.project import said
from tests.support.task_files import write_tasks

pytest.importorskip("lm_eval", reason="lm-eval is not installed")
pytest.importorskip("datasets.arrow_dataset")  # nested runs would import it again, which pyarrow refuses
pytest.importorskip("lm_eval.tasks")

CONFTEST = '''
from pathlib import Path

import pytest

from harness.engine.requests import ChoiceLogProbs, Continuations, Generate, Generated, LogLikelihood


class Scripted:
    """Right in all, or in nothing if it is bad: every question ends in its answer."""

    kinds = frozenset({"generate", "choose", "likelihood"})

    def __init__(self, label, bad=False):
        self.label, self.bad = label, bad

    def render(self, prompt):
        return prompt.text

    def ask(self, requests, progress=None):
        return [self.answer(request) for request in requests]

    def answer(self, request):
        match request:
            case Continuations(pairs=pairs):
                right = [text.strip(" .") in prompt.text.rpartition(", ")[2] for prompt, text in pairs]
                return ChoiceLogProbs(tuple(-1.0 if yes != self.bad else -2.0 for yes in right), tuple(right))
            case Generate(prompt=prompt):
                answer = prompt.text.rpartition(", ")[2].partition("?")[0]
                return Generated("no idea" if self.bad else answer, 2, "turn")
        return LogLikelihood(-len(request.text) * (1.5 if self.bad else 1.0), len(request.text), 300)


@pytest.fixture(scope="session")
def baseline():
    return Scripted("baseline")


@pytest.fixture(scope="session")
def tuned():
    return Scripted("tuned", bad=(Path(__file__).parent / "bad").exists())
'''


@pytest.fixture
def tasks(project):
    project.write("conftest.py", CONFTEST)
    project.write("pytest.ini", "[pytest]\n")
    project.write("test_other.py", "def test_other():\n    assert False\n")
    write_tasks(project.pytester.path, 60)
    return project


def test_tasks_are_cases_with_gates_alone_unless_paths_are_named(tasks):
    result = tasks.run("--lm-eval", "choice.yaml,written.yaml,rolling.yaml")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["choice *RETAINED*", "written *RETAINED*", "rolling *RETAINED*"])
    assert "test_other" not in said(result)
    both = tasks.run("test_other.py", "--lm-eval", "choice.yaml")
    assert both.parseoutcomes() == {"passed": 1, "failed": 1}


def test_what_a_task_lost_fails_and_can_be_scored_again(tasks, capsys, monkeypatch):
    tasks.write("bad", "")
    names = "choice.yaml,written.yaml,rolling.yaml,group.yaml"
    result = tasks.run("-v", "--lm-eval", names, "--lm-eval-margin", "0.1")
    assert result.ret == 1
    text = said(result)
    assert "choice · all: FORGOTTEN, 100 points lost (margin 10;" in text
    assert "rolling · all: FORGOTTEN, bits per byte up by 50.0 %" in text
    record = tasks.record()
    slices = {row["slice"] for row in record["gates"] if row["suite"] == "group"}
    assert slices == {"all", "category[choice]", "category[blanks]"}
    row = next(row for row in record["probes"] if row["id"] == "choice-1")
    assert (row["score"], row["scoring"]["metric"], row["expected"]) == ("lm_eval_choice", "acc", [" green"])
    monkeypatch.chdir(tasks.pytester.path)
    assert main(["rescore", "reports/latest"]) == 1
    assert "\nrolling " in capsys.readouterr().out
    assert main(["rescore", "reports/latest", "--suite", ".pytest_cache/d/lm-eval/choice.yaml"]) == 1


@pytest.mark.parametrize(
    ("arguments", "decided"),
    [
        (("-k", "written"), 1),
        (("--noise-floor", "1"), 3),
        (("--sample", "100"), 3),
        (("--lm-eval-limit", "55"), 3),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_runs_over_tasks_take_the_options_of_any_run(tasks, arguments, decided):
    tasks.run("--lm-eval", "choice.yaml,written.yaml", *arguments, "--lm-eval-margin", "0.2")
    record = tasks.record()
    assert record["run"]["cases"]["decided"] == decided
    assert len(record["probes"]) == {"-k": 60, "--sample": 100, "--lm-eval-limit": 110}.get(arguments[0], 120)


def test_workers_share_the_tasks(tasks):
    tasks.write("bad", "")
    pytest.importorskip("xdist")
    result = tasks.run_alone("-p", "xdist", "-n", "2", "--lm-eval", "choice.yaml,written.yaml")
    assert result.ret == 1
    assert len(tasks.record()["probes"]) == 120


def test_a_suite_asks_a_task_and_names_gates_of_its_own(tasks):
    tasks.write("bad", "")
    tasks.write(
        "mine.yaml",
        "suite: mine\nseverity: critical\nfrom: {lm_eval: choice.yaml, fewshot: 2, limit: 20}\ngates: [{over: each}]\n",
    )
    result = tasks.run("mine.yaml")
    assert result.ret == 1
    assert "mine · choice-0: FORGOTTEN" in said(result)
    assert "lost in 2 of 2 attempts" in said(result)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("code.yaml", "code.yaml:3:15: '!function own.keep' runs Python that comes with the task"),
        ("gone.yaml", "gone.yaml: cannot be read: No such file or directory"),
    ],
)
def test_tasks_that_cannot_be_asked_end_the_run(tasks, name, message):
    result = tasks.run("--lm-eval", name)
    assert result.ret == 2
    assert message in said(result)


def test_code_of_a_task_needs_permission(tasks):
    result = tasks.run("--lm-eval", "code.yaml", "--allow-task-code")
    assert result.ret == 0


def test_no_name_between_commas(tasks):
    result = tasks.run("--lm-eval", "choice.yaml,,written.yaml")
    assert result.ret == 4
    assert "--lm-eval: names a task between its commas" in said(result)
