"""A model and batches in, the diagonal of its Fisher information out, from the gradient of one sample at a time.

F_i = E_x E_{y ~ p(y|x)} (d log p(y|x) / d theta_i)^2. Each sample's own gradient is squared: the gradient of a batch's mean
is smaller by up to the batch size, and is zero where two samples pull opposite ways (van de Ven 2025 compares the
variants).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from harness.errors import ModelError, NoEvidenceError
from harness.training.encode import IGNORED
from harness.training.penalties.penalty import evaluating, trainable

Variant = Literal["exact", "sampled", "empirical"]
"""Whose labels: every label by its probability, labels drawn from the model, or the data's own."""

Batch = Mapping[str, Tensor] | Sequence[Tensor]
"""Of a causal language model: `input_ids`, `attention_mask`, `labels`, each (rows, tokens); of a classifier:
(inputs (rows, ...), targets (rows,))."""


@dataclass(frozen=True)
class Sample:
    """The predictions of one sample, each with its target; both kinds of model look alike in it.

    `arguments` and `named` go to the model; row `places[i]` of its logits, (1, tokens, classes) or (1, classes), predicts
    `targets[i]`.
    """

    arguments: tuple[Tensor, ...]
    named: Mapping[str, Tensor]
    places: Tensor
    targets: Tensor

    def log_probabilities(self, model: torch.nn.Module) -> Tensor:
        """(predictions, classes), float32."""
        output = model(*self.arguments, **self.named)
        logits: Tensor = getattr(output, "logits", output)  # (1, tokens, classes) or (1, classes)
        rows = logits.reshape(-1, logits.shape[-1])  # (tokens or 1, classes)
        # Only the rows that predict become float32: those of a prompt would take the most memory and count nothing.
        return torch.log_softmax(rows[self.places].float(), dim=-1)  # (predictions, classes)


def fisher_diagonal(
    model: torch.nn.Module,
    batches: Iterable[Batch],
    variant: Variant = "empirical",
    num_batches: int | None = None,
    seed: int = 0,
) -> dict[str, Tensor]:
    """The diagonal Fisher information of every trainable parameter, averaged over samples.

    A sequence is one sample, and its log-likelihood the sum of log p over its answer tokens, given the tokens
    before them in the data. Dropout is off; the model's mode, `.grad` and weights stay as they are. Mixed precision
    is the caller's: a model in bfloat16, or a surrounding autocast.

    Args:
        variant: `empirical` takes the data's labels (one backward pass a sample); `sampled` one draw from the model
            for each prediction (the same cost, and `exact` in expectation); `exact` sums over all labels, one
            backward pass for each class of each prediction, so only for small vocabularies. For a sequence `exact`
            adds up the squares of each position's own gradient: labels drawn at different positions are independent
            given the data's tokens, and each gradient has mean zero under the model, so the cross terms of
            E[(sum_t g_t)^2] vanish and it is sum_t E[g_t^2].
        num_batches: how many batches to use at most; None for all.
        seed: of the draws.

    Returns:
        For each name of `named_parameters()` a float32 tensor of the parameter's shape; tied weights once.

    Raises:
        ModelError: no parameter is trainable, the model's output or a gradient is NaN or infinite, a batch
            has another form or a target that is no class.
        NoEvidenceError: there are no samples, one has no answer, every gradient is zero.
    """
    if variant not in get_args(Variant):
        raise ModelError(
            f"unknown variant '{variant}' of Fisher information; there are: exact, sampled, empirical"
        )
    parameters = trainable(model)
    device = next(iter(parameters.values())).device
    generator = torch.Generator(device).manual_seed(seed)
    sums = {name: torch.zeros_like(value, dtype=torch.float32) for name, value in parameters.items()}
    samples = (sample for batch in islice(batches, num_batches) for sample in _samples(batch, device))
    count = 0
    with evaluating(model), torch.enable_grad():
        for count, sample in enumerate(samples, start=1):
            log_p = _checked(model, sample, count)  # (predictions, classes)
            for weight, log_likelihood in _terms(log_p, sample.targets, variant, generator):
                gradients = torch.autograd.grad(
                    log_likelihood,  # ()
                    list(parameters.values()),
                    retain_graph=variant == "exact",  # whose terms share one graph
                    allow_unused=True,
                )
                for name, gradient in zip(sums, gradients, strict=True):
                    if gradient is not None:  # else the sample does not reach the parameter
                        sums[name].add_(gradient.float().square(), alpha=weight)
    if not count:
        raise NoEvidenceError(
            "Fisher information needs samples, saw none\n  give at least one batch with a row in it"
        )
    fisher = {name: value / count for name, value in sums.items()}
    _check(fisher)
    return fisher


