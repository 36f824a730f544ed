"""pytest's hooks, each of a few lines: options, collection, fixtures, outcomes, the record and the summary.

Nothing here imports torch, and nothing happens in a project that has no suite files.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import HarnessError
from harness.plugin.keeper import Keeper
from harness.plugin.options import RunOptions, add_options
from harness.plugin.sniff import is_suite_file

if TYPE_CHECKING:
    from harness.engine.requests import Engine
    from harness.plugin.collect import SuiteFile
    from harness.plugin.run import Run

SEVERITY_MARKERS = {
    "critical": "a gate whose failure no release survives",
    "high": "a gate whose failure users would notice at once",
    "medium": "a gate whose failure some users would notice",
    "low": "a gate whose failure is worth knowing",
}
RUN: pytest.StashKey[Run] = pytest.StashKey()
SUITES: pytest.StashKey[bool] = pytest.StashKey()
"""Whether any suite file was found; set so that nothing is loaded for projects that have none."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the gate."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Know the severities as markers, and find the models before anything is collected."""
    for name, about in SEVERITY_MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {about} (forgetting gate)")
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Keeper(config), "forgetting-keeper")
    options = RunOptions.of(config)
    if options.names_a_model and not config.option.collectonly and not config.option.help:
        _run(config).prepare()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> SuiteFile | None:
    """Collect suite files: those named on the command line, and those that look like suites."""
    if file_path.suffix.lower() not in (".yaml", ".yml"):
        return None
    if not is_suite_file(file_path):
        if not RunOptions.of(parent.config).names_a_model:
            return None
        if not parent.session.isinitpath(file_path):
            _run(parent.config).leave_out(file_path)
            return None
    from harness.plugin.collect import SuiteFile

    parent.config.stash[SUITES] = True
    return SuiteFile.from_parent(parent, path=file_path)


@pytest.hookimpl(trylast=True)  # after -k and -m
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Refuse what cannot be run as it is asked; keep the wanted suites and the sample."""
    try:
        _arrange(config, items)
    except pytest.UsageError as error:
        if not hasattr(config, "workerinput"):
            raise
        _run(config).refused = str(error)  # xdist takes no error of a worker before its first item


def _arrange(config: pytest.Config, items: list[pytest.Item]) -> None:
    options = RunOptions.of(config)
    if options.suites and SUITES not in config.stash:
        raise pytest.UsageError(f"--suite {options.suites[0]}: no suite was collected")
    if SUITES not in config.stash:
        return
    from harness.plugin import collect, subset

    if cases := [item for item in items if isinstance(item, collect.CaseItem)]:
        _run(config)
        collect.check_names(cases)
        if not config.option.collectonly:
            collect.check_models(cases, config)
        chosen = subset.choose(items, options)
        items[:] = chosen.kept
        if chosen.left_out:
            config.hook.pytest_deselected(items=chosen.left_out)
        if not config.option.collectonly:
            collect.check_code((item for item in items if isinstance(item, collect.CaseItem)), config)
        _run(config).notes += chosen.notes


def pytest_collection_finish(session: pytest.Session) -> None:
    """Note which probes the selected cases need, so that each suite is asked in one go."""
    if run := session.config.stash.get(RUN, None):
        run.select(session.items)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tell in a worker of xdist why the run was refused, before a model is loaded."""
    if (run := item.config.stash.get(RUN, None)) and run.refused:
        raise HarnessError(run.refused)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Send what a case came to along with its report, as plain data that crosses to xdist's controller."""
    report = yield
    if (run := item.config.stash.get(RUN, None)) and (data := run.take_report(item, call, report)):
        vars(report)["forgetting"] = data
        if "error" in data:  # without a traceback, which would only show the harness
            report.longrepr = data["error"]
    return report


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep a suite on one worker, so that no probe is asked twice."""
    if config.getvalue("dist") != "load" or not RunOptions.of(config).names_a_model:
        return None
    from xdist.scheduler import LoadFileScheduling

    return LoadFileScheduling(config, log)


@pytest.fixture(scope="session")
def baseline(request: pytest.FixtureRequest) -> Engine:
    """The model before fine-tuning, as an Engine; override it to gate a model of your own."""
    return _run(request.config).engine("baseline")


@pytest.fixture(scope="session")
def tuned(request: pytest.FixtureRequest) -> Engine:
    """The model after fine-tuning, as an Engine; override it to gate a model of your own."""
    return _run(request.config).engine("tuned")


def _run(config: pytest.Config) -> Run:
    """The state of this run, made when it is first needed."""
    if RUN not in config.stash:
        from harness.plugin.run import Run

        config.stash[RUN] = Run(config)
    return config.stash[RUN]
