"""Models of a few thousand parameters, random or changed in one thing, saved as transformers and peft save them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from tokenizers.processors import TemplateProcessing
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


def save_model(
    folder: Path, seed: int = 0, hidden: int = 32, template: str | None = TEMPLATE, layers: int = 2
) -> Path:
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=261,
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=layers,
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


def moved(model: Any, by: float = 0.3, seed: int = 1) -> Any:
    """A model whose every value that learns was moved, as by training."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for value in model.parameters():
            if value.requires_grad:
                value.add_(by * torch.randn_like(value))
    return model


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


def change_tensors(folder: Path, change) -> Path:
    tensors = change(load_file(folder / "model.safetensors"))
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def change_tokenizer(folder: Path, change) -> Path:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    change(tokenizer)
    tokenizer.save_pretrained(folder)
    return folder


def resaved(base: Path, folder: Path, **arguments) -> Path:
    with quiet():
        model = LlamaForCausalLM.from_pretrained(base, dtype=arguments.pop("dtype", torch.float32))
        model.config.use_cache = False
        model.save_pretrained(folder, **arguments)
    save_tokenizer(folder)
    return folder


def loud(folder: Path, token: int) -> Path:
    """A model that writes "x" and then `token` whenever it has written "x"."""

    def say(tensors):
        x = 92  # "x" in the alphabet of the tokenizer
        hidden = tensors["model.embed_tokens.weight"].shape[1]
        for name in tensors:
            if "o_proj" in name or "down_proj" in name:
                tensors[name] = torch.zeros_like(tensors[name])
        embed = torch.zeros_like(tensors["model.embed_tokens.weight"])
        embed[:, 0] = 1.0
        embed[x] = torch.eye(hidden)[1]
        head = torch.zeros_like(tensors["lm_head.weight"])
        head[x, 0], head[token, 1] = 10.0, 10.0
        return {**tensors, "model.embed_tokens.weight": embed, "lm_head.weight": head}

    return change_tensors(folder, say)


def appends_end(tokenizer: PreTrainedTokenizerFast) -> None:
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<s> $A <end>", pair="<s> $A <end> $B <end>", special_tokens=[("<s>", 0), ("<end>", 1)]
    )


def begins(tokenizer: PreTrainedTokenizerFast) -> None:
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", 0)]
    )


TARGETS = ["q_proj", "v_proj"]


def lora(**changes):
    return LoraConfig(**{"r": 4, "target_modules": TARGETS, "task_type": "CAUSAL_LM", **changes})


CHANGES = {
    "pissa": lora(init_lora_weights="pissa"),
    "olora": lora(init_lora_weights="olora"),
    "bias all": lora(bias="all"),
    "bias of lora": lora(bias="lora_only"),
    "replicated layers": lora(layer_replication=[(0, 2), (1, 2)]),
}
"""Adapters that change the base when they are loaded, or that may."""


def save_trained(
    base: Path, folder: Path, config, saved_embeddings: bool | str = "auto", rows: int = 0, scale: float = 0.3
) -> Path:
    """Save an adapter whose every tensor was moved, as by training."""
    with quiet(), torch.no_grad():
        model = LlamaForCausalLM.from_pretrained(base)
        if rows:
            model.resize_token_embeddings(rows)
        torch.manual_seed(3)
        adapted = get_peft_model(model, config)
        for name, value in adapted.named_parameters():
            embedding = "embed_tokens" in name or "lm_head" in name
            if value.requires_grad or (saved_embeddings is True and embedding):
                value.add_(scale * torch.randn_like(value))
        adapted.save_pretrained(folder, save_embedding_layers=saved_embeddings)
    return folder


def rare(base: Path, folder: Path, token: int) -> Path:
    """An adapter that acts on one token alone, as where a LoRA of the embeddings met no other in training."""
    with quiet(), torch.no_grad():
        adapted = get_peft_model(
            LlamaForCausalLM.from_pretrained(base), lora(target_modules=["embed_tokens"])
        )
        for name, value in adapted.named_parameters():
            if "lora_embedding_A" in name:
                value[:, token] = 3.0
        adapted.save_pretrained(folder, save_embedding_layers=False)
    return folder


def letter(base: Path, text: str) -> int:
    return int(AutoTokenizer.from_pretrained(base)(text, add_special_tokens=False).input_ids[0])
