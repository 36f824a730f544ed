"""What an earlier run passed is left out only where it was asked of the same models; and plugins that leave out or repeat."""

from __future__ import annotations

import sys

import pytest

from tests.support.project import SMALL, not_green, said
from tests.support.runs import NOTHING, bad, conftest, good

# What an earlier run passed

LOADING = '''
import sys
import types
from pathlib import Path

from harness.engine.functions import FunctionEngine
from harness.engine.requests import EnginePair

def load_pair(sources, settings, say, asked):
    """Stands in for torch: a model forgot the suites that its weights name."""
    def engine(source):
        forgot = (source.folder / "model.safetensors").read_text().split()
        return FunctionEngine(lambda prompt: "No." if prompt.split()[0] in forgot else "Yes.", source.name)
    return EnginePair(engine(sources.baseline), engine(sources.tuned), "cpu", "float32")

sys.modules["harness.engine.transformers.loading"] = types.SimpleNamespace(load_pair=load_pair)
'''


def write_weights(project, name, weights):
    project.write(f"{name}/config.json", "{}")
    project.write(f"{name}/model.safetensors", weights)


@pytest.fixture
def remembered(project):
    """Runs with pytest's cache: two suites without a gate over both, and models that are what their weights say."""
    for suite in ("one", "two"):
        good(project, suite)
    project.write("conftest.py", LOADING)
    for name, weights in {
        "base": "",
        "good": "nothing",
        "half": "one",
        "late": "two",
        "bad": "one two",
    }.items():
        write_weights(project, name, weights)

    def run(name, *arguments):
        return project.pytester.runpytest_inprocess(
            "-p", "harness.plugin", "--assert=plain", "--model", name, "--baseline", "base",
            "--max-drop-overall", "off", *arguments
        )  # fmt: skip

    return run


def test_the_stand_in_for_a_model_works(project, remembered):
    assert [remembered(name).ret for name in ("good", "half", "late", "bad")] == [0, 1, 1, 1]
    assert project.record()["run"]["tuned"]["reference"] == "bad"


@pytest.mark.parametrize("option", ["--lf", "--last-failed", "--sw", "--stepwise-skip"])
def test_what_another_model_passed_is_not_left_out(project, remembered, option):
    assert remembered("half").ret == 1
    result = remembered("bad", option)
    assert result.ret == 4
    name = "--lf" if option.startswith("--l") else "--stepwise"
    assert (
        f"ERROR: {name} leaves out gates that passed before, and they passed for half; that is no evidence about bad\n"
        f"  run it with --cache-clear instead of {name}"
    ) in not_green(result)
    assert project.record()["run"]["exit_status"] == 4


def test_a_model_that_was_trained_again_is_another(project, remembered):
    assert remembered("half").ret == 1
    write_weights(project, "half", "one two")
    result = remembered("half", "--lf")
    assert result.ret == 4
    assert "they passed for half, as it was then; that is no evidence about half" in said(result)


def test_another_baseline_is_another_question(project, remembered):
    assert remembered("half").ret == 1
    write_weights(project, "base", "another base")
    assert remembered("half", "--lf").ret == 4


@pytest.mark.parametrize("option", ["--lf", "--sw"])
def test_where_there_was_no_run_before_there_is_nothing_to_leave_out(project, remembered, option):
    result = remembered("late", option)
    result.assert_outcomes(passed=1, failed=1)
    assert result.ret == (1 if option == "--lf" else 2)


@pytest.mark.parametrize("known", [None, "nonsense", '["nonsense"]', '{"weights": null, "failed": []}'])
def test_where_nobody_knows_what_passed_nothing_is_left_out(project, remembered, known):
    assert remembered("half").ret == 1
    path = project.path / ".pytest_cache/v/forgetting-gate/tuned"
    path.unlink() if known is None else path.write_text(known)
    result = remembered("half", "--lf")
    assert result.ret == 4
    assert "they passed for an unknown model; that is no evidence about half" in said(result)
    assert remembered("half", "--cache-clear").ret == 1
    assert remembered("half", "--lf").ret == 1


@pytest.mark.parametrize("option", ["--lf", "--sw"])
def test_the_same_model_may_be_asked_again_what_it_failed(project, remembered, option):
    assert remembered("late").ret == 1
    assert remembered("late", "--sw").ret == 2  # by which --stepwise says that it stopped
    result = remembered("late", option)
    result.assert_outcomes(
        failed=1, deselected=1 if option == "--sw" else 0
    )  # --lf does not even read the file
    assert result.ret == (1 if option == "--lf" else 2)
    assert (
        f"note: --{'lf' if option == '--lf' else 'stepwise'}: gates that passed before were left out"
        in said(result)
    )


@pytest.mark.parametrize("option", ["--ff", "--nf", "--sw-reset"])
def test_an_option_that_leaves_nothing_out_is_fine(project, remembered, option):
    assert remembered("bad").ret == 1
    result = remembered("good", option)
    result.assert_outcomes(passed=2)
    assert result.ret == 0


def test_failures_of_several_models_are_not_mixed(project, remembered):
    """`bad` fails both; `half` is asked the second alone, which it passes; the first was never asked of it."""
    assert remembered("bad").ret == 1
    assert remembered("half", "two.yaml").ret == 0
    assert remembered("half", "--lf").ret == 4


