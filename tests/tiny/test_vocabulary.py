"""Adapters that were trained with more tokens than their base has, or fewer, or that change what tokens mean.

Each is held against the model as it was in training; whatever an adapter does to the embeddings, the base stays itself.
"""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from peft import get_peft_model
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from harness.engine.requests import Generate, MultipleChoice, Plain, RollingLogLikelihood
from harness.engine.transformers.loading import load_pair
from harness.engine.transformers.quiet import quiet
from harness.errors import EngineError, ModelError
from harness.models.reference import find_pair
from tests.support.engines import load_reference
from tests.support.models import TARGETS, letter, lora, rare, save_tokenizer

SIZE = 261
BOTH = ["embed_tokens", "lm_head"]
ADDED = [261, 262, 263]
ASK = [
    Generate(Plain("hello"), 8),
    MultipleChoice(Plain("one two"), (" three", " four")),
    RollingLogLikelihood("The quick brown fox."),
]
ROW = torch.tensor([[0, 5, 73, 76, 100, 200, 255]])


TOKENS = peft.TrainableTokensConfig(token_indices=[73, *ADDED], task_type="CAUSAL_LM")

SAME = {
    "modules to save": lora(modules_to_save=BOTH),
    "embeddings to save": lora(modules_to_save=["embed_tokens"]),
    "head to save": lora(modules_to_save=["lm_head"]),
    "tokens in a list": lora(trainable_token_indices=[73, 76]),
    "tokens by module": lora(trainable_token_indices={"embed_tokens": [73, 76], "lm_head": [73]}),
    "tied tokens": lora(target_modules=[*TARGETS, "embed_tokens"], ensure_weight_tying=True),
    "embeddings": lora(target_modules=[*TARGETS, *BOTH]),
    "tokens alone": peft.TrainableTokensConfig(token_indices=[73, 76], task_type="CAUSAL_LM"),
}
"""Trained with as many tokens as the base has."""

ANOTHER = {
    "lora": (264, lora(), "auto"),
    "padded": (320, lora(), "auto"),
    "cut off": (256, lora(), "auto"),
    "all linear": (264, lora(target_modules="all-linear"), "auto"),
    "dora": (264, lora(use_dora=True, modules_to_save=BOTH), "auto"),
    "ia3": (264, peft.IA3Config(task_type="CAUSAL_LM", modules_to_save=BOTH), "auto"),
    "modules to save": (264, lora(modules_to_save=BOTH), "auto"),
    "modules to save alone": (264, lora(modules_to_save=BOTH), False),
    "embeddings to save": (264, lora(modules_to_save=["embed_tokens"]), "auto"),
    "tokens": (264, lora(trainable_token_indices=ADDED), "auto"),
    "tokens only": (264, TOKENS, "auto"),
    "embeddings": (264, lora(target_modules=[*TARGETS, *BOTH]), "auto"),
    "embeddings, cut off": (256, lora(target_modules=[*TARGETS, *BOTH]), "auto"),
}
"""Trained with another number of tokens; the adapter's file says all that they are."""

UNTOLD = {
    "embeddings alone": (264, lora(target_modules=[*TARGETS, "embed_tokens"]), False),
    "head": (264, lora(target_modules=[*TARGETS, "lm_head"]), False),
    "embeddings to save": (264, lora(modules_to_save=["embed_tokens"]), False),
}
"""Its file lacks some of the tokens that were added: what was never trained is the mean of the others, as before."""


@pytest.fixture(scope="module", params=[False, True], ids=["apart", "tied"])
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "base"
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=SIZE, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=256, bos_token_id=0, eos_token_id=1, initializer_range=0.4,
        tie_word_embeddings=request.param,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    save_tokenizer(folder)
    return folder


