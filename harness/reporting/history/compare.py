"""Two records in, what changed between their runs out, and whether it is more than noise.

The tuned models of both runs are compared on the probes that both were asked alike, each probe with itself: McNemar's mid-p,
two-sided, for right and wrong answers, and a paired t test for texts. Those of all gates are adjusted by Holm together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from harness.errors import NoEvidenceError
from harness.gate.cases import shown_slice
from harness.reporting.rows import GateRow, ProbeRow, Record
from harness.stats.clusters import design_effect, effective_mid_p, numbered
from harness.stats.multiple import holm
from harness.stats.paired import ROUNDING
from harness.stats.paired_t import log_ratios, mean_p
from harness.suites.suite import OVERALL

LEVEL = 0.05
"""How often a gate seems to have changed, all gates together, when the models are equally good."""


def beyond_noise(p: float) -> bool:
    """Whether a p-value is that of a change which chance rarely makes."""
    return p <= LEVEL + ROUNDING


Key = tuple[str, str]
Pairs = Sequence[tuple[ProbeRow, ProbeRow]]


@dataclass(frozen=True)
class GateChange:
    """One gate in both runs.

    Attributes:
        worse, better: probes of it that were right in the first run alone, and in the second alone.
        p: how likely so clear a change is by chance, adjusted for all gates; None without a test.
    """

    before: GateRow
    after: GateRow
    worse: int
    better: int
    p: float | None

    @property
    def decided_otherwise(self) -> bool:
        """Whether its verdict or its outcome changed."""
        return (self.before.verdict, self.before.outcome) != (self.after.verdict, self.after.outcome)

    @property
    def more_than_noise(self) -> bool:
        return self.p is not None and beyond_noise(self.p)


@dataclass(frozen=True)
class Changes:
    """What changed between two runs.

    Attributes:
        gates: those of both runs.
        gone, new: the gates of one run alone, each as (suite, slice).
        worse, better: the ids, by suite, of probes right in one run alone.
        compared: how many probes were asked and judged alike in both.
        otherwise: by suite, how many probes of both were asked, or judged, otherwise.
        alone: how many probes only the first run asked, and only the second.
    """

    gates: Sequence[GateChange]
    gone: Sequence[Key]
    new: Sequence[Key]
    worse: Mapping[str, Sequence[str]]
    better: Mapping[str, Sequence[str]]
    compared: int
    otherwise: Mapping[str, int]
    alone: tuple[int, int]
    p: float | None = None
    """Of all compared probes together."""
    suites: Sequence[str] = field(default=())
    """The suites of both runs whose content is not the same."""


def changes_between(before: Record, after: Record) -> Changes:
    """Compare two runs, gate by gate and probe by probe."""
    first, second = (_by_key(record.probes) for record in (before, after))
    both = [(first[key], second[key]) for key in first if key in second]
    pairs = [pair for pair in both if _alike(*pair)]
    answers = [pair for pair in pairs if not _is_text(pair[0])]
    gates, gone, new = _gates(before.gates, after.gates, pairs)
    contents = [{name: row.content for name, row in record.run.suites.items()} for record in (before, after)]
    return Changes(
        gates=gates,
        gone=gone,
        new=new,
        worse=_ids(old for old, new in answers if old.tuned.right > new.tuned.right),
        better=_ids(old for old, new in answers if old.tuned.right < new.tuned.right),
        compared=len(pairs),
        otherwise=Counter(pair[0].suite for pair in both if not _alike(*pair)),
        alone=(len(first) - len(both), len(second) - len(both)),
        p=_p_of_answers(answers) if answers else None,
        suites=[name for name, content in contents[0].items() if contents[1].get(name, content) != content],
    )


def _by_key(rows: Iterable[ProbeRow]) -> dict[Key, ProbeRow]:
    return {(row.suite, row.id): row for row in rows}


def _alike(before: ProbeRow, after: ProbeRow) -> bool:
    """Whether a probe was asked and judged alike in both runs."""
    shown = (before.asked == after.asked) if before.asked and after.asked else before.fields == after.fields
    judged = [(row.score, row.scoring, row.expected, row.tuned.kind) for row in (before, after)]
    return shown and judged[0] == judged[1]


def _is_text(row: ProbeRow) -> bool:
    return row.tuned.kind == "likelihood"


def _ids(rows: Iterable[ProbeRow]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row.suite, []).append(row.id)
    return found


# Gates


def _gates(
    before: Sequence[GateRow], after: Sequence[GateRow], pairs: Pairs
) -> tuple[list[GateChange], list[Key], list[Key]]:
    first, second = ({(row.suite, row.slice): row for row in gates} for gates in (before, after))
    both = [key for key in first if key in second]
    pooled = {row.suite for row in second.values() if row.max_drop is not None}
    slices = {key: _of_gate(first[key], pairs, pooled) for key in both}
    p_values = {key: p for key in both if (p := _p(first[key], slices[key])) is not None}
    adjusted = dict(zip(p_values, map(float, holm(list(p_values.values()))), strict=True)) if p_values else {}
    changes = [
        GateChange(
            before=first[key],
            after=second[key],
            worse=sum(old.tuned.right > new.tuned.right for old, new in slices[key]),
            better=sum(old.tuned.right < new.tuned.right for old, new in slices[key]),
            p=adjusted.get(key),
        )
        for key in both
    ]
    return changes, [key for key in first if key not in second], [key for key in second if key not in first]


def _of_gate(gate: GateRow, pairs: Pairs, pooled: set[str]) -> Pairs:
    """The pairs of a gate's slice in both runs."""
    if gate.suite == OVERALL:
        return [pair for pair in pairs if pair[0].suite in pooled and not _is_text(pair[0])]
    own = [pair for pair in pairs if pair[0].suite == gate.suite]
    if gate.over == "all":
        return own
    name = shown_slice(gate.slice)
    if gate.over == "each":
        return [pair for pair in own if pair[0].id == name]
    return [pair for pair in own if pair[0].category == pair[1].category == name]


