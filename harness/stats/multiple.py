"""p-values of several tests in, p-values that hold for all of them at once out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.errors import NoEvidenceError


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Holm's adjusted p-values, in the order given; rejecting those at most `level` keeps the family-wise error at `level`.

    The i-th smallest of m is multiplied by m - i + 1, at most 1, and never below a smaller one's (Holm 1979, Scandinavian
    Journal of Statistics 6, 65-70). It holds however the tests depend on one another.

    Args:
        p_values: shape (..., tests): many families at once. None is no error: an empty family has no p-value.

    Raises:
        NoEvidenceError: a p-value is no number within 0 and 1.
    """
    p = np.asarray(p_values, dtype=np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise NoEvidenceError(f"p-values must lie within 0 and 1, saw {p[~((p >= 0) & (p <= 1))][0]}")
    order = np.argsort(p, axis=-1, kind="stable")
    steps = np.take_along_axis(p, order, -1) * np.arange(p.shape[-1], 0, -1)
    rising = np.minimum(np.maximum.accumulate(steps, axis=-1), 1.0)
    adjusted = np.empty_like(p)
    np.put_along_axis(adjusted, order, rising, -1)
    return adjusted
