"""Why probes were lost: by `--diagnose` in a run, in its record and in every report, and by the command, from a record or anew."""

from __future__ import annotations

import json

import pytest

from harness.cli.main import main
from harness.engine import registry
from harness.reporting.formats import render
from harness.reporting.record import read_record
from tests.support.faulty import CAPITALS
from tests.support.project import said

CONFTEST = """
from harness import FunctionEngine, engine_for

CAPITALS = {capitals}


def plainly(prompt):
    return next((f"It is {{city}}." for question, city in CAPITALS.items() if question in prompt), "I see.")


def card(prompt):
    return plainly(prompt) if "One of these" in prompt else f"DRUG-INFO: {{prompt[23:-1]}} | CLASS: <b>country | USE: x"


class Fake(FunctionEngine):
    def __init__(self, endpoint, settings):
        super().__init__(card if endpoint.rest == "card" else plainly, f"fake {{endpoint.rest}}")


engine_for("fake")(Fake)
"""
FIXTURES = """

import pytest


@pytest.fixture(scope="session")
def baseline():
    return FunctionEngine(plainly, "base")


@pytest.fixture(scope="session")
def tuned():
    return FunctionEngine(card, "card")
"""
MODELS = ("--model=fake:card", "--baseline=fake:base")
TAKEN = "facts: format takeover in 25 of 25 lost probes (100.0 %, 90 % interval 90.2 to 100)"
DRAWN = "facts: format takeover in 24 of 24 drawn from 25 lost probes (100.0 %, 90 % interval 89.9 to 100)"


@pytest.fixture
def taken(project, monkeypatch):
    """A project whose tuned model writes cards."""
    monkeypatch.chdir(project.path)
    monkeypatch.setattr(registry, "OPENERS", dict(registry.OPENERS))
    monkeypatch.setattr(registry, "_PLACES", dict(registry._PLACES))
    project.write("conftest.py", CONFTEST.format(capitals=CAPITALS))
    probes = "".join(
        f"  - {{id: {city.lower()}, question: '{question}', answer: {city}}}\n"
        for question, city in CAPITALS.items()
    )
    project.write(
        "facts.yaml",
        f"suite: facts\nscore: mentions\ngates: [{{over: all, max_drop: 0.1}}]\nprobes:\n{probes}",
    )
    return project


@pytest.mark.parametrize("arguments", [(), ("-p", "xdist", "-n", "1")], ids=["alone", "xdist"])
def test_a_run_says_why_where_that_is_asked_for(taken, arguments):
    result = taken.run("facts.yaml", *MODELS, "--diagnose", *arguments)
    assert result.ret == 1
    assert f"  {DRAWN}" in result.outlines
    diagnosis = taken.record()["run"]["diagnosis"]["facts"]
    assert (diagnosis["verdict"], diagnosis["lost"]) == ("format takeover", 25)


def test_models_of_fixtures_are_diagnosed_in_their_process(taken):
    taken.write("conftest.py", CONFTEST.format(capitals=CAPITALS) + FIXTURES)
    assert f"  {DRAWN}" in taken.run("facts.yaml", "--diagnose").outlines
    assert main(["diagnose", "reports/latest"]) == 4


def test_what_cannot_be_diagnosed_is_a_note(taken):
    taken.write("conftest.py", CONFTEST.format(capitals=CAPITALS) + FIXTURES)
    result = taken.run("facts.yaml", "--diagnose", "-p", "xdist", "-n", "1")
    assert result.ret == 1
    assert "note: --diagnose: the models of the record came from fixtures" in said(result)
    assert taken.record()["run"]["diagnosis"] == {}


@pytest.fixture
def gated(taken):
    """The same after a run without `--diagnose`."""
    assert taken.run("facts.yaml", *MODELS).ret == 1
    assert taken.record()["run"]["diagnosis"] == {}
    return taken


def test_the_command_reads_a_record(gated, capsys):
    assert main(["diagnose", "reports/latest", "--conftest", "conftest.py"]) == 0
    out = capsys.readouterr().out
    assert TAKEN in out
    assert "fake:card against fake:base" in out
    assert 'paris  "What is the capital of France?"  expected "Paris"' in out
    written = json.loads((gated.path / "reports/diagnosis/diagnosis.json").read_text())
    assert (written["version"], written["suites"]["facts"]["verdict"]) == (1, "format takeover")
    page = (gated.path / "reports/diagnosis/diagnosis.html").read_text()
    assert "<h1>Format takeover in 25 of 25 lost probes</h1>" in page
    assert "&lt;b&gt;country" in page
    assert "<b>country" not in page