def _p(gate: GateRow, pairs: Pairs) -> float | None:
    """The two-sided p-value of a gate; None for one over a single probe, or without any that both runs asked alike."""
    if gate.over == "each" or not pairs:
        return None
    return _p_of_texts(pairs) if gate.max_rise is not None else _p_of_answers(pairs)


def _p_of_answers(pairs: Pairs) -> float:
    """McNemar's mid-p, two-sided; probes of a suite count by its design effect, as in a gate."""
    by_suite: dict[str, list[tuple[ProbeRow, ProbeRow]]] = {}
    for pair in pairs:
        by_suite.setdefault(pair[0].suite, []).append(pair)
    worse = better = 0.0
    for own in by_suite.values():
        effect, lost, gained = _effect(own)
        worse, better = worse + lost / effect, better + gained / effect
    one_sided = (float(effective_mid_p(*sides)) for sides in ((worse, better), (better, worse)))
    return min(1.0, 2 * min(one_sided))


def _effect(pairs: Pairs) -> tuple[float, int, int]:
    """The design effect of the clusters, and how many probes got worse and better."""
    cluster = numbered([old.cluster for old, _ in pairs])
    sizes = np.bincount(cluster)
    lost = np.bincount(cluster, [old.tuned.right > new.tuned.right for old, new in pairs])
    gained = np.bincount(cluster, [old.tuned.right < new.tuned.right for old, new in pairs])
    effect = design_effect(lost, gained, sizes) if sizes.size > 1 else 1.0
    return effect, int(lost.sum()), int(gained.sum())


def _p_of_texts(pairs: Pairs) -> float | None:
    """A paired t test of the log ratios of bits, two-sided; None if there are too few texts."""
    bits = [[-sum(row.tuned.logprobs or ()) for row in pair] for pair in pairs]
    if len(bits) < 2 or any(side <= 0 for pair in bits for side in pair):
        return None
    try:
        p = mean_p(log_ratios(*zip(*bits, strict=True)))
    except NoEvidenceError:
        return None
    return min(1.0, 2 * min(p, 1 - p))
