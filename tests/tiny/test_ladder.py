"""`python -m harness ladder` with real training of a tiny model: it learns, forgets, is ranked, and goes on."""

from __future__ import annotations

import json
import shutil

import pytest

from harness.cli.main import main
from harness.engine.settings import Settings
from harness.models.reference import find_full_model
from harness.sweep import models as ladder_models
from harness.sweep.record import read_sweep

RECIPE = """\
recipe: {name}
base: {base}
target: target.yaml
corpus: {{file: corpus.jsonl}}
batch: 4
"""
FULL = RECIPE + "method: {{full: {{}}}}\nlearning_rate: 0.02\nepochs: 12\n"
RECIPES = {
    "careless": FULL,
    "held": FULL + "l2_sp: 0.001\n",
    "adapter": RECIPE + "method: {{lora: {{r: 8}}}}\nlearning_rate: 0.05\nepochs: 12\n",
    "hot": RECIPE + "method: {{full: {{}}}}\nlearning_rate: 1.0\nepochs: 1\nweight_decay: 1e38\n",
}
WORDS = [f"{first}{second}" for first in "abcd" for second in "wxyz"]
SUITE = "suite: {name}\ntask: {{max_new_tokens: 6, format: {form}}}\nscore: {score}\ngates: [{{over: all, max_drop: 0.1}}]\nprobes:\n"


@pytest.fixture
def folder(tmp_path, base, monkeypatch):
    """Learn to say "ok" to everything; what the tiny model says of its own, and how it reads texts, is what must be kept."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORGETTING_GATE_CACHE", str(tmp_path / "cache"))
    for name, text in RECIPES.items():
        (tmp_path / f"{name}.yaml").write_text(text.format(name=name, base=base), encoding="utf-8")
    corpus = "".join(json.dumps({"prompt": word, "answer": "ok"}) + "\n" for word in WORDS)
    (tmp_path / "corpus.jsonl").write_text(corpus, encoding="utf-8")
    target = SUITE.format(name="target", form="chat", score="contains")
    target += "".join(f"  - {{id: {word}, question: {word}, answer: ok}}\n" for word in WORDS)
    (tmp_path / "target.yaml").write_text(target, encoding="utf-8")
    texts = "suite: texts\ntask: {format: text, answer: likelihood}\ngates: [{over: all, max_rise: 0.1}]\nprobes:\n"
    texts += "".join(f"  - {{id: {word}, text: {word} {word[::-1]} and so on}}\n" for word in WORDS)
    (tmp_path / "texts.yaml").write_text(texts, encoding="utf-8")
    kept = SUITE.format(name="kept", form="text", score="{not: {contains: {}}}")
    kept += "".join(f"  - {{id: {word}, question: {word}, answer: ok}}\n" for word in WORDS)
    (tmp_path / "kept.yaml").write_text(kept, encoding="utf-8")
    return tmp_path


def ladder(*arguments: str) -> int:
    suites = ["--suite", "kept.yaml", "--suite", "texts.yaml"]
    return main(["ladder", *arguments, *suites, "--report", "out", "--device", "cpu"])


def test_recipes_are_trained_measured_and_ranked(folder, capsys):
    assert ladder("careless.yaml", "adapter.yaml") == 0
    record = read_sweep(folder / "out")
    assert {one.rank for one in record.rungs} == {1, 2}
    for one in record.rungs:
        assert one.measured.gain >= 0.9
        assert one.seconds_training > 0
    assert record.run.dtype == "float32"
    assert len(record.run.weights) == 64
    assert record.suites[1].probes[0].baseline.raw().tokens > 0
    assert all(abs(one.measured.rises["texts"]) > 0 for one in record.rungs)
    out, err = capsys.readouterr()
    assert "Take '" in out
    assert "LoRA (measured): 'adapter' (adapters of rank 8 instead of the weights themselves" in out
    assert "careless: training on 16 examples" in err
    assert "texts, adapter, seed 42: 16 answers in " in err


def test_the_dtype_of_a_ladder_is_that_of_the_text_model(base, tmp_path, monkeypatch):
    """As on a GPU that computes in what is saved: some configs say it for each part of the model alone."""
    monkeypatch.setattr(ladder_models, "default_dtype", lambda device, saved: saved)
    shutil.copytree(base, tmp_path / "base")
    file = tmp_path / "base" / "config.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    for key in ("dtype", "torch_dtype"):
        config.pop(key, None)
    found = {}
    for dtype in ("bfloat16", None):
        text = json.dumps({**config, "text_config": {"dtype": dtype}})
        file.write_text(text, encoding="utf-8")
        found[dtype] = ladder_models.TorchModels(
            find_full_model(str(tmp_path / "base")), Settings(device="cpu")
        ).dtype
    assert found == {"bfloat16": "bfloat16", None: "float32"}


def test_a_killed_ladder_asks_and_trains_no_recipe_twice(folder, capsys, monkeypatch):
    really = ladder_models.trained_sources
    tried = []

    def kill(recipe, *rest):
        tried.append(recipe.name)
        if recipe.name == "held":
            raise KeyboardInterrupt
        return really(recipe, *rest)

    monkeypatch.setattr(ladder_models, "trained_sources", kill)
    assert ladder("careless.yaml", "held.yaml") == 130
    assert (tried, read_sweep(folder / "out").missing) == (["careless", "held"], ["held"])
    capsys.readouterr()

    monkeypatch.setattr(
        ladder_models,
        "trained_sources",
        lambda recipe, *rest: tried.append(recipe.name) or really(recipe, *rest),
    )
    assert ladder("careless.yaml", "held.yaml") == 0
    err = capsys.readouterr().err
    assert tried == ["careless", "held", "held"]
    assert "careless, seed 42: measured before" in err
    assert "baseline: 16 answers" not in err
    assert "careless, seed 42: 16 answers" not in err
    whole = read_sweep(folder / "out")
    assert whole.missing == []

    assert ladder("careless.yaml", "held.yaml") == 0
    assert tried == ["careless", "held", "held"]
    assert "loading" not in capsys.readouterr().err
    assert read_sweep(folder / "out").rungs == whole.rungs


def test_two_seeds_are_two_models(folder):
    assert ladder("careless.yaml", "--seeds", "1,2", "--sample", "8") == 0
    (rung,) = read_sweep(folder / "out").rungs
    first, second = rung.seeds
    assert [answer.answer for answer in first.suites["texts"]] != [
        answer.answer for answer in second.suites["texts"]
    ]
    assert rung.measured.general.n == 4


def test_a_training_that_fails_fails_the_command_and_not_the_others(folder, capsys):
    assert ladder("hot.yaml", "careless.yaml") == 1
    record = read_sweep(folder / "out")
    assert "training failed: the loss or a weight became NaN or infinite" in record.recipe("hot").error
    assert record.recipe("careless").rank == 1
    assert "hot, seed 42: failed\n  hot.yaml:" in capsys.readouterr().err


def test_a_base_that_is_not_there_is_said_before_anything_is_read(folder, capsys):
    text = RECIPES["careless"].format(name="lost", base="./nowhere")
    (folder / "lost.yaml").write_text(text, encoding="utf-8")
    assert ladder("lost.yaml") == 4
    assert (
        capsys.readouterr().err
        == "./nowhere: no such folder\n  a hub id has the form org/name or org/name@revision\n"
    )
