"""Sources in, a pair of TorchEngines out: one copy of any base that both can be proven to share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from harness.engine.batching import Budget
from harness.engine.pair import EnginePair
from harness.engine.requests import Request
from harness.engine.settings import Settings
from harness.engine.transformers.acting import State, acts, check_acts
from harness.engine.transformers.adapters import (
    put_on,
    read_config,
    saved_tensors,
    special_tokens,
    with_adapter,
    without_adapter,
)
from harness.engine.transformers.checks import check_differs
from harness.engine.transformers.device import find_device, limit_threads
from harness.engine.transformers.engine import TorchEngine
from harness.engine.transformers.gguf import ensure_embedded
from harness.engine.transformers.proof import (
    CANNOT_COMPUTE,
    Snapshot,
    embedding_names,
    keeps_cache,
    logits_of,
    probe_rows,
    same_logits,
    snapshot,
    what_changed,
)
from harness.engine.transformers.quiet import quiet
from harness.engine.transformers.tokenizing import (
    begins_twice,
    bounded,
    inserts_date,
    load_tokenizer,
    same_numbering,
)
from harness.engine.transformers.vocabulary import fit_vocabulary
from harness.engine.transformers.weights import load_weights
from harness.errors import ModelError, first_line
from harness.models.files import has_tokenizer
from harness.models.json_file import read_json
from harness.models.layout import ADAPTER_CONFIG
from harness.models.origin import trained_on
from harness.models.reference import (
    Adapter,
    FullModel,
    LocalModel,
    LocalPair,
    base_of,
    find_local_model,
)
from harness.spelling import option

CPU_BATCH_TOKENS = 8192
GPU_BATCH_TOKENS = 65536


def load_pair(
    sources: LocalPair,
    settings: Settings = Settings(),
    say: Callable[[str], None] = lambda text: None,
    asked: Sequence[Request] = (),
) -> EnginePair:
    """Load the baseline and the tuned model.

    Two sources over the same base share one copy of it in memory where that is proven to change neither; an adapter's
    baseline is then the base with the adapter switched off.

    Args:
        asked: what will be asked of both; an adapter must change something of it.

    Raises:
        ModelError: a model cannot be loaded, or an adapter belongs to another base.
        EngineError: the tuned model is the baseline: its adapter or its weights change nothing.
    """
    speaker = {"own": None, "baseline": sources.baseline, "tuned": sources.tuned}[settings.template]
    loader = Loader(settings, say, speaker)
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
        str(tuned.model.dtype).removeprefix("torch."),
        (*sources.notes, *loader.notes),
    )


def load_reference(
    reference: str, settings: Settings = Settings(), say: Callable[[str], None] = lambda text: None
) -> TorchEngine:
    """Load the model that a reference names, without a baseline; raises ModelError."""
    loader, source = Loader(settings, say), find_local_model(reference, settings.allow_pickle)
    engine = loader.engine(source)
    loader.prove_acting(source, engine)
    return engine


def wrap(model: Any, tokenizer: Any, label: str = "the given model") -> TorchEngine:
    """An Engine over a transformers model and its tokenizer that the caller has loaded, left as they are."""
    tokens = CPU_BATCH_TOKENS if model.device.type == "cpu" else GPU_BATCH_TOKENS
    return TorchEngine(model, tokenizer, label, lambda: _evaluating(model), Budget(tokens))


@contextmanager
def _evaluating(model: Any) -> Iterator[None]:
    """Dropout must not act while a model is asked; afterwards the model trains on if it did before."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)


@dataclass
class _Base:
    """One copy of a full model in memory; `before` is what it was before the first adapter was put on it."""

    model: Any
    tokenizer: Any
    whole: bool
    before: Snapshot | None = None


@dataclass(frozen=True)
class _Put:
    """An adapter that was put on a base.

    `changed` says what of the base is another even when the adapter is switched off; None if nothing. `off` is the base,
    if that is what is left then, or all but tokens that were added; `acts` says whether the adapter was seen to act.
    """

    name: str
    changed: str | None
    off: State | None
    acts: bool


