"""A run in which no gate was decided is never green, whoever saw to that; and what was not measured is counted."""

from __future__ import annotations

import sys

import pytest

from tests.support.project import CONFTEST, SMALL, not_green, said

ALL = "[{over: all, max_drop: 0.10}]"
NOTHING = "no gate was decided, so this run says nothing of the model"

MARK = """

def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.suffix == ".yaml" and NAME in item.nodeid:
            item.add_marker(MARKER)
"""


def conftest(project, text):
    project.write("conftest.py", CONFTEST + text)


def marked(project, marker, name=""):
    conftest(project, MARK.replace("MARKER", f"pytest.mark.{marker}").replace("NAME", repr(name)))


def good(project, name="general"):
    project.capability(ALL, (60, 0, 0, 0), name=name)


def bad(project, name="general"):
    project.capability(ALL, (0, 60, 0, 0), name=name)


def cases(project):
    """The counts of a record that are not 0."""
    return {key: number for key, number in project.record()["run"]["cases"].items() if number}


# Skipped


@pytest.mark.parametrize("named", [True, False])
def test_gates_that_a_conftest_skips_decide_nothing(project, named):
    bad(project)
    marked(project, "skip")
    result = project.run(*(project.folders() if named else ()))
    assert result.ret == 5
    text = said(result)
    assert NOTHING in text
    assert "1 case selected: 1 skipped" in result.outlines
    assert project.record()["run"]["exit_status"] == 5
    assert cases(project) == {"selected": 1, "skipped": 1}


def test_some_skipped_gates_are_counted(project):
    good(project)
    bad(project, "other")
    marked(project, "skip", "other")
    result = project.run(*project.folders())
    assert result.ret == 0
    assert "2 cases selected: 1 decided, 1 skipped" in result.outlines
    assert NOTHING not in said(result)


def test_where_all_is_decided_nothing_more_is_said(project):
    good(project)
    assert " selected" not in said(project.run(*project.folders()))
    assert cases(project) == {"selected": 1, "decided": 1}


@pytest.mark.parametrize("side", ["baseline", "tuned"])
def test_a_fixture_that_skips(project, side):
    bad(project)
    conftest(
        project, f"\n\n@pytest.fixture(scope='session')\ndef {side}():\n    pytest.skip('no server today')\n"
    )
    result = project.run(*project.folders())
    assert result.ret == 5
    assert "1 case selected: 1 skipped" in result.outlines


def test_an_engine_that_skips(project):
    bad(project)
    project.write(
        "conftest.py", CONFTEST.replace("answers = ANSWERS", "pytest.skip()\n        answers = ANSWERS")
    )
    assert project.run(*project.folders()).ret != 0


# Not run


@pytest.mark.parametrize("option", ["--setup-only", "--setup-plan"])
def test_only_set_up(project, option):
    bad(project)
    result = project.run(*project.folders(), option)
    assert result.ret == 5
    assert "1 case selected: 1 never asked" in result.outlines
    assert NOTHING in said(result)


def test_without_pytest_s_python_plugin_a_body_is_not_run(project):
    bad(project)
    result = project.run(*project.folders(), "-p", "no:python")
    assert result.ret == 5
    assert "1 case selected: 1 never asked" in result.outlines
    assert project.asked("tuned") == []


def test_a_hook_that_runs_no_body(project):
    good(project)
    bad(project, "other")
    conftest(
        project,
        "\n\ndef pytest_pyfunc_call(pyfuncitem):\n    return True if 'other' in pyfuncitem.nodeid else None\n",
    )
    result = project.run(*project.folders())
    assert result.ret == 1
    assert "2 cases selected: 1 decided, 1 never asked" in result.outlines


def test_a_hook_that_runs_no_test(project):
    bad(project)
    conftest(project, "\n\ndef pytest_runtest_protocol(item):\n    return True\n")
    assert project.run(*project.folders()).ret == 5


@pytest.mark.parametrize("parallel", [(), ("-p", "xdist", "-n", "1")])
def test_all_that_gates_is_deselected(project, parallel):
    if parallel:
        pytest.importorskip("xdist")
    project.capability("[{over: each}]", (1, 3, 0, 0))
    project.write("test_mine.py", "def test_mine(): pass\n")
    result = project.run(*project.folders(), "-k", "test_mine", *parallel)
    result.assert_outcomes(passed=1, deselected=0 if parallel else 4)
    assert result.ret == 5
    assert NOTHING in said(result)
    assert "0 cases selected; 4 left out" in result.outlines
    assert cases(project) == {"left_out": 4}


