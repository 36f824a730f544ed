from __future__ import annotations

import copy
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, Qwen2Config, Qwen2ForCausalLM

from harness.engine.settings import Settings
from harness.engine.transformers.loading import load_pair
from harness.engine.transformers.quiet import quiet
from harness.errors import ModelError, RecipeError
from harness.models.identity import kept_identities, tokenizer_identity, weights_identity
from harness.models.reference import ITSELF
from harness.recipes.examples import Example
from harness.recipes.read import read_recipe
from harness.training import trained as trained_module
from harness.training import trainer as trainer_module
from harness.training.encode import IGNORED, encode
from harness.training.references import find_models, trained
from harness.training.train import trained_sources
from harness.training.trainable import prepare
from harness.training.trained import DONE
from tests.support.kitchen import FULL, HEAD, LORA, SETTINGS, quietly
from tests.support.models import save_tokenizer


def base_weights(base: Path) -> dict[str, torch.Tensor]:
    return load_file(base / "model.safetensors")


def changed(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> set[str]:
    assert before.keys() == after.keys()
    return {name for name in before if not torch.equal(before[name], after[name])}


def distance(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> float:
    return float(sum((before[name] - after[name]).pow(2).sum() for name in before)) ** 0.5


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return not changed(one, other)


# LoRA


def test_lora_leaves_every_base_tensor_bit_identical(kitchen, base):
    pair = load_pair(kitchen.train(LORA), SETTINGS)
    model = pair.tuned.model
    assert isinstance(model, PeftModel)
    held = {
        name.removeprefix("base_model.model.").replace(".base_layer", ""): value
        for name, value in model.state_dict().items()
        if "lora_" not in name
    }
    written = base_weights(base)
    assert held.keys() >= written.keys()
    assert all(torch.equal(held[name], value) for name, value in written.items())


def test_lora_trains_no_base_parameter(kitchen, base):
    with quiet():
        model = prepare(AutoModelForCausalLM.from_pretrained(base), read_recipe(kitchen.recipe(LORA)))
    learning = [name for name, value in model.named_parameters() if value.requires_grad]
    assert learning
    assert all("lora_" in name for name in learning)


def test_with_the_adapter_off_the_logits_are_exactly_the_baselines(kitchen, base):
    pair = load_pair(kitchen.train(LORA), SETTINGS)
    tokens = torch.arange(5, 40)[None]
    alone = AutoModelForCausalLM.from_pretrained(base).eval()
    with torch.inference_mode():
        expected = alone(tokens).logits
        with pair.baseline.active():
            assert torch.equal(pair.baseline.model(tokens).logits, expected)
        with pair.tuned.active():
            assert not torch.equal(pair.tuned.model(tokens).logits, expected)


def test_modules_to_save_learn_beside_the_adapter_and_the_base_stays(kitchen):
    weights = kitchen.weights("method: {lora: {r: 4, modules_to_save: [lm_head]}}\nepochs: 1\n")
    assert any("lm_head" in name for name in weights)
    assert any("modules_to_save trains lm_head whole" in line for line in kitchen.said)


def test_a_module_that_is_not_there_is_an_error_with_its_place(kitchen):
    with pytest.raises(ModelError, match=r"recipe\.yaml:6:\d+: the base has none of the target_modules"):
        kitchen.train("method: {lora: {target_modules: [no_such]}}\nepochs: 1\n")


# Full fine-tuning, whole or in part


def test_full_fine_tuning_changes_the_weights_and_learns(kitchen, base):
    sources = kitchen.train("method: {full: {}}\nepochs: 6\n")
    after = load_file(sources.tuned.folder / "model.safetensors")
    assert changed(base_weights(base), after) == set(after)
    curve = json.loads((sources.tuned.folder / DONE).read_text())["curve"]
    assert [entry["step"] for entry in curve] == list(range(1, 25))
    assert curve[-1]["loss"] < curve[0]["loss"] / 2


def test_last_layers_only_changes_them_alone(kitchen, base):
    after = kitchen.weights("method: {full: {last_layers: 1}}\nepochs: 1\n")
    moved = changed(base_weights(base), after)
    assert moved
    assert all(".layers.1." in name or name in ("model.norm.weight", "lm_head.weight") for name in moved)


def test_frozen_embeddings_stay(kitchen, base):
    after = kitchen.weights("method: {full: {freeze_embeddings: true}}\nepochs: 1\n")
    assert set(after) - changed(base_weights(base), after) == {"model.embed_tokens.weight"}


def test_biases_only(kitchen, tmp_path):
    folder = tmp_path / "qwen"
    torch.manual_seed(0)
    Qwen2ForCausalLM(
        Qwen2Config(vocab_size=261, hidden_size=16, intermediate_size=16, num_hidden_layers=2,
                    num_attention_heads=2, num_key_value_heads=2, initializer_range=0.4)
    ).save_pretrained(folder)  # fmt: skip
    save_tokenizer(folder)
    before = base_weights(folder)
    kitchen.base = folder
    after = kitchen.weights("method: {full: {biases_only: true}}\nepochs: 1\n")
    moved = changed(before, after)
    assert moved
    assert all(name.endswith("bias") for name in moved)


def test_a_model_without_biases_cannot_train_them(kitchen):
    with pytest.raises(ModelError, match="the base has no biases, so nothing would learn"):
        kitchen.train("method: {full: {biases_only: true}}\nepochs: 1\n")


def test_more_layers_than_there_are(kitchen):
    with pytest.raises(ModelError, match=r"last_layers|the base has 2 layers, saw 3"):
        kitchen.train("method: {full: {last_layers: 3}}\nepochs: 1\n")


# The same again, and going on


@pytest.mark.parametrize("text", [LORA, FULL], ids=["lora", "full"])
def test_two_runs_with_one_seed_give_the_same_weights(kitchen, text):
    first = kitchen.weights(text)
    kitchen.cache("another")
    assert same(first, kitchen.weights(text))
    kitchen.cache("third")
    assert not same(first, kitchen.weights(text + "seed: 7\n"))


def test_trained_once_for_the_same_content(kitchen):
    first = kitchen.train(LORA).tuned.folder
    assert kitchen.train(LORA + "about: another word for it\n").tuned.folder == first
    assert any("trained before" in line for line in kitchen.said)
    assert kitchen.train(LORA + "weight_decay: 0.1\n").tuned.folder != first
    half = trained_sources(
        read_recipe(kitchen.recipe(LORA)), None, Settings(device="cpu", dtype="bfloat16"), print, quietly
    )
    assert half.tuned.folder != first, "an adapter learns beside other weights when the base is rounded"
    kitchen.data("corpus.jsonl", [{"prompt": "say a", "answer": "zzz"}])
    assert kitchen.train(LORA).tuned.folder != first


def served(kitchen, text: str) -> bool:
    """Whether a recipe's model is taken from the cache folder."""
    trained = []

    def counter(label, unit=""):
        return lambda done, total: trained.append(done)

    kitchen.said.clear()
    kitchen.train(text, counter)
    before = any("trained before, kept in" in line for line in kitchen.said)
    assert before == (not trained), kitchen.said
    return before


@pytest.mark.parametrize("text", [LORA, FULL], ids=["lora", "full"])
def test_a_kept_model_with_a_tensor_that_was_changed_is_trained_again(kitchen, text):
    first = kitchen.weights(text)
    assert served(kitchen, text)
    file = next(kitchen.train(text).tuned.folder.glob("*model.safetensors"))
    tensors = load_file(file)
    name = next(iter(tensors))
    tensors[name].view(-1)[0] += 1e-6
    save_file(tensors, file, {"format": "pt"})
    assert changed(first, load_file(file)) == {name}
    assert not served(kitchen, text)
    assert any(
        line.endswith("trained again: its weights changed since it was saved") for line in kitchen.said
    )
    assert same(first, load_file(file))
    assert served(kitchen, text)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("adapter_model.safetensors", "its weights changed since it was saved"),
        ("adapter_config.json", "its weights changed since it was saved"),
        ("tokenizer.json", "its tokenizer changed since it was saved"),
        (DONE, "its recipe.json is gone"),
    ],
)
def test_a_kept_model_with_a_file_that_was_deleted_is_trained_again(kitchen, name, why):
    folder = kitchen.train(LORA).tuned.folder
    (folder / name).unlink()
    assert not served(kitchen, LORA)
    assert f"r: the model kept in {folder} is trained again: {why}" in kitchen.said
    assert (folder / name).is_file()
    assert served(kitchen, LORA)


