"""Where pytest's config keeps what hooks, items and fixtures of one process share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from harness.plugin.run import Run

RUN: pytest.StashKey[Run] = pytest.StashKey()
SUITES: pytest.StashKey[bool] = pytest.StashKey()
"""Whether any suite file was found; set so that nothing is loaded for projects that have none."""
