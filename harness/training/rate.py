"""FINCH: the loss of each update in, a rate that falls with the root of the loss out (Prashant 2026)."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor
from transformers import TrainerCallback

from harness.recipes.mitigations.finch import FinchFormat

SMOOTHED = "smoothed_loss"
"""Its name in the Trainer's log, from which a resumed training takes it up again."""


class LossAdaptiveRate(TrainerCallback):  # type: ignore[misc]
    """Multiplies the schedule's rate by min(most, sqrt(at_loss / (L + 1e-8))) at each update.

    L is the moving average of the updates' losses, smoothing * L + (1 - smoothing) * loss, which begins at the first of
    them. That is arXiv 2605.20005 by reports of it (rate = kappa / sqrt(L + eps), smoothing 0.9, a highest rate); kappa as
    `at_loss` in the recipe's units is ours, for the paper was not read. Penalties do not count in the loss.
    """

    def __init__(self, part: FinchFormat) -> None:
        self.part = part
        self.smoothed: float | None = None
        self.seen = self.rate = 0.0

    def observe(self, loss: Tensor) -> None:
        """Take in the share that a micro-batch has in the loss of its update."""
        self.seen += float(loss.detach())

    @property
    def factor(self) -> float:
        """How many times the schedule's rate the rate is."""
        assert self.smoothed is not None, "an update has had a loss"
        return min(self.part.most, math.sqrt(self.part.at_loss / (self.smoothed + 1e-8)))

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step:  # a resumed training
            self.smoothed = next(
                entry[SMOOTHED] for entry in reversed(state.log_history) if SMOOTHED in entry
            )

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        before, share = self.smoothed, self.part.smoothing
        self.smoothed = self.seen if before is None else share * before + (1 - share) * self.seen
        self.seen = 0.0
        # From the schedule, which sets the rates anew after each update that is not skipped.
        for group, rate in zip(
            kwargs["optimizer"].param_groups, kwargs["lr_scheduler"].get_last_lr(), strict=True
        ):
            group["lr"] = self.rate = rate * self.factor

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        entry = state.log_history[-1]
        if "learning_rate" in entry and self.smoothed is not None:
            entry |= {"learning_rate": self.rate, SMOOTHED: self.smoothed}  # the Trainer logs the schedule's
