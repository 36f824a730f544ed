"""What the nested runs share: a project to run them in, and the heavy imports, done once."""

from __future__ import annotations

from pathlib import Path

import pytest

# pytester forgets the modules that a nested run imports, and numpy and anyio do not survive a second import.
import harness.api
import harness.engine.server.opening
import harness.plugin.collect
import harness.plugin.run
import harness.recipes.read
import harness.reporting.summary  # noqa: F401
from tests.support.project import Project
from tests.support.runs import ALL
from tests.support.scorers import as_before

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    """An empty project; runs in processes of their own find this checkout's harness too."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # others' plugins: seconds for each worker
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    # Where these tests run in a worker of xdist, the runs in them are none.
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    return Project(pytester)


@pytest.fixture(autouse=True)
def _scores_as_before():
    """Nested runs register scores in this very process."""
    with as_before():
        yield


@pytest.fixture
def green(project):
    """A project whose last run was green; the options name its models."""
    project.capability(ALL, (60, 0, 0, 0))
    project.green = (*project.folders(), "general.yaml")
    assert project.run(*project.green).ret == 0
    return project
