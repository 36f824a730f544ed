"""(Probe, Answer) in, Score out. Pure: no model, no file."""

from harness.scoring import check, choice, number, structured, text
from harness.scoring.registry import SCORERS, scorer
from harness.scoring.score import Score, score

__all__ = ["SCORERS", "Score", "check", "choice", "number", "score", "scorer", "structured", "text"]
