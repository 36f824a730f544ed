"""A task file of lm-evaluation-harness in, a LmEvalTask out, or every reason why it cannot be imported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from harness.authoring.lm_eval.format import PARTS, FewshotFormat, MetricFormat, TaskFileFormat
from harness.authoring.lm_eval.include import CODE, read_included
from harness.documents.document import Document, Place
from harness.documents.validate import describe, validate
from harness.documents.within import PROJECT, Reach
from harness.errors import InputError, Problem, Span, did_you_mean
from harness.spelling import option

Kind = Literal["multiple_choice", "generate_until"]
Sampler = Literal["first_n", "default"]

METRICS: Mapping[str, tuple[str, ...]] = {
    "multiple_choice": ("acc", "acc_norm", "acc_bytes"),
    "generate_until": ("exact_match",),
}
DEFAULT_METRICS = {"multiple_choice": ["acc", "acc_norm"], "generate_until": ["exact_match"]}
DEFAULT_NEW_TOKENS = 256
TOKEN_KEYS = ("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens")
"""What the longest answer may be called, the first given wins."""

UNSUPPORTED = {
    "class": CODE,
    "custom_dataset": CODE,
    "process_docs": CODE,
    "process_results": CODE,
    "doc_to_image": "shows images, which a suite cannot",
    "doc_to_audio": "plays sound, which a suite cannot",
    "use_prompt": "takes a prompt from promptsource; write it out as 'doc_to_text' and 'doc_to_target'",
}


@dataclass(frozen=True)
class Wording:
    """How a document becomes text: each a Jinja template, the name of a column, or the value itself."""

    text: str
    target: str | int | list[Any]
    choice: str | list[Any] | None
    prefix: str | None
    delimiter: str


@dataclass(frozen=True)
class Shots:
    """How many few-shot examples stand before a question, and which."""

    n: int
    sampler: Sampler
    wording: Wording
    delimiter: str
    samples: tuple[Mapping[str, Any], ...] | None
    split: str | None
    """None where `samples` are taken."""
    own_left_out: bool
    """Whether a document is never an example before itself."""


@dataclass(frozen=True)
class Metric:
    """What makes an answer right; the last four belong to `exact_match`."""

    name: str
    ignore_case: bool = False
    ignore_punctuation: bool = False
    ignore_numbers: bool = False
    strip: bool = False


@dataclass(frozen=True)
class DataSource:
    """What is given to `datasets.load_dataset`; relative paths start at the task's `file`, and end where `reach` does."""

    path: str
    name: str | None
    arguments: Mapping[str, Any]
    file: Path
    reach: Reach
    span: Span


@dataclass(frozen=True)
class LmEvalTask:
    """A task that can be imported, every default resolved."""

    name: str
    kind: Kind
    data: DataSource
    split: str
    description: str
    wording: Wording
    shots: Shots
    metric: Metric
    max_new_tokens: int
    stop: tuple[str, ...]
    document: Document
    notes: tuple[str, ...] = field(default=())


def read_task(
    path: Path, metric: str | None = None, num_fewshot: int | None = None, reach: Reach = PROJECT
) -> LmEvalTask:
    """Read one task file, and what it includes.

    Args:
        metric: of a task with several, the one to score by; without it, the first.
        num_fewshot: how many shots, as `--num_fewshot` of lm-evaluation-harness; without it, as the file says.
        reach: where what it includes, and its data, may lie.

    Raises:
        InputError: with every reason why the task cannot be imported, each at its place.
    """
    return _Reader(read_included(path, reach), metric, num_fewshot, reach).read()


