"""Tiny models with random weights in GGUF files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter
from gguf.quants import quantize

WIDTH, LAYERS, HEADS, INNER, CONTEXT = 64, 2, 2, 128, 512
CHAT = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = ("<|im_start|>", "<|im_end|>")
MERGES = ("Ġ t", "h e", "i n", "Ġt he", "Ġ a")
FLOATS, QUANTISED = GGMLQuantizationType.F32, GGMLQuantizationType.Q8_0
NUMBERS = {FLOATS: 0, QUANTISED: 7}


def vocabulary(first: str) -> list[str]:
    """Special tokens, every byte, as GPT-2 spells it, and what the merges make."""
    shown = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in shown]
    spelled = {**{byte: chr(byte) for byte in shown}, **{byte: chr(256 + n) for n, byte in enumerate(others)}}
    return [
        first,
        *SPECIAL,
        *(spelled[byte] for byte in range(256)),
        *(merge.replace(" ", "") for merge in MERGES),
    ]


def save_gguf(
    path: Path,
    seed: int = 0,
    kind: GGMLQuantizationType = FLOATS,
    template: str | None = CHAT,
    shards: int = 0,
    values: Mapping[str, Any] | None = None,
    broken: bool = False,
    first: str = "<unk>",
) -> Path:
    """Write a model.

    Args:
        shards: the most tensors in a file; 0 for one file.
        values: further metadata, booleans or texts.
        broken: whether its logits are no numbers.
        first: the text of the first token, a special one.
    """
    writer = GGUFWriter(path, "llama", split_max_tensors=shards)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_file_type(NUMBERS[kind])
    tokens, special = vocabulary(first), 1 + len(SPECIAL)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([3] * special + [1] * (len(tokens) - special))
    writer.add_token_merges(list(MERGES))
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    if template is not None:
        writer.add_chat_template(template)
    for key, value in (values or {}).items():
        writer.add_bool(key, value) if isinstance(value, bool) else writer.add_string(key, value)
    for name, tensor in _tensors(np.random.default_rng(seed), len(tokens)).items():
        if broken and name.endswith("ffn_down.weight"):
            tensor[:] = np.nan
        as_is = tensor.ndim == 1 or kind == FLOATS
        writer.add_tensor(
            name, tensor if as_is else quantize(tensor, kind), raw_dtype=None if as_is else kind
        )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _tensors(random: np.random.Generator, size: int) -> dict[str, np.ndarray]:
    def weights(*shape: int) -> np.ndarray:
        return random.normal(0, 0.3, shape).astype(np.float32)

    tensors = {"token_embd.weight": weights(size, WIDTH), "output.weight": weights(size, WIDTH)}
    tensors["output_norm.weight"] = np.ones(WIDTH, np.float32)
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        tensors |= {f"{block}attn_{name}.weight": weights(WIDTH, WIDTH) for name in ("q", "k", "v", "output")}
        tensors |= {f"{block}{name}_norm.weight": np.ones(WIDTH, np.float32) for name in ("attn", "ffn")}
        tensors |= {f"{block}ffn_{name}.weight": weights(INNER, WIDTH) for name in ("gate", "up")}
        tensors[f"{block}ffn_down.weight"] = weights(WIDTH, INNER)
    return tensors
