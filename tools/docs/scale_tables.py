"""Make the tables of docs/scale.md: what a run takes by its formulas, and what was measured."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from harness.wording import duration
from tools.docs.format_tables import table
from tools.docs.lists import shipped_suites
from tools.docs.scale_cost import (
    BYTES,
    H100,
    MODELS,
    OF_WEIGHTS,
    READING,
    ROWS,
    SMOLLM2,
    USABLE,
    WRITING,
    Cost,
    cost,
    gpus_of_a_server,
    most_rows,
    reading_seconds,
)
from tools.docs.scale_work import TEMPLATE, Work, work_by_kind

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
RESULTS, SCALE = BENCHMARKS / "RESULTS.md", BENCHMARKS / "SCALE.md"

GPUS = {1: "1 GPU", 8: "8 GPUs, 1 node", 64: "64 GPUs, 8 nodes"}
MANY = 100_000
"""Probes."""

EXAMPLE = MODELS[1]


def assumed() -> str:
    """What the formulas are given."""
    datasheet = f"datasheet of the {H100.name}"
    rows = [
        ("peak", f"{H100.peak / 1e12:g} TFLOP/s", f"{datasheet}: bfloat16, dense"),
        ("bandwidth", f"{H100.bandwidth / 1e12:g} TB/s", datasheet),
        ("memory", f"{H100.memory / 1e9:g} GB", datasheet),
        ("bytes", f"{BYTES}", "of a weight, a key and a value: bfloat16"),
        ("utilisation of the peak, reading", _share(READING), "assumed; [measured](#what-was-measured) on two CPU cores"),
        ("utilisation of the bandwidth, writing", _share(WRITING), "assumed"),
        ("memory for weights, keys and values", _share(USABLE), "assumed; vLLM's `gpu_memory_utilization`"),
        ("memory for weights", f"at most {_share(OF_WEIGHTS)}", "assumed: the rest is room for answers"),
        ("answers side by side in a server", f"at most {ROWS}", "assumed; its `max_num_seqs`, or what it is sent at once"),
        ("tokens of the chat template", f"{TEMPLATE:g} a prompt", "assumed, as by `plan` before a run measured it"),
        ("length of answers", "their limit", "assumed; most end earlier, so this is the most that it takes"),
    ]  # fmt: skip
    return "\n".join(table(("", "value", "from"), rows))


def work() -> str:
    """Tokens that the shipped suites take, by kind of request."""
    heading = (
        "`answer`",
        "probes",
        "read, each row in full",
        "read, as a tree",
        "vLLM reads",
        "written, at most",
    )
    rows = [(f"`{kind}`", *_tokens(part)) for kind, part in _work().items()]
    return "\n".join(table(heading, [*rows, ("all", *_tokens(_whole()))]))


def models() -> str:
    """The models and the GPUs that hold them."""
    heading = (
        "model",
        "with the shape of",
        "parameters",
        "weights",
        "keys and values of a token",
        "GPUs a server",
        "answers side by side",
    )
    rows = [
        (
            shape.name,
            shape.model,
            f"{shape.parameters / 1e9:.2f} B",
            f"{shape.weights / 1e9:.1f} GB",
            f"{shape.of_a_token / 1e3:.0f} kB",
            str(gpus_of_a_server(shape)),
            str(most_rows(shape, _whole())),
        )
        for shape in MODELS
    ]
    return "\n".join(table(heading, rows))


def example() -> str:
    """One cell of the table, step by step."""
    asked, shape = _whole(), EXAMPLE
    found = cost(shape, 1, asked)
    assert found is not None
    kept = found.rows * asked.context * shape.of_a_token
    products = 2 * shape.parameters * found.rows / (H100.peak * READING)
    return (
        f"The {shape.name} model on one GPU, over the shipped suites: reading takes 2 × {shape.parameters / 1e9:.2f}e9 × "
        f"{asked.read:,.0f} / ({H100.peak / 1e12:g}e12 × {READING:g}) = {found.reading:.1f} s. A step of writing moves "
        f"{shape.weights / 1e9:.1f} GB of weights and {kept / 1e9:.1f} GB of keys and values of {found.rows} answers, which takes "
        f"{1000 * found.step:.1f} ms; their products alone would take {1000 * products:.1f} ms. "
        f"{asked.written:,.0f} tokens are {found.steps:,.0f} such steps, so writing takes {found.writing:.1f} s."
    )


def seconds() -> str:
    """The time that one model takes, by model, probes and GPUs."""
    heading = ("model", "probes", "tokens read", "tokens written, at most", *GPUS.values())
    rows = [
        (
            shape.name,
            f"{asked.probes:,.0f}",
            f"{asked.read:,.0f}",
            f"{asked.written:,.0f}",
            *(_time(cost(shape, gpus, asked)) for gpus in GPUS),
        )
        for shape in MODELS
        for asked in (_whole(), _whole().of(MANY))
    ]
    return "\n".join(table(heading, rows))


def measured_reading() -> str:
    """The formula of reading beside what `make bench` measured."""
    text = RESULTS.read_text(encoding="utf-8")
    machine = {row["name"]: row["value"] for row in _rows(text, "Machine", ("name", "value"))}
    peak = 1e9 * max(map(float, machine["float32 matrix products, GFLOP/s"].split("/")))
    rows = []
    for name in ("choices", "chat"):
        (found,) = [row for row in _rows(text, name) if row[""] == "gate, cold"]
        tokens, took = _number(found["tokens read"]), _number(found["asking, s"])
        formula = reading_seconds(SMOLLM2.blocks, tokens, peak)
        rows.append(
            (name, f"{tokens:,.0f}", f"{formula:.1f} s", f"{took:.1f} s", _share(READING * formula / took))
        )
    heading = (
        "work",
        "tokens computed",
        f"by the formula, at {_share(READING)}",
        "measured",
        "utilisation measured",
    )
    return "\n".join(
        [
            f"{SMOLLM2.model} ({SMOLLM2.blocks / 1e6:.1f} M parameters without its embedding, and an adapter) on "
            f"{machine['processor']}, whose best measured float32 products are {peak / 1e9:,.0f} GFLOP/s:",
            "",
            *table(heading, rows),
        ]
    )


def measured_clients() -> str:
    """The table of `make bench-scale`, once there is one."""
    if not SCALE.is_file():
        return (
            "Not measured yet: `make bench-scale ARGUMENTS=--write` writes `benchmarks/SCALE.md`, and `python -m tools.docs --write` "
            "then shows its table here."
        )
    text = SCALE.read_text(encoding="utf-8")
    found = re.search(r"^## (.+ by number of clients)$\n+(.+?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None, f"{SCALE.name} has its table of clients"
    return (
        f"{found[1]} ([benchmarks/SCALE.md](../benchmarks/SCALE.md) names the machine):\n\n{found[2].strip()}"
    )


@cache
def _work() -> dict[str, Work]:
    return work_by_kind(shipped_suites())


def _whole() -> Work:
    return sum(_work().values(), Work())


def _tokens(part: Work) -> tuple[str, ...]:
    return tuple(
        f"{number:,.0f}" for number in (part.probes, part.in_full, part.tree, part.read, part.written)
    )


def _time(found: Cost | None) -> str:
    if found is None:
        return "does not fit"
    return f"{found.seconds:.1f} s" if found.seconds < 9.95 else duration(found.seconds)


def _share(fraction: float) -> str:
    return f"{100 * fraction:.0f} %"


def _number(cell: str) -> float:
    return float(cell.replace(",", ""))


def _rows(text: str, section: str, named: tuple[str, ...] = ()) -> list[dict[str, str]]:
    """The rows of the table in a section, whose title begins so, by the names of its columns."""
    (body,) = re.findall(rf"^## {re.escape(section)}\b.*\n((?:(?!## ).*\n?)*)", text, re.MULTILINE)
    lines = [line for line in body.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    heading = list(named) or cells[0]
    return [dict(zip(heading, row, strict=True)) for row in cells[2:]]
