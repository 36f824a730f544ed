"""`python -m harness sequence` with real training of a tiny model: each recipe goes on from the last, and nothing is done twice."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file

from harness.cli.main import main
from harness.engine.settings import Settings
from harness.engine.transformers.proof import logits_of
from harness.models.reference import Adapter, FullModel, ModelPair, find_full_model, find_local_model
from harness.store.opening import open_pair
from harness.training.merged import as_full_model
from tests.support.models import save_adapter
from tests.support.sequences import read_sequence
from tests.support.trainings import WORDS, says, taught

KNOWN = {word * 2: "ok" for word in WORDS}
FIRST = dict.fromkeys(WORDS[:12], "yes")
SECOND = {str(n): "two" for n in range(11, 23)}
RECIPE = """\
recipe: {name}
base: base
target: {name}_task.yaml
corpus: {{file: {name}.jsonl}}
method: {method}
learning_rate: {rate}
epochs: 8
batch: 4
"""
LORA, FULL = ("{lora: {r: 8, target_modules: [q_proj, v_proj, down_proj]}}", 0.02), ("{full: {}}", 0.01)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORGETTING_GATE_CACHE", str(tmp_path / "cache"))
    taught(tmp_path / "base", KNOWN)
    says(tmp_path / "known.yaml", KNOWN)
    for name, lessons, (method, rate) in (("first", FIRST, LORA), ("second", SECOND, FULL)):
        says(tmp_path / f"{name}_task.yaml", lessons)
        text = RECIPE.format(name=name, method=method, rate=rate)
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        rows = [{"prompt": prompt, "answer": answer} for prompt, answer in lessons.items()]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return tmp_path


def test_each_recipe_goes_on_from_the_last(folder, capsys):
    arguments = ["sequence", "first.yaml", "second.yaml", "--suite", "known.yaml", "--out", "out", "--device", "cpu", "--store", "s.db"]  # fmt: skip
    assert main(arguments) == 1
    record = read_sequence(folder / "out")
    before, first, second = ([rate.value for rate in step.accuracy] for step in record.steps)
    assert (before, first[0], second[1]) == ([0, 0], 1, 1)
    assert record.steps[0].answers["known"][0].right
    assert [step.gates[0].outcome for step in record.steps[1:]] == ["failed", "failed"]
    # the second model was trained on the first, merged: it is no model of the base
    (merged,) = (folder / "cache" / "merged").glob("first-*[0-9a-f]")
    (trained,) = (folder / "cache" / "trained").glob("second-*[0-9a-f]")
    done = json.loads((trained / "recipe.json").read_text(encoding="utf-8"))
    assert done["base"] == {
        key: value
        for key, value in json.loads((merged / "merged.json").read_text(encoding="utf-8"))["merged"].items()
        if key in ("weights", "tokenizer")
    }
    assert "training on 12 examples" in capsys.readouterr().err

    assert main(arguments) == 1
    again = capsys.readouterr().err
    assert "loading" not in again
    assert "training on" not in again
    assert read_sequence(folder / "out").steps == record.steps


def test_an_adapter_becomes_the_full_model_that_it_makes(base, tmp_path, monkeypatch):
    monkeypatch.setenv("FORGETTING_GATE_CACHE", str(tmp_path / "cache"))
    settings = Settings(device="cpu", store="off")
    adapter = find_local_model(str(save_adapter(tmp_path / "adapter", base)))
    assert isinstance(adapter, Adapter)
    merged = as_full_model(adapter, settings, lambda text: None)
    assert merged == as_full_model(adapter, settings, lambda text: None)
    whole = find_full_model(str(merged.folder))
    assert as_full_model(whole, settings, lambda text: None) is whole
    pair = open_pair(ModelPair(adapter, FullModel("merged", merged.folder)), settings)
    rows = [[5, 60, 70, 80, 90, 100]]
    with pair.baseline.active():
        (left,) = logits_of(pair.baseline.model, rows)
    (right,) = logits_of(pair.tuned.model, rows)
    assert torch.allclose(left, right, atol=1e-4)


def test_a_model_merged_in_another_dtype_is_another(base, tmp_path, monkeypatch):
    monkeypatch.setenv("FORGETTING_GATE_CACHE", str(tmp_path / "cache"))
    adapter = find_local_model(str(save_adapter(tmp_path / "adapter", base)))
    rounded, alone, exact = (
        as_full_model(adapter, Settings(device="cpu", store="off", dtype=dtype), lambda text: None)
        for dtype in ("bfloat16", "auto", "float32")
    )
    assert alone == exact != rounded
    weights = [load_file(model.folder / "model.safetensors") for model in (rounded, exact)]
    assert any(not torch.equal(value, weights[0][name]) for name, value in weights[1].items())


def test_a_merged_model_that_was_damaged_is_merged_again(base, tmp_path, monkeypatch):
    monkeypatch.setenv("FORGETTING_GATE_CACHE", str(tmp_path / "cache"))
    settings = Settings(device="cpu", store="off")
    adapter = find_local_model(str(save_adapter(tmp_path / "adapter", base)))
    weights = as_full_model(adapter, settings, lambda text: None).folder / "model.safetensors"
    sound = weights.read_bytes()
    weights.write_bytes(sound[:-8] + b"\0" * 8)
    said: list[str] = []
    assert (as_full_model(adapter, settings, said.append).folder / "model.safetensors").read_bytes() == sound
    assert said[0].endswith(" is merged again: its weights changed since it was saved")
