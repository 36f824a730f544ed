"""Tables keep their columns, whatever letters are in them."""

from __future__ import annotations

from harness.tables import aligned, columns, fitted, markdown

ROWS = [["suite", "n"], ["数学", "12"], ["cafe\u0301", "3"]]


def test_wide_letters_take_two_columns():
    assert columns("漢字e\u0301") == 5
    assert fitted("漢字漢字", 6) == "漢... "
    assert fitted("ab", 4, left=False) == "  ab"


def test_columns_stay_below_each_other():
    assert list(aligned(ROWS)) == ["suite   n", "数学   12", "cafe\u0301    3"]
    assert list(markdown(ROWS)) == [
        "| suite |   n |",
        "| ----- | --: |",
        "| 数学  |  12 |",
        "| cafe\u0301  |   3 |",
    ]
