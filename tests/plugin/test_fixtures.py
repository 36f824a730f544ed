"""The fixtures `baseline` and `tuned`: overridden by a user, and used by a user's own tests."""

from __future__ import annotations

import os
import tomllib

import pytest

from tests.support.project import SMALL, not_green, said

from .conftest import ROOT

ALL = "[{over: all, max_drop: 0.10}]"
MINE = """
from harness.engine.requests import Chat, Generate, Message

def test_a_greeting(tuned, baseline):
    asked = Generate(Chat((Message("user", "Hello?"),)), 8)
    assert tuned.ask([asked])[0].text == "Hi."
    assert baseline.label == "baseline"
"""


def test_the_fixtures_are_listed_with_their_docs(project):
    project.run("--fixtures").stdout.fnmatch_lines(
        [
            "baseline [[]session scope[]]*",
            "*The model before fine-tuning, as an Engine; override it to gate a model of your own.",
            "tuned [[]session scope[]]*",
        ]
    )


def test_a_user_s_own_test_shares_the_engines(project):
    project.capability(ALL, (60, 0, 0, 0))
    project.models({"Hello?": "Hi."}, {"Hello?": "Hi."})
    project.write("test_mine.py", MINE)
    result = project.run()
    result.assert_outcomes(passed=2)
    assert result.ret == 0


def test_a_user_s_own_test_needs_no_suite(project):
    project.models({"Hello?": "Hi."}, {"Hello?": "Hi."})
    project.write("test_mine.py", MINE)
    project.run().assert_outcomes(passed=1)


def test_a_user_s_own_test_without_a_model_is_an_input_error(project):
    project.write("test_mine.py", MINE)
    result = project.run()
    assert result.ret == 4
    assert "no model to load\n  name it: --model=PATH_OR_HUB_ID" in not_green(result)


def test_a_user_s_own_failure_is_not_the_gate_s(project):
    """An input error in the body of a test is that test's affair, with its traceback; the suites go on."""
    project.capability(ALL, (60, 0, 0, 0))
    project.write(
        "test_aaa.py",
        "import pytest\nfrom harness import compare_forgetting\nfrom harness.errors import NoEvidenceError\n"
        "def test_mine(tuned): compare_forgetting({}, {})\n"
        "@pytest.mark.xfail(raises=NoEvidenceError)\n"
        "def test_expected(tuned): compare_forgetting({}, {})\n",
    )
    result = project.run("test_aaa.py", "general.yaml")
    result.assert_outcomes(passed=1, failed=1, xfailed=1)
    assert result.ret == 1
    assert "test_aaa.py:4: " in said(result)


def test_a_suite_in_a_folder_of_its_own_uses_the_conftest_there(project):
    project.capability(ALL, (60, 0, 0, 0), file="inner/s.yaml")
    for name in ("conftest.py", "answers.json"):
        (project.path / name).rename(project.path / "inner" / name)
    assert project.run("inner").ret == 0


def test_overriding_one_side_in_a_module_does_not_reach_the_suites(project):
    project.write("s.yaml", SMALL)
    project.write("test_mine.py", "import pytest\n@pytest.fixture\ndef tuned(): return None\n"
                  "def test_mine(tuned): pass\n")  # fmt: skip
    assert project.run().ret == 4


def test_fixtures_around_a_case_work(project):
    """Autouse fixtures and tmp_path of a user's conftest.py reach YAML cases like any test."""
    project.capability(ALL, (60, 0, 0, 0))
    text = (project.path / "conftest.py").read_text()
    project.write("conftest.py", text + "\n\n@pytest.fixture(autouse=True)\ndef around(request, tmp_path):\n"
                  "    yield\n    (HERE / 'around.txt').write_text(request.node.name)\n")  # fmt: skip
    assert project.run().ret == 0
    assert (project.path / "around.txt").read_text() == "all"


AROUND = """

import importlib, inspect, sys

@pytest.fixture(scope="SCOPE", autouse=True)
def around(request):
    yield
    assert request.session.items
    if request.scope in ("package", "session"):
        return
    module = request.module
    assert Path(module.__file__) == HERE / "deep/general.yaml" == request.path == Path(request.fspath)
    assert module.__name__ == "deep.general.yaml"
    assert module.__doc__ == "The cases of deep/general.yaml."
    assert sys.modules[module.__name__] is importlib.import_module(module.__name__) is module
    assert getattr(module, "CONFIG", "none") == "none"
    assert inspect.getsource(module).startswith("suite: general")
    module.seen = True
    if request.scope == "module":
        return
    assert request.cls is None
    if request.scope == "class":
        return
    assert request.instance is None
    case, function = request.node, request.function
    assert case.module is module is case.getparent(pytest.Module).obj
    assert getattr(module, function.__name__) is function is case.obj is case.function
    assert inspect.getsource(function).startswith(f"def {function.__name__}(")
    assert function.__doc__.startswith("Ask ")
    assert case.originalname == case.name
    assert case.get_closest_marker("high").name == "high"
    assert [marker.name for marker in case.iter_markers()] == ["high"]
    assert case.location[0] == "deep/general.yaml"
"""


