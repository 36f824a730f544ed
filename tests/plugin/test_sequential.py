"""--sequential: a suite is asked until it is decided, and what the run and its record say of that."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import run_gate
from harness.engine.functions import FunctionEngine
from harness.evaluation.rescore import rescored
from harness.reporting.record import read_record
from harness.scoring import SCORERS
from harness.suites.read import read_suite
from tests.support.project import RIGHT, WRONG, said

GATES = "[{over: all, max_drop: 0.1}, {over: category, max_drop: 0.2}]"
RETAINED = {"a": (100, 0, 0, 0), "b": (60, 0, 0, 40)}
HOPELESS = {"a": (30, 70, 0, 0), "b": (30, 70, 0, 0)}
FORGOTTEN = {"a": (80, 20, 0, 0), "b": (80, 20, 0, 0)}
UNCLEAR = {"a": (92, 8, 0, 0), "b": (90, 10, 0, 0)}


def sequential(project, *arguments):
    result = project.run("--sequential", *arguments)
    return result, project.record()


def rescored_is_the_same(project, *suites):
    record = read_record(project.path / "reports/latest/record.json")
    assert rescored(record) == record
    again = rescored(record, [read_suite(project.path / f"{suite}.yaml", SCORERS) for suite in suites])
    assert (again.gates, again.probes) == (record.gates, record.probes)
    assert again.run.sequential == record.run.sequential


def test_a_retained_suite_stops_at_a_look_and_passes(project):
    project.capability(GATES, RETAINED)
    result, record = sequential(project)
    assert result.ret == 0
    result.assert_outcomes(passed=1, skipped=2)
    assert "sequential: general stopped after 100 of 200 probes (retained at look 2)" in said(result)
    assert "decided nothing, for lack of probes" not in said(result)
    assert record["run"]["sequential"] == {
        "general": {
            "asked": 100, "of": 200, "looks": [50, 100, 150, 200], "look": 2, "why": "retained at look 2"
        }
    }  # fmt: skip
    whole, *categories = record["gates"]
    assert (whole["verdict"], whole["outcome"], whole["n"]) == ("RETAINED", "passed", 100)
    assert [(row["n"], row["outcome"], row["undecided"]) for row in categories] == [
        (50, "skipped", "not gated: asking stopped after 100 of 200 probes")
    ] * 2
    assert len(record["probes"]) == len(project.asked("baseline")) == 100
    assert project.asked("baseline") == project.asked("tuned")
    rescored_is_the_same(project, "general")


def test_a_hopeless_suite_fails_after_the_first_bet(project):
    project.capability(GATES, HOPELESS)
    result, record = sequential(project)
    assert result.ret == 1
    text = said(result)
    assert "sequential: general stopped after 32 of 200 probes (hopeless)" in text
    assert "asking stopped after 32 of 200 probes, hopeless" in text
    assert record["run"]["sequential"]["general"]["why"] == "hopeless after 32 probes"
    assert record["run"]["sequential"]["general"]["look"] is None
    whole = record["gates"][0]
    assert (whole["verdict"], whole["outcome"], whole["n"]) == ("FORGOTTEN", "failed", 32)
    assert whole["interval"][0] > whole["max_drop"]
    assert whole["loss"] is None
    rescored_is_the_same(project, "general")


def test_a_forgotten_suite_stops_at_a_look(project):
    project.capability(GATES, FORGOTTEN)
    result, record = sequential(project)
    assert result.ret == 1
    assert record["run"]["sequential"]["general"]["why"].startswith("forgotten at look")
    assert 50 <= record["gates"][0]["n"] < 200
    rescored_is_the_same(project, "general")


@pytest.mark.parametrize(("arguments", "code"), [((), 0), (("--strict",), 1)])
def test_what_is_not_decided_early_is_asked_whole(project, arguments, code):
    project.capability(GATES, UNCLEAR)
    plain = project.run(*arguments)
    before = project.record()
    result, record = sequential(project, *arguments)
    assert result.ret == plain.ret == code
    assert "sequential: no suite was decided early, so all 200 probes were asked" in said(result)
    assert record["run"]["sequential"]["general"] | {"looks": []} == {
        "asked": 200, "of": 200, "looks": [], "look": 4, "why": "all asked"
    }  # fmt: skip
    whole, *categories = record["gates"]
    assert categories == before["gates"][1:]
    narrow, wide = before["gates"][0]["interval"], whole["interval"]
    assert wide[0] < narrow[0] < narrow[1] < wide[1]  # of four looks
    rescored_is_the_same(project, "general")


def test_a_lost_category_is_asked_whole_and_fails(project):
    """Ten of 540 probes: too few to show in the gate over all."""
    kept = {f"c{number}": (53, 0, 0, 0) for number in range(10)}
    project.capability(GATES.replace("0.2}", "0.5}"), {**kept, "lost": (0, 20, 0, 0)})
    result, record = sequential(project)
    assert result.ret == 1
    assert record["run"]["sequential"]["general"]["why"] == "all asked"
    assert project.outcomes()["general all"] == ("RETAINED", "passed")
    assert project.outcomes()["general category[lost]"] == ("FORGOTTEN", "failed")


def test_a_strict_run_decides_categories_too(project):
    project.capability(GATES, RETAINED)
    result, record = sequential(project, "--strict")
    assert result.ret == 0
    result.assert_outcomes(passed=3)
    assert record["run"]["sequential"]["general"]["why"] == "all asked"


def test_suites_that_stop_and_others_together(project):
    project.capability(GATES, RETAINED, name="kept")
    project.capability(GATES, HOPELESS, name="lost")
    project.capability("[{over: each}, {over: all, max_drop: 0.5}]", (40, 0, 0, 0), name="checks")
    project.capability("[{over: category, max_drop: 0.5}]", {"a": (40, 0, 0, 0)}, name="parts")
    result, record = sequential(project)
    assert result.ret == 1
    assert record["run"]["sequential"].keys() == {"kept", "lost"}
    rows = {(row["suite"], row["slice"]): row for row in record["gates"]}
    assert rows["overall", "all"]["n"] == 100 + 32 + 40 + 40  # what was asked
    assert rows["parts", "category[a]"]["outcome"] == "passed"
    assert rows["checks", "all"]["n"] == 40
    rescored_is_the_same(project, "kept", "lost", "checks", "parts")


def test_many_suites_share_a_line(project):
    for number in range(5):
        project.capability("[{over: all, max_drop: 0.1}]", (120, 0, 0, 0), name=f"kept-{number}")
    result, _ = sequential(project)
    assert "sequential: 5 of 5 suites stopped early (5 retained); " in said(result)
    assert said(result).count("sequential:") == 1


def test_a_category_of_which_nothing_was_asked_is_not_gated(project):
    project.capability(GATES, {"a": (60, 139, 0, 0), "rare": (1, 0, 0, 0)})
    for seed in range(9):
        result, record = sequential(project, "--sample-seed", str(seed))
        rare = record["gates"][2]
        if not rare["n"]:
            break
    assert (rare["n"], rare["outcome"], rare["verdict"]) == (0, "skipped", "INCONCLUSIVE")
    assert result.ret == 1
    rescored_is_the_same(project, "general")


def test_the_seed_gives_the_order(project):
    project.capability(GATES, RETAINED)

    def asked(*arguments):
        _, record = sequential(project, *arguments)
        return record["gates"][0]["probes"]

    assert asked() == asked("--sample-seed", "0")
    assert set(asked("--sample-seed", "1")) != set(asked())


def test_a_sample_is_what_may_be_asked(project):
    project.capability(GATES, RETAINED)
    _, record = sequential(project, "--sample", "120")
    assert (record["run"]["sequential"]["general"]["of"], record["gates"][0]["n"]) == (120, 60)
    rescored_is_the_same(project, "general")


def test_categories_that_are_selected_alone_are_asked_whole(project):
    project.capability(GATES, RETAINED)
    result, record = sequential(project, "-k", "category")
    assert result.ret == 0
    assert record["run"]["sequential"] == {}
    assert {row["slice"]: row["n"] for row in record["gates"]} == {"category[a]": 100, "category[b]": 100}


def test_a_baseline_that_knows_nothing_is_no_reason_to_stop(project):
    project.capability(GATES, {"a": (0, 0, 0, 100)})
    result, record = sequential(project)
    assert result.ret == 1
    assert record["run"]["sequential"]["general"]["why"] == "all asked"
    assert {row["verdict"] for row in record["gates"]} == {"VACUOUS"}
    rescored_is_the_same(project, "general")


def test_without_the_option_everything_is_asked(project):
    project.capability(GATES, RETAINED)
    result = project.run()
    assert project.record()["run"]["sequential"] == {}
    assert len(project.asked("tuned")) == 200
    assert "sequential" not in said(result)


def test_a_corrected_key_is_judged_at_the_look_where_asking_stopped(project):
    path = project.capability(GATES, RETAINED)
    sequential(project)
    record = read_record(project.path / "reports/latest/record.json")
    other = path.read_text().replace("answer: yes", "answer: idea")  # what the models say if they do not know
    again = rescored(record, [read_suite(project.write("other/general.yaml", other), SCORERS)])
    assert again.gates[0].baseline_accuracy < 0.25
    assert again.run.sequential == record.run.sequential


def test_in_python(project):
    project.capability(GATES, RETAINED)
    answers = project.answers
    engines = [
        FunctionEngine(lambda prompt, side=side: answers[side][prompt], side)
        for side in ("tuned", "baseline")
    ]
    record = run_gate(engines[0], Path(project.path) / "general.yaml", engines[1], sequential=True)
    assert (record.run.sequential["general"].why, record.gates[0].n) == ("retained at look 2", 100)
    assert record.run.exit_status == 0
    assert rescored(record) == record
    whole = run_gate(engines[0], Path(project.path) / "general.yaml", engines[1])
    assert whole.gates[0].n == 200


# With several processes


def test_workers_share_where_asking_stopped(project):
    pytest.importorskip("xdist")
    project.capability(GATES, RETAINED, name="kept")
    project.capability(GATES, HOPELESS, name="lost")
    project.capability(GATES, UNCLEAR, name="unclear")

    def shape(record):
        return (
            sorted(record["gates"], key=lambda row: (row["suite"], row["slice"])),
            sorted(record["probes"], key=lambda row: (row["suite"], row["id"])),
            record["run"]["sequential"],
        )

    folders = project.folders()
    alone, record = sequential(project, *folders)
    expected, asked = shape(record), sorted(project.asked("tuned"))
    (project.path / "asked.txt").unlink()
    result, record = sequential(project, *folders, "-p", "xdist", "-n", "2")
    assert result.ret == alone.ret == 1
    assert shape(record) == expected
    assert sorted(project.asked("tuned")) == asked
    assert RIGHT in str(record["probes"])
    assert WRONG in str(record["probes"])
