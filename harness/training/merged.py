"""An adapter in, the full model that it makes of its base out, kept in the cache folder: the base of a next training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.digest import digest
from harness.engine.settings import Settings
from harness.engine.transformers.loading import Loader
from harness.engine.transformers.quiet import quiet
from harness.models.cache import cache_folder
from harness.models.identity import identities
from harness.models.making import make_once
from harness.models.reference import FullModel, LocalModel
from harness.progress import Log
from harness.training.edits.merging import merged_into_base
from harness.training.edits.written import saved_dtype
from harness.training.trained import library_versions

DONE = "merged.json"
"""Written last: the identities of the adapter, its base and the merged files, and the device and dtype of the merging."""


def as_full_model(source: LocalModel, settings: Settings, log: Log) -> FullModel:
    """The full model itself, or an adapter merged into its base, in the dtype that the base is saved in.

    Raises:
        ModelError: the adapter cannot be merged, or the cache cannot be written.
    """
    if isinstance(source, FullModel):
        return source
    loader = Loader(settings, log)
    made_of = {
        "adapter": identities(source.folder),
        "base": identities(source.base.folder),
        "device": [loader.device.type, settings.dtype_on(loader.device.type)],
    }
    key = digest(made_of, library_versions())[:16]
    folder = cache_folder() / "merged" / f"{source.folder.name[:60]}-{key}"

    def merge(unfinished: Path) -> dict[str, Any]:
        engine = loader.engine(source)
        model = merged_into_base(engine)
        with quiet():
            model.to(saved_dtype(source.base.folder) or model.dtype).save_pretrained(unfinished)
            engine.tokenizer.save_pretrained(unfinished)
        return made_of

    make_once(folder, source.name, DONE, "merged", merge, log)
    return FullModel(source.name, folder)
