"""Our options beside other people's of the same names: theirs work, ours have a second name, whatever loads first."""

from __future__ import annotations

import os
import re

import pytest

from harness.plugin.option_list import OPTIONS
from tests.support.project import SMALL, not_green, said

NAMES = [name for option in OPTIONS for name in option.names]
THEIRS = """
import pytest

def pytest_addoption(parser):
    for name in {names}:
        parser.addoption(name, action="append", dest="theirs")

def pytest_report_header(config):
    return f"theirs: {{config.option.theirs}}"
"""
PLAIN = "def test_plain():\n    assert True\n"
SUITES = "[{over: all, max_drop: 0.10}]"


def take(project, *names, file="conftest.py", more=""):
    project.write(file, more + THEIRS.format(names=list(names)))


def gated(project, counts=(60, 0, 0, 0)):
    """A suite and engines of the project's own, in a folder that any run finds."""
    project.capability(SUITES, counts)
    project.write("engines.py", (project.path / "conftest.py").read_text())
    project.write("conftest.py", "")


@pytest.mark.parametrize("name", NAMES)
def test_a_project_without_suites_never_hears_of_us(project, name):
    take(project, name)
    project.write("test_plain.py", PLAIN)
    result = project.run(name, "x")
    result.assert_outcomes(passed=1)
    assert result.ret == 0
    assert "theirs: ['x']" in said(result)
    assert "forgetting gate" not in said(result)
    assert not (project.path / "reports").exists()


@pytest.mark.parametrize(
    "way", ["before", "after", "by PYTEST_PLUGINS", "conftest.py", "tests/conftest.py", "deep/er/conftest.py"]
)
def test_all_names_at_once_in_any_order(project, monkeypatch, way):
    """Also in a conftest.py that loads while tests are collected, which is too late for its own options to be read."""
    arguments = []
    if way.endswith(".py"):
        take(project, *NAMES, file=way)
        project.write(f"{way.removesuffix('conftest.py')}test_plain.py", PLAIN)
    else:
        take(project, *NAMES, file="others.py")
        project.write("test_plain.py", PLAIN)
        monkeypatch.syspath_prepend(project.path)
        arguments = {"before": ["-p", "others"], "after": [], "by PYTEST_PLUGINS": []}[way]
        if way == "by PYTEST_PLUGINS":
            monkeypatch.setenv("PYTEST_PLUGINS", "others")
    run = project.pytester.runpytest_inprocess
    plugin = ["-p", "harness.plugin", "-p", "no:cacheprovider", "--assert=plain"]
    more = ["-p", "others"] if way == "after" else []
    result = run(*arguments, *plugin, *more)
    result.assert_outcomes(passed=1)
    if not way.startswith("deep"):
        result = run(*arguments, *plugin, *more, "--model", "theirs", "--gate-report=theirs too")
        result.assert_outcomes(passed=1)
        assert "theirs: ['theirs', 'theirs too']" in said(result)
    assert not (project.path / "reports").exists()


def test_the_plugin_in_a_conftest_py_leaves_names_to_others_there(project):
    take(project, "--device", more='pytest_plugins = ["harness.plugin"]\n')
    take(project, "--sample", file="tests/conftest.py")
    project.write("tests/test_plain.py", PLAIN)
    run = project.pytester.runpytest_subprocess
    run("-p", "no:cacheprovider").assert_outcomes(passed=1)
    run("-p", "no:cacheprovider", "--device", "y").assert_outcomes(passed=1)
    project.write("s.yaml", SMALL)
    assert "nowhere: no such folder" in said(run("-p", "no:cacheprovider", "--model", "nowhere"))
    assert "--forgetting-device=DEVICE" in said(run("--help"))


def test_a_model_by_the_second_name(project):
    gated(project, (0, 60, 0, 0))
    take(project, "--model", "--baseline", more=(project.path / "engines.py").read_text())
    project.folders()
    result = project.run("--model", "theirs", "--gate-model", "tuned", "--gate-baseline=base")
    assert result.ret == 1
    assert "--gate-model tuned was not asked: the fixture 'tuned' gives its own engine" in said(result)
    assert "did not read it" not in said(result)


