"""Arguments of an engine: as a command line writes them, and against what the engine takes."""

from __future__ import annotations

import pytest

from harness.engine.engine_args import engine_args, engine_args_of, read_engine_args
from harness.errors import HarnessError, ModelError


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ([], {}),
        (["max_model_len=4096"], {"max_model_len": 4096}),
        (["--max-model-len=4096"], {"max_model_len": 4096}),
        (["distributed_executor_backend=ray", "gpu_memory_utilization=0.5"], {"distributed_executor_backend": "ray", "gpu_memory_utilization": 0.5}),
        (["enforce_eager=true", "a=True", "b=None", "c="], {"enforce_eager": True, "a": True, "b": None, "c": ""}),
        (['{"tensor_parallel_size": 2, "hf_overrides": {"a": [1]}}', "x=1"], {"tensor_parallel_size": 2, "hf_overrides": {"a": [1]}, "x": 1}),
        (['hf_overrides={"a": 1}'], {"hf_overrides": {"a": 1}}),
        (["a=b=c"], {"a": "b=c"}),
    ],
)  # fmt: skip
def test_what_is_written(written, values):
    given = read_engine_args(written)
    assert engine_args(given, values.keys(), "vllm") == values
    assert given == engine_args_of(values)
    hash(given)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            ["x"],
            "engine_args must be KEY=VALUE or a JSON object, saw 'x'\n  as in: engine_args='max_model_len=4096'",
        ),
        (["=1"], "engine_args must be KEY=VALUE or a JSON object, saw '=1'"),
        (["a b=1"], "engine_args must be KEY=VALUE or a JSON object, saw 'a b=1'"),
        (["x=1", "x=2"], "engine_args gives 'x' twice"),
        (["x=1", '{"x": 2}'], "engine_args gives 'x' twice"),
        (["{x: 1}"], "engine_args: '{x: 1}' is no JSON object: "),
        (["{" * 100_000], "engine_args: '{{{"),
        (["x=NaN"], "engine_args: values must be text, numbers, "),
    ],
)
def test_what_cannot_be_read(written, said):
    with pytest.raises(HarnessError) as error:
        read_engine_args(written)
    assert str(error.value).startswith(said)


def test_values_that_are_no_json():
    with pytest.raises(
        HarnessError, match="values must be text, numbers, true, false, null, lists or objects"
    ):
        engine_args_of({"x": object()})


def test_an_argument_that_the_engine_does_not_take():
    with pytest.raises(ModelError) as error:
        engine_args((("max_model_length", "1"),), {"max_model_len", "seed"}, "vllm")
    assert str(error.value) == (
        "engine_args='max_model_length': vllm takes no such argument\n  did you mean 'max_model_len'?"
    )
    with pytest.raises(ModelError, match="\n  it takes none"):
        engine_args((("x", "1"),), (), "it")
