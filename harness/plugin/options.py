"""RunOptions: the values of the gate's options in one run of pytest."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from harness.engine.settings import settings_of
from harness.errors import HarnessError
from harness.gate.policy import Policy, overall_margin
from harness.plugin.option_list import DEFAULTS, ENGINE
from harness.spelling import option
from harness.suites.severity import Severity

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
    gate_strict: bool
    """Whether that comes from the gate's own option; pytest's makes pytest strict too."""
    fail_on: Severity
    max_drop_overall: float | Literal["off"] | None
    max_flips: float | None
    accepted: bool
    report: Path
    history: str | None
    report_html: Path | None
    report_markdown: Path | None
    diagnose: bool
    only_lost: Path | None
    """The record of an earlier run, whose lost probes alone are asked, without a gate."""
    suites: tuple[str, ...]
    sample: int | None
    sample_seed: int
    sequential: bool
    noise_floor: int
    engine_flips: float | None
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
            engine={each.key: getattr(values, each.dest) for each in ENGINE},
            # pytest 9 has a `--strict` of its own, which it keeps as an override of its ini option; a strict run is strict
            # about verdicts too. `strict = true` in an ini file is about pytest alone.
            strict=values.forgetting_strict or "strict=true" in (values.override_ini or []),
            gate_strict=values.forgetting_strict,
            fail_on=values.forgetting_fail_on,
            max_drop_overall=values.forgetting_max_drop_overall,
            max_flips=values.forgetting_max_flips,
            accepted=not values.forgetting_no_accepted,
            report=Path(values.forgetting_report),
            history=values.forgetting_history,
            report_html=_path(values.forgetting_report_html),
            report_markdown=_path(values.forgetting_report_markdown),
            diagnose=values.forgetting_diagnose,
            only_lost=_path(values.forgetting_only_lost),
            suites=tuple(values.forgetting_suite or ()),
            sample=values.forgetting_sample,
            sample_seed=values.forgetting_sample_seed,
            sequential=values.forgetting_sequential,
            noise_floor=values.forgetting_noise_floor,
            engine_flips=values.forgetting_engine_flips,
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

    def check(self) -> None:
        """Refuse options that would do nothing; raises HarnessError."""
        of_tasks = ("lm_eval_fewshot", "lm_eval_limit", "lm_eval_margin")
        idle = [name for name in of_tasks if getattr(self, name) is not None]
        if self.only_lost is not None:
            self._check_look()
        if idle and self.lm_eval is None:
            raise HarnessError(
                f"{option(idle[0], str(getattr(self, idle[0])))}: would do nothing without {option('lm_eval', 'TASK,...')}"
            )

    def _check_look(self) -> None:
        from harness.reporting.next_steps import OF_GATES

        if of_gates := [option(name) for name in OF_GATES if getattr(self, name)]:
            raise HarnessError(
                f"{', '.join(of_gates)}: would do nothing beside {option('only_lost', 'RECORD')}, a look, which decides nothing and "
                "writes no record\n  leave that out"
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
        given = {each.name: self.engine[each.key] for each in ENGINE if each.name != "template"}
        return [
            f"--{name}" if value is True else f"--{name}={value}"
            for name, values in {**given, **permissions}.items()
            for value in (values if isinstance(values, list) else [values])
            if value not in (None, False, DEFAULTS.get(name))
        ]

    @cached_property
    def policy(self) -> Policy:
        """How verdicts become outcomes."""
        return Policy(self.strict, self.fail_on, overall_margin(self.max_drop_overall), self.max_flips)

    @property
    def names_a_model(self) -> bool:
        """Whether the run is meant to gate a model."""
        return self.model is not None or self.baseline is not None


RUN_OPTIONS: pytest.StashKey[RunOptions] = pytest.StashKey()
"""Set in pytest_configure, after every conftest.py has had the chance to change an option."""


def shows_only(values: Any) -> bool:
    """Whether pytest only shows something, and runs no test."""
    return any(getattr(values, name, False) for name in SHOWS_ONLY)


def _path(given: str | None) -> Path | None:
    return None if given is None else Path(given)


def _path_of(argument: str, folder: Path) -> Path:
    """The absolute path in `FILE::NAME[PARAMETERS]`; links are not followed, as in pytest."""
    return Path(os.path.normpath(folder / argument.partition("[")[0].partition("::")[0]))
