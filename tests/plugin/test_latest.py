"""The record in the folder is always the last run's: unfinished from its start, whole, held for it; earlier ones are kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from packaging.version import Version

from tests.support.project import CONFTEST, not_green, said

ALL = "[{over: all, max_drop: 0.10}]"
TWO = ("-p", "xdist", "-n", "2")


@pytest.fixture
def green(project):
    """A project whose last run was green; the options name its models."""
    project.capability(ALL, (60, 0, 0, 0))
    project.green = (*project.folders(), "general.yaml")
    assert project.run(*project.green).ret == 0
    return project


def conftest(project, text, old="", new=""):
    project.write("conftest.py", CONFTEST.replace(old, new) + text)


def latest(project):
    """Status, exit status and number of gates of the record that is there."""
    record = project.record()
    return record["run"]["status"], record["run"]["exit_status"], len(record["gates"])


def earlier(project, folder="reports/latest"):
    paths = (project.path / folder / "earlier").glob("*.json")
    return [json.loads(path.read_text()) for path in sorted(paths)]


def files(project, folder="reports/latest"):
    return sorted(path.name for path in (project.path / folder).iterdir())


GREEN, REFUSED, UNFINISHED = ("finished", 0, 1), ("finished", 4, 0), ("unfinished", None, 0)


def test_a_finished_run_says_so(green):
    assert latest(green) == GREEN
    assert files(green) == [".record.json.lock", "record.json"]


# From the start

COPY = """
import shutil
def copy(name):
    shutil.copy(HERE / "reports/latest/record.json", HERE / name)
