"""`store`: what the store of answers holds, and to remove, export and import answers."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.options import NAME_ANOTHER, Commands, Described, add_conftest
from harness.command_line import count
from harness.errors import HarnessError, ModelError, shown_path
from harness.terminal import say, show
from harness.wording import count as counted

if TYPE_CHECKING:
    from harness.models.reference import LocalModel
    from harness.store.database import Database

DAY = 86_400.0


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser("store", help="show, prune, export and import the answers that runs keep")
    actions = Described(parser.add_subparsers(required=True, dest="action", metavar="ACTION"))
    _action(actions.add_parser("info", help="show the file and the models in it"))
    pruning = actions.add_parser("prune", help="remove answers unused for some days")
    pruning.add_argument("--days", type=count, default=30, metavar="N", help="how many days (default: 30)")
    _action(pruning)
    exporting = actions.add_parser(
        "export", help="write the answers of a model to a file, to carry to another machine"
    )
    exporting.add_argument("file", type=Path, metavar="FILE", help="the file to write")
    exporting.add_argument(
        "--model", metavar="REF", help="only the answers of this model (default: of all)"
    )  # fmt: skip
    _action(exporting)
    importing = actions.add_parser("import", help="keep the answers of an exported file")
    importing.add_argument("file", type=Path, metavar="FILE", help="the file that was exported")
    importing.add_argument(
        "--model", metavar="REF", help="refuse the file unless its answers are those of this model"
    )  # fmt: skip
    _action(importing)


def _action(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--store", metavar="FILE", help="the file of the store (default: answers.db in the cache folder)"
    )  # fmt: skip
    add_conftest(parser)
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Do what was asked for; returns 0.

    Raises:
        HarnessError: the store, or a file that is exported or imported, cannot be used.
    """
    {"info": info, "prune": prune, "export": export, "import": import_}[parsed.action](parsed)
    return 0


def info(parsed: Namespace) -> None:
    """Print the models in the store.

    Raises:
        StoreError: the store cannot be read.
    """
    store = _opened(parsed)
    models = store.models()
    files = [store.path.with_name(f"{store.path.name}{end}") for end in ("", "-wal", "-shm")]
    size = sum(file.stat().st_size for file in files if file.is_file())
    answers = counted(sum(model.answers for model in models), "answer")
    show(f"{shown_path(store.path)}: {answers} of {counted(len(models), 'model')}, {size / 1e6:.1f} MB")
    for model in models:
        used = datetime.fromtimestamp(model.used).astimezone()
        parts = ("identity", "dtype", "device")
        how = ", ".join(str(model.content[part]) for part in parts if part in model.content)
        show(f"  {model.name} ({how}): {counted(model.answers, 'answer')}, last used {used:%Y-%m-%d %H:%M}")


def prune(parsed: Namespace) -> None:
    """Remove models that were not used for some days, with their answers.

    Raises:
        StoreError: the store cannot be written.
    """
    removed = _opened(parsed).prune(time.time() - parsed.days * DAY)
    were = "was" if removed == 1 else "were"
    show(
        f"removed the answers of {counted(removed, 'model')} that {were} not used for {counted(parsed.days, 'day')}"
    )


def export(parsed: Namespace) -> None:
    """Write answers to a file.

    Raises:
        HarnessError: there are none, or the file cannot be written.
    """
    from harness.store.carrying import differences
    from harness.store.carrying import export as write
    from harness.writing import system_fault, writing

    store = _opened(parsed)
    models = store.models()
    if parsed.model:
        here = _content(parsed)
        models = [
            model for model in models if not any(differences(model.content, {**model.content, **here}))
        ]  # fmt: skip
    if not any(model.answers for model in models):
        of = f" of {parsed.model}" if parsed.model else ""
        raise HarnessError(
            f"{shown_path(store.path)}: holds no answers{of}\n  run the gate once: they are kept as they come"
        )
    with writing(f"{shown_path(parsed.file)}: cannot be written", NAME_ANOTHER, system_fault):
        answers = write(store, models, parsed.file)
    names = ", ".join(model.name for model in models)
    show(f"{shown_path(parsed.file)}: {counted(answers, 'answer')} of {names}")


def import_(parsed: Namespace) -> None:
    """Keep the answers of an exported file.

    Raises:
        StoreError: it is damaged, or was made under other conditions than those here.
    """
    from harness.store.carrying import import_file

    store = _opened(parsed, new=True)
    models = import_file(parsed.file, store, _content(parsed) if parsed.model else None)
    answers = sum(model.answers for model in models)
    names, are = ", ".join(model.name for model in models), "is" if answers == 1 else "are"
    show(f"{shown_path(parsed.file)}: {counted(answers, 'answer')} of {names} {are} kept")


def _opened(parsed: Namespace, new: bool = False) -> Database:
    """The store; raises HarnessError if it cannot be used, or is not there and is not to be a `new` one."""
    from harness.engine.settings import Settings
    from harness.store.database import Database
    from harness.store.opening import store_path
    from harness.store.sqlite_file import only_readable

    path = store_path(Settings(store=parsed.store))
    if path is None:
        raise HarnessError("the store is switched off\n  name one: --store FILE")
    if not new and not path.is_file():
        raise HarnessError(
            f"{shown_path(path)}: there is no store\n  run the gate, which keeps one, or name another: --store FILE"
        )
    return Database(path, fixed=only_readable(path))


def _content(parsed: Namespace) -> dict[str, Any]:
    """What the answers of the named model depend on, but for its device and dtype; raises HarnessError."""
    from harness.engine.registry import open_engine, schemes
    from harness.engine.settings import Settings
    from harness.models.allowed import Allowed
    from harness.models.reference import Endpoint, RecipeFile, resolve
    from harness.store.content import given_content, model_content
    from harness.store.given import identity_of
    from harness.store.opening import ensure_files

    reference: str = parsed.model
    found = resolve(reference, schemes(), Allowed(pickle=True))  # digests are taken, and nothing is loaded
    if isinstance(found, Endpoint):
        if (identity := identity_of(open_engine(found))) is None:
            raise HarnessError(f"{reference}: its engine has no identity, so none of its answers are kept")
        return given_content(identity)
    model = _trained(found.path, parsed) if isinstance(found, RecipeFile) else found
    ensure_files(model, say)
    return model_content(model, model, Settings())


def _trained(recipe: Path, parsed: Namespace) -> LocalModel:
    """The model that was trained by a recipe; raises ModelError if none is known here."""
    from harness.engine.settings import Settings
    from harness.models.allowed import Allowed
    from harness.models.reference import find_full_model, find_local_model
    from harness.recipes.read import base_reference, read_recipe
    from harness.training.trained import kept_before

    read = read_recipe(recipe)
    allowed = Allowed(pickle=True)
    base = find_full_model(base_reference(read), allowed)
    folder = kept_before(read, base, Settings(store=parsed.store))
    if folder is None:
        raise ModelError(
            f"{recipe}: is a recipe, and this store knows of no model trained by it here with the default device and dtype\n"
            "  name the folder of its model; runs with it say where that is kept"
        )
    return find_local_model(str(folder), allowed)
