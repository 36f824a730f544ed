"""Whatever adapter is put on a base: the baseline answers as the base in its folder does, the tuned model as peft has it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import peft
import pytest
import torch
from packaging.version import Version
from peft import PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import LlamaForCausalLM

from harness.engine.requests import (
    Chat,
    EnginePair,
    Generate,
    Message,
    MultipleChoice,
    Plain,
    RollingLogLikelihood,
)
from harness.engine.settings import Settings
from harness.engine.transformers.loading import load_pair
from harness.engine.transformers.quiet import quiet
from harness.errors import EngineError, ModelError
from harness.models.allowed import Allowed
from harness.models.identity import weights_identity
from harness.models.reference import find_pair
from tests.support.engines import load_reference
from tests.support.models import CHANGES, TARGETS, lora, save_model, save_trained

ASK = [Generate(Chat((Message("user", text),)), 8) for text in ("hello", "what is this?", "abc")]
ASK += [
    MultipleChoice(Plain("one two"), (" three", " four")),
    RollingLogLikelihood("The quick brown fox jumps."),
]


def other(kind, **changes):
    return getattr(peft, kind)(**{"target_modules": TARGETS, "task_type": "CAUSAL_LM", **changes})


LEAVES = {
    "lora": lora(),
    "dora": lora(use_dora=True),
    "rslora": lora(use_rslora=True),
    "lora on embeddings": lora(target_modules=[*TARGETS, "embed_tokens"]),
    "modules to save": lora(modules_to_save=["lm_head"]),
    "trained tokens beside": lora(trainable_token_indices=[73, 76]),
    "trained tokens alone": peft.TrainableTokensConfig(token_indices=[73, 76], task_type="CAUSAL_LM"),
    "ia3": peft.IA3Config(task_type="CAUSAL_LM"),
    "loha": other("LoHaConfig", r=4),
    "lokr": other("LoKrConfig", r=4),
    "vera": other("VeraConfig", r=8),
    "adalora": other("AdaLoraConfig", total_step=100),
    "oft": other("OFTConfig", oft_block_size=4),
    "alora": lora(alora_invocation_tokens=[3]),
}
"""Adapters that leave the base alone."""


def with_bias(base: Path) -> Path:
    """The base with biases, so that an adapter can train them."""
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps({**config, "attention_bias": True}))
    tensors = load_file(base / "model.safetensors")
    for name in [name for name in tensors if "self_attn" in name and name.endswith("_proj.weight")]:
        tensors[name.replace("weight", "bias")] = torch.zeros(len(tensors[name]))
    save_file(tensors, base / "model.safetensors", metadata={"format": "pt"})
    return base


@torch.inference_mode()
def written(model, tokens: list[int], number: int, ends: set[int]) -> list[int]:
    """Greedy decoding without a cache, one whole forward pass a token."""
    found: list[int] = []
    for _ in range(number):
        token = int(
            model(input_ids=torch.tensor([[*tokens, *found]]), use_cache=False).logits[0, -1].argmax()
        )
        if token in ends:
            break
        found.append(token)
    return found


def check(pair: EnginePair, base: Path, folder: Path) -> None:
    """The baseline is the base, before and after the tuned model was asked; the tuned model is what peft loads."""
    alone = load_reference(str(base)).ask(ASK)
    assert pair.baseline.ask(ASK) == alone
    tuned = pair.tuned.ask(ASK)
    assert tuned != alone
    assert pair.baseline.ask(ASK) == alone
    with quiet():
        model = LlamaForCausalLM.from_pretrained(base)
        rows = next(
            (
                len(t)
                for k, t in load_file(folder / "adapter_model.safetensors").items()
                if "embed_tokens.weight" in k
            ),
            0,
        )
        if rows:
            model.resize_token_embeddings(rows, mean_resizing=False)
        model = PeftModel.from_pretrained(model, str(folder)).eval()
    for request, answer in zip(ASK[:3], tuned, strict=False):
        tokens = pair.tuned.tokens(request.prompt)
        found = written(model, tokens, request.max_new_tokens, set(pair.tuned.prompting.end_tokens))
        assert answer.text == pair.tuned.tokenizer.decode(found, skip_special_tokens=True)


@pytest.mark.parametrize("kind", LEAVES)
def test_an_adapter_that_leaves_its_base_alone_shares_it(base, tmp_path, kind):
    folder = save_trained(base, tmp_path / "tuned", LEAVES[kind])
    pair = load_pair(find_pair(str(folder), None))
    check(pair, base, folder)
    assert pair.baseline.model is pair.tuned.model
    assert not any("loaded on its own" in note for note in pair.notes)


@pytest.mark.parametrize("kind", CHANGES)
def test_an_adapter_that_changes_its_base_gets_another_baseline(base, tmp_path, kind):
    if kind == "bias of lora" and Version(peft.__version__) < Version("0.21"):
        pytest.skip("before 0.21, peft leaves such biases out of what it saves")
    if kind.startswith("bias"):
        base = with_bias(Path(shutil.copytree(base, tmp_path / "base")))
    folder = save_trained(base, tmp_path / "tuned", CHANGES[kind])
    pair = load_pair(find_pair(str(folder), None))
    check(pair, base, folder)
    assert pair.baseline.model is not pair.tuned.model
    assert any("switched off, the model differs from its base: " in note for note in pair.notes)


@pytest.mark.parametrize(
    "way",
    [
        "pissa",
        "pissa_niter_4",
        "olora",
        "loftq",
        "corda",
        "eva",
        "lora_ga",
        "orthogonal",
        "gaussian",
        True,
        False,
    ],
)
def test_no_way_to_begin_a_lora_moves_the_baseline(base, tmp_path, way):
    """peft begins an adapter anew when it loads one, before it puts the trained tensors in."""
    folder = save_trained(base, tmp_path / "tuned", lora())
    file = folder / "adapter_config.json"
    changes = {"init_lora_weights": way, "loftq_config": {"loftq_bits": 4} if way == "loftq" else {}}
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
    try:
        pair = load_pair(find_pair(str(folder), None))
    except ModelError as error:
        assert way in str(error) or "cannot be loaded" in str(error)  # noqa: PT017
        return
    assert pair.baseline.ask(ASK) == load_reference(str(base)).ask(ASK)


@pytest.mark.parametrize("rows", [261, 264], ids=["as many", "more"])
def test_an_adapter_that_carries_embeddings_gets_another_baseline(base, tmp_path, rows):
    folder = save_trained(base, tmp_path / "tuned", lora(), saved_embeddings=True, rows=rows)
    pair = load_pair(find_pair(str(folder), None))
    check(pair, base, folder)
    assert pair.baseline.model is not pair.tuned.model
    assert any("so the base is loaded on its own" in note for note in pair.notes)


def test_modules_to_save_of_another_size_arrive_whole(base, tmp_path):
    """peft writes each of them three times where the vocabulary was changed."""
    config = lora(modules_to_save=["embed_tokens", "lm_head"])
    folder = save_trained(base, tmp_path / "tuned", config, saved_embeddings=True, rows=264)
    assert len([key for key in load_file(folder / "adapter_model.safetensors") if "lm_head" in key]) > 1
    pair = load_pair(find_pair(str(folder), None))
    check(pair, base, folder)


# What is refused, and what the user hears


@pytest.mark.parametrize(
    ("config", "why"),
    [
        (
            peft.PolyConfig(target_modules=TARGETS, task_type="CAUSAL_LM"),
            "it needs the task of each prompt",
        ),
        (peft.PromptTuningConfig(num_virtual_tokens=4, task_type="CAUSAL_LM"), "learns a prompt"),
        (peft.PrefixTuningConfig(num_virtual_tokens=4, task_type="CAUSAL_LM"), "learns a prompt"),
    ],
    ids=["poly", "prompt", "prefix"],
)
def test_an_adapter_that_the_engine_cannot_run_is_refused(base, tmp_path, config, why):
    folder = save_trained(base, tmp_path / "tuned", config)
    with pytest.raises(ModelError, match=why):
        load_pair(find_pair(str(folder), None))


def test_x_lora_is_refused(base, adapter, tmp_path):
    with quiet():
        model = LlamaForCausalLM.from_pretrained(base, use_cache=False)
        config = peft.XLoraConfig(
            task_type="CAUSAL_LM", hidden_size=32, adapters={"0": str(adapter), "1": str(adapter)}
        )
        get_peft_model(model, config).save_pretrained(tmp_path / "tuned")
    with pytest.raises(ModelError, match="cannot run an adapter of type XLORA: it weighs its adapters"):
        load_pair(find_pair(str(tmp_path / "tuned"), None))


def test_an_adapter_that_learnt_tokens_of_the_chat_alone_changes_something(base, tmp_path):
    """No text has them, and few of them are met by chance."""
    folder = save_trained(
        base, tmp_path / "tuned", peft.TrainableTokensConfig(token_indices=[2], task_type="CAUSAL_LM")
    )
    config = folder / "adapter_config.json"
    assert json.loads(config.read_text())["token_indices"] == [2]
    pair = load_pair(find_pair(str(folder), None))
    assert pair.tuned.ask(ASK) != pair.baseline.ask(ASK)


def test_trained_tokens_that_were_not_trained_change_nothing(base, tmp_path):
    with quiet():
        model = get_peft_model(LlamaForCausalLM.from_pretrained(base), LEAVES["trained tokens alone"])
        model.save_pretrained(tmp_path / "tuned")
    with pytest.raises(EngineError, match="the adapter changes nothing"):
        load_pair(find_pair(str(tmp_path / "tuned"), None))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("lora", "dora"),
        ("lora", "pissa"),
        ("pissa", "lora"),
        ("ia3", "lora"),
        ("lora", "modules to save"),
        ("lora", "loha"),
    ],
)
def test_two_adapters_answer_as_each_does_alone(base, tmp_path, first, second):
    kinds = {**LEAVES, **CHANGES}
    folders = [save_trained(base, tmp_path / str(i), kinds[kind]) for i, kind in enumerate((first, second))]
    pair = load_pair(find_pair(str(folders[1]), str(folders[0])))
    alone = [load_reference(str(folder)).ask(ASK) for folder in folders]
    assert [pair.baseline.ask(ASK), pair.tuned.ask(ASK)] == alone
    assert [pair.baseline.ask(ASK), pair.tuned.ask(ASK)] == alone
    apart = pair.baseline.model is not pair.tuned.model
    assert apart == any("each has its own" in note or "loaded on its own" in note for note in pair.notes)


def test_an_adapter_against_the_base_of_another(base, tmp_path):
    """The full model is the base as it is in its folder, though an adapter that changes it was put on a copy."""
    folder = save_trained(base, tmp_path / "tuned", CHANGES["pissa"])
    pair = load_pair(find_pair(str(base), str(folder)))
    assert pair.tuned.ask(ASK) == load_reference(str(base)).ask(ASK)


def test_a_key_that_peft_does_not_know_is_refused_unless_allowed_by_name(base, adapter, tmp_path):
    folder = Path(shutil.copytree(adapter, tmp_path / "tuned"))
    file = folder / "adapter_config.json"
    config = json.loads(file.read_text())
    file.write_text(json.dumps({**config, "use_quantum": True, "off_by_default": False, "also_off": None}))
    with pytest.raises(
        ModelError, match=r"does not know 'use_quantum' \(True\).*\n.*allow_keys=\['use_quantum'\]"
    ):
        load_pair(find_pair(str(folder), None))
    pair = load_pair(find_pair(str(folder), None), Settings(allow_keys=("use_quantum",)))
    assert any("at loading: Unexpected keyword arguments" in note for note in pair.notes)


def test_a_pickled_adapter_is_held_to_the_same(base, adapter, tmp_path):
    folder = Path(shutil.copytree(adapter, tmp_path / "tuned"))
    tensors = load_file(folder / "adapter_model.safetensors")
    (folder / "adapter_model.safetensors").unlink()
    torch.save(tensors, folder / "adapter_model.bin")
    pair = find_pair(str(folder), None, Allowed(pickle=True))
    assert load_pair(pair, Settings(allow_pickle=True)).tuned.ask(ASK) == load_reference(str(adapter)).ask(
        ASK
    )
    first = sorted(tensors)[0]
    torch.save(
        {**tensors, first.replace("layers.0", "layers.7"): tensors[first]}, folder / "adapter_model.bin"
    )
    with pytest.raises(ModelError, match=r"1 of 9 tensors have no place in it, the first .*layers\.7"):
        load_pair(pair, Settings(allow_pickle=True))


def test_what_is_known_of_the_base_is_said(base, adapter, tmp_path):
    folder = Path(shutil.copytree(adapter, tmp_path / "tuned"))
    (said,) = [
        note for note in load_pair(find_pair(str(folder), None)).notes if "trained on exactly these" in note
    ]
    assert said.endswith("is unknown: nothing records their hash or commit")
    (folder / "recipe.json").write_text(json.dumps({"base": {"weights": weights_identity(base)}}))
    assert load_pair(find_pair(str(folder), None)).notes == ()
    elsewhere = save_model(tmp_path / "elsewhere", seed=9)  # of equal shapes
    (folder / "recipe.json").write_text(json.dumps({"base": {"weights": weights_identity(elsewhere)}}))
    with pytest.raises(ModelError, match="was not trained on the weights of"):
        load_pair(find_pair(str(folder), None))


def test_an_adapter_whose_tensor_did_not_arrive_is_refused(base, adapter, monkeypatch):
    real = peft.peft_model.set_peft_model_state_dict

    def loses(model, weights, **arguments):
        return real(model, {key: value * 0.5 for key, value in weights.items()}, **arguments)

    monkeypatch.setattr(peft.peft_model, "set_peft_model_state_dict", loses)
    with pytest.raises(ModelError, match="in memory differs from its file"):
        load_pair(find_pair(str(adapter), None))
