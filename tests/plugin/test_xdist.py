"""-n 2: the verdicts, exit code and record of a run in one process, each question once; and no worker's death is overlooked."""

from __future__ import annotations

import json
import re

import pytest

from harness.engine.sharing import threads_for_each
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


TIMES = ("started", "ended", "seconds", "seconds_asking", "command")
KILL = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"


def shape(project):
    """The bytes of the record, but for the times and the command line."""
    record = project.record()
    return json.dumps(
        {**record, "run": {key: value for key, value in record["run"].items() if key not in TIMES}}
    )


def when_asked(project, code):
    """Run code for each question, with `worker`, `self.label` and `prompt`."""
    project.write("conftest.py", CONFTEST.replace(
        "        answers = ANSWERS",
        f"        import os; worker = os.environ.get('PYTEST_XDIST_WORKER', '')\n        {code}\n        answers = ANSWERS",
    ))  # fmt: skip


def meet(workers):
    """Code that lets a model answer once each of so many workers asks it."""
    return (
        "import time; (HERE / f'{worker}-{self.label}').touch()\n        for _ in range(6000):\n"
        f"            if all((HERE / f'gw{{n}}-{{self.label}}').exists() for n in range({workers})): break\n"
        "            time.sleep(0.01)"
    )


def test_the_same_as_in_one_process_and_no_probe_asked_twice(project):
    three_suites(project)
    folders = project.folders()
    alone = project.run(*folders, "--strict")
    expected, counted = shape(project), alone.parseoutcomes()
    asked = {side: sorted(project.asked(side)) for side in ("baseline", "tuned")}
    (project.path / "asked.txt").unlink()

    result = project.run(*folders, "--strict", *TWO, "--junitxml", "out.xml", "-o", "junit_family=xunit1")
    assert result.ret == alone.ret == 1
    assert result.parseoutcomes() == counted
    assert shape(project) == expected
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


@pytest.mark.parametrize("mode", ["load", "loadscope", "loadfile", "loadgroup", "worksteal", "each"])
def test_the_record_is_that_of_one_process_under_any_mode(project, mode):
    three_suites(project)
    alone = project.run()
    expected, asked = shape(project), sorted(project.asked("tuned"))
    (project.path / "asked.txt").unlink()
    assert project.run(*TWO, "--dist", mode).ret == alone.ret
    assert shape(project) == expected
    if mode != "each":
        assert sorted(project.asked("tuned")) == asked


@pytest.mark.parametrize("scope", ["function", "module"])
def test_engines_that_may_differ_are_asked_once_too(project, scope):
    three_suites(project)
    text = (project.path / "conftest.py").read_text()
    project.write("conftest.py", text.replace('scope="session"', f'scope="{scope}"'))
    alone = project.run()
    expected, asked = shape(project), sorted(project.asked("tuned"))
    (project.path / "asked.txt").unlink()
    assert project.run(*TWO).ret == alone.ret
    assert shape(project) == expected
    assert sorted(project.asked("tuned")) == asked


def test_the_gate_over_folders_with_engines_of_their_own_waits_for_all_of_them(project):
    for name in ("a/one", "a/two", "b/three"):
        project.capability("[{over: all, max_drop: 0.1}]", (60, 2, 0, 0), name=name[2:], file=f"{name}.yaml")
    text = (project.path / "conftest.py").read_text()
    project.write("conftest.py", "")
    for folder in ("a", "b"):
        project.write(f"{folder}/conftest.py", text.replace("HERE /", "HERE.parent /"))
    alone = project.run()
    expected = shape(project)
    assert project.outcomes()["overall all"] == ("INCONCLUSIVE", "failed")
    assert project.run(*TWO).ret == alone.ret == 1
    assert shape(project) == expected


def test_a_run_that_stops_at_the_first_failure_records_all_that_was_asked(project):
    for name, counts in {"one": (0, 60, 0, 0), "two": (60, 0, 0, 0), "zeal": (60, 0, 0, 0)}.items():
        project.capability("[{over: all, max_drop: 0.1}]", counts, name=name)
    assert project.run("-x").ret == 1
    gates = project.record()["gates"]
    assert len(gates) == 4
    assert project.run("-x", *TWO).ret == 1  # xdist calls a run that stops interrupted
    assert project.record()["gates"] == gates
    assert project.record()["run"]["status"] == "forgotten"


@pytest.mark.parametrize(
    "gates", ["[{over: all, max_drop: 0.5}]", "[{over: all, max_drop: 0.5}, {over: category, max_drop: 0.9}]"]
)
def test_all_workers_ask_one_large_suite(project, gates):
    """Also where there is no case for each of them to run."""
    project.capability(gates, {"a": (60, 0, 0, 0)})
    when_asked(project, meet(3))
    assert project.run("-p", "xdist", "-n", "3").ret == 0
    assert len(project.asked("tuned")) == len(set(project.asked("tuned"))) == 60
    assert len(project.asked("baseline")) == len(set(project.asked("baseline"))) == 60
    assert {path.name for path in project.path.glob("gw*")} == {
        f"gw{number}-{side}" for number in range(3) for side in ("baseline", "tuned")
    }


