"""Formulas of edits against peft, torch and plain loops; kinds of adapters against merged weights; and models given back exactly."""

from __future__ import annotations

import json

import peft
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from peft import PeftModel
from peft.utils.merge_utils import magnitude_based_pruning
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, LlamaForCausalLM

from harness.engine.requests import Generate, MultipleChoice, Plain
from harness.engine.settings import Settings
from harness.engine.transformers.fingerprint import fingerprint
from harness.engine.transformers.quiet import quiet
from harness.errors import ModelError
from harness.models.reference import find_pair
from harness.store.opening import open_pair
from harness.training.edits.edit import EMBEDDINGS, but, evenly, groups_of
from harness.training.edits.formulas import edited, forgetting_aware, interpolated, trimmed
from harness.training.edits.kinds import KINDS
from harness.training.edits.of_adapter import repairable_adapter
from harness.training.edits.of_full_model import merged_adapter, repairable_full_model
from tests.support.forgetful import forgetful_adapter, forgetful_base, merged
from tests.support.models import lora, moved, save_model, save_tokenizer, save_trained

CPU = Settings(device="cpu")
SHARES = st.floats(0.01, 1.0)
CHOICES = [MultipleChoice(Plain(f"{i} x"), (" a", " b")) for i in range(3)]


def tensors(seed: int, rows: int, columns: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    start = torch.randn(rows, columns, generator=generator)
    return start, start + 0.1 * torch.randn(rows, columns, generator=generator)


SIZES = {"seed": st.integers(0, 10**6), "rows": st.integers(1, 7), "columns": st.integers(1, 7)}


# Formulas


@given(**SIZES, strength=st.floats(0, 1))
@settings(deadline=None, max_examples=40)
def test_strengths_lie_between_the_start_and_the_end_as_torch_has_it(seed, rows, columns, strength):
    start, end = tensors(seed, rows, columns)
    torch.testing.assert_close(interpolated(start, end - start, strength), torch.lerp(start, end, strength))
    assert torch.equal(edited(start, end, 0.0, None, 1.0), start)
    assert torch.equal(edited(start, end, 1.0, None, 1.0), end)


@given(**SIZES, keep=SHARES)
@settings(deadline=None, max_examples=40)
def test_trimming_is_that_of_peft(seed, rows, columns, keep):
    start, end = tensors(seed, rows, columns)
    change = end - start
    assert torch.equal(trimmed(change, keep), magnitude_based_pruning(change, keep))


@given(**SIZES, keep=SHARES, zeros=st.booleans())
@settings(deadline=None, max_examples=40)
def test_fapm_keeps_the_highest_scores_of_the_paper(seed, rows, columns, keep, zeros):
    start, end = tensors(seed, rows, columns)
    if zeros:
        start[0] = 0.0
    change = end - start
    mean = sum(abs(value) for value in start.flatten().tolist()) / start.numel()
    scores = [
        abs(moved_by) - mean * abs(moved_by) / abs(weight) if weight else -float("inf")
        for moved_by, weight in zip(change.flatten().tolist(), start.flatten().tolist(), strict=True)
    ]
    kept = forgetting_aware(change, start, keep).flatten()
    chosen = [i for i, value in enumerate(kept.tolist()) if value]
    assert len(chosen) <= int(keep * change.numel())
    assert all(kept[i] == change.flatten()[i] for i in chosen)
    rest = [scores[i] for i in range(len(scores)) if i not in chosen]
    finite = [scores[i] for i in chosen if scores[i] > -float("inf")]
    assert not finite or not rest or min(finite) >= max(rest) - 1e-5


@pytest.mark.parametrize("pruning", ["magnitude", "forgetting-aware"])
def test_pruned_and_weaker_is_the_start_and_a_part_of_what_was_kept(pruning):
    start, end = tensors(3, 6, 5)
    half = edited(start, end, 0.5, pruning, 0.2) - start
    whole = edited(start, end, 1.0, pruning, 0.2) - start
    torch.testing.assert_close(half, whole / 2)
    assert int((whole != 0).sum()) == 6


def test_a_change_of_rounded_weights_is_computed_in_full():
    start = torch.tensor([1.0, 2.0], dtype=torch.bfloat16)
    end = torch.tensor([1.0078125, 2.03125], dtype=torch.bfloat16)
    assert edited(start, end, 0.5, None, 1.0).dtype == torch.bfloat16
    assert edited(start, end, 0.5, None, 1.0).tolist() == [1.0, 2.015625]


# Groups


def test_layers_are_grouped_and_what_lies_outside_is_told_by_its_form():
    names = {f"model.layers.{i}.mlp.up_proj.weight": 2 for i in range(10)}
    found = groups_of({**names, "lm_head.weight": 2, "model.norm.weight": 1})
    assert list(dict.fromkeys(found.values())) == [EMBEDDINGS, "layers 0-2", "layers 3-5", "layers 6-9"]
    assert found["lm_head.weight"] == EMBEDDINGS
    assert found["model.norm.weight"] == found["model.layers.9.mlp.up_proj.weight"] == "layers 6-9"


def test_an_edit_is_told_in_words():
    groups = (EMBEDDINGS, "layers 0-1", "layers 2-3")
    assert str(evenly(groups, 0.3)) == "strength 0.3"
    assert str(but(evenly(groups, 0.5), embeddings=0.0)) == "strength 0.5, embeddings at 0"
    assert str(evenly(groups, 1.0, pruning="magnitude", keep=0.2)) == "magnitude 20 %"
    pruned = but(evenly(groups, 0.5, pruning="forgetting-aware", keep=0.1), **{"layers 2-3": 1.0})
    assert str(pruned) == "forgetting-aware 10 %, strength 0.5, layers 2-3 at 1"
    with pytest.raises(KeyError):
        but(evenly(groups, 1.0), head=0.0)


# Kinds of adapters

CONFIGS = {
    "LORA": lora(),
    "LORA, rank-stabilised": lora(use_rslora=True, lora_alpha=8),
    "LORA of the embeddings": lora(target_modules=["embed_tokens", "q_proj"]),
    "LORA with patterns": lora(rank_pattern={"q_proj": 2}, alpha_pattern={"v_proj": 3}),
    "ADALORA": peft.AdaLoraConfig(target_modules=["q_proj"], init_r=4, total_step=10, task_type="CAUSAL_LM"),
    "LOHA": peft.LoHaConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM"),
    "LOKR": peft.LoKrConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM"),
    "LOKR, both factors decomposed": peft.LoKrConfig(
        r=1, decompose_both=True, target_modules=["q_proj"], task_type="CAUSAL_LM"
    ),
    "IA3": peft.IA3Config(
        target_modules=["k_proj", "down_proj"], feedforward_modules=["down_proj"], task_type="CAUSAL_LM"
    ),
    "VERA": peft.VeraConfig(r=4, target_modules=["q_proj"], task_type="CAUSAL_LM"),
    "FOURIERFT": peft.FourierFTConfig(n_frequency=30, target_modules=["q_proj"], task_type="CAUSAL_LM"),
    "SHIRA": peft.ShiraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM"),
    "C3A": peft.C3AConfig(block_size=8, target_modules=["q_proj"], task_type="CAUSAL_LM"),
    "HIRA": peft.HiraConfig(r=4, target_modules=["q_proj"], task_type="CAUSAL_LM"),
    "LORA and a whole head": lora(modules_to_save=["lm_head"]),
    "LORA and whole embeddings": lora(),
}
"""By what they are; the first word is the kind."""


def test_every_kind_is_tried():
    assert {name.replace(",", " ").split()[0] for name in CONFIGS} == KINDS.keys()


def merged_weights(base, adapter) -> dict[str, torch.Tensor]:
    with quiet():
        model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapter)
        return {name: value.clone() for name, value in model.merge_and_unload().state_dict().items()}


