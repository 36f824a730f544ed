"""Engines of a project's own that tell which model they ask: a second run asks nobody, whichever way they are given."""

from __future__ import annotations

import pytest

import harness.engine.registry as registry
from harness import EngineError, FunctionEngine, evaluate_general_qa
from harness.api.gate import run_gate
from harness.cli.main import main
from tests.support.project import said

ENGINES = """
import os
from pathlib import Path

import pytest

from harness import FunctionEngine, engine_for

HERE = Path(__file__).parent
FIRST = os.environ.get("VERSION", "1")


def opened(side, identity):
    def answer(prompt):
        with (HERE / "asked.txt").open("a") as file:
            file.write(f"{side}: {prompt}\\n")
        return "Yes." if side == "baseline" else "No."

    return FunctionEngine(answer, side, **({"identity": identity} if identity else {}))


@engine_for("told")
def told(endpoint, settings):
    return opened(endpoint.rest, f"{endpoint.rest} of the tests, version {FIRST}")


@engine_for("alike")
def alike(endpoint, settings):
    return opened(endpoint.rest, "one name for all")


@engine_for("silent")
def silent(endpoint, settings):
    return opened(endpoint.rest, None)


@engine_for("wrong")
def wrong(endpoint, settings):
    return opened(endpoint.rest, 7)
"""
FIXTURES = """

@pytest.fixture(scope="session")
def baseline():
    return opened("baseline", IDENTITY)


@pytest.fixture(scope="session")
def tuned():
    return opened("tuned", IDENTITY and f"{IDENTITY} tuned")
"""
PROBES = 40
SUITE = """\
suite: small
score: mentions
gates: [{over: all, max_drop: 0.1}]
probes:
"""


@pytest.fixture
def served(project, monkeypatch):
    monkeypatch.setattr(registry, "OPENERS", dict(registry.OPENERS))
    monkeypatch.setattr(registry, "_PLACES", dict(registry._PLACES))
    project.write("conftest.py", ENGINES)
    probes = "".join(f"  - {{id: p{n}, question: Is it {n}?, answer: yes}}\n" for n in range(PROBES))
    project.write("small.yaml", SUITE + probes)
    return project


def run(project, scheme, *more):
    return project.run(
        "small.yaml", f"--model={scheme}:tuned", f"--baseline={scheme}:baseline", "--store=a.db", *more
    )


@pytest.mark.parametrize("more", [(), ("-p", "xdist", "-n", "2")], ids=["alone", "xdist"])
def test_the_second_run_asks_nobody_and_decides_the_same(served, more):
    first = run(served, "told", *more)
    assert first.ret == 1, said(first)
    gates, asked = served.record()["gates"], (served.asked("baseline"), served.asked("tuned"))
    assert [len(set(prompts)) for prompts in asked] == [PROBES, PROBES]
    assert run(served, "told", *more).ret == 1
    assert (served.asked("baseline"), served.asked("tuned")) == asked
    assert served.record()["gates"] == gates
    assert served.record()["run"]["device"] == "a function of conftest.py"


def test_another_version_and_no_store_ask_again(served, monkeypatch):
    run(served, "told")
    once = len(served.asked("baseline"))
    run(served, "told", "--no-store")
    assert len(served.asked("baseline")) == 2 * once
    monkeypatch.setenv("VERSION", "2")
    run(served, "told")
    assert len(served.asked("baseline")) == 3 * once


def test_without_an_identity_every_run_asks(served):
    for runs in (1, 2):
        run(served, "silent")
        assert len(served.asked("baseline")) == PROBES * runs


@pytest.mark.parametrize(
    ("scheme", "why"),
    [
        (
            "alike",
            "tuned: its identity 'one name for all' is that of the baseline, baseline, so nothing was tuned",
        ),
        ("wrong", "its identity must be text, or None, saw int"),
    ],
)
def test_an_identity_that_tells_nothing_apart_is_refused(served, scheme, why):
    result = run(served, scheme)
    assert result.ret == 4, said(result)
    assert why in said(result)
    assert served.asked("tuned") == []


@pytest.mark.parametrize(("identity", "asked"), [("'base 1'", PROBES), ("None", 2 * PROBES)])
def test_fixtures(served, identity, asked):
    served.write("conftest.py", ENGINES + FIXTURES.replace("IDENTITY", identity))
    for _ in range(2):
        assert served.run("small.yaml", "--store=a.db").ret == 1
    assert (len(served.asked("baseline")), len(served.asked("tuned"))) == (asked, asked)


RELEASES = """
from pathlib import Path

import pytest

from harness import FunctionEngine


def release(number):
    def answer(prompt):
        with (Path(__file__).parents[1] / "asked.txt").open("a") as file:
            file.write(f"release {number}: {prompt}\\n")
        return "Yes."

    return FunctionEngine(answer, "release", identity=f"release {number}")


@pytest.fixture
def baseline():
    return release(BEFORE)


@pytest.fixture
def tuned():
    return release(BEFORE + 1)
"""


