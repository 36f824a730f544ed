"""Sources in, a pair of TorchEngines out: one copy of any base that both need."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel, get_peft_model_state_dict
from safetensors import SafetensorError, safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from harness.engine.batching import Budget
from harness.engine.convert import ensure_embedded
from harness.engine.quiet import quiet
from harness.engine.settings import Settings
from harness.engine.torch_engine import TorchEngine, out_of_memory
from harness.errors import EngineError, ModelError
from harness.models.identity import weights_identity
from harness.models.reference import Adapter, Source, SourcePair, Weights, find_source, same_place

PROBE_TEXT = "The quick brown fox jumps over the lazy dog. 1 2 3. def f(x): return x"
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

    Two sources over the same base share one copy of it in memory; an adapter's baseline is then the base with
    the adapter switched off.

    Raises:
        ModelError: a model cannot be loaded, or an adapter belongs to another base.
        EngineError: the tuned model is the baseline: its adapter or its weights change nothing.
    """
    loader = Loader(settings, say)
    tuned = loader.engine(sources.tuned)
    baseline = tuned if same_place(sources.baseline, sources.tuned) else loader.engine(sources.baseline)
    if settings.template != "own":
        chosen = (baseline if settings.template == "baseline" else tuned).tokenizer
        baseline.template_tokenizer = tuned.template_tokenizer = chosen
    if baseline is not tuned:
        _check_differs(sources, baseline, tuned)
    return EnginePair(
        baseline, tuned, str(loader.device), str(tuned.model.dtype).removeprefix("torch."), sources.notes
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


class Loader:
    """Loads models, each base once."""

    def __init__(self, settings: Settings, say: Callable[[str], None]) -> None:
        self.settings = settings
        self.say = say
        self.device = find_device(settings.device)
        self.models: dict[Path, Any] = {}
        default = CPU_BATCH_TOKENS if self.device.type == "cpu" else GPU_BATCH_TOKENS
        self.budget = Budget(settings.batch_tokens or default)
        limit_threads()

    def engine(self, source: Source) -> TorchEngine:
        base = source.base if isinstance(source, Adapter) else source
        if base.folder not in self.models:
            self.models[base.folder] = self._weights(base)
        if isinstance(source, Weights):
            return self._engine(source, base, lambda: without_adapter(self.models[base.folder]))
        adapter = self._adapter(source)
        return self._engine(source, base, lambda: with_adapter(self.models[base.folder], adapter))

    def _engine(
        self, source: Source, base: Weights, active: Callable[[], AbstractContextManager[Any]]
    ) -> TorchEngine:
        model = self.models[base.folder]
        tokenizer = self._tokenizer(source, base)
        return TorchEngine(model, tokenizer, source.name, active, self.budget)

    def _weights(self, source: Weights) -> Any:
        if source.embedded:
            ensure_embedded(self.say)
        self.say(f"loading {source.name} on {self.device}")
        wanted: Any = self.settings.dtype
        if wanted == "auto" and self.device.type == "cpu":
            wanted = "float32"
        try:
            with quiet():
                model, info = AutoModelForCausalLM.from_pretrained(
                    source.folder,
                    dtype=wanted if wanted == "auto" else getattr(torch, wanted),
                    use_safetensors=None if self.settings.allow_pickle else True,
                    trust_remote_code=self.settings.allow_remote_code,
                    output_loading_info=True,
                )
        except Exception as error:  # what a broken folder raises is transformers' affair
            raise ModelError(_reason(source.name, error)) from error
        _check_complete(source.name, info)
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

    def _adapter(self, source: Adapter) -> str:
        """Put an adapter on its base and prove that all of it arrived; returns its name there."""
        model = self.models[source.base.folder]
        name = f"adapter{len(getattr(model, 'peft_config', {}))}"
        try:
            with quiet():
                if isinstance(model, PeftModel):
                    model.load_adapter(str(source.folder), adapter_name=name, torch_device=str(self.device))
                else:
                    model = PeftModel.from_pretrained(model, str(source.folder), adapter_name=name)
                    self.models[source.base.folder] = model.to(self.device)
        except Exception as error:
            text = str(error)
            if "size mismatch" in text or "not found in the base model" in text:
                raise ModelError(_other_base(source, text)) from error
            raise ModelError(_reason(source.name, error)) from error
        if self.models[source.base.folder].peft_config[name].is_prompt_learning:
            raise ModelError(
                f"{source.name}: an adapter that learns a prompt cannot be run by this engine; use LoRA or its like"
            )
        _check_adapter_complete(source, self.models[source.base.folder], name)
        self.models[source.base.folder].eval()
        return name

    def _tokenizer(self, source: Source, base: Weights) -> Any:
        """The source's own tokenizer; an adapter without one speaks with its base's."""
        has_own = any(source.folder.glob("tokenizer*"))
        folder = source.folder if has_own else base.folder
        try:
            with quiet():
                return AutoTokenizer.from_pretrained(
                    folder, trust_remote_code=self.settings.allow_remote_code
                )
        except Exception as error:
            raise ModelError(
                f"{source.name}: its tokenizer cannot be loaded from {folder}: {_first_line(error)}"
            ) from error


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
        raise ModelError(f"--device {wanted}: {_first_line(error)}") from error
    return device


def limit_threads() -> None:
    """Share the cores between the workers of an xdist run."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers > 1:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // workers))


def _check_complete(name: str, info: dict[str, Any]) -> None:
    """A tensor that is missing from the file would be filled with random numbers: refuse."""
    if missing := sorted(info["missing_keys"]):
        raise ModelError(
            f"{name}: its weights are incomplete: {len(missing)} tensors are missing, the first '{missing[0]}'"
        )
    if mismatched := info.get("mismatched_keys"):
        raise ModelError(f"{name}: its weights do not fit its config.json: {sorted(map(str, mismatched))[0]}")


def _check_adapter_complete(source: Adapter, model: Any, name: str) -> None:
    file = source.folder / "adapter_model.safetensors"
    if not file.is_file():
        return  # pickled, and allowed by name
    try:
        with safe_open(file, framework="pt") as tensors:
            saved = set(tensors.keys())
    except SafetensorError as error:
        raise ModelError(f"{source.name}: {file.name} is damaged: {error}") from error
    # False: else peft asks the hub whether the vocabulary was changed.
    applied = set(get_peft_model_state_dict(model, adapter_name=name, save_embedding_layers=False))
    if not saved:
        raise ModelError(f"{source.name}: {file.name} holds no tensors")
    in_base = model.state_dict().keys()  # an adapter with new tokens brings the embeddings along
    if stray := sorted(key for key in saved - applied if key not in in_base):
        raise ModelError(
            _other_base(
                source, f"{len(stray)} of {len(saved)} tensors have no place in it, the first '{stray[0]}'"
            )
        )
    if absent := sorted(applied - saved):
        raise ModelError(
            f"{source.name}: the adapter is incomplete: {len(absent)} tensors are missing, the first '{absent[0]}'"
        )


def _check_differs(sources: SourcePair, baseline: TorchEngine, tuned: TorchEngine) -> None:
    """Nothing is shown by a tuned model that is the baseline: an adapter that was never trained, a wrong folder."""
    tokens = tuned.tokenizer(PROBE_TEXT, return_tensors="pt", add_special_tokens=False).input_ids
    tokens = tokens.to(tuned.model.device)
    logits = []
    for engine in (baseline, tuned):
        with torch.inference_mode(), engine.active(), quiet():
            vocabulary = engine.vocabulary
            if int(tokens.max()) >= vocabulary:
                return  # another vocabulary: the models do differ
            logits.append(engine.model(input_ids=tokens).logits)
    if logits[0].shape != logits[1].shape or not torch.equal(*logits):
        return
    if isinstance(sources.tuned, Adapter):
        raise EngineError(
            f"{sources.tuned.name}: the adapter changes nothing: with it on and off, the logits are the same\n"
            "  was it saved before training, or is it all zeros?"
        )
    if weights_identity(sources.baseline.folder) == weights_identity(sources.tuned.folder):
        raise EngineError(
            f"{sources.tuned.name}: its weights are the baseline's, byte for byte; nothing was tuned\n"
            "  to hold a model against itself on purpose, give the same reference twice"
        )


def _reason(name: str, error: Exception) -> str:
    text = _first_line(error)
    if "trust_remote_code" in str(error):
        return f"{name}: it comes with Python code of its own\n  if you trust its author: --allow-remote-code"
    return f"{name}: cannot be loaded: {type(error).__name__}: {text}"


def _other_base(source: Adapter, text: str) -> str:
    detail = next((line.strip() for line in text.splitlines() if "size mismatch" in line), _first_line(text))
    return f"{source.name}: the adapter does not fit the base '{source.base.name}': was it trained on another?\n  {detail[:300]}"


def _first_line(error: object) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else ""
