"""Runs where a package is older than those that were tested, or not there: said in words, and only to those who gate."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.project import said

ROOT = Path(__file__).parents[2]
SUITE = "suite: s\nscore: mentions\ngates: [{over: each}]\nprobes: [{id: a, question: Who?, answer: Ana}]\n"


@pytest.fixture
def old(project, monkeypatch):
    """Puts an old release in front of the installed one, which breaks as such a release does."""

    def put(package: str, version: str, breaks: str) -> None:
        info = project.path / "old" / f"{package}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {package}\nVersion: {version}\n")
        project.write(f"old/{package}.py", breaks)
        monkeypatch.setenv("PYTHONPATH", f"{project.path / 'old'}{os.pathsep}{ROOT}")

    project.write("s.yaml", SUITE)
    return put


def told(result, package):
    text = said(result)
    assert "Traceback" not in text
    assert f"{package} is installed, and >=" in text
    assert "\n  and see what else is wrong: python -m harness doctor" in text.replace("\nE ", "\n")
    return text


def test_a_run_that_would_gate(project, old):
    old("pydantic", "2.6.0", "raise TypeError('unexpected keyword')")
    result = project.run_alone("s.yaml", *project.folders())
    assert "it broke with TypeError: unexpected keyword" in told(result, "pydantic 2.6.0")
    assert result.ret == 4


def test_a_suite_that_is_collected(project, old):
    old("pydantic", "2.6.0", "raise ImportError(\"cannot import name 'BaseModel'\")")
    result = project.run_alone("--collect-only")
    told(result, "pydantic 2.6.0")
    assert result.ret == 2


def test_a_model_that_is_loaded(project, old):
    old("transformers", "4.57.6", "")
    result = project.run_alone("s.yaml", *project.folders())
    assert "it broke with ImportError: cannot import name" in told(result, "transformers 4.57.6")
    assert result.ret == 4


def test_tests_that_are_not_ours_run_all_the_same(project, old):
    old("pydantic", "2.6.0", "raise ImportError('old')")
    (project.path / "s.yaml").unlink()
    project.write("test_own.py", "def test_own(): pass\n")
    project.run_alone().assert_outcomes(passed=1)
