"""A Record in, the drops that its gates could detect out: what a green gate rules out, and what it may have missed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.gate.cases import shown_slice
from harness.gate.decide import LEVEL
from harness.gate.finding import NO_LOSS
from harness.gate.rules import Extent, overall_rule, slice_rule
from harness.reporting.noise import noise_lines
from harness.reporting.rows import GateRow, Record
from harness.reporting.sequential import sequential_lines
from harness.stats.paired import least_to_retain
from harness.stats.power import POWER, TUNING_FLIPS, minimum_detectable_drop
from harness.wording import between, count, percent, points


@dataclass(frozen=True)
class Detectable:
    """What one gate can detect, in points, and what it found; "-" where there is nothing to say.

    Attributes:
        catches: the smallest drop that it catches.
        at_most: how much was lost at most.
        share: the interval of the share lost of what the baseline knew, in percent, and its margin.
        more: how many more probes would settle it, if it is not.
    """

    name: str
    suite: str
    n: int
    margin: str
    catches: str
    at_most: str
    share: str
    more: str


@dataclass(frozen=True)
class Power:
    """What the gates of a run can detect, in sentences and as a table."""

    sentences: Sequence[str]
    rows: Sequence[Detectable]


def power_of(record: Record) -> Power:
    """The power of each gate over counts, where no more than chance flips answers of an unharmed model."""
    gates = [row for row in record.gates if row.max_drop is not None]
    drops = [_catches(row, record) for row in gates]
    return Power(
        [
            *_sentences(gates, drops),
            *noise_lines(record.run.noise),
            *sequential_lines(record.run.sequential),
        ],
        [_row(row, drop) for row, drop in zip(gates, drops, strict=True)],
    )


def _catches(row: GateRow, record: Record) -> float | None:
    """The smallest true drop that fails the gate with 80 % power if nothing else is hurt; None if there is none."""
    assert row.max_drop is not None, "a gate over counts has a margin"
    size = Extent(row.n, row.clusters, max(1.0, row.design_effect or 1.0))
    least = least_to_retain(row.max_drop, size.quantile)
    blind = row.outcome == "skipped" and row.undecided != NO_LOSS
    if blind or (least is not None and row.n < least):
        return None
    if row.over == "overall":
        rule = overall_rule(row.max_drop, record.run.strict, size.quantile)
    else:
        how = "fail" if record.run.strict else row.on_inconclusive or "confirmed"
        rule = slice_rule(row.max_drop, how, LEVEL / (row.tests or 1), size.quantile)
    return minimum_detectable_drop(size.effective, TUNING_FLIPS / 2, rule)


def _sentences(gates: Sequence[GateRow], drops: Sequence[float | None]) -> Iterator[str]:
    """The drop that the gate over all suites catches, the range of those of suites and categories, and what is too small."""
    names = {"overall": "All suites pooled", "all": "One suite alone", "category": "One category alone"}
    for over, name in names.items():
        found = [
            drop for row, drop in zip(gates, drops, strict=True) if row.over == over and drop is not None
        ]
        if found:
            low, high = (points(drop) for drop in (min(found), max(found)))
            reach = low if low == high else f"{low} to {high}"
            yield (
                f"{name}: a drop of {reach} points fails the gate in {percent(POWER).replace('.0', '')} of runs."
            )
    if blind := sum(drop is None for drop in drops):
        yield (
            f"{count(blind, 'gate')} of {len(drops)} could see nothing: too few probes, or a baseline that does not know them."
        )


def _row(row: GateRow, drop: float | None) -> Detectable:
    assert row.max_drop is not None, "a gate over counts has a margin"
    open_ = row.verdict == "INCONCLUSIVE" and row.over != "overall" and row.outcome != "skipped"
    settled = "no number" if row.more_probes_to_settle is None else f"{row.more_probes_to_settle:,}"
    return Detectable(
        name="all suites" if row.over == "overall" else shown_slice(row.slice),
        suite="" if row.over == "overall" else row.suite,
        n=row.n,
        margin=points(row.max_drop),
        catches="-" if drop is None else points(drop),
        at_most="-" if row.interval is None else points(max(row.interval[1], 0.0)),
        share=_share_lost(row),
        more=settled if open_ else "-",
    )


def _share_lost(row: GateRow) -> str:
    """The share lost of what the baseline knew, where the gate has a margin for it."""
    if row.loss is None or row.max_loss is None or row.max_loss >= 1:
        return "-"
    return f"{between(row.loss)} (margin {points(row.max_loss)})"
