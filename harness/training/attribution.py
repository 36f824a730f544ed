"""Examples and lost probes in, how hard training on each example pushes against the probes out.

A step of training on an example z at the rate r moves the weights by -r grad L(z), which changes the loss of a probe p by
-r grad L(p) . grad L(z) to first order (TracIn: Pruthi et al. 2020, arXiv 2002.08484, section 3). So an example pushes
against a probe where the two gradients point apart. Long and short examples are compared by direction alone, as in LESS
(Xia et al. 2024, arXiv 2402.04333, section 4.2):

    push(z) = - mean over lost probes p and points w of cos(grad L(z; w), grad L(p; w))

in [-1, 1], positive where training on z unlearns. L(z) is the mean loss of an answer's tokens, L(p) the same of the answer that
the baseline had right, over the parameters that tuning changed. TracIn sums over the checkpoints of a training. A finished
model has none, so that the points are on the straight line from the baseline to the tuned model, where it is known. Its ends are
left out: at the tuned weights an example that was learnt has no direction of its own any more, and at the beginning of an adapter
half of its factors have none. LESS also takes Adam's moments into account, which are gone too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count

import torch
from torch import Tensor

from harness.engine.requests import (
    Answer,
    ChoiceLogProbs,
    Generate,
    Generated,
    Request,
)
from harness.engine.transformers.engine import TorchEngine
from harness.engine.transformers.products import fast_products
from harness.errors import ModelError, NoEvidenceError
from harness.progress import Progress
from harness.training.edits.switching import Changes, on_the_way
from harness.training.encode import IGNORED, Row
from harness.training.penalties.penalty import evaluating, keeping_what_learns

Gradient = list[Tensor]
"""One tensor a parameter, each of the parameter's shape, in float32; together of length 1."""


POINTS = (0.25, 0.5, 0.75)
"""On the line from the baseline to the tuned model."""


def pushes(
    engine: TorchEngine,
    changes: Changes,
    examples: Sequence[Row],
    probes: Sequence[Row],
    progress: Progress | None = None,
) -> list[float]:
    """How hard each example pushes against the probes; see the module. Two gradients are in memory at once.

    Args:
        engine: of the tuned model.
        changes: what tuning changed in it; where they lie on no line, gradients are taken at the tuned weights.
        examples, probes: as `training.encode.encode` and `probe_row` make them.

    Raises:
        NoEvidenceError: there are no probes, or none has a gradient.
        ModelError: a gradient is NaN or infinite.
    """
    if not probes:
        raise NoEvidenceError("no probe was lost, so there is nothing for examples to push against")
    points = POINTS if changes.starts else (1.0,)
    steps = count(1)
    total = len(points) * (len(probes) + len(examples))

    def direction(row: Row) -> Gradient:
        found = _direction(engine, changes.learned, row)
        if progress:
            progress(next(steps), total)
        return found

    sums = [0.0] * len(examples)
    with _differentiable(engine, changes.learned):
        for point in points:
            with on_the_way(changes, point):
                wanted = _mean(map(direction, probes), len(probes), changes.learned)
                for place, row in enumerate(examples):
                    sums[place] -= _product(direction(row), wanted)
    return [value / len(points) for value in sums]


def _mean(gradients: Iterable[Gradient], n: int, learned: Sequence[torch.nn.Parameter]) -> Gradient:
    """The mean of `n` gradients, which are taken one by one; raises NoEvidenceError if it is zero."""
    mean = [torch.zeros_like(value, dtype=torch.float32) for value in learned]
    for gradient in gradients:
        for sum_, part in zip(mean, gradient, strict=True):
            sum_.add_(part, alpha=1 / n)
    if not any(bool(part.any()) for part in mean):
        raise NoEvidenceError("the lost probes have no gradient, so that no example pushes against them")
    return mean


def probe_row(engine: TorchEngine, request: Request, answer: Answer) -> Row:
    """A probe and the answer that the baseline had right, as tokens with labels; of choices, the one it chose.

    Raises:
        EngineError: the model's tokenizer cannot take the prompt.
    """
    prompting = engine.prompting
    if isinstance(request, Generate):
        assert isinstance(answer, Generated), "a request to generate has a generated answer"
        thought = answer.reasoning.text if answer.reasoning else ""
        end = list(prompting.end_tokens[:1]) if answer.ended == "turn" else []
        before, after = (
            prompting.tokens(request),
            prompting.encode(thought + answer.text, special=False) + end,
        )
    else:
        pairs = prompting.pairs(request)
        chosen = 0
        if isinstance(answer, ChoiceLogProbs):
            chosen = max(range(len(pairs)), key=answer.logprobs.__getitem__)
        before, after = pairs[chosen]
    return {"input_ids": [*before, *after], "labels": [*[IGNORED] * len(before), *after]}


@contextmanager
def _differentiable(engine: TorchEngine, learned: Sequence[torch.nn.Parameter]) -> Iterator[None]:
    """The tuned model without dropout, in which `learned` and nothing else has gradients."""
    model = engine.model
    fast = fast_products(model.device)
    with engine.active(), fast, evaluating(model), keeping_what_learns(model), torch.enable_grad():
        for parameter in model.parameters():
            parameter.requires_grad_(False)
        for parameter in learned:
            parameter.requires_grad_(True)
        yield


def _direction(engine: TorchEngine, learned: Sequence[torch.nn.Parameter], row: Row) -> Gradient:
    """The gradient of a row's mean loss, divided by its length; zero where the row has no answer or no gradient."""
    most = engine.context or len(row["input_ids"])
    tokens = torch.tensor([row["input_ids"][:most]], device=engine.model.device)  # (1, tokens)
    labels = torch.tensor(row["labels"][:most], device=engine.model.device)[1:]  # (tokens - 1,)
    places = (labels != IGNORED).nonzero().squeeze(1)  # (answer tokens,)
    if not len(places):
        return [torch.zeros_like(value, dtype=torch.float32) for value in learned]
    logits = engine.model(input_ids=tokens, use_cache=False).logits[0, places]  # (answer tokens, vocabulary)
    loss = torch.nn.functional.cross_entropy(logits.float(), labels[places])  # ()
    parts = torch.autograd.grad(loss, list(learned), allow_unused=True)
    gradient = [
        torch.zeros_like(value, dtype=torch.float32) if part is None else part.float()
        for value, part in zip(learned, parts, strict=True)
    ]
    length = math.sqrt(_product(gradient, gradient))
    if not math.isfinite(length):
        raise ModelError(
            f"{engine.label}: the gradient of an example is NaN or infinite\n  compute in float32"
        )
    return [part / length for part in gradient] if length else gradient


def _product(left: Gradient, right: Gradient) -> float:
    return float(
        torch.stack([(a * b).sum(dtype=torch.float64).cpu() for a, b in zip(left, right, strict=True)]).sum()
    )
