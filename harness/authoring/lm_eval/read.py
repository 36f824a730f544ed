"""Read a task file of lm-evaluation-harness: an LmEvalTask, or every reason why it cannot be imported."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.authoring.lm_eval.format import (
    PARTS,
    FewshotFormat,
    GenerationFormat,
    MetricFormat,
    TaskFileFormat,
)
from harness.authoring.lm_eval.include import CODE, read_included
from harness.authoring.lm_eval.task import METRICS, DataSource, Kind, LmEvalTask, Metric, Shots, Wording
from harness.documents.document import Document, Place
from harness.documents.validate import describe, validate
from harness.documents.within import PROJECT, Reach
from harness.errors import InputError, Problem
from harness.spelling import option

DEFAULT_METRICS = {"multiple_choice": ["acc", "acc_norm"], "generate_until": ["exact_match"]}
DEFAULT_NEW_TOKENS = 256
TOKEN_KEYS = ("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens")
"""Names for the length limit of an answer; the first that is set wins."""

UNSUPPORTED = {
    "class": CODE,
    "custom_dataset": CODE,
    "process_docs": CODE,
    "process_results": CODE,
    "doc_to_image": "shows images, which a suite cannot",
    "doc_to_audio": "plays sound, which a suite cannot",
    "use_prompt": "takes a prompt from promptsource; write it out as 'doc_to_text' and 'doc_to_target'",
}
UNSUPPORTED_SHOTS = {
    "process_docs": CODE,
    "fewshot_indices": "is ignored by lm-evaluation-harness; give the 'samples' themselves",
}

WORDING_KINDS: dict[str, tuple[Any, str]] = {
    "doc_to_text": (str | int | None, "text"),
    "doc_to_target": (str | int | list | None, "text, a whole number or a list"),
    "doc_to_choice": (str | list | dict | None, "text, a list or a mapping"),
}


def read_task(
    path: Path, metric: str | None = None, num_fewshot: int | None = None, reach: Reach = PROJECT
) -> LmEvalTask:
    """Read a task file and the files it includes.

    Args:
        metric: the metric to score by; by default the first that is supported.
        num_fewshot: how many shots, as lm-evaluation-harness's `--num_fewshot`; by default as the file says.
        reach: where included files and data may lie.

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
        """Values that already have a problem, such as a tag."""

    def problem(self, place: Place, message: str, hint: str | None = None) -> None:
        self.problems.append(Problem(self.document.span(place), message, hint))

    def read(self) -> LmEvalTask:
        data = self.document.value
        if isinstance(data.get("task"), list) or {"group", "task_list"} & data.keys():
            place = next((key for key in ("group", "task_list") if key in data), "task")
            self.problem((place,), "this is a group of tasks", "import its tasks one by one")
            raise InputError(self.problems)
        self.check_unsupported((), data, UNSUPPORTED)
        file, problems = validate(TaskFileFormat, data, self.document, PARTS)
        self.problems += [problem for problem in problems if problem.span not in self.tagged]
        if file is None:
            raise InputError(self.problems)
        kind = file.output_type
        if kind == "multiple_choice" and file.generation_kwargs is not None:
            self.problem(("generation_kwargs",), f"'generation_kwargs' has no meaning under {kind}")
        task = LmEvalTask(
            name=file.task,
            kind=kind,
            data=self.data(file),
            split=self.split(file),
            description=file.description or "",
            wording=self.wording(file, kind),
            shots=self.shots(file),
            metric=self.metric(file, kind),
            max_new_tokens=self.max_new_tokens(file.generation_kwargs or GenerationFormat()),
            stop=self.stop(file) if kind == "generate_until" else (),
            document=self.document,
            notes=tuple(self.notes),
        )
        if self.problems:
            raise InputError(self.problems)
        return task

    def check_unsupported(self, at: Place, given: Mapping[str, Any], reasons: Mapping[str, str]) -> None:
        for key, why in reasons.items():
            if given.get(key) is not None:
                self.problem((*at, key), f"'{key}' {why}")

    def data(self, file: TaskFileFormat) -> DataSource:
        if file.dataset_path is None:
            self.problem(("dataset_path",), "a task needs 'dataset_path': json, csv, parquet or a data set")
        return DataSource(
            path=file.dataset_path or "",
            name=file.dataset_name,
            arguments=file.dataset_kwargs or {},
            file=self.document.path,
            reach=self.reach,
            span=self.document.span(("dataset_kwargs" if file.dataset_kwargs else "dataset_path",)),
        )

    def split(self, file: TaskFileFormat) -> str:
        split = file.test_split or file.validation_split
        if split is None:
            self.problem((), "a task needs a 'test_split' or a 'validation_split'")
        return split or ""

    def wording(self, file: TaskFileFormat, kind: Kind) -> Wording:
        for key in WORDING_KINDS if kind == "multiple_choice" else ("doc_to_text", "doc_to_target"):
            if getattr(file, key) is None and self.document.values.get((key,)) not in self.tagged:
                self.problem((key,), f"a task of this kind needs '{key}'")
        self.check_wording((), file)
        choice = _as_list(file.doc_to_choice)
        return Wording(file.doc_to_text, file.doc_to_target, choice, file.gen_prefix, file.target_delimiter)

    def check_wording(self, at: Place, part: TaskFileFormat | FewshotFormat) -> None:
        for key, (kinds, words) in WORDING_KINDS.items():
            value = getattr(part, key)
            if key == "doc_to_text" and isinstance(value, int):
                self.problem((*at, key), f"a number as '{key}' puts the choices into the prompt; a suite's choices come after it")  # fmt: skip
            elif not isinstance(value, kinds) or isinstance(value, bool):
                self.problem((*at, key), f"'{key}' must be {words}, saw {describe(value)}")

    def shots(self, file: TaskFileFormat) -> Shots:
        config, at = file.fewshot_config or FewshotFormat(), ("fewshot_config",)
        self.check_unsupported(at, vars(config), UNSUPPORTED_SHOTS)
        self.check_wording(at, config)
        own = config.split if "split" in config.model_fields_set else file.fewshot_split
        samples = tuple(config.samples) if config.samples and own is None else None
        fallback = file.training_split or file.validation_split or file.test_split

        def first(key: str) -> Any:
            """The value in `fewshot_config`, even null, else that of the task."""
            return getattr(config if key in config.model_fields_set else file, key)

        return Shots(
            n=(file.num_fewshot or 0) if self.num_fewshot is None else self.num_fewshot,
            sampler=config.sampler,
            wording=Wording(
                text=config.doc_to_text if config.doc_to_text is not None else file.doc_to_text,
                target=config.doc_to_target if config.doc_to_target is not None else file.doc_to_target,
                choice=_as_list(first("doc_to_choice")),
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
        names = [metric.metric for metric in listed]
        wanted = self.metric_wanted or next((name for name in names if name in known), names[0])
        if wanted not in names:
            self.problem(("metric_list",), f"the task has no metric '{wanted}'; it has: {', '.join(names)}")
            return Metric(wanted)
        metric, at = listed[names.index(wanted)], ("metric_list", names.index(wanted))
        if wanted not in known:
            self.problem(
                (*at, "metric"), f"the metric '{wanted}' of a {kind} task is not supported; supported: {', '.join(known)}"
            )  # fmt: skip
            return Metric(wanted)
        if others := [name for name in names if name != wanted]:
            self.notes.append(
                f"scored by '{wanted}'; left out: {', '.join(others)} (choose with {option('metric')})"
            )
        if metric.aggregation not in (None, "mean"):
            self.problem((*at, "aggregation"), "a gate compares shares of right answers, which is 'aggregation: mean'")  # fmt: skip
        for key in (metric.model_extra or {}) if kind == "generate_until" else ():  # ignored for choices
            self.problem((*at, key), f"'{key}' of the metric '{wanted}' is not supported")
        return Metric(wanted, metric.ignore_case, metric.ignore_punctuation, metric.ignore_numbers,
                      strip=self.strips(file, kind))  # fmt: skip

    def strips(self, file: TaskFileFormat, kind: Kind) -> bool:
        """Whether the filter strips white space off an answer before it is scored."""
        filters = file.filter_list or []
        if len(filters) > 1:
            self.problem(("filter_list", 1), "a second filter scores each answer again; a suite scores it once")  # fmt: skip
        supported = ["take_first", *(["remove_whitespace"] if kind == "generate_until" else [])]
        steps = [step.function for step in filters[0].filter] if filters else []
        for index, step in enumerate(steps):
            if step not in supported:
                place = ("filter_list", 0, "filter", index, "function")
                self.problem(place, f"the filter '{step}' is not supported; supported: {', '.join(supported)}")  # fmt: skip
        return "remove_whitespace" in steps

    def max_new_tokens(self, given: GenerationFormat) -> int:
        for key in given.model_extra or {}:
            self.problem(("generation_kwargs", key), f"'{key}' is not supported: decoding is greedy")
        if given.do_sample or (given.do_sample is None and (given.temperature or 0) > 0):
            self.problem(
                ("generation_kwargs", "do_sample" if given.do_sample else "temperature"),
                "sampled answers differ from run to run, so they cannot be compared",
                "write 'do_sample: false'",
            )
        return next((n for key in TOKEN_KEYS if (n := getattr(given, key)) is not None), DEFAULT_NEW_TOKENS)

    def stop(self, file: TaskFileFormat) -> tuple[str, ...]:
        given = file.generation_kwargs
        until = given.until if given and "until" in given.model_fields_set else file.fewshot_delimiter
        stops = dict.fromkeys([until] if isinstance(until, str) and until else until or ())
        if special := [stop for stop in stops if stop.startswith("<") and stop.endswith(">")]:
            self.notes.append(
                f"the stop text {special[0]!r} looks like a special token; unless it is the model's own end of text, "
                "lm-evaluation-harness's answer depends on its batches"
            )
        return tuple(stops)


def _as_list(choice: Any) -> Any:
    """The choices of a mapping as a list."""
    return list(choice.values()) if isinstance(choice, dict) else choice
