"""An engine of a project's own, reached by `SCHEME:NAME` from pytest, every command and Python; and what breaks in one."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import pytest

import harness.engine.registry as registry
from harness import EngineError, FunctionEngine, ModelError, engine_for, evaluate_general_qa
from harness.api.gate import run_gate
from harness.cli.main import main
from tests.support.packages import install_module
from tests.support.project import said

pytest.importorskip("xdist")

FAKE = '''
import os

from harness import Answer, Chat, EngineError, Endpoint, Generate, Generated, Progress, Prompt, Request, Settings, engine_for

KNOWN = {"two": "2", "three": "3", "four": "4"}


@engine_for("fake")
class Fake:
    """Counts: the careful model knows all of its numbers, the careless one has forgotten most."""

    kinds = frozenset({"generate"})

    def __init__(self, endpoint: Endpoint, settings: Settings) -> None:
        known = {"careful": 3, "careless": 1}
        if endpoint.rest not in known:
            raise EngineError(f"{endpoint.name}: there are {', '.join(known)}")
        self.label = f"the {endpoint.rest} model"
        self.answers = dict(list(KNOWN.items())[: known[endpoint.rest]])

    def render(self, prompt: Prompt) -> str:
        return prompt.messages[-1].content if isinstance(prompt, Chat) else prompt.text

    def ask(self, requests: list[Request], progress: Progress | None = None) -> list[Answer]:
        answers: list[Answer] = []
        for request in requests:
            assert isinstance(request, Generate)
            number = self.render(request.prompt).split()[-1]
            answers.append(Generated(self.answers.get(number, "I do not know"), 1, "turn"))
            if progress:
                progress(len(answers), len(requests))
        return answers
'''
SUITE = """\
suite: {name}
severity: critical
score: mentions
gates: [{{over: each}}]
probes:
  - {{id: two, question: Count to two, answer: "2"}}
  - {{id: three, question: Count to three, answer: "3"}}
"""
BROKEN = """
from harness import FunctionEngine, engine_for

@engine_for("fake")
def fake(endpoint, settings):
    {body}
"""
PAIR = ("--model", "fake:careless", "--baseline", "fake:careful")


@pytest.fixture(autouse=True)
def _engines_as_before(monkeypatch):
    """The tables as they were, whatever a conftest.py registers."""
    monkeypatch.setattr(registry, "OPENERS", dict(registry.OPENERS))
    monkeypatch.setattr(registry, "_PLACES", dict(registry._PLACES))
    registry._installed.cache_clear()
    yield
    registry._installed.cache_clear()


@pytest.fixture
def counting(project):
    """Two suites, and the engine in the project's conftest.py."""
    project.write("conftest.py", FAKE)
    for name in ("one", "more"):
        project.write(f"suites/{name}.yaml", SUITE.format(name=name))
    return project


@pytest.mark.parametrize("parallel", [(), ("-p", "xdist", "-n", "2")])
def test_a_gate_with_an_engine_of_one_s_own(counting, parallel):
    result = counting.run("suites", *PAIR, *parallel)
    assert result.ret == 1, said(result)
    result.assert_outcomes(passed=2, failed=2)
    run = counting.record()["run"]
    row = {"weights": None, "base_weights": None, "source": "reference"}
    assert run["tuned"] == {"reference": "fake:careless", "name": "the careless model", **row}
    assert run["baseline"] == {"reference": "fake:careful", "name": "the careful model", **row}
    assert (run["device"], run["dtype"]) == ("the engine Fake of conftest.py", None)
    assert run["exit_status"] == 1
    changes = {probe["id"]: probe["change"] for probe in counting.record()["probes"]}
    assert changes == {"two": "kept", "three": "lost"}


def test_a_model_that_forgot_nothing_is_green(counting):
    result = counting.run("suites", "--model", "fake:careful", "--baseline", "fake:careless")
    assert result.ret == 0, said(result)


def test_a_model_against_itself_is_opened_once(counting):
    result = counting.run("suites", "--model", "fake:careful", "--baseline", "same")
    assert result.ret == 0, said(result)
    assert "the model is compared with itself, on purpose" in counting.record()["run"]["notes"][0]


def test_such_a_gate_loads_no_torch(counting):
    text = FAKE + "\n\ndef pytest_unconfigure():\n    import sys\n    print('torch' in sys.modules)\n"
    counting.write("conftest.py", text)
    result = counting.run_alone("suites", *PAIR)
    assert result.ret == 1
    assert "False" in result.outlines


def test_from_python(counting):
    counting.run("--collect-only", "-q")  # which imports the conftest.py
    record = run_gate("fake:careless", "suites", "fake:careful")
    assert (record.run.exit_status, [row.outcome for row in record.gates].count("failed")) == (1, 2)
    assert record.run.tuned.name == "the careless model"
    asked = evaluate_general_qa("fake:careful", "suites/one.yaml")
    assert (asked["correct"], asked["model"]) == (2, {"label": "the careful model"})


