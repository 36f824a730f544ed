"""What an earlier run passed is no evidence, so a run that leaves it out never passes; and plugins that leave out or repeat."""

from __future__ import annotations

import sys

import pytest

from tests.support.project import SMALL, not_green, said
from tests.support.runs import NOTHING, TWO, bad, conftest, good

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


OPTIONS = ["--lf", "--sw"]


def no_pass(project, result, option):
    """Prove that a run that left out gates says so and does not pass."""
    text = not_green(result)
    assert result.ret == 5, text
    name = "--lf" if option == "--lf" else "--stepwise"
    line = (
        f"no pass: {name} leaves out gates, which may have passed for another model or suite, or were never asked; run it "
        f"without {name}: answers that are kept are not asked again"
    )
    assert line in result.outlines
    run = project.record()["run"]
    assert (run["status"], run["exit_status"]) == ("nothing decided", 5)
    assert line in run["notes"]


def mend(project, suite):
    """Correct the answer key of a suite, so that every answer is right."""
    file = project.path / f"{suite}.yaml"
    file.write_text(file.read_text().replace("answer: yes", "answer: [yes, no]"))


@pytest.mark.parametrize("option", OPTIONS)
def test_what_another_model_passed_is_no_pass_of_this_one(project, remembered, option):
    assert remembered("late", option).ret == 1
    write_weights(project, "other", "one")
    no_pass(project, remembered("other", option), option)


@pytest.mark.parametrize("option", OPTIONS)
def test_what_failed_is_asked_again_and_fails_again(project, remembered, option):
    assert remembered("late", "--sw").ret == 1
    result = remembered("late", option)
    result.assert_outcomes(
        failed=1, deselected=1 if option == "--sw" else 0
    )  # --lf does not even read the file
    assert result.ret == 1
    assert project.record()["run"]["status"] == "forgotten"


@pytest.mark.parametrize("option", OPTIONS)
def test_what_was_mended_is_no_pass_before_all_is_asked_again(project, remembered, option):
    """pytest then remembers no failure, so the same command leaves out nothing."""
    assert remembered("late", option).ret == 1
    mend(project, "two")
    no_pass(project, remembered("late", option), option)
    result = remembered("late", option)
    result.assert_outcomes(passed=2)
    assert result.ret == 0
    assert "no pass" not in said(result)


@pytest.mark.parametrize("parallel", [(), TWO])
def test_gates_that_failed_in_a_run_that_ended_early(project, remembered, parallel):
    if parallel:
        pytest.importorskip("xdist")
    good(project, "zeal")
    project.write("conftest.py", LOADING)
    write_weights(project, "bad", "one two zeal")
    assert remembered("bad", "-x").ret == 1
    assert project.record()["run"]["cases"]["decided"] == 3
    mend(project, "one")
    no_pass(project, remembered("bad", "--lf", *parallel), "--lf")


def test_gates_of_suites_that_were_never_asked(project, remembered):
    assert remembered("bad", "one.yaml").ret == 1
    mend(project, "one")
    no_pass(project, remembered("bad", "--lf"), "--lf")


def test_a_gate_that_only_warned_under_other_options(project, remembered):
    file = project.path / "one.yaml"
    file.write_text(file.read_text().replace("severity: high", "severity: low"))
    assert remembered("bad", "--fail-on=high").ret == 1
    mend(project, "two")
    no_pass(project, remembered("bad", "--lf"), "--lf")


def test_a_suite_that_could_not_be_read(project, remembered):
    broken = project.path / "one.yaml"
    text = broken.read_text()
    broken.write_text("suite: one\nprobes: []\ngates: [}\n")
    assert remembered("late").ret == 2
    broken.write_text(text)
    no_pass(project, remembered("late", "--lf"), "--lf")


@pytest.mark.parametrize("option", [*OPTIONS, "--ff", "--nf", "--sw-reset"])
def test_where_nothing_is_left_out_a_run_may_pass(project, remembered, option):
    if option not in OPTIONS:
        assert remembered("bad").ret == 1
    result = remembered("good", option)
    result.assert_outcomes(passed=2)
    assert result.ret == 0
    assert "no pass" not in said(result)


def test_a_test_that_is_no_gate_is_no_gate_left_out(project, remembered):
    project.write("test_mine.py", "def test_mine(): assert False\n")
    assert remembered("good", ".").ret == 1
    result = remembered("good", "one.yaml", "two.yaml", "--lf")
    result.assert_outcomes(passed=2)
    assert result.ret == 0


def test_a_step_from_a_test_that_is_no_gate_leaves_out_those_before_it(project, remembered):
    project.write("test_mine.py", "from pathlib import Path\ndef test_mine(): assert Path('done').exists()\n")
    paths = ("one.yaml", "test_mine.py", "two.yaml")
    assert remembered("good", *paths, "--sw").ret != 0
    project.write("done", "")
    no_pass(project, remembered("half", *paths, "--sw"), "--sw")


def test_a_model_of_one_s_own_fixtures(project):
    bad(project)
    good(project, "other")
    run = project.pytester.runpytest_inprocess
    assert run("-p", "harness.plugin", "--assert=plain").ret == 1
    project.answers["tuned"] = {"*": "Yes."}
    project.models({}, {})
    no_pass(project, run("-p", "harness.plugin", "--assert=plain", "--lf"), "--lf")


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
