"""The keyword arguments that say how a model runs, as Python gives them, in; Settings out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter, signature
from typing import Any, TypedDict, get_args

from harness.documents.validate import describe
from harness.engine.settings import Dtype, Settings
from harness.errors import HarnessError, did_you_mean
from harness.suites.arguments import checked_arguments


class EngineOptions(TypedDict, total=False):
    """How a model that a reference names is loaded and asked; what is not given is as `Settings` has it.

    device: "auto" (CUDA, else MPS, else CPU), or a device of torch such as "cuda:1".
    dtype: "auto" (float32 on a CPU, elsewhere what the weights are saved in), "float32", "bfloat16" or "float16".
    batch_tokens: the tokens that a batch may hold, padding and answers included.
    allow_remote_code: run Python code that comes with the model.
    allow_pickle: read weights that are not safetensors; a pickle can run code.
    allow_keys: keys of adapter_config.json that the installed peft does not know and may leave out.
    template_arguments: what the chat template is given, such as {"enable_thinking": False}.
    thinking_tokens: the most tokens of reasoning before an answer, in addition to the answer's own.
    """

    device: str
    dtype: Dtype
    batch_tokens: int | None
    allow_remote_code: bool
    allow_pickle: bool
    allow_keys: Sequence[str]
    template_arguments: Mapping[str, Any] | None
    thinking_tokens: int | None


OF_LOADING = ("device", "dtype", "batch_tokens", "allow_remote_code", "allow_pickle", "allow_keys")
"""The options that act when a model is loaded; the others act when it is asked, through its chat template."""


def settings_of_keywords(options: EngineOptions, function: Callable[..., Any]) -> Settings:
    """The settings that keyword arguments ask for.

    Args:
        function: the one that was given them; a wrong name may be near one of its own.

    Raises:
        TypeError: an option of that name does not exist.
        HarnessError: one has a value that it cannot have.
    """
    given: dict[str, Any] = dict(options)
    for name, value in given.items():
        if name not in EngineOptions.__annotations__:
            raise TypeError(_no_such(name, function))
        fits, expected = _EXPECTED[name]
        if not fits(value):
            near = (
                did_you_mean(value, get_args(Dtype)) if name == "dtype" and isinstance(value, str) else None
            )
            raise HarnessError(
                f"{name} must be {expected}, saw {describe(value):.80}" + (f"\n  {near}" if near else "")
            )
    given["allow_keys"] = tuple(given.get("allow_keys", ()))
    given["template_arguments"] = checked_arguments(given.get("template_arguments") or {})
    return Settings(**given)


def _no_such(name: str, function: Callable[..., Any]) -> str:
    own = (one.name for one in signature(function).parameters.values() if one.kind != Parameter.VAR_KEYWORD)
    near = did_you_mean(name, [*own, *EngineOptions.__annotations__])
    return f"{function.__name__}() got an unexpected keyword argument {name!r}" + (
        f"; {near}" if near else ""
    )


def _is_count(value: Any) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0)


def _are_names(value: Any) -> bool:
    return isinstance(value, list | tuple | set | frozenset) and all(isinstance(name, str) for name in value)


def _has_names(value: Any) -> bool:
    return value is None or (isinstance(value, Mapping) and _are_names(list(value)))


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


_EXPECTED: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "device": (lambda value: isinstance(value, str), "text such as 'auto' or 'cuda:1'"),
    "dtype": (lambda value: value in get_args(Dtype), "auto, float32, bfloat16 or float16"),
    "batch_tokens": (_is_count, "a whole number of at least 1"),
    "allow_remote_code": (_is_flag, "True or False"),
    "allow_pickle": (_is_flag, "True or False"),
    "allow_keys": (_are_names, "a list of keys"),
    "template_arguments": (_has_names, "a dict by name"),
    "thinking_tokens": (_is_count, "a whole number of at least 1"),
}
