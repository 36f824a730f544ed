"""pytest's hooks, each of a few lines: options, collection, fixtures, outcomes, the record and the summary.

Nothing here imports torch, and nothing happens in a project that has no suite files.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import HarnessError
from harness.plugin import remembered
from harness.plugin.names import add_options, find_paths, names_of, spell_out
from harness.plugin.options import options_of, settle
from harness.plugin.recorder import NOTES, shows_only
from harness.plugin.root import settle_root
from harness.plugin.start import WRITER, begin_early, refuse, writer_of
from harness.plugin.state import RUN, SUITES
from harness.plugin.tally import Tally
from harness.suites.detect import dangling_links, has_ending, may_be_suite, sniff
from harness.suites.severity import MEANINGS
from harness.versions import VersionError, needed

if TYPE_CHECKING:
    from harness.engine.requests import Engine
    from harness.plugin.collect import CaseItem
    from harness.plugin.run import Run


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Options of the gate; a conftest.py that names the plugin loads it late."""
    config: Any = pluginmanager.get_plugin("pytestconfig")
    late = any(name.endswith("conftest.py") for name, plugin in pluginmanager.list_name_plugin() if plugin)
    add_options(parser, config, late)
    config.add_cleanup(lambda: refuse(config, parser))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None, Any, Any]:
    """Hold the folder of the record before a conftest.py can break the run; read our options when all others are known."""
    if find_paths(parser, early_config, args):
        with _told(early_config):
            begin_early(early_config, sure=False)
    result = yield
    spell_out(parser, early_config, args)
    settle_root(parser, early_config)
    with _told(early_config):
        begin_early(early_config, sure=True)
    return result


def pytest_configure(config: pytest.Config) -> None:
    """Know the severities as markers, and find the models before anything is collected."""
    for name, about in MEANINGS.items():
        config.addinivalue_line("markers", f"{name}: {about} (forgetting gate)")
    options = settle(config)
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(Tally(), "forgetting-tally")
    else:
        with _told(config):
            writer = writer_of(config)
        config.pluginmanager.register(writer.tally, "forgetting-tally")
        config.pluginmanager.register(writer, "forgetting-keeper")
    if options.names_a_model and not shows_only(config.option):
        with _told(config):
            _run(config).models.prepare()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, Any, Any]:
    """The exit code is never 0 without evidence, even where no session began."""
    code = yield
    writer = config.stash.get(WRITER, None)
    return code if writer is None or code is None else writer.status(code)


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Collect suites, and what nearly is one where it is named; what another plugin collects is its own."""
    collected = yield
    if not may_be_suite(file_path):
        return collected
    config, options, found = parent.config, options_of(parent.config), sniff(file_path)
    for link in dangling_links(file_path.parent) if options.names_a_model else ():
        _run(config).leave_out(link, sniff(link).reason)
    # pytest's own doctest takes any .txt that is named
    if found.kind != "suite" and any(not type(node).__module__.startswith("_pytest.") for node in collected):
        return collected
    refused = found.kind == "nearly" or (options.names_a_model and has_ending(file_path))
    if found.kind == "suite" or (refused and file_path in options.paths):
        try:
            with needed():
                from harness.plugin.collect import SuiteFile
        except VersionError as error:
            raise parent.CollectError(str(error)) from error
        config.stash[SUITES] = True
        return [*collected, SuiteFile.from_parent(parent, path=file_path)]
    if found.kind == "nearly" and options.names_a_model:
        _run(config).leave_out(file_path, found.reason)
    return collected


@pytest.hookimpl(trylast=True)  # after -k and -m
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Refuse what cannot be run as it is asked; keep the wanted suites and the sample."""
    try:
        _arrange(config, items)
    except pytest.UsageError as error:
        told = names_of(config).here(str(error))
        if not hasattr(config, "workerinput"):
            raise pytest.UsageError(told) from error
        _run(config).refused = told  # xdist takes no error of a worker before its first item


