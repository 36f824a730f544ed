"""A user's own `baseline` and `tuned` that are no engines: `--model` is asked, in words; `gate_baseline` and `gate_tuned` are
second names to override."""

from __future__ import annotations

import pytest

from tests.support.project import CONFTEST, not_green, said

ALL = "[{over: all, max_drop: 0.10}]"
MODEL = '''
import pytest

from harness.engine.requests import EnginePair
from harness.plugin.models import Models

from engines import Scripted


@pytest.fixture(scope="session", autouse=True)
def loaded():
    """Scripted models for what --model would load."""
    before = Models._load
    pair = EnginePair(Scripted("baseline"), Scripted("tuned"), "cpu", "float32")
    Models._load = lambda models: pair
    yield
    Models._load = before
'''
OTHER = {
    "number": ("@pytest.fixture\ndef {}(): return 3", "int"),
    "session": ("@pytest.fixture(scope='session')\ndef {}(): return 'text'", "str"),
    "module": ("@pytest.fixture(scope='module')\ndef {}(request): return request.module.__name__", "str"),
    "dictionary": ("@pytest.fixture\ndef {}(tmp_path): yield {{'accuracy': tmp_path}}", "dict"),
    "class": ("@pytest.fixture\ndef {}():\n    class Page: pass\n    return Page", "type"),
    "params": (
        "@pytest.fixture(params=[1, 2])\ndef {}(request): return request.param",
        "one with params",
    ),
    "indirect": ("@pytest.fixture\ndef {}(request): return request.param", "one that needs a parameter)"),
    "missing": (
        "@pytest.fixture\ndef {}(benchmark_data): return 1",
        "one that requests 'benchmark_data', which no case has)",
    ),
    "async": ("@pytest.fixture\nasync def {}(): return 1", "an async one"),
    "async generator": ("@pytest.fixture\nasync def {}(): yield 1", "an async one"),
}


def modelled(project, fixtures, gates=ALL, counts=(59, 0, 1, 0)):
    """A suite, scripted models in the place of those of the options, and a conftest.py with the user's fixtures."""
    project.capability(gates, counts)
    project.write("engines.py", CONFTEST)
    project.write("conftest.py", MODEL + fixtures)
    return project.folders()


@pytest.mark.parametrize("kind", OTHER)
def test_a_baseline_of_another_kind(project, kind):
    text, seen = OTHER[kind]
    options = modelled(project, text.format("baseline"))
    result = project.run(*options)
    result.assert_outcomes(passed=1)
    assert result.ret == 0
    [note] = project.record()["run"]["notes"]
    assert note.startswith(f"the fixture 'baseline' gives no Engine (saw {seen}")
    assert note.endswith(
        "), so --model tuned is asked; a fixture that gives an Engine may be named 'gate_baseline'"
    )
    assert len(project.asked("baseline")) == 60


@pytest.mark.parametrize("kind", OTHER)
def test_a_tuned_of_another_kind_does_not_turn_the_gate_green(project, kind):
    options = modelled(project, OTHER[kind][0].format("tuned"), counts=(0, 60, 0, 0))
    result = project.run(*options)
    assert result.ret == 1
    assert project.record()["run"]["notes"][0].startswith("the fixture 'tuned' gives no Engine")


def test_it_is_looked_at_once(project):
    fixture = "\n@pytest.fixture\ndef tuned():\n    with open('looked.txt', 'a') as file: file.write('x')\n"
    options = modelled(project, fixture, "[{over: each}]")
    assert project.run(*options).ret == 0
    assert (project.path / "looked.txt").read_text() == "x"


@pytest.mark.parametrize("kind", ["number", "params", "async"])
def test_without_a_model_it_is_an_error_that_names_the_second_name(project, kind):
    text, seen = OTHER[kind]
    project.capability(ALL, (60, 0, 0, 0))
    own = (project.path / "conftest.py").read_text()
    project.write("conftest.py", own + "\n" + text.format("tuned"))
    result = project.run()
    assert result.ret == 4
    assert (
        f"the fixture 'tuned' must give an Engine, saw {seen}\n"
        "  wrap a function from prompt to text: harness.FunctionEngine(function)\n"
        "  or name the engine's fixture 'gate_tuned', if 'tuned' is another\n"
        "  name it: --model=PATH_OR_HUB_ID (a folder, a PEFT adapter, org/name, or a recipe)"
    ) in not_green(result)