"""


def test_the_record_is_unfinished_from_the_start_on(green):
    conftest(
        green,
        f"{COPY}\ncopy('loading.json')\n\ndef pytest_sessionstart():\n    copy('starting.json')\n"
        "\n\ndef pytest_runtest_setup():\n    copy('running.json')\n",
    )
    assert green.run(*green.green).ret == 0
    for name in ("loading", "starting", "running"):
        record = json.loads((green.path / f"{name}.json").read_text())
        assert record["run"]["status"] == "unfinished"
        assert record["run"]["exit_status"] is None
        assert record["gates"] == []
        assert record["run"]["command"][-1] == "general.yaml"
    assert latest(green) == GREEN


def test_engines_of_one_s_own_are_a_run_too(project):
    project.capability(ALL, (60, 0, 0, 0))
    assert project.run().ret == 0
    conftest(project, f"{COPY}\n\ndef pytest_runtest_setup():\n    copy('running.json')\n")
    assert project.run().ret == 0
    assert json.loads((project.path / "running.json").read_text())["run"]["status"] == "unfinished"
    assert len(earlier(project)) == 1


@pytest.mark.parametrize(
    "typo",
    [
        ("--modle", "x"),
        ("--dtype", "float46"),
        ("--sample", "0"),
        ("--fail-on",),
        ("-p", "not_there"),
    ],
)
def test_an_option_that_cannot_be_leaves_no_green_record(green, typo):
    result = green.run(*green.green, *typo)
    # Before 9.2, pytest shows a traceback of a plugin that is not there.
    refused = typo[0] != "-p" or Version(pytest.__version__) >= Version("9.2")
    assert (result.ret == 4) is refused
    assert latest(green) == (REFUSED if refused else UNFINISHED)
    [error] = green.record()["run"]["errors"]
    assert typo[-1].strip("-") in error
    [before] = earlier(green)
    assert before["run"]["exit_status"] == 0


@pytest.mark.parametrize("arguments", [("--model",), ("--modle", "tuned"), ("general.yaml", "--modle=tuned")])
def test_where_the_name_of_the_option_is_wrong_the_suite_tells_that_it_was_a_gate(green, arguments):
    assert green.run("general.yaml", *arguments).ret == 4
    assert latest(green) == REFUSED
    assert len(earlier(green)) == 1


def test_a_folder_of_suites_tells_it_too(green):
    (green.path / "suites").mkdir()
    (green.path / "general.yaml").rename(green.path / "suites/general.yaml")
    assert green.run("suites", "--modle", "tuned").ret == 4
    assert latest(green) == REFUSED


def test_a_run_of_a_suite_that_selects_nothing_of_it_is_finished_too(green):
    assert green.run("general.yaml", "-k", "nothing_like_this").ret == 5
    assert latest(green) == ("finished", 5, 0)


def test_a_run_that_has_nothing_to_do_with_gates_leaves_the_record_alone(green):
    green.write("test_mine.py", "def test_mine(): pass\n")
    assert green.run("test_mine.py").ret == 0
    assert green.run("test_mine.py", "--modle", "x").ret == 4
    assert green.run("--modle", "x").ret == 4
    assert latest(green) == GREEN
    assert earlier(green) == []


def test_options_of_the_ini_file_and_the_environment_count(green, monkeypatch):
    green.write("pytest.ini", "[pytest]\naddopts = --report out\n")
    assert green.run(*green.green).ret == 0
    monkeypatch.setenv("PYTEST_ADDOPTS", "--model tuned")
    assert green.run("general.yaml", "--dtype", "float46").ret == 4
    assert green.record("out")["run"]["exit_status"] == 4
    assert len(earlier(green, "out")) == 1
    assert latest(green) == GREEN


def test_a_model_that_is_not_there(green):
    assert green.run("general.yaml", "--model", "./tunde").ret == 4
    assert latest(green) == REFUSED
    assert green.record()["run"]["errors"] == ["./tunde: no such folder\n  did you mean 'tuned'?"]


def test_a_run_that_is_refused_once_its_cases_are_known(green):
    green.write("other.yaml", (green.path / "general.yaml").read_text())
    assert green.run(*green.green[:-1]).ret == 4
    assert latest(green) == REFUSED
    [error] = green.record()["run"]["errors"]
    assert "a second suite called 'general'" in error


def test_a_conftest_that_breaks(green):
    conftest(green, "\n1 / 0\n")
    assert green.run(*green.green).ret == 4
    assert latest(green) == UNFINISHED
    [error] = green.record()["run"]["errors"]
    assert error.startswith("ConftestImportFailure: ZeroDivisionError: division by zero")
    assert len(earlier(green)) == 1


@pytest.mark.parametrize("hook", ["pytest_configure", "pytest_sessionstart"])
def test_a_hook_that_breaks_before_there_is_a_session(green, hook):
    conftest(green, f"\n\ndef {hook}():\n    1 / 0\n")
    assert green.run(*green.green).ret not in (0, 1)
    assert latest(green)[0] == "unfinished"
    assert len(earlier(green)) == 1


@pytest.mark.parametrize("hook", ["pytest_configure", "pytest_sessionstart"])
def test_an_exit_before_there_is_a_session_is_not_green(green, hook):
    conftest(green, f"\n\ndef {hook}():\n    pytest.exit('enough', returncode=0)\n")
    assert green.run(*green.green).ret == 5
    assert latest(green) == UNFINISHED
    known = hook == "pytest_sessionstart"  # a conftest.py is configured before the plugin
    assert green.record()["run"]["errors"] == (["stopped by Exit: enough"] if known else [])


def test_a_process_that_dies_while_it_starts(green):
    conftest(green, "\nimport os\nos._exit(0)\n")
    green.run_alone(*green.green)
    assert latest(green) == UNFINISHED
    assert green.record()["run"]["errors"] == []


def test_a_process_that_is_killed_and_the_run_after_it(green):
    conftest(green, "", "answers = ANSWERS", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)\n        answers = ANSWERS")  # fmt: skip
    assert green.run_alone(*green.green).ret == -signal.SIGKILL
    assert latest(green) == UNFINISHED
    conftest(green, "")
    assert green.run(*green.green).ret == 0
    assert latest(green) == GREEN
    assert sorted(record["run"]["status"] for record in earlier(green)) == ["finished", "unfinished"]


@pytest.mark.parametrize(
    "option", ["--collect-only", "--help", "--fixtures", "--fixtures-per-test", "--markers", "--version"]
)
def test_a_run_that_only_shows_something_leaves_the_record_alone(green, option):
    assert green.run(*green.green, option).ret == 0
    assert green.run(*green.green, option, "--dtype", "float46").ret in (0, 4)
    assert latest(green) == GREEN
    assert earlier(green) == []


def test_cache_show_leaves_the_record_alone(green):
    result = green.pytester.runpytest_inprocess("-p", "harness.plugin", *green.green, "--cache-show")
    assert result.ret == 0
    assert latest(green) == GREEN


# To the end


def test_ctrl_c_keeps_what_was_measured(green):
    green.capability(ALL, (60, 0, 0, 0), name="zeal")
    conftest(
        green,
        "",
        "answers = ANSWERS",
        "if 'zeal' in prompt: raise KeyboardInterrupt\n        answers = ANSWERS",
    )
    result = green.pytester.runpytest_inprocess(
        "-p", "harness.plugin", *green.green, "zeal.yaml", no_reraise_ctrlc=True
    )
    assert result.ret == 2
    assert latest(green) == ("finished", 2, 1)
    run = green.record()["run"]
    assert run["errors"] == ["stopped by KeyboardInterrupt: "]
    assert run["cases"]["never_asked"] == 1


def test_an_internal_error_keeps_what_was_measured(green):
    green.capability(ALL, (60, 0, 0, 0), name="zeal")
    conftest(
        green,
        "\n\ndef pytest_runtest_protocol(item):\n    assert 'zeal' not in item.nodeid, 'a bug of mine'\n",
    )
    assert green.run(*green.green, "zeal.yaml").ret == 3
    assert latest(green) == ("finished", 3, 1)
    [error] = green.record()["run"]["errors"]
    assert error.startswith("INTERNALERROR: AssertionError: a bug of mine")


def test_an_internal_error_of_a_worker_is_never_green(green):
    pytest.importorskip("xdist")
    conftest(
        green,
        "\n\ndef pytest_runtest_protocol(item):\n    import os\n"
        "    assert 'PYTEST_XDIST_WORKER' not in os.environ, 'a bug of mine'\n",
    )
    assert green.run(*green.green, *TWO).ret == 3
    assert latest(green) == ("finished", 3, 0)
    assert any("a bug of mine" in error for error in green.record()["run"]["errors"])


def test_a_worker_that_is_killed(green):
    pytest.importorskip("xdist")
    green.capability(ALL, (60, 0, 0, 0), name="zeal")
    conftest(
        green, "", "answers = ANSWERS",
        "import os, signal\n        if 'zeal' in prompt: os.kill(os.getpid(), signal.SIGKILL)\n"
        "        answers = ANSWERS",
    )  # fmt: skip
    assert green.run(*green.green, "zeal.yaml", *TWO, "--max-worker-restart", "0").ret == 1
    assert latest(green) == ("finished", 1, 1)
    run = green.record()["run"]
    assert {key: number for key, number in run["cases"].items() if number} == {
        "selected": 2, "decided": 1, "errors": 1
    }  # fmt: skip
    assert "zeal.yaml::all: failed in ???" in run["errors"]


def test_in_parallel_only_the_controller_writes(green):
    pytest.importorskip("xdist")
    assert green.run(*green.green, *TWO).ret == 0
    assert latest(green) == GREEN
    assert len(earlier(green)) == 1
    assert files(green) == [".record.json.lock", "earlier", "record.json"]


# Whole or not at all

FULL = """

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish():
    import resource
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
"""


def test_a_disk_that_is_full_leaves_the_unfinished_record_whole(green):
    pytest.importorskip("resource")
    conftest(green, FULL)
    result = green.run(*green.green)
    assert result.ret == 4
    assert "--report reports/latest: no record can be written there: File too large" in not_green(result)
    assert latest(green) == UNFINISHED
    assert files(green) == [".record.json.lock", "earlier", "record.json"]


NO_SPACE = """

