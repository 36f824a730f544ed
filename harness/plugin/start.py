"""Lock the report folder before anything can go wrong.

pytest parses the command line twice before it configures: first with the options known so far, then, after the conftest.py
files have added theirs, in full. Whatever fails on the way must not leave an older run's record in place.
"""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.plugin.names import REGISTERED, Names, arguments_of
from harness.plugin.options import RUN_OPTIONS, RunOptions, shows_only
from harness.plugin.recorder import RecordWriter
from harness.suites.detect import has_ending, sniff

WRITER: pytest.StashKey[RecordWriter] = pytest.StashKey()


def begin_early(config: pytest.Config, sure: bool) -> None:
    """Begin the record of a run that is meant to gate, by the options that are known so far.

    Until it is `sure` that `--model` is ours and not an option of a conftest.py, do so only to replace an older record.

    Raises:
        HarnessError: no record can be written.
    """
    known = config.known_args_namespace
    if WRITER in config.stash or _in_worker() or shows_only(known):
        return
    options = RunOptions.read(known, known.file_or_dir or (), config.invocation_params.dir)
    named = options.names_a_model and (sure or (options.report / "record.json").exists())
    if named or any(map(_holds_a_suite, options.paths)):
        config.stash[WRITER] = RecordWriter(config, options)
        config.stash[WRITER].begin()


def writer_of(config: pytest.Config) -> RecordWriter:
    """The record writer of this run, which has begun if the run names a model.

    Raises:
        HarnessError: no record can be written.
    """
    options = config.stash[RUN_OPTIONS]
    writer = config.stash.setdefault(WRITER, RecordWriter(config, options))
    writer.options = options  # a conftest.py may have changed them
    if options.names_a_model and not shows_only(config.option):
        writer.begin()
    return writer


def refuse(config: pytest.Config, registered: pytest.Parser) -> None:
    """Write the record of a run that ended before it began, such as by an invalid option or a plugin that does not load."""
    if WRITER in config.stash or _in_worker() or not isinstance(sys.exception(), Exception):
        return
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for option in ("model", "baseline", "report", "report-html", "report-markdown", "only-lost"):
        parser.add_argument(REGISTERED + option, dest=option.replace("-", "_"), nargs="?", const="")
    given, _ = parser.parse_known_args(Names.of(registered).spelt_out(arguments_of(config)))
    known = getattr(config, "known_args_namespace", None)  # parsed before our options were registered
    if (given.model is None and given.baseline is None) or given.only_lost or shows_only(known):
        return
    options = RunOptions.read(config.option, (), config.invocation_params.dir)
    page = Path(given.report_html) if given.report_html else options.report_html
    markdown = Path(given.report_markdown) if given.report_markdown else options.report_markdown
    report = Path(given.report or options.report)
    writer = RecordWriter(config, replace(options, report=report, report_html=page, report_markdown=markdown))
    with suppress(HarnessError):  # the run ends in an error already
        writer.begin()  # its cleanup, which is next, writes the reason


def _holds_a_suite(path: Path) -> bool:
    try:
        files = list(path.iterdir()) if path.is_dir() else [path]
    except OSError:
        return False
    return any(has_ending(file) and file.is_file() and sniff(file).kind == "suite" for file in files)


def _in_worker() -> bool:
    """Whether this process is a worker of xdist, started by execnet; not a run that a test in a worker starts."""
    return "PYTEST_XDIST_WORKER" in os.environ and sys.argv[:1] == ["-c"]
