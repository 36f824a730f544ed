"""Where the asking of each suite stopped in a sequential run, as lines of the summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from harness.gate.stopping import ALL_ASKED
from harness.reporting.rows import SequentialRow
from harness.wording import count

MOST_LINES = 4
"""So many suites get a line each; more share one."""


def sequential_lines(rows: Mapping[str, SequentialRow]) -> Iterator[str]:
    """Which suites stopped early and why; nothing if the run was not to stop early."""
    stopped = {suite: row for suite, row in rows.items() if row.why != ALL_ASKED}
    asked, of = (sum(getattr(row, name) for row in rows.values()) for name in ("asked", "of"))
    if rows and not stopped:
        yield f"sequential: no suite was decided early, so all {count(of, 'probe')} were asked"
    elif len(stopped) > MOST_LINES:
        reasons = Counter(row.why.partition(" ")[0] for row in stopped.values())
        shown = ", ".join(f"{number} {why}" for why, number in reasons.items())
        yield (
            f"sequential: {len(stopped)} of {count(len(rows), 'suite')} stopped early ({shown}); "
            f"{asked:,} of {count(of, 'probe')} were asked"
        )
    else:
        for suite, row in stopped.items():
            why = row.why.partition(" after ")[0]
            yield f"sequential: {suite} stopped after {row.asked:,} of {count(row.of, 'probe')} ({why})"
