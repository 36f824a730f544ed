"""The collected cases in; those of the wanted suites, over a sample of their probes, out.

The sample is drawn before any model is asked and depends on nothing but the suites and the seed, so that both models and all
workers of xdist get the same probes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.errors import HarnessError, did_you_mean
from harness.evaluation.permission import without_code
from harness.evaluation.sample import Key, draw, narrowed, pool
from harness.plugin.collect import CaseItem, check_code, check_memory, check_models, check_names
from harness.plugin.options import RunOptions
from harness.plugin.state import run_of
from harness.stats.power import FLIP_RATE, minimum_detectable_drop
from harness.wording import points


@dataclass(frozen=True)
class Subset:
    """The items to run, those left out, and notes for the user."""

    kept: list[pytest.Item]
    left_out: list[pytest.Item]
    notes: list[str]


def arrange(items: list[pytest.Item], config: pytest.Config) -> None:
    """Check the cases and narrow the items, in place, to those that are wanted.

    Raises:
        HarnessError: a case cannot be run, or a wanted suite was not collected.
    """
    cases = [item for item in items if isinstance(item, CaseItem)]
    if not cases:
        return
    run, runs = run_of(config), not config.option.collectonly
    check_names(cases)
    if runs:
        check_models(cases, config)
        check_memory(cases, config)
    chosen = choose(items, run.options)
    items[:] = chosen.kept
    if chosen.left_out:
        config.hook.pytest_deselected(items=chosen.left_out)
    if runs:
        check_code((item for item in items if isinstance(item, CaseItem)), config)
    run.notes += chosen.notes


def choose(items: Sequence[pytest.Item], options: RunOptions) -> Subset:
    """Apply `--suite` and `--sample`, and leave out suites that run code unless they were named.

    Raises:
        HarnessError: a wanted suite was not collected.
    """
    cases = [item for item in items if isinstance(item, CaseItem)]
    names = {item.case.suite.name for item in cases}
    notes: list[str] = []
    if options.suites:
        names = _wanted(options.suites, names)
    elif not options.allow_code:
        names, notes = _without_code(cases, options.paths)
    wanted = [item for item in cases if item.case.suite.name in names]
    if options.sample is not None:
        drawn = draw(pool(item.case for item in wanted), options.sample, options.sample_seed)
        notes += _sample_notes(wanted, drawn, options)
        wanted = [item for item in wanted if _narrow(item, drawn)]
    left_out = set(cases).difference(wanted)
    return Subset(
        [item for item in items if item not in left_out], [item for item in cases if item in left_out], notes
    )


def _wanted(suites: Sequence[str], known: set[str]) -> set[str]:
    for name in suites:
        if name not in known:
            near = did_you_mean(name, known) or f"there are: {', '.join(sorted(known))}"
            raise HarnessError(f"--suite {name}: no such suite was collected\n  {near}")
    return set(suites)


def _without_code(cases: Sequence[CaseItem], named: Collection[Path]) -> tuple[set[str], list[str]]:
    """The names of the suites without those that run code and were collected with a folder, and a note for each of these.

    A suite whose file was named stays, for `collect.check_code` to refuse; so do all suites if nothing else is selected.
    """
    by_folder = {item.case.suite.name: item.case.suite for item in cases if item.path not in named}
    by_name = {item.case.suite.name for item in cases if item.path in named}
    kept, notes = without_code([by_folder[name] for name in sorted(by_folder)], anyway=bool(by_name))
    return by_name | {suite.name for suite in kept}, notes


def _narrow(item: CaseItem, drawn: set[Key]) -> bool:
    """Narrow a case to its drawn probes; False if there are none."""
    if case := narrowed(item.case, drawn):
        item.case = case
    return case is not None


def _sample_notes(cases: Sequence[CaseItem], drawn: set[Key], options: RunOptions) -> list[str]:
    sizes = {
        item.case.suite.name: len(item.case.suite.probes) for item in cases if item.case.gate.over != "each"
    }
    notes = [
        f"a sample of {len(drawn):,} of {sum(sizes.values()):,} probes (--sample {options.sample}, seed "
        f"{options.sample_seed})"
    ]
    counts = Counter(name for name, _ in drawn)
    for name, size in sizes.items():
        if not counts[name]:
            notes.append(f"{name}: none of its {size} probes is in the sample, so it detects nothing")
        elif counts[name] < size:
            notes.append(
                f"{name}: {counts[name]} of {size} probes; minimum detectable drop: {_detectable(counts[name])}, "
                f"and {_detectable(size)} with the whole suite"
            )
    return notes


def _detectable(n: int) -> str:
    drop = minimum_detectable_drop(n, FLIP_RATE / 2)
    return "none" if drop is None else f"{points(drop)} points"
