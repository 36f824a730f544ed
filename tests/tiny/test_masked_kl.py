"""KL without the token to learn: its value by hand, and that the token itself is free."""

from __future__ import annotations

import json
import math

import pytest
import torch

from harness.recipes.mitigations.masked_kl import MaskedKlFormat
from harness.training.encode import IGNORED
from harness.training.penalties.masked_kl import MaskedTargets
from harness.training.penalties.penalty import Batch
from harness.training.trained import DONE
from tests.support.kitchen import LORA

LABELS = torch.tensor([[IGNORED, 2, 0, IGNORED], [IGNORED, IGNORED, 1, 1]])
torch.manual_seed(0)
BASELINE, TUNED = 3 * torch.randn(2, 4, 5), 3 * torch.randn(2, 4, 5)


def penalty(baseline, tuned, **part):
    masked = MaskedTargets(lambda inputs: baseline, MaskedKlFormat(**part))
    return masked.over(Batch({"input_ids": LABELS}, LABELS, tuned))


def by_hand(baseline, tuned, temperature):
    """KL of the distributions over all tokens but the right one, a position at a time."""
    found = []
    for row in range(2):
        for place in range(1, 4):
            if (label := int(LABELS[row, place])) == IGNORED:
                continue
            p, q = (
                [
                    math.exp(float(value) / temperature)
                    for token, value in enumerate(logits[row, place - 1])
                    if token != label
                ]
                for logits in (baseline, tuned)
            )
            p, q = ([value / sum(each) for value in each] for each in (p, q))
            found.append(sum(a * math.log(a / b) for a, b in zip(p, q, strict=True)))
    return sum(found) / len(found)


@pytest.mark.parametrize(("weight", "temperature"), [(1.0, 1.0), (0.3, 2.0)])
def test_it_is_the_divergence_of_all_other_tokens(weight, temperature):
    found = penalty(BASELINE, TUNED, weight=weight, temperature=temperature)
    expected = weight * temperature**2 * by_hand(BASELINE, TUNED, temperature)
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_the_token_to_learn_may_go_where_it_likes():
    moved = BASELINE.clone()
    for row, place in ((0, 1), (0, 2), (1, 2), (1, 3)):
        moved[row, place - 1, LABELS[row, place]] += 50
    moved.requires_grad_()
    found = penalty(BASELINE, moved)
    found.backward()
    assert found.item() == pytest.approx(0, abs=1e-6)
    assert moved.grad.abs().max().item() < 1e-6
    assert torch.isfinite(moved.grad).all()


def test_a_batch_without_a_token_to_learn_costs_nothing():
    labels = torch.full_like(LABELS, IGNORED)
    masked = MaskedTargets(lambda inputs: BASELINE, MaskedKlFormat())
    assert masked.over(Batch({}, labels, TUNED)).item() == 0


@pytest.mark.parametrize("method", [LORA, "method: {full: {}}\nepochs: 2\n"], ids=["lora", "full"])
def test_it_acts_in_training(kitchen, method):
    def losses(text):
        folder = kitchen.train(method + text).tuned.folder
        return [entry["loss"] for entry in json.loads((folder / DONE).read_text())["curve"]]

    plain, held = losses(""), losses("masked_kl: {weight: 5}\n")
    assert held[0] == pytest.approx(plain[0], abs=1e-5), "at the start, nothing has moved"
    assert held[-1] > plain[-1], "what is left of the divergence counts"
