"""pytest's command line in, RunOptions out; what each option is, for `names` to register."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.command_line import OneOf, count
from harness.engine.options import ENGINE_OPTIONS, settings_of
from harness.engine.options import Option as EngineOption
from harness.suites.severity import SEVERITIES, Severity

if TYPE_CHECKING:
    from harness.engine.settings import Settings
    from harness.gate.verdict import Policy


@dataclass(frozen=True)
class RunOptions:
    """What the command line says of a run."""

    model: str | None
    baseline: str | None
    engine: Mapping[str, Any]
    """The values of the options that `settings` is made of, as they were written."""
    strict: bool
    fail_on: Severity
    report: Path
    suites: tuple[str, ...]
    sample: int | None
    sample_seed: int
    allow_code: bool
    allow_outside: bool
    paths: frozenset[Path]
    """The files and folders that the command line (or pytest's `testpaths`) names, absolute."""

    @classmethod
    def of(cls, config: pytest.Config) -> RunOptions:
        """The options as they are now; later than that, `options_of` has them."""
        option = config.option
        return cls(
            model=option.forgetting_model,
            baseline=option.forgetting_baseline,
            engine={one.key: getattr(option, one.dest) for one in ENGINE},
            # pytest itself has a `--strict` since 9.0, which it keeps as an override of the ini option of that name;
            # strict runs are strict about verdicts too. An ini file that says `strict = true` is not meant.
            strict=option.forgetting_strict or "strict=true" in (option.override_ini or []),
            fail_on=option.forgetting_fail_on,
            report=Path(option.forgetting_report),
            suites=tuple(option.forgetting_suite or ()),
            sample=option.forgetting_sample,
            sample_seed=option.forgetting_sample_seed,
            allow_code=option.forgetting_allow_code,
            allow_outside=option.forgetting_allow_outside,
            # Not Session.isinitpath, which forgets a file that is named beside its folder.
            paths=frozenset(_path_of(argument, config.invocation_params.dir) for argument in config.args),
        )

    @cached_property
    def settings(self) -> Settings:
        """How models are run; raises HarnessError where an argument of the chat template is none."""
        return settings_of(self.engine)

    @cached_property
    def policy(self) -> Policy:
        """What the run makes of verdicts."""
        from harness.gate.verdict import Policy  # loads scipy, which runs without suites do not need

        return Policy(self.strict, self.fail_on)

    @property
    def names_a_model(self) -> bool:
        """Whether the run is meant to gate something."""
        return self.model is not None or self.baseline is not None


SETTLED: pytest.StashKey[RunOptions] = pytest.StashKey()


def settle(config: pytest.Config) -> RunOptions:
    """Keep the options of a run, once every conftest.py that could change one before the run has had its turn."""
    options = config.stash[SETTLED] = RunOptions.of(config)
    return options


def options_of(config: pytest.Config) -> RunOptions:
    """The options of a run, from when pytest was configured on."""
    return config.stash[SETTLED]


def _path_of(argument: str, folder: Path) -> Path:
    """The whole path in `FILE::NAME[PARAMETERS]`; links are not followed, as pytest follows none."""
    return Path(os.path.normpath(folder / argument.partition("[")[0].partition("::")[0]))


class Option(EngineOption):
    """An option, with the names under which pytest has it."""

    @property
    def names(self) -> Sequence[str]:
        """The names to write it by, where they are free; `--strict` is pytest's own, which a run minds too."""
        return [f"--gate-{self.name}"] if self.name == "strict" else [f"--{self.name}", f"--gate-{self.name}"]

    @property
    def dest(self) -> str:
        """Where its value is found in `config.option`."""
        return f"forgetting_{self.key}"

    @property
    def takes_a_value(self) -> bool:
        """Whether another argument may follow it."""
        return self.keywords.get("action") != "store_true"


ENGINE = tuple(Option(one.name, one.help, one.keywords) for one in ENGINE_OPTIONS)

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
    *ENGINE,
    Option(
        "strict",
        "an inconclusive gate fails, as with pytest's own --strict, which makes pytest strict as well",
        {"action": "store_true"},
    ),
    Option(
        "fail-on",
        "the least severity that fails the run: low (all, the default), medium, high or critical; "
        "below it, a failed gate is a warning",
        {"default": "low", "type": OneOf(*SEVERITIES), "metavar": "SEVERITY"},
    ),
    Option(
        "suite",
        "only the suite of this name; may be given again",
        {"action": "append", "metavar": "NAME"},
    ),
    Option(
        "sample",
        "ask only N probes of the suites that are gated by statistics, each suite and category with its share",
        {"type": count, "metavar": "N"},
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
        "allow-code",
        "run code that a model wrote, for suites with the score 'python'; it runs confined, on Linux alone: no "
        "network, no other process, no file but its own",
        {"action": "store_true"},
    ),
    Option(
        "allow-outside",
        "read files that a suite names outside its folder",
        {"action": "store_true"},
    ),
)
