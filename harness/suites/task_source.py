"""`from: {lm_eval: NAME}` in, the probes and the default gates of a suite out: one probe for each document of the task."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.documents.document import Document
from harness.documents.within import Reach
from harness.errors import InputError, did_you_mean
from harness.limits import MOST_NAME, MOST_PROBES
from harness.lm_eval.build import Built, build
from harness.lm_eval.definition import Definition, Item, Kind
from harness.lm_eval.results import MetricError, Response, metrics, number
from harness.lm_eval.within import Place
from harness.suites.detect import ENDINGS
from harness.suites.scorer import Scorer
from harness.suites.severity import Severity
from harness.suites.suite import Probe, Task
from harness.suites.task_score import TaskChoice, TaskScore
from harness.suites.task_source_format import TaskSourceFormat

MARGIN = 0.05
"""Of the gate over all documents, in a suite that names no gates."""

WIDER = 3
"""How many times that is the margin over each task of several."""

NOT_BESIDE = ("task", "score", "probes", "generators", "probes_from")
"""The keys of a suite that its tasks fill in."""


class TaskProbes:
    """The probes that a suite takes from a task, all of one kind."""

    def __init__(
        self,
        source: TaskSourceFormat,
        document: Document,
        scorers: Mapping[str, type[Scorer]],
        severity: Severity,
        reach: Reach,
    ) -> None:
        self.source = source
        self.scorers = scorers
        self.severity = severity
        self.document = document
        self.span = document.span(("from", "lm_eval"))
        self.place = Place(document.path, reach, self.span)
        self.definition = self._definition()
        self.tasks = build(self.definition, self.place)
        self.kind: Kind = "generate"
        self.probes = tuple(self._probes())

    @property
    def task(self) -> Task:
        """How the suite asks: what its probes say themselves."""
        longest = max((probe.item.max_new_tokens for probe in self.probes if probe.item), default=0)
        return Task(
            format="chat" if self.source.chat else "text",
            prompt="",
            answer=self.kind,
            max_new_tokens=longest or 1,
        )

    @property
    def gates(self) -> list[dict[str, Any]]:
        """The gates of a suite that names none: over all documents, and over each task if there are several."""
        kind, margin = "max_rise" if self.kind == "likelihood" else "max_drop", self.source.margin or MARGIN
        over_tasks = {"over": "category", kind: min(1.0, WIDER * margin)}
        return [{"over": "all", kind: margin}, *([over_tasks] if len(self.tasks) > 1 else [])]

    @property
    def warnings(self) -> Iterator[tuple[str, str]]:
        """What a reader of the suite should know, and what to do."""
        for task in self.tasks:
            if task.samples:
                yield (
                    f"the task '{task.name}' draws its answers by chance in lm-evaluation-harness; here it gets the likeliest",
                    "results differ from those that others report",
                )

    def _definition(self) -> Definition:
        source = self.source
        path = None
        if source.lm_eval.endswith(ENDINGS):
            path = self.place.reach.path(source.lm_eval, self.place.file, self.span).resolve()
            self.place = Place(path, self.place.reach, self.span)
        return Definition(
            source.lm_eval, path, source.fewshot, source.limit, source.chat, source.multiturn, source.system
        )

    def _probes(self) -> Iterator[Probe]:
        number = sum(len(task.documents) for task in self.tasks)
        if number > MOST_PROBES:
            raise self._error(f"{number:,} documents, and a suite may have {MOST_PROBES:,}", "give a 'limit'")
        kinds: dict[Kind, str] = {}
        for task in self.tasks:
            scorer: Scorer | None = None
            try:
                for item in task.items():
                    kinds.setdefault(item.kind, task.name)
                    scorer = scorer or self._scorer(task, item)
                    yield self._probe(item, scorer)
            except ValueError as error:
                raise self._error(str(error), "no gate can judge that: take another task") from error
        self.kind, *others = kinds
        if others:
            named = " and ".join(f"'{name}' ({kind})" for kind, name in kinds.items())
            hint = "write a suite for each; a run pools them"
            raise self._error(f"the tasks are asked in several ways: {named}", hint)

    def _probe(self, item: Item, scorer: Scorer) -> Probe:
        choices = item.continuations if item.kind == "choose" and len(item.continuations) > 1 else ()
        targets = {target.strip() for target in item.targets}
        right = tuple(choice for choice in choices if choice.strip() in targets)
        name = re.sub(r"[\s\[\]:/\\]+", "-", item.task)[:MOST_NAME]
        text = item.prompts[0] if item.kind == "likelihood" else None
        return Probe(
            id=f"{name}-{item.doc}",
            scorer=scorer,
            fields={} if text is not None else {"doc": str(item.doc), "question": item.question},
            answers=() if text is not None else right or item.targets,
            category=name if len(self.tasks) > 1 else None,
            severity=self.severity,
            choices=choices if right else (),
            text=text if isinstance(text, str) else None,
            item=item,
            span=self.span,
        )

    # The metric

    def _scorer(self, task: Built, item: Item) -> Scorer:
        if item.kind == "likelihood":
            return self.scorers["likelihood"]()
        kind = TaskChoice if item.kind == "choose" else TaskScore
        return kind(
            source=self.definition.source,
            task=task.name,
            metric=self._metric(task, item),
            filter=self.source.filter,
            threshold=self.source.threshold,
        )

    def _metric(self, task: Built, item: Item) -> str:
        """The metric that the suite names or, of those that judge single documents, the task's first."""
        wanted, listed = self.source.metric, list(task.task.aggregation())
        found = self._of_made_up(task, item) or dict.fromkeys([wanted] if wanted else listed, 0.0)
        single = {name: each for name, value in found.items() if (each := number(value)) is not None}
        graded = self.source.threshold is not None
        clear = [name for name, value in single.items() if graded or value in (0.0, 1.0)]
        if wanted is None and clear:
            return min(clear, key=lambda name: listed.index(name) if name in listed else len(listed))
        if wanted in single:
            return str(wanted)
        message = f"the task '{task.name}' has no metric '{wanted}'"
        hint = f"there are: {', '.join(single)}" if single else "take another task"
        if wanted is None or wanted in found:
            named = f"the metric '{wanted}'" if wanted else f"no metric ({', '.join(found)})"
            verb = (
                "judges no single document, only all together"
                if wanted
                else "judges single documents right or wrong"
            )
            message = f"{named} of the task '{task.name}' {verb}"
            hint = f"{hint}; with 'threshold', the least that is right" if single else hint
        elif near := did_you_mean(wanted, single):
            hint = near
        raise self._error(message, hint, "metric" if wanted else "lm_eval")

    def _of_made_up(self, task: Built, item: Item) -> Mapping[str, Any]:
        """The metrics of a made-up answer, which show their kind; none if the task's own code does not take one."""
        made_up: Sequence[Response] = (
            [""] if item.kind == "generate" else [(-1.5, False)] * len(item.continuations)
        )
        try:
            return metrics(task, item.doc, made_up, self.source.filter)
        except MetricError as error:
            raise self._error(str(error), "leave 'filter' out for the first", "filter") from error
        except Exception:
            return {}

    def _error(self, message: str, hint: str, key: str = "lm_eval") -> InputError:
        return InputError.at(self.document.span(("from", key)), message, hint)
