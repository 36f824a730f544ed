"""Domain examples and general examples in, one mixed and shuffled list out."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence, Set
from os import PathLike
from typing import Any, TypeVar

from harness.errors import NoEvidenceError

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
"""What gives the rows of what is gone through by its columns, or has no rows that are values of Python."""


def create_replay_dataset(
    domain_data: Sequence[T], general_data: Sequence[T], replay_fraction: float = 0.1, seed: int = 42
) -> list[T]:
    """All of `domain_data` and so much of `general_data` that it makes up `replay_fraction` of the whole.

    The general examples are drawn without replacement and the whole is shuffled, both from `seed` alone.

    Args:
        domain_data, general_data: lists of examples, such as dictionaries or texts; or `datasets.Dataset`, of rows.
        replay_fraction: general examples as a share of the result, in [0, 1).

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
    if wanted > len(general_data):
        raise NoEvidenceError(
            f"a replay fraction of {replay_fraction:g} beside {len(domain_data)} examples needs {wanted} general ones, "
            f"and there are {len(general_data)}"
        )
    chooser = random.Random(seed)
    drawn = [general_data[index] for index in chooser.sample(range(len(general_data)), wanted)]
    domain = list(domain_data) if isinstance(domain_data, Iterable) else _by_index(domain_data)
    if drawn:
        _check_alike(domain[0], drawn[0])
    mixed = [*domain, *drawn]
    chooser.shuffle(mixed)
    return mixed


def _by_index(data: Any) -> list[Any]:
    """The rows of a data set that knows how many it has, and cannot be gone through."""
    return [data[index] for index in range(len(data))]


def _check_rows(name: str, data: Any) -> None:
    """Refuse what would be mixed by its names, its letters or its columns, or what has no end."""
    if isinstance(data, str | bytes | PathLike):
        raise NoEvidenceError(
            f"{name} is a text or a path, and examples were expected: {data!r:.80}\n"
            f"  read it first: datasets.load_dataset('json', data_files={name}, split='train')"
        )
    if isinstance(data, Mapping):
        raise NoEvidenceError(_of_mapping(name, data))
    classes = [f"{cls.__module__.partition('.')[0]}.{cls.__name__}" for cls in type(data).__mro__]
    rows = next((ROWS_OF[cls] for cls in classes if cls in ROWS_OF), None)
    if rows is None and not _counts_rows(data):
        rows = "list({name}.take(1000))" if hasattr(data, "take") else "list({name})"
        if isinstance(data, Set):  # of no order
            rows = "sorted({name})"
        elif not isinstance(data, Iterable):
            rows = "as a list"
    if rows is not None:
        raise NoEvidenceError(
            f"{name} must be a list of examples or a datasets.Dataset, saw {_kind(data)}\n"
            f"  give its rows: {rows.format(name=name)}"
        )


def _counts_rows(data: Any) -> bool:
    """Whether data knows how many rows it has, and gives each by its number."""
    try:
        return len(data) >= 0 and hasattr(data, "__getitem__")
    except TypeError:
        return False


def _of_mapping(name: str, data: Mapping[Any, Any]) -> str:
    keys = ", ".join(map(repr, list(data)[:4])) + (", ..." if len(data) > 4 else "")
    if _kind(data).startswith("dict"):
        return (
            f"{name} must be a list of examples or a datasets.Dataset, saw a dictionary of {keys or 'nothing'}\n"
            f"  of columns, give the rows: list(datasets.Dataset.from_dict({name})); of splits, one of them: "
            f"{name}[{next(iter(data), 'train')!r}]"
        )
    first = "train" if "train" in data else next(iter(data), "train")
    one = f"{name}[{first!r}]"
    if "Iterable" in _kind(data):
        one = f"list({one}.take(1000))"
    return (
        f"{name} must be one list of examples, saw {_kind(data)} of the splits {keys or 'nothing'}\n"
        f"  give one of them: {one}"
    )


def _check_alike(domain: Any, general: Any) -> None:
    """Refuse to mix examples that no trainer takes together."""
    if isinstance(domain, Mapping) and isinstance(general, Mapping):
        if domain.keys() & general.keys():
            return
        seen = f"those of domain_data have {sorted(map(str, domain))}, those of general_data {sorted(map(str, general))}"
        raise NoEvidenceError(f"the examples have no key in common: {seen}\n  rename the columns of one")
    if isinstance(domain, Mapping) != isinstance(general, Mapping) or isinstance(domain, str) != isinstance(
        general, str
    ):
        raise NoEvidenceError(
            f"the examples are of two kinds: {_kind(domain)} in domain_data, {_kind(general)} in general_data\n"
            "  give both in one form"
        )


def _kind(data: Any) -> str:
    cls = type(data)
    return (
        cls.__name__ if cls.__module__ == "builtins" else f"{cls.__module__.partition('.')[0]}.{cls.__name__}"
    )
