"""The servers of a model: which of them may be asked now, and which is left out."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from harness.engine.server.calls import Failure

FIRST_PAUSE = 0.25
"""Seconds that a server is left alone after its first failure; twice that after each further one in a row."""

LONGEST_PAUSE = 30.0
LONGEST_WAIT = 600.0
"""Seconds that a server may ask to be left alone before it answers again; one that asks for more is left out."""

ALONE = frozenset({"dropped", "slow", "unreadable"})
"""Failures that say little about the next request, unless they follow each other."""

LEAST_FAILURES = 3
"""Failures in a row before a server is left out, however long they took."""


@dataclass
class Server:
    """A server, how it does, and how much it may be sent at once.

    A server that has too much to do gets half as much at once, and one more after each that it answers, as TCP does for a
    network (additive increase, multiplicative decrease: Chiu and Jain 1989).

    Attributes:
        ceiling: requests that it may be sent at once, at most.
        busy: requests that it was sent and has not answered.
        resumes: when it may be asked again, on the clock of `time.monotonic`.
        fault: why it is left out; None while it is not.
    """

    url: str
    ceiling: int
    busy: int = 0
    resumes: float = 0.0
    fault: str | None = None
    window: float = field(init=False)
    _failures: int = 0
    _failed: float = float("-inf")
    _failing_since: float = 0.0
    _left_alone: float = 0.0

    def __post_init__(self) -> None:
        self.window = float(self.ceiling)

    @property
    def has_room(self) -> bool:
        """Whether it may be sent one more."""
        return self.fault is None and self.busy < int(self.window)

    def succeeded(self) -> None:
        """Note an answer."""
        self._failures = 0
        self.window = min(float(self.ceiling), self.window + 1 / self.window)

    def failed(self, failure: Failure, sent: float, now: float, patience: float) -> str | None:
        """Note a failure; of several requests that were underway together, the first counts.

        Args:
            sent: when the request was sent.
            patience: seconds of failures alone after which the server is to be left out, without those that it asked to be
                left alone.

        Returns:
            Why the server is to be left out; None if it is not.
        """
        if sent <= self._failed:
            return None
        self._failed = now
        if not self._failures:
            self._failing_since, self._left_alone = sent, 0.0
        self._failures += 1
        if failure.kind == "limit":
            self.window = max(1.0, self.window / 2)
        lasted = now - self._failing_since - self._left_alone
        asked = self._left_alone + (failure.wait or 0.0)
        alone = (failure.wait or 0.0) * random.uniform(1.0, 1.1)
        self._left_alone += alone
        self.resumes = now + max(alone, self._pause(failure))
        if asked > LONGEST_WAIT:
            return f"{failure.why} (it asks to be left alone for {asked:,.0f} seconds)"
        if self._failures >= LEAST_FAILURES and lasted >= patience:
            return f"{failure.why} ({self._failures} failures and no answer in {lasted:.0f} seconds)"
        return None

    def _pause(self, failure: Failure) -> float:
        """Seconds to leave it alone if it asks for fewer: longer each time; with jitter, so that clients spread."""
        if self._failures == 1 and failure.kind in ALONE:
            return 0.0
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self._failures - 1, 16))
        return longest * random.uniform(0.5, 1.0)
