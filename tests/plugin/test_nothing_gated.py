"""A run in which no gate was decided is never green, whoever saw to that; and what was not measured is counted."""

from __future__ import annotations

import pytest

from tests.support.project import CONFTEST, not_green, said
from tests.support.runs import NOTHING, TWO, bad, conftest, good

MARK = """

def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.suffix == ".yaml" and NAME in item.nodeid:
            item.add_marker(MARKER)
"""


def marked(project, marker, name=""):
    conftest(project, MARK.replace("MARKER", f"pytest.mark.{marker}").replace("NAME", repr(name)))


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
    assert (
        "2 cases selected: 1 decided, 1 skipped; 1 left out" in result.outlines
    )  # the gate over several suites
    assert not any("other" in prompt for prompt in project.asked("tuned"))
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


@pytest.mark.parametrize("where", ["setup", "fixture"])
def test_a_suite_whose_every_case_is_skipped_is_no_pass(project, where):
    project.capability("[{over: all, max_drop: 0.1}]", (40, 0, 0, 0), name="one")
    project.capability("[{over: each}]", (0, 4, 0, 0), name="two")
    skip = {
        "setup": "def pytest_runtest_setup(item):\n    if 'two' in item.nodeid: pytest.skip()\n",
        "fixture": "@pytest.fixture(autouse=True)\ndef none(request):\n    if 'two' in request.node.nodeid: pytest.skip()\n",
    }[where]
    project.write("conftest.py", f"{CONFTEST}\n\n{skip}")
    result = project.run()
    assert result.ret == 5
    assert (
        "nothing was decided about two, which is no pass: ask more of it, or leave it out" in result.outlines
    )
    assert project.record()["run"]["status"] == "nothing decided"
    assert project.run("one.yaml").ret == 0


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
    assert project.run(*project.folders(), "--max-drop-overall", "off").ret == 1
    assert cases(project) == {"selected": 2, "decided": 2}  # it was asked and decided along with the first
    assert project.outcomes()["other all"] == ("FORGOTTEN", "failed")


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
    assert result.ret == 4
    assert "Exit: enough" in said(result)
    assert project.outcomes() == {}


def test_an_engine_that_exits_with_0_in_the_middle(project):
    good(project, "first")
    bad(project, "second")
    bad(project, "third")
    project.write(
        "conftest.py",
        CONFTEST.replace("answers = ANSWERS", f"if 'second' in prompt: {STOP}\n        answers = ANSWERS"),
    )
    result = project.run(*project.folders())
    assert result.ret == 4
    assert "Exit: enough" in said(result)
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
    result = project.run(*project.folders(), "--max-drop-overall", "off")
    result.assert_outcomes(passed=1, xfailed=1)
    assert result.ret == 0
    assert project.outcomes()["other all"] == ("FORGOTTEN", "excused")
    text = said(result)
    assert "\nexcused\nother " in text
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
    assert (
        "the suite 'general' cannot be asked: the probe 'lost-7'\n  tuned: must return text, returned NoneType"
        in not_green(result)
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
    assert result.ret == (4 if where == "ask" else 1)
    assert "ZeroDivisionError" in said(result)


# Some never asked, in parallel


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
    assert cases(project)["never_asked"] >= 1  # those of the worker that was to run them


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
