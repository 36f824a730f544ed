"""The decisions on a model at one step of its training in, one entry of its history out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from harness.evaluation.session import PairSession
from harness.gate.compare import compare, rise
from harness.gate.decide import Decision
from harness.gate.verdict import Verdict
from harness.wording import points


@dataclass(frozen=True)
class GatedStep:
    """The outcome of the gates at one step.

    `drop` is over all probes that are compared with the baseline and have a right answer, `drops` by suite; `rises` of texts'
    bits per byte are means: fractions, positive when worse. `drop` is None where none are compared. `verdicts` is by case
    ("general-qa · math", or "overall" for all suites together), None for a case that asks the tuned model alone. `failed`
    names cases of a severity that counts, `forgotten` those of them that a loss failed: it is FORGOTTEN, or it is over its
    margin and too clear to be an accident among all gates of the step. `undecided` names cases with too few probes.
    """

    step: int
    drop: float | None
    drops: Mapping[str, float]
    verdicts: Mapping[str, Verdict | None]
    forgotten: tuple[str, ...]
    failed: tuple[str, ...]
    undecided: tuple[str, ...] = ()
    rises: Mapping[str, float] = field(default_factory=dict)

    @property
    def verdict(self) -> Literal["FORGOTTEN", "FAILED", "UNDECIDED", "PASSED"]:
        """FORGOTTEN if a loss failed any case; FAILED if one failed for another reason, such as a baseline that knows nothing;
        UNDECIDED if none decided anything."""
        if self.failed:
            return "FORGOTTEN" if self.forgotten else "FAILED"
        return "UNDECIDED" if len(self.undecided) == len(self.verdicts) else "PASSED"

    @property
    def shown(self) -> str:
        """The verdict and the drop, for a person."""
        return self.verdict + ("" if self.drop is None else f", a drop of {points(self.drop)} points")

    def numbers(self) -> dict[str, float]:
        """For loggers: `forgetting/drop`, `forgetting/SUITE/drop` (of texts `/rise`), `forgetting/forgotten`,
        `forgetting/failed`."""
        drops = {f"forgetting/{name}/drop": drop for name, drop in self.drops.items()}
        drops |= {f"forgetting/{name}/rise": rise for name, rise in self.rises.items()}
        if self.drop is not None:
            drops["forgetting/drop"] = self.drop
        return {
            **drops,
            "forgetting/forgotten": int(bool(self.forgotten)),
            "forgetting/failed": len(self.failed),
        }


def gated_step(step: int, decisions: Sequence[Decision], session: PairSession) -> GatedStep:
    """Sum up the decisions at a step, and the drops of the session that made them."""
    both = {name: run.pairs(run.asked_of_both) for name, run in session.suites.items() if run.compared}
    texts = {name: pairs for name, pairs in both.items() if pairs[0].probe.text is not None}
    pairs = {name: of_suite for name, of_suite in both.items() if name not in texts}
    every = [pair for of_suite in pairs.values() for pair in of_suite]
    failed = [decision for decision in decisions if decision.outcome == "failed"]
    return GatedStep(
        step=step,
        drop=compare(every).drop if every else None,
        drops={name: compare(of_suite).drop for name, of_suite in pairs.items()},
        verdicts={decision.case.title: decision.verdict for decision in decisions},
        forgotten=tuple(decision.case.title for decision in decisions if forgotten(decision)),
        failed=tuple(decision.case.title for decision in failed),
        undecided=tuple(decision.case.title for decision in decisions if decision.outcome == "skipped"),
        rises={name: rise(of_suite).mean for name, of_suite in texts.items() if len(of_suite) > 1},
    )


def forgotten(decision: Decision) -> bool:
    """Whether a loss fails the case, as opposed to a lack of evidence or a drop that may be an accident."""
    lost = decision.verdict == "FORGOTTEN" or (decision.over and decision.significant)
    return decision.outcome == "failed" and lost
