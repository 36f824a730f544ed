"""What two forms of one model are shown in, why it differs out: another template, a start token too many, another tokenizer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from os.path import commonprefix

from harness.engine.abilities import Tokenizes
from harness.engine.requests import (
    Continuations,
    Engine,
    Generate,
    MultipleChoice,
    Prompt,
    Request,
    RollingLogLikelihood,
)
from harness.errors import EngineError
from harness.evaluation.prompts import shown
from harness.models.cause import Cause
from harness.wording import count, one_line

MOST = 50
"""Prompts of a run that are compared."""

AROUND = 30
"""Characters before the first difference that are quoted."""


def prompt_cause(requests: Sequence[Request], first: Engine, other: Engine) -> Cause | None:
    """What differs in the prompts as the models read them; None if neither text nor tokens do."""
    asked = requests[:: max(1, len(requests) // MOST)][:MOST]
    ways = (_start_token, _template, _tokenizer)
    return next((cause for way in ways if (cause := way(asked, first, other))), None)


def _start_token(asked: Sequence[Request], first: Engine, other: Engine) -> Cause | None:
    """A start token that one form reads once more than the other."""
    if not isinstance(first, Tokenizes) or not isinstance(other, Tokenizes):
        return None
    pairs = [_rows(asked_once, first, other) for asked_once in asked]
    rows = [(before, after) for pair in pairs if pair for before, after in zip(*pair, strict=True)]
    of_first = [before for before, after in rows if before and before[1:] == after]
    of_other = [after for before, after in rows if after and after[1:] == before]
    engine, without, longer = (other, first, of_other) if of_other else (first, other, of_first)
    if not longer:
        return None
    row = longer[0]
    twice = len(row) > 1 and row[0] == row[1]
    what = (
        f"the start token {row[0]} twice"
        if twice
        else f"a start token ({row[0]}) that {without.label} does not"
    )
    return Cause(
        "start token",
        f"{engine.label} reads {what}, in {len(longer)} of {count(len(rows), 'row')} of tokens",
        "let either the chat template or the tokenizer (add_bos_token) write it, not both"
        if twice
        else "set the tokenizers' add_bos_token alike",
    )


def _rows(
    asked: Request, first: Tokenizes, other: Tokenizes
) -> tuple[list[list[int]], list[list[int]]] | None:
    try:
        rows = first.request_tokens(asked), other.request_tokens(asked)
    except EngineError:  # a template that refuses the chat, a choice that adds no token
        return None
    return rows if len(rows[0]) == len(rows[1]) else None


def _template(asked: Sequence[Request], first: Engine, other: Engine) -> Cause | None:
    rendered = [(prompt, _text(first, prompt), _text(other, prompt)) for prompt in _prompts(asked)]
    told = [(before, after) for _, before, after in rendered if before is not None and after is not None]
    unlike = [(before, after) for before, after in told if before != after]
    if not unlike:
        return None
    before, after = unlike[0]
    place = len(commonprefix([before, after]))
    begin = max(0, place - AROUND)
    return Cause(
        "template",
        f"the chat templates differ: {len(unlike)} of {count(len(told), 'prompt')} read otherwise, the first at character "
        f"{place + 1}: {first.label} reads {one_line(before[begin:])} and {other.label} {one_line(after[begin:])}",
        "save the tokenizer of the first form, with its chat template, beside the other",
    )


def _prompts(asked: Sequence[Request]) -> Iterator[Prompt]:
    for request in asked:
        match request:
            case Generate(prompt=prompt) | MultipleChoice(prompt=prompt):
                yield prompt
            case Continuations(pairs=pairs):
                yield pairs[0][0]


def _text(engine: Engine, prompt: Prompt) -> str | None:
    try:
        return shown(engine, prompt)
    except EngineError:  # a template that refuses the chat
        return None


def _tokenizer(asked: Sequence[Request], first: Engine, other: Engine) -> Cause | None:
    if not isinstance(first, Tokenizes) or not isinstance(other, Tokenizes):
        return None
    unlike = [request for request in asked if (rows := _rows(request, first, other)) and rows[0] != rows[1]]
    if not unlike:
        return None
    before, after = (engine.request_pieces(unlike[0]) for engine in (first, other))
    how = "number the same tokens differently"
    if before != after:
        place = len(commonprefix([before, after]))
        quoted = [one_line("".join(pieces[place : place + 4])) for pieces in (before, after)]
        how = f"divide it differently, the first at token {place + 1}: {quoted[0]} and {quoted[1]}"
    text = "a text" if isinstance(unlike[0], RollingLogLikelihood) else "the same prompt"
    return Cause(
        "tokenizer",
        f"the tokenizers differ: in {len(unlike)} of {count(len(asked), 'request')} they read {text} and {how}",
        "save the tokenizer of the first form beside the other",
    )
