"""Load a pair of models on this disk into vLLM: a base and its adapters into one, other models each into its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transformers import AutoConfig, GenerationConfig

from harness.engine.batching import Budget
from harness.engine.requests import EnginePair, Request
from harness.engine.settings import Settings
from harness.engine.transformers.config import written_ends
from harness.engine.transformers.gguf import ensure_embedded
from harness.engine.transformers.quiet import quiet
from harness.engine.transformers.speaking import speaker_of, tokenizer_of
from harness.engine.vllm.arguments import arguments_of, check_device
from harness.engine.vllm.engine import BUDGET, VllmEngine
from harness.engine.vllm.library import library
from harness.engine.vllm.proof import check_acts, check_differs, check_finite
from harness.engine.vllm.queue import Queue
from harness.errors import HarnessError, ModelError
from harness.models.origin import trained_on
from harness.models.parameters import parameters_of
from harness.models.reference import Adapter, FullModel, LocalModel, LocalPair, base_of
from harness.progress import Log
from harness.spelling import option

LONGEST = 300
"""Characters of vLLM's own errors that are shown."""


def load_pair(
    sources: LocalPair,
    settings: Settings = Settings(),
    say: Log = lambda text: None,
    asked: Sequence[Request] = (),
) -> EnginePair:
    """Load the baseline and the tuned model.

    Args:
        asked: the requests to come; an adapter must change the log-probability of a token in them.

    Raises:
        VersionError: vLLM is not installed.
        ModelError: it cannot load a model, or run an adapter.
        EngineError: the tuned model equals the baseline.
    """
    loader = Loader(sources, settings, say)
    tuned = loader.engine(sources.tuned)
    baseline = tuned if sources.baseline is sources.tuned else loader.engine(sources.baseline)
    for engine in dict.fromkeys((baseline, tuned)):
        check_finite(engine)
    loader.prove(baseline, tuned, asked)
    return EnginePair(
        baseline, tuned, tuned.device_kind, tuned.dtype, (*sources.notes, *dict.fromkeys(loader.notes))
    )


class Loader:
    """Loads the models of a pair.

    Attributes:
        notes: what the user should hear about them.
    """

    def __init__(self, sources: LocalPair, settings: Settings, say: Log) -> None:
        self.sources = sources
        self.settings = settings
        self.say = say
        self.speaker = speaker_of(sources, settings)
        self.budget = Budget(settings.batch_tokens or BUDGET)
        self.library = library()
        check_device(settings, self.library)
        models = list(dict.fromkeys((sources.baseline, sources.tuned)))
        self.bases = {base_of(model).folder for model in models}
        self.adapters = [model for model in models if isinstance(model, Adapter)]
        self.notes = list(filter(None, map(trained_on, self.adapters)))
        self._queues: dict[Any, Queue] = {}

    def engine(self, model: LocalModel) -> VllmEngine:
        """The engine of a model of the pair, or of the base of one."""
        base = base_of(model)
        queue = self._queue(base)
        tokenizer = tokenizer_of(model, self.speaker, self.settings, self.say, self.notes.append)
        ends = written_ends(_generation(base, self.settings), tokenizer, queue.model_config.get_vocab_size())
        lora = None
        if isinstance(model, Adapter):
            number = self.adapters.index(model) + 1
            lora = self.library.lora_request(f"adapter{number}", number, str(model.folder))
        return VllmEngine(queue, tokenizer, model.name, ends, lora, self.budget, parameters_of(base.folder))

    def prove(self, baseline: VllmEngine, tuned: VllmEngine, asked: Sequence[Request]) -> None:
        """Prove that the adapters act, and that the tuned model is not the baseline; raises EngineError."""
        try:
            before, after = self.sources.baseline, self.sources.tuned
            for model, engine in {before: baseline, after: tuned}.items():
                if isinstance(model, Adapter):
                    check_acts(engine, self.engine(model.base), asked)
            if before is not after and not self.settings.allow_conversion:
                check_differs(self.sources, baseline, tuned, asked)
        except HarnessError:
            raise
        except Exception as error:  # an adapter is read by vLLM when it is first asked
            raise ModelError(self._reason(self.sources.tuned, error)) from error

    def _queue(self, base: FullModel) -> Queue:
        if base.folder not in self._queues:
            if base.embedded:
                ensure_embedded(self.say)
            adapters = [adapter for adapter in self.adapters if adapter.base.folder == base.folder]
            arguments = arguments_of(base, adapters, self.settings, self.library, len(self.bases))
            self.say(f"loading {base.name} into vllm on {self.library.device_name}")
            try:
                with quiet():
                    llm = self.library.llm(**arguments)
            except Exception as error:  # vLLM raises anything for what it cannot run
                raise ModelError(self._reason(base, error)) from error
            self._queues[base.folder] = Queue(llm, self.library)
        return self._queues[base.folder]

    def _reason(self, model: LocalModel, error: Exception) -> str:
        said = " ".join(str(error).split())[:LONGEST]
        return (
            f"{model.name}: vllm cannot run it: {type(error).__name__}: {said}\n"
            f"  what vllm takes goes through {option('engine_args', 'KEY=VALUE')}; or run it by {option('engine', 'transformers')}"
        )


def _generation(base: FullModel, settings: Settings) -> Any:
    """The config of generation in a model's folder, or as its own config implies."""
    with quiet():
        try:
            return GenerationConfig.from_pretrained(base.folder)
        except OSError:
            config = AutoConfig.from_pretrained(base.folder, trust_remote_code=settings.allow_remote_code)
            return GenerationConfig.from_model_config(config)
