"""The shape of a task file of lm-evaluation-harness: one class for each part of the file."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from harness.documents.validate import Part, Shape, Text


class MetricFormat(Shape):
    """An entry of `metric_list`; other keys are arguments of the metric."""

    model_config = ConfigDict(extra="allow")

    metric: Text
    aggregation: Any = None
    higher_is_better: bool | None = None
    hf_evaluate: bool = False
    ignore_case: bool = False
    ignore_punctuation: bool = False
    ignore_numbers: bool = False


class StepFormat(Shape):
    """A step of a filter."""

    model_config = ConfigDict(extra="allow")

    function: Text


class FilterFormat(Shape):
    """An entry of `filter_list`."""

    name: Any = None
    filter: list[StepFormat] = Field(min_length=1)


class GenerationFormat(Shape):
    """`generation_kwargs`; other keys are arguments of the model's `generate`."""

    model_config = ConfigDict(extra="allow")

    until: Text | list[Text] | None = None
    do_sample: bool | None = None
    temperature: float | None = None
    top_p: Any = None
    top_k: Any = None
    max_gen_toks: int | None = Field(None, ge=1)
    max_new_tokens: int | None = Field(None, ge=1)
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)


class FewshotFormat(Shape):
    """`fewshot_config`: the source of shots, and how their wording differs from that of questions."""

    sampler: Literal["first_n", "default"] = "default"
    split: Text | None = None
    samples: list[dict[str, Any]] | None = Field(None, min_length=1)
    process_docs: Any = None
    fewshot_indices: Any = None
    doc_to_text: Any = None
    doc_to_target: Any = None
    doc_to_choice: Any = None
    gen_prefix: str | None = None
    target_delimiter: str | None = None
    fewshot_delimiter: str | None = None


class TaskFileFormat(Shape):
    """A task file, including keys without effect here and keys that cannot be imported."""

    task: Text
    group: Any = None
    task_list: Any = None
    task_alias: Any = None
    tag: Any = None
    include: Any = None
    output_type: Literal["multiple_choice", "generate_until"] = "generate_until"
    dataset_path: Text | None = None
    dataset_name: str | None = None
    dataset_kwargs: dict[str, Any] | None = None
    training_split: Text | None = None
    validation_split: Text | None = None
    test_split: Text | None = None
    fewshot_split: Text | None = None
    description: str | None = None
    doc_to_text: Any = None
    doc_to_target: Any = None
    doc_to_choice: Any = None
    gen_prefix: str | None = None
    target_delimiter: str = " "
    fewshot_delimiter: str = "\n\n"
    num_fewshot: int | None = Field(None, ge=0)
    fewshot_config: FewshotFormat | None = None
    generation_kwargs: GenerationFormat | None = None
    metric_list: list[MetricFormat] | None = Field(None, min_length=1)
    filter_list: list[FilterFormat] | None = Field(None, min_length=1)
    repeats: Literal[1] = 1
    should_decontaminate: Any = None
    doc_to_decontamination_query: Any = None
    unsafe_code: Any = None
    metadata: Any = None
    class_: Any = Field(None, alias="class")
    custom_dataset: Any = None
    process_docs: Any = None
    process_results: Any = None
    doc_to_image: Any = None
    doc_to_audio: Any = None
    use_prompt: Any = None


PARTS = {
    "": Part("a task", TaskFileFormat),
    "fewshot_config": Part("'fewshot_config'", FewshotFormat),
    "generation_kwargs": Part("'generation_kwargs'", GenerationFormat),
    "metric_list": Part("a metric", MetricFormat),
    "filter_list": Part("a filter", FilterFormat),
    "filter": Part("a step of a filter", StepFormat),
    "samples": Part("a sample"),
    "until": Part("a stop text"),
}
