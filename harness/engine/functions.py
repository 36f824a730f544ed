"""A function from prompt to answer in, an Engine out: for models that run elsewhere, and for tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.engine.requests import (
    Answer,
    Chat,
    Generate,
    Generated,
    Progress,
    Prompt,
    Request,
    UnansweredError,
    cut_at_stop,
)
from harness.errors import EngineError, HarnessError, what_was_raised
from harness.suites.format import AnswerKind


class FunctionEngine:
    """An Engine that calls a function for text; of a chat, the function gets the content of the last turn.

    Args:
        identity: names the function's model and how it is asked, so that its answers can be kept (see `abilities.Identified`);
            None keeps none.
    """

    kinds: frozenset[AnswerKind] = frozenset({"generate"})

    def __init__(
        self, function: Callable[[str], str], label: str = "the given function", identity: str | None = None
    ) -> None:
        self.function = function
        self.label = label
        self.identity = identity

    def render(self, prompt: Prompt) -> str:
        return prompt.messages[-1].content if isinstance(prompt, Chat) else prompt.text

    def ask(self, requests: Sequence[Request], progress: Progress | None = None) -> list[Answer]:
        """Answer each request.

        Raises:
            EngineError: a request is not for text.
            UnansweredError: the function raised, or did not return text.
        """
        answers: list[Answer] = []
        for request in requests:
            if not isinstance(request, Generate):
                raise EngineError(f"{self.label}: can only write text")
            try:
                text = self.function(self.render(request.prompt))
            except (HarnessError, KeyboardInterrupt):
                raise
            except BaseException as error:  # sys.exit() and pytest.skip() too, which would decide the case
                raise UnansweredError(f"{self.label}: {what_was_raised(error)}", request) from error
            if not isinstance(text, str):
                raise UnansweredError(
                    f"{self.label}: must return text, returned {type(text).__name__}", request
                )
            answers.append(Generated(cut_at_stop(text, request.stop), len(text.split())))
            if progress:
                progress(len(answers), len(requests))
        return answers
