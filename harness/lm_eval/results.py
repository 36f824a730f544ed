"""The answers to a document in, its metrics out, as the task's own filters and `process_results` compute them."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from pathlib import Path
from typing import Any

from harness.documents.within import PROJECT
from harness.lm_eval.build import BUILT, Built, build
from harness.lm_eval.definition import Definition
from harness.lm_eval.within import Place, within

Response = str | float | tuple[float, bool]
"""A text, the log-probability of a text, or that of a continuation and whether the model would write it."""

NOWHERE = Place(Path("record.json"), PROJECT)


class MetricError(ValueError):
    """A metric that judges no single document right or wrong."""


def task_of(source: str, task: str, doc: int) -> Built:
    """The task of an earlier definition, built again if this process has not read its suite.

    Raises:
        InputError: it cannot be built.
        MetricError: it has no such document.
    """
    found = BUILT.get(source, {}).get(task)
    if found is None or doc not in found.documents:
        path = Path(source) if source.endswith((".yaml", ".yml")) else None
        place = Place(path or NOWHERE.file, NOWHERE.reach)
        found = {built.name: built for built in build(Definition(source, path), place)}.get(task)
    if found is None or doc not in found.documents:
        raise MetricError(f"the task '{task}' has no document {doc} any more")
    return found


def metrics(task: Built, doc: int, responses: Sequence[Response], chosen: str | None) -> dict[str, Any]:
    """The metrics of a document after one of the task's filters, the first if none is `chosen`.

    Raises:
        MetricError: the task has no such filter.
        Exception: whatever the task's own code raises.
    """
    instances = task.documents[doc]
    with within(NOWHERE, task.own):
        for instance, response in zip(instances, responses, strict=True):
            instance.resps, instance.filtered_resps = [response] * instance.repeats, {}
        task.task._instances = list(instances)  # apply_filters takes no argument
        task.task.apply_filters()
        filtered = instances[0].filtered_resps
        name = chosen if chosen is not None else next(iter(filtered))
        if name not in filtered:
            raise MetricError(
                f"the task '{task.name}' has no filter '{name}'; there are: {', '.join(filtered)}"
            )
        results = [instance.filtered_resps[name] for instance in instances]
        given: dict[str, Any] = task.task.process_results(instances[0].doc, results)
    return given


def number(value: Any) -> float | None:
    """The value of a metric for one document: a number, or of (right class, chosen class), as `mcc` has it, whether they agree.

    None for what is computed over all documents.
    """
    match value:
        case (int() | list() as gold, Integral() as chosen):
            return float(int(chosen) in (gold if isinstance(gold, list) else [gold]))
        case str():
            return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def passes(metric: str, value: Any, threshold: float | None, higher_is_better: bool) -> bool:
    """Whether the value of a metric makes an answer right: 1, or one that reaches the threshold.

    Raises:
        MetricError: the value is of all documents together, or neither 0 nor 1 without a threshold.
    """
    given = number(value)
    if given is None:
        raise MetricError(
            f"'{metric}' is computed over all documents, and tells of a single one neither right nor wrong"
        )
    if threshold is not None:
        return given >= threshold if higher_is_better else given <= threshold
    if given not in (0.0, 1.0):
        raise MetricError(
            f"'{metric}' is {given:.4g}, neither right (1) nor wrong (0): say from where on an answer is right, as in "
            f"'threshold: 0.5'"
        )
    return given == 1.0
