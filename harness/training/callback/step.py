"""The decisions on a model at one step of its training in, one entry of its history out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.evaluation.session import PairSession
from harness.gate.compare import compare
from harness.gate.verdict import Decision, Verdict
from harness.wording import points


@dataclass(frozen=True)
class GatedStep:
    """The outcome of the gates at one step.

    `drop` is over all probes that are compared with the baseline, `drops` by suite: fractions, positive when worse;
    `drop` is None where none are compared. `verdicts` is by case ("general-qa · math"), None for a case that asks the tuned
    model alone; `forgotten` and `failed` name cases of a severity that counts, `undecided` those with too few probes.
    """

    step: int
    drop: float | None
    drops: Mapping[str, float]
    verdicts: Mapping[str, Verdict | None]
    forgotten: tuple[str, ...]
    failed: tuple[str, ...]
    undecided: tuple[str, ...] = ()

    @property
    def verdict(self) -> Literal["FORGOTTEN", "FAILED", "UNDECIDED", "PASSED"]:
        """FORGOTTEN if any case is; FAILED if one failed for another reason, such as an observed drop over its margin;
        UNDECIDED if none decided anything."""
        if self.failed:
            return "FORGOTTEN" if self.forgotten else "FAILED"
        return "UNDECIDED" if len(self.undecided) == len(self.verdicts) else "PASSED"

    @property
    def shown(self) -> str:
        """The verdict and the drop, for a person."""
        return self.verdict + ("" if self.drop is None else f", a drop of {points(self.drop)} points")

    def numbers(self) -> dict[str, float]:
        """For loggers: `forgetting/drop`, `forgetting/SUITE/drop`, `forgetting/forgotten`, `forgetting/failed`."""
        drops = {f"forgetting/{name}/drop": drop for name, drop in self.drops.items()}
        if self.drop is not None:
            drops["forgetting/drop"] = self.drop
        return {
            **drops,
            "forgetting/forgotten": int(bool(self.forgotten)),
            "forgetting/failed": len(self.failed),
        }


def gated_step(step: int, decisions: Sequence[Decision], session: PairSession) -> GatedStep:
    """Sum up the decisions at a step, and the drops of the session that made them."""
    pairs = {name: run.pairs(run.asked_of_both) for name, run in session.suites.items() if run.compared}
    every = [pair for of_suite in pairs.values() for pair in of_suite]
    failed = [decision for decision in decisions if decision.outcome == "failed"]
    return GatedStep(
        step=step,
        drop=compare(every).drop if every else None,
        drops={name: compare(of_suite).drop for name, of_suite in pairs.items()},
        verdicts={decision.case.title: decision.verdict for decision in decisions},
        forgotten=tuple(decision.case.title for decision in failed if decision.verdict == "FORGOTTEN"),
        failed=tuple(decision.case.title for decision in failed),
        undecided=tuple(decision.case.title for decision in decisions if decision.outcome == "skipped"),
    )
