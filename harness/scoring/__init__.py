"""Judge answers: a probe and an answer in, a Score out. Pure, except for `python`, which runs code in the answer."""

from collections.abc import Mapping
from types import MappingProxyType

from harness.scoring import check, choice, composed, number, python, refusal, structured, text
from harness.scoring.registry import SCORERS, load_scorers, scorer
from harness.scoring.score import Score, score
from harness.suites.scorer import Scorer

BUILT_IN: Mapping[str, type[Scorer]] = MappingProxyType(dict(SCORERS))
"""The scores that ship: at this point, only the modules above have registered any."""

__all__ = [
    "BUILT_IN", "SCORERS", "Score", "Scorer", "check", "choice", "composed", "load_scorers", "number", "python", "refusal", "score",
    "scorer", "structured", "text",
]  # fmt: skip
