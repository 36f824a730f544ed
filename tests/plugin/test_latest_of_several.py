"""One folder and several runs: held for one, earlier records kept, others' files left alone; and who was asked."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.support.project import not_green, said
from tests.support.runs import ALL, GREEN, TWO, conftest, earlier, files, latest
from tests.support.signals import heeds_ctrl_c

# Two runs

NESTED = """

import subprocess, sys

def pytest_runtest_setup():
    began = __import__("time").monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "harness.plugin", "-p", "no:cacheprovider", "--noconftest", "general.yaml",
         "--model", "tuned", "--baseline", "base", *REPORT],
        capture_output=True, text=True,
    )
    (HERE / "second.txt").write_text(f"{done.returncode}\\n{done.stderr}")
"""


def test_a_second_run_on_the_same_folder_is_refused_at_once(green):
    conftest(green, NESTED.replace("REPORT", "[]"))
    assert green.run(*green.green).ret == 0
    assert (green.path / "second.txt").read_text() == (
        "4\nERROR: --report=reports/latest: another run is writing its record there\n"
        "  wait until it ends, or give this run a folder of its own: --report=DIR\n\n"
    )
    assert latest(green) == GREEN
    assert len(earlier(green)) == 1


def test_a_second_run_in_the_same_process_is_refused_too(green):
    conftest(
        green,
        "\n\ndef pytest_runtest_setup():\n"
        "    code = pytest.main(['-p', 'harness.plugin', '--noconftest', 'general.yaml', '--model', 'tuned',"
        " '--baseline', 'base'])\n    (HERE / 'second.txt').write_text(str(int(code)))\n",
    )
    assert green.run(*green.green).ret == 0
    assert (green.path / "second.txt").read_text() == "4"
    assert latest(green) == GREEN


def test_a_second_run_that_shows_something_is_not(green):
    conftest(green, NESTED.replace("REPORT", "['--collect-only']"))
    assert green.run(*green.green).ret == 0
    assert (green.path / "second.txt").read_text() == "0\n"


def test_a_run_holds_its_folder_and_no_other(green):
    conftest(green, NESTED.replace("REPORT", "['--report', 'elsewhere', '--setup-plan']"))
    assert green.run(*green.green).ret == 0
    assert (green.path / "second.txt").read_text() == "5\n"
    assert green.record("elsewhere")["run"]["status"] == "nothing decided"
    assert latest(green) == GREEN


def begun(project, *arguments):
    """A run in a process of its own that has begun to ask, and would go on for a minute."""
    conftest(
        project,
        "\n\ndef pytest_runtest_setup(item):\n    if 'zeal' in item.nodeid:\n"
        "        import time\n        time.sleep(0.5)\n        (HERE / 'runs').touch()\n        time.sleep(60)\n",
    )
    command = [sys.executable, "-m", "pytest", "-p", "harness.plugin", "-p", "no:cacheprovider", *arguments]
    run = subprocess.Popen(
        command,
        cwd=project.path,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=heeds_ctrl_c,
    )
    deadline = time.monotonic() + 120
    while not (project.path / "runs").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    return run


@pytest.mark.parametrize("parallel", [(), ("-p", "xdist", "-n", "1")])
def test_ctrl_c_in_the_terminal(green, parallel):
    if parallel:
        pytest.importorskip("xdist")
    green.capability(ALL, (60, 0, 0, 0), name="zeal")
    with begun(green, *green.green, "zeal.yaml", *parallel) as run:
        os.killpg(run.pid, signal.SIGINT)
        assert run.wait(60) == 2
    # What was asked with the first case is decided too; a worker that is stopped sends no more.
    decided = 1 if parallel else 3
    assert latest(green) == ("interrupted", 2, decided)
    assert green.record()["run"]["cases"]["never_asked"] == 3 - decided


def test_a_run_that_is_killed_lets_go(green):
    green.capability(ALL, (60, 0, 0, 0), name="zeal")
    with begun(green, *green.green, "zeal.yaml") as first:
        began = time.monotonic()
        refused = green.run(*green.green)
        seconds = time.monotonic() - began
        first.kill()
    assert refused.ret == 4
    assert "another run is writing its record there" in said(refused)
    assert seconds < 20
    conftest(green, "")
    assert green.run(*green.green).ret == 0


# Earlier records


def test_earlier_records_are_kept_by_their_date_and_never_overwritten(green):
    path = green.path / "reports/latest/record.json"
    for _ in range(2):
        record = json.loads(path.read_text())
        record["run"]["started"] = "2026-05-04T03:02:01+00:00"
        path.write_text(json.dumps(record))
        assert green.run(*green.green).ret == 0
    assert files(green, "reports/latest/earlier") == [
        "2026-05-04T03-02-01+00-00.json",
        "2026-05-04T03-02-01+00-00_2.json",
    ]


@pytest.mark.parametrize("started", ["../../../elsewhere", "", None, 7, "/etc/passwd", "x" * 300])
def test_a_date_that_is_none_leads_nowhere_else(green, started):
    path = green.path / "reports/latest/record.json"
    path.write_text(json.dumps({"version": 1, "run": {"started": started}, "gates": []}))
    assert green.run(*green.green).ret == 0
    assert len(files(green, "reports/latest/earlier")) == 1


FOREIGN = {
    "another program's": '{"tracks": ["a", "b"]}',
    "a list": "[1, 2]",
    "no JSON": "mine",
    "cut off": '{"version": 1, "run": {',
    "deep": "[" * 100_000,
    "empty": "",
    "bytes": b"\xff\xfe\x00",
}


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("named", [True, False])
def test_a_record_of_another_program_is_left_as_it_is(project, name, named):
    project.capability(ALL, (60, 0, 0, 0))
    path = project.write("reports/latest/record.json", FOREIGN[name])
    before = path.read_bytes()
    result = project.run(*(project.folders() if named else ()))
    assert result.ret == 4
    assert (
        "ERROR: --report=reports/latest: the record.json there is not a record of the gate, and is left as it is\n"
        "  name another folder: --report=DIR"
    ) in not_green(result)
    assert path.read_bytes() == before
    assert project.asked("tuned") == []


def test_the_controller_of_xdist_refuses_it_though_only_its_workers_know_the_cases(project):
    pytest.importorskip("xdist")
    project.capability(ALL, (60, 0, 0, 0))
    path = project.write("reports/latest/record.json", "mine")
    result = project.run(*TWO)
    assert result.ret == 4
    assert "the record.json there is not a record of the gate" in not_green(result)
    assert path.read_text() == "mine"
    assert project.asked("tuned") == []


def test_a_folder_called_record_json_is_left_as_it_is(project):
    project.capability(ALL, (60, 0, 0, 0))
    (project.path / "reports/latest/record.json").mkdir(parents=True)
    assert project.run(*project.folders()).ret == 4
    assert (project.path / "reports/latest/record.json").is_dir()


def test_a_record_that_another_program_writes_meanwhile_is_left_as_it_is(green):
    conftest(
        green,
        "\n\ndef pytest_runtest_setup():\n    (HERE / 'reports/latest/record.json').write_text('mine')\n",
    )
    result = green.run(*green.green)
    assert result.ret == 4
    assert "the record.json there is not a record of the gate" in not_green(result)
    assert (green.path / "reports/latest/record.json").read_text() == "mine"


def test_a_folder_that_is_swept_away_meanwhile_is_made_again(green):
    conftest(green, "\n\ndef pytest_runtest_setup():\n    __import__('shutil').rmtree(HERE / 'reports')\n")
    assert green.run(*green.green).ret == 0
    assert latest(green) == GREEN


# Who was asked


def test_engines_of_one_s_own_are_named_and_not_the_model_that_was_not_asked(project):
    project.capability(ALL, (59, 0, 1, 0))
    result = project.run(*project.folders())
    run = project.record()["run"]
    for side in ("baseline", "tuned"):
        assert run[side] == {
            "reference": side, "name": f"from the fixture '{side}'", "weights": None, "base_weights": None,
            "source": "fixture",
        }  # fmt: skip
    assert run["notes"] == [
        "--baseline base was not asked: the fixture 'baseline' gives its own engine",
        "--model tuned was not asked: the fixture 'tuned' gives its own engine",
    ]
    assert (
        "tuned (from the fixture 'tuned') against baseline (from the fixture 'baseline')" in result.outlines
    )


def test_engines_of_one_s_own_are_named_without_a_model_too(project):
    project.capability(ALL, (59, 0, 1, 0))
    project.run()
    run = project.record()["run"]
    assert (run["tuned"]["source"], run["baseline"]["source"]) == ("fixture", "fixture")
    assert run["notes"] == []


LOADING = """
import sys, types
from harness.engine.functions import FunctionEngine
from harness.engine.requests import EnginePair
ours = [FunctionEngine(lambda prompt, said=said: said, label) for label, said in (("one", "Yes."), ("two", "Yes!"))]
pair = EnginePair(ours[0], ours[1], "cpu", "float32")
sys.modules["harness.engine.transformers.loading"] = types.SimpleNamespace(load_pair=lambda *arguments: pair)
"""


WRAPPED = """
import pytest

