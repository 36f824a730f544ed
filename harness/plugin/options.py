"""The gate's options of pytest, and RunOptions: their values in one run."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from harness.command_line import OneOf, count, share, share_or_off, whole
from harness.engine.settings import ENGINE_OPTIONS, settings_of
from harness.engine.settings import Option as EngineOption
from harness.gate.policy import Policy, overall_margin
from harness.suites.severity import SEVERITIES, Severity

if TYPE_CHECKING:
    from harness.engine.settings import Settings


SHOWS_ONLY = (
    "collectonly", "help", "version", "showfixtures", "show_fixtures_per_test", "markers", "cacheshow", "looponfail",
)  # fmt: skip
"""pytest's options that show something and run no test."""


@dataclass(frozen=True)
class RunOptions:
    """The options of a run."""

    model: str | None
    baseline: str | None
    engine: Mapping[str, Any]
    """The values of the engine options, by their keys."""
    strict: bool
    fail_on: Severity
    max_drop_overall: float | Literal["off"] | None
    accepted: bool
    report: Path
    history: str | None
    report_html: Path | None
    report_markdown: Path | None
    only_lost: Path | None
    """The record of an earlier run, whose lost probes alone are asked, without a gate."""
    suites: tuple[str, ...]
    sample: int | None
    sample_seed: int
    sequential: bool
    noise_floor: int
    allow_code: bool
    allow_outside: bool
    allow_task_code: bool
    lm_eval: str | None
    lm_eval_fewshot: int | None
    lm_eval_limit: int | None
    lm_eval_margin: float | None
    paths: frozenset[Path]
    """The files and folders that the command line (or pytest's `testpaths`) names, absolute."""

    @classmethod
    def read(cls, values: Namespace, arguments: Iterable[str], folder: Path) -> RunOptions:
        """Read the values that pytest parsed.

        Args:
            arguments: paths of tests, with or without `::NAME`.
            folder: the one they are relative to.
        """
        return cls(
            model=values.forgetting_model,
            baseline=values.forgetting_baseline,
            engine={option.key: getattr(values, option.dest) for option in ENGINE},
            # pytest 9 has a `--strict` of its own, which it keeps as an override of its ini option; a strict run is strict
            # about verdicts too. `strict = true` in an ini file is about pytest alone.
            strict=values.forgetting_strict or "strict=true" in (values.override_ini or []),
            fail_on=values.forgetting_fail_on,
            max_drop_overall=values.forgetting_max_drop_overall,
            accepted=not values.forgetting_no_accepted,
            report=Path(values.forgetting_report),
            history=values.forgetting_history,
            report_html=None
            if values.forgetting_report_html is None
            else Path(values.forgetting_report_html),
            report_markdown=None
            if values.forgetting_report_markdown is None
            else Path(values.forgetting_report_markdown),
            only_lost=None if values.forgetting_only_lost is None else Path(values.forgetting_only_lost),
            suites=tuple(values.forgetting_suite or ()),
            sample=values.forgetting_sample,
            sample_seed=values.forgetting_sample_seed,
            sequential=values.forgetting_sequential,
            noise_floor=values.forgetting_noise_floor,
            allow_code=values.forgetting_allow_code,
            allow_outside=values.forgetting_allow_outside,
            allow_task_code=values.forgetting_allow_task_code,
            lm_eval=values.forgetting_lm_eval,
            lm_eval_fewshot=values.forgetting_lm_eval_fewshot,
            lm_eval_limit=values.forgetting_lm_eval_limit,
            lm_eval_margin=values.forgetting_lm_eval_margin,
            # not Session.isinitpath, which forgets a file that is named beside its folder
            paths=frozenset(_path_of(argument, folder) for argument in arguments),
        )

    @cached_property
    def settings(self) -> Settings:
        """How models are run; raises HarnessError for a malformed `--template-arg`."""
        return settings_of(self.engine)

    @property
    def engine_arguments(self) -> list[str]:
        """The options that `python -m harness` takes too and that are not their defaults, as arguments."""
        permissions = {
            "allow-code": self.allow_code,
            "allow-outside": self.allow_outside,
            "allow-task-code": self.allow_task_code,
        }
        given = {option.name: self.engine[option.key] for option in ENGINE if option.name != "template"}
        return [
            f"--{name}" if value is True else f"--{name}={value}"
            for name, values in {**given, **permissions}.items()
            for value in (values if isinstance(values, list) else [values])
            if value not in (None, False, DEFAULTS.get(name))
        ]

    @cached_property
    def policy(self) -> Policy:
        """How verdicts become outcomes."""
        return Policy(self.strict, self.fail_on, overall_margin(self.max_drop_overall))

    @property
    def names_a_model(self) -> bool:
        """Whether the run is meant to gate a model."""
        return self.model is not None or self.baseline is not None


RUN_OPTIONS: pytest.StashKey[RunOptions] = pytest.StashKey()
"""Set in pytest_configure, after every conftest.py has had the chance to change an option."""


def shows_only(values: Any) -> bool:
    """Whether pytest only shows something, and runs no test."""
    return any(getattr(values, name, False) for name in SHOWS_ONLY)


def _path_of(argument: str, folder: Path) -> Path:
    """The absolute path in `FILE::NAME[PARAMETERS]`; links are not followed, as in pytest."""
    return Path(os.path.normpath(folder / argument.partition("[")[0].partition("::")[0]))