class Loader:
    """Loads models, each base once for all that leave it as it is.

    Attributes:
        speaker: the source whose tokenizer and template all are asked through; None leaves each its own.
        notes: what the user should hear of what was loaded.
    """

    def __init__(
        self, settings: Settings, say: Callable[[str], None], speaker: LocalModel | None = None
    ) -> None:
        self.settings = settings
        self.say = say
        self.speaker = speaker
        self.device = find_device(settings.device)
        self.bases: dict[Path, _Base] = {}
        default = CPU_BATCH_TOKENS if self.device.type == "cpu" else GPU_BATCH_TOKENS
        self.budget = Budget(settings.batch_tokens or default)
        self.notes: list[str] = []
        self._put: dict[Adapter, _Put] = {}
        limit_threads()

    def pair(self, baseline: LocalModel, tuned: LocalModel) -> tuple[TorchEngine, TorchEngine]:
        """Two models; adapters come first, for one that changes its base leaves it to no other."""
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
        """The model that a source names; an adapter is put on the copy of its base that is there already."""
        if isinstance(source, FullModel):
            base = self._base(source)
            return self._engine(source, base, lambda: without_adapter(base.model))
        base = self._base(source.base)
        put = self._adapter(source, base)
        if put.changed:
            del self.bases[source.base.folder]  # whoever wants the base next gets it as it is in its folder
            self.note(
                f"{source.name}: switched off, the adapter is not its base: {put.changed}; so the base is loaded on its own"
            )
        return self._engine(source, base, lambda: with_adapter(base.model, put.name))

    def prove_acting(
        self,
        source: LocalModel,
        engine: TorchEngine,
        other: LocalModel | None = None,
        other_engine: TorchEngine | None = None,
        asked: Sequence[Request] = (),
    ) -> None:
        """Prove of an adapter that was loaded that it changes something: of what is asked, where that is given.

        Args:
            other: the other model of a pair, which may be its base.

        Raises:
            EngineError: it changes nothing.
        """
        if not isinstance(source, Adapter):
            return
        put = self._put[source]
        off = put.off
        is_base = isinstance(other, FullModel) and other.folder == source.base.folder
        if off is None and is_base and other_engine is not None:
            size = min(engine.embeddings, other_engine.embeddings)
            off = State(other_engine.model, other_engine.active, size)
        check_acts(engine, off, asked, put.acts)

    def note(self, text: str) -> None:
        """Keep what the user should hear, once."""
        if text not in self.notes:
            self.notes.append(text)

    def _beside(self, first: TorchEngine, source: Adapter) -> TorchEngine | None:
        """A second adapter on a base that has one; None where either changes what the other computes."""
        base, before = self.bases[source.base.folder], len(self.notes)
        assert base.before is not None, "the first adapter was put on it"
        with first.active(), quiet():
            alone = logits_of(first.model, base.before.rows)
        try:
            put = self._adapter(source, base)
        except ModelError:  # peft refuses the two together, or the adapter alone: that shows when it is
            del self.notes[before:]
            return None
        with first.active(), quiet():
            alike = same_logits(alone, logits_of(first.model, base.before.rows))
        if put.changed or not alike:
            del self.notes[before:]
            return None
        return self._engine(source, base, lambda: with_adapter(base.model, put.name))

    def _base(self, source: FullModel) -> _Base:
        if source.folder not in self.bases:
            model = self._weights(source)
            self.bases[source.folder] = _Base(model, self._tokenizer(source, model), not keeps_cache(model))
        return self.bases[source.folder]

    def _engine(
        self, source: LocalModel, base: _Base, active: Callable[[], AbstractContextManager[Any]]
    ) -> TorchEngine:
        tokenizer = base.tokenizer
        whole = base.whole
        if isinstance(source, Adapter):
            tokenizer = self._tokenizer(source, base.model)
            whole |= bool(read_json(source.folder / ADAPTER_CONFIG).get("alora_invocation_tokens"))
        return TorchEngine(base.model, tokenizer, source.name, active, self.budget, whole)

    def _weights(self, source: FullModel) -> Any:
        if source.embedded:
            ensure_embedded(self.say)
        self.say(f"loading {source.name} on {self.device}")
        model, said = load_weights(source, self.settings, self.device)
        for text in said:
            self.note(text)
        return model

    def _adapter(self, source: Adapter, base: _Base) -> _Put:
        """Put an adapter on its base, and see what it does there."""
        config = read_config(source, self.settings.allow_keys)
        if known := trained_on(source):
            self.note(known)
        saved = saved_tensors(source)
        with quiet() as heard:
            fit = fit_vocabulary(base.model, config, saved)
            rows = probe_rows(base.model, base.tokenizer, special_tokens(config), fit.common)
            before = snapshot(base.model, rows) if base.before is None else base.before
            was: Sequence[torch.Tensor] = before.logits
            if before.rows != rows:
                with without_adapter(base.model):
                    was = logits_of(base.model, rows)
            embeddings = embedding_names(base.model) if fit.resized else ()
            name = f"adapter{len(getattr(base.model, 'peft_config', {}))}"
            try:
                base.model = put_on(source, base.model, name, saved, fit)
                on = State(base.model, lambda: with_adapter(base.model, name), fit.compared)
                off = State(base.model, lambda: without_adapter(base.model), fit.compared)
                with off.enter():
                    changed = what_changed(before, base.model)
                    rests = not changed or (
                        fit.resized and fit.kept and not what_changed(before, base.model, embeddings)
                    )
                if rests:
                    seen = acts(on, off, rows)
                else:
                    seen = fit.resized or any(
                        on.differs(row, one) for row, one in zip(rows, was, strict=True)
                    )
            except CANNOT_COMPUTE as error:
                raise ModelError(
                    f"{source.name}: an adapter of the kind {config.get('peft_type')} that this engine cannot run: "
                    f"{type(error).__name__}: {first_line(error)}"
                ) from error
        for line in heard.lines:
            self.note(f"{source.name}: at loading: {line[:300]}")
        if fit.untold:
            self.note(
                f"{source.name}: tokens were added to the {fit.size} of its base, and its file does not say what they are in "
                f"{' and '.join(fit.untold)}: they are the mean of the others there, as before training"
            )
        base.before = before
        self._put[source] = put = _Put(name, changed, off if rests else None, seen)
        return put

    def _tokenizer(self, source: LocalModel, model: Any) -> Any:
        """The tokenizer that a source is asked through: the speaker's, its own, or, for an adapter, its base's."""
        own = self._tokenizer_of(source) if self.speaker is None or _tokenizer_folder(source) else None
        tokenizer = own
        if self.speaker is not None and self.speaker is not source:
            tokenizer = self._tokenizer_of(self.speaker)
            if own is not None and not same_numbering(tokenizer, own):
                raise ModelError(
                    f"{option('template', self.settings.template)}: {source.name} numbers its tokens in another way than "
                    f"{self.speaker.name}, so it cannot be asked through that tokenizer"
                )
        with bounded(source.name):
            twice = begins_twice(tokenizer)
        if twice:
            self.note(f"{source.name}: its chat template begins every prompt with the start token twice")
        if inserts_date(tokenizer):
            self.note(
                f"{source.name}: its chat template inserts today's date; it is shown 1 January 2026 on any day"
            )
        return tokenizer

    def _tokenizer_of(self, source: LocalModel) -> Any:
        if (base := base_of(source)).embedded:
            ensure_embedded(self.say)
        folder = _tokenizer_folder(source)
        if folder is None:
            raise ModelError(
                f"{source.name}: there is no tokenizer in {base.folder}, as where a checkpoint was saved without one\n"
                "  copy the files of the one that it was trained with there, or ask it through the other model's: "
                f"{option('template', 'baseline')} (or tuned)"
            )
        return load_tokenizer(source.name, folder, self.settings.allow_remote_code)


def _tokenizer_folder(source: LocalModel) -> Path | None:
    """Where the tokenizer of a source is; None if it has none. An adapter without one speaks with its base's."""
    folders = [source.folder, base_of(source).folder]
    return next((folder for folder in folders if has_tokenizer(folder)), None)
