"""A command line in, the folder of the record held before anything can go wrong, out.

pytest parses the command line twice before it configures: once for what it knows, then conftest.py files add options, then
all of it. Whatever fails on that way must not leave an older run's record in its place.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.plugin.names import REGISTERED, Names, arguments_of
from harness.plugin.options import RunOptions, options_of
from harness.plugin.recorder import RecordWriter, shows_only
from harness.suites.detect import has_ending, sniff

WRITER: pytest.StashKey[RecordWriter] = pytest.StashKey()


def begin_early(config: pytest.Config, sure: bool) -> None:
    """Begin the record of a run that is meant to gate, by the options that are known so far.

    Until it is `sure` that a `--model` is ours and no conftest.py's, there has to be an older record, which must not stay.

    Raises:
        pytest.UsageError: no record can be written.
    """
    known = config.known_args_namespace
    if WRITER in config.stash or _in_worker() or shows_only(known):
        return
    options = RunOptions.of(_view(config, known, known.file_or_dir or ()))
    named = options.names_a_model and (sure or (options.report / "record.json").exists())
    if named or any(map(_holds_a_suite, options.paths)):
        config.stash[WRITER] = RecordWriter(config, options)
        config.stash[WRITER].begin()


def writer_of(config: pytest.Config) -> RecordWriter:
    """The keeper of this run, which holds the folder from now on if the run names a model.

    Raises:
        pytest.UsageError: no record can be written.
    """
    options = options_of(config)
    writer = config.stash.setdefault(WRITER, RecordWriter(config, options))
    writer.options = options  # a conftest.py may have changed them
    if options.names_a_model and not shows_only(config.option):
        writer.begin()
    return writer


def refuse(config: pytest.Config, registered: pytest.Parser) -> None:
    """Write the record of a run that ended before it began: an option cannot have its value, a plugin cannot be loaded."""
    if WRITER in config.stash or _in_worker() or not isinstance(sys.exception(), Exception):
        return
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for option in ("model", "baseline", "report"):
        parser.add_argument(REGISTERED + option, dest=option, nargs="?", const="")
    asked, _ = parser.parse_known_args(Names.of(registered).spelt_out(arguments_of(config)))
    known = getattr(config, "known_args_namespace", None)  # without our options, which came later
    if (asked.model is None and asked.baseline is None) or shows_only(known):
        return
    options = RunOptions.of(_view(config, config.option, ()))
    writer = RecordWriter(config, replace(options, report=Path(asked.report or options.report)))
    with suppress(pytest.UsageError):  # the run ends in one already
        writer.begin()  # and says so when it lets go of the folder, which is next


def _view(config: pytest.Config, option: Any, paths: Iterable[str]) -> pytest.Config:
    """What RunOptions reads of a config that is not complete."""
    return cast(
        pytest.Config,
        SimpleNamespace(option=option, args=list(paths), invocation_params=config.invocation_params),
    )


def _holds_a_suite(path: Path) -> bool:
    try:
        files = list(path.iterdir()) if path.is_dir() else [path]
    except OSError:
        return False
    return any(has_ending(file) and file.is_file() and sniff(file).kind == "suite" for file in files)


def _in_worker() -> bool:
    """Whether this is a worker of xdist, which its config tells only later; a run that a test in one starts is none."""
    return "PYTEST_XDIST_WORKER" in os.environ and sys.argv[:1] == ["-c"]  # as execnet starts it