from pathlib import Path

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish():
    write = Path.write_bytes

    def write_bytes(path, content):
        write(path, content[:10])
        raise OSError(28, "No space left on device")

    Path.write_bytes = write_bytes
    yield
    Path.write_bytes = write
"""


def test_a_verdict_is_told_where_its_record_cannot_be_written(project):
    project.capability(ALL, (30, 30, 0, 0))
    conftest(project, NO_SPACE)
    result = project.run(*project.folders())
    assert result.ret == 4
    text = not_green(result)
    assert "general  all    60     100.0   50.0  50.0   39.6 to 60.4      10  FORGOTTEN" in text
    assert (
        "--report reports/latest: no record can be written there: No space left on device\n"
        "  make room there, or name another folder: --report DIR"
    ) in text
    assert latest(project) == UNFINISHED
    assert files(project) == [".record.json.lock", "record.json"]


@pytest.mark.parametrize("half", [".record.json.partial", ".record.json.4711.partial"])
def test_what_a_killed_run_left_half_written_is_swept_up(green, half):
    (green.path / "reports/latest" / half).write_text('{"ver')
    assert green.run(*green.green).ret == 0
    assert files(green) == [".record.json.lock", "earlier", "record.json"]


@pytest.mark.parametrize("report", ["general.yaml", "general.yaml/deeper", "/proc/nothing"])
def test_a_folder_that_cannot_be_written(project, report):
    project.capability(ALL, (60, 0, 0, 0))
    for arguments in (project.folders(), ()):
        result = project.run(*arguments, "general.yaml", "--report", report)
        assert result.ret == 4
        assert f"ERROR: --report {report}: no record can be written there: " in not_green(result)
    assert project.asked("tuned") == []


def test_an_argument_that_is_no_text_is_written_escaped(project):
    project.capability(ALL, (60, 0, 0, 0))
    name = os.fsdecode(b"s-\xff.yaml")
    (project.path / "general.yaml").rename(project.path / name)
    assert project.run(name).ret == 0
    assert project.record()["run"]["command"][-1] == "s-\\udcff.yaml"


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
        "4\nERROR: --report reports/latest: another run is writing its record there\n"
        "  wait until it ends, or give this run a folder of its own: --report DIR\n\n"
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
    assert green.record("elsewhere")["run"]["status"] == "finished"
    assert latest(green) == GREEN


def begun(project, *arguments):
    """A run in a process of its own that has begun to ask, and would go on for a minute."""
    conftest(
        project,
        "\n\ndef pytest_runtest_setup(item):\n    if 'zeal' in item.nodeid:\n"
        "        import time\n        time.sleep(0.5)\n        (HERE / 'runs').touch()\n        time.sleep(60)\n",
    )
    command = [sys.executable, "-m", "pytest", "-p", "harness.plugin", "-p", "no:cacheprovider", *arguments]
    run = subprocess.Popen(command, cwd=project.path, stdout=subprocess.DEVNULL, start_new_session=True)
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
    assert latest(green) == ("finished", 2, 1)
    assert green.record()["run"]["cases"]["never_asked"] == 1


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
        "2026-05-04T03-02-01+00-00-2.json",
        "2026-05-04T03-02-01+00-00.json",
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
        "ERROR: --report reports/latest: the record.json there is not a record of the gate, and is left as it is\n"
        "  name another folder: --report DIR"
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
    project.capability(ALL, (60, 0, 0, 0))
    result = project.run(*project.folders())
    run = project.record()["run"]
    for side in ("baseline", "tuned"):
        assert run[side] == {
            "reference": side, "name": f"from the fixture '{side}'", "weights": None, "base_weights": None,
            "source": "fixture",
        }  # fmt: skip
    assert run["notes"] == [
        "--baseline base was not asked: the fixture 'baseline' gives an engine of its own",
        "--model tuned was not asked: the fixture 'tuned' gives an engine of its own",
    ]
    assert "tuned     tuned (from the fixture 'tuned')" in result.outlines


def test_engines_of_one_s_own_are_named_without_a_model_too(project):
    project.capability(ALL, (60, 0, 0, 0))
    project.run()
    run = project.record()["run"]
    assert (run["tuned"]["source"], run["baseline"]["source"]) == ("fixture", "fixture")
    assert run["notes"] == []


LOADING = """
import sys, types
from harness.engine.functions import FunctionEngine
from harness.engine.pair import EnginePair
ours = [FunctionEngine(lambda prompt: "Yes.", label) for label in ("one", "two")]
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
        ("tuned", "Wrapped(lambda prompt: 'Yes.', 'wrapped')", "wrapped"),
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
    assert run["notes"] == ["--model tuned was not asked: the fixture 'tuned' gives an engine of its own"]
