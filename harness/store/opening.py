"""Open models as `engine.registry` does, with the answers that a store keeps; without a store, or for engines of users' code that
do not tell which model they ask, as they are.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.engine import registry
from harness.engine.batching import EXACT
from harness.engine.requests import SIDES, Engine, EnginePair, Request, Side
from harness.engine.settings import OFF, Settings
from harness.errors import EngineError
from harness.models.cache import cache_folder
from harness.models.digests import changed_since
from harness.models.reference import Endpoint, LocalModel, LocalPair, Model, ModelPair, base_of
from harness.progress import Log
from harness.store.content import installed, machine, model_content, text_identity
from harness.store.engine import StoredEngine, StoredLocalEngine
from harness.store.given import check_apart, identity_of, kept
from harness.store.shelf import Store
from harness.versions import needed

FILE = "answers.db"
RUNS: Sequence[str] = ("device_kind", "dtype", "exact")
"""The facts of a model that decide where its answers are kept."""
VARIABLE = "FORGETTING_GATE_STORE"


def store_path(settings: Settings) -> Path | None:
    """The file of a run's store: of the option, else of `FORGETTING_GATE_STORE`, else in the cache folder; None for none.

    Raises:
        ModelError: the cache folder cannot be.
    """
    named = settings.store or os.environ.get(VARIABLE)
    if named == OFF:
        return None
    return Path(named).expanduser() if named else cache_folder() / FILE


def open_store(settings: Settings, say: Log = lambda text: None) -> Store | None:
    """The store of a run, or None for none; raises ModelError for a cache that cannot be."""
    path = store_path(settings)
    return None if path is None else Store(path, say)


def open_pair(
    pair: ModelPair[Model, Model],
    settings: Settings = Settings(),
    say: Log = lambda text: None,
    asked: Sequence[Request] = (),
) -> EnginePair:
    """Both engines of a pair, as `registry.open_pair`; models are loaded for the first request that the store cannot answer.

    Raises:
        ModelError, EngineError: as `registry.open_pair` does, at once or by the first request.
    """
    if (local := registry.together(pair, settings)) is None:
        return _open_given(pair, settings, say, asked)
    # code of its own may come from elsewhere than a model's folder, so its answers have no key
    store = None if settings.allow_remote_code else open_store(settings, say)
    if store is None:
        return registry.open_pair(pair, settings, say, asked)
    try:
        opening = _Opening(local, settings, say, asked, store)
    except OSError:  # a file cannot be read: loading it says which
        return registry.open_pair(pair, settings, say, asked)
    return opening.pair()


def open_engine(model: Model, settings: Settings = Settings(), say: Log = lambda text: None) -> Engine:
    """The engine of a model, without a baseline; raises as `open_pair`."""
    return open_pair(ModelPair(model, model), settings, say).tuned


def _open_given(
    pair: ModelPair[Model, Model], settings: Settings, say: Log, asked: Sequence[Request]
) -> EnginePair:
    """A pair of models that have no engine in common, or of which users' code answers for one."""

    def alone(model: Model) -> EnginePair:
        both: ModelPair[Model, Model] = ModelPair(model, model)
        opened = registry.open_pair if isinstance(model, Endpoint) else open_pair
        return opened(both, registry.own_settings(model, settings), say, asked)

    return keep_given(registry.open_pair(pair, settings, say, asked, alone), settings, say)


def keep_given(pair: EnginePair, settings: Settings, say: Log = lambda text: None) -> EnginePair:
    """Engines that users' code gave, with the answers that a store keeps of those with an identity.

    Raises:
        ModelError: the cache cannot be.
        EngineError: both engines tell that they ask the same model.
    """
    check_apart(pair.baseline, pair.tuned)
    if not any(
        identity_of(engine) for engine in (pair.baseline, pair.tuned) if not isinstance(engine, StoredEngine)
    ):
        return pair
    store = open_store(settings, say)
    tuned = kept(pair.tuned, store)
    baseline = tuned if pair.baseline is pair.tuned else kept(pair.baseline, store)
    notes = dict.fromkeys([*pair.notes, *([store.fault] if store and store.fault else [])])
    return EnginePair(baseline, tuned, pair.device, pair.dtype, tuple(notes))


def keep_loaded(
    engine: Any, name: str, content: Mapping[str, Any], exact: bool, settings: Settings, say: Log
) -> Engine:
    """The engine of a model in memory, with the answers that a store keeps; the engine itself without a store.

    Args:
        name: of the model in the store.
        content: what its answers depend on, but for its device and dtype, and what is installed.
        exact: whether what else is in a batch changes an answer by no more than the last digits of a log-probability.

    Raises:
        ModelError: the cache cannot be.
    """
    if (store := open_store(settings, say)) is None:
        return engine  # type: ignore[no-any-return]
    whole = {**installed(), **content, "device": engine.device_kind, "dtype": engine.dtype}
    shelf = store.shelf(name, whole)
    return StoredLocalEngine(lambda: engine, shelf, _said(engine), exact, text_identity(whole))


