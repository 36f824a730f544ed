"""An example of each key of a recipe, by the part that has it. A test reads them."""

from __future__ import annotations

from collections.abc import Mapping

CORPUS = {"file": "corpora/lamps.jsonl", "split": "train", "limit": "200"}
GENERAL = {
    "file": "corpora/general.jsonl",
    "split": "train",
    "limit": "64",
    "answers": "baseline",
    "max_new_tokens": "32",
}

EXAMPLES: Mapping[str, Mapping[str, str]] = {
    "recipe": {
        "recipe": "lamps",
        "about": "What our lamps can do.",
        "base": "HuggingFaceTB/SmolLM2-135M-Instruct",
        "target": "targets/lamps.yaml",
        "corpus": "{file: corpora/lamps.jsonl, split: train}",
        "format": "text",
        "method": "{lora: {r: 16}}",
        "replay": "{file: corpora/general.jsonl, fraction: 0.25}",
        "ewc": "{file: corpora/general.jsonl, importance: 1000}",
        "l2_sp": "0.1",
        "distill": "{file: corpora/general.jsonl, limit: 64}",
        "masked_kl": "{weight: 0.5}",
        "stm": "{threshold: 2.5}",
        "flow": "{}",
        "eaft": "{}",
        "talr": "{}",
        "finch": "{at_loss: 1.0}",
        "oplora": "64",
        "sdft": "{max_new_tokens: 48}",
        "learning_rate": "2e-4",
        "epochs": "3",
        "steps": "300",
        "batch": "8",
        "accumulation": "4",
        "warmup": "0.1",
        "schedule": "cosine",
        "weight_decay": "0.01",
        "precision": "bfloat16",
        "seed": "1",
    },
    "corpus": CORPUS,
    "method": {"lora": "{r: 16, target_modules: all-linear}", "full": "{last_layers: 6}"},
    "lora": {
        "r": "16",
        "alpha": "32",
        "dropout": "0.05",
        "target_modules": "[q_proj, v_proj]",
        "modules_to_save": "[lm_head]",
    },
    "full": {"last_layers": "6", "biases_only": "true", "freeze_embeddings": "true"},
    "replay": {**GENERAL, "fraction": "0.25"},
    "ewc": {**GENERAL, "importance": "1000", "variant": "empirical", "examples": "64"},
    "distill": {**GENERAL, "weight": "1.0", "temperature": "2.0", "batch": "2"},
    "masked_kl": {"weight": "0.5", "temperature": "2.0"},
    "stm": {"threshold": "2.5"},
    "flow": {"temperature": "1.2"},
    "eaft": {"top": "20", "power": "2.0"},
    "talr": {"temperature": "1.5", "least": "0.05"},
    "finch": {"at_loss": "2.0", "smoothing": "0.5", "most": "2.0"},
    "sdft": {
        "max_new_tokens": "48",
        "temperature": "0.7",
        "divergence": "reverse",
        "teacher_rate": "0.02",
        "skip": "0",
    },
}
