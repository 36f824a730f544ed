"""Beside the most used pytest plugins, each alone and all together: `make test-plugins`, in an environment that has them.

Each runs a project without suites, collects suites, and gates a model that kept all and one that lost all.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

from tests.support.models import save_adapter, save_model
from tests.support.project import CONFTEST

ROOT = Path(__file__).parents[2]
PLUGINS: dict[str, tuple[str, ...]] = {
    "allure-pytest": ("--alluredir=allure",),
    "pytest-asyncio": ("-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function"),
    "pytest-bdd": ("--gherkin-terminal-reporter", "-v"),
    "pytest-benchmark": ("--benchmark-skip",),
    "pytest-cov": ("--cov=.",),
    "pytest-django": ("--ds=settings",),
    "pytest-html": ("--html=page.html", "--self-contained-html"),
    "pytest-mock": (),
    "pytest-order": ("--order-scope=module",),
    "pytest-picked": ("--picked=first",),
    "pytest-playwright": ("--device", "iPhone 12", "--browser=firefox"),
    "pytest-randomly": ("--randomly-seed=1",),
    "pytest-repeat": ("--count=2",),
    "pytest-reporter": ("--report=page.html", "--template", "page"),
    "pytest-rerunfailures": ("--reruns=1",),
    "pytest-selenium": ("--driver", "Firefox"),
    "pytest-split": ("--splits=1", "--group", "1"),
    "pytest-sugar": ("--force-sugar",),
    "pytest-testmon": ("--testmon",),
    "pytest-testreport": ("--report=page.html", "--template", "2", "--title", "page"),
    "pytest-timeout": ("--timeout=600",),
    "pytest-xdist": ("-n", "2"),
    "syrupy": ("--snapshot-update",),
}
"""The plugins, with what each does more where it is asked to."""

NEEDS = {
    "pytest-html": ["pytest-metadata"],
    "pytest-playwright": ["pytest-base-url"],
    "pytest-selenium": ["pytest-base-url", "pytest-variables", "pytest-html", "pytest-metadata"],
}
NOT_TOGETHER = ("pytest-testreport",)
"""pytest-reporter and this want the same names; it makes the durations text, which html and testmon add up."""

NOT_ASKED = ("--gherkin-terminal-reporter",)
"""Refused beside pytest-sugar: a second terminal."""

OURS = ("-p", "harness.plugin")


class Neighbourhood:
    """A project with a test, a suite and a Django, in a repository, for runs of pytest in processes of their own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        probes = [
            {"id": f"q{i}", "category": "ab"[i % 2], "question": f"{i}?", "answer": "yes"} for i in range(60)
        ]
        gates = [{"over": "all", "max_drop": 0.1}, {"over": "category", "max_drop": 0.2}]
        suite = {"suite": "small", "score": "mentions", "gates": gates, "probes": probes}
        self.write("suites/small.yaml", json.dumps(suite))
        self.write("suites/conftest.py", CONFTEST)
        self.write("plain/test_plain.py", "def test_plain():\n    assert True\n")
        self.write("settings.py", "SECRET_KEY = 'x'\n")
        subprocess.run(["git", "init", "--quiet"], cwd=path, check=True)
        self.answers("Yes.")

    def write(self, name: str, text: str) -> None:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def answers(self, tuned: str) -> None:
        """What the scripted models say to everything."""
        self.write("suites/answers.json", json.dumps({"baseline": {"*": "Yes."}, "tuned": {"*": tuned}}))

    def run(self, *arguments: str, alone: bool = True) -> tuple[int, str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        if alone:
            environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", *arguments],
            cwd=self.path, env=environment, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        said = ran.stdout + ran.stderr
        assert "Traceback (most" not in said, said
        assert "INTERNALERROR" not in said, said
        return ran.returncode, said

    def record(self) -> dict[str, object]:
        run: dict[str, object] = json.loads((self.path / "reports/latest/record.json").read_text())["run"]
        return run


@pytest.fixture
def neighbourhood(tmp_path: Path) -> Neighbourhood:
    return Neighbourhood(tmp_path)


def entry_points(name: str) -> list[str]:
    """`-p` for each module of a plugin."""
    names = [point.name for point in distribution(name).entry_points if point.group == "pytest11"]
    return [argument for name in names for argument in ("-p", name)]


def check(neighbourhood: Neighbourhood, *arguments: str, alone: bool = True) -> None:
    """A project without suites is left alone, and the gate is green where nothing was lost, and nowhere else."""
    code, said = neighbourhood.run(*arguments, "plain", alone=alone)
    assert code == 0, said
    assert "forgetting gate =" not in said
    assert not (neighbourhood.path / "reports/latest").exists()
    code, said = neighbourhood.run(*arguments, "suites", "--collect-only", "-q", alone=alone)
    assert code == 0, said
    code, said = neighbourhood.run(*arguments, "suites", alone=alone)
    assert code == 0, said
    assert neighbourhood.record()["cases"]["decided"] == 3  # type: ignore[index]
    neighbourhood.answers("No.")
    (neighbourhood.path / ".testmondata").unlink(missing_ok=True)
    code, said = neighbourhood.run(*arguments, "suites", alone=alone)
    assert code == 1, said
    assert "FORGOTTEN, 100 points lost" in said
    assert neighbourhood.record()["cases"]["decided"] == 3  # type: ignore[index]


def plugins_of(name: str) -> list[str]:
    return [argument for needed in (*NEEDS.get(name, ()), name) for argument in entry_points(needed)]


@pytest.mark.parametrize("name", PLUGINS)
def test_alone(neighbourhood, name):
    check(neighbourhood, *plugins_of(name), *OURS, *PLUGINS[name])


@pytest.mark.parametrize("name", ["pytest-playwright", "pytest-reporter", "pytest-testreport"])
def test_alone_and_after_ours(neighbourhood, name):
    """Those that have an option of the same name."""
    check(neighbourhood, *OURS, *plugins_of(name), *PLUGINS[name])


def together() -> list[str]:
    """All plugins that get on with each other, and their options."""
    left_out = [argument for name in NOT_TOGETHER for argument in entry_points(name)]
    asked = [option for name, options in PLUGINS.items() if name not in NOT_TOGETHER for option in options]
    return [
        *(argument if argument == "-p" else f"no:{argument}" for argument in left_out),
        *(option for option in asked if option not in NOT_ASKED),
    ]


def test_together(neighbourhood):
    check(neighbourhood, *together(), alone=False)


def test_together_with_models_that_are_loaded(neighbourhood):
    base = save_model(neighbourhood.path / "base")
    save_adapter(neighbourhood.path / "kept", base, scale=0.0001)
    save_model(neighbourhood.path / "lost", seed=1)
    neighbourhood.write("suites/conftest.py", "")
    neighbourhood.write("suites/small.yaml", json.dumps(suite_of(base)))
    for model, expected in (("kept", 0), ("lost", 1)):
        (neighbourhood.path / ".testmondata").unlink(missing_ok=True)
        arguments = ("--model", model, "--gate-baseline=base", "--gate-device", "cpu")
        code, said = neighbourhood.run(*together(), "-n0", "suites", *arguments, alone=False)
        assert code == expected, said
        run = neighbourhood.record()
        assert (run["device"], run["tuned"]["reference"]) == ("cpu", model)  # type: ignore[index]
        assert not any("--device is another plugin's" in note for note in run["notes"])  # type: ignore[attr-defined]


def suite_of(base: Path) -> dict[str, object]:
    """A suite that the base answers right, for its own answers are the keys."""
    from harness.engine.registry import open_engine
    from harness.engine.requests import MultipleChoice, Plain
    from harness.models.reference import find_local_model

    choices = ("red", "green", "blue", "white")
    questions = [f"{chr(97 + i % 26)}{chr(65 + i * 7 % 26)}{i}{chr(97 + i * 11 % 26)}" for i in range(60)]
    requests = [MultipleChoice(Plain(text), tuple(f" {choice}" for choice in choices)) for text in questions]
    keys = [
        choices[max(range(4), key=answer.logprobs.__getitem__)]
        for answer in open_engine(find_local_model(str(base))).ask(requests)
    ]
    return {
        "suite": "colours",
        "task": {"format": "text", "prompt": "{question}", "answer": "choose"},
        "score": {"choice": {}},
        "gates": [{"over": "all", "max_drop": 0.1}],
        "probes": [
            {"id": f"q{i}", "question": text, "choices": choices, "answer": key}
            for i, (text, key) in enumerate(zip(questions, keys, strict=True))
        ],
    }


def test_help_shows_the_names_that_are_left(neighbourhood):
    code, said = neighbourhood.run("--help", "-p", "no:testreport", alone=False)
    assert code == 0
    assert "--model=REF, --gate-model=REF" in said
    assert "\n  --gate-device=DEVICE" in said
    assert "\n  --gate-report=DIR" in said
    assert "--device is another plugin's or a conftest.py's here" in " ".join(said.split())
