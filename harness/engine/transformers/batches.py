"""Prompts and the lengths of their answers in; what is written side by side, in how many rows, out."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.engine.tree import shared_beginnings

Prompt = tuple[int, ...]

LEAST_ROW = 192
"""An answer counts as so many tokens at least: more side by side take memory, and are hardly faster by the token."""

WORTH = 256
"""A group of rows has keys and values of its beginning of its own if that spares it so many tokens."""


@dataclass(frozen=True)
class Batch:
    """Prompts whose answers are written side by side.

    Attributes:
        groups: of each prompt, and how many tokens all of its group begin with.
        rows: how many answers are written at once.
        most: the tokens that a row comes to have at most, without those that its group begins with.
    """

    prompts: Sequence[Prompt]
    groups: Sequence[tuple[int, int]]
    rows: int
    most: int


def batches(lengths: Mapping[Prompt, int], tokens: int, steady: bool) -> Iterator[Batch]:
    """Prompts of similar length together. The largest come first: if memory runs out, it does so at the start.

    Args:
        lengths: of each prompt, the most tokens of its answer.
        tokens: how many a batch may hold.
        steady: whether a row is to keep its group: a batch has one, or a row for each of its prompts.
    """
    groups = dict(zip(lengths, shared_beginnings(list(lengths), WORTH), strict=True))
    members = Counter(group for group, _ in groups.values())
    # tokens of each prompt and its answer, and those with its part of what its group begins with
    own, held = dict[Prompt, int](), dict[Prompt, int]()
    alike: dict[int, list[Prompt]] = defaultdict(list)
    for prompt, (group, begun) in groups.items():
        own[prompt] = len(prompt) - begun + lengths[prompt]
        held[prompt] = own[prompt] + math.ceil(begun / members[group])
        alike[held[prompt].bit_length()].append(prompt)
    for size in sorted(alike, reverse=True):
        prompts = alike[size]
        rows = max(1, tokens // max(LEAST_ROW, *(held[prompt] for prompt in prompts)))
        for part in _by_group(prompts, groups, rows) if steady else [prompts]:
            yield Batch(
                part,
                [groups[prompt] for prompt in part],
                min(rows, len(part)),
                max(own[prompt] for prompt in part),
            )


def _by_group(
    prompts: Sequence[Prompt], groups: Mapping[Prompt, tuple[int, int]], rows: int
) -> Iterator[list[Prompt]]:
    """The prompts of each group, those of several groups together while there is a row for each."""
    grouped: dict[int, list[Prompt]] = defaultdict(list)
    for prompt in prompts:
        grouped[groups[prompt][0]].append(prompt)
    part: list[Prompt] = []
    for group in grouped.values():
        if part and len(part) + len(group) > rows:
            yield part
            part = []
        part = part + group
    yield part