class _Opening:
    """A pair of local models and the store of their answers."""

    def __init__(
        self, sources: LocalPair, settings: Settings, say: Log, asked: Sequence[Request], store: Store
    ) -> None:
        self.sources = sources
        self.settings = settings
        self.say = say
        self.asked = asked
        self.store = store
        for model in (sources.baseline, sources.tuned):
            ensure_files(model, say)
        self.contents = self._contents()
        names = [sources.baseline.name, sources.tuned.name, sources.baseline is sources.tuned]
        said = {**asdict(settings), "store": None}
        self.key = ("opened", self.contents, names, said, machine(settings), list(sources.notes))
        self.facts: dict[str, Any] | None = store.fact(*self.key)
        self._pair: EnginePair | None = None
        self._fault: str | None = None

    def pair(self) -> EnginePair:
        """The engines, which load both models when first they must."""
        facts = self.facts or _facts(self.loaded())
        return EnginePair(
            self._engine("baseline", facts),
            self._engine("tuned", facts),
            facts["device"],
            facts["dtype"],
            (*facts["notes"], *filter(None, [self.store.fault])),
        )

    def loaded(self) -> EnginePair:
        """Both models, loaded once, and what they say of themselves kept.

        Raises:
            ModelError, EngineError: as `registry.open_pair`; or they are not what their answers are kept as, or do not run as the
                facts in use say.
        """
        if self._fault is not None:
            raise EngineError(self._fault)
        if self._pair is None:
            pair = registry.open_pair(self.sources, self.settings, self.say, self.asked)
            self._fault = self._changed() or self._keep_facts(_facts(pair))
            if self._fault is not None:
                raise EngineError(self._fault)
            self._pair = pair
        return self._pair

    def _contents(self) -> dict[Side, dict[str, Any]]:
        """What the answers of each side depend on; raises OSError."""
        models = {side: self.sources.of(side) for side in SIDES}
        speaker = None if self.settings.template == "own" else models[self.settings.template]
        return {side: model_content(model, speaker or model, self.settings) for side, model in models.items()}

    def _changed(self) -> str | None:
        """Why the models as loaded may not be those that were found; None if no file of them changed since."""
        try:
            now = self._contents()
        except OSError:
            now = {}
        for side in SIDES:
            if now.get(side) != self.contents[side]:
                return changed_since(self.sources.of(side).name)
        return None

    def _keep_facts(self, new: dict[str, Any]) -> str | None:
        """Keep the facts of the loaded models if they are new; why those in use are wrong, or None."""
        old, self.facts = self.facts, self.facts or new
        fault = None if old is None else _moved(old, new)
        if old is None or fault is not None:
            self.store.keep_fact(new, *self.key)
        return fault

    def _engine(self, side: Side, facts: Mapping[str, Any]) -> StoredLocalEngine:
        about, content = facts[side], self.contents[side]
        kept = {**content, "device": about["device_kind"], "dtype": about["dtype"]}
        return StoredLocalEngine(
            lambda: self.loaded().of(side),
            self.store.shelf(about["label"], kept),
            about,
            about["exact"],
            text_identity(content),
        )


def ensure_files(model: LocalModel, say: Log) -> None:
    """Make the files of the embedded model, if it is this one and was never converted; raises ModelError."""
    base = base_of(model)
    if base.embedded and not base.folder.is_dir():
        with needed():
            from harness.engine.transformers.gguf import ensure_embedded

        ensure_embedded(say)


def _facts(pair: EnginePair) -> dict[str, Any]:
    """What the models say of themselves once they are loaded, as JSON data."""
    return {
        "device": pair.device,
        "dtype": pair.dtype,
        "notes": list(pair.notes),
        **{side: _said(pair.of(side)) for side in SIDES},
    }


def _moved(old: Mapping[str, Any], new: Mapping[str, Any]) -> str | None:
    """Why answers kept under old facts cannot stand beside those of the models as loaded; None if they can."""
    for side in SIDES:
        before, after = old[side], new[side]
        if any(before[name] != after[name] for name in RUNS):
            return (
                f"{after['label']}: runs {_how(after)} now, and ran {_how(before)} when its answers were kept\n"
                "  they cannot be mixed with new ones: run again, and what is missing is asked where it runs now"
            )
    return None


def _how(said: Mapping[str, Any]) -> str:
    alike = "alike" if said["exact"] else "not alike"
    return f"on {said['device_kind']} in {said['dtype']} ({alike} in any batch)"


def _said(engine: Any) -> dict[str, Any]:
    names = engine.template_names
    return {
        "label": engine.label,
        "kinds": sorted(engine.kinds),
        "budget": engine.budget.tokens,
        "template_names": None if names is None else sorted(names),
        "marks_reasoning": engine.marks_reasoning,
        "runs_on": asdict(engine.runs_on),
        "dtype": engine.dtype,
        "device_kind": engine.device_kind,
        "exact": engine.dtype in EXACT or getattr(engine, "invariant", False),
    }