class Option(EngineOption):
    """An option and its names in pytest."""

    @property
    def names(self) -> Sequence[str]:
        """The short names, used where they are free; `--strict` is pytest's own, which the gate obeys too."""
        return [f"--gate-{self.name}"] if self.name == "strict" else [f"--{self.name}", f"--gate-{self.name}"]

    @property
    def dest(self) -> str:
        """Its attribute in `config.option`."""
        return f"forgetting_{self.key}"

    @property
    def takes_a_value(self) -> bool:
        """Whether the next argument may be its value."""
        return self.keywords.get("action") != "store_true"


ENGINE = tuple(Option(option.name, option.help, option.keywords) for option in ENGINE_OPTIONS)

DEFAULTS = {option.name: option.keywords.get("default") for option in ENGINE}

OPTIONS: Sequence[Option] = (
    Option(
        "model",
        "the tuned model: a folder with a model or a PEFT adapter, a hub id (org/name@revision), 'embedded', "
        "SCHEME:NAME where an engine answers for it, or a recipe (fixtures/lora.yaml), which is trained first",
        {"metavar": "REF"},
    ),
    Option(
        "baseline",
        "the model before tuning; by default the one that the adapter, the model card or the recipe names; 'same' "
        "compares a model with itself on purpose",
        {"metavar": "REF"},
    ),
    *ENGINE,
    Option(
        "strict",
        "fail inconclusive gates; pytest's own --strict does too, and makes pytest strict as well",
        {"action": "store_true"},
    ),
    Option(
        "fail-on",
        "the lowest severity that fails the run: low (the default, so all), medium, high or critical; a failed gate "
        "below it is a warning",
        {"default": "low", "type": OneOf(*SEVERITIES), "metavar": "SEVERITY"},
    ),
    Option(
        "max-drop-overall",
        "the margin of the gate over all suites together, a fraction (0.03 where there are several suites), or off",
        {"type": share_or_off, "metavar": "DROP"},
    ),
    Option(
        "no-accepted",
        "let the losses that accepted.yaml names count like all others",
        {"action": "store_true"},
    ),
    Option(
        "suite",
        "run only the suite of this name, from the paths or from those that ship; may be repeated",
        {"action": "append", "metavar": "NAME"},
    ),
    Option(
        "sample",
        "ask only N probes in all, a proportional share of each suite and category; gates over each probe keep theirs",
        {"type": count, "metavar": "N"},
    ),
    Option(
        "sample-seed",
        "the random seed of the sample, and of the order of a sequential run (0)",
        {"type": int, "default": 0, "metavar": "SEED"},
    ),
    Option(
        "sequential",
        "ask a suite only until its gate over all probes is decided, with at most four looks; its other gates then decide "
        "nothing",
        {"action": "store_true"},
    ),
    Option(
        "noise-floor",
        "ask the baseline K more times in other batches, show how many answers flip, and refuse margins within that noise",
        {"type": whole, "default": 0, "metavar": "K"},
    ),
    Option(
        "report",
        "the folder for record.json (reports/latest)",
        {"default": "reports/latest", "metavar": "DIR"},
    ),
    Option(
        "history",
        "the file in which every run is kept, for `python -m harness history`, or off (history.db beside the report's folder)",
        {"metavar": "FILE"},
    ),
    Option(
        "report-html",
        "also write the run as one page for a browser, with both answers to every probe; it needs no network",
        {"metavar": "FILE"},
    ),
    Option(
        "report-markdown",
        "also write the run as Markdown for a pull request: the verdict, a table and the most telling lost answers",
        {"metavar": "FILE"},
    ),
    Option(
        "only-lost",
        "ask the tuned model only the probes that this record (a record.json, or its folder) lost, and show which it still "
        "gets wrong: a look, which decides nothing and never exits with 0",
        {"metavar": "RECORD"},
    ),
    Option(
        "allow-code",
        "run code that a model wrote, for suites with the score 'python'; it runs confined (no network, no other "
        "process, no file but its own), on Linux only",
        {"action": "store_true"},
    ),
    Option(
        "allow-outside",
        "read files outside the project's folder that a suite names",
        {"action": "store_true"},
    ),
    Option(
        "lm-eval",
        "gate these tasks of lm-evaluation-harness, by name or by task file, each as a suite; without other paths, them alone",
        {"metavar": "TASK,..."},
    ),
    Option(
        "lm-eval-fewshot",
        "few-shot examples of the tasks of --lm-eval (by default the task's own number, else 0)",
        {"type": whole, "metavar": "N"},
    ),
    Option(
        "lm-eval-limit",
        "only the first N documents of each task of --lm-eval",
        {"type": count, "metavar": "N"},
    ),
    Option(
        "lm-eval-margin",
        "the margin of the gate over each of --lm-eval, a fraction (0.05; three times that over each task of a group)",
        {"type": share, "metavar": "DROP"},
    ),
    Option(
        "allow-task-code",
        "run Python that comes with tasks of lm-evaluation-harness (!function, metrics from a hub, tasks marked unsafe), "
        "unconfined; the package's own tasks need no permission for its own code",
        {"action": "store_true"},
    ),
)
