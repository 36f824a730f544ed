"""What was measured in, tables out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import mean

from benchmarks.speed.growth import STEPS, slope
from benchmarks.speed.processes import Taken
from benchmarks.speed.rounds import Asked
from benchmarks.tables import Table

HEADING = [
    "", "wall, s", "CPU, s", "peak, MB", "tokens read", "of a tree's", "asking, s", "in the model, s", "overhead", "of peak",
    "lm-eval takes",
]  # fmt: skip

READING = (
    "`wall` has each round. `tokens read` are those that the model computed while it was asked, padding included; `of a tree's` is "
    "their ratio to the unique tokens of all prompts and answers. `overhead` is what asking takes beyond the model's own time, "
    "`of peak` the share of the machine's measured matrix products that the multiply-adds of the model's own parameters take while "
    "it is asked, and `lm-eval takes` how many times as long lm-evaluation-harness takes."
)


def speed_table(asked: Asked, peak: float, a_token: float) -> Table:
    """A row for each way to ask; the first is lm-evaluation-harness's, if that was asked.

    Args:
        peak: multiply-adds a second that the machine reaches.
        a_token: multiply-adds of the model for a token.
    """
    ways = list(asked.taken.items())
    theirs = next((takens for way, takens in ways if way.startswith("lm-eval")), None)
    rows = [_row(way, takens, asked.unique, a_token / peak, theirs) for way, takens in ways]
    title = f"{asked.name}: {asked.about}"
    unique = f"The tree has {asked.unique:,} unique tokens." if asked.unique else ""
    return Table(title, unique, HEADING, rows)


def _row(
    way: str, takens: Sequence[Taken], unique: int | None, a_token: float, theirs: Sequence[Taken] | None
) -> list[str]:
    tokens, asking, computing = (
        mean(getattr(taken, name) for taken in takens) for name in ("tokens", "asking", "computing")
    )
    wall = mean(taken.wall for taken in takens)
    return [
        way,
        " / ".join(f"{taken.wall:.1f}" for taken in takens),
        f"{mean(taken.cpu for taken in takens):.1f}",
        f"{max(taken.peak for taken in takens) / 1e6:,.0f}",
        f"{tokens:,.0f}",
        f"{tokens / unique:.2f}" if unique else "-",
        f"{asking:.1f}",
        f"{computing:.1f}",
        f"{100 * (asking / computing - 1):.0f} %" if computing else "-",
        f"{100 * tokens * a_token / asking:.0f} %" if computing else "-",
        f"{mean(taken.wall for taken in theirs) / wall:.1f} times" if theirs else "-",
    ]


def agreement_table(found: Sequence[Asked]) -> Table:
    """A row for each kind of item, model and batch of lm-evaluation-harness."""
    rows = [
        [asked.name, side, batch, str(a.items), str(asked.same_tokens), str(a.same), f"{a.off:.0e}"]
        for asked in found
        for (batch, side), a in asked.agreements.items()
    ]
    heading = ["", "model", "batch", "items", "same tokens", "same answer", "log-probabilities off"]
    text = "Item by item: the tokens of the request, the chosen answer or the text, and the largest difference in nats."
    return Table("Agreement with lm-evaluation-harness", text, heading, rows, (0, 1))


def growth_table(found: Sequence[Mapping[str, float]]) -> Table:
    """Seconds by number of probes, with the slope of each step and what a further probe costs between two sizes."""
    sizes = [row["probes"] for row in found]
    columns = [[row[step] for row in found] for step in STEPS]
    columns.append([sum(seconds) for seconds in zip(*columns, strict=True)])
    rows = [[f"{size:,.0f}", *(f"{column[i]:.2f}" for column in columns)] for i, size in enumerate(sizes)]
    if len(sizes) > 1:
        rows.append(["ms a probe, fitted", *(f"{1000 * slope(sizes, column)[0]:.2f}" for column in columns)])
        rows += _further(sizes, columns)
    text = "Seconds to read a suite, to ask a small random model and its adapter and score their answers, and to decide and record."
    return Table("Cost by number of probes", text, ["probes", *STEPS, "all"], rows)


def _further(sizes: Sequence[float], columns: Sequence[Sequence[float]]) -> Iterator[list[str]]:
    for i in range(1, len(sizes)):
        costs = ((column[i] - column[i - 1]) / (sizes[i] - sizes[i - 1]) for column in columns)
        yield [
            f"ms a probe, {sizes[i - 1]:,.0f} to {sizes[i]:,.0f}",
            *(f"{1000 * cost:.2f}" for cost in costs),
        ]


def machine_table(machine: Sequence[tuple[str, str]], peaks: Sequence[float], threads: float) -> Table:
    """What the numbers come from; `peaks` are the matrix products that were measured before, between and after rounds."""
    measured = " / ".join(f"{2 * peak / 1e9:.0f}" for peak in peaks)
    rows = [*machine, ("threads", f"{threads:.0f}"), ("float32 matrix products, GFLOP/s", measured)]
    return Table("Machine", "", ["", ""], [list(row) for row in rows], (0, 1))