def test_workers_know_their_share_of_the_machine_before_torch_can_start(project, monkeypatch):
    for name in (
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "OMP_WAIT_POLICY",
        "GOMP_SPINCOUNT",
        "KMP_BLOCKTIME",
        "KMP_LIBRARY",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KMP_BLOCKTIME", "7")
    project.capability("[{over: each}]", (3, 0, 0, 0))
    text = (project.path / "conftest.py").read_text()
    project.write("conftest.py", "import os; SEEN = {name: os.environ.get(name) for name in ('OMP_NUM_THREADS', 'OMP_WAIT_POLICY')}\n"
                  + text + "\ndef pytest_sessionfinish(): (HERE / f'seen-{os.getpid()}.json').write_text(json.dumps(SEEN))\n")  # fmt: skip
    assert project.run(*project.folders(), *TWO).ret == 0
    seen = [json.loads(path.read_text()) for path in project.path.glob("seen-*.json")]
    threads = str(threads_for_each(2))
    assert seen.count({"OMP_NUM_THREADS": threads, "OMP_WAIT_POLICY": None}) == 2
    assert seen.count({"OMP_NUM_THREADS": None, "OMP_WAIT_POLICY": None}) == 1


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
    # the process that comes first asks the deadly suite, even if its own case is a fine one
    assert re.search(r"crashed while running '(deadly|fine)\.yaml::", said(result))
    record = project.record()
    assert record["run"]["exit_status"] == 1
    assert any(error.startswith("deadly.yaml::all: ") for error in record["run"]["errors"])
    assert all(row["suite"] == "fine" for row in record["gates"])


def test_a_worker_that_is_killed_is_told_with_all_that_nobody_measured(project):
    """A new worker in its place asks nothing that the old one died of."""
    project.capability("[{over: all, max_drop: 0.5}, {over: each}]", (40, 0, 0, 0), name="deadly")
    project.capability("[{over: all, max_drop: 0.5}]", (30, 0, 0, 0), name="fine")
    when_asked(project, f"if prompt == 'deadly kept-7?': {KILL}")
    result = project.run(*TWO)
    assert result.ret == 1, said(result)
    run = project.record()["run"]
    assert run["status"] == "error"
    assert run["not_measured"] == {"deadly": [f"kept-{number}" for number in range(40)]}
    assert (
        len([error for error in run["errors"] if re.match("the worker 'gw.' died: Not properly", error)]) == 1
    )
    text = said(result)
    assert "not measured, because a worker died:" in text
    assert "  deadly  40 probes: kept-0, kept-1, kept-2, kept-3, kept-4 and 35 more" in text
    assert "deadly · kept-39: not measured, for a process that asked the suite 'deadly' died" in text
    assert project.outcomes() == {"fine all": ("RETAINED", "passed")}


@pytest.mark.parametrize("reruns", [(), ("-p", "pytest_rerunfailures", "--reruns", "2")])
def test_a_suite_of_which_a_helper_died_is_not_measured(project, reruns):
    """The worker that got the only case lives on, and has answers to all but a part of the suite."""
    project.capability("[{over: all, max_drop: 0.9}]", (60, 0, 0, 0))
    when_asked(project, f"{meet(2)}\n        if worker == 'gw1' and self.label == 'tuned': {KILL}")
    result = project.run(*TWO, *reruns)
    assert result.ret == 1, said(result)
    run = project.record()["run"]
    assert list(run["not_measured"]) == ["general"]
    assert project.record()["gates"] == []


def test_a_worker_that_dies_with_nothing_left_to_measure_makes_the_run_red_too(project):
    project.capability("[{over: each}]", (3, 0, 0, 0))
    text = (project.path / "conftest.py").read_text()
    project.write("conftest.py", text + "\n\ndef pytest_sessionfinish():\n    import os, signal\n"
                  "    if os.environ.get('PYTEST_XDIST_WORKER') == 'gw1': os.kill(os.getpid(), signal.SIGKILL)\n")  # fmt: skip
    result = project.run(*TWO)
    assert result.ret == 1, said(result)
    run = project.record()["run"]
    assert (run["status"], run["not_measured"]) == ("error", {})
    assert run["errors"] == ["the worker 'gw1' died: Not properly terminated"]
    assert set(project.outcomes().values()) == {("RETAINED", "passed")}
    assert "no pass: workers of xdist died (gw1)" in said(result)


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
    assert (
        "the suite 'general' cannot be asked: the probe 'kept-0'\n  tuned: must return text, returned NoneType"
        in text
    )
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
