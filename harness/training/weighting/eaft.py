"""EAFT: the weight of a token is the entropy of the prediction that the model in training makes there (Diao 2026)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from harness.recipes.mitigations.eaft import EaftFormat
from harness.training.weighting.weighted import Gate, Seen


def build(part: EaftFormat) -> Gate:
    """(H / ln K)^power, H the entropy of the K likeliest tokens alone, renormalised: arXiv 2601.02151 as LLaMA-Factory has it.

    There, ln 20 is rounded to 3; here the weight of a uniform prediction is exactly 1. The paper itself was not read.
    """

    def gate(seen: Seen) -> Tensor:
        top = min(part.top, seen.logits.shape[-1])
        log_p = torch.log_softmax(seen.logits.topk(top, dim=-1).values, dim=-1)  # (tokens, K)
        entropy = -(log_p.exp() * log_p).sum(-1)  # (tokens,)
        return (entropy / math.log(top)).clamp(0, 1) ** part.power

    return gate
