"""Domain examples and general examples in, one mixed and shuffled list out."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

from harness.errors import NoEvidenceError

T = TypeVar("T")


def create_replay_dataset(
    domain_data: Sequence[T], general_data: Sequence[T], replay_fraction: float = 0.1, seed: int = 42
) -> list[T]:
    """All of `domain_data` and so much of `general_data` that it makes up `replay_fraction` of the whole.

    The general examples are drawn without replacement and the whole is shuffled, both from `seed` alone.

    Args:
        replay_fraction: general examples as a share of the result, in [0, 1).

    Raises:
        NoEvidenceError: the general data is too small for the fraction, or the fraction is no share.
    """
    if not 0 <= replay_fraction < 1:
        raise NoEvidenceError(f"replay_fraction must lie in [0, 1), saw {replay_fraction}")
    wanted = round(len(domain_data) * replay_fraction / (1 - replay_fraction))
    if wanted > len(general_data):
        raise NoEvidenceError(
            f"a replay fraction of {replay_fraction:g} beside {len(domain_data)} examples needs {wanted} general ones, "
            f"and there are {len(general_data)}"
        )
    chooser = random.Random(seed)
    mixed = [*domain_data, *chooser.sample(list(general_data), wanted)]
    chooser.shuffle(mixed)
    return mixed
