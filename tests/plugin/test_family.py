"""The gates of a run are decided together: by Holm, whatever order, end or fixture; and what was asked is not lost."""

from __future__ import annotations

import pytest

from tests.support.project import said
from tests.support.runs import ALL, bad, conftest, good

CATEGORY = "[{over: category, max_drop: 0.10}]"
OFF = ("--max-drop-overall", "off")
MARK = """

def pytest_collection_modifyitems(items):
    for item in items:
        if item.name == 'category[c0]':
            item.add_marker(pytest.mark.MARKER)
"""


def categories(project, first):
    """Ten categories, of which the first has these counts and the others kept all."""
    project.capability(CATEGORY, {f"c{number}": (30, 0, 0, 0) if number else first for number in range(10)})


def together(project):
    """How many gates were decided together, by suite."""
    return {row["suite"]: row["tests"] for row in project.record()["gates"] if row["suite"] != "overall"}


# Holm


def test_a_slice_of_many_that_lost_by_accident_only_warns(project):
    categories(project, (22, 6, 1, 1))
    result = project.run()
    assert result.ret == 0
    assert project.outcomes()["general category[c0]"] == ("INCONCLUSIVE", "warned")
    assert (
        "may be an accident, so only a warning: p = 0.35, adjusted for 10 gates (fails at 0.05 or less)"
        in said(result)
    )
    [row] = [row for row in project.record()["gates"] if row["lost"]]
    assert row["mid_p"] == pytest.approx(4.5 / 128)
    assert row["holm_mid_p"] == pytest.approx(45 / 128)
    assert row["tests"] == 10


def test_the_same_slice_alone_fails(project):
    categories(project, (22, 6, 1, 1))
    result = project.run("general.yaml::category[c0]")
    assert result.ret == 1
    assert "no accident: p = 0.035 (fails at 0.05 or less)" in said(result)


def test_a_slice_of_many_that_clearly_lost_fails(project):
    categories(project, (15, 15, 0, 0))
    result = project.run()
    result.assert_outcomes(passed=9, failed=1)
    assert result.ret == 1
    assert project.outcomes()["general category[c0]"] == ("FORGOTTEN", "failed")
    assert "adjusted for 10 gates" in said(result)


def test_gates_of_all_suites_count(project):
    for name in ("one", "two"):
        project.capability(ALL, (60, 0, 0, 0), name=name)
    project.capability("[{over: all, max_drop: 0.1, on_inconclusive: observed}]", (60, 0, 0, 0), name="other")
    project.capability("[{over: each}]", (2, 0, 0, 0), name="checks")
    assert project.run().ret == 0
    assert together(project) == {"one": 2, "two": 2, "other": None, "checks": None}


@pytest.mark.parametrize(("marker", "outcome", "number"), [("skip", None, 9), ("xfail", "excused", 10)])
def test_a_gate_that_is_marked_off_does_not_count(project, marker, outcome, number):
    categories(project, (0, 30, 0, 0))
    conftest(project, MARK.replace("MARKER", marker))
    result = project.run()
    assert result.ret == 0
    found = project.outcomes().get("general category[c0]")
    assert found == (outcome and ("FORGOTTEN", outcome))
    assert together(project) == {"general": number}


def test_a_strict_run_tests_nothing(project):
    categories(project, (22, 6, 1, 1))
    result = project.run("--strict")
    assert result.ret == 1
    assert "it fails under --strict" in said(result)
    assert together(project) == {"general": None}


# Fixtures


def test_engines_of_the_whole_session_are_decided_together(project):
    for name in ("one", "two"):
        project.capability(ALL, (60, 0, 0, 0), name=name)
    assert project.run().ret == 0
    assert together(project) == {"one": 2, "two": 2}


@pytest.mark.parametrize("scope", ["function", "module"])
def test_engines_that_may_differ_are_decided_by_suite(project, scope):
    good(project, "one")
    bad(project, "two")
    text = (project.path / "conftest.py").read_text()
    project.write("conftest.py", text.replace('scope="session"', f'scope="{scope}"'))
    result = project.run()
    assert result.ret == 1
    assert together(project) == {"one": 1, "two": 1}
    assert {name: outcome for name, (_, outcome) in project.outcomes().items()} == {
        "one all": "passed",
        "two all": "failed",
        "overall all": "failed",
    }


