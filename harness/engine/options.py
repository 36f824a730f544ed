"""The options that decide how models run, for pytest and every command alike; their values in, Settings out."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from harness.command_line import OneOf, count
from harness.engine.settings import Dtype, Settings, Template


@dataclass(frozen=True)
class Option:
    """What argparse knows of an option; its name is without dashes in front."""

    name: str
    help: str
    keywords: Mapping[str, Any]

    @property
    def key(self) -> str:
        """Where argparse puts its value."""
        return self.name.replace("-", "_")


TEMPLATE = Option(
    "template",
    "whose tokenizer and chat template both models are asked through: own (each its own), baseline or tuned",
    {"default": "own", "type": OneOf(*get_args(Template)), "metavar": "SIDE"},
)
"""Says nothing where one model is asked."""

ENGINE_OPTIONS: Sequence[Option] = (
    Option(
        "device",
        "where the models run: auto (CUDA if there is one), cpu, cuda, cuda:1, mps",
        {"default": "auto", "metavar": "DEVICE"},
    ),
    Option(
        "dtype",
        "auto (float32 on a CPU, else what the weights are saved in), float32, bfloat16 or float16",
        {"default": "auto", "type": OneOf(*get_args(Dtype)), "metavar": "DTYPE"},
    ),
    Option(
        "batch-tokens",
        "tokens in a batch, padding and answers included (8192 on a CPU, 65536 on a GPU)",
        {"type": count, "metavar": "N"},
    ),
    TEMPLATE,
    Option(
        "template-arg",
        "an argument of the chat template, such as enable_thinking=false; may be given again",
        {"action": "append", "metavar": "KEY=VALUE"},
    ),
    Option(
        "thinking-tokens",
        "the most tokens of reasoning before an answer, in addition to the answer's own",
        {"type": count, "metavar": "N"},
    ),
    Option(
        "allow-pickle",
        "read weights that are not safetensors; a pickle can run code",
        {"action": "store_true"},
    ),
    Option(
        "allow-remote-code",
        "run Python code that comes with a model",
        {"action": "store_true"},
    ),
    Option(
        "allow-key",
        "leave out a key of adapter_config.json that the installed peft does not know; may be given again",
        {"action": "append", "metavar": "KEY"},
    ),
    Option(
        "allow-conversion",
        "gate a tuned model whose weights are the baseline's, but for the rounding of a smaller float",
        {"action": "store_true"},
    ),
)


def add_engine_options(parser: ArgumentParser, template: bool = True) -> None:
    """Give a command the options of its models.

    Args:
        template: whether it asks two models, each of which might go through the template of the other.
    """
    for option in ENGINE_OPTIONS:
        if template or option is not TEMPLATE:
            parser.add_argument(f"--{option.name}", help=option.help, **option.keywords)


def settings_of(values: Mapping[str, Any]) -> Settings:
    """How models are to run by the values of the engine options, each under its key.

    Raises:
        HarnessError: an argument of the chat template is none.
    """
    from harness.suites.arguments import read_arguments  # reads YAML, which --help can do without

    return Settings(
        device=values["device"],
        dtype=values["dtype"],
        batch_tokens=values["batch_tokens"],
        template=values.get("template", "own"),
        allow_remote_code=values["allow_remote_code"],
        allow_pickle=values["allow_pickle"],
        allow_keys=tuple(values["allow_key"] or ()),
        allow_conversion=values["allow_conversion"],
        template_arguments=read_arguments(values["template_arg"] or ()),
        thinking_tokens=values["thinking_tokens"],
    )