@pytest.mark.parametrize("parallel", [(), ("-p", "xdist", "-n", "1")])
def test_notes_are_told_though_no_gate_brings_them(project, parallel):
    if parallel:
        pytest.importorskip("xdist")
    good(project)
    marked(project, "skip")
    result = project.run(*project.folders(), *parallel, "--sample", "30")
    assert result.ret == 5
    assert "note: a sample of 30 of 60 probes (--sample 30, seed 0)" in said(result)


def test_cases_that_a_hook_removes_in_silence_are_counted(project):
    project.capability("[{over: each}, {over: all, max_drop: 0.5}]", (60, 0, 0, 0))
    conftest(project, "\n\ndef pytest_collection_modifyitems(items):\n    del items[10:]\n")
    result = project.run(*project.folders())
    assert result.ret == 0
    assert "10 cases selected: 10 decided; 51 left out" in result.outlines


def test_without_a_model_a_run_that_selects_no_case_is_pytest_s_own(project):
    bad(project)
    project.write("test_mine.py", "def test_mine(): pass\n")
    assert project.run("-k", "test_mine").ret == 0
    assert not project.has_record()


@pytest.mark.parametrize(
    "option", ["--collect-only", "--fixtures", "--fixtures-per-test", "--markers", "--help"]
)
def test_a_run_that_only_shows_something_is_green(project, option):
    good(project)
    assert project.run(*project.folders(), option).ret == 0
    assert not (project.path / "reports").exists()


# Tests of one's own


def test_a_test_that_does_not_ask_the_tuned_model_decides_nothing_of_it(project):
    project.write("test_user.py", "def test_mine(): pass\n\ndef test_other(baseline): pass\n")
    project.models({}, {})
    result = project.run(*project.folders(), "test_user.py")
    result.assert_outcomes(passed=2)
    assert result.ret == 5
    assert NOTHING in said(result)


def test_a_test_that_asks_the_tuned_model_decides_for_itself(project):
    project.write("test_user.py", "def test_mine(tuned): pass\n")
    project.models({}, {})
    result = project.run(*project.folders(), "test_user.py")
    assert result.ret == 0
    assert "0 cases selected; 1 test of your own asked the tuned model" in result.outlines
    assert project.run(*project.folders(), "--setup-only").ret == 5


@pytest.mark.parametrize("marker", ["skip", "xfail(run=False)"])
def test_a_test_of_one_s_own_that_does_not_run_decides_nothing(project, marker):
    project.write("test_user.py", f"import pytest\n\n@pytest.mark.{marker}\ndef test_mine(tuned): pass\n")
    project.models({}, {})
    assert project.run(*project.folders(), "test_user.py").ret == 5


# pytest.exit(0)

STOP = 'pytest.exit("enough", returncode=0)'


def test_an_engine_that_exits_with_0_at_once(project):
    bad(project)
    project.write("conftest.py", CONFTEST.replace("answers = ANSWERS", f"{STOP}\n        answers = ANSWERS"))
    result = project.run(*project.folders())
    assert result.ret == 5
    assert "1 case selected: 1 never asked" in result.outlines
    assert project.record()["run"]["errors"] == ["stopped by Exit: enough"]


def test_an_engine_that_exits_with_0_in_the_middle(project):
    good(project, "first")
    bad(project, "second")
    bad(project, "third")
    project.write(
        "conftest.py",
        CONFTEST.replace("answers = ANSWERS", f"if 'second' in prompt: {STOP}\n        answers = ANSWERS"),
    )
    result = project.run(*project.folders())
    assert result.ret == 1
    assert "3 cases selected: 1 decided, 2 never asked" in result.outlines
    assert project.outcomes() == {"first all": ("RETAINED", "passed")}


@pytest.mark.parametrize("fixture", ["tuned", "baseline"])
def test_a_fixture_that_exits_with_0(project, fixture):
    bad(project)
    conftest(project, f"\n\n@pytest.fixture(scope='session')\ndef {fixture}():\n    {STOP}\n")
    assert project.run(*project.folders()).ret == 5


@pytest.mark.parametrize(
    "hook",
    [
        "pytest_collection(session)",
        "pytest_sessionstart(session)",
        "pytest_configure(config)",
        "pytest_sessionfinish(session)",
        "pytest_runtest_teardown(item)",
        "pytest_terminal_summary(terminalreporter)",
    ],
)
def test_a_hook_that_exits_with_0(project, hook):
    bad(project)
    conftest(project, f"\n\ndef {hook}:\n    {STOP}\n")
    result = project.run(*project.folders())
    assert result.ret == (1 if hook.split("(")[0] in hook_after_the_gates() else 5), said(result)


