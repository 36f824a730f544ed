"""How a model runs, as keyword arguments of Python: each becomes a setting, and what is none is said with what was meant."""

from __future__ import annotations

import re

import pytest

from harness.engine.settings import OF_LOADING, EngineOptions, PairOptions, Settings, settings_of_keywords
from harness.errors import HarnessError


def ask(model: object, score: str = "contains", *, allow_code: bool = False, **options: object) -> Settings:
    return settings_of_keywords(options, ask)  # type: ignore[arg-type]


def test_every_option_becomes_a_setting():
    given = {
        "device": "cpu", "dtype": "bfloat16", "batch_tokens": 9, "allow_remote_code": True, "allow_pickle": True,
        "allow_keys": ["a", "b"], "template_arguments": {"enable_thinking": False}, "thinking_tokens": 7, "store": "answers.db",
        "engine": "vllm", "engine_args": {"max_model_len": 512},
    }  # fmt: skip
    assert given.keys() == EngineOptions.__annotations__.keys()
    of_pairs = {"template": "tuned", "allow_conversion": True}
    assert of_pairs.keys() == PairOptions.__annotations__.keys() - given.keys()
    assert settings_of_keywords(of_pairs, ask, PairOptions) == Settings(**of_pairs)
    settings = ask("m", **given)
    assert settings == Settings(**{
        **given, "allow_keys": ("a", "b"), "template_arguments": (("enable_thinking", "false"),),
        "engine_args": (("max_model_len", "512"),),
    })  # fmt: skip
    assert set(OF_LOADING) < given.keys() | of_pairs.keys()


def test_none_is_as_if_nothing_were_given():
    assert (
        ask("m") == ask("m", batch_tokens=None, thinking_tokens=None, template_arguments=None) == Settings()
    )


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("devise", "; did you mean 'device'?"),
        ("allow_pickles", "; did you mean 'allow_pickle'?"),
        ("allow_key", "; did you mean 'allow_keys'?"),
        ("allow_cod", "; did you mean 'allow_code'?"),
        ("template", "; did you mean 'template_arguments'?"),
        ("options", ""),
        ("xyz", ""),
    ],
)
def test_a_name_that_does_not_exist(name, near):
    said = f"ask() got an unexpected keyword argument '{name}'{near}"
    with pytest.raises(TypeError, match=rf"\A{re.escape(said)}\Z"):
        ask("m", **{name: 1})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("device", 0, "device must be text such as 'auto' or 'cuda:1', saw 0"),
        ("dtype", "flaot32", "dtype must be auto, float32, bfloat16 or float16, saw text 'flaot32'\n  did you mean 'float32'?"),
        ("dtype", None, "dtype must be auto, float32, bfloat16 or float16, saw nothing"),
        ("batch_tokens", 0, "batch_tokens must be a whole number of at least 1, saw 0"),
        ("batch_tokens", True, "batch_tokens must be a whole number of at least 1, saw true"),
        ("thinking_tokens", -1, "thinking_tokens must be a whole number of at least 1, saw -1"),
        ("thinking_tokens", 1.5, "thinking_tokens must be a whole number of at least 1, saw 1.5"),
        ("allow_pickle", "no", "allow_pickle must be True or False, saw text 'no'"),
        ("allow_remote_code", 1, "allow_remote_code must be True or False, saw 1"),
        ("allow_keys", "abc", "allow_keys must be a list of keys, saw text 'abc'"),
        ("allow_keys", [1], "allow_keys must be a list of keys, saw a list"),
        ("template_arguments", "a=1", "template_arguments must be a dict by name, saw text 'a=1'"),
        ("template_arguments", {1: 2}, "template_arguments must be a dict by name, saw a mapping"),
        ("template_arguments", {"messages": 1}, "template_arguments: 'messages' cannot be set"),
    ],
)  # fmt: skip
def test_a_value_that_it_cannot_have(name, value, said):
    with pytest.raises(HarnessError, match=rf"\A{re.escape(said)}"):
        ask("m", **{name: value})