def test_without_a_model_the_error_says_under_which_name(project):
    project.write("s.yaml", SMALL)
    take(project, "--model")
    result = project.run("--model", "./tuned")
    assert result.ret == 4
    assert (
        "s.yaml: a suite needs a model to gate\n"
        "  name it: --gate-model=PATH_OR_HUB_ID (a folder, a PEFT adapter, org/name, or a recipe)\n"
        "  --model is another plugin's or a conftest.py's here: write --gate-model"
    ) in not_green(result)


def test_what_to_write_is_told_under_the_name_that_is_ours(project):
    """Wherever in the harness a message comes from."""
    take(project, "--suite", "--report", "--baseline")
    project.write("s.yaml", SMALL)
    project.folders()
    models = ("--model", "tuned", "--gate-baseline=base")
    text = not_green(project.run("--gate-suite", "x", *models))
    assert "ERROR: --gate-suite x: no such suite was collected" in text
    project.write("file", "")
    text = not_green(project.run("--gate-report", "file", *models))
    assert "--gate-report=file: no record can be written there" in text
    assert " --report" not in text
    assert "--gate-baseline=PATH_OR_HUB_ID" in not_green(project.run("--model", "tuned"))


@pytest.mark.parametrize("name", ["--report", "--device", "--baseline"])
def test_an_option_that_was_not_read_is_no_secret(project, name):
    gated(project)
    take(project, name, more=(project.path / "engines.py").read_text())
    result = project.run(name, "x")
    assert result.ret == 0
    note = f"{name} is another plugin's or a conftest.py's here, and the gate did not read it: write --gate-{name[2:]}"
    assert note in said(result)
    assert note in project.record()["run"]["notes"]
    assert "did not read" not in said(project.run(name, "x", f"--gate-{name[2:]}", "y"))


@pytest.mark.parametrize(
    "way", ["two words", "one word", "second name", "addopts", "PYTEST_ADDOPTS", "a file of arguments"]
)
def test_every_way_to_write_an_option(project, monkeypatch, way):
    gated(project)
    project.write("conftest.py", (project.path / "engines.py").read_text())
    project.write("arguments.txt", "--report\nelsewhere\n")
    if way == "addopts":
        project.write("pytest.ini", "[pytest]\naddopts = --report elsewhere\n")
    if way == "PYTEST_ADDOPTS":
        monkeypatch.setenv("PYTEST_ADDOPTS", "--report elsewhere")
    arguments = {
        "two words": ["--report", "elsewhere"], "one word": ["--report=elsewhere"],
        "second name": ["--gate-report", "elsewhere"], "a file of arguments": ["@arguments.txt"],
    }.get(way, [])  # fmt: skip
    assert project.run(*arguments).ret == 0
    assert project.record("elsewhere")["run"]["exit_status"] == 0
    assert not (project.path / "reports").exists()


def test_an_abbreviation_is_no_option(project):
    project.write("s.yaml", SMALL)
    result = project.run("--mod", "x")
    assert result.ret == 4
    assert "unrecognized arguments: --mod" in not_green(result)


def test_what_follows_two_dashes_is_a_path(project):
    project.write("test_plain.py", PLAIN)
    result = project.run("test_plain.py", "--", "--model")
    assert result.ret == 4
    assert "file or directory not found: --model" in said(result)


def test_help_shows_the_names_that_are_free(project):
    take(project, "--device", "--gate-sample")
    text = " ".join(said(project.run("--help")).split())
    assert re.search(
        "--model(=REF)?, --gate-model=REF the tuned model:", text
    )  # as Python 3.13 and others write it
    assert "--gate-device=DEVICE where the models run: auto (the GPU that torch finds, else the CPU), cpu, cuda, cuda:1, mps, xpu; " \
        "--device is another plugin's or a conftest.py's here" in text  # fmt: skip
    assert "--sample=N ask only N probes" in text
    assert "--gate-strict " in text
    assert "--forgetting" not in text


def test_strict_verdicts_without_a_strict_pytest(project):
    project.capability(SUITES, (55, 3, 1, 1))
    assert project.run().ret == 0
    assert project.run("--gate-strict").ret == 1
    assert project.record()["run"]["strict"] is True


def test_an_error_tells_the_name_that_was_written(project):
    project.write("s.yaml", SMALL)
    assert "argument --gate-sample: must be a whole number" in not_green(project.run("--gate-sample", "x"))
    take(project, "--sample")
    assert project.run("--sample", "x", "--co").ret == 0