def train(
    base: Path, folder: Path, config: Any, rows: int = SIZE, saved: bool | str = "auto", scale: float = 0.3
) -> torch.Tensor:
    """Save an adapter whose every tensor was moved, as by training; returns the logits of the model that was saved."""
    with quiet(), torch.no_grad():
        model = LlamaForCausalLM.from_pretrained(base)
        if rows != SIZE:
            torch.manual_seed(1)
            model.resize_token_embeddings(rows)
        torch.manual_seed(3)
        adapted = get_peft_model(model, copy.deepcopy(config)).eval()
        for value in adapted.parameters():
            if value.requires_grad:
                value.add_(scale * torch.randn_like(value))
        adapted.save_pretrained(folder, save_embedding_layers=saved)
        save_tokenizer(folder)
        return adapted(input_ids=ROW).logits


@torch.no_grad()
def check(base: Path, folder: Path, expected: torch.Tensor) -> tuple[str, ...]:
    """The tuned model is the one that was trained, and the baseline the one in its folder; returns what was noted."""
    pair = load_pair(find_pair(str(folder), None), asked=ASK)
    with pair.tuned.active(), quiet():
        logits = pair.tuned.model(input_ids=ROW).logits
    assert logits.shape == expected.shape
    assert torch.allclose(logits, expected, atol=2e-3)
    alone = load_reference(str(base)).ask(ASK)
    assert pair.baseline.ask(ASK) == alone
    assert pair.tuned.ask(ASK) != alone
    return pair.notes


@pytest.mark.parametrize("kind", SAME)
def test_an_adapter_that_changes_what_tokens_mean(base, tmp_path, kind):
    check(base, tmp_path / "tuned", train(base, tmp_path / "tuned", SAME[kind]))


@pytest.mark.parametrize("kind", ANOTHER)
def test_an_adapter_of_another_vocabulary(base, tmp_path, kind):
    rows, config, saved = ANOTHER[kind]
    notes = check(base, tmp_path / "tuned", train(base, tmp_path / "tuned", config, rows, saved))
    assert any("so the base is loaded on its own" in note for note in notes)


@pytest.mark.parametrize("kind", UNTOLD)
def test_what_its_file_does_not_say_of_added_tokens_is_the_mean_and_is_said(base, tmp_path, kind):
    rows, config, saved = UNTOLD[kind]
    notes = check(base, tmp_path / "tuned", train(base, tmp_path / "tuned", config, rows, saved))
    assert any(
        "tokens were added to the 261 of its base, but its file lacks their embeddings" in n for n in notes
    )


@pytest.mark.parametrize("kind", ["lora", "padded", "tokens", "embeddings"])
def test_added_tokens_alone_change_nothing(base, tmp_path, kind):
    rows, config, saved = ANOTHER[kind]
    train(base, tmp_path / "tuned", config, rows, saved, scale=0.0)
    with pytest.raises(EngineError, match="the adapter changes nothing"):
        load_pair(find_pair(str(tmp_path / "tuned"), None))


def test_tokens_that_are_asked_and_are_nowhere_say_how_to_save_them(base, tmp_path):
    folder = tmp_path / "tuned"
    train(base, folder, lora(), 264, False)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens(["hello"])
    tokenizer.save_pretrained(folder)
    pair = load_pair(find_pair(str(folder), None), asked=ASK)
    with pytest.raises(
        EngineError, match=r"embeddings for 261: .*\n  were tokens added in training\? .*save_embedding"
    ):
        pair.tuned.ask(ASK)


def test_a_token_beyond_all_bounds_makes_no_vocabulary(base, tmp_path):
    folder = tmp_path / "tuned"
    train(base, folder, lora(trainable_token_indices=[73, 76]))
    file = folder / "adapter_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "trainable_token_indices": [73, 10**10]}))
    with pytest.raises(ModelError, match="cannot be loaded: IndexError: index 10000000000 is out of bounds"):
        load_pair(find_pair(str(folder), None))


