"""Formulas of `cost` in, tables for docs/scale.md out: what runs would take, and what the formula says of runs that were timed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from benchmarks.scale.cost import Gpu, Model, Place, Work, cost, flop
from benchmarks.speed.processes import ROOT
from benchmarks.tables import Table

L4 = Gpu("L4", 121e12, 300e9, 24e9, "NVIDIA L4 Tensor Core GPU data sheet")
A100 = Gpu("A100", 312e12, 2039e9, 80e9, "NVIDIA A100 80GB SXM Tensor Core GPU data sheet")
H100 = Gpu("H100", 989e12, 3350e9, 80e9, "NVIDIA H100 SXM Tensor Core GPU data sheet")
H200 = Gpu("H200", 989e12, 4800e9, 141e9, "NVIDIA H200 SXM Tensor Core GPU data sheet")
GPUS = (L4, A100, H100, H200)

LLAMA_1B = Model("1 B", 1.24e9, 1.24e9, 2 * 16 * 8 * 64)
LLAMA_8B = Model("8 B", 8.03e9, 8.03e9, 2 * 32 * 8 * 128)
QWEN_32B = Model("32 B", 32.8e9, 32.8e9, 2 * 64 * 8 * 128)
LLAMA_70B = Model("70 B", 70.6e9, 70.6e9, 2 * 80 * 8 * 128)
LLAMA_405B = Model("405 B", 405.9e9, 405.9e9, 2 * 126 * 8 * 128)
EXPERTS_400B = Model("400 B, 17 B a token", 400e9, 17e9, 2 * 48 * 8 * 128)
"""The sizes are those of Llama 3.2 1B, Llama 3.1 8B, 70B and 405B, Qwen2.5 32B and Llama 4 Maverick."""

RUNS = (
    (LLAMA_1B, Place(L4)), (LLAMA_1B, Place(H100)),
    (LLAMA_8B, Place(L4)), (LLAMA_8B, Place(A100)), (LLAMA_8B, Place(H100)), (LLAMA_8B, Place(H100, servers=4)),
    (QWEN_32B, Place(H100)), (QWEN_32B, Place(H100, 2)),
    (LLAMA_70B, Place(A100, 4)), (LLAMA_70B, Place(H100, 4)), (LLAMA_70B, Place(H200, 2)), (LLAMA_70B, Place(H100, 4, servers=2)),
    (EXPERTS_400B, Place(H200, 8)), (LLAMA_405B, Place(H200, 8)), (LLAMA_405B, Place(H100, 8, 2)), (LLAMA_405B, Place(H100, 8, 4)),
)  # fmt: skip

SHIPPED = Work(2691, 81_000, 316_000, 168_000)
"""All suites that ship, as `harness.engine.estimate` counts: read at once, each prompt by itself, and written at most."""


def costs(work: Work) -> Table:
    """Every run."""
    heading = [
        "model",
        "runs on",
        "batch",
        "load",
        "read",
        "read apart",
        "write",
        "warm",
        "cold",
        "GPU hours",
    ]
    rows = []
    for model, place in RUNS:
        found, apart = cost(model, place, work), cost(model, place, work.apart)
        times = (found.load, found.read, apart.read, found.write, found.warm, found.cold)
        rows.append(
            [model.name, where(place), str(found.batch), *map(seconds, times), f"{found.gpu_hours:.2f}"]
        )
    text = (
        f"Computed, not measured: {work.probes:,} probes, {work.read:,.0f} tokens read and {work.written:,.0f} written for each model. "
        "All but the batch and the GPU hours in seconds; `read apart` is `read` without a cache of beginnings."
    )
    return Table(f"{work.probes:,} probes", text, heading, rows, left=(0, 1))


def where(place: Place) -> str:
    """ "2 servers of 4 H100", "2 nodes of 8 H100"."""
    each = f"{place.gpus} {place.gpu.name}"
    copy = each if place.nodes == 1 else f"{place.nodes} nodes of {each}"
    return copy if place.servers == 1 else f"{place.servers} servers of {copy}"


def seconds(value: float) -> str:
    """With a digit behind the point below ten."""
    return f"{value:,.1f}" if value < 10 else f"{value:,.0f}"


def sheets() -> Table:
    """The GPUs."""
    rows = [
        [
            gpu.name,
            f"{gpu.flops / 1e12:.0f}",
            f"{gpu.bandwidth / 1e9:,.0f}",
            f"{gpu.memory / 1e9:.0f}",
            gpu.sheet,
        ]
        for gpu in GPUS
    ]
    heading = ["GPU", "dense bfloat16, TFLOP/s", "memory, GB/s", "memory, GB", "from"]
    return Table("Hardware", "", heading, rows, left=(0, 4))


# What was timed

RESULTS = ROOT / "benchmarks" / "RESULTS.md"
EMBEDDED = 106.2e6
"""Multiply-adds that a token takes in SmolLM2-135M: its parameters without the embedding."""


def checked() -> Table:
    """The formula of reading against benchmarks/RESULTS.md; its share is that of one row, so that the others test it."""
    text = RESULTS.read_text(encoding="utf-8")
    peak = peak_of(text)
    timed = dict(timings(text, "choices"))
    tokens, taken = timed["gate, cold"]
    share = flop(EMBEDDED, tokens) / peak / taken
    rows = [
        [name, f"{tokens:,}", f"{flop(EMBEDDED, tokens) / (share * peak):.1f}", f"{taken:.1f}"]
        for name, (tokens, taken) in timed.items()
        if tokens
    ]
    about = (
        f"SmolLM2-135M in float32 on two CPU cores, choices after five shots, with a share of {100 * share:.0f} % of "
        f"{peak / 1e9:.0f} GFLOP/s, which the row `gate, cold` gives; the other rows test it."
    )
    return Table(
        "Reading, computed and measured",
        about,
        ["", "tokens read", "computed, s", "measured, s"],
        rows,
    )


def timings(text: str, work: str) -> Iterator[tuple[str, tuple[int, float]]]:
    """Tokens read and seconds of asking by the name of the row, in a page that `make bench` wrote."""
    _, _, section = text.partition(f"\n## {work}:")
    for line in section.partition("\n## ")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 11 and cells[0] and not cells[0].startswith("-"):
            yield cells[0], (int(cells[4].replace(",", "")), float(cells[6]))


def peak_of(text: str) -> float:
    """The best of the measured matrix products, in FLOP/s."""
    row = re.search(r"matrix products, GFLOP/s \|([^|]+)\|", text)
    assert row is not None, "make bench wrote the page"
    return 1e9 * max(map(float, row[1].split("/")))
