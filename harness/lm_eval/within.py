"""The circumstances in which lm-evaluation-harness builds tasks and scores answers in this process.

It is quiet, seeded as its own runs are, reads data through our checks, and renders the templates of a task file in
bounded time and memory. All of it ends with the block; the package has no other way to be told.
"""

from __future__ import annotations

import io
import logging
import random
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.bounded.jinja import render_template
from harness.documents.dataset import load_dataset
from harness.documents.within import Reach, is_address, is_there
from harness.errors import InputError, Span, first_line

SEEDS = (0, 1234)
"""Those of Python's and numpy's generators at the start of a run of lm-evaluation-harness."""


@dataclass(frozen=True)
class Place:
    """Where a task is named, and how far its data may be."""

    file: Path
    """The file that names data: relative paths begin in its folder, or else in the working folder."""
    reach: Reach
    span: Span | None = None


@contextmanager
def within(place: Place, own: bool) -> Iterator[None]:
    """Run the package in here.

    Args:
        own: whether the task comes from a file of the user's, and not from the package.
    """
    import datasets
    from lm_eval import utils

    before = datasets.load_dataset, utils.env, logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    datasets.load_dataset = _loading(before[0], place)
    if own:
        utils.env = _Templates()
    try:
        with (
            warnings.catch_warnings(),
            redirect_stderr(io.StringIO()),
            redirect_stdout(io.StringIO()),
            seeded(),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        datasets.load_dataset, utils.env = before[:2]
        logging.disable(before[2])


@contextmanager
def seeded() -> Iterator[None]:
    """Chance as at the start of a run of lm-evaluation-harness; afterwards as before."""
    import numpy

    before = random.getstate(), numpy.random.get_state()
    random.seed(SEEDS[0])
    numpy.random.seed(SEEDS[1])
    try:
        yield
    finally:
        random.setstate(before[0])
        numpy.random.set_state(before[1])


@dataclass(frozen=True)
class _Templates:
    """Stands for the package's environment of Jinja: a template of a task file is a program of a stranger."""

    template: str = ""

    def from_string(self, template: str) -> _Templates:
        return _Templates(template)

    def render(self, **values: Any) -> str:
        return render_template("task", self.template, values)


def _loading(original: Callable[..., Any], place: Place) -> Callable[..., Any]:
    """`datasets.load_dataset` for the data of a task: nothing out of reach, no code, and one error for all that may fail."""
    import datasets

    def load(path: str, name: str | None = None, **arguments: Any) -> Any:
        given = {
            key: value for key, value in arguments.items() if key != "trust_remote_code" and value is not None
        }
        if "data_files" in given:
            given["data_files"] = _resolved(given["data_files"], place)
        own = place.file.parent / path
        if is_there(own) and own.is_dir():
            place.reach.check(own, place.file, path, place.span)
            path = str(own)
        ours, datasets.load_dataset = datasets.load_dataset, original
        try:
            return load_dataset(path, name, place.reach, place.file, **given)
        except InputError:
            raise
        except Exception as error:  # a data set's loader may raise anything
            called = f"'{path}' ({name})" if name else f"'{path}'"
            what = f"the data set {called} cannot be loaded: {type(error).__name__}: {first_line(error, 200)}"
            hint = "is there a network, and is the name right? a data set that was loaded once is read from the cache"
            raise InputError.at(place.span, what, hint) from error
        finally:
            datasets.load_dataset = ours

    return load


def _resolved(files: Any, place: Place) -> Any:
    """`data_files` with absolute local paths; raises InputError if one leads outside."""
    match files:
        case Mapping():
            return {split: _resolved(listed, place) for split, listed in files.items()}
        case list() | tuple():
            return [_resolved(name, place) for name in files]
    name, folder = str(files), place.file.parent
    if not is_there(folder / name) and is_there(Path(name)):
        folder = Path.cwd()
    place.reach.address(name, place.file, folder, place.span)
    return name if is_address(name) else str(folder / name)
