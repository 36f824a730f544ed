"""Domain examples and general examples in, one mixed and shuffled list out."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence, Set
from os import PathLike
from typing import Any, TypeVar

from harness.errors import NoEvidenceError
from harness.wording import count

T = TypeVar("T")

ROWS_OF = {
    "pandas.DataFrame": "{name}.to_dict('records')",
    "pandas.Series": "{name}.tolist()",
    "polars.DataFrame": "{name}.to_dicts()",
    "polars.LazyFrame": "{name}.collect().to_dicts()",
    "polars.Series": "{name}.to_list()",
    "pyarrow.Table": "{name}.to_pylist()",
    "pyarrow.RecordBatch": "{name}.to_pylist()",
    "numpy.ndarray": "{name}.tolist()",
    "torch.Tensor": "{name}.tolist()",
}
"""How to get rows of Python values from types that iterate by column or hold values of another library."""


def create_replay_dataset(
    domain_data: Sequence[T], general_data: Sequence[T], replay_fraction: float = 0.1, seed: int = 42
) -> list[T]:
    """All of `domain_data`, with as much of `general_data` as makes up `replay_fraction` of the whole: an example at least.

    The general examples are drawn without replacement and the whole is shuffled, both from `seed` alone.

    Args:
        domain_data, general_data: lists of examples, such as dictionaries or texts; or `datasets.Dataset`, of rows.
        replay_fraction: general examples as a share of the result, in [0, 1); 0 for none.

    Raises:
        NoEvidenceError: either is no list of examples, or has none; the two are of different kinds; the general data is too
            small for the fraction, or the fraction is no share.
    """
    if not isinstance(replay_fraction, int | float) or not 0 <= replay_fraction < 1:
        raise NoEvidenceError(f"replay_fraction must lie in [0, 1), saw {replay_fraction!r:.60}")
    if not isinstance(seed, int):
        raise NoEvidenceError(f"seed must be a whole number, saw {seed!r:.60}")
    for name, data in (("domain_data", domain_data), ("general_data", general_data)):
        _check_rows(name, data)
    if not len(domain_data):
        raise NoEvidenceError("domain_data is empty: there is nothing to learn")
    wanted = round(len(domain_data) * replay_fraction / (1 - replay_fraction))
    wanted = max(wanted, 1 if replay_fraction else 0)
    if wanted > len(general_data):
        raise NoEvidenceError(
            f"a replay fraction of {replay_fraction:g} beside {len(domain_data)} examples needs "
            f"{count(wanted, 'general one')}, and there are {len(general_data)}"
        )
    chooser = random.Random(seed)
    drawn = [general_data[index] for index in chooser.sample(range(len(general_data)), wanted)]
    # torch's map-style data sets count and index their rows, but need not iterate over them.
    rows = (
        domain_data
        if isinstance(domain_data, Iterable)
        else map(domain_data.__getitem__, range(len(domain_data)))
    )
    domain = list(rows)
    if drawn:
        _check_alike(domain[0], drawn[0])
    mixed = [*domain, *drawn]
    chooser.shuffle(mixed)
    return mixed


def _check_rows(name: str, data: Any) -> None:
    """Refuse data that would be mixed by its keys, letters or columns, and data without an end."""
    if isinstance(data, str | bytes | PathLike):
        raise NoEvidenceError(
            f"{name} is a text or a path, and examples were expected: {data!r:.80}\n"
            f"  read it first: datasets.load_dataset('json', data_files={name}, split='train')"
        )
    if isinstance(data, Mapping):
        raise NoEvidenceError(_of_mapping(name, data))
    if (rows := _rows_of(data)) is not None:
        raise NoEvidenceError(
            f"{name} must be a list of examples or a datasets.Dataset, saw {_name_of(type(data))}\n"
            f"  give its rows: {rows.format(name=name)}"
        )


def _rows_of(data: Any) -> str | None:
    """How to get the rows of data that does not count and index them itself; None if it does."""
    for cls in map(_name_of, type(data).__mro__):
        if cls in ROWS_OF:
            return ROWS_OF[cls]
    try:
        if len(data) >= 0 and hasattr(data, "__getitem__"):
            return None
    except TypeError:  # no length, or one that its parts do not know
        pass
    if isinstance(data, Set):  # without an order
        return "sorted({name})"
    if not isinstance(data, Iterable):
        return "as a list"
    return "list({name}.take(1000))" if hasattr(data, "take") else "list({name})"


def _of_mapping(name: str, data: Mapping[Any, Any]) -> str:
    """Why a mapping is refused: its columns, or its splits, are no examples."""
    keys = ", ".join(map(repr, list(data)[:4])) + (", ..." if len(data) > 4 else "") or "nothing"
    first = "train" if "train" in data else next(iter(data), "train")
    split = f"{name}[{first!r}]"
    if type(data) is dict:
        return (
            f"{name} must be a list of examples or a datasets.Dataset, saw a dictionary of {keys}\n"
            f"  of columns, give the rows: list(datasets.Dataset.from_dict({name})); of splits, one of them: {split}"
        )
    kind = _name_of(type(data))
    return (
        f"{name} must be one list of examples, saw {kind} of the splits {keys}\n"
        f"  give one of them: {f'list({split}.take(1000))' if 'Iterable' in kind else split}"
    )


def _check_alike(domain: Any, general: Any) -> None:
    """Refuse to mix examples that no trainer takes together."""
    kinds = [
        next((kind for kind in (Mapping, str) if isinstance(example, kind)), object)
        for example in (domain, general)
    ]
    if kinds[0] is not kinds[1]:
        raise NoEvidenceError(
            f"the examples are of two kinds: {_name_of(type(domain))} in domain_data, "
            f"{_name_of(type(general))} in general_data\n  give both in one form"
        )
    if kinds[0] is Mapping and not domain.keys() & general.keys():
        seen = f"those of domain_data have {sorted(map(str, domain))}, those of general_data {sorted(map(str, general))}"
        raise NoEvidenceError(f"the examples have no key in common: {seen}\n  rename the columns of one")


def _name_of(cls: type) -> str:
    """ "pandas.DataFrame", "list"."""
    package = cls.__module__.partition(".")[0]
    return cls.__name__ if package == "builtins" else f"{package}.{cls.__name__}"
