"""(Probe, Answer) in, Score out. Pure: no model, no file, but for `python`, which runs what a model wrote."""

from collections.abc import Mapping
from types import MappingProxyType

from harness.scoring import check, choice, number, python, structured, text
from harness.scoring.registry import SCORERS, load_scorers, scorer
from harness.scoring.score import Score, score
from harness.suites.scorer import Scorer

BUILT_IN: Mapping[str, type[Scorer]] = MappingProxyType(dict(SCORERS))
"""The scores that come with the harness: the modules above have registered theirs, and nobody else could yet."""

__all__ = [
    "BUILT_IN", "SCORERS", "Score", "Scorer", "check", "choice", "load_scorers", "number", "python", "score", "scorer",
    "structured", "text",
]  # fmt: skip
