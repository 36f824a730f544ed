"""The judgement of a battery of replies in, what is wrong with a suite's scores out."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from harness.authoring.battery import Judged, battery, tallies
from harness.authoring.findings import Finding
from harness.suites.suite import Suite
from harness.suites.weakness import MEANINGS
from harness.wording import one_line

SHOWN = 100
"""Characters of a reply that a warning quotes."""


def battery_findings(suite: Suite, given_away: Collection[str]) -> Iterator[Finding]:
    """Replies that the scores of a suite misjudge: one finding for each kind of reply and probe.

    Args:
        given_away: ids of probes known to hold their answer, of which a repeated question says nothing new.
    """
    for tally in tallies(battery(suite)):
        for judged in tally.judged:
            if not judged.as_expected and not (
                tally.kind in ("echo", "narrow") and judged.probe.id in given_away
            ):
                yield _finding(judged)


def _finding(judged: Judged) -> Finding:
    kind, probe = judged.reply.kind, judged.probe
    says = {True: "judges right", False: "judges wrong", None: "fails on"}[judged.right]
    remedy = {
        None: "a reply like this ends a run with an error",
        True: "a model that knows nothing could pass",
        False: "a model that writes its answers in this way would seem to have forgotten them",
    }[judged.right]
    return Finding.of(
        probe,
        kind,
        f"the score of the probe '{probe.id}' {says} {MEANINGS[kind]}: {one_line(judged.reply.text, SHOWN)}",
        f"{remedy}; change the score or the question, or give the reason under 'lint_ignore: {{{kind}: ...}}'",
    )
