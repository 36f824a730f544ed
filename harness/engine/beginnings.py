"""Two texts or rows of tokens in, the length of what they begin with alike out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def common_length(left: Sequence[Any], right: Sequence[Any]) -> int:
    """How many items two sequences of one type begin with alike."""
    least, most = 0, min(len(left), len(right))
    while least < most:
        middle = (least + most + 1) // 2
        if left[least:middle] == right[least:middle]:
            least = middle
        else:
            most = middle - 1
    return least
