"""A request in, what its model reads out: as the server renders and tokenizes it, or as a tokenizer here does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from harness.engine.requests import (
    Chat,
    ChatText,
    Continuations,
    Generate,
    MultipleChoice,
    Plain,
    Prompt,
    Request,
    RollingLogLikelihood,
    Scored,
)
from harness.engine.server.calls import BadReply, Call
from harness.engine.server.canary import CHATS
from harness.engine.server.finding import Found
from harness.engine.server.fleet import Fleet, RefusedError
from harness.engine.server.writing import arguments_of, messages_of
from harness.engine.transformers.reasoning import SILENT, Mark, Marks, marks_in
from harness.suites.arguments import Arguments

if TYPE_CHECKING:
    from harness.engine.transformers.prompting import Prompting

Read = str | list[int]
"""What is sent to a server: a text that it tokenizes, or the tokens."""

RENDERS = ("vLLM", "llama.cpp")
"""Kinds of servers that show what their chat template makes of a chat."""

LONGEST_MARK = 100
"""Characters at the end of a prompt in which a mark of reasoning is looked for."""


@dataclass(frozen=True)
class Part:
    """What is to be scored: the end of `whole`, after `context`.

    Attributes:
        special: whether the server puts before a text what its tokenizer puts before one.
    """

    context: Read
    whole: Read
    special: bool = True


class Reader(Protocol):
    """What a model reads."""

    async def prompt(self, request: Generate) -> Read:
        """What an answer continues."""
        ...

    async def parts(self, request: Scored) -> list[Part]:
        """What is scored, one part after another."""
        ...

    async def shown(self, prompt: Prompt) -> str:
        """The text of a prompt."""
        ...

    async def inside(self, prompt: Prompt) -> Mark | None:
        """The mark of the reasoning that a prompt leaves open; None if it leaves none open, or that is not shown."""
        ...


class ServerReader:
    """Lets the server tokenize and, for choices in a chat, render its template; answers in a chat need neither."""

    def __init__(self, fleet: Fleet, found: Found, reasons: bool) -> None:
        self.fleet = fleet
        self.found = found
        self.reasons = reasons
        self._opening: dict[Arguments, bool] = {}

    async def prompt(self, request: Generate) -> Read:
        return await self.shown(request.prompt)

    async def parts(self, request: Scored) -> list[Part]:
        match request:
            case RollingLogLikelihood(text=text):
                return [Part("", text)]
            case MultipleChoice(prompt=prompt, continuations=continuations):
                text = await self._before_choice(prompt)
                special = isinstance(prompt, Plain)
                return [_divided(text, continuation, special) for continuation in continuations]
            case Continuations(pairs=pairs):
                texts = [await self.shown(prompt) for prompt, _ in pairs]
                return [
                    _divided(text, continuation, isinstance(prompt, Plain))
                    for text, (prompt, continuation) in zip(texts, pairs, strict=True)
                ]

    async def shown(self, prompt: Prompt) -> str:
        if isinstance(prompt, Plain):
            return prompt.text
        text = await self._rendered(prompt)
        return text + prompt.begun if isinstance(prompt, ChatText) else text

    async def inside(self, prompt: Prompt) -> Mark | None:
        if isinstance(prompt, Plain | ChatText) or await self._opens(prompt.arguments):
            return left_open(await self.shown(prompt))
        return None

    async def _opens(self, arguments: Arguments) -> bool:
        """Whether the template opens reasoning with these arguments, if no turn of a chat says otherwise."""
        if self.found.kind not in RENDERS:
            return False
        if arguments not in self._opening:
            try:
                shown = await self.shown(Chat(CHATS[0].messages, arguments))
            except RefusedError:
                shown = ""
            self._opening[arguments] = left_open(shown) is not None
        return self._opening[arguments]

    async def _before_choice(self, prompt: Prompt) -> str:
        """The text that choices continue: a chat with its reasoning suppressed, or closed where the template opens it."""
        if isinstance(prompt, Plain):
            return prompt.text
        template = self.found.template
        silences = SILENT[0] in template if template else self.reasons
        if silences and SILENT[0] not in dict(prompt.arguments):
            prompt = replace(prompt, arguments=tuple(sorted([*prompt.arguments, SILENT])))
        text = (await self.shown(prompt)).rstrip()
        if (mark := left_open(text)) is not None:
            return f"{text}\n\n{mark.closes}\n\n"
        return await self.shown(prompt)

    async def _rendered(self, chat: Chat) -> str:
        given: dict[str, Any] = {"messages": messages_of(chat), **arguments_of(chat.arguments)}
        if self.found.kind == "llama.cpp":
            return await self.fleet.ask(Call("/apply-template", given, _prompt))
        named = {"model": self.found.model}
        asked = {**named, **given, "add_generation_prompt": True}
        tokens = await self.fleet.ask(Call("/tokenize", asked, listed_tokens))
        return await self.fleet.ask(Call("/detokenize", {**named, "tokens": tokens}, _prompt))


class TokenizerReader:
    """Renders and tokenizes here, as the transformers engine does."""

    def __init__(self, prompting: Prompting) -> None:
        self.prompting = prompting

    async def prompt(self, request: Generate) -> Read:
        return self.prompting.tokens(request)

    async def parts(self, request: Scored) -> list[Part]:
        return [Part(context, [*context, *rest]) for context, rest in self.prompting.pairs(request)]

    async def shown(self, prompt: Prompt) -> str:
        return self.prompting.render(prompt)

    async def inside(self, prompt: Prompt) -> Mark | None:
        return self.prompting.inside(prompt)


def bytes_of(request: Request) -> int:
    """The length of what is read for a request: at most so many tokens, but for those of a template."""
    match request:
        case RollingLogLikelihood(text=text):
            texts = [text]
        case Generate(prompt=prompt):
            texts = [_said(prompt)]
        case MultipleChoice(prompt=prompt, continuations=continuations):
            texts = [_said(prompt) + continuation for continuation in continuations]
        case Continuations(pairs=pairs):
            texts = [_said(prompt) + continuation for prompt, continuation in pairs]
    return max(len(text.encode(errors="replace")) for text in texts)


def _said(prompt: Prompt) -> str:
    return prompt.text if isinstance(prompt, Plain) else "".join(turn.content for turn in prompt.messages)


def left_open(text: str) -> Mark | None:
    """The mark of reasoning that a prompt ends with; None without one."""
    return Marks(tuple(marks_in([text[-LONGEST_MARK:]]))).opened_by(text)


def _divided(text: str, continuation: str, special: bool) -> Part:
    """A prompt and a continuation, to which white space at the end of the prompt belongs."""
    context = text.rstrip()
    return Part(context, text + continuation, special)


def _prompt(data: Mapping[str, Any]) -> str:
    if not isinstance(text := data.get("prompt"), str):
        raise BadReply("the reply has no 'prompt'")
    return text


def listed_tokens(data: Mapping[str, Any]) -> list[int]:
    """The tokens that a reply lists; raises BadReply if they are none."""
    tokens = data.get("tokens")
    if not isinstance(tokens, Sequence) or not all(type(token) is int for token in tokens):
        raise BadReply("the reply has no tokens")
    return list(tokens)
