"""What hooks, items and fixtures of one process share, under keys of pytest's config."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from harness.plugin.run import Run

RUN: pytest.StashKey[Run] = pytest.StashKey()
SUITES: pytest.StashKey[bool] = pytest.StashKey()
"""Set once a suite was found, so that a project without suites loads nothing."""

EXCHANGE = "forgetting_exchange"
"""The key under which a worker of xdist finds the folder in which answers are shared."""


def ends_early(session: pytest.Session) -> bool:
    """Whether cases may go without an own report: the session stops, or any failure, in any worker, may stop it."""
    return bool(session.shouldstop or session.shouldfail or session.config.option.maxfail)


def run_of(config: pytest.Config) -> Run:
    """The state of this run, created on first use."""
    if RUN not in config.stash:
        from harness.plugin.run import Run

        config.stash[RUN] = Run(config)
    return config.stash[RUN]
