"""The difference of two answers: whole texts in pieces, a longest common subsequence within bounds, nothing beyond."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.reporting.html.differences import MOST_EDITS, MOST_WORDS, differences

WORDS = st.lists(st.sampled_from("abc "), max_size=30).map("".join)


def marked(before: str, after: str) -> tuple[list[str], list[str]]:
    first, second = differences(before, after)
    return [piece.text for piece in first if piece.differs], [piece.text for piece in second if piece.differs]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("4 + 9 = 13", "4 + 9 = 15", (["13"], ["15"])),
        ("the cat sat on the mat", "the big cat sat on a mat", (["the"], ["big", "a"])),
        ("same", "same", ([], [])),
        ("", "all of it", ([], [])),
        ("It is Paris.", "DRUG-INFO: none | NOTE: never", ([], [])),
        ("今天天气好", "今天天气坏", (["好"], ["坏"])),
        ('{"a": 1,  "b": 2}', '{"a": 1, "c": 2}', (["b"], ["c"])),
    ],
)
def test_what_differs(before, after, expected):
    assert marked(before, after) == expected


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_the_pieces_are_the_texts(before, after):
    assert tuple("".join(piece.text for piece in side) for side in differences(before, after)) == (
        before,
        after,
    )


def common(before: str, after: str) -> int:
    """The length of the longest common subsequence, by the book."""
    rows = [0] * (len(after) + 1)
    for x in before:
        last = list(rows)
        for place, y in enumerate(after):
            rows[place + 1] = last[place] + 1 if x == y else max(last[place + 1], rows[place])
    return rows[-1]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from("abcd"), max_size=16), st.lists(st.sampled_from("abcd"), max_size=16))
def test_as_few_words_as_possible_are_marked(before, after):
    sides = differences(" ".join(before), " ".join(after))
    if not any(piece.differs for side in sides for piece in side):
        return  # equal, or not alike
    for words, side in zip((before, after), sides, strict=True):
        kept = sum(len(piece.text.split()) for piece in side if not piece.differs)
        assert kept == common("".join(before), "".join(after))
        assert len(words) == sum(len(piece.text.split()) for piece in side)


@pytest.mark.parametrize("n", [MOST_EDITS + 5, MOST_WORDS + 5])
def test_beyond_the_bounds_everything_between_the_ends_is_marked(n):
    same = "word " * n
    before, after = (f"{same}{' '.join(f'{side}{place}' for place in range(n))} {same}" for side in "ab")
    first, second = marked(before, after)
    assert len(first) == len(second) == 1
    assert len(first[0].split()) == n
