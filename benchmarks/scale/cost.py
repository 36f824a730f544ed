"""A model, GPUs and questions in, the seconds of a gate run out: computed from first principles, not measured.

Reading is bound by arithmetic: 2 FLOP for each parameter and token. Writing is bound by memory: a step writes one token of each
answer in the batch, and moves all weights and the keys and values of the batch. Both reach only a share of what the data sheet
promises; that share is an assumption, and the same for every row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

BYTES = 2
"""Of a weight, key or value in bfloat16."""

READ_SHARE = 0.4
"""Of peak arithmetic, while reading. Assumed; communication between the GPUs of a node is in it."""

BANDWIDTH_SHARE = 0.6
"""Of peak memory bandwidth, while writing. Assumed."""

MEMORY_SHARE = 0.9
"""Of a GPU's memory that the engine takes: the default of vLLM's `gpu_memory_utilization` for long."""

MOST_AT_ONCE = 256
"""Answers that an engine writes at once. Assumed."""

LOAD_RATE = 2e9
"""Bytes of weights a second that a node reads from its disk. Assumed: a local NVMe drive reads more, a shared file system less."""

START = 60.0
"""Seconds that an engine takes to start, without its weights. Assumed; compiling for the first time takes longer."""


@dataclass(frozen=True)
class Gpu:
    """Numbers of a data sheet.

    Attributes:
        flops: of dense bfloat16 matrix products, a second.
        bandwidth: of its memory, in bytes a second.
        memory: in bytes.
        sheet: the data sheet that says so.
    """

    name: str
    flops: float
    bandwidth: float
    memory: float
    sheet: str


@dataclass(frozen=True)
class Model:
    """A transformer.

    Attributes:
        parameters: all that are in memory.
        active: those that a token passes; fewer than `parameters` in a mixture of experts.
        cached: values that the cache of keys and values holds for a token: 2 x layers x key-value heads x size of a head.
    """

    name: str
    parameters: float
    active: float
    cached: int

    @property
    def weights(self) -> float:
        """In bytes."""
        return BYTES * self.parameters


@dataclass(frozen=True)
class Place:
    """Where a model runs: `gpus` of each of `nodes` hold one copy (tensor parallel in a node, pipeline over nodes), on `servers`."""

    gpu: Gpu
    gpus: int = 1
    nodes: int = 1
    servers: int = 1

    @property
    def of_a_copy(self) -> int:
        """GPUs that hold one copy."""
        return self.gpus * self.nodes


@dataclass(frozen=True)
class Work:
    """What one model is asked, in tokens.

    Attributes:
        read: of all prompts, what they begin with alike once.
        read_apart: of all prompts, each in full, as an engine without a cache of beginnings reads them.
        written: of all answers, at most.
    """

    probes: int
    read: float
    read_apart: float
    written: float

    def of(self, probes: int) -> Work:
        """As much for each probe, for another number of them."""
        times = probes / self.probes
        return Work(probes, times * self.read, times * self.read_apart, times * self.written)

    @property
    def apart(self) -> Work:
        """Without what a cache of beginnings spares."""
        return replace(self, read=self.read_apart)

    @property
    def context(self) -> float:
        """Tokens of a prompt and its answer, on average."""
        return (self.read_apart + self.written) / self.probes


@dataclass(frozen=True)
class Cost:
    """Seconds of one model's answers and of what comes before.

    Attributes:
        batch: answers that a server writes at once.
        load: the engine and the weights.
        read, write: of one model's questions.
        gpus: of all servers.
    """

    batch: int
    load: float
    read: float
    write: float
    gpus: int

    @property
    def warm(self) -> float:
        """An adapter's run whose baseline answered earlier: one model is asked."""
        return self.load + self.read + self.write

    @property
    def cold(self) -> float:
        """An adapter's run in which both sides are asked; they share the weights, so one is loaded."""
        return self.load + 2 * (self.read + self.write)

    @property
    def gpu_hours(self) -> float:
        """Of the cold run."""
        return self.gpus * self.cold / 3600


def cost(model: Model, place: Place, work: Work) -> Cost:
    """What a run takes.

    Raises:
        ValueError: the weights do not fit, or leave no room for one answer.
    """
    batch = batch_size(model, place, work)
    return Cost(
        batch,
        START + load_seconds(model, place),
        read_seconds(model, place, work.read) / place.servers,
        write_seconds(model, place, work.written, batch, work.context) / place.servers,
        place.of_a_copy * place.servers,
    )


def batch_size(model: Model, place: Place, work: Work) -> int:
    """Answers that are written at once: as many as there are, as the engine takes, and as memory holds; raises as `cost`."""
    room = MEMORY_SHARE * place.gpu.memory * place.of_a_copy - model.weights
    held = int(room / (BYTES * model.cached * work.context))
    if held < 1:
        raise ValueError(
            f"{model.name} takes {model.weights / 1e9:.0f} GB, {place.of_a_copy} {place.gpu.name} leave no room"
        )
    return max(1, min(held, MOST_AT_ONCE, work.probes // place.servers))


def load_seconds(model: Model, place: Place) -> float:
    """Until the weights are read: each node reads its part, and every server does so at the same time."""
    return model.weights / place.nodes / LOAD_RATE


def read_seconds(model: Model, place: Place, tokens: float) -> float:
    """To read prompts on one copy of the model."""
    return flop(model.active, tokens) / (READ_SHARE * place.gpu.flops * place.of_a_copy)


def flop(active: float, tokens: float) -> float:
    """Of a forward pass: a multiplication and an addition for each parameter and token; attention among tokens is left out."""
    return 2 * active * tokens


def write_seconds(model: Model, place: Place, tokens: float, batch: int, context: float) -> float:
    """To write answers on one copy of the model.

    Nodes are a pipeline: each holds a part of the layers, and has another part of the batch at any time. So each step of
    a node moves its weights for `batch / nodes` answers only: nodes add memory, not bandwidth, until keys and values weigh more.
    """
    moved = model.weights + batch / place.nodes * context * BYTES * model.cached
    moving = moved / (BANDWIDTH_SHARE * place.gpu.bandwidth * place.gpus)
    return tokens / batch * max(moving, read_seconds(model, place, batch))
