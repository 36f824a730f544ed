"""How models run: Settings, and the two ways to write them: options of a command line, and keyword arguments in Python."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any, Literal, TypedDict, get_args, get_type_hints

from harness.command_line import OneOf, count, text
from harness.errors import EngineError, HarnessError, did_you_mean
from harness.models.allowed import Allowed
from harness.spelling import option

if TYPE_CHECKING:
    from harness.suites.arguments import Arguments

OFF = "off"
"""The `store` of a run that keeps no answers."""

Template = Literal["own", "baseline", "tuned"]
Dtype = Literal["auto", "float32", "bfloat16", "float16"]
LocalEngine = Literal["auto", "transformers", "vllm"]


@dataclass(frozen=True)
class Settings:
    """Where and how models run.

    Attributes:
        device: "auto" (the GPU that torch finds, else the CPU) or a torch device such as "cuda:1".
        dtype: "auto" is float32 on a CPU, and on a GPU the dtype of the saved weights if it computes in that.
        batch_tokens: the tokens a batch may hold, padding and answers included; None chooses by device.
        template: whose tokenizer and chat template both models are asked through; "own" leaves each its own.
        allow_remote_code: run Python code that comes with a model.
        allow_pickle: read weights that are not safetensors; a pickle can run code.
        allow_keys: keys of adapter_config.json to ignore where the installed peft does not know them.
        template_arguments: arguments of chat templates, which override those of suites.
        thinking_tokens: the most tokens of reasoning before an answer, in addition to the answer's own; overrides suites.
        store: the file that keeps answers, "off" for none; None for the one in the cache folder.
        allow_conversion: gate a tuned model whose weights equal the baseline's up to the rounding of a smaller float.
        engine: what runs models on this disk; "auto" is transformers.
        engine_args: arguments of the engine itself, such as vLLM's `tensor_parallel_size`.
    """

    device: str = "auto"
    dtype: Dtype = "auto"
    batch_tokens: int | None = None
    template: Template = "own"
    allow_remote_code: bool = False
    allow_pickle: bool = False
    allow_keys: tuple[str, ...] = ()
    allow_conversion: bool = False
    template_arguments: Arguments = ()
    thinking_tokens: int | None = None
    store: str | None = None
    engine: LocalEngine = "auto"
    engine_args: Arguments = ()

    def dtype_on(self, device: str) -> str:
        """The dtype that is wanted on a device of this type; "auto" only where the weights decide."""
        return "float32" if self.dtype == "auto" and device == "cpu" else self.dtype

    @property
    def allowed(self) -> Allowed:
        """What of a model's files that can run code may be read."""
        return Allowed(pickle=self.allow_pickle, code=self.allow_remote_code)


# The command line


@dataclass(frozen=True)
class Option:
    """An option of argparse; its name is without leading dashes."""

    name: str
    help: str
    keywords: Mapping[str, Any] = field(default_factory=lambda: {"action": "store_true"})

    @property
    def key(self) -> str:
        """The attribute that argparse stores its value in."""
        return self.name.replace("-", "_")


TEMPLATE = Option(
    "template",
    "whose tokenizer and chat template both models are asked through: own (each its own), baseline or tuned",
    {"default": "own", "type": OneOf(*get_args(Template)), "metavar": "SIDE"},
)
"""Left out where only one model is asked."""

ENGINE_OPTIONS: Sequence[Option] = (
    Option(
        "device",
        "where the models run: auto (the GPU that torch finds, else the CPU), cpu, cuda, cuda:1, mps, xpu",
        {"default": "auto", "type": text, "metavar": "DEVICE"},
    ),
    Option(
        "dtype",
        "auto (float32 on a CPU, else the dtype of the saved weights), float32, bfloat16 or float16",
        {"default": "auto", "type": OneOf(*get_args(Dtype)), "metavar": "DTYPE"},
    ),
    Option(
        "batch-tokens",
        "tokens in a batch, padding and answers included (12288 on a CPU, 65536 on a GPU)",
        {"type": count, "metavar": "N"},
    ),
    Option(
        "engine",
        "what runs models on this disk: transformers (as auto), or vllm; a server or a GGUF file has an engine of its own",
        {"default": "auto", "type": OneOf(*get_args(LocalEngine)), "metavar": "ENGINE"},
    ),
    Option(
        "engine-args",
        "an argument of the engine itself, such as max_model_len=4096 for vllm, or a JSON object of several; may be repeated",
        {"action": "append", "metavar": "KEY=VALUE"},
    ),
    TEMPLATE,
    Option(
        "template-arg",
        "an argument of the chat template, such as enable_thinking=false; may be repeated",
        {"action": "append", "metavar": "KEY=VALUE"},
    ),
    Option(
        "thinking-tokens",
        "the most tokens of reasoning before an answer, in addition to the answer's own",
        {"type": count, "metavar": "N"},
    ),
    Option(
        "store",
        "the file that keeps answers, so that no model is asked the same again; 'off' for none (by default answers.db in "
        "the cache folder)",
        {"type": text, "metavar": "FILE"},
    ),
    Option("no-store", "keep no answers, and use none that were kept"),
    Option("allow-pickle", "read weights that are not safetensors; a pickle can run code"),
    Option("allow-remote-code", "run Python code that comes with a model"),
    Option(
        "allow-key",
        "ignore a key of adapter_config.json that the installed peft does not know; may be repeated",
        {"action": "append", "type": text, "metavar": "KEY"},
    ),
    Option(
        "allow-conversion",
        "gate a tuned model whose weights equal the baseline's up to the rounding of a smaller float",
    ),
)


def add_engine_options(parser: ArgumentParser, template: bool = True) -> None:
    """Give a command the options of its models.

    Args:
        template: whether it asks two models, which can then share the template of one.
    """
    for each in ENGINE_OPTIONS:
        if template or each is not TEMPLATE:
            parser.add_argument(f"--{each.name}", help=each.help, **each.keywords)


