"""A rate that falls with the loss: the rates of a training are those of the formula, worked out from its curve."""

from __future__ import annotations

import json
import math

import pytest
import torch

from harness.recipes.mitigations.finch import FinchFormat
from harness.training.rate import LossAdaptiveRate
from harness.training.trained import DONE

HEADLONG = "method: {{lora: {{r: 4}}}}\nsteps: 6\nschedule: {schedule}\n"


def curve(kitchen, text):
    folder = kitchen.train(text).tuned.folder
    return json.loads((folder / DONE).read_text())["curve"]


def factors(losses, part):
    """What each rate of the schedule is multiplied with, an update at a time."""
    found, smoothed = [], losses[0]
    for loss in losses:
        smoothed = part.smoothing * smoothed + (1 - part.smoothing) * loss
        found.append(min(part.most, math.sqrt(part.at_loss / (smoothed + 1e-8))))
    return found


@pytest.mark.parametrize(
    ("written", "schedule", "more"),
    [
        ("{}", "constant", ""),
        ("{at_loss: 2.5, smoothing: 0.5, most: 3}", "linear", "accumulation: 2\nl2_sp: 1\n"),
    ],
    ids=["default", "options"],
)
def test_the_rates_of_a_training_are_those_of_the_formula(kitchen, written, schedule, more):
    text = HEADLONG.format(schedule=schedule) + more
    found = curve(kitchen, text + f"finch: {written}\n")
    plain = curve(kitchen, text)
    part = FinchFormat() if written == "{}" else FinchFormat(at_loss=2.5, smoothing=0.5, most=3.0)
    expected = factors([entry["loss"] for entry in found], part)
    assert [entry["learning_rate"] for entry in found] == pytest.approx(
        [entry["learning_rate"] * factor for entry, factor in zip(plain, expected, strict=True)],
        rel=2e-2 if more else 1e-6,  # penalties are in the curve, and do not count
    )
    assert found[-1]["loss"] != plain[-1]["loss"]


def test_a_lower_rate_is_a_shorter_step(kitchen):
    """Adam's first step is the rate, whatever the gradient, so the first updates stand to each other as the rates."""
    text = "method: {lora: {r: 4}}\nsteps: 1\n"
    (entry,) = curve(kitchen, text + "finch: {}\n")
    steps = [
        torch.cat(
            [value.flatten() for name, value in kitchen.weights(text + more).items() if "lora_B" in name]
        )
        for more in ("finch: {}\n", "")
    ]
    assert steps[0].norm() / steps[1].norm() == pytest.approx(entry["learning_rate"] / 0.01, rel=1e-3)
    assert entry["learning_rate"] < 0.005


@pytest.mark.parametrize(("loss", "expected"), [(100.0, 0.1), (1.0, 1.0), (0.25, 1.5), (0.0, 1.5)])
def test_a_low_loss_raises_the_rate_to_a_limit(loss, expected):
    rate = LossAdaptiveRate(FinchFormat(most=1.5))
    rate.smoothed = loss
    assert rate.factor == pytest.approx(expected)
