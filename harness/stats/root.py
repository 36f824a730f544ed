"""Where a function crosses zero, by Brent's method."""

from __future__ import annotations

from collections.abc import Callable


def root(function: Callable[[float], float], low: float, high: float, xtol: float = 2e-12) -> float:
    """A zero of a continuous function that has opposite signs at `low` and `high`; raises ValueError if it has not."""
    from scipy.optimize import brentq  # takes as long to load as all the rest of a collection

    return float(brentq(function, low, high, xtol=xtol))
