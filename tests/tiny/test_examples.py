"""The Python in README.md and docs/mitigations.md runs as printed, on a tiny model."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from harness.engine.transformers.quiet import quiet
from harness.recipes.examples import Example
from harness.training.encode import encode
from tests.support.models import save_adapter
from tests.support.trainings import known_suite, loaded

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [
    pytest.param(code, id=f"{page}-{number}")
    for page in ("README.md", "docs/mitigations.md")
    for number, code in enumerate(BLOCK.findall((ROOT / page).read_text(encoding="utf-8")))
]


@pytest.fixture
def names(base, tmp_path, monkeypatch):
    """What the examples take as given: a model in ./base and ./tuned, suites, a model in memory and data."""
    monkeypatch.chdir(tmp_path)
    Path("suites").mkdir()
    known_suite(base, Path("suites")).rename("suites/general_qa.yaml")
    shutil.copytree(base, "base")
    save_adapter(Path("tuned"), Path("base"), scale=0.001)
    model, tokenizer = loaded(base)
    tokenizer.pad_token = tokenizer.eos_token
    rows = encode(tokenizer, [Example(f"x{number}", "zzzz") for number in range(8)])
    batches = [{name: torch.tensor([values]) for name, values in row.items()} for row in rows]
    return {
        "model": model, "tokenizer": tokenizer, "examples": rows, "general_batches": batches,
        "task_loss": torch.tensor(1.0), "domain_data": rows, "general_data": rows, "my_model": lambda prompt: "I do not know.",
    }  # fmt: skip


@pytest.mark.parametrize("code", BLOCKS)
def test_it_runs_as_printed(names, code):
    with quiet():
        exec(compile(code, "example", "exec"), names)
    found = SimpleNamespace(**names)
    if "run_gate" in code:
        assert found.record.gates
    if "trainer" in code:
        assert found.callback.history
