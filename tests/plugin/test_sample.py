"""--sample and --suite: fewer probes, the same ones for both models, and what a run can then no longer see."""

from __future__ import annotations

import pytest

from tests.support.project import not_green, said

GATES = "[{over: all, max_drop: 0.5}, {over: category, max_drop: 0.5}]"
COUNTS = {"a": (20, 2, 0, 2), "b": (10, 1, 0, 1)}


def test_a_sample_keeps_the_share_of_each_category_and_asks_both_models_the_same(project):
    project.capability(GATES, COUNTS)
    assert project.run("--sample", "12").ret == 0
    rows = {row["slice"]: row["n"] for row in project.record()["gates"]}
    assert rows == {"all": 12, "category[a]": 8, "category[b]": 4}
    assert len(project.asked("baseline")) == 12
    assert project.asked("baseline") == project.asked("tuned")


def test_the_same_seed_is_the_same_sample(project):
    project.capability(GATES, COUNTS)

    def sample(*arguments):
        project.run("--sample", "12", *arguments)
        return {probe["id"] for probe in project.record()["probes"]}

    assert sample() == sample() == sample("--sample-seed", "0")
    assert sample("--sample-seed", "1") != sample()


def test_a_sampled_run_says_what_it_no_longer_sees(project):
    project.capability("[{over: all, max_drop: 0.5}]", (100, 0, 0, 0))
    result = project.run("--sample", "25")
    result.stdout.fnmatch_lines(
        [
            "note: a sample of 25 of 100 probes (--sample 25, seed 0)",
            "note: general: 25 of 100 probes catch a drop of 59 points, all of them a drop of 55.1 points",
        ]
    )
    assert "a sample of 25 of 100 probes" in project.record()["run"]["notes"][0]


def test_a_suite_without_a_probe_in_the_sample_is_named(project):
    project.capability("[{over: all, max_drop: 0.5}]", (60, 0, 0, 0), name="large")
    project.capability("[{over: all, max_drop: 0.5}]", (4, 0, 0, 0), name="tiny")
    result = project.run("--sample", "1")
    assert "tiny: none of its probes is in the sample, so it detects nothing" in said(result)
    result.assert_outcomes(skipped=1, deselected=2)
    assert result.ret == 5
    project.capability("[{over: all, max_drop: 0.5}]", (4, 0, 0, 0), name="small")
    said_once = "small, tiny: none of their probes is in the sample, so they detect nothing"
    assert said(project.run("--sample", "1")).count(said_once) == 1


def test_a_checklist_is_asked_whole(project):
    project.capability("[{over: each}]", (6, 0, 0, 0), name="checks")
    project.capability("[{over: all, max_drop: 0.5}]", (30, 0, 0, 0), name="facts")
    project.run("--sample", "5")
    probes = project.record()["probes"]
    assert sum(probe["suite"] == "checks" for probe in probes) == 6
    assert sum(probe["suite"] == "facts" for probe in probes) == 5


def test_a_sample_under_xdist_is_the_same(project):
    pytest.importorskip("xdist")
    project.capability(GATES, COUNTS)
    project.run("--sample", "12")
    alone = {probe["id"] for probe in project.record()["probes"]}
    project.run_alone("--sample", "12", "-n", "2")
    assert {probe["id"] for probe in project.record()["probes"]} == alone


@pytest.mark.parametrize("value", ["0", "-3", "many", "1.5"])
def test_a_sample_of_nothing_is_wrong_usage(project, value):
    project.capability(GATES, COUNTS)
    result = project.run("--sample", value)
    assert result.ret == 4
    assert f"must be a whole number of at least 1, saw '{value}'" in not_green(result)


def test_suites_can_be_chosen_by_name(project):
    project.capability("[{over: all, max_drop: 0.5}]", (20, 0, 0, 0), name="one")
    project.capability("[{over: all, max_drop: 0.5}]", (20, 0, 0, 0), name="two")
    result = project.run("--suite", "two")
    result.assert_outcomes(passed=1, deselected=2)  # the gate over both too
    assert list(project.outcomes()) == ["two all"]
    assert not [prompt for prompt in project.asked("tuned") if prompt.startswith("one")]


def test_an_unknown_suite_is_wrong_usage_with_the_nearest(project):
    project.capability(GATES, COUNTS)
    result = project.run("--suite", "genral")
    assert result.ret == 4
    assert (
        "--suite genral: no such suite was collected, and none of that name ships\n  did you mean 'general'?"
        in not_green(result)
    )


@pytest.mark.parametrize("way", [("-k", "one"), ("-m", "low"), ("--deselect", "two.yaml")])
def test_a_suite_of_which_every_case_is_left_out_is_wrong_usage(project, way):
    project.capability("[{over: all, max_drop: 0.5}]", (20, 0, 0, 0), name="one", severity="low")
    project.capability("[{over: all, max_drop: 0.5}]", (20, 0, 0, 0), name="two")
    result = project.run("--suite", "one", "--suite", "two", *way)
    assert result.ret == 4
    text = not_green(result)
    assert "--suite two: every case of it was left out, such as by -k, -m or --deselect" in text
    assert "no such suite" not in text


def test_a_suite_where_there_are_none_is_wrong_usage(project):
    project.write("test_mine.py", "def test_mine(): pass\n")
    result = project.run("--suite", "general")
    assert result.ret == 4
    assert "no such suite was collected, and none of that name ships" in not_green(result)
