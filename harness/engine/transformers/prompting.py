"""Prompts as a model reads them, by its tokenizer and chat template: as text, as tokens, and how its answers end."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import Any

from harness.bounded.jinja import TemplateError
from harness.engine.requests import (
    Chat,
    ChatText,
    Continuations,
    Ended,
    Generate,
    MultipleChoice,
    Plain,
    Prompt,
    Request,
    RollingLogLikelihood,
    Scored,
)
from harness.engine.transformers.marking import generation_prompt, marks_of, template_of
from harness.engine.transformers.reasoning import DEFAULT_TOKENS, SILENT, Mark
from harness.engine.transformers.tokenizing import (
    TurnEnd,
    bounded,
    encode,
    render,
    special_token,
    special_tokens,
    turn_end,
)
from harness.engine.transformers.writing import Limits, Ways, Writing
from harness.errors import EngineError
from harness.spelling import option
from harness.suites.arguments import Arguments

MOST_KEPT = 16_384
"""Prompts whose rendered text and texts whose tokens are cached: those of a large suite, which one step after another goes through."""

Pair = tuple[list[int], list[int]]
"""The tokens of a context, and of the continuation whose log-likelihood is wanted."""


def may_be_cut(request: Request) -> bool:
    """Whether a request is made to fit the model's context."""
    match request:
        case Generate(prompt=ChatText() | Plain(may_cut=True)) | Continuations():
            return True
    return isinstance(request, RollingLogLikelihood) and request.windows


