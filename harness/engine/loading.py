"""Sources in, a pair of TorchEngines out: one copy of any base that both can be proven to share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, GenerationConfig

from harness.engine.adapters import put_on, read_config, special_tokens
from harness.engine.batching import Budget
from harness.engine.checks import check_architecture, check_complete, check_differs
from harness.engine.convert import ensure_embedded
from harness.engine.proof import (
    CANNOT_COMPUTE,
    Snapshot,
    keeps_cache,
    logits_of,
    probe_rows,
    same_logits,
    snapshot,
    what_changed,
)
from harness.engine.quiet import quiet
from harness.engine.settings import Settings
from harness.engine.tokenizing import begins_twice, inserts_date, load_tokenizer, same_numbering
from harness.engine.torch_engine import TorchEngine, out_of_memory
from harness.errors import EngineError, ModelError, first_line
from harness.models.files import has_tokenizer
from harness.models.json_file import read_json
from harness.models.origin import trained_on
from harness.models.reference import (
    ADAPTER_CONFIG,
    Adapter,
    Source,
    SourcePair,
    Weights,
    base_of,
    find_source,
)

CPU_BATCH_TOKENS = 8192
GPU_BATCH_TOKENS = 65536


@dataclass(frozen=True)
class EnginePair:
    """Both models, ready to be asked, where they run, and what the user should hear about them."""

    baseline: TorchEngine
    tuned: TorchEngine
    device: str
    dtype: str
    notes: tuple[str, ...] = ()


def load_pair(
    sources: SourcePair, settings: Settings = Settings(), say: Callable[[str], None] = lambda text: None
) -> EnginePair:
    """Load the baseline and the tuned model.

    Two sources over the same base share one copy of it in memory where that is proven to change neither; an adapter's
    baseline is then the base with the adapter switched off.

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
    return Loader(settings, say).engine(find_source(reference, settings.allow_pickle))


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


