"""The row of a gate in, whether and why it did not fail for accepted losses alone out."""

from __future__ import annotations

from collections.abc import Iterable

from harness.reporting.rows import GateRow
from harness.wording import count

WORDS = {"passed": "passed", "warned": "warned and did not fail", "skipped": "did not fail"}


def losses(number: int) -> str:
    """ "1 known loss is accepted", "3 known losses are accepted"."""
    return f"{count(number, 'known loss', 'known losses')} {'is' if number == 1 else 'are'} accepted"


def only_because(row: GateRow) -> str | None:
    """ "passed only because 3 known losses are accepted"; None for a gate that would end alike without them."""
    if row.without_accepted is None or not row.accepted:
        return None
    return f"{WORDS.get(row.outcome, row.outcome)} only because {losses(row.accepted)}"


def turned_gates(status: str, without: Iterable[str | None]) -> int:
    """The number of gates that would have failed without accepted losses, of a run that passed; 0 of any other.

    Args:
        without: how each gate would have ended, or None if alike.
    """
    return [*without].count("failed") if status == "passed" else 0


def by_acceptances(status: str, without: Iterable[str | None]) -> str:
    """ "passed, by acceptances" for such a run, else its status."""
    return f"{status}, by acceptances" if turned_gates(status, without) else status
