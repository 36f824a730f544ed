"""A model's folder in, the reference of the base that it names out."""

from __future__ import annotations

from pathlib import Path

from harness.errors import ModelError
from harness.models.card import CARD, MERGE, card_bases, merge_bases
from harness.models.embedded import REFERENCE
from harness.models.folder import HUB_ID
from harness.models.json_file import read_json
from harness.models.layout import ADAPTER_CONFIG, is_model
from harness.spelling import option

NAME_IT = f"name it: {option('baseline', 'PATH_OR_HUB_ID')}"


def adapter_base(folder: Path) -> str:
    """The base that an adapter's config names, at the revision that it was trained on.

    Raises:
        ModelError: it names none, or an ambiguous relative path.
    """
    config = read_json(folder / ADAPTER_CONFIG)
    named, revision = config.get("base_model_name_or_path"), config.get("revision")
    if not isinstance(named, str) or not named:
        raise ModelError(f"{folder / ADAPTER_CONFIG}: names no base_model_name_or_path\n  {NAME_IT}")
    base = _beside(folder, named)
    match = HUB_ID.match(base)
    pinned = isinstance(revision, str) and revision and match and not match["revision"]
    return f"{base}@{revision}" if pinned and not Path(base).is_dir() else base


def card_base(name: str, folder: Path) -> str:
    """The base that a full model's card names.

    Args:
        name: the user's reference to the model.

    Raises:
        ModelError: it names none, several, or an ambiguous relative path.
    """
    bases = card_bases(folder)
    if len(bases) == 1:
        return _beside(folder, bases[0])
    why = f"its model card ({CARD}) names no base_model"
    if bases:
        shown = ", ".join(f"'{base}'" for base in bases[:4]) + (", ..." if len(bases) > 4 else "")
        why = f"its model card ({CARD}) names {len(bases)} base models: {shown}"
    raise ModelError(
        f"{name}: no baseline to compare with: it is a full model, and {why}\n  {NAME_IT}{_hint(folder)}"
    )


def _hint(folder: Path) -> str:
    """The base that mergekit's config or the folder above (the run of a checkpoint or merged model) names, for a message."""
    above = folder.parent
    try:
        if merged := merge_bases(folder):
            return f"; {MERGE} names '{merged[0]}'"
        config = read_json(above / ADAPTER_CONFIG) if (above / ADAPTER_CONFIG).is_file() else {}
        named = config.get("base_model_name_or_path") or next(iter(card_bases(above)), None)
    except ModelError:
        return ""
    return f"; the folder above, {above.name}, names '{named}'" if named else ""


def _beside(folder: Path, named: str) -> str:
    """The base that a model names; a relative path is looked up in the working folder and in the model's.

    Raises:
        ModelError: both folders have such a model, so the working folder would decide which one is used.
    """
    if named == REFERENCE or Path(named).is_absolute() or named.startswith("~"):
        return named
    here, there = Path(named), folder / named
    models = [path.resolve() for path in (here, there) if is_model(path)]
    if len(set(models)) > 1:
        raise ModelError(
            f"{folder}: its base '{named}' may be {models[0]} (from the working folder) or {models[1]} (from the model's)\n"
            f"  {NAME_IT}"
        )
    return named if not models or is_model(here) else str(models[0])