class Wrapped(FunctionEngine):
    pass

@pytest.fixture(scope="session")
def tuned(SIDE):
    return ANSWER
"""


def test_a_model_that_was_asked_is_named_as_the_option_does(project):
    project.capability(ALL, (60, 0, 0, 0))
    project.write("conftest.py", LOADING)
    assert project.run(*project.folders()).ret == 0
    run = project.record()["run"]
    assert (run["tuned"]["reference"], run["tuned"]["source"]) == ("tuned", "reference")
    assert len(run["tuned"]["weights"]) == 64
    assert (run["device"], run["notes"]) == ("cpu", [])


@pytest.mark.parametrize(
    ("side", "answer", "label"),
    [
        ("tuned", "Wrapped(lambda prompt: 'Yes!', 'wrapped')", "wrapped"),
        ("baseline", "baseline", "one"),
    ],
)
def test_a_fixture_that_asks_something_else_behind_the_model_s_back(project, side, answer, label):
    """As a wrapper around the model, or the baseline under the tuned model's name."""
    project.capability(ALL, (60, 0, 0, 0))
    project.write("conftest.py", LOADING + WRAPPED.replace("SIDE", side).replace("ANSWER", answer))
    assert project.run(*project.folders()).ret == 0
    run = project.record()["run"]
    assert (run["tuned"]["reference"], run["tuned"]["source"]) == (label, "fixture")
    assert run["tuned"]["weights"] is None
    assert run["baseline"]["source"] == "reference"
    assert run["notes"] == ["--model tuned was not asked: the fixture 'tuned' gives its own engine"]