def _arrange(config: pytest.Config, items: list[pytest.Item]) -> None:
    options = options_of(config)
    if options.suites and SUITES not in config.stash:
        raise pytest.UsageError(f"--suite {options.suites[0]}: no suite was collected")
    if SUITES not in config.stash:
        return
    from harness.plugin import collect
    from harness.plugin import select as subset

    if cases := [item for item in items if isinstance(item, collect.CaseItem)]:
        _run(config)
        collect.check_names(cases)
        if not config.option.collectonly:
            collect.check_models(cases, config)
            _check_memory(cases, config)
        chosen = subset.choose(items, options)
        items[:] = chosen.kept
        if chosen.left_out:
            config.hook.pytest_deselected(items=chosen.left_out)
        if not config.option.collectonly:
            collect.check_code((item for item in items if isinstance(item, collect.CaseItem)), config)
        _run(config).notes += chosen.notes


def _check_memory(cases: list[CaseItem], config: pytest.Config) -> None:
    """What passed for an engine of the user's own says nothing of the next: nobody knows its weights."""
    from harness.plugin.engines import is_overridden

    option = remembered.option_that_leaves_out(config)
    if option and any(is_overridden(case, "tuned") for case in cases):
        raise pytest.UsageError(remembered.refusal(option, None, "the engine of the fixture 'tuned'"))


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
    run = item.config.stash.get(RUN, None)
    if run and (data := run.take_report(item, call, report)) is not None:
        vars(report)["forgetting"] = data
        if "error" in data:  # without a traceback, which would only show the harness
            report.longrepr = data["error"] = names_of(item.config).here(data["error"])
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Pass on what was noted, which else comes along with decided gates alone."""
    config: Any = session.config
    notes = run.notes if (run := config.stash.get(RUN, None)) else []
    if hasattr(config, "workeroutput"):
        config.workeroutput[NOTES] = list(notes)
    elif writer := config.stash.get(WRITER, None):
        writer.rows.note(*notes)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep a suite on one worker, so that no probe is asked twice."""
    if config.getvalue("dist") != "load" or not options_of(config).names_a_model:
        return None
    from xdist.scheduler import LoadFileScheduling

    return LoadFileScheduling(config, log)


@pytest.fixture(scope="session")
def baseline(request: pytest.FixtureRequest) -> Engine:
    """The model before fine-tuning, as an Engine; override it to gate a model of your own."""
    return _run(request.config).models.engine("baseline")


@pytest.fixture(scope="session")
def tuned(request: pytest.FixtureRequest) -> Engine:
    """The model after fine-tuning, as an Engine; override it to gate a model of your own."""
    return _run(request.config).models.engine("tuned")


@pytest.fixture
def gate_baseline(request: pytest.FixtureRequest) -> Engine:
    """What suites ask as the baseline: the fixture `baseline` where it gives an Engine; a second name to override."""
    from harness.plugin.engines import choose

    return choose(request, "baseline", _run(request.config))


@pytest.fixture
def gate_tuned(request: pytest.FixtureRequest) -> Engine:
    """What suites ask as the tuned model: the fixture `tuned` where it gives an Engine; a second name to override."""
    from harness.plugin.engines import choose

    return choose(request, "tuned", _run(request.config))


@contextmanager
def _told(config: pytest.Config) -> Iterator[None]:
    """Tell what is wrong by the names that our options have here; and what an old or missing package broke, in words.

    Raises:
        pytest.UsageError: either.
    """
    wrong: pytest.UsageError | None = None
    try:
        with needed():
            try:
                yield
            except pytest.UsageError as error:  # which no package is the reason of
                wrong = error
    except VersionError as error:
        raise pytest.UsageError(str(error)) from error
    if wrong is not None:
        raise pytest.UsageError(names_of(config).here(str(wrong))) from wrong


def _run(config: pytest.Config) -> Run:
    """The state of this run, made when it is first needed."""
    if RUN not in config.stash:
        from harness.plugin.run import Run

        config.stash[RUN] = Run(config)
    return config.stash[RUN]