def test_workers_of_xdist_read_the_same(project):
    pytest.importorskip("xdist")
    gated(project)
    take(project, "--model", more=(project.path / "engines.py").read_text())
    project.folders()
    arguments = ("--gate-model=tuned", "--gate-baseline", "base", "--model", "theirs")
    result = project.run(*arguments, "-p", "xdist", "-n", "2")
    assert result.ret == 0, said(result)
    assert project.record()["run"]["cases"]["decided"] == 1


def test_a_value_of_another_s_option_is_not_judged(project):
    """A conftest.py that has a name of ours loads after the plugin."""
    take(project, "--dtype", "--sample")
    project.write("test_plain.py", PLAIN)
    project.run("--dtype", "int8", "--sample", "every second").assert_outcomes(passed=1)


# The root folder


def rooted(project, arguments, folder="project"):
    """Run in a folder beside one with a model, and what the header says of root and ini file."""
    os.chdir(project.path / folder)
    result = project.run("--co", *arguments)
    header = [line for line in result.outlines if line.startswith(("rootdir:", "configfile:"))]
    return result, header


def beside_a_model(project):
    project.write("project/suites/s.yaml", SMALL)
    project.write("models/m/config.json", "{}")
    project.write("models/m/model.safetensors", "")
    project.write("models/m/conftest.py", "1 / 0")
    project.write("models/m/tests/conftest.py", "1 / 0")


@pytest.mark.parametrize("name", ["--model", "--gate-model"])
@pytest.mark.parametrize("paths", [[], ["suites"], ["suites/s.yaml"]])
def test_a_model_is_no_test(project, name, paths):
    """Neither its conftest.py runs, nor is the root above both."""
    beside_a_model(project)
    expected = rooted(project, [*paths, f"{name}=../models/m"])
    for arguments in ([*paths, name, "../models/m"], [name, "../models/m", *paths]):
        result, header = rooted(project, arguments)
        assert result.ret == expected[0].ret == 0
        assert header == expected[1]
        assert "rootdir: " + str(project.path / "project") in "\n".join(header)


SETTINGS = "[pytest]\naddopts = --no-such-option\n"


@pytest.mark.parametrize(
    ("file", "paths", "reads"),
    [
        ("models/pytest.ini", ["suites"], "reads {}/models/pytest.ini"),
        ("project/pytest.ini", [], "reads none, not pytest.ini"),
    ],
)
def test_other_settings_than_meant_are_an_error(project, file, paths, reads):
    beside_a_model(project)
    project.write(file, SETTINGS)
    result, _ = rooted(project, [*paths, "--model", "../models/m"])
    assert result.ret == 4
    assert (
        "--model ../models/m: pytest takes the value of an option for a path of tests when it looks for its settings, and "
        f"{reads.format(project.path)}\n  write it as one word: --model=../models/m"
    ) in not_green(result)
    result, _ = rooted(project, [*paths, "--model=../models/m"])
    assert ("--no-such-option" in said(result)) == file.startswith("project")


def test_the_same_settings_from_another_folder_are_none(project):
    beside_a_model(project)
    project.write("project/pyproject.toml", "[project]\nname = 'x'\n")
    expected = rooted(project, ["--model=../models/m"])[1]
    assert rooted(project, ["--model", "../models/m"])[1] == expected


def test_a_model_in_the_project_keeps_no_conftest_from_it(project):
    """pytest takes the folder of the nearer pyproject.toml for the project, and loads no conftest.py above it."""
    beside_a_model(project)
    project.write("project/models/m/config.json", "{}")
    project.write("project/models/pyproject.toml", "")
    project.write("project/conftest.py", "print('loaded')")
    for arguments in (["--model", "models/m"], ["--report", "models/m"]):
        result, header = rooted(project, ["-s", "suites", *arguments])
        assert "loaded" in said(result)
        assert header == [f"rootdir: {project.path / 'project'}"]


def test_a_conftest_that_misses_its_settings_is_explained(project):
    beside_a_model(project)
    project.write("project/pytest.ini", "[pytest]\npythonpath = source\n")
    project.write("project/source/ours.py", "")
    project.write("project/conftest.py", "import ours")
    result, _ = rooted(project, ["--model", "../models/m"])
    assert result.ret == 4
    assert "write it as one word: --model=../models/m" in said(result)
    assert rooted(project, ["--model=../models/m"])[0].ret == 0


