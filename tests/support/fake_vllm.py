"""A module `vllm` with the parts that this project uses, which computes each token by transformers, a whole row at a time.

It takes no argument that vLLM does not have, and steps as vLLM's engine does: all requests that are underway by one token each.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, make_dataclass
from enum import Enum
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import LlamaForCausalLM

from harness.engine.transformers.quiet import quiet


class RequestOutputKind(Enum):
    CUMULATIVE = 0
    DELTA = 1
    FINAL_ONLY = 2


@dataclass
class SamplingParams:
    temperature: float = 1.0
    max_tokens: int | None = 16
    ignore_eos: bool = False
    detokenize: bool = True
    output_kind: RequestOutputKind = RequestOutputKind.CUMULATIVE
    logprobs: int | None = None
    prompt_logprobs: int | None = None


@dataclass(frozen=True)
class Logprob:
    logprob: float
    rank: int | None


@dataclass(frozen=True)
class LoRARequest:
    lora_name: str
    lora_int_id: int
    lora_path: str


TAKES = (
    "model", "runner", "tokenizer", "skip_tokenizer_init", "trust_remote_code", "dtype", "seed", "enable_prefix_caching",
    "use_tqdm_on_load", "load_format", "gpu_memory_utilization", "enable_lora", "max_loras", "max_lora_rank", "lora_target_modules", "max_model_len",
    "tensor_parallel_size", "distributed_executor_backend", "logprobs_mode", "enforce_eager",
)  # fmt: skip
EngineArgs = make_dataclass("EngineArgs", [(name, Any, field(default=None)) for name in TAKES])


class Model:
    """A full model and the adapters that were asked for, by transformers and peft."""

    def __init__(self, folder: str) -> None:
        with quiet():
            self.full = LlamaForCausalLM.from_pretrained(folder).eval()
        self.folder = folder
        self.adapted: dict[str, Any] = {}

    @torch.inference_mode()
    def logprobs(self, row: Sequence[int], lora: LoRARequest | None) -> torch.Tensor:
        """(tokens, vocabulary)."""
        model = self.full
        if lora is not None:
            with quiet():
                if lora.lora_path not in self.adapted:
                    base = LlamaForCausalLM.from_pretrained(self.folder)
                    self.adapted[lora.lora_path] = PeftModel.from_pretrained(base, lora.lora_path).eval()
            model = self.adapted[lora.lora_path]
        return torch.log_softmax(model(input_ids=torch.tensor([list(row)])).logits[0].float(), dim=-1)


def known(logprobs: torch.Tensor, token: int) -> dict[int, Logprob]:
    value = logprobs[token]
    return {token: Logprob(float(value), int((logprobs >= value).sum()))}


@dataclass
class Underway:
    prompt: list[int]
    params: SamplingParams
    lora: LoRARequest | None
    written: list[int] = field(default_factory=list)


class Engine:
    def __init__(self, llm: LLM) -> None:
        self.model = Model(llm.arguments["model"])
        config = self.model.full.config
        most = llm.arguments.get("max_model_len") or config.max_position_embeddings
        self.model_config = SimpleNamespace(
            max_model_len=most, dtype=torch.float32, get_vocab_size=lambda: config.vocab_size
        )
        self.renderer = SimpleNamespace(render_cmpl=lambda prompts: [dict(prompt) for prompt in prompts])
        self.underway: dict[str, Underway] = {}
        self.most_underway = 0
        self.added: list[tuple[list[int], SamplingParams]] = []
        self.aborted: list[str] = []

    def add_request(self, name: str, prompt: Any, params: SamplingParams, lora_request: Any = None) -> None:
        tokens = prompt["prompt_token_ids"]
        assert len(tokens) + 1 <= self.model_config.max_model_len, "longer than the maximum model length"
        assert params.temperature == 0
        assert not params.detokenize, "there is no tokenizer"
        assert name not in self.underway
        self.underway[name] = Underway(list(tokens), params, lora_request)
        self.most_underway = max(self.most_underway, len(self.underway))
        self.added.append((list(tokens), params))

    def abort_request(self, names: list[str]) -> None:
        self.aborted += names
        for name in names:
            self.underway.pop(name, None)

    def step(self) -> list[Any]:
        return [self._one(name, job) for name, job in list(self.underway.items())]

    def _one(self, name: str, job: Underway) -> Any:
        row = [*job.prompt, *job.written]
        logprobs = self.model.logprobs(row, job.lora)
        prompt_logprobs = None
        if job.params.prompt_logprobs is not None and not job.written:
            prompt_logprobs = [None, *(known(logprobs[at], token) for at, token in enumerate(job.prompt[1:]))]
        token = int(logprobs[-1].argmax())
        job.written.append(token)
        finished = len(job.written) == job.params.max_tokens
        if finished:
            del self.underway[name]
        given = [known(logprobs[-1], token)] if job.params.logprobs is not None else None
        output = SimpleNamespace(
            token_ids=[token], logprobs=given, finish_reason="length" if finished else None
        )
        return SimpleNamespace(
            request_id=name, outputs=[output], prompt_logprobs=prompt_logprobs, finished=finished
        )


class LLM:
    made: list[LLM] = []

    def __init__(self, **arguments: Any) -> None:
        EngineArgs(**arguments)
        self.arguments = arguments
        self.llm_engine = Engine(self)
        LLM.made.append(self)


@pytest.fixture
def vllm(monkeypatch: pytest.MonkeyPatch) -> type[LLM]:
    """The module in place of an installed one; gives the class LLM, whose `made` has all that were made."""
    for name in ("PYTEST_XDIST_WORKER", "VLLM_BATCH_INVARIANT"):
        monkeypatch.delenv(name, raising=False)
    for name in (
        "VLLM_ENABLE_V1_MULTIPROCESSING",
        "VLLM_NO_USAGE_STATS",
        "VLLM_LOGGING_LEVEL",
        "VLLM_CPU_KVCACHE_SPACE",
    ):
        monkeypatch.setenv(name, "1")  # so that what the engine sets is undone
    platform = SimpleNamespace(device_type="cpu")
    parts: dict[str, dict[str, Any]] = {
        "vllm": {"LLM": LLM, "EngineArgs": EngineArgs, "SamplingParams": SamplingParams},
        "vllm.platforms": {"current_platform": platform},
        "vllm.inputs": {"TokensPrompt": dict},
        "vllm.lora": {},
        "vllm.lora.request": {"LoRARequest": LoRARequest},
        "vllm.sampling_params": {"RequestOutputKind": RequestOutputKind},
    }
    for name, values in parts.items():
        module = ModuleType(name)
        vars(module).update(values)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(LLM, "made", [])
    return LLM
