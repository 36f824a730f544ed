"""What a user calls a model in, a Source on this disk out.

A reference is a folder with a full model, a folder with a PEFT adapter, a hub id (`org/name@revision`)
or the word `embedded`. A fixture file is trained first, by `harness.training`, and is then a folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.errors import ModelError, did_you_mean, reason
from harness.models.card import CARD, MERGE, card_bases, merge_bases
from harness.models.embedded import NAME, REFERENCE, embedded_folder
from harness.models.files import check_weights
from harness.models.hub import HUB_ID, download
from harness.models.json_file import read_json
from harness.models.layout import ADAPTER_CONFIG, file_hint, is_model, models_within, other_weights


@dataclass(frozen=True)
class Weights:
    """A full model in a folder; `name` is what the user called it."""

    name: str
    folder: Path
    embedded: bool = False


@dataclass(frozen=True)
class Adapter:
    """A PEFT adapter in a folder, over a full model; `base` is what its own config names."""

    name: str
    folder: Path
    base: Weights


Source = Weights | Adapter


@dataclass(frozen=True)
class SourcePair:
    """What to load for a run; `notes` are things that the user should hear."""

    baseline: Source
    tuned: Source
    notes: tuple[str, ...] = ()


def is_recipe(reference: str) -> bool:
    """Whether a reference names a fixture file rather than a model."""
    return reference.lower().endswith((".yaml", ".yml"))


NAME_IT = "name it: --baseline PATH_OR_HUB_ID"

SAME = "same"
"""What `--baseline` says for a model that is held against itself on purpose."""

ITSELF = "the model is held against itself, on purpose: what moves is the noise of asking, and nothing is shown retained"


def find_pair(model: str, baseline: str | None, allow_pickle: bool = False) -> SourcePair:
    """Find the tuned model, and the baseline that it is held against.

    Without `baseline`, an adapter's is its base, and a full model's is the `base_model` of its model card. "same", or the
    same text for both, holds a model against itself.

    Raises:
        ModelError: something is not there, there is no baseline to be found, or it is the tuned model itself.
    """
    folder = find_folder(model)
    on_purpose = baseline is not None and baseline in (SAME, model)
    named = None if on_purpose else baseline
    tuned: Source
    found: Source
    notes: tuple[str, ...] = ()
    if (folder / ADAPTER_CONFIG).is_file():
        tuned, notes = _adapter(model, folder, named, allow_pickle)
        found = tuned.base if named is None else find_source(named, allow_pickle)
    else:
        tuned = find_weights(model, allow_pickle)
        found = tuned if on_purpose else _baseline_of(tuned, named, allow_pickle)
    if on_purpose:
        return SourcePair(tuned, tuned, (*notes, ITSELF))
    if same_place(found, tuned):
        who = (
            f"--baseline {baseline}"
            if baseline
            else f"its model card names '{found.name}' as its base_model, which"
        )
        raise ModelError(
            f"{model}: would be held against itself: {who} is the same folder, {folder}\n"
            "  name the model before tuning: --baseline PATH_OR_HUB_ID; or, to measure noise: --baseline same"
        )
    return SourcePair(found, tuned, notes)


def _adapter(
    model: str, folder: Path, baseline: str | None, allow_pickle: bool
) -> tuple[Adapter, tuple[str, ...]]:
    """The adapter on the base that its config names, or, where that is not to be had, on the baseline; with notes."""
    full = baseline is not None and not (find_folder(baseline) / ADAPTER_CONFIG).is_file()
    notes: tuple[str, ...] = ()
    try:
        base = _adapter_base(model, folder, allow_pickle)
    except ModelError:
        if baseline is None or not full:
            raise
        base = find_weights(baseline, allow_pickle)
        named = read_json(folder / ADAPTER_CONFIG).get("base_model_name_or_path")
        what = f"names the base '{named}', which is not here" if named else "names no base"
        notes = (f"the adapter {what}; it was put on --baseline {baseline}",)
    check_weights(model, folder, "adapter_model", allow_pickle)
    return Adapter(model, folder, base), notes


def _baseline_of(tuned: Weights, baseline: str | None, allow_pickle: bool) -> Source:
    named = baseline or _card_base(tuned)
    try:
        return find_source(named, allow_pickle)
    except ModelError as error:
        if baseline is not None:
            raise
        raise ModelError(
            f"{tuned.name}: the base_model '{named}' of its model card cannot be found\n"
            f"  {NAME_IT}\n  {error}"
        ) from error


def find_source(reference: str, allow_pickle: bool = False) -> Source:
    """The full model or the adapter that a reference names; raises ModelError."""
    folder = find_folder(reference)
    if (folder / ADAPTER_CONFIG).is_file():
        return _adapter(reference, folder, None, allow_pickle)[0]
    return find_weights(reference, allow_pickle)


def find_weights(reference: str, allow_pickle: bool = False) -> Weights:
    """The full model that a reference names; raises ModelError."""
    if reference == REFERENCE:
        return Weights(NAME, embedded_folder(), embedded=True)
    folder = find_folder(reference)
    if folder == embedded_folder():
        return Weights(NAME, folder, embedded=True)
    if (folder / ADAPTER_CONFIG).is_file():
        raise ModelError(
            f"{reference}: is an adapter, and a full model is needed here\n"
            "  an adapter that was trained on another: merge that one into its base and save it (merge_and_unload)"
        )
    if not (folder / "config.json").is_file():
        seen = ", ".join(sorted(path.name for path in folder.iterdir())[:8]) or "nothing"
        raise ModelError(
            f"{reference}: a folder without a model: neither config.json nor {ADAPTER_CONFIG} is in it\n"
            f"  {models_within(reference, folder) or other_weights(folder) or 'saw: ' + seen}"
        )
    check_weights(reference, folder, "model", allow_pickle)
    return Weights(reference, folder)


def find_folder(reference: str) -> Path:
    """The folder of a reference, downloaded from the hub if that is where it is; raises ModelError."""
    if reference == REFERENCE:
        return embedded_folder()
    try:
        path = Path(reference).expanduser()
        if path.is_dir():
            return path.resolve()
        is_file = path.exists()
    except RuntimeError as error:
        raise ModelError(f"{reference}: there is no such home folder") from error
    except OSError as error:
        raise ModelError(f"{reference:.200}: cannot be looked at: {reason(error)}") from error
    if path == embedded_folder():
        return path
    if is_file:
        raise ModelError(
            f"{reference}: is a file; a model is a folder, a hub id or a fixture (.yaml){file_hint(path)}"
        )
    looks_like_path = reference.startswith((".", "/", "~")) or reference.partition("@")[0].count("/") > 1
    match = HUB_ID.match(reference)
    if looks_like_path or not match:
        near = (
            did_you_mean(path.name, [p.name for p in path.parent.iterdir()]) if path.parent.is_dir() else None
        )
        raise ModelError(
            f"{reference}: no such folder\n  "
            + (near or "a hub id has the form org/name or org/name@revision")
        )
    return download(reference, match["repo"], match["revision"])


def _adapter_base(model: str, folder: Path, allow_pickle: bool) -> Weights:
    """The base that an adapter's config names, at the revision that it was trained on; raises ModelError."""
    config = read_json(folder / ADAPTER_CONFIG)
    named, revision = config.get("base_model_name_or_path"), config.get("revision")
    if not isinstance(named, str) or not named:
        raise ModelError(f"{folder / ADAPTER_CONFIG}: names no base_model_name_or_path\n  {NAME_IT}")
    found = _beside(folder, named)
    match = HUB_ID.match(found)
    if (
        isinstance(revision, str)
        and revision
        and match
        and not match["revision"]
        and not Path(found).is_dir()
    ):
        found = f"{found}@{revision}"
    try:
        return find_weights(found, allow_pickle)
    except ModelError as error:
        raise ModelError(
            f"{model}: the adapter's base model '{found}' (from {ADAPTER_CONFIG}) cannot be found\n"
            f"  {NAME_IT}\n  {error}"
        ) from error


