"""An adapter in, the full model that it makes of its base out, kept in the cache folder: the base of a next training."""

from __future__ import annotations

import json
from pathlib import Path

from filelock import FileLock

from harness.digest import digest
from harness.engine.settings import Settings
from harness.engine.transformers.loading import Loader
from harness.engine.transformers.quiet import quiet
from harness.models.cache import cache_folder, keeping
from harness.models.identity import fault_of, identities, kept_identities
from harness.models.reference import Adapter, FullModel, LocalModel
from harness.progress import Log
from harness.training.edits.merging import merged_into_base
from harness.training.edits.written import saved_dtype
from harness.training.trained import library_versions
from harness.writing import whole_folder, write_whole

DONE = "merged.json"
"""Written last: the identities of the adapter, its base and the merged files."""


def as_full_model(source: LocalModel, settings: Settings, log: Log) -> FullModel:
    """The full model itself, or an adapter merged into its base, in the dtype that the base is saved in.

    Raises:
        ModelError: the adapter cannot be merged, or the cache cannot be written.
    """
    if isinstance(source, FullModel):
        return source
    made_of = {"adapter": identities(source.folder), "base": identities(source.base.folder)}
    key = digest(made_of, library_versions())[:16]
    folder = cache_folder() / "merged" / f"{source.folder.name[:60]}-{key}"
    if fault_of(folder, DONE, "merged") is not None:
        with keeping(source.name, folder.parent):
            folder.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{folder}.lock"):
                if fault_of(folder, DONE, "merged") is not None:
                    with whole_folder(folder) as unfinished:
                        _merge(source, settings, log, unfinished)
                        done = {**made_of, "merged": kept_identities(unfinished)}
                        write_whole(unfinished / DONE, json.dumps(done, indent=1) + "\n")
    return FullModel(source.name, folder)


def _merge(source: Adapter, settings: Settings, log: Log, folder: Path) -> None:
    engine = Loader(settings, log).engine(source)
    model = merged_into_base(engine)
    with quiet():
        model.to(saved_dtype(source.base.folder) or model.dtype).save_pretrained(folder)
        engine.tokenizer.save_pretrained(folder)