class Prompting:
    """What a model reads for a request, and how its answer is read.

    Args:
        label: the name of the model in errors.
        end_tokens: the tokens that end its turns, by its config.
        context: the most tokens that it reads, for requests that are made to fit; None for any number.

    Raises:
        ModelError: the chat template exceeds its limits of time or memory.
    """

    def __init__(
        self, tokenizer: Any, label: str, end_tokens: Sequence[int], context: int | None = None
    ) -> None:
        self.tokenizer = tokenizer
        self.label = label
        self.context = context
        with bounded(label):
            self.template = template_of(tokenizer)
            self.marks = marks_of(tokenizer, self.template)
            self.end_tokens = tuple(dict.fromkeys([*end_tokens, *turn_end(tokenizer).tokens]))
        self._text: Callable[[Prompt], str] = lru_cache(MOST_KEPT)(self._rendered)
        self._encoded: Callable[[str, bool], array[int]] = lru_cache(MOST_KEPT)(
            lambda text, special: array(
                "I", encode(tokenizer, text, special)
            )  # a list takes ten times as much
        )
        self._turn_end: Callable[[Arguments], TurnEnd] = lru_cache(lambda given: turn_end(tokenizer, given))
        self._begins: Callable[[Arguments], str] = lru_cache(
            lambda given: generation_prompt(tokenizer, given)
        )

    # Text

    def render(self, prompt: Prompt) -> str:
        """The text of a prompt; a chat goes through the chat template, up to where the answer begins.

        Raises:
            EngineError: the tokenizer has no chat template, or its template refuses the chat.
            ModelError: the template exceeds its limits of time or memory.
        """
        return self._text(prompt)

    def _rendered(self, prompt: Prompt) -> str:
        if isinstance(prompt, Plain):
            return prompt.text
        if not self.tokenizer.chat_template:
            raise EngineError(
                f"{self.label}: its tokenizer has no chat template, but the suite's format is chat\n"
                f"  write 'format: text' in the suite's task, use the other model's template ({option('template')}), or write one "
                "beside the tokenizer: chat_template.jinja"
            )
        messages = [{"role": turn.role, "content": turn.content} for turn in prompt.messages]
        try:
            with bounded(self.label):
                text = render(self.tokenizer, messages, arguments=prompt.arguments)
            return text + prompt.begun if isinstance(prompt, ChatText) else text
        except TemplateError as error:
            raise EngineError(
                f"{self.label}: its chat template rejects this chat "
                f"({', '.join(turn.role for turn in prompt.messages)}): {error}"
            ) from error

    def before_choice(self, prompt: Prompt) -> str:
        """The text that choices continue: a chat, with its reasoning block empty or closed; a plain prompt unchanged.

        Templates that can write the empty block do; a block that a template opens is closed.
        """
        if isinstance(prompt, Plain):
            return prompt.text
        if SILENT[0] in self.template.names and SILENT[0] not in dict(prompt.arguments):
            prompt = replace(prompt, arguments=tuple(sorted([*prompt.arguments, SILENT])))
        text = self.render(prompt)
        if (mark := self.inside(prompt)) is not None:
            text = f"{text.rstrip()}\n\n{mark.closes}\n\n"
        return text + self.marks.header

    def shown(self, request: Request) -> str:
        """The text that the model reads for a request, up to where it answers."""
        match request:
            case Generate():
                return self.render(request.prompt)
            case MultipleChoice():
                return self.before_choice(request.prompt)
            case Continuations():
                return self.render(request.pairs[0][0])
            case RollingLogLikelihood():
                return request.text

    # Reasoning

    def inside(self, prompt: Prompt) -> Mark | None:
        """The mark of the reasoning block that a prompt leaves open; None if it leaves none open."""
        if not self.marks:
            return None
        text = self.render(prompt)
        if (mark := self.marks.opened_by(text)) is not None:
            return mark
        begins = self._begins(prompt.arguments) if isinstance(prompt, Chat) else ""
        return self.marks.left_open(begins) if begins and text.endswith(begins) else None

    def limits(self, request: Generate, length: int, context: int | None) -> Limits:
        """The most tokens of an answer and of its reasoning.

        Reasoning has a limit of its own if the request gives one, or if the template opens or marks reasoning. If the
        prompt closes it, or only the vocabulary has marks, it shares the answer's limit.

        Args:
            length: tokens of the prompt.
            context: the most tokens that the model reads.
        """
        answer, thinking = request.max_new_tokens, request.thinking_tokens
        if thinking is None and self._expects_reasoning(request.prompt):
            room = DEFAULT_TOKENS if context is None else context - length - answer
            thinking = max(0, min(DEFAULT_TOKENS, room))
        if not thinking or not self.marks:
            return Limits(answer, answer, answer)
        return Limits(answer, thinking, answer + thinking)

    def _expects_reasoning(self, prompt: Prompt) -> bool:
        if not self.marks or self.marks.closed_by(self.render(prompt)):
            return False
        return (isinstance(prompt, Chat) and self.marks.by_template) or self.inside(prompt) is not None

    @cached_property
    def ways(self) -> Ways:
        """How answers of this model are read."""
        pairs = self.marks.pairs
        parts = [part for mark in pairs for part in ((mark.opens, mark, True), (mark.closes, mark, False))]
        single = {text: special_token(self.tokenizer, text) for text, _, _ in parts}

        def tokens_of(texts: Iterable[str]) -> set[int]:
            return {token for text in texts for token in self.encode(text, special=False)}

        return Ways(
            self.decode,
            self.marks,
            tokens={
                token: (mark, opens) for text, mark, opens in parts if (token := single[text]) is not None
            },
            spelled=tuple(part for part in parts if single[part[0]] is None),
            shown=frozenset(tokens_of([*single, self.marks.header]) & special_tokens(self.tokenizer)),
            passing=frozenset(tokens_of(mark.closes for mark in pairs).intersection(self.end_tokens)),
        )

    def writing(self, request: Generate, limits: Limits) -> Writing:
        """An empty answer to a request, ready to take tokens."""
        prompt = request.prompt
        end = self._turn_end(prompt.arguments) if isinstance(prompt, Chat) else TurnEnd()
        ends: dict[int, Ended] = dict.fromkeys((*self.end_tokens, *end.tokens), "turn")
        stops: dict[str, Ended] = dict.fromkeys(request.stop, "stop")
        for stop in request.stop:  # a stop text that is one token is matched by its id, too
            if (token := special_token(self.tokenizer, stop)) is not None:
                ends.setdefault(token, "stop")
        if end.text:
            stops.setdefault(end.text, "turn")
        return Writing(self.ways, limits, ends, stops, self.inside(prompt))

    # Tokens

    def tokens(self, request: Generate | MultipleChoice) -> list[int]:
        """The tokens of a request's prompt."""
        prompt = request.prompt
        tokens = self.encode(self.shown(request), special=isinstance(prompt, Plain | ChatText))
        if isinstance(request, Generate) and may_be_cut(request) and self.context is not None:
            tokens = tokens[-max(0, self.context - request.max_new_tokens) :]  # all, where none would fit
        return tokens or self._start()

    def rows(self, request: Request) -> list[list[int]]:
        """All tokens that the model reads for a request, one row for each continuation."""
        if isinstance(request, Generate):
            return [self.tokens(request)]
        return [[*context, *continuation] for context, continuation in self.pairs(request)]

    def pairs(self, request: Scored) -> list[Pair]:
        """Context and continuation of each log-likelihood that a request wants; a text continues the start token alone.

        Raises:
            EngineError: a continuation adds no token.
        """
        if isinstance(request, MultipleChoice):
            return [self.continuation(request, continuation) for continuation in request.continuations]
        if isinstance(request, Continuations):
            return [self._after(prompt, continuation) for prompt, continuation in request.pairs]
        tokens, start = self.encode(request.text, special=True), self._start()
        if request.windows:
            return list(self._windows(start, tokens))
        return [(start, tokens[1:] if len(tokens) > 1 and tokens[:1] == start else tokens)]

    def continuation(self, request: MultipleChoice, continuation: str) -> Pair:
        """Context and continuation, divided as lm-evaluation-harness does.

        White space at the end of the context belongs to the continuation, and both are tokenized as one text.

        Raises:
            EngineError: the continuation adds no token.
        """
        return self._divided(self.shown(request), continuation, special=isinstance(request.prompt, Plain))

    def _after(self, prompt: Prompt, continuation: str) -> Pair:
        """The same for a prompt of its own; without one, after the start token alone."""
        if text := self.render(prompt):
            context, rest = self._divided(text, continuation, special=True)
        else:
            tokens, start = self.encode(continuation, special=False), self._start()
            context, rest = (start, tokens[1:]) if tokens[:1] == start else (start, tokens)
        # The last token predicts nothing, so it is not read.
        excess = 0 if self.context is None else len(context) + len(rest) - self.context - 1
        return context[max(0, excess) :], rest

    def _windows(self, start: list[int], tokens: list[int]) -> Iterator[Pair]:
        """A text in parts that fit the model's context; the last has as much of the text before it as fits."""
        most = self.context or len(tokens) + 1
        yield start, tokens[:most]
        for begin in range(most, len(tokens), most):
            end = min(begin + most, len(tokens))
            yield tokens[end - most - 1 : begin], tokens[begin:end]

    def _divided(self, text: str, continuation: str, special: bool) -> Pair:
        context = text.rstrip()
        continuation = text[len(context) :] + continuation
        before = self.encode(context, special)
        whole = self.encode(context + continuation, special)
        if not before:
            before, whole = self._start(), [*self._start(), *whole]
        if len(whole) <= len(before):
            raise EngineError(f"{self.label}: the choice {continuation!r} adds no token to its prompt")
        return whole[: len(before)], whole[len(before) :]

    def encode(self, text: str, special: bool) -> list[int]:
        """The tokens of a text, with what the tokenizer puts before one if `special`."""
        return list(self._encoded(text, special))

    def decode(self, tokens: Sequence[int], skip_special: bool = False) -> str:
        """Tokens as text."""
        return str(self.tokenizer.decode(list(tokens), skip_special_tokens=skip_special))

    def _start(self) -> list[int]:
        start = self.tokenizer.bos_token_id
        return [start if start is not None else self.end_tokens[0]]
