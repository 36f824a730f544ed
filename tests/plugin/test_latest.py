"""The record in the folder is always the last run's: unfinished from its start, and whole."""

from __future__ import annotations

import json
import os
import signal

import pytest
from packaging.version import Version

from tests.support.project import not_green
from tests.support.runs import ALL, GREEN, REFUSED, TWO, UNFINISHED, conftest, earlier, files, latest


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
    assert latest(green) == ("nothing decided", 5, 0)


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
    assert sorted(record["run"]["status"] for record in earlier(green)) == ["passed", "unfinished"]


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
    assert latest(green) == ("interrupted", 2, 1)
    run = green.record()["run"]
    assert run["errors"] == ["stopped by KeyboardInterrupt: "]
    assert run["cases"]["never_asked"] == 2  # the gate over both suites too


def test_an_internal_error_keeps_what_was_measured(green):
    green.capability(ALL, (60, 0, 0, 0), name="zeal")
    conftest(
        green,
        "\n\ndef pytest_runtest_protocol(item):\n    assert 'zeal' not in item.nodeid, 'a bug of mine'\n",
    )
    assert green.run(*green.green, "zeal.yaml").ret == 3
    assert latest(green) == ("error", 3, 3)  # all was asked before the first case was reported
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
    assert latest(green) == ("error", 3, 0)
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
    status, code, decided = latest(green)
    assert (status, code) == ("error", 1)
    assert decided <= 1  # none if the one that is killed had asked the other suite before
    run = green.record()["run"]
    assert (run["cases"]["selected"], run["cases"]["decided"]) == (3, decided)
    assert any(error.endswith(".yaml::all: failed in ???") for error in run["errors"])


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
    assert "--report=reports/latest: no record can be written there: File too large" in not_green(result)
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
    assert "50.0 % after: 50 points lost (90 % interval 39.6 to 60.4; margin 10).\n" in text
    assert (
        "--report=reports/latest: no record can be written there: No space left on device\n"
        "  make room there, or name another folder: --report=DIR"
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
        assert f"ERROR: --report={report}: no record can be written there: " in not_green(result)
    assert project.asked("tuned") == []


def test_an_argument_that_is_no_text_is_written_escaped(project):
    project.capability(ALL, (60, 0, 0, 0))
    name = os.fsdecode(b"s-\xff.yaml")
    (project.path / "general.yaml").rename(project.path / name)
    assert project.run(name).ret == 0
    assert project.record()["run"]["command"][-1] == "s-\\udcff.yaml"