def test_a_failure_before_the_step_is_not_stepped_over(project, remembered):
    """`late` fails the second, where a step would begin; `bad` then fails the first too."""
    assert remembered("late", "--cache-clear", "--sw").ret == 2
    assert remembered("bad").ret == 1
    assert remembered("bad", "--sw").ret == 4


TRAINED = """
from harness.models.reference import find_pair
sys.modules["harness.training.train"] = types.SimpleNamespace(trained_sources=lambda *arguments: find_pair("trained", "base"))
"""


def test_a_recipe_is_known_by_what_it_was_trained_to(project, remembered):
    project.write("conftest.py", LOADING + TRAINED)
    project.write("corpus.jsonl", '{"prompt": "a", "answer": "b"}\n')
    project.write(
        "r.yaml",
        "recipe: r\nbase: base\ncorpus: {file: corpus.jsonl}\nmethod: {full: {}}\nlearning_rate: 1e-5\nepochs: 1\n",
    )
    write_weights(project, "trained", "one")
    assert remembered("r.yaml", "one.yaml", "two.yaml").ret == 1
    assert remembered("r.yaml", "one.yaml", "two.yaml", "--lf").ret == 1
    write_weights(project, "trained", "one two")
    result = remembered("r.yaml", "one.yaml", "two.yaml", "--lf")
    assert result.ret == 4
    assert "they passed for r.yaml, as it was then; that is no evidence about r.yaml" in not_green(result)
    assert remembered("bad", "one.yaml", "two.yaml", "--lf").ret == 4


def test_what_engines_of_one_s_own_passed_is_not_left_out(project):
    bad(project)
    good(project, "other")
    runs = [
        project.pytester.runpytest_inprocess("-p", "harness.plugin", "--assert=plain", *arguments)
        for arguments in ((), ("--lf",))
    ]
    assert [result.ret for result in runs] == [1, 4]
    assert "they passed for an unknown model; that is no evidence about the engine of the fixture" in said(
        runs[1]
    )


# Plugins that are not here by default: PYTHONPATH may bring them


TESTMON = ("-p", "testmon.pytest_testmon", "--testmon")


WITHOUT_WARNINGS = pytest.mark.skipif(
    sys.version_info >= (3, 13), reason="testmon leaves its database open, of which Python warns since 3.13"
)


@WITHOUT_WARNINGS
@pytest.mark.parametrize("after", ["good", "bad"])
def test_testmon_that_knows_of_no_change(project, remembered, after):
    pytest.importorskip("testmon")
    project.write("test_mine.py", "def test_mine(): pass\n")
    assert remembered("good", *TESTMON).ret == 0
    result = remembered(after, *TESTMON)
    assert result.ret == 5
    assert NOTHING in said(result)
    assert "0 cases selected" in result.outlines
    assert project.record()["run"]["exit_status"] == 5


@WITHOUT_WARNINGS
def test_testmon_of_which_a_test_is_left(project, remembered):
    """It runs what changed, and that is no gate."""
    pytest.importorskip("testmon")
    project.write("test_mine.py", "def test_mine(): pass\n")
    assert remembered("good", *TESTMON).ret == 0
    project.write("test_mine.py", "def test_mine(): assert 1\n")
    result = remembered("bad", *TESTMON)
    result.assert_outcomes(passed=1)
    assert result.ret == 5


@pytest.mark.parametrize("reruns", ["--reruns=2", "--force-reruns=2"])
def test_reruns_bring_each_gate_once_and_turn_none_green(project, reruns):
    pytest.importorskip("pytest_rerunfailures")
    project.capability("[{over: all, max_drop: 0.10}, {over: category, max_drop: 0.10}]",
                       {"kept": (60, 0, 0, 0), "lost": (0, 60, 0, 0)})  # fmt: skip
    result = project.run(*project.folders(), "-p", "pytest_rerunfailures", reruns)
    assert result.ret == 1
    rows = [(row["slice"], row["outcome"]) for row in project.record()["gates"]]
    assert sorted(rows) == [("all", "failed"), ("category[kept]", "passed"), ("category[lost]", "failed")]


FLAKY = """

class Flaky(Scripted):
    def answer(self, prompt):
        with (HERE / "attempts.txt").open("a") as file:
            file.write(".")
        return "No." if len((HERE / "attempts.txt").read_text()) <= 2 else super().answer(prompt)

@pytest.fixture
def tuned():
    return Flaky("tuned")
"""


def test_a_rerun_asks_nothing_again_and_turns_no_failed_gate_green(project):
    pytest.importorskip("pytest_rerunfailures")
    project.write("s.yaml", SMALL.replace("suite: small", "suite: small\nseverity: critical"))
    project.models({"Why?": "Yes."}, {"Why?": "Yes."})
    conftest(project, FLAKY)
    result = project.run(*project.folders(), "-p", "pytest_rerunfailures", "--reruns", "2")
    result.assert_outcomes(failed=1)
    assert result.parseoutcomes()["rerun"] == 2
    assert len((project.path / "attempts.txt").read_text()) == 2  # a lost probe is asked twice
    assert project.outcomes() == {"small probe[a]": ("FORGOTTEN", "failed")}
    assert [row["change"] for row in project.record()["probes"]] == ["lost"]
    assert result.ret == 1
