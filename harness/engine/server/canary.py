"""Fixed prompts to a model in, exact log-probabilities out, by which it is known again.

Another model, revision, adapter, quantisation or chat template gives other digits, whatever name it is served under. So may the
same model on other hardware, or where a server rounds differently from day to day: then its answers are asked for again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.digest import digest
from harness.engine.requests import Chat, Message
from harness.engine.server.replies import Token

CHATS = (
    Chat((Message("user", "What is the capital of France, and which river flows through it?"),)),
    Chat((Message("system", "You answer in German."), Message("user", "Write one sentence about the sea."))),
    Chat(
        (
            Message("user", "Name a prime number."),
            Message("assistant", "Seven."),
            Message("user", "Name a larger one, and explain why it is prime."),
        )
    ),
)
TEXTS = (
    "The three primary colours are",
    "def fibonacci(n):\n    ",
    "Il y avait une fois, dans un petit village,",
)

TOKENS = 8
"""Tokens that a model writes to each."""

LIKELIEST = 5
"""Tokens at each place whose log-probabilities are looked at; OpenAI allows 20 in chats, 5 in completions."""

LEAST_DIFFERENT = 12
"""Different log-probabilities that tell a model; a server that rounds them all to a few values tells none."""

MOST_APART = 0.5
"""Nats by which the likeliest first tokens of one model on two servers may differ, on average."""


@dataclass(frozen=True)
class Canary:
    """The tokens that a model wrote to each prompt; empty where its server gives no log-probabilities."""

    rows: tuple[tuple[Token, ...], ...]

    @property
    def digest(self) -> str | None:
        """Equal only for models with the same digits; None if these tell none apart."""
        tokens = [token for row in self.rows for token in row]
        numbers = {number for token in tokens for number in (token.logprob, *token.top) if number is not None}
        if len(numbers) < LEAST_DIFFERENT or not all(map(math.isfinite, numbers)):
            return None
        return digest(
            [[[token.text, token.logprob, sorted(token.top)] for token in row] for row in self.rows]
        )

    def is_like(self, other: Canary) -> bool:
        """Whether another server may serve the same model: its first tokens are about as likely."""
        pairs = [
            (mine[0].logprob, yours[0].logprob)
            for mine, yours in zip(self.rows, other.rows, strict=False)
            if mine and yours
        ]
        apart = [abs(mine - yours) for mine, yours in pairs if mine is not None and yours is not None]
        return not apart or sum(apart) / len(apart) <= MOST_APART


def together(canaries: Sequence[Canary]) -> str | None:
    """The digest of a model on several servers; None if one of them gives no log-probabilities."""
    digests = [canary.digest for canary in canaries]
    known = sorted({found for found in digests if found is not None})
    if not known or None in digests:
        return None
    return known[0] if len(known) == 1 else digest(known)
