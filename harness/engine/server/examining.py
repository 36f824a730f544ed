"""A server in, what it can answer, how it wants to be asked and the digits of its model out, by asking it once each."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from harness.engine.requests import Generate
from harness.engine.server.calls import BadReply, Call
from harness.engine.server.canary import CHATS, LIKELIEST, TEXTS, TOKENS, Canary
from harness.engine.server.finding import TRANSFORMERS, Found, check_key, find, find_loaded
from harness.engine.server.fleet import Fleet, RefusedError
from harness.engine.server.reading import Read, Reader
from harness.engine.server.replies import Replies, Token, finite, message_of, text_of, tokens_of, usage_of
from harness.engine.server.scoring import Echo, echoed
from harness.engine.server.servers import Server
from harness.engine.server.writing import Dialect, generated, messages_of
from harness.errors import EngineError, ModelError
from harness.visible import visible

ReadTokens = Callable[[dict[str, Any], dict[str, Any]], list[Token]]
"""Takes the tokens from a reply and its choice."""

EXTRA: Mapping[str, Mapping[str, Any]] = {
    "vLLM": {"repetition_penalty": 1.0},
    "SGLang": {"repetition_penalty": 1.0},
    "llama.cpp": {"samplers": ["temperature"]},
    TRANSFORMERS: {"frequency_penalty": 0},  # a repetition penalty of 1
}
"""Parameters by kind, without which a server's or a model's own defaults would bend what is written."""

OPTIONAL = ("top_logprobs", "logprobs", "repetition_penalty", "samplers", "seed", "temperature")
"""Parameters that are left out where a server refuses them; a longer name before one that it contains."""

RENAMED = {"max_tokens": "max_completion_tokens"}

ECHOED = "One, two, three, four, five."

LETTER = "a"
"""A text of one or two tokens; with start and end tokens, and less than the shortest chat template writes, LETTER_TOKENS."""

LETTER_TOKENS = 3


@dataclass(frozen=True)
class Examined:
    """What a server can do.

    Attributes:
        chat, text: how /chat/completions and /completions want to be asked.
        no_chat, no_text, no_echo: why it answers none there, and gives no log-probabilities of prompts; None if it does.
        reasons: whether the model reasons before it answers.
        apart: whether the server gives reasoning apart from the answers of chats.
    """

    found: Found
    replies: Replies
    chat: Dialect
    text: Dialect
    no_chat: str | None
    no_text: str | None
    no_echo: str | None
    reasons: bool
    apart: bool
    canary: Canary


class Examination:
    """One server under examination.

    Args:
        reader: renders and tokenizes chats here; None leaves that to the server.
    """

    def __init__(self, fleet: Fleet, server: Server, reader: Reader | None) -> None:
        self.fleet = fleet
        self.server = server
        self.reader = reader
        self.reasons = self.apart = False
        self.rows: list[tuple[Token, ...]] = []

    async def result(self) -> Examined:
        """What the server can do.

        Raises:
            ModelError, EngineError: as `find`; or it answers nothing at all, or with another model.
        """
        self.found = found = await find(self.fleet, self.server)
        self.replies = Replies(found.model, self.fleet.ids)
        chat = text = Dialect(extra=EXTRA.get(found.kind, {}))
        no_chat = no_text = no_echo = None
        if self.reader is None:
            try:
                chat = await self._chats(chat)
            except RefusedError as error:
                no_chat = self._why_not(error)
                self.rows = [()] * len(CHATS)  # servers are compared prompt by prompt
        try:
            text = await self._texts(text)
        except RefusedError as error:
            no_text = no_echo = self._why_not(error)
        if no_chat and no_text:
            hint = "\n  the address of most servers ends in /v1" if no_chat.startswith(("404", "405")) else ""
            raise ModelError(
                f"{found.url}: the model '{visible(found.model)}' answers nothing\n  {no_chat}\n  {no_text}{hint}"
            )
        no_text = no_text or await self._why_no_text(text)
        no_echo = no_echo or no_text or await self._why_no_echo(text)
        return Examined(
            await find_loaded(self.fleet, self.server, found),
            self.replies,
            chat,
            text,
            no_chat,
            no_text,
            no_echo,
            self.reasons,
            self.apart,
            Canary(tuple(self.rows)),
        )

    def _why_not(self, error: RefusedError) -> str:
        check_key(error, self.found.url, self.fleet.address)
        return error.refusal.why

    async def _chats(self, dialect: Dialect) -> Dialect:
        given = {"max_tokens": TOKENS, "logprobs": True, "top_logprobs": LIKELIEST, **self._apart()}
        request = Generate(CHATS[0], TOKENS)

        def read(data: dict[str, Any], choice: dict[str, Any]) -> list[Token]:
            self.reasons |= generated(data, choice, request, None).reasoning is not None
            self.apart |= bool(message_of(choice)[1])
            return tokens_of(choice)

        asked = [{"messages": messages_of(chat), **given} for chat in CHATS]
        dialect = await self._written("chat/completions", dialect, asked, read)
        return replace(dialect, without=dialect.without - {"logprobs", "top_logprobs"})

    async def _texts(self, dialect: Dialect) -> Dialect:
        given = {"max_tokens": TOKENS, "logprobs": LIKELIEST, **self._apart()}

        def read(data: dict[str, Any], choice: dict[str, Any]) -> list[Token]:
            text_of(choice)
            return tokens_of(choice)

        for prompts in (TEXTS, await self._rendered_here()):
            asked = [{"prompt": prompt, **given} for prompt in prompts]
            dialect = await self._written("completions", dialect, asked, read)
        return replace(dialect, without=dialect.without - {"logprobs"})

    async def _rendered_here(self) -> list[Read]:
        """The fixed chats as the tokenizer here renders them; not those that its template rejects."""
        rendered: list[Read] = []
        if self.reader is None:
            return rendered
        for chat in CHATS:
            with suppress(EngineError):
                rendered.append(await self.reader.prompt(Generate(chat, TOKENS)))
        return rendered

    async def _written(
        self, path: str, dialect: Dialect, asked: Sequence[Mapping[str, Any]], read: ReadTokens
    ) -> Dialect:
        """Add what the model writes to prompts to its digits, nothing for one that is refused; raises RefusedError if the first is."""
        for values in asked:
            tokens: list[Token] = []
            try:
                tokens, dialect = await self._accepted(path, dialect, read, **values)
            except RefusedError:  # as a template does that takes no system message
                if values is asked[0]:
                    raise
            self.rows.append(tuple(tokens))
        return dialect

    async def _accepted(
        self, path: str, dialect: Dialect, read: ReadTokens, **values: Any
    ) -> tuple[list[Token], Dialect]:
        """What `read` makes of a reply and its choice, and the dialect in which the server takes the call; raises RefusedError."""
        while True:
            body = dialect.body(self.found.model, **values)

            def checked(data: dict[str, Any], body: dict[str, Any] = body) -> list[Token]:
                return read(data, self.replies.choice(data, body))

            try:
                return await self.fleet.ask(Call(path, body, checked), self.server), dialect
            except RefusedError as error:
                changed = (
                    _changed(dialect, body, error.refusal.why) if error.refusal.status in (400, 422) else None
                )
                if changed is None:
                    raise
                dialect = changed

    def _apart(self) -> dict[str, Any]:
        """Parameters that keep a server from using what it computed for an earlier run, which rounds differently."""
        match self.found.kind:
            case "vLLM":
                return {"cache_salt": uuid.uuid4().hex}
            case "llama.cpp":
                return {"cache_prompt": False}
        return {}

    async def _why_no_text(self, dialect: Dialect) -> str | None:
        """Why the server continues no text, though it answers: it makes a chat of it, as Ollama does; None if it does not."""
        if self.reader is not None:
            return None
        body = dialect.body(self.found.model, prompt=LETTER, max_tokens=1)

        def read(data: dict[str, Any]) -> int:
            self.replies.choice(data, body)
            return usage_of(data, "prompt_tokens") or 0

        tokens = await self.fleet.ask(Call("completions", body, read), self.server)
        if tokens <= LETTER_TOKENS:
            return None
        return f"it puts a text into the chat template ('{LETTER}' became {tokens} tokens)"

    async def _why_no_echo(self, dialect: Dialect) -> str | None:
        """Why the server gives no log-probabilities of prompts; None if it does."""
        if self.found.kind == "llama.cpp":
            return "llama.cpp does not repeat prompts"
        body = Echo(self.fleet, self.replies, dialect, self.found.model, divides=False).body(ECHOED)

        def read(data: dict[str, Any]) -> bool:
            choice = self.replies.choice(data, body)
            try:
                tokens = echoed(data, choice)
            except BadReply:
                return False
            return len(tokens) > 1 and finite(tokens[1:])

        try:
            repeats = await self.fleet.ask(Call("completions", body, read), self.server)
        except RefusedError as error:
            return error.refusal.why
        return None if repeats else f"{self.found.kind} gives no log-probabilities of prompts"


def _changed(dialect: Dialect, body: Mapping[str, Any], why: str) -> Dialect | None:
    """The dialect without what a server refuses, by its own words, or without all that can be; None if that is nothing."""
    for name, other in RENAMED.items():
        if name in body and other in why:
            return replace(dialect, renamed={**dialect.renamed, name: other})
    for name in OPTIONAL:
        if name in body and re.search(rf"\b{name}\b", why):
            return replace(dialect, without=dialect.without | {name})
    rest = {name for name in OPTIONAL if name in body} - {"temperature"}
    return replace(dialect, without=dialect.without | rest) if rest else None
