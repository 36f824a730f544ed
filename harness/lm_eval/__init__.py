"""Tasks of lm-evaluation-harness, built and scored by the installed package `lm-eval`, which is imported only when used.

definition  what a suite says of a task
code        the Python that a task would run, with its places
within      the circumstances in which the package runs: quiet, seeded, its data and templates confined
build       a definition -> the documents of its tasks, each with what it asks
results     the answers to a document -> its metrics
"""
