"""Why an adapter and a model that should be the same, merged, are not: each usual fault is made, and found in the weights."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import LlamaForCausalLM

from harness.engine.transformers.form_weights import weight_causes
from harness.engine.transformers.quiet import quiet
from harness.models.layout import ADAPTER_CONFIG
from harness.models.reference import find_local_model
from tests.support.models import change_tensors, lora, resaved, save_adapter, save_model, save_trained


@pytest.fixture
def merged(base, tmp_path):
    """Merges adapters into the base, so often, and saves that."""

    def merge(
        *adapters: Path, dtype=torch.float32, rows: int = 0, onto: Path = base, name: str = "merged"
    ) -> Path:
        with quiet():
            model = LlamaForCausalLM.from_pretrained(onto, dtype=dtype)
            if rows:
                model.resize_token_embeddings(rows)
            for adapter in adapters:
                model = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
            model.save_pretrained(tmp_path / name)
        return tmp_path / name

    return merge


def causes(first: Path, other: Path) -> list[tuple[str, str]]:
    found = weight_causes(*(find_local_model(str(folder)) for folder in (first, other)))
    return [(cause.kind, cause.seen) for cause in found]


def kinds(first: Path, other: Path) -> list[str]:
    return [kind for kind, _ in causes(first, other)]


def with_config(adapter: Path, **changes) -> Path:
    path = adapter / ADAPTER_CONFIG
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    return adapter


def test_a_faithful_merge_has_no_cause_whichever_comes_first(base, adapter, merged):
    assert causes(adapter, merged(adapter)) == []
    assert causes(merged(adapter), adapter) == []


def test_a_merge_in_bfloat16_is_told_with_what_it_lost(base, adapter, merged, tmp_path):
    [(kind, seen)] = causes(adapter, merged(adapter, dtype=torch.bfloat16))
    assert kind == "rounded"
    assert "merged or saved in bfloat16: rounding lost" in seen
    # a smaller change loses more, stored in whichever floats
    weak = save_adapter(tmp_path / "weak", base, scale=0.001)
    stored = merged(weak, dtype=torch.bfloat16, name="weak-merged")
    change_tensors(stored, lambda tensors: {name: value.float() for name, value in tensors.items()})
    [(kind, seen)] = causes(weak, stored)
    assert kind == "rounded"
    assert re.search(r"rounding changed its weights \d+\.\d times as much as the adapter did \(of", seen)


def test_a_base_without_the_adapter_is_told_also_if_it_was_rounded(base, adapter, merged, tmp_path):
    [(kind, seen)] = causes(adapter, resaved(base, tmp_path / "copy"))
    assert kind == "not applied"
    assert "all 4 weights that it changes are its base's there" in seen
    assert kinds(adapter, resaved(base, tmp_path / "half", dtype=torch.bfloat16)) == ["not applied"]


def test_an_adapter_merged_into_some_weights_only_is_told(base, adapter, merged):
    before = load_file(base / "model.safetensors")
    name = "model.layers.0.self_attn.q_proj.weight"
    partly = change_tensors(merged(adapter), lambda tensors: {**tensors, name: before[name]})
    assert causes(adapter, partly)[0][1].endswith(
        f"1 of 4 weights that it changes are its base's there ({name})"
    )


def test_a_merge_done_twice_is_told(adapter, merged):
    [(kind, seen)] = causes(adapter, merged(adapter, adapter))
    assert kind == "applied twice"
    assert "2.00 times the change" in seen


@pytest.mark.parametrize(
    ("trained", "served", "seen"),
    [
        ({"lora_alpha": 8}, {"lora_alpha": 32}, "0.25 times the change"),
        ({"use_rslora": False}, {"use_rslora": True}, "merged with alpha / r, and use_rslora"),
        ({"use_rslora": True}, {"use_rslora": False}, "merged with alpha / sqrt(r), and use_rslora"),
    ],
)
def test_another_scale_is_told(base, merged, tmp_path, trained, served, seen):
    adapter = with_config(save_adapter(tmp_path / "adapter", base, r=9), **trained)
    full = merged(adapter)
    [(kind, said)] = causes(with_config(adapter, **served), full)
    assert kind == "scaled"
    assert seen in said


def test_scales_of_single_modules_count(base, merged, tmp_path):
    adapter = with_config(save_adapter(tmp_path / "adapter", base), alpha_pattern={"q_proj": 2})
    full = merged(adapter)
    assert causes(adapter, full) == []
    assert kinds(with_config(adapter, alpha_pattern={}), full) == ["scaled"]


def test_another_adapter_is_told(base, adapter, merged, tmp_path):
    other = save_trained(base, tmp_path / "other", lora())
    assert kinds(adapter, merged(adapter, other)) in (["other adapter"], ["scaled"])


def test_embeddings_that_were_not_saved_are_told(base, merged, tmp_path):
    adapter = save_trained(base, tmp_path / "adapter", lora(modules_to_save=["lm_head"]))
    full = merged(adapter)
    assert causes(adapter, full) == []
    head = load_file(base / "model.safetensors")["lm_head.weight"]
    change_tensors(full, lambda tensors: {**tensors, "lm_head.weight": head})
    [(kind, seen)] = causes(adapter, full)
    assert kind == "not saved"
    assert seen == f"'lm_head.weight', which {adapter} trained, is still its base's in {full}"


def test_an_output_head_that_was_tied_is_told(base, merged, tmp_path):
    adapter = save_trained(base, tmp_path / "adapter", lora(modules_to_save=["lm_head"]))
    full = merged(adapter)
    tensors = load_file(full / "model.safetensors")
    del tensors["lm_head.weight"]
    save_file(tensors, full / "model.safetensors", metadata={"format": "pt"})
    assert kinds(adapter, full) == ["tied"]
    assert kinds(base, full)[0] == "tied"


def test_a_resized_vocabulary_that_was_not_saved_is_told(base, merged, tmp_path):
    adapter = save_trained(base, tmp_path / "adapter", lora(), saved_embeddings=True, rows=264)
    assert causes(adapter, merged(adapter, rows=264)) == []
    small = change_tensors(
        merged(adapter, rows=264, name="small"),
        lambda tensors: {
            name: value[:261].clone() if len(value) == 264 else value for name, value in tensors.items()
        },
    )
    found = causes(adapter, small)
    assert {kind for kind, _ in found} == {"not saved"}
    assert f"has 264 rows in {adapter} and 261 in {small}" in found[0][1]


def test_embeddings_of_single_tokens_that_were_not_saved_are_told(base, merged, tmp_path):
    adapter = save_trained(base, tmp_path / "adapter", lora(trainable_token_indices={"embed_tokens": [7, 9]}))
    full = merged(adapter)
    assert causes(adapter, full) == []
    rows = load_file(base / "model.safetensors")["model.embed_tokens.weight"]
    change_tensors(full, lambda tensors: {**tensors, "model.embed_tokens.weight": rows})
    assert kinds(adapter, full) == ["not saved"]


def test_a_merge_into_another_base_is_told(base, adapter, merged, tmp_path):
    other = save_model(tmp_path / "other", seed=5)
    found = causes(adapter, merged(adapter, onto=other))
    assert found[-1][0] == "other base"
    assert "weights that" in found[-1][1]


def test_an_adapter_that_is_no_lora_is_compared_as_far_as_it_can_be(base, merged, tmp_path):
    adapter = save_trained(base, tmp_path / "adapter", lora(use_dora=True))
    assert causes(adapter, merged(adapter)) == []


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda tensors: tensors, []),
        (lambda tensors: {name: value.bfloat16().float() for name, value in tensors.items()}, ["rounded"]),
        (lambda tensors: {**tensors, "lm_head.weight": tensors["lm_head.weight"] + 0.1}, ["not saved"]),
        (lambda tensors: {name: value + 0.1 for name, value in tensors.items()}, ["other weights"]),
    ],
)  # fmt: skip
def test_two_full_models_are_compared(base, tmp_path, change, kind):
    other = change_tensors(resaved(base, tmp_path / "other"), change)
    assert kinds(base, other) == kind


def test_two_adapters_are_compared(base, adapter, tmp_path):
    same = save_adapter(tmp_path / "same", base)
    assert kinds(adapter, same) == []
    assert kinds(adapter, with_config(same, lora_alpha=99)) == ["scaled"]
    assert kinds(adapter, save_trained(base, tmp_path / "other", lora())) == ["other adapter"]
