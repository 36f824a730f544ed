"""pytest's hooks and fixtures, each of a few lines: options, collection, outcomes and the record.

Nothing here imports torch, and nothing happens in a project without suites.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.engine.sharing import wait_briefly
from harness.errors import HarnessError, shown_path
from harness.plugin.gathered import MODELS, NOTES, REST
from harness.plugin.names import add_options, find_paths, names_of, spell_out, usage_errors
from harness.plugin.options import RUN_OPTIONS, RunOptions, shows_only
from harness.plugin.passed_over import below_named, is_new, refuse_passed_over
from harness.plugin.root import explain_settings, reach_conftests, settle_root
from harness.plugin.start import WRITER, begin_early, refuse, writer_of
from harness.plugin.state import RUN, SUITES, ends_early, run_of
from harness.plugin.tally import OVERALL_IDS, Tally
from harness.suites.detect import has_ending, may_be_suite, sniff
from harness.suites.severity import MEANINGS
from harness.versions import VersionError, needed

if TYPE_CHECKING:
    from harness.engine.requests import Engine


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Register the options, which is late where a conftest.py loads the plugin."""
    config: Any = pluginmanager.get_plugin("pytestconfig")
    late = any(name.endswith("conftest.py") for name, plugin in pluginmanager.list_name_plugin() if plugin)
    add_options(parser, config, late)
    config.add_cleanup(lambda: refuse(config, parser))
    config.add_cleanup(lambda: explain_settings(parser, config))
    if late:
        with usage_errors(config):
            settle_root(parser, config)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None, Any, Any]:
    """Begin the record before a conftest.py can break the run; resolve our options once all others are registered."""
    if find_paths(parser, early_config, args):
        with usage_errors(early_config):
            begin_early(early_config, sure=False)
        reach_conftests(parser, early_config)
    result = yield
    spell_out(parser, early_config, args)
    with usage_errors(early_config):
        settle_root(parser, early_config)
        begin_early(early_config, sure=True)
    return result


def pytest_configure(config: pytest.Config) -> None:
    """Declare the severities as markers, begin the record, and find the models before anything is collected."""
    for name, about in MEANINGS.items():
        config.addinivalue_line("markers", f"{name}: {about} (forgetting gate)")
    options = RunOptions.read(config.option, config.args, config.invocation_params.dir)
    with usage_errors(config):
        options.check()
    if options.lm_eval is not None:
        from harness.plugin.task_suites import add_task_suites

        with usage_errors(config):
            add_task_suites(config, options)
    if options.suites or config.option.pyargs:
        from harness.plugin.shipped_suites import add_shipped_suites

        add_shipped_suites(config, options)
    options = RunOptions.read(config.option, config.args, config.invocation_params.dir)
    config.stash[RUN_OPTIONS] = options
    with usage_errors(config):
        if hasattr(config, "workerinput"):
            config.pluginmanager.register(Tally(), "forgetting-tally")
        else:
            writer = writer_of(config)
            config.pluginmanager.register(writer.tally, "forgetting-tally")
            config.pluginmanager.register(writer.gathered, "forgetting-reports")
            config.pluginmanager.register(writer, "forgetting-record")
            config.pluginmanager.register(writer.workers, "forgetting-workers")
        if options.names_a_model and not shows_only(config.option):
            wait_briefly()
            run_of(config).models.prepare()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, Any, Any]:
    """Never exit with 0 without evidence, even if no session began."""
    code = yield
    writer = config.stash.get(WRITER, None)
    return code if writer is None or code is None else writer.status(code)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out all but suites where a run names those and no path."""
    if not config.stash[RUN_OPTIONS].suites:
        return None
    from harness.plugin.shipped_suites import is_ignored

    return is_ignored(collection_path, config) or None


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Collect suites, and near misses that are named or that a model's run would miss; leave other plugins' files to them."""
    collected = yield
    if not may_be_suite(file_path) or not is_new(parent.config, file_path):
        return collected
    config, options, found = parent.config, parent.config.stash[RUN_OPTIONS], sniff(file_path)
    # pytest's doctest plugin collects every .txt that is named
    if found.kind != "suite" and any(not type(node).__module__.startswith("_pytest.") for node in collected):
        return collected
    missed = options.names_a_model and has_ending(file_path)
    if file_path in options.paths:
        wanted = found.kind != "none" or missed
    else:
        wanted = found.kind == "suite" or (
            found.kind == "nearly" and missed and below_named(config, file_path)
        )
    if wanted:
        try:
            with needed():
                from harness.plugin.collect import SuiteFile
        except VersionError as error:
            raise parent.CollectError(str(error)) from error
        config.stash[SUITES] = True
        return [*collected, SuiteFile.from_parent(parent, path=file_path)]
    if found.kind == "nearly" and options.names_a_model and below_named(config, file_path):
        run_of(config).note(f"{shown_path(file_path)} looks like a suite and was not read: {found.reason}")
    return collected


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Say which cases there are to one who names another."""
    try:
        return (yield)
    except pytest.UsageError as error:
        if SUITES not in session.config.stash:
            raise
        from harness.plugin.slices import missing

        raise pytest.UsageError(*(missing(session.config, session.config.args) or error.args)) from error


@pytest.hookimpl(tryfirst=True, specname="pytest_collection_modifyitems")
def pytest_collection_modifyitems_first(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Refuse a model's run that passed over suites, and add the gate over all of them."""
    if config.stash[RUN_OPTIONS].names_a_model:
        refuse_passed_over(session)
    if SUITES in config.stash:
        from harness.plugin.select import add_overall

        with _refusing(config):
            add_overall(items, config)


