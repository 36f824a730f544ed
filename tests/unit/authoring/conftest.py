"""Tasks of lm-evaluation-harness in a folder of their own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.lm_eval import Task


@pytest.fixture
def task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Task:
    monkeypatch.chdir(tmp_path)
    return Task(tmp_path)


@pytest.fixture(autouse=True)
def without_datasets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
