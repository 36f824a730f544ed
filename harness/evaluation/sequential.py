"""Ask both models about a suite until it is decided: its gate over all probes and a seed in, where asking stopped out.

There are four looks, and in between a bet that the suite is hopeless. A bet costs a round of smaller batches, so the first
comes after 32 probes, each further one after twice as many, and none but those at looks after the first look.

What stops early has no gates over its categories, so it is not RETAINED early where one of these may have failed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from harness.evaluation.suite_run import SuiteRun
from harness.gate.cases import Case
from harness.gate.compare import compare
from harness.gate.finding import find
from harness.gate.stopping import ALL_ASKED, Stop
from harness.gate.verdict import over
from harness.stats.paired import least_to_retain
from harness.stats.sequential import boundaries, look_sizes
from harness.suites.suite import MarginGate, Probe

FIRST_BET = 32
"""After how many probes the first bet is settled: a drop of 50 points is often beyond doubt by then."""


def sequential_case(run: SuiteRun) -> Case | None:
    """The case that decides when a suite may stop; None for one to ask whole.

    That is a suite without a gate over all probes, of texts, with probes that are cases of their own, or too small.
    """
    case = run.gated.get("all")
    if (
        case is None
        or run.single_cases
        or not isinstance(case.gate, MarginGate)
        or not case.gate.max_drop < 1
    ):
        return None
    looks = look_sizes(len(case.probes))
    last = boundaries(tuple(n / looks[-1] for n in looks))[-1]
    needed = least_to_retain(case.gate.max_drop, last)
    return None if needed is not None and len(case.probes) < needed else case


def ask_until_decided(
    run: SuiteRun, case: Case, seed: int, ask: Callable[[Sequence[Probe]], object], strict: bool
) -> None:
    """Ask in chunks until a look or a bet decides the case, or all was asked, and note it in `run`.

    Args:
        ask: asks both models these probes of `run`.
        strict: whether every gate must be RETAINED, those over categories too.
    """
    order = asking_order(case.probes, seed)
    for asked, n in pairwise([0, *pauses(look_sizes(len(order)))]):
        ask(order[asked:n])
        if stop := decided(run, case, order[:n], len(order), strict):
            run.end(stop)
            return


def asking_order(probes: Sequence[Probe], seed: int) -> list[Probe]:
    """The probes in a random order in which any beginning has about a proportional share of each category.

    Those of a category are shuffled and spread evenly from a random start; the order depends on the probes' order, their
    categories and `seed` alone.
    """
    chooser = random.Random(seed)
    members: dict[str | None, list[Probe]] = {}
    for probe in probes:
        members.setdefault(probe.category, []).append(probe)
    places: list[tuple[float, int, Probe]] = []
    for number, group in enumerate(members.values()):
        start = chooser.random()
        chooser.shuffle(group)
        places += [((index + start) / len(group), number, probe) for index, probe in enumerate(group)]
    return [probe for *_, probe in sorted(places, key=lambda place: place[:2])]


def pauses(looks: Sequence[int]) -> list[int]:
    """After how many probes to see whether it is decided: the looks, and the bets before the first of them."""
    bets, n = [], FIRST_BET
    while n < looks[0]:
        bets.append(n)
        n *= 2
    return [*bets, *looks]


def decided(run: SuiteRun, case: Case, asked: Sequence[Probe], of: int, strict: bool) -> Stop | None:
    """Where asking stops, if it does after these probes."""
    ids, looks = tuple(probe.id for probe in asked), look_sizes(of)
    if len(ids) == of:
        return Stop(ids, of, len(looks), ALL_ASKED)
    for stop, why in _candidates(ids, of):
        finding = find(case, run.pairs(asked), run.nothing_known, stop=stop)
        finding = finding.accepting or finding
        forgotten = finding.verdict == "FORGOTTEN"
        if finding.stop and (forgotten or (stop.look and not _category_may_fail(run, asked, strict))):
            return Stop(ids, of, stop.look, why.format(str(finding.verdict).lower()))
    return None


def _category_may_fail(run: SuiteRun, asked: Sequence[Probe], strict: bool) -> bool:
    """Whether a gate over a category must be decided too: its loss so far is over its margin, or every gate counts."""
    of_categories = [case for case in run.gated.values() if case.gate.over == "category"]
    if strict or not of_categories:
        return bool(of_categories)
    pairs = {pair.probe.id: pair.as_decided for pair in run.pairs(asked)}
    for case in of_categories:
        known = [pairs[probe.id] for probe in case.probes if probe.id in pairs]
        if known and isinstance(case.gate, MarginGate) and over(compare(known), case.gate):
            return True
    return False


def _candidates(ids: tuple[str, ...], of: int) -> Iterator[tuple[Stop, str]]:
    """A look, where there is one after so many probes, and the bet."""
    looks = look_sizes(of)
    if len(ids) in looks:
        look = looks.index(len(ids)) + 1
        yield Stop(ids, of, look), f"{{}} at look {look}"
    yield Stop(ids, of, None), f"hopeless after {len(ids)} probes"
