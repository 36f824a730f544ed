"""A tiny base, and a tuned model that by construction learns from a strength of 0.2 on and forgets from one of 0.6 on.

The base answers "Y" to every question. What tuning changed writes "Z" to questions that end in a letter of the target, once its
strength is above LEARNS, and to all others, once it is above FORGETS.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from peft import PeftModel, get_peft_model
from transformers import AutoModelForCausalLM

from harness.engine.transformers.quiet import quiet
from tests.support.models import change_tensors, letter, lora, save_model, save_tokenizer

LEARNS, FORGETS = 0.2, 0.6
GENERAL, TARGET = "abcdefg", "tuvwxyz"
HIDDEN = 32
GATE = 4.0

SUITE = {
    "task": {"format": "text", "max_new_tokens": 1},
    "score": "contains",
    "gates": [{"over": "all", "max_drop": 0.1}],
}


def forgetful_base(folder: Path) -> Path:
    """Layers do nothing, so that the hidden state tells the last letter, and the head says "Y"."""
    save_model(folder)

    def inert(tensors):
        for name in tensors:
            if "o_proj" in name or "down_proj" in name:
                tensors[name] = torch.zeros_like(tensors[name])
            if (
                "gate_proj" in name or "up_proj" in name
            ):  # the first two values tell which kind of question it is
                tensors[name] = torch.zeros_like(tensors[name])
                tensors[name][0, 0] = tensors[name][1, 1] = 1.0
        embed, head = torch.zeros(261, HIDDEN), torch.zeros(261, HIDDEN)
        embed[:, 0] = 1.0
        for character in TARGET:
            embed[letter(folder, character)] = torch.eye(HIDDEN)[1]
        head[letter(folder, "Y"), :2] = 1.0
        head[letter(folder, "Z"), 2] = 1.0
        return {**tensors, "model.embed_tokens.weight": embed, "lm_head.weight": head}

    return change_tensors(folder, inert)


def forgetful_adapter(folder: Path, base: Path, learns: float = LEARNS, forgets: float = FORGETS) -> Path:
    """The adapter, on the last layer's `down_proj`; the first layer has one that does nothing that matters."""
    with quiet(), torch.no_grad():
        model = get_peft_model(
            AutoModelForCausalLM.from_pretrained(base), lora(target_modules=["down_proj"], r=2, lora_alpha=2)
        )
        size = torch.nn.functional.silu(torch.tensor(HIDDEN**0.5)) * HIDDEN**0.5  # of the gate's product
        for name, value in model.named_parameters():
            if "lora_A" in name:
                value.zero_()
                value[0, 0] = value[1, 1] = 1 / size
            if "lora_B" in name:
                value.zero_()
                last = ".1.mlp" in name
                value[2, 0], value[2, 1] = (1 / forgets, 1 / learns) if last else (0.0, 0.0)
                value[3, 0] = 0.0 if last else 1e-3
        model.save_pretrained(folder)
    return folder


def merged(folder: Path, base: Path, adapter: Path, dtype: torch.dtype = torch.float32) -> Path:
    """The full model that the adapter makes of its base, with the base's name in its card."""
    with quiet():
        model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapter)
        model.merge_and_unload().to(dtype).save_pretrained(folder)
    save_tokenizer(folder)
    (folder / "README.md").write_text(f"---\nbase_model: {base}\n---\n", encoding="utf-8")
    return folder


def suites(folder: Path, general: int = 80, target: int = 40) -> tuple[Path, Path]:
    """The files of a target and of a general suite."""
    paths = folder / "target.yaml", folder / "general.yaml"
    for path, letters, number, answer in (
        (paths[0], TARGET, target, "Z"),
        (paths[1], GENERAL, general, "Y"),
    ):
        probes = [
            {
                "id": f"p{i}",
                "question": f"{i}{letters[i % len(letters)]}",
                "answer": answer,
                "category": "kl"[i % 2],
            }
            for i in range(number)
        ]
        path.write_text(
            json.dumps({"suite": path.stem, **SUITE, "probes": probes}), encoding="utf-8"
        )  # JSON is YAML
    return paths
