"""A folder with recipes, suites and corpora to sweep over."""

from __future__ import annotations

import pytest

from tests.support.suites import suite_text
from tests.support.sweeps import RECIPE


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    base = tmp_path / "base"
    base.mkdir()
    (base / "config.json").write_text("{}", encoding="utf-8")
    (base / "model.safetensors").write_bytes(b"")
    (tmp_path / "corpus.jsonl").write_text('{"prompt": "a", "answer": "b"}\n', encoding="utf-8")
    for name, n in (("target", 10), ("general", 20), ("second", 10)):
        (tmp_path / f"{name}.yaml").write_text(suite_text(name, n), encoding="utf-8")
    for name, epochs in (("careless", 9), ("careful", 2), ("third", 3)):
        (tmp_path / f"{name}_recipe.yaml").write_text(
            RECIPE.format(name=name, epochs=epochs), encoding="utf-8"
        )
    return tmp_path
