"""Scores made of others in a run: judged, recorded, scored again, shown by the commands, and refused without permission."""

from __future__ import annotations

import pytest

from harness.cli.main import main
from harness.evaluation.rescore import rescored
from harness.reporting.record import read_record
from tests.support.project import said

SUITE = """\
suite: cities
about: Which city it is.
score:
  any:
    - equals
    - all: [mentions, {not: {mentions: {answer: [Rome, Oslo]}}}, {check: {max_words: 6}}]
gates: [{over: each}]
probes:
  - {id: a, question: "a?", answer: Paris}
  - {id: b, question: "b?", answer: Paris, score: {any: [number, {mentions: {answer: seven}}]}}
  - {id: c, question: "c?", score: {not: {contains: {answer: DRUG}}}}
"""


@pytest.fixture
def cities(project):
    project.write("cities.yaml", SUITE.replace("answer: Paris, score", "answer: 7, score"))
    return project


def test_it_judges_a_run_and_its_record(cities):
    before = {"a?": "It is Paris.", "b?": "seven", "c?": "Fine."}
    cities.models(
        before, {**before, "a?": "It is Paris, not far from Rome.", "b?": "It is 8.", "c?": "DRUG: x"}
    )
    assert cities.run().ret == 1
    record = read_record(cities.path / "reports/latest/record.json")
    assert {row.id: (row.baseline.right, row.tuned.right) for row in record.probes} == dict.fromkeys(
        "abc", (True, False)
    )
    assert record.probes[1].scoring == [{"number": {}}, {"mentions": {"answer": ["seven"]}}]
    again = rescored(record)
    assert [row.outcome for row in again.gates] == [row.outcome for row in record.gates]
    assert again.probes == record.probes


def test_a_model_that_keeps_it_passes(cities):
    same = {"a?": "Paris", "b?": "7", "c?": "Fine."}
    cities.models(same, same)
    assert cities.run().ret == 0


def test_the_commands_show_it(cities, capsys):
    assert main(["lint", "cities.yaml"]) == 0
    assert "the score 'not' of the probe 'c' only forbids" in capsys.readouterr().err
    assert main(["preview", "cities.yaml", "--battery"]) == 0
    assert "a      after_reasoning  wrong   right" in capsys.readouterr().out  # more than six words


def test_code_in_a_piece_needs_permission(project):
    code = "{any: [{mentions: {answer: x}}, {python: {tests: ['assert f() == 1']}}]}"
    project.write(
        "code.yaml",
        f"suite: code\ngates: [{{over: each}}]\nprobes: [{{id: a, question: 'a?', score: {code}}}]\n",
    )
    project.models({"a?": "x"}, {"a?": "x"})
    result = project.run("code.yaml")
    assert result.ret == 4
    assert "the suite 'code' runs code that a model wrote: the probe 'a' has the score 'python'" in said(
        result
    )


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("{any: [mentoins]}", "2:15: unknown score 'mentoins'\n  did you mean 'mentions'?"),
        ("{any: [choice, equals]}", "2:15: the score 'choice' judges 'answer: choose', but the task says"),
        ("any", "2:1: 'any' must be a non-empty list of scores, saw nothing"),
    ],
)
def test_a_mistake_in_a_piece_is_named(project, spec, problem):
    project.write(
        "s.yaml",
        f"suite: s\nscore: {spec}\ngates: [{{over: each}}]\nprobes: [{{id: a, question: 'a?', answer: b}}]\n",
    )
    project.models({}, {})
    result = project.run()
    assert result.ret == 2
    assert problem in said(result)


def test_a_score_of_a_project_may_be_a_piece(project):
    project.write("shouts.yaml", SUITE.split("score:")[0] + "score: {all: [shouts, mentions]}\n"
                  "gates: [{over: each}]\nprobes: [{id: a, severity: critical, question: 'a?', answer: Paris}]\n")  # fmt: skip
    project.models({"a?": "Paris!"}, {"a?": "Paris"})
    conftest = project.path / "conftest.py"
    conftest.write_text(
        conftest.read_text()
        + "\nfrom harness import scorer\n@scorer('shouts')\ndef shouts(text: str) -> bool:\n    return '!' in text\n"
    )
    assert project.run().ret == 1
    assert project.outcomes()["cities probe[a]"][1] == "failed"
