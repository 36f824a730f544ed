"""The cases that were collected in, what there is for one who named or wanted another out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

import pytest

from harness.errors import did_you_mean, shown_path
from harness.visible import visible
from harness.wording import some

SLICES: pytest.StashKey[dict[Path, Sequence[str]]] = pytest.StashKey()
"""The names of the cases of each suite that was collected."""

MOST_SLICES = 12
"""At most so many names are listed."""


def remember(config: pytest.Config, path: Path, names: Iterable[str]) -> None:
    """Keep the names of the cases of a suite."""
    config.stash.setdefault(SLICES, {})[path] = list(names)


def missing(config: pytest.Config, arguments: Iterable[str]) -> list[str]:
    """What to say of arguments such as `suite.yaml::category[maths]` that name no case of a suite that was collected."""
    told: list[str] = []
    for argument in arguments:
        file, _, name = argument.partition("::")
        names = config.stash.get(SLICES, {}).get((config.invocation_params.dir / file).resolve())
        if name and names and name not in names and not any(known.startswith(f"{name}[") for known in names):
            near = _near(name, names)
            there = f"there are: {some(names, MOST_SLICES)}"
            told.append(
                f"{shown_path(Path(file))}: there is no case '{visible(name)}'\n  {f'{near} ' if near else ''}{there}"
            )
    return told


def _near(name: str, names: Iterable[str]) -> str | None:
    """`did you mean 'category[policy]'?` for one whose part in brackets is nearly the same."""
    kind, bracket, inside = name.partition("[")
    alike = {
        known.partition("[")[2].removesuffix("]"): known for known in names if known.startswith(f"{kind}[")
    }
    if not bracket:
        whole = next((known for known in names if known.endswith(f"[{name}]")), None)
        return f"did you mean '{whole}'?" if whole else did_you_mean(name, names)
    near = get_close_matches(inside.removesuffix("]")[:100], alike, n=1)
    return f"did you mean '{alike[near[0]]}'?" if near else None


def none_matches(config: pytest.Config) -> str | None:
    """What to say where `-k` leaves out every case; None if it does not."""
    wanted = config.option.keyword
    names = dict.fromkeys(name for names in config.stash.get(SLICES, {}).values() for name in names)
    if not wanted or not names:
        return None
    return f"-k {wanted!r} matches no case; there are: {some(list(names), MOST_SLICES)}"
