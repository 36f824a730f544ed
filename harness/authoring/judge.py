"""A probe and a made-up reply in, what the probe's own score says of it out; scores that keep failing are asked no more."""

from __future__ import annotations

from harness.engine.requests import Generated
from harness.errors import ScorerError
from harness.scoring.score import score
from harness.suites.suite import Probe

MOST_FAILURES = 10
"""So many failures of a suite's scores are enough: each may take its whole limit of time."""


class Judge:
    """The scores of one suite, and how often they may still fail."""

    def __init__(self) -> None:
        self.left = MOST_FAILURES

    def __call__(self, probe: Probe, text: str) -> bool | None:
        """Whether a reply is right, but for the word order that `fluent` asks a model for; None if the score fails on it, would run code, or has failed too often."""
        if not self.left:
            return None
        try:
            return score(probe, Generated(text, 1), by_rule=True).right
        except ScorerError:
            self.left -= 1
            return None
