"""A row of a corpus in, the examples in it out, in any of the shapes that people keep training data in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.documents.validate import describe
from harness.documents.written import whole_text
from harness.limits import MOST_TURNS

PAIRS = (
    ("prompt", "answer"), ("prompt", "completion"), ("prompt", "response"), ("instruction", "output"),
    ("instruction", "response"), ("question", "answer"),
)  # fmt: skip
"""The columns of a prompt and its answer, ours first; an `instruction` may have an `input`, which follows it."""

CHATS = ("messages", "conversations")
"""Columns of whole conversations: `role` and `content`, or ShareGPT's `from` and `value`."""

COLUMNS = tuple(dict.fromkeys([*(name for pair in PAIRS for name in pair), *CHATS, "input", "split"]))
"""The names of all columns that are read."""

Role = Literal["system", "user", "assistant"]
_ROLES: Mapping[Any, Role] = {
    "system": "system", "user": "user", "human": "user", "assistant": "assistant", "gpt": "assistant",
}  # fmt: skip


@dataclass(frozen=True)
class Turn:
    """What one side says in a conversation."""

    role: Role
    text: str


@dataclass(frozen=True)
class Example:
    """One prompt and the answer to learn, and what was said before them."""

    prompt: str
    answer: str
    earlier: tuple[Turn, ...] = ()

    @property
    def content(self) -> list[Any]:
        """Its values as JSON."""
        earlier = [[turn.role, turn.text] for turn in self.earlier]
        return [self.prompt, self.answer, *([earlier] if earlier else [])]


def layout_of(columns: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The columns that hold the examples; None if no known ones are there."""
    for layout in (*PAIRS, *((name,) for name in CHATS)):
        if all(name in columns for name in layout):
            return layout
    return None


def told(layout: tuple[str, ...], columns: Mapping[str, Any]) -> str | None:
    """A note on columns that are not named `prompt` and `answer`."""
    if layout == PAIRS[0]:
        return None
    if layout[0] in CHATS:
        return f"'{layout[0]}' holds conversations: each of their answers is learnt, after all that comes before it"
    prompt, answer = layout
    more = " with 'input' after it" if prompt == "instruction" and "input" in columns else ""
    return f"'{prompt}' is the prompt{more}, '{answer}' the answer"


def examples_of(row: Mapping[str, Any], layout: tuple[str, ...]) -> Iterator[Example]:
    """The examples of a row; raises ValueError with what is wrong with it."""
    if layout[0] in CHATS:
        yield from _in_conversation(_turns(row.get(layout[0]), layout[0]))
        return
    prompt, answer = layout
    if isinstance(row.get(prompt), list):  # turns on both sides
        asked = _turns(row[prompt], prompt)
        yield from _in_conversation([*asked, *_turns(row.get(answer), answer)], len(asked))
        return
    text, more = _text(row.get(prompt), prompt), row.get("input") if prompt == "instruction" else None
    if more is not None and more != "":
        text = f"{text}\n\n{_text(more, 'input')}"
    yield Example(text, _text(row.get(answer), answer))


def _in_conversation(turns: Sequence[Turn], first: int = 0) -> Iterator[Example]:
    """An example for each answer to a user, from the turn `first` on."""
    found = False
    for place, turn in enumerate(turns[1:], start=1):
        before = turns[place - 1]
        if place >= first and turn.role == "assistant" and before.role == "user":
            found = True
            yield Example(before.text, turn.text, tuple(turns[: place - 1]))
    if not found:
        raise ValueError("the conversation has no answer of the assistant to a user")


def _turns(value: Any, column: str) -> list[Turn]:
    if not isinstance(value, list) or not value:
        raise ValueError(f"'{column}' must be a list of turns, saw {describe(value)}")
    if len(value) > MOST_TURNS:
        raise ValueError(f"'{column}' has {len(value):,} turns, more than {MOST_TURNS}")
    return [_turn(item, f"{column}[{place}]") for place, item in enumerate(value)]


def _turn(item: Any, where: str) -> Turn:
    if not isinstance(item, Mapping):
        raise ValueError(f"'{where}' must be a mapping with 'role' and 'content', saw {describe(item)}")
    who, what = ("from", "value") if item.get("from") is not None else ("role", "content")
    role = _ROLES.get(item.get(who)) if isinstance(item.get(who), str) else None
    if role is None:
        known = ", ".join(name for name in _ROLES)
        raise ValueError(f"'{where}.{who}' must be one of {known}, saw {describe(item.get(who))}")
    content = item.get(what)
    if isinstance(content, list) and all(isinstance(part, Mapping) and "text" in part for part in content):
        content = "".join(_text(part["text"], f"{where}.{what}") for part in content)
    return Turn(role, _text(content, f"{where}.{what}"))


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"'{name}' must be non-empty text, saw {describe(value)}")
    try:
        return whole_text(value)
    except ValueError as error:
        raise ValueError(f"'{name}' holds {error}") from error
