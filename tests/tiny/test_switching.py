"""Parts of what tuning changed, switched off in place and exactly back."""

from __future__ import annotations

import pytest
import torch
from peft import IA3Config, LoraConfig
from transformers import LlamaForCausalLM

from harness.engine.settings import Settings
from harness.engine.transformers.fingerprint import fingerprint
from harness.engine.transformers.proof import logits_of
from harness.errors import ModelError
from harness.models.reference import ModelPair, find_pair
from harness.store.opening import open_pair
from harness.training.edits.edited import EditedModels
from harness.training.edits.parts import Part
from harness.training.edits.switching import on_the_way
from tests.support.models import change_tensors, save_model, save_trained

ROWS = [[5, 60, 70, 80, 90, 100], [9, 33, 44]]
TARGETS = ["q_proj", "v_proj"]
ADAPTERS = {
    "lora": LoraConfig(r=4, target_modules=TARGETS, task_type="CAUSAL_LM"),
    "dora": LoraConfig(r=4, target_modules=TARGETS, use_dora=True, task_type="CAUSAL_LM"),
    "whole modules": LoraConfig(
        r=4, target_modules=["q_proj"], modules_to_save=["lm_head"], task_type="CAUSAL_LM"
    ),
    "ia3": IA3Config(target_modules=["k_proj", "down_proj"], feedforward_modules=["down_proj"], task_type="CAUSAL_LM"),
}  # fmt: skip


def opened(model, baseline, store="off") -> EditedModels:
    settings = Settings(device="cpu", store=store)
    return EditedModels(open_pair(find_pair(str(model), str(baseline)), settings))


def logits(engine) -> list[torch.Tensor]:
    with engine.active():
        return logits_of(engine.model, ROWS)


def state(model) -> tuple[str, list[bool], list[bool]]:
    return (
        fingerprint(sorted(model.state_dict().items())),
        [value.requires_grad for value in model.parameters()],
        [module.training for module in model.modules()],
    )


def alike(left, right) -> bool:
    return all(torch.equal(one, other) for one, other in zip(left, right, strict=True))


@pytest.fixture(scope="module", params=ADAPTERS)
def adapted(request, base, tmp_path_factory) -> EditedModels:
    folder = save_trained(base, tmp_path_factory.mktemp("adapters") / "a", ADAPTERS[request.param])
    return opened(folder, base)


def test_an_adapter_without_any_part_is_its_base(adapted, base):
    before = logits(adapted.tuned)
    off = logits(adapted.without(adapted.parts))
    with torch.no_grad():
        bare = LlamaForCausalLM.from_pretrained(base).eval()
    assert alike(off, logits_of(bare, ROWS))
    assert not alike(off, before)


def test_afterwards_an_adapter_is_what_it_was(adapted):
    before, was = logits(adapted.tuned), state(adapted.tuned.model)
    for part in adapted.parts:
        engine = adapted.without([part])
        assert not alike(logits(engine), before)
    with pytest.raises(ZeroDivisionError), adapted.changes.without(adapted.parts[:1]):
        _ = 1 / 0
    assert alike(logits(adapted.tuned), before)
    assert state(adapted.tuned.model) == was


def test_each_way_of_leaving_parts_out_acts_by_itself(base, tmp_path):
    folder = save_trained(base, tmp_path / "a", ADAPTERS["lora"])
    edited = opened(folder, base)
    assert edited.parts == tuple(Part(layer, f"self_attn.{kind}") for layer in (0, 1) for kind in TARGETS)
    first, second = edited.without(edited.parts[:1]), edited.without(edited.parts[1:])
    assert not alike(logits(first), logits(second))
    assert alike(logits(first), logits(edited.without(edited.parts[:1])))


