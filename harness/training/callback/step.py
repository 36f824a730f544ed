"""What a model in training and its baseline answered in, what the gates say of it at one step out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.evaluation.ask import Answered
from harness.gate.cases import Case
from harness.gate.compare import compare, pair
from harness.gate.evidence import nothing_known
from harness.gate.verdict import Decision, Policy, Verdict, decide
from harness.training.callback.cases import probes_of


@dataclass(frozen=True)
class GatedStep:
    """What the gates said at one step.

    `drop` is over all probes that are compared with the baseline, `drops` by suite: fractions, positive when worse;
    `drop` is None where none are. `verdicts` is by case ("general-qa · math"), None for one that asks the tuned model
    alone; `forgotten` and `failed` name cases of a severity that counts, `undecided` those with too few probes.
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
        """FORGOTTEN if any case is; FAILED if one failed otherwise, as over its margin without being sure; UNDECIDED if
        none decided anything."""
        if self.failed:
            return "FORGOTTEN" if self.forgotten else "FAILED"
        return "UNDECIDED" if len(self.undecided) == len(self.verdicts) else "PASSED"

    @property
    def shown(self) -> str:
        """The verdict and the drop, for a person."""
        return self.verdict + ("" if self.drop is None else f", a drop of {100 * self.drop:.1f} points")

    def numbers(self) -> dict[str, float]:
        """What loggers can draw: `forgetting/drop`, `forgetting/SUITE/drop`, `forgetting/forgotten`, `forgetting/failed`."""
        drops = {f"forgetting/{name}/drop": drop for name, drop in self.drops.items()}
        if self.drop is not None:
            drops["forgetting/drop"] = self.drop
        return {
            **drops,
            "forgetting/forgotten": int(bool(self.forgotten)),
            "forgetting/failed": len(self.failed),
        }


def gated_step(
    step: int,
    cases: Sequence[Case],
    baseline: Mapping[str, Answered],
    tuned: Mapping[str, Answered],
    policy: Policy,
) -> GatedStep:
    """Decide each case.

    Args:
        baseline, tuned: what each model answered, by suite.

    Raises:
        NoEvidenceError: a probe was not asked.
    """
    drops, pairs = {}, []
    for suite, probes in probes_of([case for case in cases if not case.tuned_alone]).items():
        these = pair(probes, baseline[suite].scores, tuned[suite].scores)
        drops[suite] = compare(these).drop
        pairs += these
    decisions = [_decision(case, baseline, tuned, policy) for case in cases]
    failed = [one for one in decisions if one.outcome == "failed"]
    return GatedStep(
        step=step,
        drop=compare(pairs).drop if pairs else None,
        drops=drops,
        verdicts={one.case.title: one.verdict for one in decisions},
        forgotten=tuple(one.case.title for one in failed if one.verdict == "FORGOTTEN"),
        failed=tuple(one.case.title for one in failed),
        undecided=tuple(one.case.title for one in decisions if one.outcome == "skipped"),
    )


def _decision(
    case: Case, baseline: Mapping[str, Answered], tuned: Mapping[str, Answered], policy: Policy
) -> Decision:
    before, after = baseline[case.suite.name].scores, tuned[case.suite.name].scores
    asked = [probe for probe in case.suite.probes if probe.id in before and probe.id in after]
    return decide(case, pair(case.probes, before, after), policy, nothing_known(pair(asked, before, after)))