def cut(text: str) -> str:
    return text[: len(text) // 2]


def older(text: str) -> str:
    """As written before identities were recorded."""
    return json.dumps({key: value for key, value in json.loads(text).items() if key != "trained"})


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (cut, "cannot be read"),
        (lambda text: "[]", "cannot be read"),
        (older, "does not say what was trained"),
        (
            lambda text: text.replace('"trained": {', '"trained": null, "x": {'),
            "does not say what was trained",
        ),
    ],
    ids=["cut", "list", "older", "null"],
)
def test_a_kept_model_whose_record_proves_nothing_is_trained_again(kitchen, damage, why):
    folder = kitchen.train(LORA).tuned.folder
    whole = (folder / DONE).read_text()
    (folder / DONE).write_text(damage(whole))
    assert not served(kitchen, LORA)
    assert f"r: the model kept in {folder} is trained again: its recipe.json {why}" in kitchen.said
    assert json.loads((folder / DONE).read_text())["trained"] == json.loads(whole)["trained"]
    assert served(kitchen, LORA)


@pytest.mark.parametrize("text", [LORA, FULL], ids=["lora", "full"])
def test_a_trained_model_says_what_it_is_and_which_base_it_was_trained_on(kitchen, base, text):
    folder = kitchen.train(text).tuned.folder
    done = json.loads((folder / DONE).read_text())
    assert done["base"] == {"weights": weights_identity(base), "tokenizer": tokenizer_identity(base)}
    assert done["trained"] == kept_identities(folder)
    assert done["trained"]["weights"] == weights_identity(folder)
    assert done["base"]["weights"] != done["trained"]["weights"]