class _Reader:
    """Checks one task; collects problems so that its author sees all of them at once."""

    def __init__(self, document: Document, metric: str | None, num_fewshot: int | None, reach: Reach) -> None:
        self.document = document
        self.problems = list(document.problems)
        self.metric_wanted = metric
        self.num_fewshot = num_fewshot
        self.reach = reach
        self.notes: list[str] = []
        self.tagged = {problem.span for problem in self.problems}
        """Where a value has a problem already, such as a tag in front of it."""

    def problem(self, place: Place, message: str, hint: str | None = None) -> None:
        self.problems.append(Problem(self.document.span(place), message, hint))

    def read(self) -> LmEvalTask:
        data = self.document.value
        if isinstance(data.get("task"), list) or {"group", "task_list"} & data.keys():
            place = next((key for key in ("group", "task_list") if key in data), "task")
            self.problem((place,), "this is a group of tasks", "import its tasks one by one")
            raise InputError(self.problems)
        file, problems = validate(TaskFileFormat, data, self.document, PARTS)
        self.problems += [problem for problem in problems if problem.span not in self.tagged]
        if file is None:
            raise InputError(self.problems)
        self.check_unsupported(file)
        kind = self.kind(file)
        task = LmEvalTask(
            name=self.name(file),
            kind=kind,
            data=self.data(file),
            split=self.split(file),
            description=file.description or "",
            wording=self.wording(file, kind),
            shots=self.shots(file, kind),
            metric=self.metric(file, kind),
            max_new_tokens=self.max_new_tokens(file),
            stop=self.stop(file),
            document=self.document,
            notes=tuple(self.notes),
        )
        if self.problems:
            raise InputError(self.problems)
        return task

    def check_unsupported(self, file: TaskFileFormat) -> None:
        for key, why in UNSUPPORTED.items():
            if getattr(file, "class_" if key == "class" else key) is not None:
                self.problem((key,), f"'{key}' {why}")
        if file.repeats != 1:
            self.problem(("repeats",), "'repeats' asks a question several times; a suite asks it once")

    def name(self, file: TaskFileFormat) -> str:
        if not isinstance(file.task, str) or not file.task.strip():
            self.problem(("task",), f"a task needs a name as 'task', saw {describe(file.task)}")
        return str(file.task)

    def kind(self, file: TaskFileFormat) -> Kind:
        match file.output_type:
            case "multiple_choice" | "generate_until" as kind:
                if kind == "multiple_choice" and file.generation_kwargs is not None:
                    self.problem(("generation_kwargs",), "'generation_kwargs' has no meaning under multiple_choice")  # fmt: skip
                return kind
        self.problem(
            ("output_type",),
            f"the output type '{file.output_type}' is not supported; these are: {', '.join(METRICS)}",
            did_you_mean(file.output_type, METRICS),
        )
        return "generate_until"

    def data(self, file: TaskFileFormat) -> DataSource:
        if file.dataset_path is None:
            self.problem(("dataset_path",), "a task needs 'dataset_path': json, csv, parquet or a data set")
        place: Place = ("dataset_kwargs",) if file.dataset_kwargs else ("dataset_path",)
        return DataSource(
            path=file.dataset_path or "",
            name=file.dataset_name,
            arguments=file.dataset_kwargs or {},
            file=self.document.path,
            reach=self.reach,
            span=self.document.span(place),
        )

    def split(self, file: TaskFileFormat) -> str:
        split = file.test_split or file.validation_split
        if split is None:
            self.problem((), "a task needs a 'test_split' or a 'validation_split'")
        return split or ""

    def wording(self, file: TaskFileFormat, kind: Kind) -> Wording:
        for key in (
            "doc_to_text",
            "doc_to_target",
            *(["doc_to_choice"] if kind == "multiple_choice" else []),
        ):
            if getattr(file, key) is None and self.document.values.get((key,)) not in self.tagged:
                self.problem((key,), f"a task of this kind needs '{key}'")
        self.check_wording((), file.doc_to_text, file.doc_to_target, file.doc_to_choice)
        return Wording(
            file.doc_to_text, file.doc_to_target, _listed(file.doc_to_choice), file.gen_prefix, file.target_delimiter
        )  # fmt: skip

    def check_wording(self, place: Place, text: Any, target: Any, choice: Any) -> None:
        if isinstance(text, int):
            self.problem((*place, "doc_to_text"), "a number as 'doc_to_text' puts the choices into the prompt; "
                         "a suite's choices come after it")  # fmt: skip
        elif not isinstance(text, str | None):
            self.problem((*place, "doc_to_text"), f"'doc_to_text' must be text, saw {describe(text)}")
        if not isinstance(target, str | int | list | None) or isinstance(target, bool):
            self.problem((*place, "doc_to_target"), f"'doc_to_target' must be text, a whole number or a list, saw {describe(target)}")  # fmt: skip
        if not isinstance(choice, str | list | dict | None):
            self.problem((*place, "doc_to_choice"), f"'doc_to_choice' must be text, a list or a mapping, saw {describe(choice)}")  # fmt: skip

    def shots(self, file: TaskFileFormat, kind: Kind) -> Shots:
        config = file.fewshot_config or FewshotFormat()
        place: Place = ("fewshot_config",)
        n = (file.num_fewshot or 0) if self.num_fewshot is None else self.num_fewshot
        if config.process_docs is not None:
            self.problem((*place, "process_docs"), f"'process_docs' {CODE}")
        if config.fewshot_indices is not None:
            self.problem((*place, "fewshot_indices"), "'fewshot_indices' is not supported: lm-evaluation-harness does not heed it",
                         "give the 'samples' themselves")  # fmt: skip
        if config.sampler not in ("first_n", "default"):
            self.problem(
                (*place, "sampler"), f"unknown sampler '{config.sampler}'; there are: first_n, default"
            )
        self.check_wording(place, config.doc_to_text, config.doc_to_target, config.doc_to_choice)
        own = config.split if "split" in config.model_fields_set else file.fewshot_split
        samples = tuple(config.samples) if config.samples and own is None else None
        fallback = file.training_split or file.validation_split or file.test_split

        def first(key: str) -> Any:
            """What `fewshot_config` says, null included, else what the task says."""
            return getattr(config if key in config.model_fields_set else file, key)

        return Shots(
            n=n,
            sampler="first_n" if config.sampler == "first_n" else "default",
            wording=Wording(
                text=config.doc_to_text if config.doc_to_text is not None else file.doc_to_text,
                target=config.doc_to_target if config.doc_to_target is not None else file.doc_to_target,
                choice=_listed(first("doc_to_choice")),
                prefix=first("gen_prefix"),
                delimiter=first("target_delimiter") or "",
            ),
            delimiter=first("fewshot_delimiter") or "",
            samples=samples,
            split=None if samples else own or fallback,
            own_left_out=own == file.test_split,
        )

    def metric(self, file: TaskFileFormat, kind: Kind) -> Metric:
        known = METRICS[kind]
        listed = file.metric_list or [MetricFormat(metric=name) for name in DEFAULT_METRICS[kind]]
        names = [one.metric for one in listed]
        wanted = self.metric_wanted or next((name for name in names if name in known), names[0])
        at: Place = ("metric_list",)
        if wanted not in names:
            self.problem(at, f"the task has no metric '{wanted}'; it has: {', '.join(names)}")
            return Metric(wanted)
        index = names.index(wanted)
        if file.metric_list:
            at = ("metric_list", index, "metric")
        if wanted not in known:
            self.problem(
                at, f"the metric '{wanted}' of a {kind} task is not supported; these are: {', '.join(known)}"
            )
            return Metric(wanted)
        if others := [name for name in names if name != wanted]:
            self.notes.append(
                f"scored by '{wanted}'; left out: {', '.join(others)} ({option('metric')} chooses)"
            )
        metric = listed[index]
        if metric.aggregation not in (None, "mean"):
            self.problem((*at[:2], "aggregation"), "a gate compares shares of right answers, which is 'aggregation: mean'")  # fmt: skip
        for key in (metric.model_extra or {}) if kind == "generate_until" else ():  # choices heed none
            self.problem((*at[:2], key), f"'{key}' of the metric '{wanted}' is not supported")
        return Metric(wanted, metric.ignore_case, metric.ignore_punctuation, metric.ignore_numbers,
                      strip=self.strips(file, kind))  # fmt: skip

    def strips(self, file: TaskFileFormat, kind: Kind) -> bool:
        """Whether white space around an answer is taken off before it is scored."""
        filters = file.filter_list or []
        if len(filters) > 1:
            self.problem(
                ("filter_list", 1),
                "a second filter: it scores each answer a second way, a suite scores it once",
            )
        strips = False
        for index, step in enumerate(filters[0].filter if filters else []):
            place: Place = ("filter_list", 0, "filter", index, "function")
            if step.function == "remove_whitespace" and kind == "generate_until":
                strips = True
            elif step.function != "take_first":
                supported = "take_first" + (", remove_whitespace" if kind == "generate_until" else "")
                self.problem(place, f"the filter '{step.function}' is not supported; these are: {supported}")
        return strips

    def max_new_tokens(self, file: TaskFileFormat) -> int:
        given = file.generation_kwargs
        if given is None:
            return DEFAULT_NEW_TOKENS
        for key in given.model_extra or {}:
            self.problem(
                ("generation_kwargs", key), f"'{key}' is not supported: answers are written greedily"
            )
        if given.do_sample or (given.do_sample is None and (given.temperature or 0) > 0):
            self.problem(
                ("generation_kwargs", "do_sample" if given.do_sample else "temperature"),
                "sampled answers differ from run to run, so they cannot be compared",
                "write 'do_sample: false'",
            )
        return next((n for key in TOKEN_KEYS if (n := getattr(given, key)) is not None), DEFAULT_NEW_TOKENS)

    def stop(self, file: TaskFileFormat) -> tuple[str, ...]:
        given = file.generation_kwargs
        if given is None or "until" not in given.model_fields_set:
            stops: Sequence[str] = [file.fewshot_delimiter] if file.fewshot_delimiter else []
        else:
            stops = [given.until] if isinstance(given.until, str) else given.until or []
        if special := [stop for stop in stops if stop.startswith("<") and stop.endswith(">")]:
            self.notes.append(
                f"the stop text {special[0]!r} looks like a special token; where it is not the model's own end of text, "
                "lm-evaluation-harness's answer depends on its batches"
            )
        return tuple(dict.fromkeys(stops)) if file.output_type == "generate_until" else ()


def _listed(choice: Any) -> Any:
    """A mapping of choices as the list that it stands for."""
    return list(choice.values()) if isinstance(choice, dict) else choice
