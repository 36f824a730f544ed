"""A suite and one model's scores in, an Evaluation out: counts, and the evidence that lets two be compared."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from harness.api.models import Who
from harness.digest import digest
from harness.evaluation.keys import question_key
from harness.scoring import Score
from harness.suites.suite import Suite


class CategoryResult(TypedDict):
    """How a model did in one category."""

    correct: int
    total: int
    accuracy: float


class Asked(TypedDict):
    """What was asked, as SHA-256 over what a model is shown and how its answer is judged: in all, and by question."""

    fingerprint: str
    questions: dict[str, str]


class Evaluation(dict[str, Any]):
    """{"correct", "total", "overall_accuracy", "by_category": {name: {"correct", "total", "accuracy"}}}, and its evidence.

    The evidence is what tells one evaluation from another, and lets two be compared in pairs, read back from a file too:
    "evaluation_id"; "right": {question's id: bool}; "asked": {"fingerprint", "questions": {question's id: fingerprint}};
    "model": {"label", "weights", "base_weights"}, of which the last two are there where they are known.

    A plain dict, which JSON can hold.
    """

    @property
    def right(self) -> dict[str, bool]:
        """Whether each question was answered rightly, by its id."""
        found: dict[str, bool] = self["right"]
        return found


def evaluation_of(suite: Suite, scores: Mapping[str, Score], who: Who) -> Evaluation:
    """What a model answered to a suite, by the score of each probe's answer."""
    by_category: dict[str, CategoryResult] = {}
    for name, probes in suite.by_category().items():
        by_category[name] = _result([scores[probe.id] for probe in probes])
    whole = _result(list(scores.values()))
    return Evaluation(
        correct=whole["correct"],
        total=whole["total"],
        overall_accuracy=whole["accuracy"],
        by_category=by_category,
        evaluation_id=uuid.uuid4().hex,
        right={id: score.right for id, score in scores.items()},
        asked=_asked(suite),
        model=who,
    )


def _asked(suite: Suite) -> Asked:
    questions = {probe.id: question_key(suite, probe) for probe in suite.probes}
    return {"fingerprint": digest(sorted(questions.items())), "questions": questions}


def _result(scores: Sequence[Score]) -> CategoryResult:
    correct = sum(score.right for score in scores)
    return {"correct": correct, "total": len(scores), "accuracy": correct / len(scores)}
