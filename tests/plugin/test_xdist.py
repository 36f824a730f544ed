"""-n 2: the verdicts, exit code and record of a run in one process; and no worker's death is overlooked."""

from __future__ import annotations

import re

import pytest

from tests.support.project import CONFTEST, SMALL, not_green, said

pytest.importorskip("xdist")
TWO = ("-p", "xdist", "-n", "2")


def three_suites(project):
    project.capability("[{over: all, max_drop: 0.1}, {over: category, max_drop: 0.1}]",
                       {"a": (30, 0, 0, 0), "b": (5, 15, 0, 0)}, name="facts")  # fmt: skip
    project.capability("[{over: each}, {over: all, max_drop: 0.5}]", (2, 1, 1, 2), name="checks")
    project.capability(
        "[{over: each, require: pass}, {over: all, max_drop: 0.9}]", (3, 0, 0, 0), name="musts"
    )


def shape(record):
    """What does not depend on time or order."""
    run = {key: record["run"][key] for key in ("exit_status", "errors", "strict", "fail_on", "cases")}
    run["notes"] = sorted(record["run"]["notes"])
    gates = sorted(record["gates"], key=lambda row: (row["suite"], row["slice"]))
    return run, gates, sorted(record["probes"], key=lambda row: (row["suite"], row["id"]))


def test_the_same_as_in_one_process_and_no_probe_asked_twice(project):
    three_suites(project)
    folders = project.folders()
    alone = project.run(*folders, "--strict")
    expected, counted = shape(project.record()), alone.parseoutcomes()
    asked = {side: sorted(project.asked(side)) for side in ("baseline", "tuned")}
    (project.path / "asked.txt").unlink()

    result = project.run(*folders, "--strict", *TWO, "--junitxml", "out.xml", "-o", "junit_family=xunit1")
    assert result.ret == alone.ret == 1
    assert result.parseoutcomes() == counted
    assert shape(project.record()) == expected
    assert {side: sorted(project.asked(side)) for side in ("baseline", "tuned")} == asked
    again = [prompt for prompt in asked["tuned"] if asked["tuned"].count(prompt) > 1]
    assert again == ["checks lost-0?"] * 2  # what is lost is asked twice
    assert len(set(asked["tuned"])) == 59
    text = said(result)
    assert text.count("record: reports/latest/record.json") == 1
    assert text.count("= forgetting gate =") == 1
    assert {path.name for path in (project.path / "reports/latest").iterdir()} == {
        ".record.json.lock", "earlier", "record.json"
    }  # fmt: skip
    assert 'name="verdict" value="FORGOTTEN"' in (project.path / "out.xml").read_text()


def test_engines_of_one_s_own_without_a_model_come_to_the_same(project):
    """Then xdist may divide a suite, and its workers ask twice; the record has every probe once all the same."""
    three_suites(project)
    alone = project.run()
    expected = shape(project.record())
    result = project.run(*TWO)
    assert result.ret == alone.ret
    assert shape(project.record()) == expected


def test_workers_that_each_ask_everything_bring_each_gate_and_probe_once(project):
    project.capability("[{over: all, max_drop: 0.1}, {over: each}]", (60, 0, 0, 0))
    result = project.run(*project.folders(), *TWO, "--dist", "each")
    result.assert_outcomes(passed=2 * 61)
    assert result.ret == 0
    record = project.record()
    assert (len(record["gates"]), len(record["probes"])) == (61, 60)
    assert record["run"]["cases"]["decided"] == record["run"]["cases"]["selected"] == 61


@pytest.mark.parametrize("worse", ["gw0", "gw1"])
def test_of_workers_that_do_not_agree_the_worse_counts(project, worse):
    project.capability("[{over: all, max_drop: 0.1}, {over: each}]", (60, 0, 0, 0))
    project.write("conftest.py", CONFTEST.replace(
        "        answers = ANSWERS",
        f"        import os\n        if self.label == 'tuned' and os.environ['PYTEST_XDIST_WORKER'] == '{worse}': return 'No.'\n"
        "        answers = ANSWERS",
    ))  # fmt: skip
    assert project.run(*project.folders(), *TWO, "--dist", "each").ret == 1
    assert set(project.outcomes().values()) == {("FORGOTTEN", "failed")}
    assert {row["change"] for row in project.record()["probes"]} == {"lost"}