class Loader:
    """Loads models, each base once for all that leave it as it is.

    Attributes:
        speaker: the source whose tokenizer and template all are asked through; None leaves each its own.
        notes: what the user should hear of what was loaded.
    """

    def __init__(self, settings: Settings, say: Callable[[str], None], speaker: Source | None = None) -> None:
        self.settings = settings
        self.say = say
        self.speaker = speaker
        self.device = find_device(settings.device)
        self.bases: dict[Path, _Base] = {}
        default = CPU_BATCH_TOKENS if self.device.type == "cpu" else GPU_BATCH_TOKENS
        self.budget = Budget(settings.batch_tokens or default)
        self.notes: list[str] = []
        limit_threads()

    def pair(self, baseline: Source, tuned: Source) -> tuple[TorchEngine, TorchEngine]:
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

    def engine(self, source: Source) -> TorchEngine:
        """The model that a source names; an adapter is put on the copy of its base that is there already."""
        if isinstance(source, Weights):
            base = self._base(source)
            return self._engine(source, base, lambda: without_adapter(base.model))
        base = self._base(source.base)
        name, changed = self._adapter(source, base)
        if changed:
            del self.bases[source.base.folder]  # whoever wants the base next gets it as it is in its folder
            self.note(
                f"{source.name}: switched off, the adapter is not its base: {changed}; so the base is loaded on its own"
            )
        return self._engine(source, base, lambda: with_adapter(base.model, name))

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
            name, changed = self._adapter(source, base)
        except ModelError:  # peft refuses the two together, or the adapter alone: that shows when it is
            changed = "peft cannot put them on one base"
        else:
            with first.active(), quiet():
                if not same_logits(alone, logits_of(first.model, base.before.rows)):
                    changed = "one changes the other"
        if changed:
            del self.notes[before:]
            return None
        return self._engine(source, base, lambda: with_adapter(base.model, name))

    def _base(self, source: Weights) -> _Base:
        if source.folder not in self.bases:
            model = self._weights(source)
            self.bases[source.folder] = _Base(model, self._tokenizer(source, model), not keeps_cache(model))
        return self.bases[source.folder]

    def _engine(
        self, source: Source, base: _Base, active: Callable[[], AbstractContextManager[Any]]
    ) -> TorchEngine:
        tokenizer = base.tokenizer
        whole = base.whole
        if isinstance(source, Adapter):
            tokenizer = self._tokenizer(source, base.model)
            whole |= bool(read_json(source.folder / ADAPTER_CONFIG).get("alora_invocation_tokens"))
        return TorchEngine(base.model, tokenizer, source.name, active, self.budget, whole)

    def _weights(self, source: Weights) -> Any:
        if source.embedded:
            ensure_embedded(self.say)
        self.say(f"loading {source.name} on {self.device}")
        wanted: Any = self.settings.dtype
        if wanted == "auto" and self.device.type == "cpu":
            wanted = "float32"
        try:
            with quiet() as heard:
                model, info = AutoModelForCausalLM.from_pretrained(
                    source.folder,
                    dtype=wanted if wanted == "auto" else getattr(torch, wanted),
                    use_safetensors=None if self.settings.allow_pickle else True,
                    trust_remote_code=self.settings.allow_remote_code,
                    output_loading_info=True,
                )
        except Exception as error:  # what a broken folder raises is transformers' affair
            raise ModelError(_reason(source.name, error)) from error
        check_architecture(source.name, model)
        check_complete(source.name, info)
        self._note_heard(source, heard.lines)
        if getattr(model, "_is_stateful", False):
            raise ModelError(
                f"{source.name}: a recurrent model ({model.config.model_type}) cannot be run by this engine"
            )
        try:
            model = model.to(self.device).eval()
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
            raise ModelError(f"{source.name}: does not fit the memory of {self.device}") from error
        # Greedy decoding must not depend on what a model's author prefers (penalties, sampling).
        model.generation_config = GenerationConfig(eos_token_id=model.generation_config.eos_token_id)
        return model

    def _adapter(self, source: Adapter, base: _Base) -> tuple[str, str | None]:
        """Put an adapter on its base and prove that it acts.

        Returns:
            Its name there, and what of the base it changes even when it is switched off; None if nothing.
        """
        config = read_config(source, self.settings.allow_keys)
        if known := trained_on(source):
            self.note(known)
        rows = probe_rows(base.model, base.tokenizer, special_tokens(config))
        with quiet() as heard:
            before = snapshot(base.model, rows) if base.before is None else base.before
            off: Sequence[torch.Tensor] = before.logits
            if before.rows != rows:
                with without_adapter(base.model):
                    off = logits_of(base.model, rows)
            name = f"adapter{len(getattr(base.model, 'peft_config', {}))}"
            try:
                base.model = put_on(source, base.model, name)
                with with_adapter(base.model, name):
                    on = logits_of(base.model, rows)
                with without_adapter(base.model):
                    changed = what_changed(before, base.model)
            except CANNOT_COMPUTE as error:
                raise ModelError(
                    f"{source.name}: an adapter of the kind {config.get('peft_type')} that this engine cannot run: "
                    f"{type(error).__name__}: {first_line(error)}"
                ) from error
        self._note_heard(source, heard.lines)
        base.before = before
        if same_logits(off, on):
            raise EngineError(
                f"{source.name}: the adapter changes nothing: with it on and off, the logits are the same\n"
                "  was it saved before training, or is it all zeros?"
            )
        return name, changed

    def _tokenizer(self, source: Source, model: Any) -> Any:
        """The tokenizer that a source is asked through: the speaker's, its own, or, for an adapter, its base's."""
        own = self._tokenizer_of(source) if self.speaker is None or _tokenizer_folder(source) else None
        tokenizer = own
        if self.speaker is not None and self.speaker is not source:
            tokenizer = self._tokenizer_of(self.speaker)
            if own is not None and not same_numbering(tokenizer, own):
                raise ModelError(
                    f"--template {self.settings.template}: {source.name} numbers its tokens in another way than "
                    f"{self.speaker.name}, so it cannot be asked through that tokenizer"
                )
        if begins_twice(tokenizer):
            self.note(f"{source.name}: its chat template begins every prompt with the start token twice")
        if inserts_date(tokenizer):
            self.note(
                f"{source.name}: its chat template inserts today's date; it is shown 1 January 2026 on any day"
            )
        return tokenizer

    def _tokenizer_of(self, source: Source) -> Any:
        if (base := base_of(source)).embedded:
            ensure_embedded(self.say)
        folder = _tokenizer_folder(source)
        if folder is None:
            raise ModelError(
                f"{source.name}: there is no tokenizer in {base.folder}, as where a checkpoint was saved without one\n"
                "  copy the files of the one that it was trained with there, or ask it through the other model's: "
                "--template baseline (or tuned)"
            )
        return load_tokenizer(source.name, folder, self.settings.allow_remote_code)

    def _note_heard(self, source: Source, lines: list[str]) -> None:
        """What transformers and peft warn of while they load may touch what is computed, so the user should hear it."""
        for line in lines:
            self.note(f"{source.name}: at loading: {line[:300]}")


def _tokenizer_folder(source: Source) -> Path | None:
    """Where the tokenizer of a source is; None if it has none. An adapter without one speaks with its base's."""
    folders = [source.folder, base_of(source).folder]
    return next((folder for folder in folders if has_tokenizer(folder)), None)


@contextmanager
def _on(model: Any, name: str) -> Iterator[None]:
    model.set_adapter(name)
    yield


def with_adapter(model: Any, name: str) -> AbstractContextManager[Any]:
    """The state in which the adapter `name` acts."""
    return _on(model, name)


def without_adapter(model: Any) -> AbstractContextManager[Any]:
    """The state in which no adapter acts."""
    return model.disable_adapter() if isinstance(model, PeftModel) else nullcontext()


def find_device(wanted: str) -> torch.device:
    """The device to run on; raises ModelError for one that is not there."""
    if wanted == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(wanted)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ModelError(f"--device {wanted}: {first_line(error)}") from error
    return device


def limit_threads() -> None:
    """Share the cores between the workers of an xdist run."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers > 1:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // workers))


def _reason(name: str, error: Exception) -> str:
    text = first_line(error)
    if "trust_remote_code" in str(error):
        return f"{name}: it comes with Python code of its own\n  if you trust its author: --allow-remote-code"
    return f"{name}: cannot be loaded: {type(error).__name__}: {text}"
