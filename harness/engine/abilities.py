"""What an engine may do beyond the contract: whoever makes use of it asks by `isinstance`, and does without otherwise."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from harness.engine.batching import Budget
from harness.engine.requests import Prompt, Request


@runtime_checkable
class Tokenizes(Protocol):
    """An engine that can say what tokens its model reads, by number and as its tokenizer writes them."""

    def request_tokens(self, request: Request) -> list[list[int]]:
        """One row of tokens for each continuation, or for the one text that is read."""
        ...

    def request_pieces(self, request: Request) -> list[str]:
        """The same, one row after another, as text."""
        ...


@runtime_checkable
class Reads(Protocol):
    """An engine that can say what its model reads of a prompt, as tokens and as text with the special ones.

    `choosing` is for where a choice is scored, which in a chat comes after any reasoning.
    """

    def tokens(self, prompt: Prompt, choosing: bool = False) -> list[int]: ...

    def reading(self, prompt: Prompt, choosing: bool = False) -> str: ...


@runtime_checkable
class Templated(Protocol):
    """An engine that can say which names its chat template takes from outside; None where it has none."""

    @property
    def template_names(self) -> frozenset[str] | None: ...


@runtime_checkable
class Reasons(Protocol):
    """An engine that can say whether its model marks what it thinks before it answers."""

    @property
    def marks_reasoning(self) -> bool: ...


@runtime_checkable
class Batches(Protocol):
    """An engine that reads several requests at once, as many as its budget of tokens holds."""

    budget: Budget
