"""A tokenizer's folder and text in, tokens and back out; and what of a tokenizer must hold for its answers to mean anything."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer

from harness.engine.quiet import quiet
from harness.errors import ModelError, first_line

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
    except Exception as error:  # what a broken folder raises is transformers' affair
        raise ModelError(
            f"{name}: its tokenizer cannot be loaded from {folder}: {first_line(error)}"
        ) from error
    if not tokenizer("a b", add_special_tokens=False).input_ids:
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


def render(tokenizer: Any, messages: Sequence[dict[str, str]], answer_follows: bool = True) -> str:
    """A chat through the tokenizer's template, up to where the answer begins.

    Raises:
        Exception: whatever the template raises, which is a program of its author's.
    """
    return str(
        tokenizer.apply_chat_template(
            list(messages),
            chat_template=_on_one_day(tokenizer) if inserts_date(tokenizer) else None,
            tokenize=False,
            add_generation_prompt=answer_follows,
        )
    )


def inserts_date(tokenizer: Any) -> bool:
    """Whether the chat template asks for today's date."""
    return "strftime_now" in str(tokenizer.chat_template or "")


def begins_twice(tokenizer: Any) -> bool:
    """Whether a chat begins with the start token twice, as where a template writes one that stands in its text already."""
    start = tokenizer.bos_token_id
    if start is None or not tokenizer.chat_template:
        return False
    try:
        shown = render(tokenizer, [{"role": "user", "content": "A question."}])
    except Exception:  # what a template does not take is said when it is asked
        return False
    return encode(tokenizer, shown, special=False)[:2] == [start, start]


def _on_one_day(tokenizer: Any) -> str:
    """The chat template with the date of one day for each of the forms in which it asks for today's."""
    template = str(tokenizer.get_chat_template())
    asked = re.findall(r"""strftime_now\(\s*(?:"([^"]*)"|'([^']*)')""", template)
    dates = {form: ASKED_ON.strftime(form) for form in map("".join, asked)}
    # A macro hides the function of that name. "+": the line break after it is the template's own.
    return f"{{% macro strftime_now(form) %}}{{{{ {dates!r}[form] }}}}{{% endmacro +%}}{template}"


def turn_end(tokenizer: Any) -> TurnEnd:
    """What ends an assistant's turn by the chat template; nothing where it has no template, or none that tells."""
    if not tokenizer.chat_template:
        return TurnEnd()
    turns = [
        {"role": "user", "content": "A question."},
        {"role": "assistant", "content": MARK},
        {"role": "user", "content": "Another question."},
    ]
    try:
        shown = render(tokenizer, turns, answer_follows=False)
    except Exception:  # a template that takes no such chat tells nothing
        return TurnEnd()
    if shown.count(MARK) != 1:
        return TurnEnd()
    after = shown.partition(MARK)[2].partition("Another question.")[0]
    tokens = encode(tokenizer, after, special=False)
    special = set(tokenizer.all_special_ids) | {
        index for index, token in tokenizer.added_tokens_decoder.items() if token.special
    }
    first = next((token for token in tokens if tokenizer.decode([token]).strip()), None)
    if first is not None and first in special:
        return TurnEnd(tokens=(first,))
    line = re.match(r"\s*\S[^\n]*", after)
    return TurnEnd(text=line[0].rstrip() if line else "")


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
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())
