"""Random-weight models of a few thousand parameters: for how the engine works, never for whether the job is done."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from harness.engine.transformers.quiet import quiet

TEMPLATE = (
    "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}<end>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def save_tokenizer(folder: Path, template: str | None = TEMPLATE) -> None:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    specials = ["<s>", "<end>", "<user>", "<assistant>", "<system>"]
    vocabulary = {token: index for index, token in enumerate([*specials, *alphabet])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="<end>", additional_special_tokens=specials[2:]
    )
    fast.chat_template = template
    fast.save_pretrained(folder)


def save_model(folder: Path, seed: int = 0, hidden: int = 32, template: str | None = TEMPLATE) -> Path:
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=261,
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        bos_token_id=0,
        eos_token_id=1,
        initializer_range=0.4,
    )
    model = LlamaForCausalLM(config)
    model.save_pretrained(folder)
    save_tokenizer(folder, template)
    return folder


def save_adapter(folder: Path, base: Path, scale: float = 0.3, r: int = 4) -> Path:
    with quiet(), torch.no_grad():
        model = LlamaForCausalLM.from_pretrained(base)
        torch.manual_seed(1)
        config = LoraConfig(r=r, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
        adapted = get_peft_model(model, config)
        for name, value in adapted.named_parameters():
            if "lora_B" in name and scale:
                value.normal_(0, scale)
        adapted.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("models") / "base")


@pytest.fixture(scope="session")
def adapter(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_adapter(tmp_path_factory.mktemp("models") / "adapter", base)


@pytest.fixture(scope="session")
def reference(base: Path):
    """The model and tokenizer as transformers gives them, for brute-force answers."""
    return LlamaForCausalLM.from_pretrained(base).eval(), AutoTokenizer.from_pretrained(base)
