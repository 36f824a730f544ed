"""The name of an architecture in, a tiny model of it with random weights out; and the tokenizer of them all.

A name is a `model_type` of transformers, and after a blank which variant of it. Every kind of layer that an architecture has
occurs in its model, and windows and chunks are shorter than most prompts.
"""

from __future__ import annotations

import dataclasses
import string
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.pytorch_utils import Conv1D

LETTERS = [" ", *string.ascii_letters, *string.digits, *string.punctuation]
BEGIN, END = 0, 1
VOCABULARY = len(LETTERS) + 2
"""One token for each letter; the first two tokens begin and end a text."""

WINDOW = 8
S, F, L = "sliding_attention", "full_attention", "linear_attention"
CHUNKED, CONV, HYBRID = "chunked_attention", "conv", "hybrid"

COMMON: dict[str, Any] = {
    "vocab_size": VOCABULARY, "bos_token_id": BEGIN, "eos_token_id": END, "pad_token_id": END,
    "initializer_range": 0.4, "init_std": 0.4, "tie_word_embeddings": False,
    "max_position_embeddings": 128, "n_positions": 128, "max_seq_len": 128, "context_length": 128,
    "hidden_size": 32, "n_embd": 32, "d_model": 32,
    "intermediate_size": 64, "n_inner": 64, "ffn_dim": 64, "dff": 64, "ffn_hidden_size": 64,
    "num_hidden_layers": 2, "num_layers": 2, "n_layer": 2, "n_layers": 2,
    "num_attention_heads": 4, "attention_heads": 4, "num_heads": 4, "n_head": 4, "n_heads": 4,
    "num_key_value_heads": 2, "head_dim": 8, "rotary_dim": 4,
    "num_experts": 4, "num_local_experts": 4, "n_routed_experts": 4, "num_experts_per_tok": 2, "n_shared_experts": 1,
    "n_group": 1, "topk_group": 1, "first_k_dense_replace": 1,
    "moe_intermediate_size": 32, "shared_expert_intermediate_size": 32, "shared_intermediate_size": 32,
    "kv_lora_rank": 16, "q_lora_rank": 16, "qk_rope_head_dim": 8, "qk_nope_head_dim": 8, "v_head_dim": 8,
    "linear_num_key_heads": 2, "linear_num_value_heads": 4, "linear_key_head_dim": 8, "linear_value_head_dim": 8,
    "state_size": 8, "ssm_state_size": 8, "mamba_d_state": 8, "mamba_n_heads": 4, "mamba_d_head": 16,
    "time_step_rank": 4, "mamba_dt_rank": 4, "chunk_size": 16, "mamba_chunk_size": 16, "block_size": 16,
}  # fmt: skip
"""What all configs are given, as far as they have it."""