def test_two_adapters_of_different_vocabularies_have_a_base_each(base, tmp_path):
    expected = train(base, tmp_path / "tuned", lora(), 264)
    train(base, tmp_path / "other", lora(), 320)
    pair = load_pair(find_pair(str(tmp_path / "tuned"), str(tmp_path / "other")))
    with pair.tuned.active(), quiet(), torch.no_grad():
        assert torch.allclose(pair.tuned.model(input_ids=ROW).logits, expected, atol=1e-4)


# What is asked


@pytest.mark.parametrize(
    "request_",
    [Generate(Plain("a~b"), 4), MultipleChoice(Plain("ab"), (" ~", " c")), RollingLogLikelihood("ab ~ c")],
)
def test_an_adapter_that_acts_on_a_token_that_is_asked(base, tmp_path, request_):
    folder = rare(base, tmp_path / "tuned", letter(base, "~"))
    pair = load_pair(find_pair(str(folder), None), asked=[RollingLogLikelihood("nothing of it"), request_])
    assert pair.tuned.request_tokens(request_) == pair.baseline.request_tokens(request_)


def test_one_that_acts_on_no_token_that_is_asked_changes_nothing(base, tmp_path):
    folder = rare(base, tmp_path / "tuned", letter(base, "~"))
    asked = [
        MultipleChoice(Plain("one two"), (" three", " four")),
        RollingLogLikelihood("The quick brown fox."),
    ]
    with pytest.raises(
        EngineError,
        match=r"the adapter changes nothing that is asked: with it on and off, the logits of all 2 prompts are the same\n"
        r"  was it saved before training, is it all zeros, or does it act on tokens that no prompt has\?\Z",
    ):
        load_pair(find_pair(str(folder), None), asked=asked)
    assert load_pair(find_pair(str(folder), None)).tuned  # where it is not known what will be asked


def test_one_that_acts_on_tokens_that_are_only_written(base, tmp_path):
    """No prompt has the token, but the base answers with it, and goes on otherwise."""
    asked = Generate(Plain("a"), 8)
    engine = load_reference(str(base))
    tokens = engine.tokens(asked.prompt)
    with torch.no_grad():
        first = int(engine.model(input_ids=torch.tensor([tokens])).logits[0, -1].argmax())
    assert first not in tokens
    folder = rare(base, tmp_path / "tuned", first)
    pair = load_pair(find_pair(str(folder), None), asked=[asked])
    assert pair.tuned.ask([asked]) != pair.baseline.ask([asked])


def test_an_adapter_of_zeros_is_refused_whatever_is_asked(base, tmp_path):
    train(base, tmp_path / "tuned", lora(), scale=0.0)
    with pytest.raises(EngineError, match="the adapter changes nothing that is asked"):
        load_pair(find_pair(str(tmp_path / "tuned"), None), asked=ASK)
    folder = shutil.copytree(tmp_path / "tuned", tmp_path / "copy")
    with pytest.raises(EngineError, match="the adapter changes nothing"):
        load_reference(str(folder))


def test_one_that_rewrites_its_base_is_held_against_the_base_in_its_folder(base, tmp_path):
    """PiSSA, switched off, is no base; so what is asked is compared with the other model."""
    train(base, tmp_path / "tuned", lora(init_lora_weights="pissa"))
    pair = load_pair(find_pair(str(tmp_path / "tuned"), str(base)), asked=ASK)
    assert pair.baseline.model is not pair.tuned.model
    assert pair.tuned.ask(ASK) != pair.baseline.ask(ASK)


def test_a_context_that_is_none_ends(base, tmp_path):
    folder = Path(shutil.copytree(base, tmp_path / "base"))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "max_position_embeddings": -1}))
    train(folder, tmp_path / "tuned", lora())
    pair = load_pair(find_pair(str(tmp_path / "tuned"), None), asked=ASK)
    with pytest.raises(EngineError, match="and the model reads -1"):
        pair.tuned.ask(ASK)
