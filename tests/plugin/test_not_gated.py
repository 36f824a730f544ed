"""A slice that is too small to be retained has no gate, and counts in its suite; where nothing is decided, nothing passes."""

from __future__ import annotations

import pytest

from harness import run_gate
from tests.support.project import said
from tests.support.runs import ALL, NOTHING, bad, good

BOTH = "[{over: all, max_drop: 0.10}, {over: category, max_drop: 0.20}]"


def too_small(project, name="small"):
    project.capability(ALL, (9, 0, 0, 0), name=name)


def test_a_small_category_is_not_gated_and_counted_in_its_suite(project):
    project.capability(BOTH, {"large": (80, 0, 0, 0), "small": (0, 5, 0, 0)})
    result = project.run("-rs")
    result.assert_outcomes(passed=2, skipped=1, warnings=1)
    assert result.ret == 0
    rows = {row["slice"]: row for row in project.record()["gates"]}
    small = rows["category[small]"]
    assert (small["outcome"], small["undecided"]) == (
        "skipped",
        "not gated, 5 probes: a margin of 20 points needs 11",
    )
    assert (small["tests"], small["holm_mid_p"]) == (None, None)
    assert rows["all"]["tests"] == rows["category[large]"]["tests"] == 2
    assert rows["all"]["lost"] == 5
    text = said(result)
    assert "general · small: not gated, 5 probes: a margin of 20 points needs 11" in text


@pytest.mark.parametrize("arguments", [(), ("--strict",)])
@pytest.mark.parametrize("rule", ["", ", on_inconclusive: observed", ", on_inconclusive: fail"])
def test_no_rule_fails_what_is_not_gated(project, arguments, rule):
    project.capability(f"[{ALL[1:-1]}, {{over: category, max_drop: 0.20{rule}}}]",
                       {"large": (200, 0, 0, 0), "small": (0, 5, 0, 0)})  # fmt: skip
    assert project.run(*arguments).ret == 0
    assert project.outcomes()["general category[small]"][1] == "skipped"


def test_a_loss_of_too_few_probes_is_told_and_decides_nothing(project):
    project.capability(ALL, (2, 18, 0, 0))
    result = project.run()
    assert result.ret == 5
    text = said(result)
    assert (
        "Nothing was decided, which is no pass, but too few probes show a loss: general, 90 points lost"
        in text
    )
    assert "no gate has the probes for a verdict, but the loss is more than chance" in text
    assert NOTHING not in text


def test_what_the_baseline_knew_may_be_too_little_for_max_loss(project):
    project.capability("[{over: all, max_drop: 0.10}]", (12, 0, 0, 88))
    result = project.run()
    assert result.ret == 5
    [row] = project.record()["gates"]
    assert row["undecided"] == (
        "not gated, the baseline knew 12 of 100 probes: a loss of at most 15 % of that needs 16"
    )
    project.capability("[{over: all, max_drop: 0.10, max_loss: 1}]", (12, 0, 0, 88))
    assert project.run().ret == 0


# Suites


def test_a_named_suite_of_which_nothing_is_decided_is_no_pass(project):
    project.capability(ALL, (100, 0, 0, 0), name="large")
    too_small(project)
    result = project.run("large.yaml", "small.yaml")
    assert result.ret == 5
    assert (
        "nothing was decided about small, which is no pass: ask more of it, or leave it out"
        in result.outlines
    )
    assert NOTHING not in said(result)
    record = project.record()["run"]
    assert (record["named"], record["exit_status"]) == (["large", "small"], 5)


def test_a_suite_that_is_named_by_itself_counts_as_named(project):
    project.capability(ALL, (100, 0, 0, 0), name="large")
    too_small(project)
    result = project.run("--suite=small", "--suite=large")
    assert result.ret == 5
    assert project.record()["run"]["named"] == ["large", "small"]
    assert "small was not decided, which is no pass" in result.outlines
    assert project.run("--suite=large").ret == 0
    assert project.record()["run"]["named"] == ["large"]


def test_a_named_suite_of_which_nothing_is_asked_is_no_pass(project):
    wide = "[{over: all, max_drop: 0.5, max_loss: 1}]"
    project.capability(wide, {f"c{number}": (50, 0, 0, 0) for number in range(6)}, name="large")
    project.capability(wide, (1, 0, 0, 0), name="small")
    asked = ("--sample=5", "large.yaml", "small.yaml")
    result = project.run(*asked)
    assert "note: small: none of its probes is in the sample, so it detects nothing" in result.outlines
    assert result.ret == 5
    assert "small was not decided, which is no pass" in result.outlines
    assert project.record()["run"]["named"] == ["large", "small"]
    assert project.run("--sample=5").ret == 0  # their folder was named
    assert run_gate("yes".format, asked[1:], "yes".format, sample=5).run.exit_status == 5


def test_a_suite_of_a_folder_is_decided_by_the_gate_over_all(project):
    project.capability(ALL, (100, 0, 0, 0), name="large")
    too_small(project)
    result = project.run()
    assert result.ret == 0
    assert "nothing was decided" not in said(result)
    assert "  small  all: not gated, 9 probes: a margin of 10 points needs 25" in result.outlines


def test_without_the_gate_over_all_it_is_no_pass(project):
    project.capability(ALL, (100, 0, 0, 0), name="large")
    for name in ("small", "tiny"):
        too_small(project, name)
    result = project.run("--max-drop-overall", "off")
    assert result.ret == 5
    assert (
        "nothing was decided about small, tiny, which is no pass: ask more of them, or leave them out"
        in result.outlines
    )


def test_it_does_not_hide_a_failure(project):
    bad(project, "large")
    too_small(project)
    assert project.run("large.yaml", "small.yaml").ret == 1


def test_probes_that_are_a_gate_each_decide_their_suite(project):
    project.capability("[{over: all, max_drop: 0.1}, {over: each}]", (4, 0, 0, 0))
    assert project.run("general.yaml").ret == 0


def test_a_run_in_which_nothing_is_decided_is_no_pass(project):
    too_small(project)
    result = project.run()
    assert result.ret == 5
    assert NOTHING in result.outlines
    assert "1 gate of 1 decided nothing, for lack of probes:" in result.outlines


def test_under_xdist_too(project):
    pytest.importorskip("xdist")
    good(project, "large")
    too_small(project)
    result = project.run(*project.folders(), "large.yaml", "small.yaml", "-p", "xdist", "-n", "2")
    assert result.ret == 5
    assert (
        "nothing was decided about small, which is no pass: ask more of it, or leave it out"
        in result.outlines
    )


def test_a_sample_leaves_gates_to_what_is_large_enough(project):
    project.capability(BOTH, {"large": (100, 0, 0, 0), "small": (20, 0, 0, 0)})
    assert project.run().ret == 0
    assert {outcome for _, outcome in project.outcomes().values()} == {"passed"}
    result = project.run("--sample", "40")
    assert result.ret == 0
    assert {name: outcome for name, (_, outcome) in project.outcomes().items()} == {
        "general all": "passed",
        "general category[large]": "passed",
        "general category[small]": "skipped",
    }


def test_a_sample_of_what_the_baseline_does_not_know_says_nothing_of_the_suite(project):
    """The baseline is asked the rest, so as not to be said to know nothing."""
    project.capability(ALL, (30, 0, 0, 30))
    drawn = set()
    for seed in range(4):
        assert project.run("--sample", "1", "--sample-seed", str(seed)).ret == 5
        assert [outcome for _, outcome in project.outcomes().values()] == ["skipped"]
        drawn |= {row["change"] for row in project.record()["probes"]}
    assert drawn == {"kept", "missed"}