def test_from_commands(counting, capsys):
    options = ("--model", "fake:careless", "--conftest", "conftest.py")
    assert main(["preview", "suites/one.yaml", *options]) == 0
    assert "the careless model: 1 of 2 right" in capsys.readouterr().out
    assert main(["calibrate", "suites/one.yaml", *options]) == 0
    out = capsys.readouterr().out
    assert "  asked once: 50.0 % right\n  asked again: 50.0 % right\n" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--model", "fake:careless"),
            "fake:careless: no baseline to compare with: only adapters and model cards name one\n"
            "  name it: --baseline=PATH_OR_HUB_ID",
        ),
        (
            ("--model", "fakr:careless"),
            "fakr:careless: no such folder, and no engine for 'fakr:'\n  did you mean 'fake'?",
        ),
        (
            ("--model", "fake:careless", "--baseline", "nope:x"),
            "nope:x: no such folder, and no engine for 'nope:'\n  there are: fake",
        ),
        (
            (*PAIR, "--template", "tuned"),
            "--template=tuned: fake:careful and fake:careless have no engine in",
        ),
        (("--model", "fake:x", "--baseline", "fake:careful"), "fake:x: there are careful, careless"),
    ],
)
def test_what_cannot_be_used(counting, arguments, message):
    result = counting.run("suites", *arguments)
    assert result.ret == 4, said(result)
    assert message in said(result)
    assert "Traceback" not in said(result)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "raise ValueError('no key')",
            "fake:careful: the engine of 'fake:' cannot be opened\n  it raised ValueError: no key (conftest.py:6)",
        ),
        ("return None", "fake:careful: the engine of 'fake:' must give an Engine, saw NoneType"),
        (
            "return lambda prompt: 'yes'",
            "must give an Engine, saw function\n  it has no label, kinds, ask, render",
        ),
        ("return FunctionEngine", "must give an Engine, saw the class FunctionEngine itself"),
        (
            "return FunctionEngine(str, 3)",
            "must give an Engine, saw FunctionEngine\n  its label must be text",
        ),
        (
            "mine = FunctionEngine(str); mine.kinds = 'generate'; return mine",
            "must give an Engine, saw FunctionEngine\n  its kinds must be a set of generate, choose, likelihood, saw 'generate'",
        ),
        (
            "exit('no server')",
            "the engine of 'fake:' cannot be opened\n  it raised SystemExit: no server (conftest.py:6)",
        ),
        (
            "return FunctionEngine(lambda prompt: 1 / 0, 'mine')",
            "the suite 'one' cannot be asked: the probe 'two'\n  mine: it raised ZeroDivisionError: division by zero (conftest.py:6)",
        ),
        (
            "return FunctionEngine(lambda prompt: 3, 'mine')",
            "cannot be asked: the probe 'two'\n  mine: must return text, returned int",
        ),
        (
            "return FunctionEngine(lambda prompt: exit(0), 'mine')",
            "mine: it raised SystemExit: 0 (conftest.py:6)",
        ),
    ],
)
def test_an_engine_that_breaks(counting, body, message):
    counting.write("conftest.py", BROKEN.format(body=body))
    result = counting.run("suites/one.yaml", *PAIR)
    text = said(result)
    assert result.ret == 4, text
    assert message in text
    assert "Traceback" not in text
    assert "harness/" not in text
    assert counting.record()["gates"] == []


def test_an_engine_that_breaks_in_python(counting):
    engine_for("fake")(lambda endpoint, settings: FunctionEngine(lambda prompt: 1 / 0, "mine"))
    with pytest.raises(EngineError, match="mine: it raised ZeroDivisionError"):
        run_gate("fake:a", "suites", "fake:b")
    with pytest.raises(ModelError, match="no engine for 'other:'"):
        evaluate_general_qa("other:a", "suites/one.yaml")


@pytest.mark.parametrize("scheme", ["", "C", "Fake", "a b", "1a", "fake:"])
def test_what_is_no_scheme(scheme):
    with pytest.raises(ValueError, match=r"the scheme of an engine has two or more of a-z"):
        engine_for(scheme)


def test_a_forgotten_scheme():
    with pytest.raises(TypeError, match=r'write @engine_for\("name"\)'):
        engine_for(lambda endpoint, settings: None)


def test_two_engines_of_one_scheme():
    engine_for("twice")(FunctionEngine)
    with pytest.raises(
        ValueError, match=r"there is an engine for 'twice:' already, from .*test_engines.py:\d+"
    ):
        engine_for("twice")(FunctionEngine)


@pytest.fixture
def install_engine(tmp_path, monkeypatch):
    """Write a package that has an engine as an entry point, as an installer would."""

    def write(source):
        points = "fake = fake_engines:Fake", "C = fake_engines:Fake"
        install_module(monkeypatch, tmp_path / "site", "fake_engines", source, registry.GROUP, *points)
        registry._installed.cache_clear()

    return write


def test_an_engine_of_an_installed_package(install_engine, project):
    install_engine(FAKE.replace('@engine_for("fake")\n', ""))
    project.write("one.yaml", SUITE.format(name="one"))
    assert set(registry.schemes()) - registry.BUILT_IN.keys() == {"fake"}
    result = project.run("one.yaml", *PAIR)
    assert result.ret == 1, said(result)
    assert json.dumps(project.record()["run"]["tuned"]["name"]) == '"the careless model"'


def test_an_installed_engine_that_cannot_be_imported(install_engine, project):
    install_engine("1 / 0")
    project.write("one.yaml", SUITE.format(name="one"))
    result = project.run("one.yaml", *PAIR)
    assert result.ret == 4
    assert (
        "the engine 'fake' of fake_engines cannot be loaded from fake_engines:Fake\n"
        "  ZeroDivisionError: division by zero"
    ) in said(result)


def test_an_engine_of_ours_is_imported_when_it_is_asked_for(monkeypatch):
    module = SimpleNamespace(open=lambda endpoint, settings: FunctionEngine(str, endpoint.rest))
    monkeypatch.setitem(sys.modules, "harness.engine.ours", module)
    monkeypatch.setitem(registry.BUILT_IN, "ours", "harness.engine.ours:open")
    assert evaluate_general_qa("ours:x", [{"question": "yes", "answer": "yes"}])["model"] == {"label": "x"}
