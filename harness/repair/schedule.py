"""The command line of a repair in, a Schedule out: what is asked to choose a repair, and what to confirm it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.authoring.near_duplicates import alike, asked
from harness.documents.within import PROJECT, Reach
from harness.engine.prompts import request, under
from harness.engine.requests import Request
from harness.engine.settings import Settings
from harness.errors import HarnessError
from harness.evaluation.permission import with_consent
from harness.evaluation.sample import Key, sampled
from harness.evaluation.suites import read_suites
from harness.gate.cases import Case, cases
from harness.gate.policy import MAX_DROP_OVERALL, Policy
from harness.spelling import option
from harness.suites.suite import Probe, Suite
from harness.sweep.schedule import check_target, half_of

USEFUL = 0.5
"""The share of the tuned model's gain that a repair must keep, unless the user gives another."""


@dataclass(frozen=True)
class RepairOptions:
    """The command line of a repair.

    Attributes:
        baseline: None for the one that the model names.
        sample: how many of the general probes are asked, for both halves together; None for all.
        seed: of the sample and of its halves.
        budget: minutes; None for as long as it takes.
        useful: the share of the tuned model's gain that must stay, in (0, 1].
        margin: the largest acceptable drop over all suites, a fraction.
        strict: whether every gate must be RETAINED.
        merge: whether an adapter may be merged into its base, and a full model be written.
    """

    model: str
    target: Path
    suites: Sequence[Path]
    out: Path
    baseline: str | None = None
    sample: int | None = None
    seed: int = 0
    budget: float | None = None
    useful: float = USEFUL
    margin: float = MAX_DROP_OVERALL
    strict: bool = False
    merge: bool = True
    allow_code: bool = False
    reach: Reach = PROJECT
    command: tuple[str, ...] = ()

    @property
    def policy(self) -> Policy:
        """How the gates of both halves are decided."""
        return Policy(strict=self.strict, max_drop_overall=self.margin)


@dataclass(frozen=True)
class Half:
    """The probes of the target and the cases of the general suites that choose a repair, or that confirm it."""

    target: tuple[Probe, ...]
    cases: tuple[Case, ...]

    @property
    def keys(self) -> set[Key]:
        """All general probes."""
        return {(case.suite.name, probe.id) for case in self.cases for probe in case.probes}


@dataclass(frozen=True)
class Schedule:
    """What is asked: no probe is in both halves, and none of a cluster that the other half has, or that nearly asks what it asks."""

    target: Suite
    suites: tuple[Suite, ...]
    selection: Half
    confirmation: Half
    notes: tuple[str, ...] = ()


def read_schedule(options: RepairOptions, settings: Settings = Settings()) -> Schedule:
    """Read and check suites before any model is loaded; they are asked under `settings`.

    Raises:
        SuiteError, InputError: suites cannot be read, or run code without permission.
        HarnessError: there are no suites but the target.
    """
    if any(path.resolve() == options.target.resolve() for path in options.suites):
        raise HarnessError(
            f"{option('suite', str(options.target))}: is the target\n  what is learnt cannot show what was forgotten: give other suites"
        )
    target, *general = read_suites([options.target, *options.suites], options.reach)
    if not general:
        raise HarnessError(
            f"{option('suite')}: there are no suites but the target, {options.target}\n  give what must be kept"
        )
    general, notes = with_consent(target, general, options.allow_code)
    check_target(target)
    asked = [under(suite, settings) for suite in (target, *general)]
    drawn = sampled((case for suite in asked[1:] for case in cases(suite)), options.sample, options.seed)
    selection, confirmation = halves(asked[0], drawn, options.seed)
    if not (selection.target and confirmation.target and selection.cases and confirmation.cases):
        raise HarnessError(
            f"too few probes to choose by some and confirm by others\n  give a larger target, more suites, or a larger {option('sample')}"
        )
    return Schedule(asked[0], tuple(asked[1:]), selection, confirmation, tuple(notes))


def halves(target: Suite, cases: Sequence[Case], seed: int) -> tuple[Half, Half]:
    """Two halves of the target's probes and of the cases: seeded, stratified by suite and category.

    Clusters are in one piece, and so are probes that ask the same or nearly the same, in one suite or in two.
    """
    of_target = {(target.name, probe.id): probe for probe in target.probes}
    of_cases = {(case.suite.name, probe.id): probe for case in cases for probe in case.probes}
    suites = {suite.name: suite for suite in (target, *(case.suite for case in cases))}
    learnt, general = (half_of(pool, seed, _together(pool, suites)) for pool in (of_target, of_cases))

    def half(target_chosen: Collection[Key], chosen: Collection[Key]) -> Half:
        probes = tuple(probe for key, probe in of_target.items() if key in target_chosen)
        return Half(probes, tuple(narrowed_to(cases, chosen)))

    return half(learnt, general), half(of_target.keys() - learnt, of_cases.keys() - general)


def _together(pool: Mapping[Key, Probe], suites: Mapping[str, Suite]) -> Iterator[tuple[Key, Key]]:
    """Pairs of probes of the same request, or that `lint` finds to ask the same in nearly the same words."""
    first: dict[Request, Key] = {}
    for key, probe in pool.items():
        yield first.setdefault(request(suites[key[0]], probe), key), key
    keys = list(pool)
    for pair in alike([asked(probe) for probe in pool.values()]):
        yield keys[pair.first], keys[pair.second]


def narrowed_to(cases: Iterable[Case], chosen: Collection[Key]) -> Iterable[Case]:
    """The cases over those of their probes that are chosen, without those that have none."""
    for case in cases:
        probes = tuple(probe for probe in case.probes if (case.suite.name, probe.id) in chosen)
        if probes:
            yield replace(case, probes=probes, sampled=case.sampled or len(probes) < len(case.probes))
