"""A suite and one model's scores in, an Evaluation out: counts, and the evidence by which two can be compared."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from harness.digest import digest
from harness.evaluation.keys import question_key
from harness.reporting.rows import ModelRow
from harness.scoring import Score
from harness.suites.suite import Suite


class CategoryResult(TypedDict):
    """The right answers in one category."""

    correct: int
    total: int
    accuracy: float


class Evaluation(dict[str, Any]):
    """{"correct", "total", "overall_accuracy", "by_category": {name: {"correct", "total", "accuracy"}}}, and evidence.

    The evidence identifies the evaluation and lets two be compared pair by pair, even after a round trip through JSON:

    - "evaluation_id", unique to each evaluation
    - "right": {question id: bool}
    - "asked": {"fingerprint", "questions": {question id: fingerprint}}; each is a SHA-256 of what the model is shown and
      how its answer is judged
    - "model": {"label", "weights", "base_weights", "digits"}; the weights are SHA-256 of a reference's files, the second of
      adapters only; the digits are of the log-probabilities of a model without files, where its engine tells them
    """

    @property
    def right(self) -> dict[str, bool]:
        """Whether the answer to each question was right, by the question's id."""
        right: dict[str, bool] = self["right"]
        return right


def evaluation_of(
    suite: Suite, scores: Mapping[str, Score], label: str, model: ModelRow, digits: str | None
) -> Evaluation:
    """The evaluation of one model on a suite.

    Args:
        scores: by the id of each probe.
        label: the name of the model's engine.
        digits: equal only for models that are one.
    """
    overall = _result(list(scores.values()))
    questions = {probe.id: question_key(suite, probe) for probe in suite.probes}
    return Evaluation(
        correct=overall["correct"],
        total=overall["total"],
        overall_accuracy=overall["accuracy"],
        by_category={
            name: _result([scores[probe.id] for probe in probes])
            for name, probes in suite.by_category().items()
        },
        evaluation_id=uuid.uuid4().hex,
        right={id: score.right for id, score in scores.items()},
        asked={"fingerprint": digest(sorted(questions.items())), "questions": questions},
        model={"label": label}
        | model.model_dump(include={"weights", "base_weights"}, exclude_none=True)
        | ({"digits": digits} if digits else {}),
    )


def _result(scores: Sequence[Score]) -> CategoryResult:
    correct = sum(score.right for score in scores)
    return {"correct": correct, "total": len(scores), "accuracy": correct / len(scores)}