def _card_base(tuned: Weights) -> str:
    """The base that a full model's card names; raises ModelError where that is none, or one of several."""
    bases = card_bases(tuned.folder)
    if len(bases) == 1:
        return _beside(tuned.folder, bases[0])
    why = f"its model card ({CARD}) names no base_model"
    if bases:
        shown = ", ".join(f"'{base}'" for base in bases[:4]) + (", ..." if len(bases) > 4 else "")
        why = f"its model card ({CARD}) names {len(bases)} base models: {shown}"
    raise ModelError(
        f"{tuned.name}: no baseline to compare with: it is a full model, and {why}\n  {NAME_IT}{_hint(tuned.folder)}"
    )


def _hint(folder: Path) -> str:
    """The base that mergekit's config names, or the folder above: that of a run, for a checkpoint or a merged model in it."""
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
    """A relative path that a model gives: meant from where the user is, or from the model's folder.

    Raises:
        ModelError: both are models, so that it would depend on the working folder which one is meant.
    """
    if named == REFERENCE or Path(named).is_absolute() or named.startswith("~"):
        return named
    here, there = Path(named), folder / named
    found = [path.resolve() for path in (here, there) if is_model(path)]
    if len(set(found)) > 1:
        raise ModelError(
            f"{folder}: its base '{named}' may be {found[0]} (from the working folder) or {found[1]} (from the model's)\n"
            "  name the one that is meant: --baseline PATH_OR_HUB_ID"
        )
    return named if not found or is_model(here) else str(found[0])


def base_of(source: Source) -> Weights:
    """The full model of a source."""
    return source.base if isinstance(source, Adapter) else source


def same_place(left: Source, right: Source) -> bool:
    """Whether two references lead to the same folder, as when a model is held against itself."""
    return left.folder == right.folder
