"""Which prompts are written side by side, and in how many rows."""

from __future__ import annotations

from harness.engine.transformers.batches import batches

TEN = 10 * (301 + 151)
"""Tokens of ten rows, each with half of a common beginning."""


def prompts(groups: dict[int, int], begin: int = 301) -> dict[tuple[int, ...], int]:
    """Of each group so many prompts, which begin alike with so many tokens and end in one of their own; 300 tokens an answer."""
    return {(*[group] * begin, 1000 + n): 300 for group, count in groups.items() for n in range(count)}


def test_all_of_similar_length_are_one_batch():
    [batch] = batches(prompts({1: 2, 2: 12}), TEN, steady=False)
    assert (len(batch.prompts), batch.rows, batch.most) == (14, 10, 301)
    assert {length for _, length in batch.groups} == {301}


def test_the_longest_come_first():
    lengths = {**prompts({1: 2}, begin=3), **prompts({2: 2}, begin=2000)}
    assert [len(batch.prompts[0]) for batch in batches(lengths, 100_000, steady=False)] == [2001, 4]


def test_a_steady_batch_has_one_group_or_a_row_for_each_prompt():
    found = list(batches(prompts({1: 5, 2: 4, 3: 30, 4: 2, 5: 2}), TEN, steady=True))
    assert [(len(batch.prompts), len(set(batch.groups)), batch.rows) for batch in found] == [
        (9, 2, 9), (30, 1, 10), (4, 2, 4),
    ]  # fmt: skip
    assert sum(len(batch.prompts) for batch in found) == 43


def test_prompts_without_a_common_beginning_are_one_group():
    apart = {(n, n + 1, n + 2): 449 for n in range(0, 300, 3)}
    [batch] = batches(apart, TEN, steady=True)
    assert (set(batch.groups), batch.rows) == ({(0, 0)}, 10)
