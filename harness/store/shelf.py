"""A store that never stops a run: what fails is said once, and the run goes on without it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from harness.digest import digest
from harness.progress import Log
from harness.store.database import Data, Database, Stored, StoreError

T = TypeVar("T")


class Store:
    """The store of a run.

    Args:
        path: its file.
        say: takes the reason why the store is not used any more.

    Attributes:
        fault: the same reason, or None.
    """

    def __init__(self, path: Path, say: Log) -> None:
        self._say = say
        self.fault: str | None = None
        self._database: Database | None = None
        self._database = self._tried(lambda: Database(path), None)

    def shelf(self, name: str, content: Mapping[str, Any]) -> Shelf:
        """The answers of the model whose answers depend on `content` and the request alone."""
        return Shelf(self, name, content)

    def fact(self, *key: Any) -> Any:
        """What was kept under a key of JSON data; None if nothing was."""
        return self.tried(lambda database: database.fact(digest(*key)), None)

    def keep_fact(self, value: Any, *key: Any) -> None:
        """Keep JSON data under a key."""
        self.tried(lambda database: database.keep_fact(digest(*key), value), None)

    def tried(self, use: Callable[[Database], T], otherwise: T) -> T:
        """What a use of the file gives, or `otherwise` if there is none to use."""
        database = self._database
        return otherwise if database is None else self._tried(lambda: use(database), otherwise)

    def _tried(self, use: Callable[[], T], otherwise: T) -> T:
        try:
            return use()
        except StoreError as error:
            if self._database is not None:
                self._database.close()
                self._database = None
            self.fault = f"answers are not stored: {error}"
            self._say(self.fault)
            return otherwise


class Shelf:
    """The answers of one model in a store, by the keys of requests."""

    def __init__(self, store: Store, name: str, content: Mapping[str, Any]) -> None:
        self.store = store
        self.content = content
        self._model = Stored(name, content)

    def answers(self, keys: Sequence[str]) -> dict[str, Data]:
        """The kept answers, as JSON data."""

        def known(database: Database) -> dict[str, Data]:
            database.use(self._model)
            return database.answers(self._model, keys)

        return self.store.tried(known, {})

    def keep(self, answers: Mapping[str, Data]) -> None:
        """Keep answers."""
        self.store.tried(lambda database: database.keep(self._model, answers), None)
