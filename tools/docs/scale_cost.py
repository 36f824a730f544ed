"""A model, GPUs and the work of a run in, the seconds that it takes by the formulas of docs/scale.md out."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from tools.docs.scale_work import Work

BYTES = 2
"""Of a weight, a key or a value, in bfloat16."""

READING = 0.40
"""Share of a GPU's peak that reading reaches."""

WRITING = 0.60
"""Share of its bandwidth that writing reaches."""

USABLE = 0.90
"""Share of its memory for weights, keys and values; `gpu_memory_utilization` of vLLM."""

OF_WEIGHTS = 0.75
"""Share of its memory that weights may take."""

ROWS = 256
"""Answers that a server writes side by side, at most: its `max_num_seqs`, or what it is sent at once."""


@dataclass(frozen=True)
class Gpu:
    """A GPU by its datasheet: FLOP a second, bytes a second, bytes."""

    name: str
    peak: float
    bandwidth: float
    memory: float


H100 = Gpu("H100 SXM", peak=989e12, bandwidth=3.35e12, memory=80e9)


@dataclass(frozen=True)
class Shape:
    """A decoder of the Llama family by its config.json; `tied` if its head is its embedding."""

    name: str
    model: str
    layers: int
    hidden: int
    inner: int
    heads: int
    kv_heads: int
    head: int
    vocabulary: int
    tied: bool = False

    @property
    def blocks(self) -> int:
        """Parameters besides embedding and head."""
        attention = 2 * self.hidden * self.head * (self.heads + self.kv_heads)
        return self.layers * (attention + 3 * self.hidden * self.inner + 2 * self.hidden) + self.hidden

    @property
    def parameters(self) -> int:
        """All of them."""
        return self.blocks + self.vocabulary * self.hidden * (1 if self.tied else 2)

    @property
    def weights(self) -> float:
        """Their bytes."""
        return float(BYTES * self.parameters)

    @property
    def of_a_token(self) -> float:
        """Bytes of the keys and values of a token."""
        return float(2 * BYTES * self.layers * self.kv_heads * self.head)


LLAMA = 128_256
MODELS = (
    Shape("1 B", "Llama 3.2 1B", 16, 2048, 8192, 32, 8, 64, LLAMA, tied=True),
    Shape("8 B", "Llama 3.1 8B", 32, 4096, 14336, 32, 8, 128, LLAMA),
    Shape("70 B", "Llama 3.1 70B", 80, 8192, 28672, 64, 8, 128, LLAMA),
    Shape("400 B", "Llama 3.1 405B", 126, 16384, 53248, 128, 8, 128, LLAMA),
)
SMOLLM2 = Shape("135 M", "SmolLM2-135M", 30, 576, 1536, 9, 3, 64, 49_152, tied=True)


# What it costs


@dataclass(frozen=True)
class Cost:
    """How long GPUs take.

    Attributes:
        servers: copies of the model, each on some GPUs.
        rows: answers that each writes side by side, in `steps` steps of `step` seconds.
        reading, writing: in seconds.
    """

    servers: int
    rows: int
    steps: float
    step: float
    reading: float

    @property
    def writing(self) -> float:
        """Seconds."""
        return self.steps * self.step

    @property
    def seconds(self) -> float:
        """Reading, then writing."""
        return self.reading + self.writing


def gpus_of_a_server(shape: Shape, gpu: Gpu = H100) -> int:
    """The smallest power of two of GPUs that hold a model."""
    gpus = 1
    while shape.weights > OF_WEIGHTS * gpu.memory * gpus:
        gpus *= 2
    return gpus


def most_rows(shape: Shape, work: Work, gpu: Gpu = H100) -> int:
    """Answers that a server can write side by side, by the memory for their keys and values."""
    free = USABLE * gpu.memory * gpus_of_a_server(shape, gpu) - shape.weights
    return min(ROWS, int(free / (work.context * shape.of_a_token)))


def cost(shape: Shape, gpus: int, work: Work, gpu: Gpu = H100) -> Cost | None:
    """What it costs to ask one model; None if the GPUs do not hold it."""
    each = gpus_of_a_server(shape, gpu)
    servers = gpus // each
    if not servers:
        return None
    rows = min(most_rows(shape, work, gpu), ceil(work.answers / servers))
    memory = (shape.weights + rows * work.context * shape.of_a_token) / (each * gpu.bandwidth * WRITING)
    compute = 2 * shape.parameters * rows / (each * gpu.peak * READING)
    steps = max(work.written / (servers * rows), work.longest)
    return Cost(
        servers,
        rows,
        steps,
        max(memory, compute),
        reading_seconds(shape.parameters, work.read, gpus * gpu.peak),
    )


def reading_seconds(parameters: int, tokens: float, peak: float) -> float:
    """Seconds to read tokens: two FLOP for each of them and each parameter, at READING of the peak."""
    return 2 * parameters * tokens / (peak * READING)