def test_the_tuned_model_of_one_folder_may_be_the_baseline_of_the_next(served):
    text = (served.path / "small.yaml").read_text()
    for folder, before in {"first": "1", "second": "2"}.items():
        served.write(f"{folder}/conftest.py", RELEASES.replace("BEFORE", before))
        served.write(f"{folder}/{folder}.yaml", text.replace("suite: small", f"suite: {folder}"))
    result = served.run("first", "second", "--store=a.db", "--import-mode=importlib")
    assert result.ret == 0, said(result)
    assert [len(served.asked(f"release {number}")) for number in (1, 2, 3)] == [PROBES] * 3


def test_fixtures_of_the_other_name(served):
    served.write("conftest.py", ENGINES + FIXTURES.replace("def ", "def gate_").replace("IDENTITY", "'one'"))
    for _ in range(2):
        assert served.run("small.yaml", "--store=a.db").ret == 1
    assert (len(served.asked("baseline")), len(served.asked("tuned"))) == (PROBES, PROBES)


def test_fixtures_that_tell_the_same(served):
    same = FIXTURES.replace('IDENTITY and f"{IDENTITY} tuned"', "IDENTITY").replace("IDENTITY", "'one'")
    served.write("conftest.py", ENGINES + same)
    result = served.run("small.yaml", "--store=a.db")
    assert result.ret == 4, said(result)
    assert "tuned: its identity 'one' is that of the baseline" in said(result)


MEASURED = """

def measured(side, identity):
    engine = opened(side, identity)
    engine.digits = "12"
    return engine
"""


def test_fixtures_that_give_the_same_digits(served):
    fixtures = FIXTURES.replace("opened(", "measured(").replace("IDENTITY", "None")
    served.write("conftest.py", ENGINES + MEASURED + fixtures)
    result = served.run("small.yaml", "--store=off")
    assert result.ret == 4, said(result)
    assert "tuned: gives the same log-probabilities as the baseline, baseline, so nothing was tuned" in said(
        result
    )


def test_from_python(served, tmp_path):
    asked = []

    def engine(side, identity="1"):
        return FunctionEngine(lambda prompt: asked.append(prompt) or "Yes.", side, f"{side} {identity}")

    for _ in range(2):
        record = run_gate(engine("tuned"), "small.yaml", engine("base"), store="b.db")
        assert (record.run.exit_status, len(asked)) == (0, 2 * PROBES)
    evaluate_general_qa(engine("base"), "small.yaml", store="b.db")
    assert len(asked) == 2 * PROBES
    with pytest.raises(EngineError, match="store: would do nothing here, for an Engine runs as it was made"):
        evaluate_general_qa(FunctionEngine(str.upper), "small.yaml", store="b.db")
    with pytest.raises(EngineError, match="its identity 'base 1' is that of the baseline"):
        run_gate(engine("base"), "small.yaml", engine("base"), store="b.db")


def test_a_store_shows_the_identity_and_a_command_asks_nobody(served, capsys):
    run(served, "told")
    once = served.asked("baseline")
    asks = ["--model=told:baseline", "--conftest=conftest.py", "--store=a.db"]
    assert main(["preview", "small.yaml", *asks, "--limit=40"]) == 0
    assert "baseline: 40 of 40 right" in capsys.readouterr().out
    assert served.asked("baseline") == once
    assert main(["store", "info", "--store=a.db"]) == 0
    assert "baseline (baseline of the tests, version 1): 40 answers" in capsys.readouterr().out


def test_the_baseline_can_be_carried_by_its_reference(served, capsys):
    run(served, "told")
    of = ["--model=told:baseline", "--conftest=conftest.py"]
    assert main(["store", "export", "carried", "--store=a.db", *of]) == 0
    assert main(["store", "import", "carried", "--store=b.db", *of]) == 0
    assert "carried: 40 answers of baseline are kept" in capsys.readouterr().out
    assert main(["store", "import", "carried", "--store=b.db", "--model=told:tuned"]) == 4
    assert "identity: baseline of the tests, version 1 there" in capsys.readouterr().err
    once = served.asked("baseline")
    served.run("small.yaml", "--model=told:tuned", "--baseline=told:baseline", "--store=b.db")
    assert served.asked("baseline") == once
    assert main(["store", "export", "more", "--store=a.db", "--model=silent:base"]) == 4
    assert (
        "silent:base: its engine has no identity, so none of its answers are kept" in capsys.readouterr().err
    )


def test_a_store_that_cannot_be_used_is_said_and_the_models_are_asked(served):
    served.write("a.db", "no database" * 100)
    assert run(served, "told").ret == 1
    assert served.record()["run"]["notes"][0].startswith("answers are not stored: a.db: ")
    assert len(served.asked("baseline")) == PROBES
