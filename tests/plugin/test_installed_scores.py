"""Scores of installed packages: known to every command and function that reads suites, and told when broken."""

from __future__ import annotations

import json
import sys

import pytest

from harness import evaluate_general_qa, run_forgetting_checklist
from harness.cli.main import main
from harness.errors import NoEvidenceError, ScorerError
from tests.support.packages import install_module

POLITE = '''\
from harness.scoring import scorer

@scorer("polite")
def polite(text: str, *, word: str = "please") -> bool:
    """The text has the magic word."""
    return word in text
'''
SUITE = """\
suite: tone
score: {polite: {word: thanks}}
gates: [{over: each}]
probes: [{id: a, question: Why?}, {id: b, question: How?}]
"""
TASK = """\
task: t
dataset_path: json
dataset_kwargs: {data_files: {test: d.jsonl}}
test_split: test
doc_to_text: q
doc_to_target: a
"""


@pytest.fixture
def install_polite(tmp_path, monkeypatch):
    """Write a package that has the score `polite` as an entry point, as an installer would."""

    def write(source=POLITE):
        install_module(
            monkeypatch,
            tmp_path / "site",
            "polite_scores",
            source,
            "forgetting_gate.scorers",
            "polite = polite_scores",
        )

    monkeypatch.setitem(sys.modules, "datasets", None)  # which takes seconds to import
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    (work / "tone.yaml").write_text(SUITE)
    (work / "t.yaml").write_text(TASK)
    (work / "d.jsonl").write_text('{"q": "Why?", "a": "so"}\n')
    return write


@pytest.mark.parametrize("command", ["lint", "plan", "preview"])
def test_commands_that_read_suites_know_it(install_polite, capsys, command):
    install_polite()
    assert main([command, "tone.yaml"]) == 0
    assert "tone" in capsys.readouterr().out


def test_the_schema_has_it(install_polite, capsys):
    install_polite()
    assert main(["schema"]) == 0
    _, written = json.loads(capsys.readouterr().out)["$defs"]["score"]["anyOf"]
    assert "word" in written["properties"]["polite"]["properties"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["lint", "tone.yaml"],
        ["plan", "tone.yaml"],
        ["preview", "tone.yaml"],
        ["calibrate", "tone.yaml", "--model", "nowhere"],
        ["schema"],
        ["new", "mine", "--out", "mine.yaml"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_broken_package_is_told_and_nothing_is_written(install_polite, tmp_path, capsys, arguments):
    install_polite("1 / 0")
    assert main(arguments) == 4
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "the score 'polite' of polite_scores cannot be loaded from polite_scores\n"
        "  ZeroDivisionError: division by zero\n"
    )
    assert not (tmp_path / "work" / "mine.yaml").exists()


# Python


def thanks_why(prompt: str) -> str:
    return "thanks, please" if prompt == "Why?" else "no"


def test_an_evaluation_by_a_suite_file_knows_it(install_polite):
    install_polite()
    assert evaluate_general_qa(thanks_why, "tone.yaml")["correct"] == 1


def test_an_evaluation_by_its_name_knows_it(install_polite):
    install_polite()
    asked = [{"question": "Why?", "answer": "-"}, {"question": "How?", "answer": "-"}]
    assert evaluate_general_qa(thanks_why, asked, score="polite")["correct"] == 1
    with pytest.raises(NoEvidenceError, match="unknown score 'polte'; there are: .*polite"):
        evaluate_general_qa(thanks_why, asked, score="polte")


def test_a_checklist_knows_it(install_polite):
    install_polite()
    assert run_forgetting_checklist(thanks_why, "tone.yaml")["score"] == 0.5


def test_a_broken_package_is_told_in_python_too(install_polite):
    install_polite("1 / 0")
    with pytest.raises(ScorerError, match="the score 'polite' of polite_scores cannot be loaded"):
        run_forgetting_checklist(thanks_why, "tone.yaml")
