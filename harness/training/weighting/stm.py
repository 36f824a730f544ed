"""STM: the weight of a token is 1 if the baseline finds it likely enough, and 0 if not (Wu 2025)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from harness.recipes.mitigations.stm import StmFormat


def weights(losses: Sequence[Tensor], part: StmFormat) -> list[Tensor]:
    """1 where exp(loss) <= threshold, else 0: a token's perplexity under the baseline is 1 / p (arXiv 2501.14315, its authors' code).

    Args:
        losses: -log p of each answer token under the baseline, a tensor an example.
    """
    return [(example.exp() <= part.threshold).to(example) for example in losses]
