"""The gate over all suites: when there is one, what it sees that no suite sees alone, and how it is left out."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from harness import run_gate
from harness.errors import HarnessError
from harness.evaluation.rescore import rescored
from harness.gate.policy import Policy
from harness.reporting.record import read_record
from tests.support.project import not_green, said
from tests.support.runs import ALL, TWO, bad, conftest, good

LOST = (180, 13, 2, 5)
"""5.5 of 200 points lost, within a margin of 10 and, in three suites together, no accident."""
OFF = ("--max-drop-overall", "off")


def broad(project, names=("one", "two", "three")):
    """Suites that each lose less than their margin."""
    for name in names:
        project.capability(ALL, LOST, name=name)


def overall(project):
    [row] = [row for row in project.record()["gates"] if row["suite"] == "overall"]
    return row


def names(project):
    return sorted(project.outcomes())


# When there is one


def test_several_suites_have_one_and_it_comes_last(project):
    good(project, "one")
    good(project, "zeal")
    result = project.run("-v")
    result.assert_outcomes(passed=3)
    assert result.ret == 0
    cases = [line.split()[0] for line in result.outlines if "PASSED" in line]
    assert cases == ["one.yaml::all", "zeal.yaml::all", "overall::all"]
    assert "collecting ... collected 3 items" in result.outlines
    assert project.outcomes()["overall all"] == ("RETAINED", "passed")
    assert project.record()["run"]["max_drop_overall"] == 0.03


def test_a_single_suite_has_none_unless_it_is_asked_for(project):
    good(project)
    assert project.run().ret == 0
    assert names(project) == ["general all"]
    assert project.run("--max-drop-overall", "0.05").ret == 0
    assert names(project) == ["general all", "overall all"]
    assert overall(project)["max_drop"] == 0.05
    assert project.record()["run"]["max_drop_overall"] == 0.05


def test_it_is_off_by_name(project):
    broad(project)
    result = project.run(*OFF)
    assert result.ret == 0
    assert "overall all" not in names(project)
    assert project.record()["run"]["max_drop_overall"] is None


def test_it_is_off_in_the_ini_file_too(project):
    project.write("pytest.ini", "[pytest]\naddopts = --max-drop-overall off\n")
    broad(project)
    assert project.run().ret == 0


@pytest.mark.parametrize("gates", ["[{over: each}]", "[{over: each, require: pass}]"])
def test_suites_without_a_margin_are_not_pooled(project, gates):
    good(project, "one")
    project.capability(gates, (3, 0, 0, 0), name="checks")
    assert project.run().ret == 0
    assert "overall all" not in names(project)
    assert project.run("--max-drop-overall", "0.05").ret == 0
    assert overall(project)["n"] == 60


def test_one_that_was_asked_for_must_decide_something(project):
    project.capability(ALL, (56, 4, 0, 0))
    result = project.run("general.yaml", "--max-drop-overall=0.03")
    assert result.ret == 5
    assert project.outcomes()["overall all"] == ("INCONCLUSIVE", "skipped")
    assert "all suites together was not decided, which is no pass" in result.outlines
    assert project.record()["run"]["named"] == ["general", "overall"]
    record = read_record(project.path / "reports/latest/record.json")
    assert rescored(record) == record
    without = rescored(record, policy=Policy(max_drop_overall=None))
    assert (without.run.exit_status, without.run.named) == (0, ["general"])
    given = rescored(without, policy=Policy(max_drop_overall=0.03), add_overall=True)
    assert (given.run.exit_status, given.run.named) == (5, ["general", "overall"])
    yes = "yes".format
    assert run_gate(yes, "general.yaml", yes, max_drop_overall=0.001).run.exit_status == 5


def test_one_that_was_not_asked_for_need_not(project):
    for name in ("one", "two"):
        project.capability(ALL, (30, 0, 0, 0), name=name)
    assert project.run("one.yaml", "two.yaml").ret == 0
    assert overall(project)["outcome"] == "skipped"


@pytest.mark.parametrize("parallel", [(), TWO])
def test_it_is_refused_where_it_could_pool_nothing(project, parallel):
    if parallel:
        pytest.importorskip("xdist")
    project.capability("[{over: each}]", (3, 0, 0, 0), name="checks")
    project.capability(ALL, (100, 0, 0, 0), name="large")
    told = "--max-drop-overall=0.05: would do nothing, for no suite here has a gate with max_drop"
    for arguments in (["checks.yaml"], ["--suite=checks"]):
        result = project.run(*arguments, "--max-drop-overall=0.05", *parallel)
        assert result.ret == 4
        assert told in not_green(result)
    assert project.run("checks.yaml", *OFF, *parallel).ret == 0
    with pytest.raises(HarnessError, match="max_drop_overall='0.05': would do nothing"):
        run_gate("yes".format, "checks.yaml", "yes".format, max_drop_overall=0.05)


@pytest.mark.parametrize("value", ["1.5", "-0.1", "3", "of", "nan", ""])
def test_a_margin_that_is_none_is_wrong_usage(project, value):
    good(project)
    result = project.run(f"--max-drop-overall={value}")
    assert result.ret == 4
    assert "--max-drop-overall" in not_green(result)


def test_a_suite_may_not_have_its_name(project):
    good(project, "overall")
    result = project.run()
    assert result.ret == 2
    assert (
        "overall.yaml:1:1: 'overall' is the name of the gate over all suites\n  choose another name"
        in not_green(result)
    )


# What it sees


def test_it_sees_what_no_suite_sees_alone(project):
    broad(project)
    result = project.run()
    result.assert_outcomes(passed=3, failed=1)
    assert result.ret == 1
    assert {outcome for name, (_, outcome) in project.outcomes().items() if name != "overall all"} == {
        "passed"
    }
    row = overall(project)
    assert (row["n"], row["lost"], row["gained"], row["verdict"]) == (600, 39, 6, "FORGOTTEN")
    assert row["drop"] == pytest.approx(33 / 600)
    assert row["mid_p"] <= 0.01
    assert (row["max_drop"], row["severity"], row["over"]) == (0.03, "critical", "overall")
    text = said(result)
    assert "overall: FORGOTTEN, 5.5 points lost (margin 3; 90 % interval " in text
    assert "  600 probes: 540 kept, 39 lost, 6 gained, 15 missed\n" in text
    assert "  two: 200 probes: 180 kept, 13 lost, 2 gained, 5 missed\n" in text
    assert "  no accident: p = " in text


def test_it_is_the_first_row_of_the_summary(project):
    broad(project, ("one", "two"))
    bad(project, "worse")
    lines = project.run().outlines
    header = next(number for number, line in enumerate(lines) if line.endswith("  verdict"))
    assert lines[header + 1].startswith("all suites ")
    assert lines[header + 2] == "failed"
    assert lines[header + 3].startswith("worse ")


def test_a_drop_within_the_margin_does_not_fail_however_sure_it_is(project):
    for name in ("one", "two"):
        project.capability(ALL, (980, 20, 0, 0), name=name)
    assert project.run().ret == 0
    assert overall(project)["mid_p"] < 1e-6
    assert project.outcomes()["overall all"] == ("RETAINED", "passed")


def test_a_drop_that_may_be_an_accident_is_a_warning(project):
    for name in ("one", "two"):
        project.capability(ALL, (40, 6, 2, 2), name=name)
    result = project.run()
    assert result.ret == 0
    assert project.outcomes()["overall all"] == ("INCONCLUSIVE", "warned")
    row = overall(project)
    assert row["drop"] > 0.03
    assert row["mid_p"] > 0.01
    assert "may be an accident, so only a warning: p = 0.025 (fails at 0.01 or less)" in said(result)
    assert project.run("--strict").ret == 1
    assert project.outcomes()["overall all"] == ("INCONCLUSIVE", "failed")


def test_each_probe_counts_once_however_many_gates_it_is_in(project):
    gates = "[{over: all, max_drop: 0.1}, {over: category, max_drop: 0.2}, {over: each}]"
    for name in ("one", "two"):
        project.capability(gates, {"a": (30, 0, 0, 0), "b": (30, 0, 0, 0)}, name=name)
    assert project.run().ret == 0
    assert overall(project)["n"] == 120


def test_a_suite_whose_baseline_knows_nothing_is_not_pooled(project):
    project.capability(ALL, (100, 0, 0, 0), name="one")
    project.capability(ALL, (0, 0, 0, 60), name="none")
    assert project.run().ret == 1
    assert project.outcomes()["none all"] == ("VACUOUS", "failed")
    assert (overall(project)["n"], overall(project)["outcome"]) == (100, "passed")


def test_junit_has_its_case_with_its_numbers(project):
    broad(project)
    project.run("--junitxml", "out.xml", "-o", "junit_family=xunit1")
    suite = ET.parse(project.path / "out.xml").getroot().find("testsuite")
    case = suite.findall("testcase")[-1]
    assert (case.get("classname"), case.get("name")) == ("overall", "all")
    numbers = {one.get("name"): one.get("value") for one in case.iter("property")}
    assert {key: numbers[key] for key in ("suite", "over", "n", "drop", "max_drop", "verdict", "outcome")} == {
        "suite": "overall", "over": "overall", "n": "600", "drop": "0.0550", "max_drop": "0.0300",
        "verdict": "FORGOTTEN", "outcome": "failed",
    }  # fmt: skip
    assert case.find("failure").text.startswith("overall: FORGOTTEN, 5.5 points lost")
    assert suite.get("tests") == "4"


# Which suites it pools


def test_it_pools_the_suites_that_are_named(project):
    broad(project)
    assert project.run("one.yaml", "two.yaml::all").ret == 1
    assert overall(project)["n"] == 400
    assert project.run("one.yaml", "--suite", "one").ret == 0
    assert names(project) == ["one all"]
    assert project.run("--suite", "one", "--suite", "three").ret == 1
    assert overall(project)["n"] == 400


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("not overall", ["one all", "three all", "two all"]),
        ("not two", ["one all", "overall all", "three all"]),
        ("one or two", ["one all", "two all"]),
        ("one or overall", ["one all"]),
        ("two", ["two all"]),
    ],
)
def test_k_leaves_it_out_as_any_other_case(project, expression, expected):
    broad(project)
    result = project.run("-k", expression)
    assert names(project) == expected
    left_out = 4 - len(expected)
    assert f"collected 4 items / {left_out} deselected / {len(expected)} selected" in result.outlines
    assert project.record()["run"]["cases"]["left_out"] == left_out


def test_it_can_be_deselected_by_its_id(project):
    broad(project)
    result = project.run("--deselect", "overall::all")
    result.assert_outcomes(passed=3, deselected=1)


def test_selected_alone_it_asks_all_suites(project):
    broad(project)
    result = project.run("-k", "overall")
    result.assert_outcomes(failed=1, deselected=3)
    assert result.ret == 1
    assert names(project) == ["overall all"]
    assert overall(project)["n"] == 600


def test_selected_alone_it_asks_the_wanted_suites(project):
    broad(project)
    assert project.run("-k", "overall", "--suite", "one", "--suite", "two").ret == 1
    assert overall(project)["n"] == 400
    assert project.run("-k", "overall", "--suite", "one").ret == 5


def test_of_a_sample_it_sees_the_sample(project):
    for name in ("one", "two"):
        good(project, name)
    assert project.run("--sample", "100").ret == 0
    assert overall(project)["n"] == 100
    assert project.run("--sample", "40").ret == 5
    assert overall(project)["undecided"] == "not gated, 40 probes: a margin of 3 points needs 88"
    assert len(project.asked("tuned")) == 140


def test_a_mark_of_a_conftest_excuses_it(project):
    broad(project)
    conftest(
        project,
        "\n\ndef pytest_collection_modifyitems(items):\n    for item in items:\n"
        "        if item.nodeid == 'overall::all': item.add_marker(pytest.mark.xfail)\n",
    )
    result = project.run()
    result.assert_outcomes(passed=3, xfailed=1)
    assert result.ret == 0
    assert project.outcomes()["overall all"] == ("FORGOTTEN", "excused")


@pytest.mark.parametrize("mark", ["skip", "skipif(True, reason='slow')", "xfail(run=False)", "skipif('1 +')"])
def test_a_suite_that_is_marked_off_is_neither_asked_nor_pooled(project, mark):
    broad(project)
    conftest(
        project,
        "\n\ndef pytest_collection_modifyitems(items):\n    for item in items:\n"
        f"        if item.nodeid == 'two.yaml::all': item.add_marker(pytest.mark.{mark})\n",
    )
    assert project.run().ret == 1
    assert overall(project)["n"] == 400
    assert not any(prompt.startswith("two") for prompt in project.asked("tuned"))


# Other orders and processes


def test_it_comes_last_in_whatever_order(project):
    broad(project)
    reverse = "\n\n@pytest.hookimpl({})\ndef pytest_collection_modifyitems(items):\n    {}items.reverse()\n"
    conftest(project, reverse.format("tryfirst=True", ""))
    assert project.run("-v").ret == 1
    expected = project.outcomes()
    conftest(project, reverse.format("wrapper=True, tryfirst=True", "yield; "))
    result = project.run("-v")
    assert result.ret == 1
    cases = [line.split()[0] for line in result.outlines if line.endswith("%]") and "::" in line]
    assert cases[-1] == "overall::all"
    assert project.outcomes() == expected


def test_where_folders_have_engines_of_their_own_it_pools_them_all(project):
    broad(project)
    text = (project.path / "conftest.py").read_text()
    project.write("conftest.py", "")
    for name in ("one", "two", "three"):
        project.write(f"{name}/conftest.py", text.replace("HERE /", "HERE.parent /"))
        (project.path / f"{name}.yaml").rename(project.path / name / f"{name}.yaml")
    assert project.run().ret == 1
    assert overall(project)["n"] == 600
    assert overall(project)["outcome"] == "failed"


REVERSED = """

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items):
    yield
    items.reverse()
