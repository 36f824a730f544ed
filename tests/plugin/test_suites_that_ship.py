"""The suites that ship, from anywhere: `--pyargs harness.shipped` has all of them, `--suite NAME` one."""

from __future__ import annotations

import pytest

from harness.scoring import load_scorers
from harness.shipped import FIXTURES, suite_files
from harness.suites.read import read_suite
from tests.support.project import RIGHT, SMALL, not_green, said


@pytest.fixture
def models(project):
    """Both answer everything the same."""
    project.models({"*": RIGHT}, {"*": RIGHT})


def collected(project, *arguments: str) -> list[str]:
    text = said(project.run("--collect-only", "-q", *arguments))
    return [line for line in text.splitlines() if "::" in line]


def test_a_file_is_named_like_its_suite():
    names = {name: read_suite(path, load_scorers()).name for name, path in suite_files().items()}
    assert len(names) == 15
    assert names == {name: name for name in names}


def test_the_fixtures_have_their_corpora():
    assert (FIXTURES / "careless.yaml").is_file()
    assert (FIXTURES / "corpora" / "drug_info.jsonl").is_file()


def test_one_by_name_where_there_are_no_suites(project, models):
    cases = collected(project, "--suite=general-qa")
    assert cases[0] == "general_qa.yaml::all"
    assert {case.partition("::")[0] for case in cases} == {"general_qa.yaml"}


def test_several_by_name_have_ids_of_their_own(project, models):
    cases = collected(project, "--suite=general-qa", "--suite=checklist")
    assert {"general_qa.yaml::all", "checklist.yaml::probe[json-object]"} <= set(cases)
    assert len(set(cases)) == len(cases)


def test_all_of_them(project, models):
    cases = collected(project, "--pyargs", "harness.shipped", "--allow-code")
    assert {case.partition("::")[0] for case in cases} == {path.name for path in suite_files().values()} | {
        "overall"
    }


def test_one_of_them(project, models):
    cases = collected(project, "--pyargs", "harness.shipped", "--suite=checklist")
    assert {case.partition("::")[0] for case in cases} == {"checklist.yaml"}


def test_one_by_name_leaves_the_tests_of_a_project_alone(project, models):
    project.write("tests/test_mine.py", "1 / 0\n")
    assert {case.partition("::")[0] for case in collected(project, "--suite=checklist")} == {"checklist.yaml"}


def test_workers_leave_them_alone_too(project, models):
    pytest.importorskip("xdist")
    project.write("tests/test_mine.py", "1 / 0\n")
    result = project.run("-p", "xdist", "--suite=general-qa", "-n", "2")
    assert "test_mine" not in said(result)
    assert {name.split()[0] for name in project.outcomes()} == {"general-qa"}


def test_beside_the_suites_of_a_project(project, models):
    project.write("suites/small.yaml", SMALL)
    cases = collected(project, "suites", "--suite=small", "--suite=checklist")
    assert {case.partition("::")[0] for case in cases} >= {"suites/small.yaml", "checklist.yaml"}


def test_beside_a_path_one_that_ships_is_added_to_all_of_its_suites(project, models):
    """A workflow that names both gates what is added to the folder later."""
    project.write("suites/small.yaml", SMALL)
    project.write("suites/own.yaml", SMALL.replace("small", "grammar"))
    added = ["--suite=grammar", "--suite=checklist"]
    cases = collected(project, "suites", *added)
    assert {case.partition("::")[0] for case in cases} == {
        "suites/small.yaml",
        "suites/own.yaml",
        "checklist.yaml",
    }
    project.models({"*": "yes"}, {"*": "yes"})
    project.run("suites", *added)
    assert project.record()["run"]["named"] == ["checklist", "grammar"]


def test_beside_a_path_the_name_of_one_of_its_suites_leaves_out_the_rest(project, models):
    for name in ("small", "later"):
        project.write(f"suites/{name}.yaml", SMALL.replace("small", name))
    assert collected(project, "suites", "--suite=small") == ["suites/small.yaml::probe[a]"]
    both = collected(project, "suites", "--suite=small", "--suite=general-qa")
    assert {case.partition("::")[0] for case in both} == {"suites/small.yaml", "general_qa.yaml"}


def test_without_a_path_those_named_run_alone(project, models):
    project.write("pytest.ini", "[pytest]\ntestpaths = suites\n")
    project.write("suites/small.yaml", SMALL)
    cases = collected(project, "--suite=checklist")
    assert {case.partition("::")[0] for case in cases} == {"checklist.yaml"}


def test_a_suite_of_the_project_goes_before_one_that_ships(project, models):
    project.write("suites/mine.yaml", SMALL.replace("small", "checklist"))
    project.models({"*": "yes"}, {"*": "yes"})
    result = project.run("--suite=checklist")
    assert list(project.outcomes()) == ["checklist probe[a]"]
    assert "checklist: the suite of suites/mine.yaml, not the one that ships" in said(result)


def test_a_misspelt_one(project, models):
    result = project.run("--suite=genral-qa")
    assert result.ret == 4
    assert (
        "--suite genral-qa: no such suite was collected, and none of that name ships\n  did you mean 'general-qa'?"
        in not_green(result)
    )
