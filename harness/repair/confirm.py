"""The chosen candidate before the probes that did not choose it; and the written model's answers beside those confirmed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from harness.engine.requests import ChoiceLogProbs, EnginePair, Generated, LogLikelihood
from harness.errors import ModelError
from harness.evaluation.session import PairSession
from harness.repair.measure import Examiner, Measured, Trial
from harness.repair.record import ConfirmedRow
from harness.repair.schedule import Schedule
from harness.reporting.exit_code import exit_code
from harness.reporting.explain import INTERVAL
from harness.reporting.record import gate_row
from harness.spelling import option
from harness.stats.paired import ROUNDING
from harness.wording import between, percent, tenths

CLOSE = 1e-3
"""Nats in which log-probabilities of the same weights may differ, when other prompts were in their batch."""


@dataclass(frozen=True)
class Confirmation:
    """What the confirmation half says of the chosen candidate; `reason` is why it is not confirmed, else ""."""

    measured: Measured
    tuned_gain: float
    exit_status: int
    session: PairSession
    reason: str

    @property
    def undecided(self) -> bool:
        """Whether no gate was decided."""
        return self.exit_status == 5

    @property
    def row(self) -> ConfirmedRow:
        return ConfirmedRow(
            effect=self.measured.row,
            tuned_gain=self.tuned_gain,
            exit_status=self.exit_status,
            gates=[gate_row(decision) for decision in self.measured.decisions],
        )


def confirm(
    examiner: Examiner, chosen: EnginePair, reference: EnginePair, schedule: Schedule, *, useful: float
) -> Confirmation:
    """Ask the chosen candidate everything, and the tuned model as it is the target; raises as `evaluation.ask`."""
    examiner.ask_baseline(chosen.baseline)
    tuned_gain = Trial(examiner, reference).learnt().gain
    trial = Trial(examiner, chosen)
    measured = trial.compared(schedule.confirmation.cases)
    status = exit_code([gate_row(decision) for decision in measured.decisions])
    reason = _reason(measured, tuned_gain, status, useful)
    return Confirmation(measured, tuned_gain, status, trial.session, reason)


def _reason(measured: Measured, tuned_gain: float, status: int, useful: float) -> str:
    """Why a candidate is not confirmed; "" if it is."""
    row = measured.row
    if status == 5:
        return "no gate of the confirmation probes decided anything: there are too few"
    if status:
        lost = ""
        if row.drop is not None and row.drop_interval is not None:
            lost = f": {tenths(row.drop)} points lost ({INTERVAL} {between(row.drop_interval)})"
        return f"the probes that had no part in the choice do not confirm it{lost}; gates that fail: {', '.join(row.failed[:4])}"
    if row.gain_interval[0] <= 0 or row.gain < useful * tuned_gain - ROUNDING:
        return (
            f"the probes that had no part in the choice do not confirm its gain: {tenths(row.gain)} points "
            f"({INTERVAL} {between(row.gain_interval)}) of the {tenths(tuned_gain)} of the tuned model; {percent(useful)} were wanted"
        )
    return ""


def check_same_answers(examiner: Examiner, written: EnginePair, confirmation: Confirmation) -> None:
    """Ask the written model what was confirmed, and prove that it answers the same.

    Raises:
        ModelError: it does not.
        EngineError: it cannot answer, or equals the baseline.
    """
    trial = Trial(examiner, written)
    trial.session.notes, trial.session.cuts = [], {}  # the same model, noted when it was confirmed
    trial.compared(examiner.half.cases)
    differing = [
        f"{name} · {id}"
        for name, run in confirmation.session.suites.items()
        for id, answer in run.answers["tuned"].items()
        if not _same(answer, trial.session.suites[name].answers["tuned"].get(id))
    ]
    if differing:
        total = sum(len(run.answers["tuned"]) for run in confirmation.session.suites.values())
        raise ModelError(
            f"the written model does not give the answers that were confirmed: {len(differing)} of {total} differ, the first "
            f"'{differing[0]}'; nothing was kept\n  try another dtype, such as {option('dtype', 'float32')}, in which batches round alike"
        )


def _same(confirmed: Any, written: Any) -> bool:
    match confirmed, written:
        case Generated(), Generated():
            return bool(confirmed.text == written.text)
        case ChoiceLogProbs(), ChoiceLogProbs():
            pairs = zip(confirmed.logprobs, written.logprobs, strict=True)
        case LogLikelihood(), LogLikelihood():
            pairs = zip([confirmed.logprob], [written.logprob], strict=True)
        case _:
            return False
    return all(math.isclose(left, right, rel_tol=1e-4, abs_tol=CLOSE) for left, right in pairs)