def test_folders_with_engines_of_their_own_are_decided_by_folder(project):
    for name in ("a/one", "a/two", "b/three"):
        project.capability(ALL, (60, 0, 0, 0), name=name[2:], file=f"{name}.yaml")
    text = (project.path / "conftest.py").read_text()
    project.write("conftest.py", "")
    for folder in ("a", "b"):
        project.write(f"{folder}/conftest.py", text.replace("HERE /", "HERE.parent /"))
    assert project.run().ret == 0
    assert together(project) == {"one": 2, "two": 2, "three": 1}


# Runs that end early


def test_a_run_that_stops_at_the_first_failure_records_all_that_it_asked(project):
    bad(project, "one")
    good(project, "two")
    bad(project, "zeal")
    result = project.run("-x")
    assert result.ret == 1
    result.assert_outcomes(failed=1)
    expected = {
        "one all": ("FORGOTTEN", "failed"),
        "two all": ("RETAINED", "passed"),
        "zeal all": ("FORGOTTEN", "failed"),
        "overall all": ("FORGOTTEN", "failed"),
    }
    assert project.outcomes() == expected
    cases = project.record()["run"]["cases"]
    assert (cases["selected"], cases["decided"], cases["never_asked"]) == (4, 4, 0)
    assert len(project.record()["probes"]) == 180
    project.run()
    assert project.outcomes() == expected


def test_of_engines_that_may_differ_it_records_those_that_it_asked(project):
    bad(project, "one")
    good(project, "two")
    text = (project.path / "conftest.py").read_text()
    project.write("conftest.py", text.replace('(scope="session")', ""))
    assert project.run("-x").ret == 1
    assert project.outcomes() == {"one all": ("FORGOTTEN", "failed")}
    assert project.record()["run"]["cases"]["never_asked"] == 2


@pytest.mark.parametrize("gates", [ALL, "[{over: all, max_drop: 0.1}, {over: category, max_drop: 0.1}]"])
def test_an_input_error_in_the_second_suite_leaves_the_gates_of_the_first(project, gates):
    for name in ("one", "two", "zeal"):
        project.capability(gates, {"a": (60, 0, 0, 0)}, name=name)
    project.models({}, {"two a-kept-0?": None})
    result = project.run()
    assert result.ret == 4
    ours = len(gates.split("over")) - 1
    result.assert_outcomes(passed=ours, failed=1)
    assert {name for name, outcome in project.outcomes().items() if outcome == ("RETAINED", "passed")} == {
        f"one {name}" for name in ("all", "category[a]")[:ours]
    }
    assert len(project.outcomes()) == ours
    run = project.record()["run"]
    assert run["errors"] == [
        "two.yaml:1:1: the suite 'two' cannot be asked: the probe 'a-kept-0'\n  tuned: must return text, returned NoneType"
    ]
    assert project.asked("tuned")[-1] == "two a-kept-0?"  # the third was not asked in vain


def test_ctrl_c_in_the_second_suite_leaves_the_gates_of_the_first(project):
    project.capability("[{over: all, max_drop: 0.1}, {over: category, max_drop: 0.1}]", {"a": (60, 0, 0, 0)})
    good(project, "zeal")
    conftest(
        project,
        "",
        "answers = ANSWERS",
        "if 'zeal' in prompt: raise KeyboardInterrupt\n        answers = ANSWERS",
    )
    result = project.pytester.runpytest_inprocess("-p", "harness.plugin", no_reraise_ctrlc=True)
    assert result.ret == 2
    assert project.outcomes() == {
        "general all": ("RETAINED", "passed"),
        "general category[a]": ("RETAINED", "passed"),
    }


# Reruns


def test_reruns_ask_nothing_again(project):
    pytest.importorskip("pytest_rerunfailures")
    good(project, "one")
    bad(project, "two")
    result = project.run("-p", "pytest_rerunfailures", "--reruns", "1")
    assert result.ret == 1
    assert result.parseoutcomes() == {"failed": 2, "passed": 1, "rerun": 2}
    assert len(project.record()["gates"]) == 3
    assert len(project.asked("tuned")) == 120
