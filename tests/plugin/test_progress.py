"""What pytest's terminal shows while models are asked, and all that this must not disturb."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import pytest

from harness import progress
from harness.plugin import progress as shown
from harness.plugin.progress import ENDING, Progress, Watch
from tests.support.project import said

GATES = "[{over: all, max_drop: 0.1}]"
ENGINES = """
import time

import pytest

from harness.engine.functions import FunctionEngine


def slowly(prompt):
    time.sleep(0.03)
    return "Yes."


@pytest.fixture(scope="session")
def baseline():
    return FunctionEngine(slowly, "baseline")


@pytest.fixture(scope="session")
def tuned():
    return FunctionEngine(slowly, "tuned")
"""


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr(progress, "FIRST", 0.0)
    monkeypatch.setattr(progress, "BETWEEN", 0.0)


def two_suites(project):
    for name in ("one", "two"):
        project.capability(GATES, (40, 0, 0, 0), name=name)


def test_the_run_and_its_suites(project, at_once):
    two_suites(project)
    text = said(project.run())
    assert "  one, baseline: 1/40 answers, " in text
    assert "; suite 1 of 2, about " in text
    assert re.search(r"^  two, tuned: 40 answers in \d+ s(, \d+ a \w+)?; suite 2 of 2$", text, re.MULTILINE)
    assert "\r" not in text


def test_quiet_runs_show_what_is_under_way_and_no_more(project, at_once):
    two_suites(project)
    text = said(project.run("-q"))
    assert "  one, baseline: 1/40 answers, " in text
    assert "answers in" not in text
    assert "\r" not in text


@pytest.mark.parametrize("options", [("-qq",), ("-p", "no:terminal")], ids=" ".join)
def test_silent_runs(project, at_once, options):
    two_suites(project)
    result = project.run(*options)
    assert result.ret == 0
    assert "answers" not in said(result)


@pytest.mark.parametrize(
    "options", [("-s",), ("-v",), ("--capture=sys",), ("-p", "no:capture"), ("--color=yes",)], ids=" ".join
)
def test_nothing_else_is_disturbed(project, at_once, options):
    two_suites(project)
    project.write("test_own.py", "def test_own():\n    print('told')\n")
    result = project.run(*options, "--junitxml", "out.xml")
    result.assert_outcomes(passed=3, skipped=1)
    assert "\r" not in said(result)
    [tests] = ET.parse(project.path / "out.xml").getroot()
    assert "answers" not in ET.tostring(tests, encoding="unicode")


def test_xdist_shows_what_its_workers_are_at(project, at_once, monkeypatch):
    pytest.importorskip("xdist")
    monkeypatch.setattr(shown, "LOOK", 0.05)
    two_suites(project)
    project.write("conftest.py", ENGINES)
    for options in ((), ("-q",)):
        result = project.run("-p", "xdist", "-n", "2", *options)
        text = said(result)
        assert result.ret == 0
        assert "/40 answers, " in text
        assert "gw0: " in text
        assert "\r" not in text


# A terminal


class Reporter:
    """A terminal's reporter, which keeps all that is written."""

    isatty = True
    currentfspath = None
    fullwidth = 40

    def __init__(self, verbosity=0, fault=None):
        self.verbosity = verbosity
        self.fault = fault
        self.text = ""

    @property
    def width_of_current_line(self):
        return len(self.text.rpartition("\n")[2])

    def write(self, text):
        if self.fault:
            raise self.fault
        self.text += text

    def rewrite(self, line, erase):
        self.write("\r" + line + " " * (self.fullwidth - 1 - len(line)))

    def line(self, text):
        self.write(text + "\n")

    def flush(self):
        pass


def on(reporter, **config):
    plugins = SimpleNamespace(get_plugin=lambda name: reporter if name == "terminalreporter" else None)
    return Progress(SimpleNamespace(pluginmanager=plugins, get_terminal_writer=lambda: reporter, **config))


def lines(reporter):
    """What the terminal shows in the end."""
    return [line.split("\r")[-1].rstrip() for line in reporter.text.split("\n")]


def test_one_line_moves(monkeypatch):
    monkeypatch.setattr(progress.time, "monotonic", lambda: 9.0)
    monkeypatch.setattr(progress, "MOVING", 0.0)
    reporter = Reporter()
    reporter.write("test_own.py ..")
    show = on(reporter).counter("general")
    for done in range(1, 4):
        show(done, 3)
    assert lines(reporter) == ["test_own.py ..", "  general: 3 answers in 0 s", ""]
    assert reporter.text.count("\r") == 4


def test_under_q_no_line_stays():
    reporter = Reporter(verbosity=-1)
    made = on(reporter)
    show = made.counter("general")
    show(1, 1)
    assert lines(reporter) == ["  general ..."]
    made.close()
    made.close()
    assert lines(reporter) == ["", ""]


def test_a_line_is_no_wider_than_the_terminal():
    reporter = Reporter()
    on(reporter).counter("a suite that has a very long name, and more")
    assert lines(reporter) == ["  a suite that has a very long name,..."]


@pytest.mark.parametrize("fault", [BrokenPipeError(32, "Broken pipe"), ValueError("I/O on closed file")])
def test_a_terminal_that_has_gone_ends_no_run(fault):
    made = on(Reporter(fault=fault))
    made.counter("general")(1, 1)
    made.say("loading")
    made.close()


def test_a_worker_leaves_its_line_for_the_controller(tmp_path):
    made = on(None, workerinput={"workerid": "gw3", shown.EXCHANGE: str(tmp_path)})
    made.counter("general\x1b[31m")
    reporter = Reporter()
    watch = Watch(tmp_path, on(reporter))
    assert watch.text() == "gw3: general\\u001b[31m ..."
    (tmp_path / f"gw1{ENDING}").write_text("3\none, tuned: 3/4 answers; suite 1 of 2")
    show = made.counter("general\x1b[31m")
    show(2, 4)
    show(1, 4)  # a batch is tried again
    show(3, 4)
    assert watch.text().startswith(
        "5 answers; suite 1 of 2 | gw1: one, tuned: 3/4 answers | gw3: general\\u001b[31m"
    )
    made.close()
    assert watch.text() == "6 answers; suite 1 of 2 | gw1: one, tuned: 3/4 answers"
    watch.began -= 3
    assert watch.text().startswith("6 answers, 2 a second; suite 1 of 2 | gw1: ")
    (tmp_path / f"gw1{ENDING}").write_text("4\n")
    assert watch.text() == ""


def test_a_worker_on_another_machine_writes_nothing(tmp_path):
    made = on(None, workerinput={"workerid": "gw3", shown.EXCHANGE: str(tmp_path / "elsewhere")})
    made.counter("general")(1, 1)
    made.close()
    assert list(tmp_path.iterdir()) == []
