"""Pair scores, compare them and reach a verdict: Scores in, Comparisons and Decisions out."""
