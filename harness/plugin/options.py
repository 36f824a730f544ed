"""pytest's command line in, RunOptions out; what each option is, for `names` to register."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.errors import did_you_mean

SEVERITIES = ("critical", "high", "medium", "low")


@dataclass(frozen=True)
class RunOptions:
    """What the command line says of a run."""

    model: str | None
    baseline: str | None
    device: str
    dtype: str
    batch_tokens: int | None
    template: str
    strict: bool
    fail_on: str
    report: Path
    suites: tuple[str, ...]
    sample: int | None
    sample_seed: int
    allow_pickle: bool
    allow_remote_code: bool
    allow_code: bool
    allow_keys: tuple[str, ...]
    allow_conversion: bool
    allow_outside: bool
    template_arguments: tuple[str, ...]
    """`KEY=VALUE`, as they were written."""
    thinking_tokens: int | None
    paths: frozenset[Path]
    """The files and folders that the command line (or pytest's `testpaths`) names, absolute."""

    @classmethod
    def of(cls, config: pytest.Config) -> RunOptions:
        """The options of a run."""
        option = config.option
        return cls(
            model=option.forgetting_model,
            baseline=option.forgetting_baseline,
            device=option.forgetting_device,
            dtype=option.forgetting_dtype,
            batch_tokens=option.forgetting_batch_tokens,
            template=option.forgetting_template,
            # pytest itself has a `--strict` since 9.0, which it keeps as an override of the ini option of that name;
            # strict runs are strict about verdicts too. An ini file that says `strict = true` is not meant.
            strict=option.forgetting_strict or "strict=true" in (option.override_ini or []),
            fail_on=option.forgetting_fail_on,
            report=Path(option.forgetting_report),
            suites=tuple(option.forgetting_suite or ()),
            sample=option.forgetting_sample,
            sample_seed=option.forgetting_sample_seed,
            allow_pickle=option.forgetting_allow_pickle,
            allow_remote_code=option.forgetting_allow_remote_code,
            allow_code=option.forgetting_allow_code,
            allow_keys=tuple(option.forgetting_allow_key or ()),
            allow_conversion=option.forgetting_allow_conversion,
            allow_outside=option.forgetting_allow_outside,
            template_arguments=tuple(option.forgetting_template_arg or ()),
            thinking_tokens=option.forgetting_thinking_tokens,
            # Not Session.isinitpath, which forgets a file that is named beside its folder.
            paths=frozenset(_path_of(argument, config.invocation_params.dir) for argument in config.args),
        )

    @property
    def names_a_model(self) -> bool:
        """Whether the run is meant to gate something."""
        return self.model is not None or self.baseline is not None


def _path_of(argument: str, folder: Path) -> Path:
    """The whole path in `FILE::NAME[PARAMETERS]`; links are not followed, as pytest follows none."""
    return Path(os.path.normpath(folder / argument.partition("[")[0].partition("::")[0]))


class _OneOf:
    """A type for argparse that says what was seen and what is near."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def __call__(self, value: str) -> str:
        if value in self.names:
            return value
        near = did_you_mean(value, self.names)
        raise argparse.ArgumentTypeError(
            f"must be one of {', '.join(self.names)}, saw {value!r}" + (f"; {near}" if near else "")
        )


def _positive(value: str) -> int:
    if not value.isdecimal() or int(value) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, saw {value!r}")
    return int(value)


@dataclass(frozen=True)
class Option:
    """What argparse knows of an option, but for the names under which it is written."""

    name: str
    help: str
    keywords: Mapping[str, Any]

    @property
    def names(self) -> Sequence[str]:
        """The names to write it by, where they are free; `--strict` is pytest's own, which a run minds too."""
        return [f"--gate-{self.name}"] if self.name == "strict" else [f"--{self.name}", f"--gate-{self.name}"]

    @property
    def dest(self) -> str:
        """Where its value is found in `config.option`."""
        return "forgetting_" + self.name.replace("-", "_")

    @property
    def takes_a_value(self) -> bool:
        """Whether another argument may follow it."""
        return self.keywords.get("action") != "store_true"


OPTIONS: Sequence[Option] = (
    Option(
        "model",
        "the tuned model: a folder with a model or a PEFT adapter, a hub id (org/name@revision), 'embedded', "
        "or a fixture file (fixtures/lora.yaml), which is trained first",
        {"metavar": "REF"},
    ),
    Option(
        "baseline",
        "the model before tuning; found from the adapter, the model card or the fixture if not given; 'same' holds "
        "a model against itself on purpose",
        {"metavar": "REF"},
    ),
    Option(
        "device",
        "where the models run: auto (CUDA if there is one), cpu, cuda, cuda:1, mps",
        {"default": "auto", "metavar": "DEVICE"},
    ),
    Option(
        "dtype",
        "auto (float32 on a CPU, else what the weights are saved in), float32, bfloat16 or float16",
        {"default": "auto", "type": _OneOf("auto", "float32", "bfloat16", "float16"), "metavar": "DTYPE"},
    ),
    Option(
        "batch-tokens",
        "tokens in a batch, padding and answers included (8192 on a CPU, 65536 on a GPU)",
        {"type": _positive, "metavar": "N"},
    ),
    Option(
        "template",
        "whose tokenizer and chat template both models are asked through: own (each its own), baseline or tuned",
        {"default": "own", "type": _OneOf("own", "baseline", "tuned"), "metavar": "SIDE"},
    ),
    Option(
        "strict",
        "an inconclusive gate fails, as with pytest's own --strict, which makes pytest strict as well",
        {"action": "store_true"},
    ),
    Option(
        "fail-on",
        "the least severity that fails the run: low (all, the default), medium, high or critical; "
        "below it, a failed gate is a warning",
        {"default": "low", "type": _OneOf(*SEVERITIES), "metavar": "SEVERITY"},
    ),
    Option(
        "suite",
        "only the suite of this name; may be given again",
        {"action": "append", "metavar": "NAME"},
    ),
    Option(
        "sample",
        "ask only N probes of the suites that are gated by statistics, each suite and category with its share",
        {"type": _positive, "metavar": "N"},
    ),
    Option(
        "sample-seed",
        "what the sample depends on (0)",
        {"type": int, "default": 0, "metavar": "SEED"},
    ),
    Option(
        "report",
        "where record.json is written (reports/latest)",
        {"default": "reports/latest", "metavar": "DIR"},
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
        "allow-code",
        "run code that a model wrote, for suites with the score 'python'; it runs confined, on Linux alone: no "
        "network, no other process, no file but its own",
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
    Option(
        "allow-outside",
        "read files that a suite names outside its folder",
        {"action": "store_true"},
    ),
    Option(
        "template-arg",
        "an argument of the chat template, such as enable_thinking=false; may be given again",
        {"action": "append", "metavar": "KEY=VALUE"},
    ),
    Option(
        "thinking-tokens",
        "the most tokens of reasoning before an answer, in addition to the answer's own",
        {"type": _positive, "metavar": "N"},
    ),
)