def _checked(model: torch.nn.Module, sample: Sample, number: int) -> Tensor:
    """The log-probabilities of a sample, (predictions, classes), which a gradient can be taken of."""
    if not len(sample.targets):
        raise NoEvidenceError(
            f"sample {number} has no answer token to take a gradient of\n"
            "  leave out rows whose labels are all ignored"
        )
    log_p = sample.log_probabilities(model)
    if bool(log_p.isnan().any()):
        raise ModelError(f"the model's output for sample {number} is NaN, so it has no Fisher information")
    if bool(((sample.targets < 0) | (sample.targets >= log_p.shape[1])).any()):
        raise ModelError(
            f"sample {number} has targets {sorted(set(sample.targets.tolist()))}, and the model knows the classes 0 to "
            f"{log_p.shape[1] - 1}"
        )
    return log_p


def _terms(
    log_p: Tensor, targets: Tensor, variant: Variant, generator: torch.Generator
) -> Iterator[tuple[float, Tensor]]:
    """The log-likelihoods whose squared gradients make up a sample's Fisher information, each with its weight."""
    if variant == "exact":
        for own in log_p:  # (classes,)
            # The expectation over labels, written out: each label's own gradient, by its probability.
            for weight, log_likelihood in zip(own.detach().exp().tolist(), own, strict=True):
                if weight > 0:  # log 0 has no gradient, and no share
                    yield weight, log_likelihood  # ()
        return
    if variant == "sampled":
        targets = torch.multinomial(log_p.detach().exp(), 1, generator=generator).squeeze(1)  # (predictions,)
    # One term for the whole sequence: it is one sample, so its gradients add up before they are squared.
    yield 1.0, log_p.gather(1, targets[:, None]).sum()  # (predictions, 1) -> ()


def _samples(batch: Any, device: torch.device) -> Iterator[Sample]:
    if isinstance(batch, Mapping) and {"input_ids", "labels"} <= batch.keys():
        return _sequences(batch, device)
    if isinstance(batch, Sequence) and len(batch) == 2:
        return _classified(batch[0], batch[1], device)
    seen = f"keys {', '.join(map(str, batch))}" if isinstance(batch, Mapping) else type(batch).__name__
    raise ModelError(
        f"a batch is a mapping with 'input_ids' and 'labels', or a pair of inputs and targets, saw {seen}"
    )


def _sequences(batch: Mapping[str, Tensor], device: torch.device) -> Iterator[Sample]:
    """Each row without its padding, so that the other rows of its batch change nothing."""
    inputs = {name: value for name, value in batch.items() if name != "labels"}
    if different := [name for name, value in inputs.items() if value.shape != batch["labels"].shape]:
        raise ModelError(
            f"the labels of a batch are {tuple(batch['labels'].shape)}, and '{different[0]}' is "
            f"{tuple(inputs[different[0]].shape)}; one label to each token is expected"
        )
    for row, labels in enumerate(batch["labels"]):
        mask = inputs.get("attention_mask", torch.ones_like(batch["labels"]))
        real = mask[row].bool()  # (tokens,), False at padding, on whichever side it is
        targets = labels[real][1:]  # (real tokens - 1,): the logits at a position predict the token after it
        places = (targets != IGNORED).nonzero().squeeze(1)  # (answer tokens,)
        named = {
            name: value[row][real][None].to(device) for name, value in inputs.items()
        }  # (1, real tokens)
        yield Sample((), named, places.to(device), targets[places].to(device))


def _classified(inputs: Tensor, targets: Tensor, device: torch.device) -> Iterator[Sample]:
    if targets.shape != inputs.shape[:1]:
        raise ModelError(
            f"the inputs of a batch are {tuple(inputs.shape)} and its targets {tuple(targets.shape)}; "
            "one class to each row is expected"
        )
    place = torch.zeros(1, dtype=torch.long, device=device)  # of the only row of logits
    for given, target in zip(inputs, targets, strict=True):  # (...), ()
        yield Sample((given[None].to(device),), {}, place, target[None].to(device))


def _check(fisher: Mapping[str, Tensor]) -> None:
    # Sums of squares never shrink, so a NaN or infinity of any sample is still there at the end.
    sums = {name: float(value.cpu().sum(dtype=torch.float64)) for name, value in fisher.items()}
    if broken := [name for name, value in sums.items() if not math.isfinite(value)]:
        raise ModelError(
            f"the gradients of {len(broken)} parameters became NaN or infinite, the first '{broken[0]}'\n"
            "  compute the Fisher information in float32"
        )
    if not any(sums.values()):
        raise NoEvidenceError(
            "every gradient is zero, so the Fisher information tells no weight from another\n"
            "  take data that the model is not certain of"
        )
