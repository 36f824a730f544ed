"""A batch in, its loss with a recipe's terms out: transformers' Trainer, whose updates mitigations change."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from transformers import Trainer

from harness.training.penalties.penalty import Batch, BatchPenalty
from harness.training.terms import Terms
from harness.training.weighting.weighted import weighted_loss


class TermsTrainer(Trainer):  # type: ignore[misc]
    """Weighs tokens, adds penalties, or learns from the model's own answers; over the batches of an update they add up to one."""

    def __init__(self, terms: Terms, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.terms = terms
        self.batches: int | None = None

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        if self.batches is None:  # the first batch, perhaps of a resumed training
            self.batches = self._batches_so_far()
        # Where the loss is already a share of the update (divided by its tokens), the Trainer divides it no further;
        # elsewhere it divides the sum by the number of batches itself.
        scaled = self.model_accepts_loss_kwargs and num_items_in_batch is not None
        batches = self.current_gradient_accumulation_steps
        if self.terms.own_answers is not None:
            loss, outputs = self.terms.own_answers.loss(inputs, self.batches)
            loss = loss / batches if scaled else loss
        else:
            loss, outputs = self._of_corpus(model, inputs, num_items_in_batch)
        if self.terms.rate is not None:
            self.terms.rate.observe(loss if scaled else loss / batches)
        if self.terms.penalties:
            total = self._penalty(inputs, outputs).to(loss)
            loss = loss + (total / batches if scaled else total)
        self.batches += 1
        return (loss, outputs) if return_outputs else loss

    def _of_corpus(self, model: Any, inputs: Any, num_items_in_batch: Any) -> tuple[torch.Tensor, Any]:
        """The loss on the corpus's own answers, and the model's output."""
        kept = inputs.pop("weights", None)
        if kept is None and not self.terms.gates:
            loss, outputs = super().compute_loss(model, inputs, True, num_items_in_batch)
            return loss, outputs
        outputs = model(**{name: value for name, value in inputs.items() if name != "labels"})
        items = num_items_in_batch if self.model_accepts_loss_kwargs else None
        return weighted_loss(outputs.logits, inputs["labels"], kept, self.terms.gates, items), outputs

    def _penalty(self, inputs: Any, outputs: Any) -> torch.Tensor:
        """The sum of all penalties at this batch."""
        plain = {name: inputs[name] for name in ("input_ids", "attention_mask")}
        found = []
        for penalty in self.terms.penalties:
            if isinstance(penalty, BatchPenalty):
                found.append(penalty.over(Batch(plain, inputs["labels"], outputs.logits)))
            else:
                found.append(penalty.loss(self.model, self.batches or 0))
        return torch.stack(found).sum()

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """As the Trainer does for each checkpoint, with the teacher of a self-distillation."""
        super().save_model(output_dir, _internal_call)
        if self.terms.own_answers is not None and output_dir is not None:
            self.terms.own_answers.save(Path(output_dir))

    def _batches_so_far(self) -> int:
        """Batches of the updates already made; the last update of an epoch may have had fewer than the others."""
        batches: int = math.ceil(len(self.train_dataset) / self.args.per_device_train_batch_size)
        each: int = self.args.gradient_accumulation_steps
        epochs, made = divmod(int(self.state.global_step), math.ceil(batches / each))
        return epochs * batches + made * each
