"""python -m benchmarks.speed.models FOLDER

Makes the models that are asked, and prints the name of each and its folder as JSON: the embedded one with an adapter, and a small random one with
an adapter. The adapters are those of fixtures/lora.yaml before training, but random where that begins with zeros, so that they act.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from harness.engine.transformers.gguf import ensure_embedded
from harness.engine.transformers.quiet import quiet
from harness.models.embedded import embedded_folder
from harness.recipes.read import read_recipe
from harness.training.trainable import prepare

RECIPE = Path(__file__).parents[2] / "fixtures" / "lora.yaml"
SPREAD = 0.02
"""Standard deviation of the adapters' weights; as far as some training moves them."""

SMALL = {
    "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 16,
}  # fmt: skip


def main(folder: Path) -> None:
    ensure_embedded()
    torch.manual_seed(1)
    base = embedded_folder()
    small = write_small(base, folder / "small")
    made = {
        "baseline": base,
        "adapter": write_adapter(base, folder / "adapter"),
        "small": small,
        "small_adapter": write_adapter(small, folder / "small_adapter"),
    }
    print(json.dumps({name: str(path) for name, path in made.items()}))


def write_adapter(base: Path, folder: Path) -> Path:
    """A LoRA adapter that acts, without training."""
    with quiet(), torch.no_grad():
        model = prepare(AutoModelForCausalLM.from_pretrained(base), read_recipe(RECIPE))
        for name, value in model.named_parameters():
            if "lora_B" in name:
                value.normal_(0, SPREAD)
        model.save_pretrained(folder)
    return folder


def write_small(base: Path, folder: Path) -> Path:
    """A random model with the tokenizer of another."""
    config: Any = AutoConfig.from_pretrained(base)
    config.update(SMALL)
    with quiet():
        AutoModelForCausalLM.from_config(config).save_pretrained(folder)
        AutoTokenizer.from_pretrained(base).save_pretrained(folder)
    return folder


if __name__ == "__main__":
    main(Path(sys.argv[1]))
