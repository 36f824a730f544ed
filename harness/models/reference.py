"""A reference in, what it names out: a full model, an adapter, a recipe or an endpoint.

A reference is a folder with a full model, a folder with a PEFT adapter, a hub id (`org/name@revision`), the word
`embedded`, a recipe (`fixtures/lora.yaml`), which is trained first, a GGUF file, or `SCHEME:NAME` if the scheme has an engine. A
model on this disk may name the engine that runs it: `vllm:./tuned`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, Literal, TypeVar

from harness.errors import ModelError, did_you_mean
from harness.models.allowed import NOTHING, Allowed
from harness.models.base import NAME_IT, adapter_base, card_base
from harness.models.embedded import NAME, embedded_folder
from harness.models.files import check_weights
from harness.models.folder import find_folder
from harness.models.json_file import read_json
from harness.models.layout import ADAPTER_CONFIG, CONFIG, models_within, other_weights
from harness.models.secrets import refuse_secrets
from harness.spelling import option

GGUF = "gguf"
"""The scheme of GGUF files, which is left out where a name ends like one, and what it ends with."""

LOCAL_ENGINES = ("transformers", "vllm")
"""What can run a model on this disk."""


@dataclass(frozen=True)
class FullModel:
    """A full model in a folder; `name` is the reference to it as the user wrote it.

    `engine` is the one of LOCAL_ENGINES that the reference names; None leaves it to the run.
    """

    name: str
    folder: Path
    embedded: bool = False
    engine: str | None = None


@dataclass(frozen=True)
class Adapter:
    """A PEFT adapter in a folder, and the full model that it is put on."""

    name: str
    folder: Path
    base: FullModel
    engine: str | None = None


@dataclass(frozen=True)
class RecipeFile:
    """A recipe, whose file may be missing."""

    path: Path


@dataclass(frozen=True)
class Endpoint:
    """A model of an engine other than transformers, such as `fake:careless`, or a GGUF file."""

    scheme: str
    rest: str

    @property
    def name(self) -> str:
        """The reference as the user wrote it."""
        return self.rest if self.scheme == GGUF else f"{self.scheme}:{self.rest}"


LocalModel = FullModel | Adapter
"""A model on this disk."""

Model = LocalModel | Endpoint
B = TypeVar("B", bound=Model, covariant=True)
T = TypeVar("T", bound=Model, covariant=True)


@dataclass(frozen=True)
class ModelPair(Generic[B, T]):
    """The models of a run; `notes` are for the user."""

    baseline: B
    tuned: T
    notes: tuple[str, ...] = ()

    def of(self, side: Literal["baseline", "tuned"]) -> B | T:
        """The model of one side."""
        return self.baseline if side == "baseline" else self.tuned


LocalPair = ModelPair[LocalModel, LocalModel]

SCHEME = re.compile(r"[a-z][a-z0-9+.-]+")
"""Of an endpoint, as in a URL, but of at least two characters: one letter is a drive of Windows."""

ELSEWHERE = "the model is compared with itself on another engine: every difference comes from the engines"

SERVERS = ("http", "https")
"""The schemes of models behind a server."""

SAME = "same"
"""The value of the option `baseline` that compares a model with itself on purpose."""

ITSELF = "the model is compared with itself, on purpose: every difference is noise, and no capability is shown retained"


def by_form(reference: str, schemes: Collection[str] = ()) -> RecipeFile | Endpoint | None:
    """The recipe or endpoint that a reference names by its form; None for a model on this disk or on the hub.

    Args:
        schemes: those with an engine; a reference to an existing file or folder is no endpoint.
    """
    scheme, colon, rest = reference.partition(":")
    if scheme.lower() in SERVERS:
        refuse_secrets(reference)
    if colon and scheme in schemes and not _is_there(reference):
        return Endpoint(scheme, rest)
    if GGUF in schemes and reference.lower().endswith(f".{GGUF}"):
        return Endpoint(GGUF, reference)
    return RecipeFile(Path(reference)) if reference.lower().endswith((".yaml", ".yml")) else None


def resolve(reference: str, schemes: Collection[str] = (), allowed: Allowed = NOTHING) -> Model | RecipeFile:
    """The model or recipe that a reference names; the file of a recipe may be missing.

    Args:
        schemes: those with an engine.

    Raises:
        ModelError: it names nothing.
    """
    if (found := by_form(reference, schemes)) is not None:
        return found
    _check_scheme(reference, schemes)
    return find_local_model(reference, allowed)


def find_pair(
    model: str, baseline: str | None, allowed: Allowed = NOTHING, schemes: Collection[str] = ()
) -> ModelPair[Model, Model]:
    """Find the tuned model and its baseline.

    Without `baseline`, it is an adapter's base, or the `base_model` of a full model's card. "same" compares a model with
    itself.

    Raises:
        ModelError: a model cannot be found, no baseline is known, or it turns out to be the tuned model.
    """
    on_purpose = baseline == SAME
    named = None if on_purpose else baseline
    tuned: Model
    notes: tuple[str, ...] = ()
    if isinstance(by_name := by_form(model, schemes), Endpoint):
        tuned = by_name
    else:
        _check_scheme(model, schemes)
        stand_in = named if named and by_form(named, schemes) is None else None
        tuned, notes = _find_local(model, allowed, stand_in)
    if on_purpose:
        return ModelPair(tuned, tuned, (*notes, ITSELF))
    found = find_baseline(named, allowed, schemes) if named else _own_baseline(tuned, allowed)
    same = "model" if found == tuned else ""
    if isinstance(found, LocalModel) and isinstance(tuned, LocalModel) and found.folder == tuned.folder:
        if found.engine != tuned.engine:
            return ModelPair(found, tuned, (*notes, ELSEWHERE))
        same = f"folder, {tuned.folder}"
    if same:
        by_card = f"its model card names '{found.name}' as its base_model, which"
        raise ModelError(
            f"{model}: would be compared with itself: {option('baseline', named) if named else by_card} is the same {same}\n"
            f"  name the model before tuning: {option('baseline', 'PATH_OR_HUB_ID')}; or, to measure noise: "
            f"{option('baseline', SAME)}"
        )
    return ModelPair(found, tuned, notes)


def find_baseline(reference: str, allowed: Allowed, schemes: Collection[str]) -> Model:
    """The model that a reference names as a baseline; raises ModelError if it names nothing, or a recipe."""
    found = resolve(reference, schemes, allowed)
    if isinstance(found, RecipeFile):
        raise ModelError(f"{reference}: is a recipe, but a baseline must be a model")
    return found


def _own_baseline(tuned: Model, allowed: Allowed) -> LocalModel:
    """The baseline that a model itself names; raises ModelError if it names none, or one that cannot be found."""
    if isinstance(tuned, Endpoint):
        raise ModelError(
            f"{tuned.name}: no baseline to compare with: only adapters and model cards name one\n  {NAME_IT}"
        )
    if isinstance(tuned, Adapter):
        return tuned.base
    named = card_base(tuned.name, tuned.folder)
    try:
        return replace(find_local_model(named, allowed), engine=tuned.engine)
    except ModelError as error:
        raise ModelError(
            f"{tuned.name}: the base_model '{named}' of its model card cannot be found\n"
            f"  {NAME_IT}\n  {error.text}"
        ) from error


def _check_scheme(reference: str, schemes: Collection[str]) -> None:
    """Raise ModelError for a reference that looks like an endpoint, but whose scheme has no engine."""
    scheme, colon, _ = reference.partition(":")
    if not colon or not SCHEME.fullmatch(scheme) or scheme in LOCAL_ENGINES or _is_there(reference):
        return
    hint = f"register one in a conftest.py, with @engine_for('{scheme}')"
    if schemes:
        hint = did_you_mean(scheme, schemes) or f"there are: {', '.join(sorted(schemes))}"
    raise ModelError(
        f"{reference}: no such folder, and no engine for '{scheme}:'\n"
        f"  {hint}; a hub id has the form org/name or org/name@revision"
    )


def _is_there(reference: str) -> bool:
    try:
        return Path(reference).exists()
    except (OSError, ValueError):  # a name that is too long, or that no file can have
        return False


def find_local_model(reference: str, allowed: Allowed = NOTHING) -> LocalModel:
    """The full model or the adapter that a reference names; raises ModelError."""
    return _find_local(reference, allowed)[0]


def _find_local(
    reference: str, allowed: Allowed, stand_in: str | None = None
) -> tuple[LocalModel, tuple[str, ...]]:
    """A model on this disk, and notes; an adapter whose base cannot be found is put on the full model `stand_in`."""
    engine, named_folder = on_engine(reference)
    folder = find_folder(named_folder, allowed)
    notes: tuple[str, ...] = ()
    if not (folder / ADAPTER_CONFIG).is_file():
        return find_full_model(reference, allowed), notes
    try:
        base = _adapter_base(reference, folder, allowed)
    except ModelError:
        if stand_in is None or (find_folder(on_engine(stand_in)[1], allowed) / ADAPTER_CONFIG).is_file():
            raise
        base = find_full_model(stand_in, allowed)
        named = read_json(folder / ADAPTER_CONFIG).get("base_model_name_or_path")
        what = f"names the base '{named}', which cannot be found" if named else "names no base"
        notes = (f"the adapter {what}; it was applied to {option('baseline', stand_in)}",)
    check_weights(reference, folder, "adapter_model", allowed.pickle)
    return Adapter(reference, folder, replace(base, engine=engine), engine), notes


def on_engine(reference: str) -> tuple[str | None, str]:
    """The engine that the reference of a model on this disk names, None without one, and the reference without it."""
    engine, _, rest = reference.partition(":")
    return (engine, rest) if rest and engine in LOCAL_ENGINES else (None, reference)


def find_full_model(reference: str, allowed: Allowed = NOTHING) -> FullModel:
    """The full model that a reference names; raises ModelError."""
    engine, named_folder = on_engine(reference)
    folder = find_folder(named_folder, allowed)
    if folder == embedded_folder():
        return FullModel(NAME, folder, embedded=True, engine=engine)
    if (folder / ADAPTER_CONFIG).is_file():
        raise ModelError(
            f"{reference}: is an adapter, but a full model is needed here\n"
            "  if it is the base of another adapter: merge it into its own base and save that (merge_and_unload)"
        )
    if not (folder / CONFIG).is_file():
        seen = ", ".join(sorted(path.name for path in folder.iterdir())[:8]) or "nothing"
        raise ModelError(
            f"{reference}: a folder without a model: neither config.json nor {ADAPTER_CONFIG} is in it\n"
            f"  {models_within(reference, folder) or other_weights(folder) or 'saw: ' + seen}"
        )
    check_weights(reference, folder, "model", allowed.pickle)
    return FullModel(reference, folder, engine=engine)


def _adapter_base(model: str, folder: Path, allowed: Allowed) -> FullModel:
    """The base that an adapter's config names; raises ModelError."""
    named = adapter_base(folder)
    try:
        return find_full_model(named, allowed)
    except ModelError as error:
        raise ModelError(
            f"{model}: the adapter's base model '{named}' (from {ADAPTER_CONFIG}) cannot be found\n"
            f"  {NAME_IT}\n  {error.text}"
        ) from error


def base_of(source: LocalModel) -> FullModel:
    """The full model itself, or an adapter's base."""
    return source.base if isinstance(source, Adapter) else source
