"""Holm's p-values against published ones, another library's, and his procedure step by step."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import NoEvidenceError
from harness.stats.multiple import holm

ORACLE = json.loads((Path(__file__).parent / "oracles.json").read_text(encoding="utf-8"))["holm"]
P_VALUES = st.lists(st.sampled_from([0.0, 0.001, 0.01, 0.0125, 0.02, 0.05, 0.3, 1.0]), min_size=1, max_size=9)


def test_as_published():
    assert holm(ORACLE["p"]).tolist() == pytest.approx(ORACLE["adjusted"])


def test_ties_and_order_as_in_another_library():
    # statsmodels 0.15.0, multipletests(p, method="holm")
    p_values = [0.01, 0.04, 0.03, 0.005, 0.04, 0.2, 0.001, 0.04]
    assert holm(p_values).tolist() == pytest.approx([0.06, 0.16, 0.15, 0.035, 0.16, 0.2, 0.008, 0.16])


def step_by_step(p_values: list[float], level: float) -> list[bool]:
    """Reject the smallest while it is at most level / how many are left."""
    rejected = [False] * len(p_values)
    left = len(p_values)
    for index in sorted(range(len(p_values)), key=p_values.__getitem__):
        if p_values[index] > level / left:
            break
        rejected[index] = True
        left -= 1
    return rejected


@settings(max_examples=200, deadline=None)
@given(P_VALUES)
def test_at_most_the_level_is_what_the_procedure_rejects(p_values):
    assert (holm(p_values) <= 0.05 + 1e-12).tolist() == step_by_step(p_values, 0.05 + 1e-13)


@given(P_VALUES, st.randoms())
def test_an_adjusted_value_follows_its_test_and_is_no_smaller(p_values, random):
    adjusted = holm(p_values)
    assert (adjusted >= p_values).all()
    assert (adjusted <= 1).all()
    order = list(range(len(p_values)))
    random.shuffle(order)
    assert holm([p_values[i] for i in order]).tolist() == pytest.approx(adjusted[order].tolist())


def test_one_test_is_left_as_it_is_and_none_are_none():
    assert holm([0.03]).tolist() == [0.03]
    assert holm([]).tolist() == []


def test_many_families_at_once():
    families = np.random.default_rng(1).random((50, 6))
    assert np.allclose(holm(families), [holm(family) for family in families])


@pytest.mark.parametrize("p_value", [-0.1, 1.1, float("nan")])
def test_no_probability_is_an_error(p_value):
    with pytest.raises(NoEvidenceError, match=f"^p-values must lie within 0 and 1, saw {p_value}$"):
        holm([0.5, p_value])
