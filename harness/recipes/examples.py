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
    """One prompt and the answer to learn, and what was said before them.

    `answer` is "" until the baseline gives it, where it is to; `cut` is whether a limit of tokens ended it, so that no end of
    turn follows.
    """

    prompt: str
    answer: str
    earlier: tuple[Turn, ...] = ()
    cut: bool = False

    @property
    def content(self) -> list[Any]:
        """Its values in a file, as JSON."""
        earlier = [[turn.role, turn.text] for turn in self.earlier]
        return [self.prompt, self.answer, *([earlier] if earlier else [])]


def layout_of(columns: Mapping[str, Any], answered: bool) -> tuple[str, ...] | None:
    """The columns that hold the examples, `answered` or with prompts alone; None if no known ones are there."""
    for layout in (*PAIRS, *((name,) for name in CHATS)):
        if all(name in columns for name in layout):
            return layout
    return None if answered else next((pair for pair in PAIRS if pair[0] in columns), None)


def told(layout: tuple[str, ...], columns: Mapping[str, Any], answered: bool) -> str | None:
    """A note on columns that are not named `prompt` and `answer`."""
    prompt = layout[0]
    if layout == PAIRS[0]:
        return None
    if prompt in CHATS:
        each = "each of their answers is learnt" if answered else "the baseline answers each turn of a user"
        return f"'{prompt}' holds conversations: {each}, after all that comes before it"
    more = " with 'input' after it" if prompt == "instruction" and "input" in columns else ""
    return f"'{prompt}' is the prompt{more}" + (f", '{layout[1]}' the answer" if answered else "")


def examples_of(row: Mapping[str, Any], layout: tuple[str, ...], answered: bool) -> Iterator[Example]:
    """The examples of a row; raises ValueError with what is wrong with it.

    Args:
        answered: with the row's answers, which it may lack otherwise.
    """
    if layout[0] in CHATS:
        yield from _in_conversation(_turns(row.get(layout[0]), layout[0]), 0, answered)
        return
    prompt, answer = layout
    if isinstance(row.get(prompt), list):  # turns on both sides
        asked = _turns(row[prompt], prompt)
        said = _turns(row.get(answer), answer) if answered or row.get(answer) is not None else []
        yield from _in_conversation([*asked, *said], len(asked), answered)
        return
    text, more = _text(row.get(prompt), prompt), row.get("input") if prompt == "instruction" else None
    if more is not None and more != "":
        text = f"{text}\n\n{_text(more, 'input')}"
    yield Example(text, _text(row.get(answer), answer) if answered else "")


def _in_conversation(turns: Sequence[Turn], first: int, answered: bool) -> Iterator[Example]:
    """An example for each answer to a user, from the turn `first` on; if not `answered`, its last turn may ask too."""
    found = False
    for place, asks in enumerate(turns, start=1):
        says = turns[place] if place < len(turns) else None
        complete = says.role == "assistant" if says else not answered
        if place >= first and asks.role == "user" and complete:
            found = True
            yield Example(asks.text, says.text if says and answered else "", tuple(turns[: place - 1]))
    if not found:
        what = "answer of the assistant to a user" if answered else "turn of a user to answer"
        raise ValueError(f"the conversation has no {what}")


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
        raise ValueError(f"'{where}.{who}' must be one of {', '.join(_ROLES)}, saw {describe(item.get(who))}")
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
