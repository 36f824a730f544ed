"""The score of a document of lm-evaluation-harness: the answers of a model in, whether a metric of the task passes out.

No suite names it: the reader gives it to the probes of `from: {lm_eval: …}`, and a record to those that it read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from harness.suites.format import AnswerKind
from harness.suites.scorer import Expects, Scorer

if TYPE_CHECKING:
    from harness.lm_eval.results import Response


class TaskScore(Scorer):
    """What a task of lm-evaluation-harness says of a text."""

    name: ClassVar[str] = "lm_eval"
    expects: ClassVar[Expects] = "optional"

    source: str
    task: str
    metric: str
    filter: str | None = None
    threshold: float | None = None

    def passes(self, doc: int, responses: Sequence[Response]) -> bool:
        """Whether the responses to a document are right.

        Raises:
            MetricError: the metric tells of no single document.
            InputError: the task cannot be built again.
            Exception: whatever the task's own code raises.
        """
        from harness.lm_eval.results import metrics, passes, task_of

        task = task_of(self.source, self.task, doc)
        found = metrics(task, doc, responses, self.filter)
        better: bool = task.task.higher_is_better().get(self.metric, True)
        return passes(self.metric, found.get(self.metric), self.threshold, better)


class TaskChoice(TaskScore):
    """The same of log-probabilities."""

    name: ClassVar[str] = "lm_eval_choice"
    judges: ClassVar[AnswerKind] = "choose"


TASK_SCORES: Mapping[str, type[TaskScore]] = {kind.name: kind for kind in (TaskScore, TaskChoice)}