@pytest.mark.parametrize("scope", ["function", "class", "module", "package", "session"])
@pytest.mark.parametrize("gate", ["{over: all, max_drop: 0.10}", "{over: each, require: pass}"])
def test_a_case_is_a_function_of_a_module(project, scope, gate):
    """To the fixtures of others, which ask where the test is from."""
    project.capability(f"[{gate}]", (60, 0, 0, 0), file="deep/general.yaml")
    text = (project.path / "conftest.py").read_text()
    project.write("conftest.py", text + AROUND.replace("SCOPE", scope))
    result = project.run()
    assert result.ret == 0, said(result)


def test_two_suites_are_two_modules(project):
    for folder in ("a", "b"):
        project.capability(ALL, (60, 0, 0, 0), file=f"{folder}/s.yaml", name=folder)
    text = (project.path / "conftest.py").read_text()
    project.write("conftest.py", text + "\n\n@pytest.fixture(autouse=True, scope='module')\n"
                  "def around(request):\n    print('once in', request.module.__name__)\n")  # fmt: skip
    result = project.run("-s")
    assert [line for line in result.outlines if "once in" in line] == [
        "a/s.yaml once in a.s.yaml",
        "b/s.yaml once in b.s.yaml",
        "overall once in overall",
    ]


def test_a_teardown_that_fails_is_in_the_record(project):
    project.capability(ALL, (60, 0, 0, 0))
    text = (project.path / "conftest.py").read_text()
    project.write(
        "conftest.py", text + "\n\n@pytest.fixture(autouse=True)\ndef around():\n    yield\n    1 / 0\n"
    )
    assert project.run().ret == 1
    assert project.record()["run"]["errors"] == ["general.yaml::all: failed in teardown"]


@pytest.mark.parametrize("name", ["my_suite.yaml", "somewhere/my-suite.yml"])
def test_a_suite_by_its_path(project, name):
    project.capability(ALL, (60, 0, 0, 0), file=name)
    project.capability(ALL, (0, 60, 0, 0), name="another")
    result = project.run(name)
    result.assert_outcomes(passed=1)
    assert result.ret == 0


def test_a_suite_by_its_absolute_path_from_another_folder(project, monkeypatch):
    path = project.capability(ALL, (60, 0, 0, 0), file="deep/s.yaml")
    (project.path / "elsewhere").mkdir()
    monkeypatch.chdir(project.path / "elsewhere")
    assert project.run("--rootdir", str(project.path), str(path)).ret == 0


def test_names_a_model_and_overrides_it(project):
    """The user's engines are asked, and named; the folders are only looked at."""
    project.capability(ALL, (60, 0, 0, 0))
    result = project.run(*project.folders())
    assert result.ret == 0
    assert project.record()["run"]["tuned"]["source"] == "fixture"
    assert len(project.asked("tuned")) == 60


def test_the_entry_point_registers_once(project, monkeypatch):
    """Named like the module, so that a conftest.py that names the plugin too does no harm."""
    entry_points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    assert entry_points == {"pytest11": {"harness.plugin": "harness.plugin"}}
    project.capability(ALL, (60, 0, 0, 0))
    text = (project.path / "conftest.py").read_text()
    project.write("conftest.py", text + "\n\npytest_plugins = ['harness.plugin']\n")
    project.write("site/gate-0.dist-info/METADATA", "Metadata-Version: 2.1\nName: gate\nVersion: 0\n")
    project.write("site/gate-0.dist-info/entry_points.txt", "[pytest11]\nharness.plugin = harness.plugin\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(project.path / "site"), str(ROOT)]))
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    others = ("anyio", "hypothesispytest", "xdist", "xdist.looponfail")  # slow to load, and not meant here
    result = project.pytester.runpytest_subprocess(*(f"-pno:{name}" for name in others))
    result.assert_outcomes(passed=1)
    assert said(result).count("= forgetting gate =") == 1