def hook_after_the_gates():
    return ["pytest_sessionfinish", "pytest_runtest_teardown", "pytest_terminal_summary"]


def test_a_hook_that_exits_with_a_code_of_its_own_keeps_it(project):
    bad(project)
    conftest(project, "\n\ndef pytest_sessionfinish(session):\n    pytest.exit('mine', returncode=42)\n")
    assert project.run(*project.folders()).ret == 42
    assert project.record()["run"]["exit_status"] == 42


# Plugins that have a word in the exit code

TO_0 = [
    "@pytest.hookimpl(trylast=True)\ndef pytest_sessionfinish(session):\n    session.exitstatus = 0\n",
    "@pytest.hookimpl(tryfirst=True)\ndef pytest_sessionfinish(session):\n    session.exitstatus = 0\n",
    "@pytest.hookimpl(wrapper=True)\ndef pytest_sessionfinish(session):\n    yield\n    session.exitstatus = 0\n",
    "@pytest.hookimpl(wrapper=True, tryfirst=True)\ndef pytest_sessionfinish(session):\n"
    "    yield\n    session.exitstatus = 0\n",
    "def pytest_terminal_summary(config):\n"
    "    config.pluginmanager.get_plugin('session').exitstatus = 0\n",
]  # fmt: skip


@pytest.mark.parametrize("plugin", TO_0)
@pytest.mark.parametrize("selected", [True, False])
def test_a_plugin_that_turns_the_exit_code_into_0(project, plugin, selected):
    bad(project)
    project.write("test_mine.py", "def test_mine(): pass\n")
    conftest(project, f"\n\n{plugin}")
    result = project.run(*project.folders(), *(() if selected else ("-k", "nothing")))
    assert result.ret == (1 if selected else 5)
    assert project.record()["run"]["exit_status"] == result.ret


def test_a_plugin_that_calls_a_failed_gate_passed(project):
    bad(project)
    conftest(
        project,
        "\n\n@pytest.hookimpl(wrapper=True, tryfirst=True)\ndef pytest_runtest_makereport():\n"
        "    report = yield\n    report.outcome = 'passed'\n    return report\n",
    )
    result = project.run(*project.folders())
    assert result.ret == 1
    assert project.outcomes() == {"general all": ("FORGOTTEN", "failed")}


def test_a_plugin_may_turn_green_into_red_and_the_record_knows(project):
    good(project)
    conftest(
        project,
        "\n\n@pytest.hookimpl(wrapper=True)\ndef pytest_sessionfinish(session):\n"
        "    yield\n    session.exitstatus = 7\n",
    )
    assert project.run(*project.folders()).ret == 7
    assert project.record()["run"]["exit_status"] == 7


# xfail


def test_a_gate_that_is_expected_to_fail_is_excused(project):
    good(project)
    bad(project, "other")
    marked(project, "xfail(reason='known')", "other")
    result = project.run(*project.folders())
    result.assert_outcomes(passed=1, xfailed=1)
    assert result.ret == 0
    assert project.outcomes()["other all"] == ("FORGOTTEN", "excused")
    text = said(result)
    assert "FORGOTTEN, excused" in text
    assert "2 cases selected: 1 decided, 1 excused (xfail)" in result.outlines


def test_where_every_gate_is_excused_nothing_was_decided(project):
    bad(project)
    marked(project, "xfail")
    result = project.run(*project.folders())
    assert result.ret == 5
    assert NOTHING in said(result)
    assert "1 case selected: 1 excused (xfail)" in result.outlines
    assert project.outcomes() == {"general all": ("FORGOTTEN", "excused")}


@pytest.mark.parametrize("marker", ["xfail(run=False)", "xfail(run=False, reason='later')"])
def test_a_gate_that_xfail_does_not_run_is_excused_without_a_row(project, marker):
    bad(project)
    marked(project, marker)
    result = project.run(*project.folders())
    assert result.ret == 5
    assert project.record()["gates"] == []
    assert cases(project) == {"selected": 1, "excused": 1}


def test_a_fixture_that_calls_xfail_excuses(project):
    bad(project)
    conftest(project, "\n\n@pytest.fixture(scope='session')\ndef tuned():\n    pytest.xfail('not yet')\n")
    assert project.run(*project.folders()).ret == 5
    assert cases(project) == {"selected": 1, "excused": 1}