ARCHITECTURES: dict[str, dict[str, Any]] = {
    "afmoe": {"layer_types": [S, F, S]},
    "apertus": {},
    "arcee": {},
    "axk1": {"num_key_value_heads": 4},
    "bailing_hybrid": {"layer_types": [L, F, L], "num_key_value_heads": 4},
    "bamba": {"num_hidden_layers": 3, "attn_layer_indices": [1]},
    "biogpt": {},
    "bitnet": {},
    "bloom": {"initializer_range": 0.8, "num_hidden_layers": 3},
    "codegen": {},
    "cohere": {"logit_scale": 1.0},
    "cohere2": {"layer_types": [S, F, S], "logit_scale": 1.0},
    "cohere2_moe": {"layer_types": [S, F, S], "logit_scale": 1.0},
    "ctrl": {},
    "cwm": {},
    "dbrx": {"attn_config": {"kv_n_heads": 2, "rope_theta": 1e4, "clip_qkv": 8.0}, "ffn_config": {"ffn_hidden_size": 64}},
    "deepseek_v2": {"num_key_value_heads": 4},
    "deepseek_v3": {"num_key_value_heads": 4},
    "deepseek_v32": {"num_key_value_heads": 4, "index_topk": 8, "index_head_dim": 16, "index_n_heads": 8},
    "deepseek_v4": {
        "layer_types": ["heavily_compressed_attention", "compressed_sparse_attention", S], "num_key_value_heads": 1, "hc_mult": 2,
        "o_groups": 2, "o_lora_rank": 8, "index_n_heads": 8, "index_head_dim": 16, "index_topk": 8,
        "compress_rates": {"heavily_compressed_attention": 16, "compressed_sparse_attention": 4},
    },
    "diffllama": {},
    "doge": {},
    "dots1": {},
    "ernie4_5": {},
    "ernie4_5_moe": {},
    "exaone4": {"layer_types": [S, F, S]},
    "exaone_moe": {"layer_types": [S, F, S]},
    "falcon": {"initializer_range": 0.6},
    "falcon alibi": {"alibi": True, "initializer_range": 0.6},
    "falcon new": {"new_decoder_architecture": True, "num_kv_heads": 2},
    "falcon_h1": {"mamba_d_ssm": 64},
    "falcon_mamba": {},
    "flex_olmo": {},
    "flint": {"layer_types": [S, F, S], "mlp_only_layers": [0]},
    "gemma": {},
    "gemma2": {"attn_logit_softcapping": 5.0, "final_logit_softcapping": 8.0},
    "gemma3_text": {"layer_types": [S, F, S]},
    "gemma3n_text": {
        "layer_types": [S, F, S, F], "num_kv_shared_layers": 2, "hidden_size_per_layer_input": 8,
        "vocab_size_per_layer_input": VOCABULARY, "altup_num_inputs": 2, "laurel_rank": 8,
    },
    "gemma4_text": {
        "layer_types": [S, F, S, F], "num_kv_shared_layers": 2, "hidden_size_per_layer_input": 8,
        "vocab_size_per_layer_input": VOCABULARY, "global_head_dim": 16,
    },
    "gemma4_text moe": {
        "layer_types": [S, F, S, F], "attention_k_eq_v": True, "hidden_size_per_layer_input": 0, "global_head_dim": 16,
        "enable_moe_block": True, "top_k_experts": 2,
    },
    "glm": {},
    "glm4": {},
    "glm4_moe": {},
    "glm4_moe_lite": {"num_key_value_heads": 4, "mlp_layer_types": ["dense", "sparse"]},
    "glm_moe_dsa": {"num_key_value_heads": 4, "index_topk": 8, "index_head_dim": 16, "index_n_heads": 8},
    "gpt2": {},
    "gpt_bigcode": {},
    "gpt_neo": {"attention_types": [[["global", "local"], 1]], "window_size": WINDOW},
    "gpt_neox": {},
    "gpt_neox_japanese": {},
    "gpt_oss": {"layer_types": [S, F, S]},
    "gptj": {"initializer_range": 0.8},
    "granite": {},
    "granite_swa": {},
    "granitemoe": {},
    "granitemoe_swa": {},
    "granitemoehybrid": {"layer_types": [L, F, L]},
    "granitemoeshared": {},
    "helium": {},
    "hrm_text": {"initializer_range": 0.2},
    "hunyuan_v1_dense": {},
    "hunyuan_v1_moe": {},
    "hy_v3": {},
    "hy_v4": {"num_key_value_heads": 4, "index_topk": 8, "index_head_dim": 16, "index_n_heads": 8},
    "iquestcoder": {},
    "inkling_text": {
        "layer_types": ["hybrid_sliding", HYBRID, "hybrid_sliding"], "swa_num_attention_heads": 4, "swa_num_key_value_heads": 2,
        "swa_head_dim": 8, "sliding_window_size": WINDOW, "logits_mup_width_multiplier": 1.0,
    },
    "internlm3": {},
    "jais2": {},
    "jamba": {
        "num_hidden_layers": 4, "attn_layer_period": 2, "attn_layer_offset": 1, "expert_layer_period": 3,
    },
    "jetmoe": {"kv_channels": 8},
    "kimi_linear": {"layer_types": [L, F, L], "num_key_value_heads": 4, "linear_head_dim": 8, "linear_num_heads": 4},
    "kolibri1": {"layer_types": [S, F, S]},
    "laguna": {"layer_types": [S, F, S]},
    "lfm2": {"layer_types": [CONV, F, CONV], "block_multiple_of": 16},
    "lfm2_moe": {"layer_types": [CONV, F, CONV], "num_dense_layers": 1},
    "lfm3": {"layer_types": [CONV, S, CONV, F]},
    "llama": {},
    "llama linear": {"rope_parameters": {"rope_type": "linear", "rope_theta": 1e4, "factor": 4.0}},
    "llama llama3": {
        "rope_parameters": {
            "rope_type": "llama3", "rope_theta": 1e4, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 16,
        },
    },
    "llama yarn": {
        "rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4, "factor": 8.0, "original_max_position_embeddings": 16},
    },
    "llama4_text": {
        "layer_types": [CHUNKED, F, CHUNKED], "no_rope_layers": [1, 0, 1], "attention_chunk_size": 2 * WINDOW,
        "interleave_moe_layer_step": 2, "intermediate_size_mlp": 64, "floor_scale": 8,
    },
    "llama4_text far": {
        "layer_types": [CHUNKED, F, CHUNKED], "no_rope_layers": [1, 0, 1], "attention_chunk_size": 40, "floor_scale": 40,
        "interleave_moe_layer_step": 2, "intermediate_size_mlp": 64,
    },
    "longcat_flash": {"num_key_value_heads": 4, "zero_expert_num": 2, "moe_topk": 2, "expert_ffn_hidden_size": 32},
    "mamba": {},
    "mamba2": {"head_dim": 16, "n_groups": 1},
    "mellum": {"layer_types": [S, F, S]},
    "mimo_v2_flash": {},
    "minicpm3": {"num_key_value_heads": 4, "scale_emb": 1, "dim_model_base": 32},
    "minimax": {"layer_types": [L, F, L]},
    "minimax_m2": {},
    "ministral": {},
    "ministral3": {},
    "ministral3 far": {
        "rope_parameters": {
            "rope_type": "yarn", "rope_theta": 1e4, "factor": 4.0, "original_max_position_embeddings": 40, "beta_fast": 32.0,
            "beta_slow": 1.0, "mscale": 1.0, "mscale_all_dim": 1.0, "llama_4_scaling_beta": 0.5,
        },
    },
    "mistral": {},
    "mistral far": {"sliding_window": 40},
    "mixtral": {},
    "modernbert-decoder": {},
    "mpt": {},
    "nanochat": {},
    "nemotron": {},
    "nemotron_h": {
        "layers_block_type": ["mamba", "moe", "attention", "mamba"], "mamba_num_heads": 4, "mamba_head_dim": 16, "n_groups": 1,
        "moe_shared_expert_intermediate_size": 32,
    },
    "olmo": {},
    "olmo2": {},
    "olmo3": {"layer_types": [S, F, S]},
    "olmo_hybrid": {"layer_types": [L, F, L]},
    "olmoe": {},
    "openai-gpt": {"initializer_range": 0.8},
    "opt": {},
    "persimmon": {},
    "phi": {},
    "phi3": {},
    "phi3 longrope": {
        "rope_parameters": {
            "rope_type": "longrope", "rope_theta": 1e4, "partial_rotary_factor": 1.0, "short_factor": [1.0] * 4,
            "long_factor": [1.0, 2.0, 4.0, 8.0], "original_max_position_embeddings": 48,
        },
        "original_max_position_embeddings": 48,
    },
    "phimoe": {},
    "qwen2": {},
    "qwen2 sliding": {"use_sliding_window": True, "layer_types": [F, S]},
    "qwen2_moe": {"mlp_only_layers": [0]},
    "qwen3": {},
    "qwen3_5_moe_text": {"layer_types": [L, F, L]},
    "qwen3_5_text": {"layer_types": [L, F, L]},
    "qwen3_moe": {"mlp_only_layers": [0]},
    "qwen3_next": {"layer_types": [L, F, L], "mlp_only_layers": [0]},
    "recurrent_gemma": {"num_hidden_layers": 3, "attention_window_size": WINDOW, "w_init_variance_scale": 0.5},
    "rwkv": {"rescale_every": 1},
    "seed_oss": {},
    "smollm3": {},
    "solar_open": {},
    "stablelm": {},
    "starcoder2": {},
    "vaultgemma": {},
    "xglm": {},
    "xlstm": {"hidden_size": 64, "qk_dim_factor": 1.0},
    "youtu": {"num_key_value_heads": 4, "embedding_initializer_range": 0.4},
    "zamba": {"layers_block_type": [L, HYBRID, L, HYBRID], "num_key_value_heads": 4},
    "zamba2": {"layers_block_type": [L, HYBRID, L, HYBRID], "num_key_value_heads": 4, "n_mamba_heads": 4},
    "zaya": {"num_experts_per_tok": 1, "router_hidden_size": 16, "initializer_range": 0.8},
}  # fmt: skip
"""The settings of each that are not the common ones."""


