"""Evaluations of the Python API, and the questions behind them."""

from __future__ import annotations

import json

from harness import evaluate_general_qa

QUESTIONS = [
    {"question": "What is the capital of France?", "answer": "Paris", "category": "geography"},
    {"question": "What is the capital of Japan?", "answer": ["Tokyo", "Tōkyō"], "category": "geography"},
    {"question": "What is 15 multiplied by 7?", "answer": 105, "category": "math"},
    {"question": "Who wrote Hamlet?", "answer": "Shakespeare"},
]


GOOD = {"What is the capital of France?": "It is PARIS.", "What is the capital of Japan?": "Tōkyō",
        "What is 15 multiplied by 7?": "105", "Who wrote Hamlet?": "William Shakespeare"}  # fmt: skip


def numbers(correct, total, **categories):
    """An evaluation as it is read back from a file."""
    return {
        "correct": correct, "total": total, "overall_accuracy": correct / total,
        "by_category": {name: {"correct": c, "total": t, "accuracy": c / t} for name, (c, t) in categories.items()},
    }  # fmt: skip


def counts(evaluation):
    """What an evaluation counted, without its evidence."""
    return {key: evaluation[key] for key in ("correct", "total", "overall_accuracy", "by_category")}


def read_back(evaluation):
    """An evaluation from the file that it was stored in."""
    return json.loads(json.dumps(evaluation))


def asked_twice(before, after=None, n=30):
    """Two evaluations of n questions, of which the first so many are right before, and so many after."""
    questions = [{"question": f"Q{i}?", "answer": "yes"} for i in range(n)]
    known = {f"Q{i}?": i for i in range(n)}
    return [
        evaluate_general_qa(lambda prompt, right=right: "yes" if known[prompt] < right else "no", questions)
        for right in (before, before if after is None else after)
    ]


ONE = {"id": "a", "question": "Q?", "answer": "yes"}