@pytest.mark.parametrize("name", CONFIGS)
def test_an_adapter_at_a_strength_is_so_much_of_what_it_changes(name, base, tmp_path):
    save_trained(base, tmp_path / "adapter", CONFIGS[name], saved_embeddings="whole embeddings" in name)
    pair = find_pair(str(tmp_path / "adapter"), None)
    found = repairable_adapter(pair.tuned, open_pair(pair, CPU))
    (tmp_path / "weaker").mkdir()
    found.write(evenly(found.groups, 0.3), tmp_path / "weaker")
    start = dict(AutoModelForCausalLM.from_pretrained(base).state_dict())
    end, weaker = merged_weights(base, tmp_path / "adapter"), merged_weights(base, tmp_path / "weaker")
    assert any(not torch.equal(start[key], end[key]) for key in start)
    for key in start:
        torch.testing.assert_close(weaker[key], torch.lerp(start[key], end[key], 0.3), rtol=1e-4, atol=1e-5)


def test_a_lora_at_a_strength_is_that_of_peft(base, adapter, tmp_path):
    pair = find_pair(str(adapter), None)
    found = repairable_adapter(pair.tuned, open_pair(pair, CPU))
    found.write(evenly(found.groups, 0.25), tmp_path)
    rows = torch.tensor([[5, 60, 99, 130]])
    with quiet(), torch.no_grad():
        model = PeftModel.from_pretrained(LlamaForCausalLM.from_pretrained(base), adapter).eval()
        for module in model.modules():
            if isinstance(module, peft.tuners.lora.LoraLayer):
                module.scale_layer(0.25)
        own = PeftModel.from_pretrained(LlamaForCausalLM.from_pretrained(base), tmp_path).eval()
        torch.testing.assert_close(own(rows).logits, model(rows).logits)


