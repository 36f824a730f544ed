"""Recipes over a tiny base, cooked in a cache of their own."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from harness.engine.settings import Settings
from harness.recipes.read import read_recipe
from harness.training.train import trained_sources

SETTINGS = Settings(device="cpu")


HEAD = """\
recipe: r
base: {base}
corpus: {{file: corpus.jsonl}}
learning_rate: 0.01
batch: 2
"""


def quietly(label, unit=""):
    return lambda done, total: None


class Kitchen:
    """Writes recipes over the tiny base, and cooks them in a cache of their own."""

    def __init__(self, folder: Path, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.base, self.monkeypatch = folder, base, monkeypatch
        self.said: list[str] = []
        self.cache("cache")
        rows = [{"prompt": f"say {letter}", "answer": letter * 3} for letter in "abcdefgh"]
        self.data("corpus.jsonl", rows)
        self.data("general.jsonl", [{"prompt": f"count {n}", "answer": f"{n} {n}"} for n in range(12)])

    def cache(self, name: str) -> None:
        self.monkeypatch.setenv("FORGETTING_GATE_CACHE", str(self.folder / name))

    def data(self, name: str, rows: list[dict[str, str]]) -> None:
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (self.folder / name).write_text(text, encoding="utf-8")

    def recipe(self, text: str, head: str = HEAD) -> Path:
        path = self.folder / "recipe.yaml"
        path.write_text(head.format(base=self.base) + textwrap.dedent(text), encoding="utf-8")
        return path

    def train(self, text: str, counter=quietly):
        return trained_sources(read_recipe(self.recipe(text)), None, SETTINGS, self.said.append, counter)

    def weights(self, text: str, counter=quietly) -> dict[str, torch.Tensor]:
        folder = self.train(text, counter).tuned.folder
        return load_file(next(folder.glob("*model.safetensors")))


LORA = "method: {lora: {r: 4}}\nepochs: 2\n"


FULL = "method: {full: {}}\nepochs: 2\n"
