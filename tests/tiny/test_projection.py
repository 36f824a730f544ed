"""Adapters outside the strongest directions: what that leaves of the base, and that it makes the steps of the formula."""

from __future__ import annotations

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel

from harness.engine.transformers.quiet import quiet
from harness.errors import ModelError, RecipeError, Span
from harness.recipes.read import read_recipe
from harness.training.projection import Projection
from tests.support.kitchen import LORA

PLACE = Span("recipe.yaml", 8, 1)
HELD = 5


def layers(model):
    return [module for module in model.modules() if hasattr(module, "lora_A") and module.lora_A]


def test_a_trained_adapter_leaves_the_strongest_triples_of_the_base(kitchen, base):
    folder = kitchen.train(LORA + f"oplora: {HELD}\n").tuned.folder
    with quiet():
        model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), folder)
    for layer in layers(model):
        weight, change = layer.get_base_layer().weight, layer.get_delta_weight("default")
        left, strengths, right = torch.linalg.svd(weight, full_matrices=False)
        assert change.norm() > 1e-3, "it has learnt"
        assert torch.allclose(left[:, :HELD].T @ change, torch.zeros(()), atol=1e-5)
        assert torch.allclose(change @ right[:HELD].T, torch.zeros(()), atol=1e-5)
        kept = left[:, :HELD] * strengths[:HELD]
        assert torch.allclose((weight + change) @ right[:HELD].T, kept, atol=1e-4)


def test_without_it_an_adapter_changes_them(kitchen, base):
    folder = kitchen.train(LORA).tuned.folder
    with quiet():
        model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), folder)
    layer = layers(model)[0]
    right = torch.linalg.svd(layer.get_base_layer().weight, full_matrices=False)[2]
    assert (layer.get_delta_weight("default") @ right[:HELD].T).abs().max() > 1e-3


def test_its_steps_are_those_of_a_projection_in_the_forward_pass(base):
    """Adam on raw A and B of P_L B A P_R, beside Adam on projected A and B."""
    torch.manual_seed(0)
    with quiet():
        config = LoraConfig(r=3, lora_alpha=3, target_modules=["v_proj"], task_type="CAUSAL_LM")
        model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), config)
    layer = layers(model)[0]
    weight = layer.get_base_layer().weight.detach()
    a, b = (part["default"].weight for part in (layer.lora_A, layer.lora_B))
    raw = [torch.nn.Parameter(value.detach().clone()) for value in (a, b)]
    left, _, right = torch.linalg.svd(weight, full_matrices=False)
    p_left = torch.eye(len(weight)) - left[:, :HELD] @ left[:, :HELD].T
    p_right = torch.eye(weight.shape[1]) - right[:HELD].T @ right[:HELD]
    projection = Projection(model, HELD, PLACE)
    x, y = torch.randn(20, weight.shape[1]), torch.randn(20, len(weight))
    ours = torch.optim.AdamW([a, b], lr=0.05, weight_decay=0.1)
    theirs = torch.optim.AdamW(raw, lr=0.05, weight_decay=0.1)
    for _ in range(6):
        (x @ (weight + b @ a).T - y).square().mean().backward()
        ours.step()
        projection.on_optimizer_step(None, None, None)
        (x @ (weight + p_left @ raw[1] @ raw[0] @ p_right).T - y).square().mean().backward()
        theirs.step()
        for optimizer in (ours, theirs):
            optimizer.zero_grad()
        assert torch.allclose(b @ a, p_left @ raw[1] @ raw[0] @ p_right, atol=1e-5)
    assert (b @ a).norm() > 0.1


def test_weights_that_are_stored_the_other_way_round():
    with quiet():
        base = GPT2LMHeadModel(GPT2Config(n_embd=16, n_layer=1, n_head=2, vocab_size=50, n_positions=16))
        model = get_peft_model(base, LoraConfig(r=2, target_modules=["c_attn"], fan_in_fan_out=True))
    Projection(model, HELD, PLACE)
    layer = layers(model)[0]
    weight = layer.get_base_layer().weight.detach().T  # (48, 16)
    right = torch.linalg.svd(weight, full_matrices=False)[2]
    assert torch.allclose(layer.lora_A["default"].weight @ right[:HELD].T, torch.zeros(()), atol=1e-5)
    assert layer.lora_A["default"].weight.norm() > 0.1


def test_more_directions_than_there_are_is_said_at_its_place(kitchen):
    with pytest.raises(
        ModelError,
        match=r"recipe\.yaml:8:1: 'oplora' holds 16 directions, and .*v_proj has only 16\n  hold fewer",
    ):
        kitchen.train(LORA + "oplora: 16\n")


def test_embeddings_cannot_be_held(kitchen):
    text = LORA.replace("r: 4", "r: 4, target_modules: [embed_tokens]") + "oplora: 2\n"
    with pytest.raises(
        ModelError, match=r"recipe\.yaml:8:1: 'oplora' takes linear layers, and .*embed_tokens"
    ):
        kitchen.train(text)


def test_it_needs_adapters(kitchen):
    with pytest.raises(
        RecipeError, match=r"recipe\.yaml:8:1: 'oplora' needs 'method: \{lora: \.\.\.\}'"
    ) as error:
        read_recipe(kitchen.recipe("method: {full: {}}\nepochs: 2\noplora: 2\n"))
    assert "\n  choose that method" in str(error.value)
