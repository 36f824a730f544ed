"""Load a pair of local models, with one copy of a base that both are proven to share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import torch

from harness.engine.batching import Budget
from harness.engine.requests import EnginePair, Request
from harness.engine.settings import Settings
from harness.engine.transformers.acting import State, check_acts
from harness.engine.transformers.adapters import with_adapter, without_adapter
from harness.engine.transformers.attaching import Attached, Base, attach
from harness.engine.transformers.checks import check_differs
from harness.engine.transformers.device import find_device, limit_threads
from harness.engine.transformers.engine import TorchEngine
from harness.engine.transformers.gguf import ensure_embedded
from harness.engine.transformers.kind import find_kind
from harness.engine.transformers.proof import logits_of, same_logits
from harness.engine.transformers.quiet import quiet
from harness.engine.transformers.speaking import speaker_of, tokenizer_of
from harness.engine.transformers.unused import unused_gpu
from harness.engine.transformers.weights import load_weights
from harness.errors import ModelError
from harness.models.json_file import read_json
from harness.models.layout import ADAPTER_CONFIG
from harness.models.reference import Adapter, FullModel, LocalModel, LocalPair
from harness.progress import Log

CPU_BATCH_TOKENS = 12288
GPU_BATCH_TOKENS = 65536


def load_pair(
    sources: LocalPair,
    settings: Settings = Settings(),
    say: Log = lambda text: None,
    asked: Sequence[Request] = (),
) -> EnginePair:
    """Load the baseline and the tuned model.

    Two models over one base share a copy of it in memory if that is proven to change neither; the baseline of an adapter
    is then the base with the adapter switched off.

    Args:
        asked: the requests to come; an adapter must change a logit of one.

    Raises:
        ModelError: a model cannot be loaded, or an adapter belongs to another base.
        EngineError: the tuned model equals the baseline: its adapter or its weights change nothing.
    """
    loader = Loader(settings, say, speaker_of(sources, settings))
    if sources.baseline is sources.tuned:
        baseline = tuned = loader.engine(sources.tuned)
    else:
        baseline, tuned = loader.pair(sources.baseline, sources.tuned)
        check_differs(sources, baseline, tuned, settings.allow_conversion)
    loader.prove_acting(sources.tuned, tuned, sources.baseline, baseline, asked)
    loader.prove_acting(sources.baseline, baseline, sources.tuned, tuned, asked)
    return EnginePair(
        baseline,
        tuned,
        str(loader.device),
        tuned.dtype,
        (*sources.notes, *loader.notes),
    )


def wrap(model: Any, tokenizer: Any, label: str = "the given model", *, adapter: bool = True) -> TorchEngine:
    """An Engine over a transformers model and a tokenizer that the caller loaded; neither is changed.

    Args:
        adapter: whether the adapters of a PEFT model act, or only its base.
    """
    tokens = CPU_BATCH_TOKENS if model.device.type == "cpu" else GPU_BATCH_TOKENS
    active = _evaluating if adapter else _evaluating_base
    with active(model):
        kind = find_kind(model)
    return TorchEngine(model, tokenizer, label, lambda: active(model), Budget(tokens), kind)


@contextmanager
def _evaluating_base(model: Any) -> Iterator[None]:
    """The same without adapters."""
    with _evaluating(model), without_adapter(model):
        yield


@contextmanager
def _evaluating(model: Any) -> Iterator[None]:
    """Evaluation mode inside the block (no dropout), nothing compiled; the previous mode is restored."""
    training = model.training
    model.eval()
    try:
        with torch.compiler.set_stance("force_eager"):  # dynamo cannot follow our attention
            yield
    finally:
        model.train(training)


class Loader:
    """Loads models, each base once for all models that leave it unchanged.

    Attributes:
        speaker: the model whose tokenizer and template all are asked through; None leaves each its own.
        notes: what the user should hear about the models.
    """

    def __init__(self, settings: Settings, say: Log, speaker: LocalModel | None = None) -> None:
        self.settings = settings
        self.say = say
        self.speaker = speaker
        self.device = find_device(settings.device)
        self.bases: dict[Path, Base] = {}
        default = CPU_BATCH_TOKENS if self.device.type == "cpu" else GPU_BATCH_TOKENS
        self.budget = Budget(settings.batch_tokens or default)
        self.notes: list[str] = []
        if settings.device == "auto" and (unused := unused_gpu()):
            self.note(unused)
        self._attached: dict[Adapter, Attached] = {}
        limit_threads()

    def pair(self, baseline: LocalModel, tuned: LocalModel) -> tuple[TorchEngine, TorchEngine]:
        """Two models. Adapters come first: one that changes its base must not share it."""
        if not isinstance(baseline, Adapter):
            second = self.engine(tuned)
            return self.engine(baseline), second
        first = self.engine(baseline)
        if isinstance(tuned, Adapter) and tuned.base.folder in self.bases:
            if (second_adapter := self._beside(first, tuned)) is not None:
                return first, second_adapter
            self.bases.clear()
            self.note(
                f"{baseline.name} and {tuned.name} cannot share one copy of their base: each has its own"
            )
            first = self.engine(baseline)
            self.bases.clear()
        return first, self.engine(tuned)

    def engine(self, source: LocalModel) -> TorchEngine:
        """The engine of a model; an adapter goes on the copy of its base that is in memory already."""
        if isinstance(source, FullModel):
            base = self._base(source)
            return self._engine(source, base, lambda: without_adapter(base.model))
        base = self._base(source.base)
        attached = self._attach(source, base)
        if attached.changed:
            del self.bases[source.base.folder]  # the next to want the base loads it from its folder
            self.note(
                f"{source.name}: with the adapter switched off, the model differs from its base: {attached.changed}; so the "
                "base is loaded on its own"
            )
        return self._engine(source, base, lambda: with_adapter(base.model, attached.name))

    def prove_acting(
        self,
        source: LocalModel,
        engine: TorchEngine,
        other: LocalModel,
        other_engine: TorchEngine,
        asked: Sequence[Request],
    ) -> None:
        """Prove that a loaded adapter changes a logit: of the requests, if there are any.

        Args:
            other: the other model of the pair, perhaps the adapter's base.

        Raises:
            EngineError: it changes nothing.
        """
        if not isinstance(source, Adapter):
            return
        off = self._attached[source].off
        if off is None and isinstance(other, FullModel) and other.folder == source.base.folder:
            size = min(engine.embeddings, other_engine.embeddings)
            off = State(other_engine.model, other_engine.active, size)
        check_acts(engine, off, asked, self._attached[source].acts)

    def note(self, text: str) -> None:
        """Add a note, once."""
        if text not in self.notes:
            self.notes.append(text)

    def _attach(self, source: Adapter, base: Base) -> Attached:
        attached = self._attached[source] = attach(source, base, self.settings.allow_keys, self.note)
        return attached

    def _beside(self, first: TorchEngine, source: Adapter) -> TorchEngine | None:
        """A second adapter on the base of the first; None if either changes what the other computes."""
        base, notes = self.bases[source.base.folder], len(self.notes)
        assert base.before is not None, "the first adapter was put on it"
        with first.active(), quiet():
            alone = logits_of(first.model, base.before.rows)
        try:
            attached = self._attach(source, base)
            with first.active(), quiet():
                alike = same_logits(alone, logits_of(first.model, base.before.rows))
            if alike and not attached.changed:
                return self._engine(source, base, lambda: with_adapter(base.model, attached.name))
        except ModelError:  # peft refuses the two together, or the adapter alone: loading it alone will tell
            pass
        del self.notes[notes:]
        return None

    def _base(self, source: FullModel) -> Base:
        if source.folder not in self.bases:
            if source.embedded:
                ensure_embedded(self.say)
            self.say(f"loading {source.name} on {self.device}")
            model, notes = load_weights(source, self.settings, self.device)
            for text in notes:
                self.note(text)
            kind = find_kind(model)
            if kind != "branching":
                self.note(
                    f"{source.name}: a {type(model).__name__} cannot share the beginnings of prompts: each is read by itself, "
                    "which is slower"
                )
            self.bases[source.folder] = Base(model, self._tokenizer(source), kind)
        return self.bases[source.folder]

    def _engine(
        self, source: LocalModel, base: Base, active: Callable[[], AbstractContextManager[Any]]
    ) -> TorchEngine:
        tokenizer, kind = base.tokenizer, base.kind
        if isinstance(source, Adapter):
            tokenizer = self._tokenizer(source)
            # An adapter that acts from where it is invoked must see that place in every forward pass.
            if read_json(source.folder / ADAPTER_CONFIG).get("alora_invocation_tokens"):
                kind = "whole"
        return TorchEngine(base.model, tokenizer, source.name, active, self.budget, kind)

    def _tokenizer(self, source: LocalModel) -> Any:
        return tokenizer_of(source, self.speaker, self.settings, self.say, self.note)