"""


@pytest.mark.parametrize("way", ["reversed", "--ff"])
def test_of_engines_of_their_own_it_comes_last_too(project, way):
    broad(project)
    conftest(project, REVERSED if way == "reversed" else "", '(scope="session")', "")
    arguments = ("-p", "cacheprovider", *([way] if way == "--ff" else []))
    for _ in range(2):
        result = project.run(*arguments)
        result.assert_outcomes(passed=3, failed=1)
        assert result.ret == 1
        assert overall(project)["verdict"] == "FORGOTTEN"


def test_of_engines_of_their_own_it_is_no_pass_before_they_were_asked(project):
    """Where something changes the order after collection."""
    broad(project)
    late = "\n\ndef pytest_runtestloop(session):\n    session.items.reverse()\n"
    conftest(project, late, '(scope="session")', "")
    result = project.run()
    result.assert_outcomes(passed=3, failed=1)
    assert result.ret == 1
    assert "overall: undecided, for it needs one, three, two, not asked before it" in said(result)


def test_a_suite_whose_fixture_skips_leaves_it_undecided(project):
    broad(project)
    skips = "\n\n@pytest.fixture\ndef tuned(request):\n    if request.path.stem == 'two': pytest.skip('no GPU')\n    return Scripted('tuned')\n"
    conftest(project, skips)
    result = project.run()
    result.assert_outcomes(passed=2, failed=1, skipped=1)
    assert result.ret == 1


def test_lf_asks_all_suites_again_where_it_alone_failed(project):
    folders = ("--model", "late", "--baseline", "base")
    for name in ("base", "late"):
        project.write(f"{name}/config.json", "{}")
        project.write(f"{name}/model.safetensors", name)
    broad(project)
    project.write("conftest.py", LOADING.replace("ANSWERS", repr(project.answers)))

    def run(*arguments):
        return project.pytester.runpytest_inprocess(
            "-p", "harness.plugin", "--assert=plain", *folders, *arguments
        )

    assert run().ret == 1
    result = run("--lf")
    result.assert_outcomes(failed=1, deselected=3)
    assert result.ret == 1
    assert overall(project)["n"] == 600


LOADING = """
import sys
import types

from harness.engine.functions import FunctionEngine
from harness.engine.requests import EnginePair

def load_pair(sources, settings, say, asked):
    baseline, tuned = (FunctionEngine(ANSWERS[side].__getitem__, side) for side in ("baseline", "tuned"))
    return EnginePair(baseline, tuned, "cpu", "float32")

sys.modules["harness.engine.transformers.loading"] = types.SimpleNamespace(load_pair=load_pair)
"""


@pytest.mark.parametrize("mode", [(), ("--dist", "loadscope"), ("--dist", "worksteal"), ("--dist", "each")])
def test_in_parallel_it_comes_to_the_same(project, mode):
    pytest.importorskip("xdist")
    broad(project, ("one", "two"))
    folders = project.folders()
    assert project.run(*folders).ret == 1
    expected = overall(project)
    result = project.run(*folders, *TWO, *mode)
    assert result.ret == 1
    assert overall(project) == expected
    assert project.record()["run"]["cases"]["selected"] == 3