def test_a_worker_that_dies_is_never_green(project):
    project.capability("[{over: each}]", (3, 0, 0, 0), name="fine")
    project.capability("[{over: all, max_drop: 0.5}]", (30, 0, 0, 0), name="deadly")
    project.write("conftest.py", CONFTEST.replace(
        "        answers = ANSWERS", '        if "deadly" in prompt:\n            import os\n            os._exit(0)\n'
        "        answers = ANSWERS"
    ))  # fmt: skip
    result = project.run(*project.folders(), *TWO, "--max-worker-restart", "0")
    assert result.ret == 1, said(result)
    assert "crashed while running 'deadly.yaml::all'" in said(result)
    record = project.record()
    assert record["run"]["exit_status"] == 1
    assert any(error.startswith("deadly.yaml::all: ") for error in record["run"]["errors"])
    assert all(row["suite"] == "fine" for row in record["gates"])


@pytest.mark.parametrize("mode", ["load", "loadscope", "loadfile", "loadgroup", "worksteal", "each"])
def test_a_worker_that_is_killed_in_mid_suite_leaves_no_green_under_any_mode(project, mode):
    """Without new workers: xdist itself ends in an internal error, or not at all, where it replaces some under some modes."""
    project.capability(
        "[{over: all, max_drop: 0.5}, {over: category, max_drop: 0.5}]",
        {"a": (30, 0, 0, 0), "b": (30, 0, 0, 0)}, name="deadly",
    )  # fmt: skip
    project.capability("[{over: all, max_drop: 0.5}]", (30, 0, 0, 0), name="fine")
    project.write("conftest.py", CONFTEST.replace(
        "        answers = ANSWERS",
        "        import os, signal\n        if 'deadly' in prompt: os.kill(os.getpid(), signal.SIGKILL)\n"
        "        answers = ANSWERS",
    ))  # fmt: skip
    result = project.run(*project.folders(), *TWO, "--dist", mode, "--max-worker-restart", "0")
    assert result.ret not in (0, 5), said(result)
    # the process that comes first asks the deadly suite, even if its own case is the fine one
    assert re.search(r"crashed while running '(deadly|fine)\.yaml::", said(result))
    run = project.record()["run"]
    assert run["exit_status"] == result.ret
    assert any(error.startswith("deadly.yaml::") for error in run["errors"])
    gates = [(row["suite"], row["slice"]) for row in project.record()["gates"]]
    assert len(gates) == len(set(gates))
    assert {suite for suite, _ in gates} <= {"fine"}


def test_an_input_error_in_a_worker_ends_in_exit_code_4(project):
    project.capability("[{over: each}]", (3, 0, 0, 0))
    project.models({}, {"general kept-0?": None})
    result = project.run(*project.folders(), *TWO)
    assert result.ret == 4
    text = not_green(result)
    assert "the suite 'general' cannot be asked\n  tuned: must return text, returned NoneType" in text
    record = project.record()
    assert record["gates"] == []
    assert record["run"]["exit_status"] == 4
    assert len(record["run"]["errors"]) == 1


def test_a_suite_that_cannot_be_read_stops_the_workers(project):
    project.capability("[{over: ech}]", (3, 0, 0, 0))
    result = project.run(*project.folders(), *TWO)
    assert result.ret == 2
    assert "general.yaml:4:16: 'over' must be all, category or each, saw text 'ech'" in not_green(result)
    assert project.record()["run"]["errors"] == ["general.yaml: could not be collected"]


def test_a_refusal_is_told_though_xdist_knows_it_only_from_its_workers(project):
    project.write("s.yaml", SMALL)
    result = project.run(*TWO)
    assert result.ret == 4
    assert "s.yaml: a suite needs a model to gate\n  name it: --model=" in not_green(result)
