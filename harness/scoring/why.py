"""A probe and a score of it in, why the answer is wrong out, in a few words that are safe to show."""

from __future__ import annotations

from harness.engine.requests import Generated
from harness.normalise import answer_of
from harness.scoring.score import Score, says_something
from harness.scoring.word_order import LEAST_GAIN
from harness.suites.suite import Probe
from harness.visible import visible
from harness.wording import cut

MOST_CHARACTERS = 200


def why_wrong(probe: Probe, score: Score) -> str | None:
    """Why an answer is wrong; None if it is right, or its score cannot tell more than the answer shows.

    A score that raises here has judged the answer before, so nothing rests on it.
    """
    if score.right or not isinstance(score.answer, Generated) or probe.scorer.judges != "generate":
        return None
    reply, word_order = answer_of(score.answer.text), score.answer.word_order
    if not says_something(reply):
        return "its reasoning does not end" if says_something(score.answer.text) else "it says nothing"
    if probe.scorer.asks_order and word_order is not None and word_order < LEAST_GAIN:
        return f"its words stand in no order: {word_order:.2g} nats a word, and 'fluent' takes {LEAST_GAIN:g}"
    try:
        why = probe.scorer.why(reply, probe.answers)
    except KeyboardInterrupt:
        raise
    except BaseException:  # as a panic of a compiled library is
        return None
    return cut(visible(why[: 2 * MOST_CHARACTERS]), MOST_CHARACTERS) if isinstance(why, str) and why else None
