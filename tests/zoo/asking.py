"""What the models of the zoo are asked, and the kinds of engine that answer it."""

from __future__ import annotations

from harness.engine.requests import (
    Continuations,
    Generate,
    MultipleChoice,
    Plain,
    Request,
    RollingLogLikelihood,
)

BUDGETS = (48, 8192)
"""Tokens of a batch: less than the longest prompt, and more than all of them."""

PROMPTS = (
    "ab?",
    "The fox",
    "The fox sat on the mat. Who",
    "The fox sat on the mat. Who sat there?",
    "The fox sat on the mat. Who sat there? And why?",
    "The fox sat on the mat. Where was the old hen then? She was",
    "The hen ran.",
    "The hen saw.",
    "A row of other words, with a beginning that no other row has",
)
"""Of 3 to 60 tokens, with common beginnings at several depths; some are the beginning of others, and some of one length."""

REQUESTS: list[Request] = [
    *(Generate(Plain(prompt), 4) for prompt in PROMPTS),
    *(Generate(Plain(prompt), 16) for prompt in PROMPTS[::2]),
    *(MultipleChoice(Plain(prompt), ("x", "y", "!")) for prompt in PROMPTS),
    *(MultipleChoice(Plain(prompt), (" it was", " it is", " no", "s")) for prompt in PROMPTS),
    Continuations(tuple((Plain(prompt), prompt[-3:]) for prompt in PROMPTS)),
    RollingLogLikelihood("The fox sat on the mat. It was old."),
    RollingLogLikelihood("A text of fifty letters or so, which is read whole."),
]
