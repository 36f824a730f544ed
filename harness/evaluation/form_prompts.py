"""What two forms of one model are shown in, why it differs out: another template, a start token too many, another tokenizer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

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
    more = {first: 0, other: 0}
    pairs = [_rows(asked_once, first, other) for asked_once in asked]
    rows = [(before, after) for pair in pairs if pair for before, after in zip(*pair, strict=True)]
    for before, after in rows:
        more[other] += after[1:] == before and after != before
        more[first] += before[1:] == after and after != before
    engine, without = (other, first) if more[other] else (first, other)
    if not more[engine]:
        return None
    side = 1 if engine is other else 0
    row = next(pair[side] for pair in rows if pair[side][1:] == pair[1 - side])
    twice = len(row) > 1 and row[0] == row[1]
    what = (
        f"the start token {row[0]} twice"
        if twice
        else f"a start token ({row[0]}) that {without.label} does not"
    )
    return Cause(
        "start token",
        f"{engine.label} reads {what}, in {more[engine]} of {count(len(rows), 'row')} of tokens",
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
    shown = [(prompt, _text(first, prompt), _text(other, prompt)) for prompt in _prompts(asked)]
    told = [(before, after) for _, before, after in shown if before is not None and after is not None]
    unlike = [(before, after) for before, after in told if before != after]
    if not unlike:
        return None
    before, after = unlike[0]
    place = next(i for i, (left, right) in enumerate(zip_longest(before, after)) if left != right)
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
        return engine.render(prompt)
    except EngineError:  # a server that renders chats itself
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
        place = next(i for i, (left, right) in enumerate(zip_longest(before, after)) if left != right)
        quoted = [one_line("".join(pieces[place : place + 4])) for pieces in (before, after)]
        how = f"divide it differently, the first at token {place + 1}: {quoted[0]} and {quoted[1]}"
    text = "a text" if isinstance(unlike[0], RollingLogLikelihood) else "the same prompt"
    return Cause(
        "tokenizer",
        f"the tokenizers differ: in {len(unlike)} of {count(len(asked), 'request')} they read {text} and {how}",
        "save the tokenizer of the first form beside the other",
    )
