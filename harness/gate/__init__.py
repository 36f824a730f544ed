"""Scores in, Comparisons and Verdicts out."""
