"""A tokenizer's folder and text in, tokens and back out; and what of a tokenizer must hold for its answers to mean anything."""

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
from harness.normal import nfkc
from harness.spelling import option
from harness.suites.arguments import Arguments

ASKED_ON = datetime(2026, 1, 1)
"""The day that a template which inserts today's date is shown, so that prompts do not change overnight."""

MARK = "The answer stands here."
"""What stands in for an assistant's turn, to see what a template puts after it."""


@dataclass(frozen=True)
class TurnEnd:
    """What a template puts after an assistant's turn: special tokens by id, or text where it has none."""

    tokens: tuple[int, ...] = ()
    text: str = ""


def load_tokenizer(name: str, folder: Path, remote_code: bool) -> Any:
    """The tokenizer of a folder, which has one; raises ModelError where it cannot be loaded or is empty."""
    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=remote_code)
            tokens = tokenizer("a b", add_special_tokens=False).input_ids
    except Exception as error:  # what a broken folder raises is transformers' affair
        raise ModelError(
            f"{name}: its tokenizer cannot be loaded from {folder}: {first_line(error)}"
        ) from error
    if not tokens:
        raise ModelError(f"{name}: its tokenizer, in {folder}, is empty: it makes no tokens of any text")
    return tokenizer


def encode(tokenizer: Any, text: str, special: bool) -> list[int]:
    """The tokens of a text.

    Args:
        special: with what the tokenizer puts before a text that does not begin with it; what it puts after one, such as an
            end of text, never: a prompt goes on.
    """
    plain = list(tokenizer(text, add_special_tokens=False).input_ids)
    if not special:
        return plain
    whole = list(tokenizer(text, add_special_tokens=True).input_ids)
    start = _where(plain, whole)
    if start is None:
        return whole
    before = whole[:start]
    # One of them is the text's own.
    return plain if before and plain[: len(before)] == before else [*before, *plain]


def render(
    tokenizer: Any,
    messages: Sequence[dict[str, str]],
    answer_follows: bool = True,
    arguments: Arguments = (),
) -> str:
    """A chat through the tokenizer's template, up to where the answer begins, as transformers renders it.

    Raises:
        TemplateError: the template, which is a program of its author's, does not take the chat.
        TemplateLimitError: it takes too much of time or memory.
    """
    given = {name: json.loads(value) for name, value in arguments}
    if type(tokenizer).apply_chat_template is not PreTrainedTokenizerBase.apply_chat_template:
        return _by_its_own(tokenizer, messages, answer_follows, given)
    try:
        template = tokenizer.get_chat_template()
    except ValueError as error:  # of several templates, none is the default
        raise TemplateError(first_line(error)) from error
    if not isinstance(template, str):
        raise TemplateError(f"it is no text but {type(template).__name__}")
    values = {
        **tokenizer.special_tokens_map,
        **given,
        "messages": list(messages),
        "tools": None,
        "documents": None,
        "add_generation_prompt": answer_follows,
    }
    return render_template("chat", template, values, ASKED_ON.isoformat())


def _by_its_own(
    tokenizer: Any, messages: Sequence[dict[str, str]], answer_follows: bool, given: dict[str, Any]
) -> str:
    """A chat by a tokenizer whose class has a way of its own, without Jinja."""
    try:
        return str(
            tokenizer.apply_chat_template(
                list(messages), tokenize=False, add_generation_prompt=answer_follows, **given
            )
        )
    except Exception as error:  # what another's class raises is its affair
        raise TemplateError(first_line(error)) from error


def tried(
    tokenizer: Any, messages: Sequence[dict[str, str]], answer_follows: bool, arguments: Arguments = ()
) -> str:
    """A chat as `render` gives it; nothing where there is no template, or one that does not take the chat, which is said when it is asked.

    Raises:
        TemplateLimitError: the template takes too much of time or memory.
    """
    if not tokenizer.chat_template:
        return ""
    try:
        return render(tokenizer, messages, answer_follows, arguments)
    except TemplateError:
        return ""


@contextmanager
def bounded(name: str) -> Iterator[None]:
    """Say of a chat template that takes too much whose it is; raises ModelError."""
    try:
        yield
    except TemplateLimitError as error:
        raise ModelError(
            f"{name}: its chat template {error}\n"
            "  a template is a program that comes with a model, so what it may take is bounded; take the other model's: "
            f"{option('template', 'baseline')} (or tuned)"
        ) from error


def inserts_date(tokenizer: Any) -> bool:
    """Whether the chat template asks for today's date."""
    return "strftime_now" in str(tokenizer.chat_template or "")


def begins_twice(tokenizer: Any) -> bool:
    """Whether a chat begins with the start token twice, as where a template writes one that stands in its text already.

    Raises:
        TemplateLimitError: the template takes too much of time or memory.
    """
    start = tokenizer.bos_token_id
    if start is None:
        return False
    shown = tried(tokenizer, [{"role": "user", "content": "A question."}], answer_follows=True)
    return encode(tokenizer, shown, special=False)[:2] == [start, start]


def turn_end(tokenizer: Any, arguments: Arguments = ()) -> TurnEnd:
    """What ends an assistant's turn by the chat template; nothing where it has no template, or none that tells.

    Raises:
        TemplateLimitError: the template takes too much of time or memory.
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
    """The tokens that are markup by what the tokenizer says of them, by number."""
    added = {index for index, token in tokenizer.added_tokens_decoder.items() if token.special}
    return set(tokenizer.all_special_ids) | added


def special_token(tokenizer: Any, text: str) -> int | None:
    """The id of an added token whose text this is; None for any other text."""
    return next(
        (index for index, token in tokenizer.added_tokens_decoder.items() if str(token) == text), None
    )


def gives_back(tokenizer: Any, text: str, tokens: Sequence[int]) -> bool:
    """Whether tokens still hold the text they were made of, but for case, white space and Unicode's compositions."""
    return holds(tokenizer.decode(list(tokens), skip_special_tokens=False), text)


def holds(text: str, part: str) -> bool:
    """Whether a part stands in a text, but for case, white space and Unicode's compositions."""
    return _bare(part) in _bare(text)


def same_numbering(left: Any, right: Any) -> bool:
    """Whether two tokenizers give each token that both have the same number."""
    first, second = left.get_vocab(), right.get_vocab()
    return all(second.get(token, number) == number for token, number in first.items())


def _where(part: list[int], whole: list[int]) -> int | None:
    """Where `part` begins in `whole`; None if nowhere."""
    last = len(whole) - len(part)
    return next((start for start in range(last + 1) if whole[start : start + len(part)] == part), None)


def _bare(text: str) -> str:
    return "".join(nfkc(text).casefold().split())
