"""A request for text in, the body of a call out; its reply in, the text out without reasoning and stop texts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.engine.requests import Chat, Ended, Generate, Generated, Reasoning, cut_at_stop
from harness.engine.server.replies import message_of, text_of, usage_of
from harness.engine.transformers.reasoning import DEFAULT_TOKENS, SILENT, Mark, Marks, marks_in, split
from harness.suites.arguments import Arguments

MOST_STOPS = 4
"""Stop texts that every server takes; answers are cut at all of them here."""

TEMPLATE_HEAD = 2_000
"""Characters at the beginning of an answer in which a mark of reasoning is looked for."""


@dataclass(frozen=True)
class Dialect:
    """How a server wants to be asked.

    Attributes:
        without: parameters that it refuses.
        renamed: parameters that it takes under another name.
        extra: parameters of its kind alone.
    """

    without: frozenset[str] = frozenset()
    renamed: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    def body(self, model: str, **values: Any) -> dict[str, Any]:
        """The body of a call, greedy, whose answer is as the model alone gives it."""
        whole = {"model": model, "temperature": 0, "seed": 0, **self.extra, **values}
        taken = {name: value for name, value in whole.items() if name not in self.without}
        return {self.renamed.get(name, name): value for name, value in taken.items()}


def messages_of(chat: Chat) -> list[dict[str, str]]:
    """A chat as a server takes it."""
    return [{"role": turn.role, "content": turn.content} for turn in chat.messages]


def arguments_of(arguments: Arguments) -> dict[str, Any]:
    """The parameter for the arguments of a chat template; nothing without any."""
    values = {name: json.loads(value) for name, value in arguments}
    return {"chat_template_kwargs": values} if values else {}


def limits_of(request: Generate, reasons: bool, inside: Mark | None = None) -> dict[str, Any]:
    """The parameters that end an answer.

    Reasoning has its own limit, which servers do not know: both together are theirs. A stop text in the reasoning would end it,
    so it is left to `generated` there.

    Args:
        reasons: whether the model reasons before it answers a chat, if the template lets it.
        inside: the mark of the reasoning that the prompt leaves open.
    """
    prompt = request.prompt
    expected = reasons and isinstance(prompt, Chat) and SILENT not in prompt.arguments
    thinking = (request.thinking_tokens or DEFAULT_TOKENS) if expected or inside else 0
    stop = list(request.stop[:MOST_STOPS])
    return {"max_tokens": request.max_new_tokens + thinking} | (
        {"stop": stop} if stop and not thinking else {}
    )


def generated(
    data: Mapping[str, Any],
    choice: Mapping[str, Any],
    request: Generate,
    known: Sequence[Mark] | None,
    inside: Mark | None = None,
) -> Generated:
    """The answer of a reply.

    Args:
        known: how the model's template marks reasoning; None if that is not known.
        inside: the mark of the reasoning that the prompt leaves open, unless the server gives reasoning apart.

    Raises:
        BadReply: it has no text.
    """
    if "message" in choice:
        text, thought = message_of(choice)
    else:
        text, thought = text_of(choice), ""
    finish = choice.get("finish_reason")
    if thought:
        reasoning, answer, closed = thought, text.lstrip(), bool(text.strip()) or finish != "length"
    else:
        if known is None and inside:
            known = [inside]
        parts = split(text, Marks(tuple(known)) if known is not None else _marks_at(text), inside)
        reasoning, answer, closed = parts.reasoning, parts.answer, parts.closed
    whole = cut_at_stop(answer, request.stop)
    spent = usage_of(data, "completion_tokens")
    tokens = len(text.split()) + len(thought.split()) if spent is None else spent
    of_reasoning = _reasoning_tokens(data, tokens, reasoning, answer)
    return Generated(
        whole,
        max(0, tokens - of_reasoning),
        "stop" if len(whole) < len(answer) else _ended(finish, choice, request),
        Reasoning(reasoning, of_reasoning, closed) if reasoning else None,
    )


def _ended(finish: Any, choice: Mapping[str, Any], request: Generate) -> Ended | None:
    if finish == "length":
        return "limit"
    if finish not in ("stop", "eos", "eos_token", "stop_sequence"):
        return None
    if isinstance(choice.get("stop_reason"), str) or finish == "stop_sequence":
        return "stop"
    return "turn" if not request.stop or "stop_reason" in choice else None


def _reasoning_tokens(data: Mapping[str, Any], tokens: int, reasoning: str, answer: str) -> int:
    """How many tokens are reasoning: as the server says, else by its share of the characters."""
    if not reasoning:
        return 0
    usage = data.get("usage")
    details = usage.get("completion_tokens_details") if isinstance(usage, dict) else None
    told = details.get("reasoning_tokens") if isinstance(details, dict) else None
    if type(told) is int and 0 < told <= tokens:
        return told
    return round(tokens * len(reasoning) / (len(reasoning) + len(answer)))


def _marks_at(text: str) -> Marks:
    """The mark of reasoning that a text begins with, or whose end it has without a beginning, as after a template that opens it."""
    begins = text.lstrip()
    for mark in marks_in([text[:TEMPLATE_HEAD]]):
        if begins.startswith(mark.opens):
            return Marks((mark,))
    for mark in marks_in([text]):
        opens, closes = text.find(mark.opens), text.find(mark.closes)
        if closes >= 0 and not 0 <= opens < closes:
            return Marks((mark,))
    return Marks()
