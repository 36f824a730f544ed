"""A tokenizer in, how its model marks reasoning out: as the chat template shows it, says it, or the vocabulary has it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.bounded.jinja import TemplateError, Uses, template_uses
from harness.engine.transformers.reasoning import Mark, Marks, counterpart, marks_in, split
from harness.engine.transformers.tokenizing import MARK, tried

FIELDS = ("reasoning_content", "thinking", "reasoning")
"""Under which templates take the reasoning of an assistant's turn."""

QUESTION = "A question."
THOUGHT = "The reasoning stands here."


def template_of(tokenizer: Any) -> Uses:
    """What stands in a tokenizer's chat template; nothing where it has none, or none that can be read.

    Raises:
        TemplateLimitError: reading it takes too much of time or memory.
    """
    try:
        template = tokenizer.get_chat_template() if tokenizer.chat_template else ""
        return template_uses("chat", template) if isinstance(template, str) else Uses()
    except (TemplateError, ValueError):  # said when it is asked
        return Uses()


def marks_of(tokenizer: Any, template: Uses) -> Marks:
    """How a model marks its reasoning; no marks where it does not.

    Args:
        template: what stands in its chat template.

    Raises:
        TemplateLimitError: the template takes too much of time or memory.
    """
    written = [*_shown(tokenizer), *_declared(tokenizer), *marks_in(template.texts)]
    added = [str(token) for token in tokenizer.added_tokens_decoder.values()]
    pairs: dict[str, Mark] = {}
    for mark in [*written, *marks_in(added, both=True)]:
        pairs.setdefault(mark.opens, mark)
    marks = Marks(tuple(pairs.values()), by_template=bool(written))
    return Marks(marks.pairs, _header(tokenizer, marks), marks.by_template) if marks else marks


def generation_prompt(tokenizer: Any, arguments: Any = ()) -> str:
    """What a template puts between a question and the answer to it; nothing where that cannot be told."""
    return tried(tokenizer, [{"role": "user", "content": QUESTION}], True, arguments).partition(QUESTION)[2]


def _shown(tokenizer: Any) -> Iterator[Mark]:
    """The mark that a template puts around the reasoning of an assistant's turn, where it takes any."""
    begins = generation_prompt(tokenizer)
    thought = dict.fromkeys(FIELDS, THOUGHT)
    turns = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": MARK, **thought}]
    before, found, after = tried(tokenizer, turns, False).partition(QUESTION)[2].partition(THOUGHT)
    between, answered, _ = after.partition(MARK)
    if not (found and answered and between.strip()):
        return
    if before.startswith(begins) and (opens := before[len(begins) :].strip()):
        yield Mark(opens, _closes(opens, between))
        return
    # The template begins the reasoning itself, so its mark is the last of what stands there.
    end = before.rstrip()
    for mark in marks_in([end, between]):
        if end.endswith(mark.opens):
            yield Mark(mark.opens, _closes(mark.opens, between))
            return
    added = sorted(map(str, tokenizer.added_tokens_decoder.values()), key=len, reverse=True)
    yield from (Mark(token, between.strip()) for token in added if token and end.endswith(token))


def _closes(opens: str, between: str) -> str:
    """What ends the reasoning: the tag's counterpart where it stands there, else all between reasoning and answer."""
    tag = counterpart(opens)
    return tag if tag is not None and tag in between else between.strip()


def _declared(tokenizer: Any) -> Iterator[Mark]:
    """The marks that a tokenizer's response template declares (transformers 5.13 and later)."""
    declared = getattr(tokenizer, "response_template", None)
    fields = declared.get("fields") if isinstance(declared, dict) else None
    for name in FIELDS:
        field = fields.get(name) if isinstance(fields, dict) else None
        if isinstance(field, dict):
            opens, closes = (_texts(field.get(key)) for key in ("open", "close"))
            yield from (Mark(one, counterpart(one) or closes[0]) for one in opens if closes)


def _texts(value: Any) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    return [text.strip() for text in listed if isinstance(text, str) and text.strip()]


def _header(tokenizer: Any, marks: Marks) -> str:
    """What a template puts before an answer that nothing was thought for, but for an empty block of reasoning."""
    begins = generation_prompt(tokenizer)
    turns = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": MARK}]
    before, found, _ = tried(tokenizer, turns, False).partition(QUESTION)[2].partition(MARK)
    if not found or not before.startswith(begins):
        return ""
    return split(before[len(begins) :], marks).answer.strip()
