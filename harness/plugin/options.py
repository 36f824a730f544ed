"""pytest's command line in, RunOptions out."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

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
    paths: frozenset[Path]
    """The files and folders that the command line (or pytest's `testpaths`) names, absolute."""

    @classmethod
    def of(cls, config: pytest.Config) -> RunOptions:
        """The options of a run."""
        option = config.option
        return cls(
            model=option.gate_model,
            baseline=option.gate_baseline,
            device=option.gate_device,
            dtype=option.gate_dtype,
            batch_tokens=option.gate_batch_tokens,
            template=option.gate_template,
            # pytest itself has a `--strict` since 9.0, which it keeps as an override of the ini option of that name;
            # strict runs are strict about verdicts too. An ini file that says `strict = true` is not meant.
            strict="strict=true" in (option.override_ini or []),
            fail_on=option.gate_fail_on,
            report=Path(option.gate_report),
            suites=tuple(option.gate_suites or ()),
            sample=option.gate_sample,
            sample_seed=option.gate_sample_seed,
            allow_pickle=option.gate_allow_pickle,
            allow_remote_code=option.gate_allow_remote_code,
            allow_code=option.gate_allow_code,
            allow_keys=tuple(option.gate_allow_keys or ()),
            allow_conversion=option.gate_allow_conversion,
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


def add_options(parser: pytest.Parser) -> None:
    """The options of the gate, in a group of their own."""
    group = parser.getgroup("forgetting", "forgetting gate")
    group.addoption(
        "--model", dest="gate_model", metavar="REF",
        help="the tuned model: a folder with a model or a PEFT adapter, a hub id (org/name@revision), 'embedded', "
        "or a fixture file (fixtures/lora.yaml), which is trained first",
    )  # fmt: skip
    group.addoption(
        "--baseline", dest="gate_baseline", metavar="REF",
        help="the model before tuning; found from the adapter, the model card or the fixture if not given; 'same' holds "
        "a model against itself on purpose",
    )  # fmt: skip
    group.addoption(
        "--device", dest="gate_device", default="auto", metavar="DEVICE",
        help="where the models run: auto (CUDA if there is one), cpu, cuda, cuda:1, mps",
    )  # fmt: skip
    group.addoption(
        "--dtype", dest="gate_dtype", default="auto", type=_OneOf("auto", "float32", "bfloat16", "float16"),
        metavar="DTYPE",
        help="auto (float32 on a CPU, else what the weights are saved in), float32, bfloat16 or float16",
    )  # fmt: skip
    group.addoption(
        "--batch-tokens", dest="gate_batch_tokens", type=_positive, metavar="N",
        help="tokens in a batch, padding and answers included (8192 on a CPU, 65536 on a GPU)",
    )  # fmt: skip
    group.addoption(
        "--template", dest="gate_template", default="own", type=_OneOf("own", "baseline", "tuned"),
        metavar="SIDE",
        help="whose tokenizer and chat template both models are asked through: own (each its own), baseline or tuned",
    )  # fmt: skip
    group.addoption(
        "--fail-on", dest="gate_fail_on", default="low", type=_OneOf(*SEVERITIES), metavar="SEVERITY",
        help="the least severity that fails the run: low (all, the default), medium, high or critical; "
        "below it, a failed gate is a warning",
    )  # fmt: skip
    group.addoption(
        "--suite", dest="gate_suites", action="append", metavar="NAME",
        help="only the suite of this name; may be given again",
    )  # fmt: skip
    group.addoption(
        "--sample", dest="gate_sample", type=_positive, metavar="N",
        help="ask only N probes of the suites that are gated by statistics, each suite and category with its share",
    )  # fmt: skip
    group.addoption(
        "--sample-seed", dest="gate_sample_seed", type=int, default=0, metavar="SEED",
        help="what the sample depends on (0)",
    )  # fmt: skip
    group.addoption(
        "--report", dest="gate_report", default="reports/latest", metavar="DIR",
        help="where record.json is written (reports/latest)",
    )  # fmt: skip
    group.addoption(
        "--allow-pickle", dest="gate_allow_pickle", action="store_true",
        help="read weights that are not safetensors; a pickle can run code",
    )  # fmt: skip
    group.addoption(
        "--allow-remote-code", dest="gate_allow_remote_code", action="store_true",
        help="run Python code that comes with a model",
    )  # fmt: skip
    group.addoption(
        "--allow-code", dest="gate_allow_code", action="store_true",
        help="run code that a model wrote, for suites with the score 'python'; its time and memory are bounded, but "
        "that is no security boundary",
    )  # fmt: skip
    group.addoption(
        "--allow-key", dest="gate_allow_keys", action="append", metavar="KEY",
        help="leave out a key of adapter_config.json that the installed peft does not know; may be given again",
    )  # fmt: skip
    group.addoption(
        "--allow-conversion", dest="gate_allow_conversion", action="store_true",
        help="gate a tuned model whose weights are the baseline's, but for the rounding of a smaller float",
    )  # fmt: skip


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