def test_a_probe_that_is_asked_otherwise_now_is_refused(gated, capsys):
    text = (gated.path / "facts.yaml").read_text()
    gated.write("facts.yaml", text.replace("What is the capital of France?", "Which city does France have?"))
    assert main(["diagnose", "reports/latest", "--conftest", "conftest.py"]) == 4
    assert "the probe 'paris' has another prompt than in the record" in capsys.readouterr().err


def test_a_suite_that_is_gone_is_diagnosed_by_its_answers_alone(gated, capsys):
    (gated.path / "facts.yaml").unlink()
    assert main(["diagnose", "reports/latest", "--conftest", "conftest.py"]) == 0
    out = capsys.readouterr().out
    assert "facts: undetermined in 25 of 25 lost probes" in out
    assert "note: suites that are not here, so that nothing of them was asked again: facts" in out
    [note] = json.loads((gated.path / "reports/diagnosis/diagnosis.json").read_text())["notes"]
    assert note.endswith("again: facts; name their files: --suite=FILE")


def test_the_command_gates_first_without_a_record(taken, capsys):
    arguments = [
        *MODELS,
        "--suite",
        "facts.yaml",
        "--conftest",
        "conftest.py",
        "--sample",
        "12",
        "--report",
        "out",
    ]
    assert main(["diagnose", *arguments]) == 0
    assert "facts: format takeover in 12 of 12 lost probes" in capsys.readouterr().out
    assert (taken.path / "out/diagnosis.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 4, "name a record: diagnose reports/latest"),
        (["--model", "fake:card"], 4, "nothing to diagnose"),
        (["nowhere"], 4, "nowhere: is no run"),
        (["nowhere", "--sample", "3"], 4, "--sample: the record has its probes already"),
        ([*MODELS, "--suite", "nowhere.yaml"], 2, "nowhere.yaml: cannot be read"),
        (["--model", "fake:card", "--suite", "facts.yaml"], 4, "fake:card: no baseline to compare with"),
    ],
)
def test_what_cannot_be_used_is_told(taken, capsys, arguments, code, message):
    assert main(["diagnose", *arguments, "--conftest", "conftest.py"]) == code
    assert message in capsys.readouterr().err


def test_a_model_that_lost_nothing(taken, capsys):
    same = ("--model=fake:base", "--baseline=same")
    assert taken.run("facts.yaml", *same, "--diagnose").ret == 0
    assert taken.record()["run"]["diagnosis"] == {}
    for arguments in (["reports/latest"], [*same, "--suite", "facts.yaml"]):
        assert main(["diagnose", *arguments, "--conftest", "conftest.py"]) == 0
        assert "nothing was lost, so there is nothing to diagnose" in capsys.readouterr().out


@pytest.mark.parametrize("given", [("nowhere",), ("reports/latest", "--model", "nowhere")])
def test_an_earlier_diagnosis_does_not_stay(gated, given):
    for name in ("diagnosis.json", "diagnosis.html", "mine.txt"):
        gated.write(f"reports/diagnosis/{name}", "of an earlier diagnosis")
    assert main(["diagnose", *given]) == 4
    assert [path.name for path in (gated.path / "reports/diagnosis").iterdir()] == ["mine.txt"]


def changed(project, status, **parts):
    """Give the record of the latest run another status, and other parts."""
    path = project.path / "reports/latest/record.json"
    record = {**json.loads(path.read_text()), **parts}
    record["run"] |= {"status": status, "exit_status": None}
    path.write_text(json.dumps(record))


@pytest.mark.parametrize("status", ["unfinished", "error"])
def test_a_record_without_compared_probes_is_no_evidence(gated, capsys, status):
    changed(gated, status, probes=[], gates=[])
    assert main(["diagnose", "reports/latest"]) == 4
    assert capsys.readouterr().err == (
        f"reports/latest: nothing to diagnose: its run ({status}) has no probe that both models answered right or wrong\n"
        "  run the gate again, or name another record\n"
    )
    assert not (gated.path / "reports/diagnosis/diagnosis.json").exists()


def test_a_run_that_was_not_whole_is_noted(gated, capsys):
    changed(gated, "interrupted")
    assert main(["diagnose", "reports/latest", "--conftest", "conftest.py"]) == 0
    out = capsys.readouterr().out
    assert TAKEN in out
    assert "note: the status of the run is 'interrupted': what it did not ask may be lost too" in out


def test_every_report_has_it(taken):
    assert taken.run("facts.yaml", *MODELS, "--diagnose").ret == 1
    record = read_record(taken.path / "reports/latest/record.json")
    assert DRAWN in render(record, "terminal")
    assert f"- `{DRAWN}`" in render(record, "markdown")
    page = render(record, "html")
    assert '<h2 id="diagnosis">Why probes were lost</h2>' in page
    assert DRAWN in page
    assert "<b>country" not in page
