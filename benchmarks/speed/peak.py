"""python -m benchmarks.speed.peak MODEL

Measures how fast this machine multiplies float32 matrices of a model's shapes, by the faster library, and prints as JSON the best
rate in multiply-adds a second, and the model's own multiply-adds for a token: a parameter outside the embeddings each.
"""

from __future__ import annotations

import json
import sys
import time

import torch
from torch.nn import Embedding, Linear, functional
from transformers import AutoConfig, AutoModelForCausalLM

from harness.engine.transformers.products import fast_products

ROWS = 2048
SECONDS = 1.0
"""For each shape."""


@torch.inference_mode()
def main(reference: str) -> None:
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(reference))
    embeddings = {part.weight for part in model.modules() if isinstance(part, Embedding)}
    own = sum(weight.numel() for weight in model.parameters() if weight not in embeddings)
    shapes = {part.weight.shape for part in model.model.modules() if isinstance(part, Linear)}
    print(json.dumps({"peak": max(map(rate, shapes)), "a_token": own}))


def rate(shape: torch.Size) -> float:
    """The best of some products of (rows, inputs) and (outputs, inputs), in multiply-adds a second."""
    rows, weight = torch.rand(ROWS, shape[1]), torch.rand(shape)
    best, end = float("inf"), time.perf_counter() + SECONDS
    with fast_products(rows.device):
        while (began := time.perf_counter()) < end:
            functional.linear(rows, weight)
            best = min(best, time.perf_counter() - began)
    return ROWS * weight.numel() / best


if __name__ == "__main__":
    main(sys.argv[1])