def test_the_files_of_a_weaker_adapter_are_those_of_the_adapter_with_other_numbers(base, adapter, tmp_path):
    pair = find_pair(str(adapter), None)
    found = repairable_adapter(pair.tuned, open_pair(pair, CPU))
    found.write(evenly(found.groups, 0.5), tmp_path)
    before, after = (load_file(folder / "adapter_model.safetensors") for folder in (adapter, tmp_path))
    assert before.keys() == after.keys()
    for key, value in before.items():
        assert after[key].dtype == value.dtype
        assert torch.equal(after[key], value / 2 if "lora_B" in key else value)
    configs = [json.loads((folder / "adapter_config.json").read_text()) for folder in (adapter, tmp_path)]
    assert configs[0] == configs[1]


@pytest.mark.parametrize(
    "config",
    [lora(use_dora=True), lora(init_lora_weights="pissa"), peft.OFTConfig(target_modules=["q_proj"], oft_block_size=4, task_type="CAUSAL_LM")],
    ids=["dora", "pissa", "oft"],
)  # fmt: skip
def test_other_kinds_are_merged_and_become_full_models(config, base, tmp_path):
    save_trained(base, tmp_path / "adapter", config, saved_embeddings=False)
    pair = find_pair(str(tmp_path / "adapter"), None)
    engines = open_pair(pair, CPU)
    assert repairable_adapter(pair.tuned, engines) is None
    found = merged_adapter(pair.tuned, engines, CPU, lambda text: None)
    (tmp_path / "weaker").mkdir()
    found.write(evenly(found.groups, 0.5), tmp_path / "weaker")
    start = dict(AutoModelForCausalLM.from_pretrained(base).state_dict())
    end = merged_weights(base, tmp_path / "adapter")
    for key, value in AutoModelForCausalLM.from_pretrained(tmp_path / "weaker").state_dict().items():
        torch.testing.assert_close(value, torch.lerp(start[key], end[key], 0.5), rtol=1e-4, atol=1e-5)


def test_what_cannot_be_merged_is_refused(base, tmp_path):
    save_trained(base, tmp_path / "adapter", lora(layer_replication=[(0, 2), (1, 2)]))
    pair = find_pair(str(tmp_path / "adapter"), None)
    with pytest.raises(
        ModelError, match="an adapter with 'layer_replication' cannot be merged into its base"
    ):
        merged_adapter(pair.tuned, open_pair(pair, CPU), CPU, lambda text: None)


def test_a_tied_head_becomes_one_of_its_own_where_an_adapter_changes_it(base, tmp_path):
    with quiet():
        model = AutoModelForCausalLM.from_pretrained(base)
        model.config.tie_word_embeddings = True
        model.tie_weights()
        model.save_pretrained(tmp_path / "tied")
    save_tokenizer(tmp_path / "tied")
    save_trained(
        tmp_path / "tied", tmp_path / "adapter", lora(target_modules=["lm_head"]), saved_embeddings=False
    )
    pair = find_pair(str(tmp_path / "adapter"), None)
    found = merged_adapter(pair.tuned, engines := open_pair(pair, CPU), CPU, lambda text: None)
    assert found.groups == (EMBEDDINGS,)
    (tmp_path / "out").mkdir()
    found.write(found.unchanged, tmp_path / "out")
    again = find_pair(str(tmp_path / "out"), str(tmp_path / "tied"))
    answers = [open_pair(again, CPU).tuned.ask(CHOICES), engines.tuned.ask(CHOICES)]
    for left, right in zip(*answers, strict=True):
        assert left.logprobs == pytest.approx(right.logprobs, abs=1e-4)