def test_a_plugin_that_a_conftest_loads_corrects_the_root_too(project):
    beside_a_model(project)
    for conftest in project.path.glob(
        "models/m/**/conftest.py"
    ):  # pytest would load it before it knows the option
        conftest.unlink()
    project.write("project/conftest.py", "pytest_plugins = ['harness.plugin']")
    os.chdir(project.path / "project")
    arguments = ("--co", "suites", "--model", "../models/m")
    result = project.pytester.runpytest_subprocess(*arguments)
    assert f"rootdir: {project.path / 'project'}" in result.outlines
    project.write("models/pyproject.toml", "[tool.pytest.ini_options]\naddopts = '-q'\n")
    result = project.pytester.runpytest_subprocess(*arguments)
    assert result.ret == 4
    assert "write it as one word: --model=../models/m" in said(result)


def test_a_value_may_be_longer_than_a_path(project):
    project.write("s.yaml", SMALL)
    assert project.run("--co", "--template-arg", f"a={'x' * 5000}").ret == 0


def test_the_options_of_a_run_are_read_once_when_pytest_is_configured(project):
    """A conftest.py may still have its say before that."""
    project.capability(SUITES, (60, 0, 0, 0))
    conftest = (project.path / "conftest.py").read_text()
    project.write(
        "conftest.py",
        conftest + "\n\n"
        "def pytest_configure(config):\n"
        "    config.option.forgetting_report = 'elsewhere'\n"
        "    config.option.forgetting_thinking_tokens = 7\n\n"
        "def pytest_collection_finish(session):\n"
        "    from harness.plugin.options import RUN_OPTIONS\n"
        "    options = session.config.stash[RUN_OPTIONS]\n"
        "    assert options.settings is options.settings and options.settings.thinking_tokens == 7\n"
        "    assert options.policy is options.policy and options.policy.strict\n",
    )
    assert project.run("--gate-strict").ret == 0
    assert (project.path / "elsewhere" / "record.json").is_file()
    assert not (project.path / "reports").exists()


@pytest.mark.parametrize("name", ["lm-eval-fewshot", "lm-eval-limit", "lm-eval-margin"])
def test_an_option_that_would_do_nothing_is_refused(project, name):
    project.capability(SUITES, (60, 0, 0, 0))
    result = project.run(f"--{name}", "1")
    assert result.ret == 4
    assert f"--{name}=1" in said(result)
    assert "would do nothing without --lm-eval=TASK,..." in said(result)


@pytest.mark.parametrize(
    "name", ["store", "history", "report", "report-html", "only-lost", "suite", "device", "allow-key"]
)
def test_an_empty_value_is_not_the_default(project, name):
    project.capability(SUITES, (60, 0, 0, 0))
    result = project.run(f"--{name}=")
    assert result.ret == 4
    assert f"argument --{name}: must not be empty" in said(result)


@pytest.mark.parametrize(
    "option",
    [
        "--device=cuda", "--dtype=bfloat16", "--batch-tokens=9", "--template=tuned", "--engine=vllm", "--engine-args=a=1",
        "--allow-key=x", "--allow-pickle", "--allow-remote-code", "--allow-conversion",
    ],
)  # fmt: skip
def test_an_option_of_loading_is_refused_where_fixtures_give_both_engines(project, option):
    project.capability(SUITES, (60, 0, 0, 0))
    result = project.run(option)
    assert result.ret == 4
    assert (
        f"{option.partition('=')[0]}: would do nothing here, for fixtures give both engines, which run as they were made\n"
        "  leave that out, or name the model by its reference"
    ) in not_green(result)
    assert project.asked("tuned") == []


def test_beside_a_named_model_it_is_noted(project):
    """Only the fixtures' values tell whether the model is asked."""
    project.capability(SUITES, (60, 0, 0, 0))
    assert project.run(*project.folders(), "--device=cpu", "--store=off").ret == 0
    note = "--device: did nothing, for fixtures give both engines, which run as they were made"
    assert note in project.record()["run"]["notes"]


def test_a_function_reads_no_arguments_of_a_template(project):
    project.capability(SUITES, (60, 0, 0, 0))
    assert project.run("--template-arg=enable_thinking=false").ret == 0
    note = "--template-arg: does nothing for tuned, a function that is given the prompt alone"
    assert note in project.record()["run"]["notes"]
