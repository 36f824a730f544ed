"""An adapter and its base in, whether it was trained on exactly that base, as far as is known, out."""

from __future__ import annotations

import re
from pathlib import Path

from harness.errors import ModelError
from harness.models.identity import weights_identity
from harness.models.json_file import read_json
from harness.models.layout import ADAPTER_CONFIG
from harness.models.reference import Adapter
from harness.spelling import option

RECIPE = "recipe.json"
"""`harness.training` writes it beside a trained model, with the identity of the base under `base`."""

COMMIT = re.compile(r"[0-9a-f]{40}")


def trained_on(adapter: Adapter) -> str | None:
    """A note for the user about the base; None if it is known to be the one that the adapter was trained on.

    Raises:
        ModelError: the adapter is known to be trained on another.
    """
    recipe = adapter.folder / RECIPE
    recorded = _recorded(recipe)
    if recorded:
        if recorded == weights_identity(adapter.base.folder):
            return None
        raise ModelError(
            f"{adapter.name}: the adapter was not trained on the weights of '{adapter.base.name}': "
            f"{recipe.name} records another SHA-256\n  name the base that it was trained on: "
            f"{option('baseline', 'PATH_OR_HUB_ID')}"
        )
    revision = read_json(adapter.folder / ADAPTER_CONFIG).get("revision")
    here = adapter.base.folder.name
    if isinstance(revision, str) and COMMIT.fullmatch(revision) and COMMIT.fullmatch(here):
        if revision == here:
            return None
        return f"{adapter.name}: the adapter was trained on the revision {revision[:12]} of its base, but this is {here[:12]}"
    return (
        f"{adapter.name}: whether the adapter was trained on exactly these weights of '{adapter.base.name}' is unknown: "
        "nothing records their hash or commit"
    )


def _recorded(recipe: Path) -> str | None:
    """The identity of the base's weights in our recipe; None without one, or if the file is another program's."""
    try:
        base = read_json(recipe).get("base") if recipe.is_file() else None
    except ModelError:
        return None
    weights = base.get("weights") if isinstance(base, dict) else None
    return weights if isinstance(weights, str) else None
