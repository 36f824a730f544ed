"""Keeps answers, so that no model is asked the same request twice."""
