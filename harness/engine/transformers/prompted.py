"""What engines have in common that read the same prompts: they differ in what computes, not in what is read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.engine.abilities import Done
from harness.engine.requests import Answer, Generate, MultipleChoice, Progress, Prompt, Request
from harness.engine.streaming import ask_by_stream

if TYPE_CHECKING:
    from harness.engine.transformers.prompting import Prompting


class Prompted(ABC):
    """An engine whose requests are read by a Prompting and its tokenizer; it answers them in `stream`."""

    prompting: Prompting
    tokenizer: Any

    def render(self, prompt: Prompt) -> str:
        """The text of a prompt; a chat goes through the chat template, up to where the answer begins.

        Raises:
            EngineError: the model has no chat template, or its template refuses the chat.
            ModelError: the template exceeds its limits of time or memory.
        """
        return self.prompting.render(prompt)

    @property
    def template_names(self) -> frozenset[str] | None:
        """The variables that the chat template reads, arguments among them; None without a template."""
        return self.prompting.template.names if self.tokenizer.chat_template else None

    @property
    def marks_reasoning(self) -> bool:
        """Whether the chat template or the vocabulary marks reasoning before an answer."""
        return bool(self.prompting.marks)

    def tokens(self, prompt: Prompt, choosing: bool = False) -> list[int]:
        """The tokens that the model reads for a prompt, up to where it answers.

        Args:
            choosing: up to where a choice is scored, which in a chat is after any reasoning.
        """
        return self.prompting.tokens(MultipleChoice(prompt, ()) if choosing else Generate(prompt, 1))

    def reading(self, prompt: Prompt, choosing: bool = False) -> str:
        """The same as text, special tokens included."""
        return self.prompting.decode(self.tokens(prompt, choosing))

    def request_tokens(self, request: Request) -> list[list[int]]:
        """All tokens that the model reads for a request, one row for each continuation."""
        return self.prompting.rows(request)

    def request_pieces(self, request: Request) -> list[str]:
        """The same as the tokenizer spells its tokens, so that two vocabularies can be compared."""
        rows = self.request_tokens(request)
        return [str(piece) for row in rows for piece in self.tokenizer.convert_ids_to_tokens(row)]

    def ask(self, requests: Sequence[Request], progress: Progress | None = None) -> list[Answer]:
        """Answer each request, in order; equal requests are computed once. Raises as `stream`."""
        return ask_by_stream(self, requests, progress)

    @abstractmethod
    def stream(self, requests: Sequence[Request], done: Done) -> None:
        """See `abilities.Streams`."""
