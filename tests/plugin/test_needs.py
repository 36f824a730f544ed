"""`needs: 1B`: a category, or a suite, of which the baseline knows nothing is left out with a note instead of failing."""

from __future__ import annotations

import pytest

from harness.evaluation.rescore import rescored
from harness.reporting.record import read_record
from harness.reporting.rows import GateRow
from tests.support.project import said

BOTH = "[{over: all, max_drop: 0.10}, {over: category, max_drop: 0.20}]"
WHY = "not gated, it needs a model of 1B: "


def marked(project, counts, needs="{hard: 1B}", gates=BOTH):
    path = project.capability(gates, counts)
    path.write_text(path.read_text().replace("gates:", f"needs: {needs}\ngates:"), encoding="utf-8")


def row(project, slice="category[hard]"):
    return next(row for row in project.record()["gates"] if row["slice"] == slice)


@pytest.mark.parametrize(
    ("missed", "why"),
    [
        ((0, 0, 0, 40), f"{WHY}the baseline is right on none of the 40 probes asked"),
        ((0, 0, 30, 10), f"{WHY}the baseline is right on none of the 40 probes asked"),
        (
            (1, 2, 0, 37),
            f"{WHY}the baseline is right on 3 of the 40 probes asked, and losing all of that would be within the margin",
        ),
    ],
)
def test_a_category_that_the_baseline_does_not_know_is_left_out(project, missed, why):
    counts = {"easy": (80, 0, 0, 0), "hard": missed}
    project.capability(BOTH, counts)
    assert project.run().ret == 1
    assert row(project)["verdict"] == "VACUOUS"
    marked(project, counts)
    result = project.run("-rs")
    result.assert_outcomes(passed=2, skipped=1)
    assert result.ret == 0
    left_out = row(project)
    assert (left_out["outcome"], left_out["verdict"], left_out["needs"], left_out["undecided"]) == (
        "skipped", "VACUOUS", "1B", why,
    )  # fmt: skip
    assert f"general · hard: {why}" in said(result)
    assert "1 gate of 3 decided nothing:" in result.outlines
    assert row(project, "category[easy]")["needs"] is None


@pytest.mark.parametrize(("counts", "code"), [((40, 0, 0, 0), 0), ((10, 30, 0, 0), 1), ((10, 0, 0, 30), 0)])
def test_one_that_it_knows_is_gated_as_ever(project, counts, code):
    marked(project, {"easy": (200, 0, 0, 0), "hard": counts})
    assert project.run().ret == code
    assert row(project)["outcome"] == ("failed" if code else "passed")


def test_its_probes_count_in_their_suite(project):
    marked(project, {"easy": (80, 0, 0, 0), "hard": (0, 0, 0, 40)})
    project.run()
    assert row(project, "all")["n"] == 120


def test_a_whole_suite_may_need_it_and_decides_nothing_then(project):
    marked(project, {"easy": (0, 0, 0, 40), "hard": (0, 0, 0, 40)}, needs="1B")
    result = project.run("general.yaml")
    assert result.ret == 5
    assert {row["outcome"] for row in project.record()["gates"]} == {"skipped"}
    project.capability(BOTH, (0, 0, 0, 40))


def test_a_suite_of_which_nothing_is_decided_is_no_pass(project):
    project.capability("[{over: all, max_drop: 0.10}]", (100, 0, 0, 0), name="large")
    marked(project, {"hard": (0, 0, 0, 40)}, gates="[{over: category, max_drop: 0.20}]")
    assert project.run("large.yaml", "general.yaml").ret == 5


def test_a_strict_run_leaves_it_out_too(project):
    marked(project, {"easy": (200, 0, 0, 0), "hard": (0, 0, 0, 40)})
    assert project.run("--strict").ret == 0


def test_rescoring_a_record_keeps_it(project):
    marked(project, {"easy": (80, 0, 0, 0), "hard": (0, 0, 0, 40)})
    project.run()
    before = project.record()["gates"]
    (project.path / "general.yaml").unlink()
    again = rescored(read_record(project.path / "reports/latest/record.json"))
    assert [row.model_dump(mode="json", exclude={"place"}) for row in again.gates] == [
        row.model_dump(mode="json", exclude={"place"}) for row in map(GateRow.model_validate, before)
    ]


@pytest.mark.parametrize(
    ("needs", "gates", "problem"),
    [
        ("{hrad: 1B}", BOTH, "'needs' names 'hrad', and no probe has that category\n  did you mean 'hard'?"),
        (
            "big",
            BOTH,
            "'needs' must be the size of a model in parameters, such as 1B or 360M, saw text 'big'",
        ),
        (
            "{hard: big}",
            BOTH,
            "'hard' must be the size of a model in parameters, such as 1B or 360M, saw text 'big'",
        ),
        ("{}", BOTH, "'needs' must be a non-empty mapping, saw an empty mapping"),
        (
            "{hard: 1B}",
            "[{over: all, max_drop: 0.1}]",
            "'needs' has no meaning without a gate over 'category'\n",
        ),
        ("1B", "[{over: each}]", "'needs' has no meaning without a gate over 'category' or 'all'\n"),
    ],
)
def test_what_is_refused(project, needs, gates, problem):
    marked(project, {"easy": (80, 0, 0, 0), "hard": (0, 0, 0, 40)}, needs, gates)
    result = project.run()
    assert result.ret == 2
    assert problem in said(result)
