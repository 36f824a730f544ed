"""A suite file, or the name of one that ships with the harness, in; the Suite, if it may be asked, out."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from harness.documents.within import Reach
from harness.errors import ScorerError
from harness.evaluation.permission import code_problem
from harness.scoring import load_scorers
from harness.suites.read import read_suite
from harness.suites.suite import Suite


def shipped_suite(name: str) -> Path:
    """The path of a suite that ships with the harness: in an installed package, or in a checkout."""
    package = Path(str(resources.files("harness")))
    packaged = package / "shipped" / f"{name}.yaml"
    return packaged if packaged.is_file() else package.parent / "suites" / f"{name}.yaml"


def suite_at(path: str | Path | None, name: str, allow_outside: bool) -> Suite:
    """The suite of a file, or the shipped one of that name where none is given; raises SuiteError."""
    file = Path(path) if path else shipped_suite(name)
    return read_suite(file, load_scorers(), Reach(anywhere=allow_outside))


def check_code(suite: Suite, allow_code: bool) -> None:
    """Refuse to run code that is not allowed, before any model is loaded; raises ScorerError."""
    if problem := code_problem(suite, suite.probes, allow_code):
        raise ScorerError(problem.text)
