"""Real models behind a store: the second run asks nobody, loads nothing, and decides the same; anything that changes is asked anew."""

from __future__ import annotations

import json
import shutil
import sqlite3
from dataclasses import replace

import pytest

import harness.engine.registry as registry
from harness.cli.main import main
from harness.engine.functions import FunctionEngine
from harness.engine.place import known_places
from harness.engine.requests import Generate, MultipleChoice, Plain, RollingLogLikelihood
from harness.engine.settings import Settings
from harness.engine.transformers.engine import TorchEngine
from harness.models.reference import find_pair
from harness.recipes.read import read_recipe
from harness.store.opening import open_pair
from harness.training.references import trained
from harness.training.train import trained_sources
from harness.training.trained import kept_before
from tests.support.kitchen import LORA, quietly
from tests.support.models import lora, save_adapter, save_trained

REQUESTS = [
    Generate(Plain("Why? "), 6),
    MultipleChoice(Plain("The sky is"), (" red", " blue")),
    RollingLogLikelihood("It rains."),
]

LOADED = """
import sys
def pytest_sessionfinish():
    print("\\nloaded:", sorted({"torch", "transformers", "peft"} & sys.modules.keys()))
"""


@pytest.fixture
def tuned(base, tmp_path):
    return save_trained(base, tmp_path / "tuned", lora(), scale=3.0)


@pytest.fixture
def settings(tmp_path):
    return Settings(store=str(tmp_path / "answers.db"))


def asked(gate, tuned, store, *arguments):
    """A run in a process of its own, and what it loaded."""
    (gate.pytester.path / "conftest.py").write_text(LOADED)
    result = gate.pytester.runpytest_subprocess(
        "-p", "harness.plugin", "-p", "no:cacheprovider", f"--model={tuned}", f"--store={store}", "-s", *arguments
    )  # fmt: skip
    [loaded] = [line.partition(": ")[2] for line in result.outlines if line.startswith("loaded: ")]
    return result, loaded


def decided(gate):
    return [
        {key: row[key] for key in ("slice", "verdict", "outcome", "drop", "kept", "lost")}
        for row in gate.record()["gates"]
    ]


def test_the_second_run_loads_nothing_and_decides_the_same(gate, tuned, tmp_path):
    first, loaded = asked(gate, tuned, tmp_path / "answers.db")
    assert (first.ret, loaded) == (1, "['peft', 'torch', 'transformers']")
    before, probes = decided(gate), gate.record()["probes"]
    second, loaded = asked(gate, tuned, tmp_path / "answers.db")
    assert (second.ret, loaded) == (1, "[]")
    assert decided(gate) == before
    assert gate.record()["probes"] == probes
    assert gate.record()["run"]["device"] == "cpu"
    assert gate.record()["run"]["dtype"] == "float32"


def test_the_baseline_of_another_tuned_model_is_known(base, tuned, tmp_path, settings):
    open_pair(find_pair(str(tuned), None), settings).baseline.ask(REQUESTS)
    other = save_adapter(tmp_path / "other", base)
    pair = open_pair(find_pair(str(other), None), settings)
    pair.baseline.opened = None  # it would break if it were asked
    expected = open_pair(find_pair(str(other), None), Settings(store="off")).baseline.ask(REQUESTS)
    assert pair.baseline.ask(REQUESTS) == expected


def test_a_copy_of_the_models_is_the_same_models(base, tuned, tmp_path, settings):
    answers = open_pair(find_pair(str(tuned), str(base)), settings).tuned.ask(REQUESTS)
    shutil.copytree(tuned, tmp_path / "copy")
    pair = open_pair(find_pair(str(tmp_path / "copy"), str(base)), settings)
    pair.tuned.opened = None
    assert pair.tuned.ask(REQUESTS) == answers


def change_json(path, **values):
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


CHANGES = {
    "weights": lambda folder: flip(folder / "adapter_model.safetensors"),
    "adapter's config": lambda folder: change_json(folder / "adapter_config.json", lora_alpha=1),
    "tokenizer": lambda folder: change_json(
        folder / "tokenizer_config.json", clean_up_tokenization_spaces=True
    ),
    "template": lambda folder: (folder / "chat_template.jinja").write_text("{{ messages[0].content }}"),
    "generation": lambda folder: (folder / "generation_config.json").write_text('{"eos_token_id": 5}'),
}


def flip(path):
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("change", CHANGES)
def test_a_model_with_any_change_is_asked_anew(base, tuned, tmp_path, settings, change):
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(base / name, tuned / name)
    open_pair(find_pair(str(tuned), str(base)), settings).tuned.ask(REQUESTS)
    before = models_in(settings)
    CHANGES[change](tuned)
    open_pair(find_pair(str(tuned), str(base)), settings).tuned.ask(REQUESTS)
    assert models_in(settings) == before + 1


@pytest.mark.parametrize(
    "other", [{"dtype": "bfloat16"}, {"template": "baseline"}, {"allow_keys": ("x",)}], ids=str
)
def test_other_settings_are_asked_anew(base, tuned, settings, other, tmp_path):
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(base / name, tuned / name)
    change_json(tuned / "tokenizer_config.json", added="so that its text side is its own")
    for how in ({}, other):
        changed = Settings(**{"store": settings.store, **how})
        open_pair(find_pair(str(tuned), str(base)), changed).tuned.ask(REQUESTS)
    assert models_in(settings) == 2


