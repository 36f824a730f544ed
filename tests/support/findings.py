"""Cases with pairs of any counts, found and decided."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from harness.engine.requests import LogLikelihood
from harness.gate.cases import Case, cases
from harness.gate.compare import Pair
from harness.gate.decide import Decision, decide
from harness.gate.finding import Finding, find
from harness.gate.policy import Policy
from harness.scoring import SCORERS, Score
from harness.suites.severity import Severity
from harness.suites.suite import Gate, Probe, Suite

CHANGES = {"kept": (True, True), "lost": (True, False), "gained": (False, True), "missed": (False, False)}
MENTIONS = SCORERS["mentions"]()


def case(gate: Gate, severity: Severity = "high", suite: str = "s") -> Case:
    """The first case of a suite with one gate and one probe."""
    probe = Probe("p", MENTIONS, category="c", severity=severity)
    return next(cases(Suite(suite, (gate,), (probe,), severity=severity)))


def pairs(clusters: Sequence[str | None] = (None,), **counts: int) -> list[Pair]:
    """So many pairs of each change, of probes p0, p1 and so on, each in the next of the clusters."""
    changes = [change for change, number in counts.items() for _ in range(number)]
    return [
        Pair(
            Probe(f"p{i}", MENTIONS, cluster=clusters[i % len(clusters)]),
            *(Score(right, "") for right in CHANGES[change]),
        )
        for i, change in enumerate(changes)
    ]


def texts(bits: Iterable[tuple[float, float]]) -> list[Pair]:
    """Pairs of texts that need so many bits before and after."""
    scores = (
        [Score(True, "", LogLikelihood(-math.log(2) * number, 10, 256)) for number in both] for both in bits
    )
    return [
        Pair(Probe(f"t{i}", SCORERS["likelihood"](), text="abcd"), *both) for i, both in enumerate(scores)
    ]


def found(gate: Gate, severity: Severity = "high", suite: str = "s", **counts: int) -> Finding:
    """What a case shows by pairs with these counts."""
    return find(case(gate, severity, suite), pairs(**counts))


def decided(
    case: Case, pairs: Sequence[Pair], policy: Policy = Policy(), nothing_known: str | None = None
) -> Decision:
    """The decision of a case in a run of its own."""
    (decision,) = decide([find(case, pairs, nothing_known)], policy)
    return decision
