"""The selected cases in; those of the wanted suites, with a sample of their probes, out.

The sample is drawn here, before any model is asked, so that both models get the same probes. It depends on the suites and
the seed alone: xdist's workers draw the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.errors import did_you_mean
from harness.evaluation.permission import without_code
from harness.evaluation.sample import Key, draw, narrowed, pool
from harness.plugin.collect import CaseItem
from harness.plugin.options import RunOptions
from harness.stats.power import FLIP_RATE, minimum_detectable_drop
from harness.suites.suite import Suite
from harness.wording import points


@dataclass(frozen=True)
class Subset:
    """The items to run, those left out, and what the user should hear of it."""

    kept: list[pytest.Item]
    left_out: list[pytest.Item]
    notes: list[str]


def choose(items: Sequence[pytest.Item], options: RunOptions) -> Subset:
    """Apply `--suite` and `--sample`, and leave out suites that would run code and that nobody asked for by name.

    Raises:
        pytest.UsageError: a suite that is wanted was not collected.
    """
    wanted = _of_suites(items, options.suites)
    notes: list[str] = []
    if not options.allow_code and not options.suites:
        wanted, notes = _without_code(wanted, options.paths)
    left_out = _without(items, wanted)
    if options.sample is None:
        return Subset(wanted, left_out, notes)
    probes = pool(item.case for item in wanted if isinstance(item, CaseItem))
    drawn = draw(probes, options.sample, options.sample_seed)
    kept = [item for item in wanted if _narrow(item, drawn)]
    left_out += _without(wanted, kept)
    return Subset(kept, left_out, [*notes, *_notes(wanted, drawn, options)])


def _without(items: Sequence[pytest.Item], chosen: Sequence[pytest.Item]) -> list[pytest.Item]:
    kept = set(chosen)
    return [item for item in items if item not in kept]


def _without_code(
    items: Sequence[pytest.Item], named: Collection[Path]
) -> tuple[list[pytest.Item], list[str]]:
    """Without the suites that run what a model wrote and came along with a folder, and a note for each.

    A suite whose file the command line names stays, for `collect.check_code` to refuse; so does all of a run that
    selects nothing else.
    """
    along = {
        item.case.suite.name: item.case.suite
        for item in items
        if isinstance(item, CaseItem) and item.path not in named
    }
    asked = {item.case.suite.name for item in items if isinstance(item, CaseItem) and item.path in named}
    kept, notes = without_code([along[name] for name in sorted(along)], anyway=bool(asked))
    names = asked | {suite.name for suite in kept}
    return [item for item in items if not isinstance(item, CaseItem) or item.case.suite.name in names], notes


def _of_suites(items: Sequence[pytest.Item], names: Sequence[str]) -> list[pytest.Item]:
    if not names:
        return list(items)
    known = {item.case.suite.name for item in items if isinstance(item, CaseItem)}
    for name in names:
        if name not in known:
            near = did_you_mean(name, known) or f"there are: {', '.join(sorted(known))}"
            raise pytest.UsageError(f"--suite {name}: no such suite was collected\n  {near}")
    return [item for item in items if not isinstance(item, CaseItem) or item.case.suite.name in names]


def _narrow(item: pytest.Item, drawn: set[Key]) -> bool:
    """Leave a case the probes that were drawn; False if there are none."""
    if not isinstance(item, CaseItem):
        return True
    if case := narrowed(item.case, drawn):
        item.case = case
    return case is not None


def _notes(items: Sequence[pytest.Item], drawn: set[Key], options: RunOptions) -> list[str]:
    suites: dict[str, Suite] = {
        item.case.suite.name: item.case.suite
        for item in items
        if isinstance(item, CaseItem) and item.case.gate.over != "each"
    }
    total = sum(len(suite.probes) for suite in suites.values())
    notes = [
        f"a sample of {len(drawn):,} of {total:,} probes (--sample {options.sample}, seed {options.sample_seed})"
    ]
    counts = Counter(name for name, _ in drawn)
    for name, suite in suites.items():
        n = counts[name]
        if 0 < n < len(suite.probes):
            notes.append(
                f"{name}: {n} of {len(suite.probes)} probes; {_sight(n)}, the whole suite {_sight(len(suite.probes))}"
            )
        elif n == 0:
            notes.append(f"{name}: none of its {len(suite.probes)} probes is in the sample; it sees nothing")
    return notes


def _sight(n: int) -> str:
    drop = minimum_detectable_drop(n, FLIP_RATE / 2)
    return "sees no drop at all" if drop is None else f"sees a drop of {points(drop)} points"