def models_in(settings):
    connection = sqlite3.connect(settings.store)
    (count,) = connection.execute("SELECT count(DISTINCT model) FROM answers").fetchone()
    connection.close()
    return count


def test_a_store_that_is_damaged_is_said_and_the_run_goes_on(gate, tuned, tmp_path):
    (tmp_path / "answers.db").write_text("no database" * 500)
    result, _ = asked(gate, tuned, tmp_path / "answers.db")
    assert result.ret == 1
    assert "answers are not stored: " in "\n".join(gate.record()["run"]["notes"])


def test_no_store_keeps_nothing(gate, tuned, tmp_path, monkeypatch):
    monkeypatch.setenv("FORGETTING_GATE_STORE", str(tmp_path / "answers.db"))
    _, loaded = asked(gate, tuned, "off", "--no-store")
    assert "torch" in loaded
    assert not (tmp_path / "answers.db").exists()


class TestTrainedBefore:
    """A recipe whose model is kept needs no torch to be found."""

    @pytest.fixture
    def found(self, kitchen, tmp_path):
        settings = Settings(device="cpu", store=str(tmp_path / "answers.db"))
        recipe = read_recipe(kitchen.recipe(LORA))
        pair = trained_sources(recipe, None, settings, kitchen.said.append, quietly)
        return recipe, pair, settings

    def test_it_is_found_again(self, found, monkeypatch):
        recipe, pair, settings = found
        monkeypatch.setattr("harness.training.train.trained_sources", lambda *arguments: pytest.fail("torch"))
        said = []
        assert trained(recipe, None, settings, said.append, quietly) == pair
        assert said == [f"r: trained before, kept in {pair.tuned.folder}"]

    def test_one_that_changed_is_not(self, found):
        recipe, pair, settings = found
        flip(pair.tuned.folder / "adapter_model.safetensors")
        assert kept_before(recipe, pair.baseline, settings) is None

    def test_nor_one_of_another_recipe_or_other_settings(self, found, kitchen):
        recipe, pair, settings = found
        other = read_recipe(kitchen.recipe(LORA.replace("r: 4", "r: 2")))
        assert kept_before(other, pair.baseline, settings) is None
        assert kept_before(recipe, pair.baseline, replace(settings, dtype="bfloat16")) is None
        assert kept_before(recipe, pair.baseline, replace(settings, store="off")) is None
        assert kept_before(recipe, pair.baseline, settings) == pair.tuned.folder

    def test_its_answers_are_exported_by_its_recipe(self, found, kitchen, tmp_path, capsys):
        recipe, pair, settings = found
        export = ["store", "export", str(tmp_path / "out"), f"--store={settings.store}"]
        assert main([*export, f"--model={recipe.path}"]) == 4
        said = "is a recipe, and this store knows of no model trained by it here with the default device and dtype\n"
        assert capsys.readouterr().err == (
            f"{recipe.path}: {said}  name the folder of its model; runs with it say where that is kept\n"
        )
        usual = replace(settings, device="auto")
        trained_sources(recipe, None, usual, kitchen.said.append, quietly)
        open_pair(pair, usual).tuned.ask(REQUESTS[:1])
        assert main([*export, f"--model={recipe.path}"]) == 0
        named = f"{tmp_path / 'out'}: 1 answer of {open_pair(pair, usual).tuned.label}\n"
        assert capsys.readouterr().out == named


def test_a_model_that_may_run_code_of_its_own_is_asked_each_time(base, tuned, settings, tmp_path):
    pair = open_pair(find_pair(str(tuned), None), replace(settings, allow_remote_code=True))
    assert isinstance(pair.tuned, TorchEngine)
    assert not (tmp_path / "answers.db").exists()


def test_a_file_that_cannot_be_read_is_left_to_the_loader(tuned, settings, monkeypatch):
    def refuse(*arguments):
        raise PermissionError("no")

    monkeypatch.setattr("harness.store.opening.model_content", refuse)
    assert isinstance(open_pair(find_pair(str(tuned), None), settings).tuned, TorchEngine)


@pytest.mark.parametrize("side", ["baseline", "tuned"])
def test_a_model_beside_an_engine_of_users_code_is_asked_once(base, settings, monkeypatch, side):
    function = FunctionEngine(str.upper, "served")
    monkeypatch.setattr(registry, "OPENERS", {"served": lambda endpoint, settings: function})
    references = {"baseline": str(base), "tuned": "served:x"}
    if side == "tuned":
        references = {"baseline": "served:x", "tuned": str(base)}
    for _ in range(2):
        pair = open_pair(
            find_pair(references["tuned"], references["baseline"], schemes=registry.OPENERS), settings
        )
        answers = pair.of(side).ask(REQUESTS)
        monkeypatch.setattr(TorchEngine, "stream", None)  # it would break if it were asked again
    assert len(answers) == len(REQUESTS)
    assert (pair.device, known_places(pair).dtype) == ("cpu", "float32")