@pytest.fixture
def full(base, tmp_path):
    """A full model of which all but one tensor changed."""

    def change(tensors):
        torch.manual_seed(2)
        return {
            name: value if "layers.0.self_attn.k_proj" in name else value + 0.1 * torch.randn_like(value)
            for name, value in tensors.items()
        }

    return change_tensors(save_model(tmp_path / "full"), change)


def test_a_full_model_takes_parts_of_its_baseline(full, base):
    edited = opened(full, base)
    before, was = logits(edited.tuned), state(edited.tuned.model)
    assert Part(0, "self_attn.k_proj") not in edited.parts
    assert Part(1, "self_attn.k_proj") in edited.parts
    assert edited.rest == ()
    assert alike(logits(edited.without(edited.parts)), logits(edited.pair.baseline))
    assert not alike(logits(edited.without(edited.parts[:3])), before)
    assert alike(logits(edited.tuned), before)
    assert state(edited.tuned.model) == was


def test_tied_embeddings_are_one_part(tmp_path):
    folders = []
    for seed in (0, 1):
        folder = save_model(tmp_path / str(seed), seed=seed)
        model = LlamaForCausalLM.from_pretrained(folder)
        model.config.tie_word_embeddings = True
        model.tie_weights()
        model.save_pretrained(folder)
        folders.append(folder)
    edited = opened(folders[1], folders[0])
    assert [part.module for part in edited.parts if part.layer < 0] == ["embed_tokens"]
    assert alike(logits(edited.without(edited.parts)), logits(edited.pair.baseline))


def test_what_cannot_be_switched_off_is_named(base, tmp_path):
    model = LlamaForCausalLM.from_pretrained(base)
    model.resize_token_embeddings(270)
    with torch.no_grad():
        model.model.norm.weight.add_(0.5)
    folder = save_model(tmp_path / "resized")
    model.save_pretrained(folder)
    edited = opened(folder, base)
    assert edited.parts == (Part(-1, "norm"),)
    assert edited.rest == ("model.embed_tokens.weight", "lm_head.weight")


def test_nothing_in_common_is_refused(base, tmp_path):
    other = save_model(tmp_path / "wide", hidden=64)
    with pytest.raises(ModelError, match="nothing in it can be switched off by itself"):
        _ = opened(other, base).parts


@pytest.mark.parametrize("kind", ["adapter", "full"])
def test_the_line_from_the_baseline_to_the_tuned_model(kind, full, base, tmp_path):
    folder = full if kind == "full" else save_trained(base, tmp_path / "a", ADAPTERS["lora"])
    edited = opened(folder, base)
    at_end, was = logits(edited.tuned), state(edited.tuned.model)
    with on_the_way(edited.changes, 0.0):
        start = logits(edited.tuned)
    for one, other in zip(start, logits(edited.pair.baseline), strict=True):
        assert torch.allclose(one, other, atol=1e-5)
    with on_the_way(edited.changes, 1.0):
        assert alike(logits(edited.tuned), at_end)
    assert state(edited.tuned.model) == was


def test_answers_are_kept_apart_and_for_the_next_time(base, adapter, tmp_path):
    from harness.engine.requests import MultipleChoice, Plain

    asked = [MultipleChoice(Plain("ab"), ("c", "d"))]
    store = str(tmp_path / "store.db")
    edited = opened(adapter, base, store)
    parts = edited.parts
    answers = [edited.without(off).ask(asked) for off in ((), parts[:1], parts)]
    assert len({answer.logprobs for (answer,) in answers}) == 3
    again = opened(adapter, base, store)
    assert again.parts == parts
    assert [again.without(off).ask(asked) for off in ((), parts[:1], parts)] == answers
    assert "tuned" not in vars(again), "nothing is loaded the second time"


def test_a_model_beside_itself_has_no_changes(base):
    found = find_pair(str(base), "same")
    edited = EditedModels(open_pair(ModelPair(found.tuned, found.tuned), Settings(device="cpu", store="off")))
    with pytest.raises(ModelError):
        _ = edited.parts
