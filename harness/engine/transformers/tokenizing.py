"""Tokenizers and their chat templates: load one, turn text and chats into tokens, see how a template ends a turn."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from harness.bounded.jinja import TemplateError, TemplateLimitError, render_template
from harness.engine.transformers.quiet import quiet
from harness.errors import ModelError, first_line
from harness.normalise.characters import nfkc
from harness.spelling import option
from harness.suites.arguments import Arguments

ASKED_ON = datetime(2026, 1, 1)
"""Today, for templates that insert the date, so that prompts do not change overnight."""

MARK = "The answer stands here."
"""A stand-in for an assistant's turn, to see what a template writes around it."""


@dataclass(frozen=True)
class TurnEnd:
    """What a template writes after an assistant's turn: a special token, or else text."""

    tokens: tuple[int, ...] = ()
    text: str = ""


def load_tokenizer(name: str, folder: Path, remote_code: bool) -> Any:
    """The tokenizer in a folder; raises ModelError if it cannot be loaded or is empty."""
    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=remote_code)
            tokens = tokenizer("a b", add_special_tokens=False).input_ids
    except Exception as error:  # transformers raises anything for a broken folder
        raise ModelError(
            f"{name}: its tokenizer cannot be loaded from {folder}: {first_line(error)}"
        ) from error
    if not tokens:
        raise ModelError(f"{name}: its tokenizer, in {folder}, is empty: text becomes no tokens")
    return tokenizer


def encode(tokenizer: Any, text: str, special: bool) -> list[int]:
    """The tokens of a text.

    Args:
        special: with the tokens that the tokenizer puts before a text, unless the text begins with them. Those that it puts
            after a text, such as an end of text, are always left out: a prompt goes on.
    """
    plain = list(tokenizer(text, add_special_tokens=False).input_ids)
    fast = getattr(tokenizer, "backend_tokenizer", None)
    if not special or (fast is not None and not fast.num_special_tokens_to_add(False)):
        return plain
    whole = list(tokenizer(text, add_special_tokens=True).input_ids)
    start = _where(plain, whole)
    if start is None:
        return whole
    before = whole[:start]
    # Such tokens may be written in the text itself.
    return plain if before and plain[: len(before)] == before else [*before, *plain]


def render(
    tokenizer: Any,
    messages: Sequence[dict[str, str]],
    answer_follows: bool = True,
    arguments: Arguments = (),
) -> str:
    """A chat through the tokenizer's template, as transformers renders it.

    Args:
        answer_follows: end with the beginning of an assistant's turn.

    Raises:
        TemplateError: the template, a program by its author, rejects the chat.
        TemplateLimitError: it exceeds its limits of time or memory.
    """
    given = {name: json.loads(value) for name, value in arguments}
    applied = getattr(type(tokenizer), "apply_chat_template", None)
    if applied not in (None, PreTrainedTokenizerBase.apply_chat_template):
        try:  # a class with code of its own instead of Jinja
            return str(
                tokenizer.apply_chat_template(
                    list(messages), tokenize=False, add_generation_prompt=answer_follows, **given
                )
            )
        except Exception as error:  # that code may raise anything
            raise TemplateError(first_line(error)) from error
    try:
        template = tokenizer.get_chat_template()
    except ValueError as error:  # several templates, but no default
        raise TemplateError(first_line(error)) from error
    if not isinstance(template, str):
        raise TemplateError(f"it must be text, saw {type(template).__name__}")
    values = {
        **tokenizer.special_tokens_map,
        **given,
        "messages": list(messages),
        "tools": None,
        "documents": None,
        "add_generation_prompt": answer_follows,
    }
    return render_template("chat", template, values, ASKED_ON.isoformat())


def tried(
    tokenizer: Any, messages: Sequence[dict[str, str]], answer_follows: bool, arguments: Arguments = ()
) -> str:
    """A chat as `render` gives it; "" without a template, or if it rejects the chat, which is reported when it is asked.

    Raises:
        TemplateLimitError: the template exceeds its limits of time or memory.
    """
    if not tokenizer.chat_template:
        return ""
    try:
        return render(tokenizer, messages, answer_follows, arguments)
    except TemplateError:
        return ""


@contextmanager
def bounded(name: str) -> Iterator[None]:
    """Inside the block, a template that exceeds its limits raises a ModelError that names its model."""
    try:
        yield
    except TemplateLimitError as error:
        raise ModelError(
            f"{name}: its chat template {error}\n"
            "  a template is a program that comes with a model, so its time and memory are limited; use the other model's: "
            f"{option('template', 'baseline')} (or tuned)"
        ) from error


def begins_twice(tokenizer: Any) -> bool:
    """Whether the chat template writes the start token twice.

    Raises:
        TemplateLimitError: the template exceeds its limits of time or memory.
    """
    start = tokenizer.bos_token_id
    if start is None:
        return False
    shown = tried(tokenizer, [{"role": "user", "content": "A question."}], answer_follows=True)
    return encode(tokenizer, shown, special=False)[:2] == [start, start]


def turn_end(tokenizer: Any, arguments: Arguments = ()) -> TurnEnd:
    """What the chat template writes after an assistant's turn; empty without a template, or if that does not show.

    Raises:
        TemplateLimitError: the template exceeds its limits of time or memory.
    """
    turns = [
        {"role": "user", "content": "A question."},
        {"role": "assistant", "content": MARK},
        {"role": "user", "content": "Another question."},
    ]
    shown = tried(tokenizer, turns, answer_follows=False, arguments=arguments)
    if shown.count(MARK) != 1:
        return TurnEnd()
    after = shown.partition(MARK)[2].partition("Another question.")[0]
    tokens = encode(tokenizer, after, special=False)
    first = next((token for token in tokens if tokenizer.decode([token]).strip()), None)
    if first is not None and first in special_tokens(tokenizer):
        return TurnEnd(tokens=(first,))
    line = re.match(r"\s*\S[^\n]*", after)
    return TurnEnd(text=line[0].rstrip() if line else "")


def special_tokens(tokenizer: Any) -> set[int]:
    """The ids of the tokens that the tokenizer declares special."""
    added = {index for index, token in tokenizer.added_tokens_decoder.items() if token.special}
    return set(tokenizer.all_special_ids) | added


def special_token(tokenizer: Any, text: str) -> int | None:
    """The id of the added token with this text; None for any other text."""
    added = tokenizer.added_tokens_decoder.items()
    return next((index for index, token in added if str(token) == text), None)


def holds(text: str, part: str) -> bool:
    """Whether a text contains `part`, ignoring case, white space and Unicode composition."""
    return _bare(part) in _bare(text)


def same_numbering(left: Any, right: Any) -> bool:
    """Whether two tokenizers agree on the number of each token that both have."""
    numbers = right.get_vocab()
    return all(numbers.get(token, number) == number for token, number in left.get_vocab().items())


def _where(part: list[int], whole: list[int]) -> int | None:
    """The index at which `part` begins in `whole`; None if it is not in it."""
    last = len(whole) - len(part)
    return next((start for start in range(last + 1) if whole[start : start + len(part)] == part), None)


def _bare(text: str) -> str:
    return "".join(nfkc(text).casefold().split())
