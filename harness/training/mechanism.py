"""Why forgetting happens, in two experiments that take seconds: curves of the loss on an old and on a new task.

Two capabilities share weights: a step that pulls the shared weights towards one pulls them away from the other. Nothing
here is about language; everything here happens to language models too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from harness.errors import HarnessError
from harness.training.penalties.ewc import EWCRegularizer
from harness.training.penalties.penalty import copied
from harness.training.replay import create_replay_dataset

SEED = 42
INPUTS, HIDDEN, CLASSES, EXAMPLES = 16, 8, 4, 256
FIRST_STEPS, STEPS, BATCH = 400, 300, 32
AGGRESSIVE, LOW = 0.5, 0.02
REPLAY_FRACTION = 0.25
IMPORTANCE = 50.0
"""SGD overshoots if AGGRESSIVE * IMPORTANCE * F_i is over 2; this is well below."""


@dataclass(frozen=True)
class Curve:
    """One way of tuning on B: the loss on A and on B, in nats, before the first step and after each."""

    name: str
    loss_a: tuple[float, ...]
    loss_b: tuple[float, ...]
    head_moved: float
    """The largest change of a weight in head A."""

    @property
    def times_worse(self) -> float:
        """The loss on A after tuning, as a multiple of that before."""
        return self.loss_a[-1] / self.loss_a[0]


class TwoCapabilities(torch.nn.Module):
    """One shared layer and a head for each capability, which the last column of the input chooses."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = torch.nn.Linear(INPUTS, HIDDEN)
        self.head_a = torch.nn.Linear(HIDDEN, CLASSES)
        self.head_b = torch.nn.Linear(HIDDEN, CLASSES)

    def forward(self, inputs: Tensor) -> Tensor:
        """(rows, INPUTS + 1) in, logits (rows, CLASSES) out; the last column is 0 for A and 1 for B."""
        features = torch.tanh(self.shared(inputs[:, :-1]))
        which = inputs[:, -1:]
        logits: Tensor = (1 - which) * self.head_a(features) + which * self.head_b(features)
        return logits


@dataclass(frozen=True)
class Data:
    """The examples of one capability: inputs (EXAMPLES, INPUTS + 1) and classes (EXAMPLES,)."""

    inputs: Tensor
    classes: Tensor

    def loss(self, model: TwoCapabilities) -> float:
        with torch.no_grad():
            return float(cross_entropy(model(self.inputs), self.classes))


def capability(which: int, generator: torch.Generator) -> Data:
    """Points around one centre a class; the two capabilities have centres of their own."""
    centres = 1.5 * torch.randn(CLASSES, INPUTS, generator=generator)
    classes = torch.randint(CLASSES, (EXAMPLES,), generator=generator)
    points = centres[classes] + torch.randn(EXAMPLES, INPUTS, generator=generator)
    return Data(torch.cat([points, torch.full((EXAMPLES, 1), float(which))], dim=1), classes)


@dataclass(frozen=True)
class Way:
    """A way to train: its examples, each by its data and its place there, its rate and its penalty."""

    name: str
    examples: Sequence[tuple[Data, int]]
    rate: float
    penalty: EWCRegularizer | None = None


def two_capabilities(seed: int = SEED) -> list[Curve]:
    """Learn A, then tune on B in each of four ways from the same weights: aggressive, low rate, replay, EWC.

    All ways but the low rate use the aggressive rate, and all make the same number of steps of plain SGD.
    """
    generator = torch.Generator().manual_seed(seed)
    a, b = capability(0, generator), capability(1, generator)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = TwoCapabilities()
    only_a, only_b = ([(data, i) for i in range(EXAMPLES)] for data in (a, b))
    list(_tuning(model, Way("A", only_a, AGGRESSIVE), FIRST_STEPS, seed))
    start = copied(model.state_dict())
    penalty = EWCRegularizer(model, IMPORTANCE, variant="exact", seed=seed)
    penalty.update_fisher(model, [(a.inputs, a.classes)])
    ways = [
        Way("aggressive", only_b, AGGRESSIVE),
        Way("low rate", only_b, LOW),
        Way("replay", create_replay_dataset(only_b, only_a, REPLAY_FRACTION, seed), AGGRESSIVE),
        Way("EWC", only_b, AGGRESSIVE, penalty),
    ]
    curves = []
    for way in ways:
        model.load_state_dict(start)
        curves.append(_curve(model, way, a, b, seed))
    return curves