def test_runxfail_is_what_pytest_means_by_it(project):
    bad(project)
    marked(project, "xfail")
    result = project.run(*project.folders(), "--runxfail")
    result.assert_outcomes(failed=1)
    assert result.ret == 1
    assert project.outcomes() == {"general all": ("FORGOTTEN", "failed")}


def test_a_gate_that_passes_though_it_is_expected_to_fail(project):
    good(project)
    marked(project, "xfail")
    result = project.run(*project.folders())
    result.assert_outcomes(xpassed=1)
    assert result.ret == 0
    assert project.outcomes() == {"general all": ("RETAINED", "passed")}


def test_where_xfail_is_strict_that_is_a_failure(project):
    good(project)
    marked(project, "xfail(strict=True, reason='known')")
    result = project.run(*project.folders())
    assert result.ret == 1
    assert project.outcomes() == {"general all": ("RETAINED", "failed")}
    assert project.record()["run"]["errors"] == ["general.yaml::all: [XPASS(strict)] known"]


def test_xfail_swallows_no_error_of_input(project):
    bad(project)
    project.models({}, {"general lost-7?": None})
    marked(project, "xfail")
    result = project.run(*project.folders())
    assert result.ret == 4
    assert "the suite 'general' cannot be asked\n  tuned: must return text, returned NoneType" in not_green(
        result
    )
    result.assert_outcomes(failed=1)
    assert len(project.record()["run"]["errors"]) == 1


def test_xfail_swallows_no_error_of_input_in_a_fixture(project):
    bad(project)
    marked(project, "xfail")
    text = (project.path / "conftest.py").read_text()
    project.write(
        "conftest.py",
        text + "\n\n@pytest.fixture(scope='session')\ndef tuned():\n"
        "    from harness.errors import ModelError\n    raise ModelError('x: is broken')\n",
    )
    result = project.run(*project.folders())
    assert result.ret == 4
    assert "x: is broken" in not_green(result)


@pytest.mark.parametrize("where", ["ask", "set up", "tear down"])
def test_xfail_expects_a_failed_gate_and_not_an_engine_that_breaks(project, where):
    bad(project)
    marked(project, "xfail")
    text = (project.path / "conftest.py").read_text()
    match where:
        case "ask":
            text = text.replace("answers = ANSWERS", "1 / 0\n        answers = ANSWERS")
        case "set up":
            text += "\n\n@pytest.fixture(scope='session')\ndef tuned():\n    1 / 0\n"
        case "tear down":
            text += "\n\n@pytest.fixture(autouse=True)\ndef around():\n    yield\n    1 / 0\n"
    project.write("conftest.py", text)
    result = project.run(*project.folders())
    assert result.ret == 1
    assert "ZeroDivisionError" in said(result)


# Some never asked, in parallel

TWO = ("-p", "xdist", "-n", "2")


def test_a_worker_that_exits_with_0_is_not_green(project):
    pytest.importorskip("xdist")
    good(project, "first")
    bad(project, "second")
    project.write(
        "conftest.py",
        CONFTEST.replace("answers = ANSWERS", f"if 'second' in prompt: {STOP}\n        answers = ANSWERS"),
    )
    result = project.run(*project.folders(), *TWO)
    assert result.ret not in (0, 5)
    assert project.record()["run"]["exit_status"] == result.ret
    assert cases(project)["never_asked"] == 1


@pytest.mark.parametrize("marker", ["skip", "xfail"])
def test_in_parallel_it_comes_to_the_same(project, marker):
    pytest.importorskip("xdist")
    project.capability("[{over: all, max_drop: 0.10}, {over: each}]", (0, 60, 0, 0))
    marked(project, marker)
    result = project.run(*project.folders(), *TWO)
    assert result.ret == 5
    ending = "skipped" if marker == "skip" else "excused (xfail)"
    assert f"61 cases selected: 61 {ending}" in result.outlines


def test_a_group_of_xdist_s_in_a_name_does_no_harm(project):
    pytest.importorskip("xdist")
    good(project)
    marked(project, "xdist_group('one')")
    result = project.run(*project.folders(), *TWO, "--dist", "loadgroup")
    assert result.ret == 0, said(result)
    assert cases(project) == {"selected": 1, "decided": 1}


# Other plugins' YAML

OTHER = """

class Other(pytest.Item):
    def runtest(self):
        pass

class OtherFile(pytest.File):
    def collect(self):
        yield Other.from_parent(self, name="other")

def pytest_collect_file(file_path, parent):
    if file_path.name == "stage.yaml":
        return OtherFile.from_parent(parent, path=file_path)
"""


