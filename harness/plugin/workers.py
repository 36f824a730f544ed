"""The controller of an xdist run: a folder in which its workers share answers, their shares of the machine, and what died with one."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from harness.engine.sharing import worker_environment
from harness.plugin.progress import Progress, Watch
from harness.plugin.state import EXCHANGE


class Workers:
    """The workers of a run; `gates` tells whether the run is meant to gate."""

    def __init__(self, config: pytest.Config, gates: Callable[[], bool]) -> None:
        self.config = config
        self.gates = gates
        self.folder: TemporaryDirectory[str] | None = None
        self.died: list[str] = []

    def pytest_configure(self) -> None:
        """Under `--dist each`, start no new worker in place of one that died: it would ask again what the old one died of."""
        option = self.config.option
        if self.gates() and getattr(option, "dist", "no") == "each" and option.maxworkerrestart is None:
            option.maxworkerrestart = "0"

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_setupnodes(self, specs: Sequence[Any]) -> None:
        """Give each worker its share of the cores, before torch can start there."""
        here = [spec for spec in specs if spec.popen]
        for spec in here if self.gates() else ():
            spec.env |= worker_environment(len(here), {**os.environ, **spec.env})

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Give the workers a folder in which they share answers."""
        if self.config.getvalue("dist") == "each":
            return  # each worker is to find its own answers
        if self.folder is None:
            self.folder = TemporaryDirectory(prefix="forgetting-")
            self.config.add_cleanup(self.folder.cleanup)
            watch = Watch(Path(self.folder.name), Progress(self.config))
            self.config.pluginmanager.register(watch, "forgetting-progress")
            self.config.add_cleanup(watch.end)
            watch.start()
        node.workerinput[EXCHANGE] = self.folder.name

    @pytest.hookimpl(optionalhook=True, wrapper=True)
    def pytest_xdist_node_collection_finished(self) -> Generator[None, object, object]:
        """Tell the workers that the run was not refused."""
        result = yield
        if self.folder is not None:
            from harness.evaluation.exchange import Exchange

            Exchange(Path(self.folder.name)).begin()
        return result

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Tell the other workers that one has ended, or died; one that Ctrl-C ended did not die."""
        if error and not hasattr(node, "workeroutput"):
            self.died.append(node.gateway.id)
        if self.folder is not None:
            from harness.evaluation.exchange import Exchange

            Exchange(Path(self.folder.name)).part(node.gateway.id)

    def not_measured(self) -> dict[str, list[str]]:
        """By suite, the probes whose answers are missing because a worker died."""
        if not self.died or self.folder is None:
            return {}
        from harness.evaluation.exchange import Exchange

        return Exchange(Path(self.folder.name)).missing()