@pytest.hookimpl(trylast=True)  # after -k and -m
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Check the cases, and keep those of the wanted suites over a sample of their probes."""
    with _refusing(config):
        if SUITES in config.stash:
            from harness.plugin.select import arrange

            arrange(items, config)
        elif suites := config.stash[RUN_OPTIONS].suites:
            from harness.plugin.shipped_suites import check_suites

            check_suites(suites, ())


@contextmanager
def _refusing(config: pytest.Config) -> Iterator[None]:
    """Refuse the run for an input error inside the block; in a worker of xdist, before its first item."""
    try:
        with usage_errors(config):
            yield
    except pytest.UsageError as error:
        if not hasattr(config, "workerinput"):
            raise
        run_of(config).refused = str(error)  # xdist shows no error of a worker before its first item


@pytest.hookimpl(
    tryfirst=True
)  # before others note the order, and after --ff and all other plugins that change it
def pytest_collection_finish(session: pytest.Session) -> None:
    """Put the gates over all suites last, and pass on the selected cases, so that each suite is asked in one go."""
    session.items.sort(key=lambda item: item.nodeid in OVERALL_IDS)
    if run := session.config.stash.get(RUN, None):
        run.select(session.items)


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Let a worker of xdist that got no case help those that have some."""
    result = yield
    if run := session.config.stash.get(RUN, None):
        run.ask_along(session.items, stopped=ends_early(session))
    return result


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Raise in a worker of xdist why the run was refused, before a model is loaded."""
    if (run := item.config.stash.get(RUN, None)) and run.refused:
        raise HarnessError(run.refused)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach the result of a case to its report, as plain data that reaches xdist's controller."""
    report = yield
    run = item.config.stash.get(RUN, None)
    if run and (data := run.take_report(item, call, report)) is not None:
        vars(report)["forgetting"] = data
        if "error" in data:  # without a traceback, which would only show the harness
            report.longrepr = data["error"] = names_of(item.config).here(data["error"])
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Pass on the notes, which otherwise come with decided gates alone."""
    config: Any = session.config
    notes = run.notes if (run := config.stash.get(RUN, None)) else []
    if hasattr(config, "workeroutput"):
        config.workeroutput[NOTES] = list(notes)
        config.workeroutput[MODELS] = run.models.rows(run.asked) if run and run.asked else {}
        if run and ends_early(session):
            config.workeroutput[REST] = dict(run.rest())
    elif writer := config.stash.get(WRITER, None):
        writer.gathered.note(*notes)
        writer.gathered.run["suites"] |= run.suites if run else {}
        writer.gathered.add_rest(dict(run.rest()) if run else {})


@pytest.fixture(scope="session")
def baseline(request: pytest.FixtureRequest) -> Engine:
    """The model before fine-tuning, as an Engine; override it to gate a model of your own."""
    return run_of(request.config).models.engine("baseline")


@pytest.fixture(scope="session")
def tuned(request: pytest.FixtureRequest) -> Engine:
    """The model after fine-tuning, as an Engine; override it to gate a model of your own."""
    return run_of(request.config).models.engine("tuned")


@pytest.fixture
def gate_baseline(request: pytest.FixtureRequest) -> Engine:
    """The engine that suites ask as the baseline: by default the fixture `baseline`, if that gives an Engine."""
    from harness.plugin.engines import choose

    return choose(request, "baseline", run_of(request.config))


@pytest.fixture
def gate_tuned(request: pytest.FixtureRequest) -> Engine:
    """The engine that suites ask as the tuned model: by default the fixture `tuned`, if that gives an Engine."""
    from harness.plugin.engines import choose

    return choose(request, "tuned", run_of(request.config))
