"""A store in, a file with the answers of some models out, to be carried to another machine; and such a file in, kept answers out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.errors import shown_path
from harness.store.content import conditions
from harness.store.database import Database, Kept, StoreError
from harness.writing import whole_file


def export(store: Database, models: Sequence[Kept], file: Path) -> int:
    """Write the answers of some models to a file, whole; returns how many answers.

    Raises:
        StoreError: the store cannot be read, or the file is this store, or something else than one.
        OSError: the file cannot be written.
    """
    if file.exists() and file.samefile(store.path):
        raise StoreError(f"{shown_path(file)}: is the store itself, which would be lost\n  name another file")
    if file.exists():
        _check_replaceable(file)
    with whole_file(file) as partial:
        partial.unlink(missing_ok=True)
        carried = Database(partial)
        count = sum(_copy(store, model, carried) for model in models)
        carried.seal()
    return count


def _check_replaceable(file: Path) -> None:
    try:
        Database(file, fixed=True).close()
    except StoreError as error:
        raise StoreError(f"{error.text}, and is left as it is\n  name another file") from error


def import_file(file: Path, store: Database, here: Mapping[str, Any] | None = None) -> list[Kept]:
    """Keep the answers of an exported file; returns its models.

    Args:
        here: the content of the model that the answers must be of; None for any, given under the conditions of this machine.

    Raises:
        StoreError: anything that the answers depend on is different here, or the file is damaged; nothing is kept then.
    """
    if not file.is_file():
        raise StoreError(f"{shown_path(file)}: no such file")
    carried = Database(file, fixed=True)
    carried.check()
    models = carried.models()
    if not models:
        raise StoreError(f"{shown_path(file)}: holds no answers")
    for model in models:
        answers = carried.all_answers(model)
        if len(answers) != model.answers:
            raise StoreError(
                f"{shown_path(file)}: is damaged: {model.answers - len(answers)} answers are not as they were"
            )
        expected = conditions(model.content) if here is None else here
        if unlike := list(differences({part: model.content.get(part) for part in expected}, expected)):
            raise StoreError(
                f"{shown_path(file)}: its answers of {model.name} were given elsewhere under other conditions:\n  "
                + "\n  ".join(unlike)
            )
    for model in models:
        _copy(carried, model, store)
    carried.close()
    return models


def differences(there: Any, here: Any, name: str = "") -> Iterator[str]:
    """The parts in which two contents differ, in words."""
    if isinstance(there, Mapping) and isinstance(here, Mapping):
        for key in sorted(there.keys() | here.keys()):
            yield from differences(there.get(key), here.get(key), f"{name} {key}".strip())
    elif isinstance(there, list) and isinstance(here, list) and len(there) == len(here):
        for left, right in zip(there, here, strict=True):
            yield from differences(left, right, name)
    elif there != here:
        yield f"{name}: {_shown(there)} there, {_shown(here)} here"


def _copy(source: Database, model: Kept, target: Database) -> int:
    answers = source.all_answers(model)
    target.keep(model, answers)
    return len(answers)


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    text = str(value)
    return text[:12] if len(text) == 64 else text[:60]