HELD = """\
method: {full: {}}
epochs: 3
ewc: {file: general.jsonl, importance: 10}
distill: {file: general.jsonl, batch: 2}
"""


CHANGED = (
    LORA.replace("epochs: 2", "steps: 8")
    + "oplora: 4\nfinch: {smoothing: 0.5}\nstm: {threshold: 200}\ntalr: {}\nmasked_kl: {}\n"
)
TAUGHT = LORA + "sdft: {max_new_tokens: 4, teacher_rate: 0.3}\nfinch: {}\n"


@pytest.mark.parametrize(
    "text",
    [LORA, HELD, HELD.replace("epochs: 3", "epochs: 5") + "accumulation: 3\n", CHANGED, TAUGHT],
    ids=["lora", "held", "uneven", "changed", "itself"],
)
def test_an_interrupted_training_goes_on_and_ends_with_the_same_weights(kitchen, monkeypatch, text):
    whole = kitchen.weights(text)
    kitchen.cache("interrupted")
    monkeypatch.setattr(trainer_module, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)

    def interrupted(label, unit=""):
        def show(done, total):
            if unit == "steps" and done == 5:
                raise KeyboardInterrupt

        return show

    with pytest.raises(KeyboardInterrupt):
        kitchen.train(text, interrupted)
    steps = []

    def counted(label, unit=""):
        return lambda done, total: steps.append(done) if unit == "steps" else None

    assert same(kitchen.weights(text, counted), whole)
    assert steps[0] == 5, "the first four updates were made before the interruption"
    assert any("going on from a checkpoint" in line for line in kitchen.said)


