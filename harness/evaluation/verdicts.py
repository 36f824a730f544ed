"""Answers in, their scores out, of which an engine that remembers judges each once.

Whether a text is right follows from the text, the score and the code that judges, so a verdict is kept under all three. A user's
own scores, and tasks of lm-evaluation-harness, run code that may change at any time, so they judge anew in every run.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from harness.digest import bytes_digest, digest
from harness.engine.abilities import Remembers
from harness.engine.requests import Answer, Engine, Generated
from harness.scoring import BUILT_IN
from harness.scoring.python import Python
from harness.scoring.registry import registered_in
from harness.scoring.score import Score
from harness.suites.composed import simple
from harness.suites.scorer import Scorer
from harness.suites.suite import Probe
from harness.versions import code_digest

ROOMS = ("normalise", "bounded", "suites", "scoring")
"""Where the code is that judges."""

DECIDING = (*ROOMS, "stats", "gate", "evaluation")
"""Where the code is that judges, and decides by that."""


def scores_of(
    probes: Sequence[Probe],
    answers: Mapping[str, Answer],
    judge: Callable[[Probe], Score],
    engine: Engine | None,
    **how: bool,
) -> dict[str, Score]:
    """The scores of answers, by probe id; raises what `judge` raises.

    Args:
        judge: judges the answer to a probe.
        engine: keeps verdicts, if it can; None to judge all.
        how: what `judge` was told besides.
    """
    lasting: dict[str, tuple[Probe, Generated]] = {
        probe.id: (probe, answer)
        for probe in probes
        if isinstance(answer := answers[probe.id], Generated) and is_built_in(probe.scorer)
    }
    if not isinstance(engine, Remembers) or not lasting:
        return {probe.id: judge(probe) for probe in probes}
    scores: dict[str, Score] = {}

    def verdicts() -> list[bool | None]:
        found = []
        for probe, _ in lasting.values():
            began = time.monotonic()
            scores[probe.id] = judge(probe)
            found.append(scores[probe.id].right if _lasts(probe, scores[probe.id], began) else None)
        return found

    judged = [_content(probe, answer) for probe, answer in lasting.values()]
    kept = engine.remember(["verdicts", code_digest(*ROOMS), how, judged], verdicts)
    for (probe, answer), right in zip(lasting.values(), kept, strict=True):
        if probe.id not in scores and right is not None:
            scores[probe.id] = Score(right, answer.text, answer)
    return {probe.id: scores[probe.id] if probe.id in scores else judge(probe) for probe in probes}


def deciding_code(probes: Iterable[Probe]) -> str:
    """Equal where the same code decides: ours, and that of the files that register a user's own scores."""
    own = {scorer.name for probe in probes for scorer in simple(probe.scorer) if not is_built_in(scorer)}
    files = {place for name in own if (place := registered_in(name)) is not None and place.is_file()}
    return digest(code_digest(*DECIDING), sorted(map(bytes_digest, files)))


def is_built_in(scorer: Scorer) -> bool:
    """Whether a score, with all that it is made of, ships with the harness."""
    return all(BUILT_IN.get(each.name) is type(each) for each in (scorer, *simple(scorer)))


def _content(probe: Probe, answer: Generated) -> list[object]:
    """All that a verdict depends on besides the code that judges."""
    written = {probe.scorer.name: probe.scorer.written()}
    return [written, list(probe.answers), answer.text, answer.word_order]


def _lasts(probe: Probe, score: Score, began: float) -> bool:
    """Whether another run would find the same: code that ran out of time may only have met a busy machine."""
    timeouts = [each.timeout for each in simple(probe.scorer) if isinstance(each, Python)]
    return score.right or time.monotonic() - began < min(timeouts, default=math.inf)