def settings_of(values: Mapping[str, Any]) -> Settings:
    """The Settings of a command line; `values` holds each engine option under its key.

    Raises:
        HarnessError: an argument of the chat template or of the engine cannot be used.
    """
    from harness.engine.engine_args import read_engine_args
    from harness.suites.arguments import read_arguments  # loads a YAML reader, which --help can do without

    given = {each.key: values[each.key] for each in ENGINE_OPTIONS if each.key in values}
    given["allow_keys"] = tuple(given.pop("allow_key") or ())
    if given.pop("no_store"):
        given["store"] = OFF
    given["template_arguments"] = read_arguments(given.pop("template_arg") or ())
    given["engine_args"] = read_engine_args(given.pop("engine_args") or ())
    return Settings(**given)


# Python


class EngineOptions(TypedDict, total=False):
    """Keyword arguments for how a model runs, each as in `Settings`, whose defaults apply.

    `allow_keys` is any collection of names, `template_arguments` a dict such as {"enable_thinking": False}, and `engine_args` one
    such as {"tensor_parallel_size": 2}.
    """

    device: str
    dtype: Dtype
    batch_tokens: int | None
    allow_remote_code: bool
    allow_pickle: bool
    allow_keys: Sequence[str]
    template_arguments: Mapping[str, Any] | None
    thinking_tokens: int | None
    store: str | None
    engine: LocalEngine
    engine_args: Mapping[str, Any] | None


class PairOptions(EngineOptions, total=False):
    """The same for two models of which one was tuned from the other."""

    template: Template
    allow_conversion: bool


OF_LOADING = (
    "device", "dtype", "batch_tokens", "template", "allow_remote_code", "allow_pickle", "allow_keys", "allow_conversion", "store",
    "engine", "engine_args",
)  # fmt: skip
"""The keyword arguments that act when a model is loaded; the others act on its chat template, when it is asked."""


def changed(settings: Settings, names: Iterable[str]) -> str:
    """Those of the keyword arguments that are not as by default, as marks of options; empty for none."""
    plain, marks = Settings(), {"allow_keys": "allow_key", "template_arguments": "template_arg"}
    given = (name for name in names if getattr(settings, name) != getattr(plain, name))
    return ", ".join(option(marks.get(name, name)) for name in given)


def check_idle(settings: Settings, names: Iterable[str], why: str) -> None:
    """Refuse settings where they would have no effect; raises EngineError."""
    if idle := changed(settings, names):
        raise EngineError(
            f"{idle}: would do nothing here, for {why}\n  leave that out, or name the model by its reference"
        )


def settings_of_keywords(
    options: EngineOptions, function: Callable[..., Any], of: type[EngineOptions] = EngineOptions
) -> Settings:
    """The Settings that keyword arguments ask for.

    Args:
        function: the function that received them; a misspelled name may be meant for one of its own parameters.
        of: those that it takes.

    Raises:
        TypeError: there is no such option.
        HarnessError: an option has a value of the wrong kind.
    """
    from harness.documents.validate import describe
    from harness.engine.engine_args import engine_args_of
    from harness.suites.arguments import checked_arguments

    given: dict[str, Any] = dict(options)
    kinds = get_type_hints(of)
    for name, value in given.items():
        if name not in kinds:
            raise TypeError(_no_such(name, function, kinds))
        fits, expected = _EXPECTED[kinds[name]]
        if not fits(value):
            words = [word for word in get_args(kinds[name]) if isinstance(word, str)]
            near = did_you_mean(value, words) if isinstance(value, str) else None
            hint = f"\n  {near}" if near else ""
            raise HarnessError(f"{name} must be {expected}, saw {describe(value):.80}{hint}")
    given["allow_keys"] = tuple(given.get("allow_keys", ()))
    given["template_arguments"] = checked_arguments(given.get("template_arguments") or {})
    given["engine_args"] = engine_args_of(given.get("engine_args") or {})
    return Settings(**given)


def _no_such(name: str, function: Callable[..., Any], options: Iterable[str]) -> str:
    parameters = signature(function).parameters.values()
    own = [parameter.name for parameter in parameters if parameter.kind != Parameter.VAR_KEYWORD]
    near = did_you_mean(name, [*own, *options])
    hint = f"; {near}" if near else ""
    return f"{function.__name__}() got an unexpected keyword argument {name!r}{hint}"


def _are_names(value: Any) -> bool:
    return isinstance(value, list | tuple | set | frozenset) and all(isinstance(name, str) for name in value)


_EXPECTED: Mapping[Any, tuple[Callable[[Any], bool], str]] = {
    str: (lambda value: isinstance(value, str), "text such as 'auto' or 'cuda:1'"),
    Dtype: (lambda value: value in get_args(Dtype), "auto, float32, bfloat16 or float16"),
    Template: (lambda value: value in get_args(Template), "own, baseline or tuned"),
    LocalEngine: (lambda value: value in get_args(LocalEngine), "auto, transformers or vllm"),
    bool: (lambda value: isinstance(value, bool), "True or False"),
    str | None: (
        lambda value: value is None or (isinstance(value, str) and value != ""),
        "the path of a file, 'off', or None for the file in the cache folder",
    ),
    int | None: (
        lambda value: value is None or (type(value) is int and value > 0),
        "a whole number of at least 1",
    ),
    Sequence[str]: (_are_names, "a list of keys"),
    Mapping[str, Any] | None: (
        lambda value: value is None or (isinstance(value, Mapping) and _are_names(list(value))),
        "a dict by name",
    ),
}
"""Of each kind of keyword argument, whether a value fits and the words for one that does."""
