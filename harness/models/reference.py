"""A reference in, what it names out: a full model, an adapter, a recipe or an endpoint.

A reference is a folder with a full model, a folder with a PEFT adapter, a hub id (`org/name@revision`), the word
`embedded`, a recipe (`fixtures/lora.yaml`), which is trained first, or `SCHEME:NAME` where an engine answers for that
scheme.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Literal, TypeVar

from harness.errors import ModelError, did_you_mean
from harness.models.base import NAME_IT, adapter_base, card_base
from harness.models.embedded import NAME, REFERENCE, embedded_folder
from harness.models.files import check_weights
from harness.models.folder import find_folder
from harness.models.json_file import read_json
from harness.models.layout import ADAPTER_CONFIG, models_within, other_weights
from harness.spelling import option


@dataclass(frozen=True)
class FullModel:
    """A full model in a folder; `name` is what the user called it."""

    name: str
    folder: Path
    embedded: bool = False


@dataclass(frozen=True)
class Adapter:
    """A PEFT adapter in a folder, over a full model; `base` is what its own config names."""

    name: str
    folder: Path
    base: FullModel


@dataclass(frozen=True)
class RecipeFile:
    """A recipe, which may not be there."""

    path: Path


@dataclass(frozen=True)
class Endpoint:
    """A model that an engine other than transformers answers for, such as `fake:careless`."""

    scheme: str
    rest: str

    @property
    def name(self) -> str:
        """The reference as it was written."""
        return f"{self.scheme}:{self.rest}"


LocalModel = FullModel | Adapter
"""A model on this disk."""

Model = LocalModel | Endpoint
B = TypeVar("B", bound=Model, covariant=True)
T = TypeVar("T", bound=Model, covariant=True)


@dataclass(frozen=True)
class ModelPair(Generic[B, T]):
    """What to load for a run; `notes` are things that the user should hear."""

    baseline: B
    tuned: T
    notes: tuple[str, ...] = ()

    def of(self, side: Literal["baseline", "tuned"]) -> B | T:
        """The model of one side."""
        return self.baseline if side == "baseline" else self.tuned


LocalPair = ModelPair[LocalModel, LocalModel]

SCHEME = re.compile(r"[a-z][a-z0-9+.-]+")
"""Of an endpoint, as in a URL, but of at least two characters: one alone is a drive of Windows."""

SAME = "same"
"""What the option `baseline` says for a model that is held against itself on purpose."""

ITSELF = "the model is held against itself, on purpose: what moves is the noise of asking, and nothing is shown retained"


def by_form(reference: str, schemes: Collection[str] = ()) -> RecipeFile | Endpoint | None:
    """What a reference names, where its form alone says so; None for a model on this disk or on the hub.

    Args:
        schemes: those that an engine answers for; a file or folder that is there is no endpoint.
    """
    scheme, colon, rest = reference.partition(":")
    if colon and scheme in schemes and not _is_there(reference):
        return Endpoint(scheme, rest)
    return RecipeFile(Path(reference)) if reference.lower().endswith((".yaml", ".yml")) else None


def resolve(
    reference: str, schemes: Collection[str] = (), allow_pickle: bool = False
) -> FullModel | Adapter | RecipeFile | Endpoint:
    """What a reference names; a recipe need not be there.

    Args:
        schemes: those that an engine answers for.

    Raises:
        ModelError: it leads nowhere.
    """
    if (found := by_form(reference, schemes)) is not None:
        return found
    _check_scheme(reference, schemes)
    return find_local_model(reference, allow_pickle)


def find_pair(
    model: str, baseline: str | None, allow_pickle: bool = False, schemes: Collection[str] = ()
) -> ModelPair[Model, Model]:
    """Find the tuned model, and the baseline that it is held against.

    Without `baseline`, an adapter's is its base, and a full model's is the `base_model` of its model card. "same", or the
    same text for both, holds a model against itself.

    Raises:
        ModelError: something is not there, there is no baseline to be found, or it is the tuned model itself.
    """
    on_purpose = baseline is not None and baseline in (SAME, model)
    named = None if on_purpose else baseline
    tuned, notes = _tuned(model, named, allow_pickle, schemes)
    if on_purpose:
        return ModelPair(tuned, tuned, (*notes, ITSELF))
    found = (
        _own_baseline(tuned, allow_pickle) if named is None else find_baseline(named, allow_pickle, schemes)
    )
    if not isinstance(found, Endpoint) and not isinstance(tuned, Endpoint) and same_place(found, tuned):
        who = (
            option("baseline", baseline)
            if baseline
            else f"its model card names '{found.name}' as its base_model, which"
        )
        raise ModelError(
            f"{model}: would be held against itself: {who} is the same folder, {tuned.folder}\n"
            f"  name the model before tuning: {option('baseline', 'PATH_OR_HUB_ID')}; or, to measure noise: "
            f"{option('baseline', SAME)}"
        )
    return ModelPair(found, tuned, notes)


def _tuned(
    model: str, baseline: str | None, allow_pickle: bool, schemes: Collection[str]
) -> tuple[Model, tuple[str, ...]]:
    """The tuned model, with notes; an adapter whose base is not to be had is put on the baseline."""
    if isinstance(found := by_form(model, schemes), Endpoint):
        return found, ()
    _check_scheme(model, schemes)
    folder = find_folder(model)
    if (folder / ADAPTER_CONFIG).is_file():
        full = baseline is not None and by_form(baseline, schemes) is None
        return _adapter(model, folder, baseline if full else None, allow_pickle)
    return find_full_model(model, allow_pickle), ()


def find_baseline(reference: str, allow_pickle: bool = False, schemes: Collection[str] = ()) -> Model:
    """The model that a reference names as a baseline; raises ModelError where it leads nowhere, or to a recipe."""
    found = resolve(reference, schemes, allow_pickle)
    if isinstance(found, RecipeFile):
        raise ModelError(f"{reference}: is a recipe, and a baseline is a model")
    return found


def _own_baseline(tuned: Model, allow_pickle: bool) -> LocalModel:
    """The baseline that a model itself names; raises ModelError where there is none to be found."""
    if isinstance(tuned, Endpoint):
        raise ModelError(
            f"{tuned.name}: no baseline to compare with: an engine of its own names none\n  {NAME_IT}"
        )
    if isinstance(tuned, Adapter):
        return tuned.base
    named = card_base(tuned.name, tuned.folder)
    try:
        return find_local_model(named, allow_pickle)
    except ModelError as error:
        raise ModelError(
            f"{tuned.name}: the base_model '{named}' of its model card cannot be found\n"
            f"  {NAME_IT}\n  {error.text}"
        ) from error


def _check_scheme(reference: str, schemes: Collection[str]) -> None:
    """Refuse what looks like an endpoint, and no engine answers for; raises ModelError."""
    scheme, colon, _ = reference.partition(":")
    if not colon or not SCHEME.fullmatch(scheme) or _is_there(reference):
        return
    near = did_you_mean(scheme, schemes)
    known = (
        f"there are: {', '.join(sorted(schemes))}"
        if schemes
        else f"none is: register one in a conftest.py, with @engine_for('{scheme}')"
    )
    raise ModelError(
        f"{reference}: no such folder, and no engine answers for '{scheme}:'\n"
        f"  {near or known}; a hub id has the form org/name or org/name@revision"
    )


def _is_there(reference: str) -> bool:
    try:
        return Path(reference).exists()
    except (OSError, ValueError):  # a name that is too long, or that no file can have
        return False


def _adapter(
    model: str, folder: Path, stand_in: str | None, allow_pickle: bool
) -> tuple[Adapter, tuple[str, ...]]:
    """The adapter on the base that its config names, or, where that is not to be had, on a full model; with notes."""
    full = stand_in is not None and not (find_folder(stand_in) / ADAPTER_CONFIG).is_file()
    notes: tuple[str, ...] = ()
    try:
        base = _adapter_base(model, folder, allow_pickle)
    except ModelError:
        if stand_in is None or not full:
            raise
        base = find_full_model(stand_in, allow_pickle)
        named = read_json(folder / ADAPTER_CONFIG).get("base_model_name_or_path")
        what = f"names the base '{named}', which is not here" if named else "names no base"
        notes = (f"the adapter {what}; it was put on {option('baseline', stand_in)}",)
    check_weights(model, folder, "adapter_model", allow_pickle)
    return Adapter(model, folder, base), notes


def find_local_model(reference: str, allow_pickle: bool = False) -> LocalModel:
    """The full model or the adapter that a reference names; raises ModelError."""
    folder = find_folder(reference)
    if (folder / ADAPTER_CONFIG).is_file():
        return _adapter(reference, folder, None, allow_pickle)[0]
    return find_full_model(reference, allow_pickle)


def find_full_model(reference: str, allow_pickle: bool = False) -> FullModel:
    """The full model that a reference names; raises ModelError."""
    if reference == REFERENCE:
        return FullModel(NAME, embedded_folder(), embedded=True)
    folder = find_folder(reference)
    if folder == embedded_folder():
        return FullModel(NAME, folder, embedded=True)
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
    return FullModel(reference, folder)


def _adapter_base(model: str, folder: Path, allow_pickle: bool) -> FullModel:
    """The base that an adapter's config names; raises ModelError."""
    named = adapter_base(folder)
    try:
        return find_full_model(named, allow_pickle)
    except ModelError as error:
        raise ModelError(
            f"{model}: the adapter's base model '{named}' (from {ADAPTER_CONFIG}) cannot be found\n"
            f"  {NAME_IT}\n  {error.text}"
        ) from error


def base_of(source: LocalModel) -> FullModel:
    """The full model of a source."""
    return source.base if isinstance(source, Adapter) else source


def same_place(left: LocalModel, right: LocalModel) -> bool:
    """Whether two references lead to the same folder, as when a model is held against itself."""
    return left.folder == right.folder
