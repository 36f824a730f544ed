"""The table of scores, whatever a test registers or installs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.scoring import SCORERS, load_scorers, registry


@contextmanager
def as_before() -> Iterator[None]:
    """The table as it is now, at the end."""
    known, places = dict(SCORERS), dict(registry._PLACES)
    load_scorers.cache_clear()
    yield
    load_scorers.cache_clear()
    for table, before in ((SCORERS, known), (registry._PLACES, places)):
        table.clear()
        table.update(before)
