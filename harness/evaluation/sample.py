"""Narrow cases to a seeded, stratified sample of their probes.

Both models get the same probes: the sample is drawn before either is asked, and depends on nothing but the probes and the
seed, so every worker and every order of cases draws the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from harness.gate.cases import Case
from harness.stats.sampling import stratified
from harness.suites.suite import Probe
from harness.wording import some

Key = tuple[str, str]
"""The name of a probe's suite, and its id."""


def pool(cases: Iterable[Case]) -> dict[Key, Probe]:
    """The probes to draw from: those of all cases but the gates over `each` probe, which are never sampled."""
    return {
        (case.suite.name, probe.id): probe
        for case in cases
        if case.gate.over != "each"
        for probe in case.probes
    }


def draw(probes: dict[Key, Probe], n: int, seed: int) -> set[Key]:
    """The keys of at most `n` of the probes, with a proportional share for each suite and category."""
    return set(stratified(sorted(probes), lambda key: (key[0], probes[key].category), n, seed))


def not_sampled(names: Sequence[str]) -> Iterator[str]:
    """A note on the suites of which a sample has no probe."""
    if names:
        its, it = ("its probes", "it detects") if len(names) == 1 else ("their probes", "they detect")
        yield f"{some(names, len(names))}: none of {its} is in the sample, so {it} nothing"


def narrowed(case: Case, drawn: set[Key]) -> Case | None:
    """The case over its drawn probes, None if there are none; a gate over `each` probe stays as it is."""
    if case.gate.over == "each":
        return case
    probes = tuple(probe for probe in case.probes if (case.suite.name, probe.id) in drawn)
    return replace(case, probes=probes, sampled=len(probes) < len(case.probes)) if probes else None


def sampled(cases: Iterable[Case], n: int | None, seed: int) -> list[Case]:
    """The cases over at most `n` probes in all, or over every probe where `n` is None."""
    every = list(cases)
    if n is None:
        return every
    drawn = draw(pool(every), n, seed)
    return [found for case in every if (found := narrowed(case, drawn))]
