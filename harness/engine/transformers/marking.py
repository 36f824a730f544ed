"""A tokenizer in, the marks of its model's reasoning out: as its chat template renders or declares them, or its vocabulary has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.bounded.jinja import TemplateError, Uses, template_uses
from harness.engine.transformers.reasoning import Mark, Marks, counterpart, marks_in, split
from harness.engine.transformers.tokenizing import MARK, tried
from harness.suites.arguments import Arguments

FIELDS = ("reasoning_content", "thinking", "reasoning")
"""The keys under which templates take the reasoning of an assistant's turn."""

QUESTION = "A question."
THOUGHT = "The reasoning stands here."


def template_of(tokenizer: Any) -> Uses:
    """The names and texts in a tokenizer's chat template; none without one, or if it cannot be parsed.

    Raises:
        TemplateLimitError: parsing it exceeds the limits of time or memory.
    """
    try:
        template = tokenizer.get_chat_template() if tokenizer.chat_template else ""
        return template_uses("chat", template) if isinstance(template, str) else Uses()
    except (TemplateError, ValueError):  # reported when it is asked
        return Uses()


def marks_of(tokenizer: Any, template: Uses) -> Marks:
    """The marks of a model's reasoning; none if it does not mark any.

    Args:
        template: the names and texts in its chat template.

    Raises:
        TemplateLimitError: the template exceeds its limits of time or memory.
    """
    written = [*_shown(tokenizer), *_declared(tokenizer), *marks_in(template.texts)]
    added = [str(token) for token in tokenizer.added_tokens_decoder.values()]
    pairs: dict[str, Mark] = {}
    for mark in [*written, *marks_in(added, both=True)]:
        pairs.setdefault(mark.opens, mark)
    marks = Marks(tuple(pairs.values()), by_template=bool(written))
    return Marks(marks.pairs, _header(tokenizer, marks), marks.by_template) if marks else marks


def generation_prompt(tokenizer: Any, arguments: Arguments = ()) -> str:
    """What a template writes between a question and its answer; "" if that does not show."""
    return _after_question(tokenizer, {}, arguments)


def _after_question(tokenizer: Any, answer: Mapping[str, str], arguments: Arguments = ()) -> str:
    """What a template writes after a question: an assistant's turn with `answer`, or, without one, its beginning."""
    turns = [{"role": "user", "content": QUESTION}]
    if answer:
        turns.append({"role": "assistant", **answer})
    return tried(tokenizer, turns, not answer, arguments).partition(QUESTION)[2]


def _shown(tokenizer: Any) -> Iterator[Mark]:
    """The mark that a template writes around the reasoning of an assistant's turn, if it takes any."""
    begins = generation_prompt(tokenizer)
    turn = _after_question(tokenizer, {"content": MARK, **dict.fromkeys(FIELDS, THOUGHT)})
    before, _, after = turn.partition(THOUGHT)
    between, answered, _ = after.partition(MARK)
    if not (answered and between.strip()):
        return
    if before.startswith(begins) and (opens := before[len(begins) :].strip()):
        yield Mark(opens, _closes(opens, between))
        return
    # The generation prompt opens the reasoning itself, so the mark is at its end.
    end = before.rstrip()
    for mark in marks_in([end, between]):
        if end.endswith(mark.opens):
            yield Mark(mark.opens, _closes(mark.opens, between))
            return
    added = sorted(map(str, tokenizer.added_tokens_decoder.values()), key=len, reverse=True)
    yield from (Mark(token, between.strip()) for token in added if token and end.endswith(token))


def _closes(opens: str, between: str) -> str:
    """The end of the reasoning: the tag's counterpart if it is there, else everything between reasoning and answer."""
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
            yield from (Mark(text, counterpart(text) or closes[0]) for text in opens if closes)


def _texts(value: Any) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    return [text.strip() for text in listed if isinstance(text, str) and text.strip()]


def _header(tokenizer: Any, marks: Marks) -> str:
    """What a template writes before an answer without reasoning, apart from an empty block of reasoning."""
    begins = generation_prompt(tokenizer)
    before, answered, _ = _after_question(tokenizer, {"content": MARK}).partition(MARK)
    if not answered or not before.startswith(begins):
        return ""
    return split(before[len(begins) :], marks).answer.strip()
