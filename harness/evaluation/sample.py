"""Cases and a number of probes in, the same cases over a seeded, stratified sample of their probes out.

The sample is drawn before any model is asked, so that both models get the same probes. It depends on the probes and the seed
alone: cases in another order, or other workers, draw the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from harness.gate.cases import Case
from harness.stats.sampling import stratified
from harness.suites.suite import Probe

Key = tuple[str, str]
"""Of a probe: the name of its suite, and its id."""


def pool(cases: Iterable[Case]) -> dict[Key, Probe]:
    """The probes that a sample of cases is drawn from; one that is a case of its own is no sample of anything."""
    return {
        (case.suite.name, probe.id): probe
        for case in cases
        if case.gate.over != "each"
        for probe in case.probes
    }


def draw(probes: dict[Key, Probe], n: int, seed: int) -> set[Key]:
    """The keys of at most `n` of the probes; each suite and category has its share."""
    return set(stratified(sorted(probes), lambda key: (key[0], probes[key].category), n, seed))


def narrowed(case: Case, drawn: set[Key]) -> Case | None:
    """A case over those of its probes that were drawn, None if there are none; one over a single probe stays as it is."""
    if case.gate.over == "each":
        return case
    probes = tuple(probe for probe in case.probes if (case.suite.name, probe.id) in drawn)
    return replace(case, probes=probes) if probes else None


def sampled(cases: Iterable[Case], n: int | None, seed: int) -> Iterator[Case]:
    """Cases of at most `n` probes in all; None takes every probe."""
    every = list(cases)
    if n is None:
        yield from every
        return
    drawn = draw(pool(every), n, seed)
    yield from filter(None, (narrowed(case, drawn) for case in every))
