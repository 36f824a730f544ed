"""(Probe, Answer) in, Score out. Pure: no model, no file, but for `python`, which runs what a model wrote."""

from harness.scoring import check, choice, number, python, structured, text
from harness.scoring.registry import SCORERS, load_scorers, scorer
from harness.scoring.score import Score, score
from harness.suites.scorer import Scorer

__all__ = [
    "SCORERS", "Score", "Scorer", "check", "choice", "load_scorers", "number", "python", "score", "scorer",
    "structured", "text",
]  # fmt: skip