def config_of(name: str) -> Any:
    """The config of an architecture; raises KeyError where the installed transformers lacks it."""
    kind, own = CONFIG_MAPPING[name.split()[0]], ARCHITECTURES[name]
    defaults = {field.name: field.default for field in dataclasses.fields(kind)}
    given = {key: value for key, value in COMMON.items() if key in defaults}
    if isinstance(defaults.get("sliding_window"), int):
        given["sliding_window"] = WINDOW
    layers = own.get("layer_types") or own.get("layers_block_type")
    return kind(**given | ({"num_hidden_layers": len(layers)} if layers else {}) | own)


def has(name: str) -> bool:
    """Whether the installed transformers has an architecture."""
    return name.split()[0] in CONFIG_MAPPING


def build(name: str) -> Any:
    """The model of an architecture, the same at every call."""
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config_of(name), dtype=torch.float32).eval()
    for module in model.modules():
        if isinstance(module, Conv1D):  # not every architecture has it initialised by its config
            torch.nn.init.normal_(module.weight, 0, COMMON["initializer_range"])
    return model


def tokenizer() -> PreTrainedTokenizerFast:
    """A tokenizer with a token for each letter."""
    vocabulary = {token: number for number, token in enumerate(["<s>", "<end>", *LETTERS])}
    letters = Tokenizer(models.WordLevel(vocabulary, unk_token="<s>"))
    letters.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    letters.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(tokenizer_object=letters, bos_token="<s>", eos_token="<end>")
