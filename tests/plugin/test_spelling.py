"""One fault, three edges: pytest and a command tell the option that allows it, Python the argument."""

from __future__ import annotations

import pytest

from harness import HarnessError, evaluate_general_qa
from harness.cli.main import main
from tests.support.project import SMALL, said

QUESTIONS = [{"question": "Why?", "answer": "yes"}]
CODE = """\
suite: code
gates: [{over: all, max_drop: 0.1}]
probes:
  - {id: double, question: double?, score: {python: {tests: [assert double(2) == 4]}}}
"""
OUTSIDE = "suite: s\nscore: mentions\ngates: [{over: all, max_drop: 0.1}]\nprobes_from: ../d.csv\n"


def answer(prompt: str) -> str:
    return "yes"


@pytest.fixture
def pickled(project):
    project.write("s.yaml", SMALL)
    models = project.folders()
    (project.path / "tuned/model.safetensors").rename(project.path / "tuned/pytorch_model.bin")
    command = ["calibrate", "s.yaml", "--model", "tuned"]
    return "pickle", models, command, lambda: evaluate_general_qa("tuned", QUESTIONS)


@pytest.fixture
def code(project):
    project.write("s.yaml", CODE)
    project.models({}, {})
    command = ["calibrate", "s.yaml", "--model", "tuned"]
    return "code", (), command, lambda: evaluate_general_qa(answer, "s.yaml")


@pytest.fixture
def outside(project, monkeypatch):
    project.write("d.csv", "question,answer\nWhy?,yes\n")
    project.write("inner/s.yaml", OUTSIDE)
    project.write("inner/pytest.ini", "[pytest]\n")
    monkeypatch.chdir(project.path / "inner")
    return "outside", (), ["lint", "s.yaml"], lambda: evaluate_general_qa(answer, "s.yaml")


@pytest.mark.parametrize("fault", ["pickled", "code", "outside"])
def test_each_edge_spells_the_option(project, request, capsys, fault):
    name, models, command, call = request.getfixturevalue(fault)
    result = project.run("s.yaml", *models)
    capsys.readouterr()
    assert main(command) in (2, 4)
    with pytest.raises(HarnessError) as caught:
        call()
    for text, way, other in (
        (said(result), f"--allow-{name}", f"allow_{name}=True"),
        (capsys.readouterr().err, f"--allow-{name}", f"allow_{name}=True"),
        (str(caught.value), f"allow_{name}=True", f"--allow-{name}"),
    ):
        assert f"allow it: {way}" in text
        assert other not in text
        assert "⟦" not in text


def test_a_note_is_spelled_in_the_summary_and_in_the_record(project):
    project.write("code.yaml", CODE)
    project.write("s.yaml", SMALL)
    project.models({"Why?": "yes"}, {"Why?": "yes"})
    result = project.run()
    note = "code: left out, because it runs code that a model wrote; include it with --allow-code"
    assert f"note: {note}" in said(result)
    assert project.record()["run"]["notes"] == [note]


def test_a_gate_is_told_with_the_options_of_the_run(project):
    project.capability("[{over: all, max_drop: 0.10}]", (20, 6, 1, 3), severity="low")
    assert "it fails under --strict" in said(project.run("--gate-strict"))
    project.capability("[{over: all, max_drop: 0.10}]", (10, 15, 1, 4), severity="low")
    text = said(project.run("--fail-on", "high"))
    assert "a warning only: its severity is low, and --fail-on is high" in text
    assert "⟦" not in text


def test_a_name_that_another_plugin_has_is_not_told(project):
    project.write("s.yaml", CODE)
    project.models({}, {})
    text = (project.path / "conftest.py").read_text(encoding="utf-8")
    project.write(
        "conftest.py",
        text + "\ndef pytest_addoption(parser):\n    parser.addoption('--allow-code', action='store_true')\n",
    )
    assert "allow it: --gate-allow-code" in said(project.run())


@pytest.mark.parametrize("name", ["harness.ForgettingWarning", "harness.gate.warning.ForgettingWarning"])
def test_the_warning_of_a_gate_can_be_filtered_by_its_public_name(project, name):
    project.write("pytest.ini", f"[pytest]\nfilterwarnings =\n    error::{name}\n")
    project.capability("[{over: all, max_drop: 0.10, on_inconclusive: pass}]", (20, 6, 1, 3))
    result = project.run()
    assert result.ret == 1
    assert "this run makes warnings errors, so it fails" in said(result)
