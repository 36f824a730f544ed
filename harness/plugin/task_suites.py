"""The tasks that `--lm-eval` names in, suite files of a few lines out, which pytest collects like any others.

They are in pytest's cache folder, one for each task, so that cases have names, places and a file for `rescore --suite`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.errors import HarnessError
from harness.plugin.options import RunOptions
from harness.suites.detect import ENDINGS
from harness.writing import write_wanted

ABOUT = "The task {} of lm-evaluation-harness."


def add_task_suites(config: pytest.Config, options: RunOptions) -> None:
    """Have pytest collect the tasks: alone, unless the command line names files too.

    Raises:
        HarnessError: the suites cannot be written.
    """
    folder = _folder(config)
    files = [str(path) for path in _written(folder, options, config.invocation_params.dir)]
    named = config.args if config.args_source is pytest.Config.ArgsSource.ARGS else []
    config.args[:] = [*named, *files]


def _folder(config: pytest.Config) -> Path:
    cache: pytest.Cache | None = getattr(config, "cache", None)
    return cache.mkdir("lm-eval") if cache else config.rootpath / ".pytest_cache" / "d" / "lm-eval"


def _written(folder: Path, options: RunOptions, working: Path) -> Iterator[Path]:
    for name in dict.fromkeys(name.strip() for name in (options.lm_eval or "").split(",")):
        if not name:
            raise HarnessError("--lm-eval: names a task between its commas, such as hellaswag,gsm8k")
        own = name.endswith(ENDINGS)
        source: dict[str, Any] = {"lm_eval": str(working / name) if own else name}
        given = {
            "fewshot": options.lm_eval_fewshot,
            "limit": options.lm_eval_limit,
            "margin": options.lm_eval_margin,
        }
        source |= {key: value for key, value in given.items() if value is not None}
        called = re.sub(r"[\s\[\]:/\\]+", "-", Path(name).stem if own else name)
        suite = {"suite": called, "about": ABOUT.format(name), "from": source}
        path = folder / f"{called}.yaml"
        write_wanted(
            path, yaml.safe_dump(suite, sort_keys=False, allow_unicode=True), "choose another folder"
        )
        yield path