@pytest.mark.parametrize("side", ["baseline", "tuned"])
def test_a_fixture_that_fails_tells_its_own_error_and_nothing_is_asked_instead(project, side):
    fixture = f"\n@pytest.fixture\ndef {side}():\n    return None.label\n"
    result = project.run(*modelled(project, fixture))
    assert result.ret == 1
    assert "AttributeError: 'NoneType' object has no attribute 'label'" in said(result)
    assert project.asked("tuned") == []


@pytest.mark.parametrize("side", ["baseline", "tuned"])
def test_a_fixture_that_exits_exits(project, side):
    fixture = f"\n@pytest.fixture\ndef {side}():\n    pytest.exit('enough', returncode=0)\n"
    assert project.run(*modelled(project, fixture)).ret == 5


def test_a_fixture_that_skips_skips(project):
    options = modelled(project, "\n@pytest.fixture\ndef tuned(): pytest.skip('no server')\n")
    result = project.run(*options)
    result.assert_outcomes(skipped=1)
    assert result.ret == 5


def test_an_input_error_of_the_user_s_fixture_stops_the_run(project):
    options = modelled(project, "\nfrom harness.errors import EngineError\n"
                       "@pytest.fixture\ndef tuned(): raise EngineError('no server')\n")  # fmt: skip
    result = project.run(*options)
    assert result.ret == 4
    assert "no server" in not_green(result)


SECOND = """
@pytest.fixture
def tuned(): return 3

@pytest.fixture(scope="{0}")
def gate_tuned(): return Scripted("tuned")

@pytest.fixture(scope="{0}")
def gate_baseline(): return Scripted("baseline")
"""


@pytest.mark.parametrize("scope", ["session", "module", "function"])
def test_the_second_names_give_engines(project, scope):
    project.capability(ALL, (59, 0, 1, 0))
    project.write("engines.py", CONFTEST)
    project.write("conftest.py", "import pytest\nfrom engines import Scripted\n" + SECOND.format(scope))
    result = project.run()
    assert result.ret == 0, said(result)
    assert project.record()["run"]["notes"] == []
    assert project.record()["run"]["tuned"]["source"] == "fixture"


def test_a_second_name_that_gives_no_engine(project):
    project.capability(ALL, (60, 0, 0, 0))
    own = (project.path / "conftest.py").read_text()
    project.write("conftest.py", own + "\n@pytest.fixture\ndef gate_tuned(): return 3\n")
    result = project.run(*project.folders())
    assert result.ret == 4
    assert "the fixture 'gate_tuned' must give an Engine, saw int\n  wrap a function" in not_green(result)


def test_each_folder_has_its_own_engines(project):
    project.capability(ALL, (60, 0, 0, 0), file="good/a.yaml", name="a")
    project.capability(ALL, (0, 60, 0, 0), file="bad/b.yaml", name="b")
    text = (project.path / "conftest.py").read_text()
    project.write("conftest.py", "")
    for folder in ("good", "bad"):
        project.write(f"{folder}/conftest.py", text.replace("HERE /", "HERE.parent /"))
    assert project.run("good", "bad").ret == 1
    assert project.outcomes() == {
        "a all": ("RETAINED", "passed"),
        "b all": ("FORGOTTEN", "failed"),
        "overall all": ("FORGOTTEN", "failed"),
    }


def test_a_test_of_the_user_s_takes_the_second_name(project):
    project.models({"Hello?": "Hi."}, {"Hello?": "Hi."})
    project.write("test_mine.py", "def test_mine(gate_tuned, gate_baseline):\n"
                  "    assert (gate_tuned.label, gate_baseline.label) == ('tuned', 'baseline')\n")  # fmt: skip
    project.run().assert_outcomes(passed=1)


def test_a_test_with_a_tuned_of_its_own_kind_is_no_evidence(project):
    project.write("conftest.py", "import pytest\n@pytest.fixture\ndef tuned(): return 3\n")
    project.write("test_mine.py", "def test_mine(tuned): assert tuned == 3\n")
    assert project.run().ret == 0
    assert project.run(*project.folders()).ret == 5
