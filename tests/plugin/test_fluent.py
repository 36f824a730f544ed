"""`fluent`: the baseline says whether the words of a reply stand in their order, from the suite to the record."""

from __future__ import annotations

import pytest

from harness import evaluate_general_qa, run_forgetting_checklist, run_gate
from harness.cli.main import main
from tests.support.project import not_green, said
from tests.support.reads import Reads

SUITE = """\
suite: prose
gates: [{over: all, max_drop: 0.1}]
score: {check: {mentions: water, fluent: true}}
probes:
"""
ENGINES = """
import pytest
from tests.support.reads import Reads

@pytest.fixture(scope="session")
def baseline():
    return Reads(lambda question: SENTENCE, [SENTENCE], "before")

@pytest.fixture(scope="session")
def tuned():
    return Reads(lambda question: SAYS, [SAYS], "after")
"""
SENTENCE = "Roses need water, light and air."
SALAD = "Air and light need roses water."


@pytest.fixture
def prose(project):
    """A suite of forty questions, a baseline that writes a sentence, and a tuned model that says what it is told to."""

    def write(says: str, engines: str = ENGINES) -> None:
        probes = "".join(f"  - {{id: p{i}, question: What is it {i}?}}\n" for i in range(40))
        project.write("prose.yaml", SUITE + probes)
        project.write("conftest.py", engines.replace("SENTENCE", repr(SENTENCE)).replace("SAYS", repr(says)))

    return write


@pytest.mark.parametrize(
    ("says", "code", "verdict", "word_order"),
    [(SENTENCE, 0, "RETAINED", 9.0), (SALAD, 1, "FORGOTTEN", 0.0), ("Soil.", 1, "FORGOTTEN", None)],
)
def test_a_salad_of_the_right_words_is_red(project, prose, says, code, verdict, word_order):
    prose(says)
    assert project.run().ret == code
    assert project.outcomes() == {"prose all": (verdict, "failed" if code else "passed")}
    row = project.record()["probes"][0]
    assert row["scoring"]["fluent"] is True
    assert row["baseline"]["word_order"] == 9.0
    assert row["tuned"].get("word_order") == word_order


def test_workers_share_what_was_measured(project, prose):
    pytest.importorskip("xdist")
    prose(SALAD)
    assert project.run_alone("-p", "xdist", "-n", "2").ret == 1
    assert {row["tuned"]["word_order"] for row in project.record()["probes"]} == {0.0}


@pytest.mark.parametrize(("says", "code"), [(SENTENCE, 0), (SALAD, 1)])
def test_a_record_is_judged_again_without_a_model(project, prose, monkeypatch, capsys, says, code):
    prose(says)
    project.run()
    before = project.record()
    monkeypatch.chdir(project.path)
    assert main(["rescore", "reports/latest", "--suite", "prose.yaml", "--report", "again"]) == code
    assert project.record("again")["gates"] == before["gates"]
    assert project.record("again")["probes"] == before["probes"]


def test_a_baseline_that_only_writes_is_refused(project, prose):
    prose(SENTENCE, ENGINES.replace("import pytest\n", "import pytest\nimport harness\n", 1).replace(
        'Reads(lambda question: SENTENCE, [SENTENCE], "before")',
        'harness.FunctionEngine(lambda question: SENTENCE, "before")',
    ))  # fmt: skip
    result = project.run()
    assert result.ret == 4
    assert (
        "prose.yaml:1:1: the suite 'prose' cannot be judged: 'fluent' asks how likely the baseline finds an answer\n"
        "  before: it has no 'answer: likelihood'; give a baseline that has, or leave 'fluent' out"
    ) in not_green(result)


def test_it_says_why_an_answer_is_wrong(project, prose):
    prose(SALAD)
    project.write("prose.yaml", "suite: prose\ngates: [{over: each}]\nprobes:\n  - {id: a, severity: critical, question: What?, "
                  "score: {check: {mentions: water, fluent: true}}}\n")  # fmt: skip
    result = project.run()
    assert result.ret == 1
    assert "its words stand in no order: 0 nats a word" in said(result)


def test_in_python(project, prose):
    prose(SALAD)
    before, after = (Reads(lambda question, says=says: says, [SENTENCE], says) for says in (SENTENCE, SALAD))
    record = run_gate(after, project.path / "prose.yaml", before)
    assert record.run.exit_status == 1
    assert {row.tuned.word_order for row in record.probes} == {0.0}
    assert after.measured == []


def test_one_model_alone_is_judged_without_it_and_that_is_said(project, prose, caplog):
    prose(SALAD)
    suite = project.path / "prose.yaml"
    with caplog.at_level("WARNING", "harness"):
        assert evaluate_general_qa(lambda question: SALAD, suite)["correct"] == 40
        assert run_forgetting_checklist(lambda question: SALAD, suite)["passed"] == 40
    said = "prose: 40 of 40 probes ask a baseline for word order ('fluent'); with one model they are judged without it"
    assert caplog.messages == [said] * 2


ENGINES_BY_NAME = """
import harness
from tests.support.reads import Reads

@harness.engine_for("reads")
def reads(endpoint, settings):
    return Reads(lambda question: SALAD, [])

@harness.engine_for("writes")
def writes(endpoint, settings):
    return harness.FunctionEngine(lambda question: SALAD)
"""


def test_a_preview_measures_by_the_model_that_it_asks(project, prose, monkeypatch, capsys):
    prose(SALAD)
    project.write("engines.py", ENGINES_BY_NAME.replace("SALAD", repr(SALAD)))
    monkeypatch.chdir(project.path)

    def preview(reference: str) -> str:
        arguments = ["prose.yaml", "--model", reference, "--limit", "1", "--conftest", "engines.py"]
        assert main(["preview", *arguments]) == 0
        return capsys.readouterr().out

    shown = preview("reads:x")
    assert "  word order, by this model: 0.0 nats a word\n  why: its words stand in no order" in shown
    assert shown.endswith("0 of 1 right\n")
    shown = preview("writes:x")
    assert "it has no log-likelihoods, so the word order that 'fluent' asks for was not judged\n" in shown
    assert shown.endswith("1 of 1 right\n")
