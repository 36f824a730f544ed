"""A batch of the corpus and the baseline in, a penalty out on how the tuned model's other choices diverge from the baseline's."""

from __future__ import annotations

import torch
from torch import Tensor

from harness.recipes.mitigations.masked_kl import MaskedKlFormat
from harness.training.penalties.distillation import Teacher, softened_divergence, teacher_of
from harness.training.penalties.penalty import Batch, Start
from harness.training.weighting.weighted import predicting


def build(part: MaskedKlFormat, start: Start) -> MaskedTargets:
    """The penalty of a recipe's `masked_kl`."""
    return MaskedTargets(teacher_of(start), part)


class MaskedTargets:
    """weight * temperature^2 * KL(p || q), in nats per answer token of the batch that is learnt.

    p is the baseline's distribution over all tokens but the one to learn, renormalised, and q the tuned model's. That is
    arXiv 2605.29498 by its abstract; the direction of the divergence (the baseline's preferences are kept) and the
    temperature, as in distillation, are ours, for the rest of the paper was not read.

    Args:
        teacher: the baseline; see `harness.training.penalties.distillation`.
    """

    def __init__(self, teacher: Teacher, part: MaskedKlFormat) -> None:
        self.teacher = teacher
        self.part = part

    def over(self, batch: Batch) -> Tensor:
        """The penalty of a batch: a float32 scalar on the model's device."""
        baseline = self.others(self.teacher(dict(batch.inputs)).detach(), batch.labels)
        tuned = self.others(batch.logits, batch.labels)  # (answer tokens, vocabulary)
        if not len(tuned):
            return batch.logits.sum() * 0.0
        return softened_divergence(baseline, tuned, self.part)

    def others(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Log-probabilities of all tokens but the right one, whose probability is 0: (answer tokens, vocabulary)."""
        _, chosen, targets = predicting(logits, labels)
        # A finite number: two infinite ones would differ by NaN.
        least = torch.finfo(chosen.dtype).min
        masked = (chosen / self.part.temperature).scatter(-1, targets[:, None], least)
        return torch.log_softmax(masked, dim=-1)