def test_a_killed_training_leaves_no_half_model(kitchen, tmp_path, base):
    path = kitchen.recipe(LORA.replace("epochs: 2", "steps: 400"))
    script = f"""
import harness.training.trainer as trainer
from pathlib import Path
trainer.SECONDS_BETWEEN_CHECKPOINTS = 0.0
from harness.engine.transformers.quiet import quiet
from harness.engine.settings import Settings
from harness.recipes.read import read_recipe
from harness.training.train import trained_sources
def counter(label, unit=""):
    return lambda done, total: print(done, flush=True)
trained_sources(read_recipe(Path({str(path)!r})), None, Settings(device="cpu"), lambda text: None, counter)
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= 6:
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    trained = Path(os.environ["FORGETTING_GATE_CACHE"]) / "trained"
    assert not [folder for folder in trained.iterdir() if (folder / DONE).is_file()]
    (unfinished,) = trained.glob(".r-*-unfinished")
    newest = trainer_module.last_checkpoint(unfinished)
    assert newest is not None
    half = unfinished / "checkpoint-9999"  # as a kill leaves it in the middle of writing
    half.mkdir()
    (half / "trainer_state.json").write_text("{")
    assert trainer_module.last_checkpoint(unfinished) == newest


def test_the_key_of_a_recipe_is_what_it_was_when_models_were_first_kept(kitchen, monkeypatch):
    kitchen.data("corpus.jsonl", [{"prompt": f"p{n}", "answer": f"a{n}"} for n in range(4)])
    head = "recipe: r\nbase: embedded\ncorpus: {{file: corpus.jsonl}}\nlearning_rate: 1e-5\n"
    recipe = read_recipe(kitchen.recipe("method: {full: {}}\nepochs: 2\nwarmup: 0.1\n", head))
    monkeypatch.setattr(trained_module, "version", lambda name: "1")
    key = trained_module.recipe_key(recipe, {"model.safetensors": "0"}, "cpu", "torch.float32")
    assert key == "0804fd3063332edf753ecbd740f713166a5f72606fa0eeb4944a661ea0f4154c"


# What goes wrong


def test_a_loss_that_becomes_nan_is_an_error_and_nothing_is_kept(kitchen):
    head = HEAD.replace("0.01", "1.0")
    path = kitchen.recipe("method: {full: {}}\nsteps: 40\n", head)
    recipe = read_recipe(path)
    broken = recipe.written.model_copy(update={"learning_rate": 1e30})
    with pytest.raises(
        ModelError, match=r"recipe\.yaml:4:1: training failed: the loss or a weight became NaN"
    ):
        trained_sources(replace(recipe, written=broken), None, SETTINGS, kitchen.said.append, quietly)
    trained = Path(os.environ["FORGETTING_GATE_CACHE"]) / "trained"
    assert not [path for path in trained.iterdir() if path.is_dir()]


def test_too_little_memory_is_said_with_what_to_do(kitchen, monkeypatch):
    def full(self, *arguments, **named):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(trainer_module.TermsTrainer, "training_step", full)
    with pytest.raises(
        ModelError, match=r"recipe\.yaml:5:1: training ran out of the memory of cpu\n  lower 'batch'"
    ):
        kitchen.train(LORA)


def test_float16_needs_a_gpu(kitchen):
    with pytest.raises(ModelError, match=r"recipe\.yaml:8:1: float16 needs a GPU, and this runs on cpu"):
        kitchen.train(LORA + "precision: float16\n")


def test_bfloat16_runs_and_the_weights_that_learn_stay_float32(kitchen):
    weights = kitchen.weights(FULL + "precision: bfloat16\n")
    assert {value.dtype for value in weights.values()} == {torch.float32}


def test_a_tuned_bfloat16_base_is_saved_in_bfloat16_however_it_learnt(kitchen, base, tmp_path):
    kitchen.base = tmp_path / "half"
    with quiet():
        AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16).save_pretrained(kitchen.base)
    save_tokenizer(kitchen.base)
    folder = kitchen.train(FULL).tuned.folder
    assert {value.dtype for value in load_file(folder / "model.safetensors").values()} == {torch.bfloat16}
    assert json.loads((folder / "config.json").read_text())["dtype"] == "bfloat16"
    assert served(kitchen, FULL)


def test_too_little_general_data_is_said(kitchen):
    with pytest.raises(
        RecipeError, match=r"recipe\.yaml:8:\d+: a replay fraction of 0\.9 beside 8 examples needs 72"
    ):
        kitchen.train(LORA + "replay: {file: general.jsonl, fraction: 0.9}\n")


# Mitigations


@pytest.mark.parametrize(
    "mitigation",
    ["l2_sp: 10.0", "ewc: {file: general.jsonl, importance: 1000}",
     "ewc: {file: general.jsonl, importance: 1000, variant: sampled, answers: baseline, max_new_tokens: 4}"],
    ids=["l2-sp", "ewc", "ewc-sampled"],
)  # fmt: skip
def test_a_penalty_holds_the_weights_nearer(kitchen, base, mitigation):
    free = distance(base_weights(base), kitchen.weights("method: {full: {}}\nepochs: 4\n"))
    held = distance(base_weights(base), kitchen.weights(f"method: {{full: {{}}}}\nepochs: 4\n{mitigation}\n"))
    assert held < 0.8 * free


def divergence(base: Path, sources, prompts) -> float:
    """Mean KL(baseline || tuned) in nats on the finished chats of `prompts`."""
    pair = load_pair(sources, SETTINGS)
    total = []
    for row in encode(pair.tuned.tokenizer, prompts):
        tokens = torch.tensor([row["input_ids"]])
        with torch.inference_mode():
            with pair.baseline.active():
                before = torch.log_softmax(pair.baseline.model(tokens).logits, -1)
            with pair.tuned.active():
                after = torch.log_softmax(pair.tuned.model(tokens).logits, -1)
        answer = [i for i, label in enumerate(row["labels"]) if label != IGNORED]
        gap = (before.exp() * (before - after)).sum(-1)[0]
        total.append(float(gap[[i - 1 for i in answer]].mean()))
    return sum(total) / len(total)


@pytest.mark.parametrize("method", ["full: {}", "lora: {r: 4}"], ids=["full", "lora"])
def test_distillation_stays_nearer_to_what_the_baseline_says(kitchen, base, method):
    prompts = [Example(f"count {n}", f"{n} {n}") for n in range(12)]
    text = f"method: {{{method}}}\nepochs: 4\n"
    free = divergence(base, kitchen.train(text), prompts)
    held = divergence(base, kitchen.train(text + "distill: {file: general.jsonl, weight: 5}\n"), prompts)
    assert held < 0.7 * free


def test_a_penalty_counts_once_to_an_update_however_many_batches_it_has(kitchen, base):
    text = "method: {full: {}}\nsteps: 4\nl2_sp: 5.0\n"
    whole = kitchen.weights(text)
    head = HEAD.replace("batch: 2", "batch: 1")
    recipe = read_recipe(kitchen.recipe(text + "accumulation: 2\n", head))
    sources = trained_sources(recipe, None, SETTINGS, kitchen.said.append, quietly)
    parts = load_file(sources.tuned.folder / "model.safetensors")
    apart = max(float((whole[name] - parts[name]).abs().max()) for name in whole)
    moved = max(float((whole[name] - value).abs().max()) for name, value in base_weights(base).items())
    assert apart < 0.02 * moved


def test_self_replay_trains_on_the_baselines_own_answers(kitchen):
    asked = []

    def counter(label, unit=""):
        asked.append(label)
        return lambda done, total: None

    kitchen.train(
        LORA + "replay: {file: general.jsonl, fraction: 0.2, answers: baseline, max_new_tokens: 4}\n", counter
    )
    assert asked[0] == "r, self-replay"
    assert any("training on 10 examples" in line for line in kitchen.said)
    assert (
        "r: replay: max_new_tokens, 4, cut 2 of 2 answers of the baseline; no end follows them"
        in kitchen.said
    )


@pytest.mark.parametrize("key", ["replay", "ewc", "distill"])
def test_the_baseline_answers_a_file_of_prompts_alone(kitchen, key):
    kitchen.data("general.jsonl", [{"prompt": f"count {n}"} for n in range(12)])
    part = "file: general.jsonl, answers: baseline, max_new_tokens: 4"
    more = {"replay": "fraction: 0.2", "ewc": "importance: 1", "distill": "weight: 1"}[key]
    kitchen.train(f"{FULL}{key}: {{{part}, {more}}}\n")
    assert any(f"r: {key}: max_new_tokens, 4, cut" in line for line in kitchen.said)


# Encoding


def test_text_is_prompt_space_answer_end(reference):
    _, tokenizer = reference
    (row,) = encode(tokenizer, [Example("two plus two is ", " four")], "text")
    assert tokenizer.decode(row["input_ids"]) == "two plus two is four<end>"
    learnt = [label for label in row["labels"] if label != IGNORED]
    assert tokenizer.decode(learnt) == " four<end>"


def test_a_chat_learns_its_answer_and_its_end_alone(reference):
    _, tokenizer = reference
    (row,) = encode(tokenizer, [Example("hi", "ho")])
    assert tokenizer.decode(row["input_ids"]) == "<user>hi<end><assistant>ho<end>"
    assert tokenizer.decode([label for label in row["labels"] if label != IGNORED]) == "ho<end>"


@pytest.mark.parametrize("form", ["text", "chat"])
def test_no_end_follows_an_answer_that_was_cut(reference, form):
    _, tokenizer = reference
    whole, cut = encode(tokenizer, [Example("hi", "ho ho"), Example("hi", "ho ho", cut=True)], form)
    (end,) = tokenizer("<end>", add_special_tokens=False).input_ids
    assert whole == {name: [*values, end] for name, values in cut.items()}


def test_the_end_of_a_cut_answer_must_show(reference):
    _, tokenizer = reference
    tokenizer = copy.deepcopy(tokenizer)
    tokenizer.chat_template = tokenizer.chat_template.replace("m['content']", "m['content'] | upper")
    with pytest.raises(ModelError, match="rewrites answers; their ends cannot be told apart"):
        encode(tokenizer, [Example("hi", "ho", cut=True)])


def test_a_warmup_of_no_step_is_told(kitchen):
    kitchen.train(LORA + "warmup: 0.05\n")
    assert any(
        line.endswith("recipe.yaml:8:1: a warmup of 0.05 of 8 steps rounds to none") for line in kitchen.said
    )
    kitchen.said.clear()
    kitchen.train(LORA + "warmup: 0.1\n")
    assert not any("rounds to none" in line for line in kitchen.said)


def test_the_loss_curve_is_shown(kitchen):
    kitchen.train(LORA)
    line = next(line for line in kitchen.said if line.startswith("r: loss "))
    assert "█" in line


def test_a_recipe_against_itself_is_one_model(kitchen):
    path = str(kitchen.recipe(LORA))
    pair = trained(find_models(path, "same", SETTINGS), "same", SETTINGS, kitchen.said.append, quietly)
    assert pair.baseline is pair.tuned
    assert pair.tuned.name == path
    assert ITSELF in pair.notes


def test_a_recipe_given_twice_is_refused_before_training(kitchen):
    path = str(kitchen.recipe(LORA))
    with pytest.raises(ModelError, match="is a recipe, but a baseline must be a model"):
        find_models(path, path, SETTINGS)


@pytest.mark.parametrize("baseline", ["./nowhere", "nope:x", "other.yaml"])
def test_a_baseline_that_leads_nowhere_is_told_before_training(kitchen, baseline):
    with pytest.raises(ModelError, match=baseline):
        find_models(str(kitchen.recipe(LORA)), baseline, SETTINGS)
