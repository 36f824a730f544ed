"""Numbers and lists as people read them."""

from __future__ import annotations

import pytest

from harness.wording import between, percent, points, some, tenths


@pytest.mark.parametrize(
    ("fraction", "as_points", "in_a_column"),
    [
        (0.1, "10", "10.0"),
        (0.321, "32.1", "32.1"),
        (0.0, "0", "0.0"),
        (-0.05, "-5", "-5.0"),
        (1.0, "100", "100.0"),
        (-0.0, "0", "0.0"),
        (-0.0004, "0", "0.0"),
        (-0.0006, "-0.1", "-0.1"),
    ],
)
def test_a_fraction_in_points_and_in_a_column(fraction, as_points, in_a_column):
    assert (points(fraction), tenths(fraction)) == (as_points, in_a_column)
    assert percent(fraction) == f"{in_a_column} %"


def test_an_interval_is_in_points():
    assert between((-0.0123, 0.06)) == "-1.2 to 6"


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["a"], "a"),
        (["a", "b", "c"], "a, b, c"),
        (["a", "b", "c", "d"], "a, b, c and 1 more"),
        (["a"] * 2000, "a, a, a and 1,997 more"),
    ],
)
def test_of_many_names_the_first_are_listed(names, text):
    assert some(names) == text