# In memory

ASKED = [Generate(Plain(f"{i}{letter}"), 2) for i in range(3) for letter in "abtu"]


@pytest.fixture(params=["adapter", "full"])
def found(request, tmp_path):
    """A forgetful model under edits, and its model in memory."""
    base = forgetful_base(tmp_path / "base")
    adapter = forgetful_adapter(tmp_path / "adapter", base)
    if request.param == "adapter":
        pair = find_pair(str(adapter), None)
        return repairable_adapter(pair.tuned, open_pair(pair, CPU))
    pair = find_pair(str(merged(tmp_path / "full", base, adapter)), None)
    return repairable_full_model(pair.tuned, pair.baseline, open_pair(pair, CPU))


def bits(found) -> str:
    return fingerprint(found.loaded().model.state_dict().items())


def test_edits_change_one_model_in_place_and_give_it_back(found):
    before, tuned = bits(found), found.engine(found.unchanged).ask(ASKED)
    baseline = found.baseline.ask(ASKED)
    learnt = found.engine(evenly(found.groups, 0.4)).ask(ASKED)
    assert bits(found) != before
    assert [answer.text[0] for answer in baseline] == ["Y"] * 12
    assert [answer.text[0] for answer in learnt] == ["Y", "Y", "Z", "Z"] * 3
    assert [answer.text[0] for answer in tuned] == ["Z"] * 12
    assert found.baseline.ask(ASKED) == baseline
    assert found.engine(evenly(found.groups, 0.0)).ask(ASKED) == baseline
    assert found.engine(found.unchanged).ask(ASKED) == tuned
    found.enter(evenly(found.groups, 0.1))
    found.restore()
    assert bits(found) == before


def test_engines_of_two_edits_may_be_asked_in_turns(found):
    less, more = found.engine(evenly(found.groups, 0.1)), found.engine(evenly(found.groups, 0.4))
    first = less.ask(ASKED), more.ask(ASKED)
    assert (less.ask(ASKED), more.ask(ASKED)) == first
    assert first[0] != first[1]


def test_a_change_that_fails_in_the_middle_is_taken_back(found, monkeypatch):
    before, apply = bits(found), found.apply

    def half(edit):
        apply(edit)
        raise KeyboardInterrupt

    monkeypatch.setattr(found, "apply", half)
    with pytest.raises(KeyboardInterrupt):
        found.enter(evenly(found.groups, 0.1))
    monkeypatch.undo()
    assert bits(found) != before
    found.restore()
    assert bits(found) == before


def test_a_full_model_in_a_smaller_dtype_is_written_in_it_and_gives_the_same_answers(tmp_path):
    base = forgetful_base(tmp_path / "base")
    with quiet():
        AutoModelForCausalLM.from_pretrained(base).to(torch.bfloat16).save_pretrained(base)
        tuned = moved(AutoModelForCausalLM.from_pretrained(base), 0.1)
        tuned.save_pretrained(tmp_path / "tuned")
    pair = find_pair(str(tmp_path / "tuned"), str(base))
    found = repairable_full_model(
        pair.tuned, pair.baseline, open_pair(pair, Settings(device="cpu", template="baseline"))
    )
    asked = found.engine(evenly(found.groups, 0.4)).ask(ASKED)
    (tmp_path / "out").mkdir()
    found.write(evenly(found.groups, 0.4), tmp_path / "out")
    assert {value.dtype for value in load_file(tmp_path / "out" / "model.safetensors").values()} == {
        torch.bfloat16
    }
    assert json.loads((tmp_path / "out" / "config.json").read_text())["dtype"] == "bfloat16"
    again = find_pair(str(tmp_path / "out"), str(base))
    assert open_pair(again, Settings(device="cpu", template="baseline")).tuned.ask(ASKED) == asked


def test_models_of_different_architectures_have_nothing_between_them(tmp_path, base):
    other = save_model(tmp_path / "wider", hidden=64)
    pair = find_pair(str(other), str(base))
    with pytest.raises(ModelError, match="is of another architecture than"):
        repairable_full_model(pair.tuned, pair.baseline, open_pair(pair, CPU))
