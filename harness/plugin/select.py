"""The collected cases in; those of the wanted suites, over a sample of their probes, out.

The sample is drawn before any model is asked and depends on nothing but the suites and the seed, so that both models and all
workers of xdist get the same probes.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.errors import SuiteError
from harness.evaluation.permission import without_code
from harness.evaluation.sample import Key, draw, narrowed, not_sampled, pool
from harness.gate.cases import Case, check_margin_overall, with_overall
from harness.plugin.collect import (
    CaseItem,
    OverallItem,
    check_code,
    check_models,
    check_names,
    overall_items,
)
from harness.plugin.options import RUN_OPTIONS, RunOptions
from harness.plugin.shipped_suites import check_suites, named_alone, selected, that_give_way
from harness.plugin.slices import none_matches
from harness.plugin.state import run_of
from harness.spelling import option
from harness.suites.acceptance import FILE
from harness.suites.accepted import accepted_file, strangers
from harness.suites.suite import OVERALL
from harness.wording import points

if TYPE_CHECKING:
    from harness.authoring.gate_power import Assumed, GatePower


@dataclass(frozen=True)
class Subset:
    """The items to run, and notes for the user."""

    kept: list[CaseItem]
    notes: list[str]


def add_overall(items: list[pytest.Item], config: pytest.Config) -> None:
    """Add the gates over all suites, if they have any to pool, before -k and others leave items out."""
    cases = [item for item in items if isinstance(item, CaseItem)]
    run_of(config).collected = {item.case.suite.name for item in cases}
    if cases:
        _check_margin(cases, config.stash[RUN_OPTIONS])
    overall = overall_items(cases, _over_all(cases, config.stash[RUN_OPTIONS]))
    for item in overall:
        config.hook.pytest_itemcollected(item=item)
    if overall:
        config.hook.pytest_collectreport(report=pytest.CollectReport(OVERALL, "passed", None, list(overall)))
    items += overall


def arrange(items: list[pytest.Item], config: pytest.Config) -> None:
    """Check the cases and narrow the items, in place, to those that are wanted; the gates over all suites come last.

    Raises:
        HarnessError: a case cannot be run, or a wanted suite was not collected.
    """
    overall = [item for item in items if isinstance(item, OverallItem)]
    items[:] = [item for item in items if not isinstance(item, OverallItem)]
    cases = [item for item in items if isinstance(item, CaseItem)]
    if overall and not cases:
        cases = list(overall[0].beside)
    if not cases:
        run_of(config).notes += filter(None, [none_matches(config)])
        return
    run, runs = run_of(config), not config.option.collectonly
    given_way = that_give_way({item.path: item.case.suite.name for item in cases})
    run.notes += given_way.values()
    cases = [item for item in cases if item.path not in given_way]
    check_names(cases)
    if runs:
        check_models(cases, config)
    cases = _wanted(cases, config)
    run.named = _named(cases, run.options)
    chosen = choose(cases, run.options)
    if any(item.case.slice == "all" for item in overall):
        _check_margin(chosen.kept, run.options)
        run.named += [OVERALL] if run.options.max_drop_overall is not None else []
    if run.options.only_lost:
        chosen = _only_lost(chosen, config)
        items += chosen.kept
    kept = set[pytest.Item](chosen.kept)
    left_out = [item for item in items if isinstance(item, CaseItem) and item not in kept]
    items[:] = [item for item in items if not isinstance(item, CaseItem) or item in kept]
    if runs:
        check_code(chosen.kept, config)
    run.notes += [*chosen.notes, *(_strangers(cases) if run.options.accepted else ())]
    wanted = [case.slice for case in _over_all(chosen.kept, run.options)]
    for item in overall if not run.options.only_lost else ():
        item.beside = chosen.kept
        (items if item.case.slice in wanted else left_out).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)


def _strangers(cases: Sequence[CaseItem]) -> list[str]:
    """Notes on the accepted losses that no run reads, in the files of the suites and of the working folder."""
    files = [Path(FILE), *(accepted_file(item.case.suite.name, item.path) for item in cases)]
    found: list[str] = []
    for file in {os.path.realpath(file): file for file in files}.values():
        with suppress(SuiteError):  # told where its suites are collected
            found += [f"{problem.span}: {problem.message}: {problem.hint}" for problem in strangers(file)]
    return found


def _check_margin(items: Sequence[CaseItem], options: RunOptions) -> None:
    """Refuse a margin of the gate over all suites that would do nothing; raises HarnessError."""
    if not options.only_lost:
        cases = [item.case for item in items if not item.is_marked_off]
        check_margin_overall(cases, options.max_drop_overall)


def _named(cases: Sequence[CaseItem], options: RunOptions) -> list[str]:
    """The names of the suites that the command line names, but those that marks keep from running."""
    return sorted(
        {item.case.suite.name for item in cases if _is_named(item, options) and not item.is_marked_off}
    )


def _is_named(item: CaseItem, options: RunOptions) -> bool:
    """Whether the command line names a suite, by `--suite` or by its file."""
    return item.case.suite.name in options.suites or item.path in options.paths


def _wanted(cases: Sequence[CaseItem], config: pytest.Config) -> list[CaseItem]:
    """The cases that `--suite` leaves; raises HarnessError for a suite that was not collected."""
    wanted, names = config.stash[RUN_OPTIONS].suites, {item.path: item.case.suite.name for item in cases}
    check_suites(wanted, names.values(), run_of(config).collected - set(names.values()))
    run = selected(wanted, names, named_alone(config))
    return [item for item in cases if item.case.suite.name in run]


def choose(cases: Sequence[CaseItem], options: RunOptions) -> Subset:
    """Apply `--sample`, and leave out suites that run code unless they were named."""
    wanted, notes = list(cases), list[str]()
    if not options.allow_code:
        names, notes = _without_code(cases, options)
        wanted = [item for item in cases if item.case.suite.name in names]
    if options.sample is not None:
        whole = [item.case for item in wanted]
        drawn = draw(pool(whole), options.sample, options.sample_seed)
        wanted = [item for item in wanted if _narrow(item, drawn)]
        notes += _sample_notes(whole, [item.case for item in wanted], drawn, options)
    return Subset(wanted, notes)


def _only_lost(chosen: Subset, config: pytest.Config) -> Subset:
    """Items that look at the lost probes of an earlier run, in place of all cases; raises HarnessError."""
    from harness.plugin.look import looks

    kept, notes = looks(chosen.kept, config.stash[RUN_OPTIONS])
    for item in kept:
        config.hook.pytest_itemcollected(item=item)
    return Subset(list(kept), [*chosen.notes, *notes])


def _over_all(items: Sequence[CaseItem], options: RunOptions) -> list[Case]:
    """The cases over all suites: of the drop if the suites are several or it was asked for, and of flips if that was."""
    cases = [item.case for item in items if not item.is_marked_off]
    of_one, policy = options.max_drop_overall is not None, options.policy
    return with_overall(cases, policy.max_drop_overall, of_one, policy.max_flips)[len(cases) :]


def _without_code(cases: Sequence[CaseItem], options: RunOptions) -> tuple[set[str], list[str]]:
    """The names of the suites without those that run code and were collected with a folder, and a note for each of these.

    A suite that was named stays, for `collect.check_code` to refuse; so do all suites if nothing else is selected.
    """
    by_name = {item.case.suite.name for item in cases if _is_named(item, options)}
    by_folder = {
        item.case.suite.name: item.case.suite for item in cases if item.case.suite.name not in by_name
    }
    kept, notes = without_code([by_folder[name] for name in sorted(by_folder)], anyway=bool(by_name))
    return by_name | {suite.name for suite in kept}, notes


def _narrow(item: CaseItem, drawn: set[Key]) -> bool:
    """Narrow a case to its drawn probes; False if there are none."""
    if case := narrowed(item.case, drawn):
        item.case = case
    return case is not None


def _sample_notes(
    whole: Sequence[Case], sample: Sequence[Case], drawn: set[Key], options: RunOptions
) -> list[str]:
    """What was drawn, and the true drops that the gates over it catch in most runs, in points."""
    from harness.authoring.gate_power import Assumed, overall_power  # loads scipy

    sizes = {case.suite.name: len(case.suite.probes) for case in whole if case.gate.over != "each"}
    if not sizes:
        return [
            f"{option('sample', str(options.sample))} left nothing out: gates over each probe keep all of theirs"
        ]
    counts = Counter(name for name, _ in drawn)
    assumed = Assumed(strict=options.strict, max_drop_overall=options.max_drop_overall)
    overall = overall_power(sample, assumed)
    together = f"; all suites together catch {_caught(overall)}" if overall and overall.gated else ""
    notes = [
        f"a sample of {len(drawn):,} of {sum(sizes.values()):,} probes (--sample {options.sample}, seed "
        f"{options.sample_seed}){together}"
    ]
    notes += not_sampled([name for name in sizes if not counts[name]])
    for name, size in sizes.items():
        if 0 < counts[name] < size:
            part, full = (_power_over_all(cases, name, assumed) for cases in (sample, whole))
            if part and full and part.gated:
                caught = f"{_caught(part)}, all of them {_caught(full)}"
                notes.append(f"{name}: {counts[name]} of {size} probes catch {caught}")
    return notes


def _power_over_all(cases: Sequence[Case], suite: str, assumed: Assumed) -> GatePower | None:
    from harness.authoring.extent import number_of_tests
    from harness.authoring.gate_power import gate_power
    from harness.gate.decide import LEVEL

    level = LEVEL / max(1, number_of_tests(cases, assumed.strict))
    over_all = (case for case in cases if (case.suite.name, case.gate.over) == (suite, "all"))
    return next((gate_power([case], assumed, level) for case in over_all), None)


def _caught(gate: GatePower) -> str:
    """ "a drop of 6.1 points": what a gate catches in 80 % of runs."""
    if not gate.catches:
        return "no drop" if gate.catches is None else "any drop, and none at all"
    what = "a rise of {} %" if gate.of_texts else "a drop of {} points"
    return what.format(points(gate.catches))