@pytest.mark.parametrize("parallel", [(), TWO])
def test_yaml_of_another_plugin_is_no_case(project, parallel):
    if parallel:
        pytest.importorskip("xdist")
    good(project)
    project.write("stage.yaml", "stages: []\n")
    conftest(project, OTHER)
    result = project.run(*project.folders(), *parallel)
    result.assert_outcomes(passed=2)
    assert result.ret == 0, said(result)
    assert cases(project) == {"selected": 1, "decided": 1}


# What an earlier run passed

LOADING = '''
import sys
import types
from pathlib import Path

from harness.engine.functions import FunctionEngine
from harness.engine.pair import EnginePair

def load_pair(sources, settings, say, asked):
    """Stands in for torch: a model forgot the suites that its weights name."""
    def engine(source):
        forgot = (source.folder / "model.safetensors").read_text().split()
        return FunctionEngine(lambda prompt: "No." if prompt.split()[0] in forgot else "Yes.", source.name)
    return EnginePair(engine(sources.baseline), engine(sources.tuned), "cpu", "float32")

sys.modules["harness.engine.transformers.loading"] = types.SimpleNamespace(load_pair=load_pair)
'''


def model(project, name, weights):
    project.write(f"{name}/config.json", "{}")
    project.write(f"{name}/model.safetensors", weights)


@pytest.fixture
def remembered(project):
    """Runs with pytest's cache: two suites, and models that are what their weights say."""
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
        model(project, name, weights)

    def run(name, *arguments):
        return project.pytester.runpytest_inprocess(
            "-p", "harness.plugin", "--assert=plain", "--model", name, "--baseline", "base", *arguments
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
        f"ERROR: {name} leaves out gates that passed before, and they passed for half; that says nothing of bad\n"
        f"  run it with --cache-clear instead of {name}"
    ) in not_green(result)
    assert project.record()["run"]["exit_status"] == 4


def test_a_model_that_was_trained_again_is_another(project, remembered):
    assert remembered("half").ret == 1
    model(project, "half", "one two")
    result = remembered("half", "--lf")
    assert result.ret == 4
    assert "they passed for half, as it was then; that says nothing of half" in said(result)


def test_another_baseline_is_another_question(project, remembered):
    assert remembered("half").ret == 1
    model(project, "base", "another base")
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
    assert "they passed for a model that is not known; that says nothing of half" in said(result)
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
    model(project, "trained", "one")
    assert remembered("r.yaml", "one.yaml", "two.yaml").ret == 1
    assert remembered("r.yaml", "one.yaml", "two.yaml", "--lf").ret == 1
    model(project, "trained", "one two")
    result = remembered("r.yaml", "one.yaml", "two.yaml", "--lf")
    assert result.ret == 4
    assert "they passed for r.yaml, as it was then; that says nothing of r.yaml" in not_green(result)
    assert remembered("bad", "one.yaml", "two.yaml", "--lf").ret == 4


def test_what_engines_of_one_s_own_passed_is_not_left_out(project):
    bad(project)
    good(project, "other")
    runs = [
        project.pytester.runpytest_inprocess("-p", "harness.plugin", "--assert=plain", *arguments)
        for arguments in ((), ("--lf",))
    ]
    assert [result.ret for result in runs] == [1, 4]
    assert (
        "they passed for a model that is not known; that says nothing of the engine of the fixture"
        in said(runs[1])
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

from harness.plugin.state import RUN

class Flaky(Scripted):
    def answer(self, prompt):
        with (HERE / "attempts.txt").open("a") as file:
            file.write(".")
        return "No." if len((HERE / "attempts.txt").read_text()) == 1 else super().answer(prompt)

@pytest.fixture
def tuned(request):
    request.config.stash[RUN].session.suites.clear()
    return Flaky("tuned")
"""


def test_a_rerun_that_passes_turns_no_failed_gate_green(project):
    pytest.importorskip("pytest_rerunfailures")
    project.write("s.yaml", SMALL)
    project.models({"Why?": "Yes."}, {"Why?": "Yes."})
    conftest(project, FLAKY)
    result = project.run(*project.folders(), "-p", "pytest_rerunfailures", "--reruns", "2")
    result.assert_outcomes(passed=1)
    assert len((project.path / "attempts.txt").read_text()) == 2
    assert project.outcomes() == {"small probe[a]": ("FORGOTTEN", "failed")}
    assert [row["change"] for row in project.record()["probes"]] == ["lost"]
    assert result.ret == 1