def _curve(model: TwoCapabilities, way: Way, a: Data, b: Data, seed: int) -> Curve:
    """Tune the model, which has learnt A, on B."""
    before = copied(model.head_a.state_dict())
    losses = [(a.loss(model), b.loss(model)) for _ in _tuning(model, way, STEPS, seed)]
    losses_a, losses_b = zip(*losses, strict=True)
    after = model.head_a.state_dict()
    moved = max(float((after[key] - value).abs().max()) for key, value in before.items())
    return Curve(way.name, losses_a, losses_b, moved)


def _tuning(model: TwoCapabilities, way: Way, steps: int, seed: int) -> Iterator[None]:
    """Tune the model in place; yields before the first step and after each."""
    optimizer = torch.optim.SGD(model.parameters(), lr=way.rate)
    generator = torch.Generator().manual_seed(seed)
    yield
    for _ in range(steps):
        places = torch.randint(len(way.examples), (BATCH,), generator=generator)  # with replacement
        drawn = [way.examples[place] for place in places.tolist()]
        inputs = torch.stack([data.inputs[i] for data, i in drawn])  # (BATCH, INPUTS + 1)
        classes = torch.stack([data.classes[i] for data, i in drawn])  # (BATCH,)
        loss = cross_entropy(model(inputs), classes)
        if way.penalty is not None:
            loss = loss + way.penalty.ewc_loss(model)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        yield


WANTED_BY_A, WANTED_BY_B = 1.0, -2.0


@dataclass(frozen=True)
class Pull:
    """One shared weight, tuned for B: its value before the first step and after each."""

    importance: float
    weights: tuple[float, ...]

    @property
    def loss_a(self) -> float:
        """(w - 1)^2 at the end."""
        return (self.weights[-1] - WANTED_BY_A) ** 2

    @property
    def loss_b(self) -> float:
        """(w + 2)^2 at the end."""
        return (self.weights[-1] - WANTED_BY_B) ** 2


def single_weight(importance: float = 0.0, rate: float = 0.05, steps: int = 200) -> Pull:
    """A weight that begins at A's optimum, 1, tuned on B, whose optimum is -2; EWC of this importance holds it at 1.

    The loss is (w + 2)^2 + importance / 2 * (w - 1)^2: A's Fisher information is taken to be 1.

    Raises:
        HarnessError: the rate is so high that the weight would oscillate ever wider.
    """
    if not 0 < rate * (2 + importance) < 2:
        raise HarnessError(
            f"an importance of {importance:g} at a rate of {rate:g} never comes to rest; "
            f"the rate must be above 0 and below {2 / (2 + importance):.3g}"
        )
    weight = torch.tensor(WANTED_BY_A, requires_grad=True)
    weights = [WANTED_BY_A]
    for _ in range(steps):
        loss = (weight - WANTED_BY_B) ** 2 + importance / 2 * (weight - WANTED_BY_A) ** 2
        (gradient,) = torch.autograd.grad(loss, weight)
        with torch.no_grad():
            weight -= rate * gradient
        weights.append(weight.item())
    return Pull(importance, tuple(weights))


def resting_place(importance: float) -> float:
    """Where `single_weight` ends: the derivative 2 (w + 2) + importance (w - 1) is zero there."""
    return (importance * WANTED_BY_A + 2 * WANTED_BY_B) / (importance + 2)
